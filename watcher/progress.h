/* How fast a watcher catches up with L1, and when it will have.  Pure. */
#ifndef EGRESS_WATCHER_PROGRESS_H
#define EGRESS_WATCHER_PROGRESS_H

#include <stddef.h>

#include "abi/types.h"
#include "watcher/limits.h"

struct progress_point {
	uint64_t now_ms; /* local */
	uint64_t block;	 /* followed up to here */
	uint64_t behind; /* blocks still to come */
};

struct progress { /* zero: nothing seen */
	size_t n;
	struct progress_point points[PROGRESS_POINTS]; /* oldest first */
	uint64_t said_ms;
	bool said;
};

struct progress_pace {
	bool known;    /* else it is not behind, or only just */
	uint64_t rate; /* blocks a second */
	bool ends;     /* else it does not get nearer */
	uint64_t eta;  /* seconds until nothing is behind */
};

/* At every turn.  Not behind: forgets. */
void progress_note(struct progress *p, const struct progress_point *at);
/* Over the last PROGRESS_POINTS × PROGRESS_STEP_MS. */
struct progress_pace progress_pace(const struct progress *p);
/* It is time to say so in the log; says so once. */
bool progress_is_due(struct progress *p, uint64_t now_ms);

#endif
