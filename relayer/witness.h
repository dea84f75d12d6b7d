/* To whom exits were paid.  The contract keeps only that a leaf is out, so
 * while wishes wait the exits of every block acted on are read with their
 * calls: "somebody else was faster" is success only when the recipient was
 * paid. */
#ifndef EGRESS_RELAYER_WITNESS_H
#define EGRESS_RELAYER_WITNESS_H

#include "abi/typed.h"
#include "l1/l1.h"
#include "relayer/turn.h"

struct witness;

struct witness *witness_new(struct l1 *l1);
void witness_free(struct witness *w);
/* wanted: a wish waits, and exits may run. */
void witness_turn(struct witness *w, struct turn *t, bool wanted);
uint64_t witness_next(const struct witness *w);

enum witnessed {
	WITNESS_WAITS,	/* that block is not read yet */
	WITNESS_PAID,	/* by exitTo, to the wish's recipient */
	WITNESS_OTHER,	/* by another exit */
	WITNESS_UNSEEN, /* before anybody here looked */
};
/* Blocks acted on: the leaf was in at `in` (0: never seen), out at `out`. */
enum witnessed witness_of(const struct witness *w, const struct exit_to *wish,
			  uint64_t in, uint64_t out);

#endif
