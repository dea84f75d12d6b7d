/* To whom exits were paid, and what became of withdrawals.  The contract keeps
 * only that a leaf is out, and that a withdrawal is over: so while any of them
 * is waited for, the exits of every block acted on are read with their calls,
 * and the payments.  "Somebody else was faster" is success only when the
 * recipient was paid, and what is owed to a recipient is not paid. */
#ifndef EGRESS_RELAYER_WITNESS_H
#define EGRESS_RELAYER_WITNESS_H

#include "abi/typed.h"
#include "l1/l1.h"
#include "relayer/turn.h"

struct witness;

struct witness *witness_new(struct l1 *l1);
void witness_free(struct witness *w);
/* wanted: a wish waits, and exits may run; or a payment is due. */
void witness_turn(struct witness *w, struct turn *t, bool wanted);
uint64_t witness_next(const struct witness *w);

enum witnessed {
	WITNESS_WAITS,	  /* that block is not read yet */
	WITNESS_PAID,	  /* by exitTo, to the wish's recipient */
	WITNESS_CREDITED, /* the same, but L1 only owes it to them */
	WITNESS_OTHER,	  /* by another exit */
	WITNESS_UNSEEN,	  /* before anybody here looked */
};
/* Blocks acted on: the leaf was in at `in` (0: never seen), out at `out`. */
enum witnessed witness_of(const struct witness *w, const struct exit_to *wish,
			  uint64_t in, uint64_t out);

struct payment { /* of a withdrawal */
	struct address to, asset;
	struct u256 amount;
	bool credited; /* not paid: owed to them on L1 */
};
/* Withdrawal `id` was over at block `at`, which was acted on: WITNESS_PAID
 * with ret, WITNESS_WAITS or WITNESS_UNSEEN. */
enum witnessed witness_payment(const struct witness *w, uint64_t id,
			       uint64_t at, struct payment *ret);

#endif
