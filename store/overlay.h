/* Tree nodes that are staged and not committed: a hash map from (height,
 * position) to node.  The writer's alone; readers never see it. */
#ifndef EGRESS_STORE_OVERLAY_H
#define EGRESS_STORE_OVERLAY_H

#include "abi/err.h"
#include "abi/types.h"

struct overlay_entry {
	uint64_t at;
	uint8_t height;
	bool used;
	struct hash32 node;
};

struct overlay {
	struct overlay_entry *entries; /* cap of them, a power of two */
	size_t cap, n;
};

/* Replaces. ERR_FULL: out of memory. */
MUST_CHECK enum err overlay_put(struct overlay *o, unsigned height, uint64_t at,
				struct hash32 node);
/* NULL: not staged. */
const struct hash32 *overlay_get(const struct overlay *o, unsigned height,
				 uint64_t at);
void overlay_clear(struct overlay *o); /* keeps a little memory */
void overlay_done(struct overlay *o);

#endif
