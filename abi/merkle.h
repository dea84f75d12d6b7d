/* The ledger's tree: records, leaves, roots.  Pure.
 *
 * protocol.md: "A perfect binary Merkle tree of 2^d leaves, d the smallest
 * ≥ 8 with 2^d ≥ leafCount; leaf i at position i for ever." */
#ifndef EGRESS_ABI_MERKLE_H
#define EGRESS_ABI_MERKLE_H

#include "abi/err.h"
#include "abi/types.h"
#include "abi/u256.h"

#define MERKLE_DEPTH_MIN 8
#define MERKLE_DEPTH_MAX 40 /* index is uint40 */
#define BUCKET_LEAVES	 256
#define RECORD_SIZE	 53

enum record_kind {
	RECORD_EMPTY = 0,
	RECORD_BALANCE = 1,
	RECORD_CREDENTIAL = 2
};

/* kind(1) ‖ owner(20) ‖ payload(32); all zero stands for an empty leaf. */
struct record {
	uint8_t b[RECORD_SIZE];
};

/* kind 1; amount < 2^96 (asserted).  Asset 0: the L1's native coin. */
struct record record_balance(struct address owner, struct address asset,
			     struct u256 amount);
struct record record_credential(struct address owner, struct hash32 commitment);
enum record_kind record_kind(const struct record *r);
bool record_is_empty(const struct record *r);
struct address record_owner(const struct record *r);
struct address record_asset(const struct record *r); /* kind 1, or zero */
struct u256 record_amount(const struct record *r);   /* kind 1, or zero */
struct record record_with_amount(const struct record *r, struct u256 amount);
/* "A record once written keeps kind, owner and asset for ever" */
bool record_may_become(const struct record *before, const struct record *after);

struct hash32 record_leaf(const struct record *r); /* z0 when empty */
struct hash32 merkle_zero(unsigned height);	   /* z0 … z40 */
unsigned merkle_depth(uint64_t leaf_count);
/* siblings leaf upward, exactly depth of them; index < 2^depth asserted */
struct hash32 merkle_root(uint64_t index, struct hash32 leaf,
			  const struct hash32 *siblings, unsigned depth);
/* Root of an aligned bucket; records beyond n are empty; n ≤ 256. */
struct hash32 merkle_bucket_root(const struct record *records, size_t n);
/* A root of depth `from` lifted with zero subtrees to depth `to`. */
struct hash32 merkle_lift(struct hash32 root, unsigned from, unsigned to);

/* Nodes of heights nodes_from … depth as flat arrays.  The bottom level is
 * the caller's truth (leaf hashes at 0, bucket roots at 8). */
struct tree {
	unsigned nodes_from, depth;
	uint64_t leaf_count;
	struct hash32 *level[MERKLE_DEPTH_MAX + 1]; /* by height, or NULL */
	size_t nodes[MERKLE_DEPTH_MAX + 1];	    /* kept; the rest is zero */
};

MUST_CHECK enum err tree_init(struct tree *t, unsigned nodes_from);
void tree_done(struct tree *t);
/* Grows (lifting) or shrinks to leaf_count. ERR_FULL: out of memory. */
MUST_CHECK enum err tree_resize(struct tree *t, uint64_t leaf_count);
/* Sets bottom-level node `at` and marks nothing: call tree_rehash() with all
 * positions set since, ascending and distinct. */
void tree_set(struct tree *t, uint64_t at, struct hash32 node);
void tree_rehash(struct tree *t, const uint64_t *at, size_t n);
struct hash32 tree_node(const struct tree *t, unsigned height, uint64_t at);
struct hash32 tree_root(const struct tree *t); /* leaf_count 0: z8 */

#endif
