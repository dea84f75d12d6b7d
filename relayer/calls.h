/* Call data of everything a relayer sends, and of what it reads.  Pure. */
#ifndef EGRESS_RELAYER_CALLS_H
#define EGRESS_RELAYER_CALLS_H

#include "abi/ballot.h"
#include "abi/buf.h"
#include "abi/merkle.h"
#include "abi/typed.h"

/* A leaf or bucket's way to the root: siblings upward. */
struct path {
	const struct hash32 *siblings;
	size_t n;
};

void call_request_withdrawal(struct buf *b, const struct withdraw *w,
			     const struct signature *signature);
/* Gas of which L1 demands the block's base fee as the call's value: the
 * bounty of a withdrawal.  0: its value does not depend on the block. */
uint64_t call_value_gas(struct slice data);
void call_request_transaction(struct buf *b, struct slice raw);
/* record empty and no path: the index lies beyond the tree. */
void call_execute_withdrawal(struct buf *b, uint64_t id, struct slice record,
			     struct path path);
void call_pay(struct buf *b, uint64_t id);
/* PROMOTE, OPEN (empty args) or RESUME with its signatures. */
void call_bundle(struct buf *b, const struct bundle *bundle);
void call_open_after_deadline(struct buf *b);
void call_open_on_bad_batch(struct buf *b, struct slice proof);
void call_exit_to(struct buf *b, const struct exit_to *wish,
		  const struct record *record, struct path path,
		  const struct signature *signature);
/* n records from the bucket's first leaf; the rest is empty. */
void call_exit_bucket(struct buf *b, uint64_t bucket, struct u256 mask,
		      const struct record *records, size_t n, struct path path);
/* Every record is empty or a balance of `asset`. */
void call_exit_uniform(struct buf *b, uint64_t bucket, struct u256 mask,
		       struct address asset, const struct record *records,
		       size_t n, struct path path);
void call_settle_bucket(struct buf *b, uint64_t bucket,
			const struct record *records, size_t n,
			struct path path);

/* One bit of a bucket's word: leaf 0 … 255. */
bool mask_has(struct u256 mask, unsigned leaf);
struct u256 mask_with(struct u256 mask, unsigned leaf);
struct u256 mask_without(struct u256 mask, struct u256 gone);
unsigned mask_count(struct u256 mask);

#endif
