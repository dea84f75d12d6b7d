/* What citizens asked for, from "accepted" to "paid".
 *
 *   queued → signed → sent → included → final
 *      ↘ failed ↙ (never without the reason in plain words)
 *
 * What another brought to L1 goes from queued to included, once it stands in
 * the queue of the block acted on.
 *
 * Included is not executed: a withdrawal is final when L1 has paid it, judged
 * by the contract's own state and by nothing else.  A wish to exit elsewhere
 * is kept and published, and carried when exits are open. */
#ifndef EGRESS_RELAYER_REQUEST_H
#define EGRESS_RELAYER_REQUEST_H

#include "relayer/parts.h"
#include "store/requests.h"

struct book;
struct room;

struct book *book_new(struct parts *parts);
void book_free(struct book *b);
/* After a start. */
MUST_CHECK enum err book_load(struct book *b, struct store_txn *txn);
size_t book_open(const struct book *b);
/* Measures the store: before a turn's first book_add(). */
void book_measure(struct book *b);
const struct room *book_room(const struct book *b);

/* Writes a new one in the turn's transaction. ERR_REFUSED: it failed before,
 * ret_known says why; ERR_CONFLICT: known already;
 * ret_known is then what is known. ERR_BUSY: config requests.open is reached.
 * ERR_INVALID: known with another signature, and nobody has proven yet which
 * is the owner's: not kept.
 * owner_known: the signer was compared with the leaf's owner. */
MUST_CHECK enum err book_add(struct book *b, struct turn *t,
			     const struct request *request, bool owner_known,
			     struct request *ret_known);
MUST_CHECK enum err book_turn(struct book *b, struct turn *t);
MUST_CHECK enum err book_news(struct book *b, struct turn *t,
			      const struct task_news *news);

/* A wish waits while exits run: somebody else may fulfil it. */
bool book_wishes_wait(const struct book *b, const struct turn *t);
/* A withdrawal may be paid soon, or was and nobody here knows how. */
bool book_payments_due(const struct book *b, const struct turn *t);
/* Wishes to exit: the next one at or above *at (0 to begin); false: no more.
 * `flying`: its transaction is on its way. */
bool book_next_wish(struct book *b, struct turn *t, size_t *at,
		    struct request *ret);
/* A wish that can no longer be fulfilled, and why. */
MUST_CHECK enum err book_fail(struct book *b, struct turn *t, struct hash32 id,
			      const char *why);

/* The table of transitions. */
bool request_may_become(enum request_state from, enum request_state to);
/* L1's newest block refuses a wish for what only the block acted on decides:
 * whose the leaf is, whether it was paid out. */
bool request_refusal_is_hearsay(const char *why);
/* What a promise rests on, in unix seconds of L1. */
struct request_times {
	uint64_t now, inclusion_window;
	/* When exits run, or will if no batch lands any more; 0: unknown. */
	uint64_t exits_from;
};
/* By when it should stand in L1's queue, and a wish be paid. 0: nobody can
 * say. Pure. */
uint64_t request_deadline(const struct request *r,
			  const struct request_times *times);
/* The same as it looks now: a wish's moves with the exits' beginning. 0: nobody
 * can say, or it has ended.  Pure. */
uint64_t request_eta(const struct request *r,
		     const struct request_times *times);
/* Who signed it. ERR_INVALID: not a signature; kind transaction has none. */
MUST_CHECK enum err request_signer(const struct request *r, uint64_t chain_id,
				   struct address rollup, struct address *ret);

#endif
