/* Entries of SovereignRollup's withdrawal queue at a block's hash, from their
 * storage (l1/slots.h). */
#ifndef EGRESS_L1_WITHDRAWALS_H
#define EGRESS_L1_WITHDRAWALS_H

#include "l1/slots.h"

#define L1_WITHDRAWALS_MAX 64 /* of one read */

struct l1_withdrawal {
	bool there; /* else: no such id yet, and all the rest is nothing */
	struct address owner, recipient, payer;
	uint64_t index, stamp,
		opening; /* stamp: requested at; executed: when */
	struct u256 amount, bounty;
	unsigned fate; /* EGRESS_FATE_… */
};

/* In the order of the ids, during the call; NULL unless OK. */
typedef void l1_withdrawals_done(void *ctx, enum err err, const char *why,
				 const struct l1_withdrawal *entries, size_t n);
/* 1 ≤ n ≤ L1_WITHDRAWALS_MAX.  As l1_slots(). */
MUST_CHECK enum err l1_withdrawals(struct l1 *l1, struct address rollup,
				   const uint64_t *ids, size_t n,
				   struct hash32 block,
				   l1_withdrawals_done *done, void *ctx);

/* ---- pure ---------------------------------------------------------------- */

#define WITHDRAWAL_WORDS 3

/* The rollup's own of that moment. */
struct withdrawal_queue {
	uint64_t head, tail, openings;
};
/* From the entry's words, all but its fate. */
struct l1_withdrawal withdrawal_decode(const struct hash32 *words);
/* SovereignRollup._fate(); opening: the entry's word of openingOf, looked at
 * only when that life has ended. */
unsigned withdrawal_fate(const struct withdrawal_queue *queue, uint64_t id,
			 const struct l1_withdrawal *w, struct hash32 opening);

#endif
