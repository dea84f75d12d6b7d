/* What became of somebody's money, in words.  Pure. */
#ifndef EGRESS_RELAYER_OUTCOME_H
#define EGRESS_RELAYER_OUTCOME_H

#include "abi/typed.h"
#include "relayer/witness.h"
#include "store/requests.h"

struct outcome {
	char text[REQUEST_OUTCOME_MAX];
};

/* "123 wei", "123 of token 0x…" */
struct outcome outcome_amount(struct u256 amount, struct address asset);
/* Withdrawal `id` of L1's queue, which `asked` asked for. */
struct outcome outcome_paid(uint64_t id, const struct withdraw *asked,
			    const struct payment *payment);
/* It is over, and how it was paid was not seen.  amount: NULL: nor how much. */
struct outcome outcome_unseen(uint64_t id, const struct withdraw *asked,
			      const struct outcome *amount);
/* A wish: its leaf's balance.  more: "" or what is to be added. */
struct outcome outcome_wish(struct address recipient, bool credited,
			    const char *more);

#endif
