/* --check: the configuration against the world, once, without changing
 * anything. */
#ifndef EGRESS_WATCHER_CHECK_H
#define EGRESS_WATCHER_CHECK_H

#include "watcher/config.h"

/* OK, or the first thing that is wrong in error.  Warnings go to the log. */
MUST_CHECK enum err check_world(const struct watcher_config *config,
				struct err_text *error);

#endif
