/* Whether the pages would tell anything new.  A turn that only moved ages,
 * latencies and counters writes them again after SHOWN_MS, not at once: most
 * turns are of that kind.  Pure. */
#ifndef EGRESS_WATCHER_SHOWN_H
#define EGRESS_WATCHER_SHOWN_H

#include "abi/buf.h"
#include "watcher/status.h"

struct shown {
	struct buf last; /* what the pages were made of */
	uint64_t until_ms;
};

void shown_init(struct shown *s);
void shown_done(struct shown *s);
/* true: they are to be written, and are taken to be. */
bool shown_is_due(struct shown *s, const struct status_input *in,
		  uint64_t now_ms);

#endif
