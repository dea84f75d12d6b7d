/* One turn of the loop: what is known now.  Everything in it lives until the
 * turn's end. */
#ifndef EGRESS_RELAYER_TURN_H
#define EGRESS_RELAYER_TURN_H

#include "l1/hatch.h"
#include "l1/l1.h"
#include "l1/phase.h"
#include "store/store.h"

struct turn {
	uint64_t now_ms; /* clock_mono_ms() */
	const struct l1_view *view;
	/* Of the block acted on; NULL until they were read once. */
	const struct hatch_facts *facts;
	bool facts_moved; /* read anew since the last turn */
	bool head_moved;
	uint64_t head_time; /* L1's newest timestamp */
	enum phase phase;   /* facts at head_time; UNKNOWN: L1 is unhealthy */
	/* Whoever writes uses this one; it is committed once, at the end. */
	struct store_txn *txn;
	bool again; /* somebody has more to do at once */
};

/* L1 is healthy and its facts are known: decisions may be taken. */
static inline bool turn_sees(const struct turn *t)
{
	return t->facts && t->view->healthy;
}

#endif
