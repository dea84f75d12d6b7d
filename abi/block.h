/* A block of L1, as much of it as everybody needs. */
#ifndef EGRESS_ABI_BLOCK_H
#define EGRESS_ABI_BLOCK_H

#include "abi/types.h"

struct block_ref {
	uint64_t number;
	struct hash32 hash, parent;
	uint64_t time; /* unix seconds */
};

#endif
