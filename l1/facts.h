/* The contracts' storage words that make the facts: which, proved by
 * eth_getProof, decoded.  Pure. */
#ifndef EGRESS_L1_FACTS_H
#define EGRESS_L1_FACTS_H

#include "l1/hatch.h"
#include "l1/rpc.h"

/* Which elements of lists and queues to ask for: as they were last seen. */
struct facts_guess {
	size_t n_guardians, n_standbys;
	uint64_t withdraw_head, inbox_through;
};
extern const struct facts_guess facts_first_guess;

#define FACTS_KEYS_MAX (8 + 2 * HATCH_KEYS_MAX)

/* What one contract is asked, and what it was proved to hold. */
struct facts_keys {
	size_t n;
	struct hash32 keys[FACTS_KEYS_MAX];
	struct u256 values[FACTS_KEYS_MAX];
};
void facts_hatch_keys(const struct facts_guess *guess, struct facts_keys *to);
void facts_rollup_keys(const struct facts_guess *guess, struct facts_keys *to);

enum facts_outcome {
	FACTS_FINE,
	FACTS_WRONG_GUESS, /* guess is right now: ask again */
	FACTS_NO_HATCH,	   /* of another form than these contracts' */
};
/* Values proved as of f->block → all of f but the addresses. */
MUST_CHECK enum facts_outcome facts_take(const struct facts_keys *hatch,
					 const struct facts_keys *rollup,
					 struct facts_guess *guess,
					 struct hatch_facts *f);

#endif
