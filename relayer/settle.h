/* SETTLING: the exits are written into the root, bucket by bucket.
 *
 * Every settled bucket changes the root, so a chain of transactions is built
 * on one root from the buckets' proofs, each proved under what the one before
 * leaves, and sent in the order of their nonces.  If another relayer was
 * faster the rest of the chain reverts, and it starts again from the facts. */
#ifndef EGRESS_RELAYER_SETTLE_H
#define EGRESS_RELAYER_SETTLE_H

#include "relayer/parts.h"

struct settle;

struct settle *settle_new(struct parts *parts);
void settle_free(struct settle *s);
void settle_turn(struct settle *s, struct turn *t);
void settle_news(struct settle *s, struct turn *t,
		 const struct task_news *news);
uint64_t settle_next(const struct settle *s);

#endif
