/* How deep a block is, and how deep to go before something rests on it.
 * Pure. */
#ifndef EGRESS_L1_DEPTH_H
#define EGRESS_L1_DEPTH_H

#include "abi/block.h"

enum depth {
	DEPTH_LATEST,
	DEPTH_SAFE,
	DEPTH_FINALIZED,
	DEPTH_CONFIRMED, /* so many blocks below a provider's latest */
	DEPTHS,
};

/* "finalized": the tag of JSON-RPC, where there is one. */
const char *depth_tag(enum depth depth);
static inline bool depth_has_tag(enum depth depth)
{
	return depth == DEPTH_SAFE || depth == DEPTH_FINALIZED;
}

/* How long L1 takes to finalize, by the timestamps of its blocks: as long as
 * the newest block that is not final yet has waited, or the one before it did.
 * Finality that comes in epochs makes a saw; this is its top.  Zero: unknown.
 */
struct finality {
	uint64_t number;	/* of the finalized block */
	uint64_t lag_s, peak_s; /* now, and before it last moved */
};
/* Returns the seconds. */
uint64_t finality_update(struct finality *f, const struct block_ref *head,
			 const struct block_ref *finalized);

/* act_on: auto.  finalized, and safe where finality takes longer than a quarter
 * of sla_s; back when it takes an eighth less.  sla_s 0: unknown. */
enum depth depth_choose(enum depth now, uint64_t finality_s, uint64_t sla_s);

#endif
