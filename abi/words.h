/* Solidity ABI words: what a call carries and what it answers.
 *
 * Writer: heads first, then tails; an offset is an abi_put_u64() of the bytes
 * before its tail, summed with abi_bytes_words().  Reader: a cursor with
 * sticky failure; dirty high bytes, offsets outside the data or not of whole
 * words, and oversized lengths are refused. */
#ifndef EGRESS_ABI_WORDS_H
#define EGRESS_ABI_WORDS_H

#include "abi/buf.h"
#include "abi/u256.h"

#define ABI_WORD 32

void abi_put_selector(struct buf *b, uint32_t selector);
void abi_put_u64(struct buf *b, uint64_t value);
void abi_put_u256(struct buf *b, struct u256 value);
void abi_put_bool(struct buf *b, bool value);
void abi_put_address(struct buf *b, struct address a);
void abi_put_hash(struct buf *b, struct hash32 h);
/* bytes: length word, bytes, zero padding to a word. */
void abi_put_bytes(struct buf *b, struct slice s);
/* Words that abi_put_bytes takes for len bytes. */
size_t abi_bytes_words(size_t len);
void abi_put_hashes(struct buf *b, const struct hash32 *h, size_t n);

struct abi_reader {
	struct slice data; /* the tuple: offsets count from its start */
	size_t at;	   /* next head word, in bytes */
	bool failed;
};

struct abi_reader abi_reader(struct slice data);
uint64_t abi_u64(struct abi_reader *r, unsigned bits); /* bits ≤ 64 */
struct u256 abi_u256(struct abi_reader *r);
bool abi_bool(struct abi_reader *r);
struct address abi_address(struct abi_reader *r);
struct hash32 abi_hash(struct abi_reader *r);
/* The head is an offset; the bytes are borrowed; padding must be zero. */
struct slice abi_bytes(struct abi_reader *r, size_t max);
/* The head is an offset to T[] of static elements of `words` words each:
 * returns a reader over its elements and their count (≤ max, or fail). */
struct abi_reader abi_array(struct abi_reader *r, size_t words, size_t max,
			    size_t *ret_count);
/* The head is an offset to a dynamic tuple. */
struct abi_reader abi_tuple(struct abi_reader *r);

#endif
