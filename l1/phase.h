/* Facts and the time → phase and deadlines: the contract's own formulas.
 * Pure.  Every window is exceeded strictly. */
#ifndef EGRESS_L1_PHASE_H
#define EGRESS_L1_PHASE_H

#include "l1/hatch.h"

enum phase {
	PHASE_LIVE = 0,
	PHASE_LATE = 1,
	PHASE_PROMOTED = 2,
	PHASE_OPEN = 3,
	PHASE_SETTLING = 4,
	PHASE_UNKNOWN = 255, /* L1 is unhealthy: never on chain */
};
const char *phase_name(enum phase phase);

/* now: an L1 timestamp, usually facts->block.time. */
enum phase phase_of(const struct hatch_facts *facts, uint64_t now);

/* Unix seconds; 0: does not apply. */
struct phase_deadlines {
	uint64_t late_at, failover_until, openable_at, exits_from, resume_from,
		enact_from;
};
struct phase_deadlines phase_deadlines(const struct hatch_facts *facts);
/* openAfterDeadline() would pass at `now`. */
bool phase_openable(const struct hatch_facts *facts, uint64_t now);
bool phase_exits_open(const struct hatch_facts *facts, uint64_t now);

#endif
