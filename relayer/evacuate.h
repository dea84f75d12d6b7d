/* OPEN: everybody out, bucket by bucket.
 *
 * Published wishes go before their bucket.  Each relayer walks the buckets in
 * an order of its own, drawn from its address, and looks at L1's bitmap before
 * it sends: many work at once and seldom on the same. */
#ifndef EGRESS_RELAYER_EVACUATE_H
#define EGRESS_RELAYER_EVACUATE_H

#include "relayer/parts.h"
#include "relayer/wishes.h"

struct evacuate;

struct evacuate_progress {
	bool running, done; /* done: proved at the block acted on */
	uint64_t buckets, finished;
	struct u256 refunded; /* to us, by the bond, since the start */
};

struct evacuate *evacuate_new(struct parts *parts, struct wishes *wishes);
void evacuate_free(struct evacuate *e);
MUST_CHECK enum err evacuate_turn(struct evacuate *e, struct turn *t);
void evacuate_news(struct evacuate *e, struct turn *t,
		   const struct task_news *news);
uint64_t evacuate_next(const struct evacuate *e);
struct evacuate_progress evacuate_progress(const struct evacuate *e);

/* The i-th of n buckets in the order of this seed: a permutation, without a
 * table. Pure. */
uint64_t evacuate_order(struct hash32 seed, uint64_t n, uint64_t i);

#endif
