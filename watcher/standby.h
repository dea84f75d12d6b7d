/* Which sequencers could take over now, by asking each.  "A standby proves
 * readiness before it is offered; a failed one is passed over." */
#ifndef EGRESS_WATCHER_STANDBY_H
#define EGRESS_WATCHER_STANDBY_H

#include "http/client.h"
#include "watcher/config.h"
#include "watcher/verdict.h"

struct standby {
	struct address address;
	const char *probe; /* URL, or NULL: taken as ready */
	struct standbys *all;
	bool in_flight, ready;
	unsigned failures;		/* in a row */
	uint64_t asked_ms, answered_ms; /* 0: never */
	char why[96];			/* "" when ready */
};

struct standbys {
	struct http_client *http; /* borrowed */
	size_t n;
	struct standby list[STANDBYS_MAX];
};

void standbys_init(struct standbys *s, const struct watcher_config *config,
		   struct http_client *http);
void standbys_done(struct standbys *s);
/* Starts probes that are due; returns the next time. */
uint64_t standbys_turn(struct standbys *s, uint64_t now_mono_ms,
		       uint64_t interval_ms);
/* A sequencer without a probe is ready, unless it was replaced since the last
 * batch: it is the one that fell silent.  One that fails PROBE_FAILURES times
 * in a row is not; in between nothing is said of it: neither is it offered,
 * nor is the hatch opened for want of it.  ret_why: "" or why, borrowed. */
enum standby_state standbys_state(const struct standbys *s, struct address a,
				  bool replaced, uint64_t now_mono_ms,
				  const char **ret_why);

#endif
