/* A block's or a receipt's logsBloom: what is certainly not in it.  Pure. */
#ifndef EGRESS_ABI_BLOOM_H
#define EGRESS_ABI_BLOOM_H

#include "abi/types.h"

#define BLOOM_BYTES 256

/* false: no log of this address is in the block. */
bool bloom_may_hold(const uint8_t bloom[BLOOM_BYTES], struct address address);
/* false: no log in the block carries this topic. */
bool bloom_may_hold_topic(const uint8_t bloom[BLOOM_BYTES],
			  struct hash32 topic);
/* What a log's address, and each of its topics, sets. */
void bloom_add(uint8_t bloom[BLOOM_BYTES], struct slice bytes);

#endif
