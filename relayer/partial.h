/* The part of the ledger's tree above some buckets: enough to prove one,
 * change it, and prove the next under the root that results.  Pure. */
#ifndef EGRESS_RELAYER_PARTIAL_H
#define EGRESS_RELAYER_PARTIAL_H

#include "abi/merkle.h"
#include "relayer/calls.h"
#include "relayer/limits.h"

#define PARTIAL_LEVELS (MERKLE_DEPTH_MAX - MERKLE_DEPTH_MIN)
#define PARTIAL_NODES  ((2 * PARTIAL_LEVELS + 1) * SETTLE_CHAIN)

struct partial {
	unsigned levels; /* above the buckets */
	struct hash32 root;
	size_t n;
	struct partial_node {
		unsigned height; /* 0: a bucket's root */
		uint64_t at;
		struct hash32 hash;
	} nodes[PARTIAL_NODES];
};

void partial_init(struct partial *p, unsigned levels, struct hash32 root);
/* Takes a bucket and its way up, before anything is changed. ERR_INVALID: it
 * does not lead to the root; ERR_TOO_LARGE: SETTLE_CHAIN are in already. */
MUST_CHECK enum err partial_add(struct partial *p, uint64_t bucket,
				struct hash32 node,
				const struct hash32 *siblings);
/* The siblings of a bucket that was added, as they stand now: levels many. */
void partial_path(const struct partial *p, uint64_t bucket, struct hash32 *ret);
/* Writes a bucket that was added; p->root follows. */
void partial_set(struct partial *p, uint64_t bucket, struct hash32 node);

#endif
