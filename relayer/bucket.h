/* A bucket of the ledger as a watcher gives it, checked against the root on
 * L1, and what an evacuation makes of it.  Pure. */
#ifndef EGRESS_RELAYER_BUCKET_H
#define EGRESS_RELAYER_BUCKET_H

#include "abi/json.h"
#include "abi/merkle.h"
#include "relayer/calls.h"

struct bucket {
	uint64_t number;
	size_t n; /* records up to the last that is not empty */
	struct record records[BUCKET_LEAVES];
	unsigned levels; /* siblings */
	struct hash32 siblings[MERKLE_DEPTH_MAX];
	struct hash32 root; /* of the whole tree, as it leads there */
};

/* GET /v1/bucket/{n}. ERR_INVALID: it is no bucket of that number, or does
 * not lead to the root that it names itself; ERR_CONFLICT: it leads to
 * another root than `root`: the watcher is a block apart. */
MUST_CHECK enum err bucket_parse(const json_node *node, uint64_t number,
				 uint64_t leaf_count, struct hash32 root,
				 struct bucket *ret);
/* Leaves with a balance that is not zero. */
struct u256 bucket_payable(const struct bucket *b);
/* Every record is empty or a balance of one asset: the short form. */
bool bucket_uniform(const struct bucket *b, struct address *ret_asset);
/* The leaf's own siblings up to the root: 8 + levels of them. */
void bucket_leaf_path(const struct bucket *b, unsigned leaf,
		      struct hash32 *ret);
/* The amounts of `mask` set to 0. */
void bucket_settle(struct bucket *b, struct u256 mask);
/* Gas that the recipients of `mask` may take at most, beyond an estimate. */
uint64_t bucket_pay_gas(const struct bucket *b, struct u256 mask);
/* The first `max` leaves of mask, weighed: a native payout 1, a token's 3. */
struct u256 bucket_cut(const struct bucket *b, struct u256 mask, unsigned max);

#endif
