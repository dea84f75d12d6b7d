/* The watcher: one step() that reaps what has finished, decides, commits once
 * and starts what was committed.  It never waits; main alone does. */
#ifndef EGRESS_WATCHER_WATCHER_H
#define EGRESS_WATCHER_WATCHER_H

#include <poll.h>
#include "watcher/config.h"

struct watcher;

/* Opens the store, starts the server. Borrows config. Why not in error. */
MUST_CHECK enum err watcher_new(const struct watcher_config *config,
				struct watcher **ret, struct err_text *error);
void watcher_free(struct watcher *w); /* NULL is legal */

/* One turn; returns the clock_mono_ms() of the next. */
uint64_t watcher_step(struct watcher *w, uint64_t now_mono_ms);
/* "" or why it makes no sense to go on: a wrong chain, not a hatch. */
const char *watcher_fatal(const struct watcher *w);
/* Waits for the world: curl's sockets, the signer, posted ballots and the
 * extra descriptors, until `until_ms` at the latest. */
#define WATCHER_EXTRA_MAX 4
void watcher_wait(struct watcher *w, const struct pollfd *extra, size_t n,
		  uint64_t until_ms);
/* 0: no server. */
uint16_t watcher_port(const struct watcher *w);

#endif
