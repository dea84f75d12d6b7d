/* RLP, strict: non-canonical lengths, leading zeros in integers and trailing
 * bytes are refused.  (Ethereum yellow paper, appendix B) */
#ifndef EGRESS_ABI_RLP_H
#define EGRESS_ABI_RLP_H

#include "abi/buf.h"
#include "abi/u256.h"

#define RLP_DEPTH_MAX 16

void rlp_put_bytes(struct buf *b, struct slice s);
void rlp_put_u64(struct buf *b, uint64_t value);
void rlp_put_u256(struct buf *b, struct u256 value);
/* Wraps what was appended since `start` (b->len before) into a list. */
void rlp_wrap_list(struct buf *b, size_t start);

struct rlp_reader {
	struct slice rest;
	bool failed;
};
struct rlp_reader rlp_reader(struct slice s);
bool rlp_is_list(const struct rlp_reader *r); /* the next item */
bool rlp_end(const struct rlp_reader *r);     /* nothing left, not failed */
struct slice rlp_bytes(struct rlp_reader *r);
uint64_t rlp_u64(struct rlp_reader *r);
struct u256 rlp_u256(struct rlp_reader *r);
struct rlp_reader rlp_list(struct rlp_reader *r);
/* The next item whole, header included, kind unlooked at. */
struct slice rlp_item(struct rlp_reader *r);

#endif
