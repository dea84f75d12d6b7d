/* A block's logsBloom.  Pure. */
#ifndef EGRESS_L1_BLOOM_H
#define EGRESS_L1_BLOOM_H

#include "abi/types.h"

#define BLOOM_BYTES 256

/* false: no log of this address is in the block. */
bool bloom_may_hold(const uint8_t bloom[BLOOM_BYTES], struct address address);

#endif
