/* Deep catch-up: far behind, blocks are read by ranges (range.h) instead of one
 * by one.  Several ranges are in flight; what they held goes into the queue of
 * follow.c in order, each block with logs of ours under its own header, and
 * after a while without any the last block of a range.
 *
 * Before its logs, a quorum names the block before a range and its last one.
 * What is queued next must follow on that, so whatever was read of a chain that
 * is no more is found there, and undone.  Where ranges are of no use (so many
 * providers list none, or they contradict each other), blocks are left to be
 * read one by one. */
#ifndef EGRESS_L1_DEEP_H
#define EGRESS_L1_DEEP_H

#include "abi/types.h"

struct deep;
struct follow;

struct deep *deep_new(struct follow *f);
void deep_free(struct deep *d);
/* Forgets what is in flight and not queued. */
void deep_clear(struct deep *d);
/* The queue has a block in it or behind it.  true: the next blocks come from
 * here; lowers *next to its deadline.  It may call follow_unlink(). */
bool deep_turn(struct deep *d, uint64_t now_mono_ms, uint64_t *next);

#endif
