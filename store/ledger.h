/* The ledger as L1 data gives it: leaf records by index, an index by owner, a
 * journal for undoing, and the tree's nodes in memory from nodes_from up.
 *
 * One writer (the worker), many readers (HTTP threads).  Records and nodes
 * that a reader sees are always of one change: ledger_commit() swaps both
 * under the rwlock, which lives in ledger.c and nowhere else. */
#ifndef EGRESS_STORE_LEDGER_H
#define EGRESS_STORE_LEDGER_H

#include "abi/diff.h"
#include "abi/merkle.h"
#include "store/store.h"

struct ledger;

/* More than a block can add, so that pruning keeps up. */
#define LEDGER_PRUNE_MAX 256

/* Where the ledger stands. */
struct ledger_mark {
	uint64_t change; /* changes applied so far: the journal's key */
	uint64_t batch;	 /* number of the last batch applied; 0: none */
	uint64_t leaf_count;
	uint64_t inbox_through;
	struct hash32 root; /* of depth merkle_depth(leaf_count) */
	uint64_t block;	    /* L1 block of the last change */
	uint64_t time;	    /* its unix seconds */
	struct hash32 block_hash;
};

enum ledger_change {
	LEDGER_BATCH = 1,
	LEDGER_EXECUTED = 2,
	LEDGER_SETTLED = 3,
	LEDGER_REWOUND = 4, /* a bad batch dropped: what it undid, kept */
};

/* Reads the records and builds the nodes; the root must equal the stored
 * mark's, or ERR_UNSAFE. */
MUST_CHECK enum err ledger_open(struct store *s, unsigned nodes_from,
				struct ledger **ret, struct err_text *error);
void ledger_free(struct ledger *l);

/* ---- writer: between store_begin(write) and ledger_commit/abort --------- */
void ledger_mark(struct ledger *l, struct ledger_mark *ret); /* as staged */
MUST_CHECK enum err ledger_record(struct store_txn *txn, struct ledger *l,
				  uint64_t index, struct record *ret);
/* Writes entries (ascending, distinct, ≤ DIFF_ENTRIES_MAX), grows to
 * leaf_count, journals what was there, returns the new root. For a batch call
 * it once a step; `mark` fields batch, inbox_through, block, time are taken
 * from next. ERR_INVALID: an index ≥ leaf_count. */
MUST_CHECK enum err ledger_apply(struct store_txn *txn, struct ledger *l,
				 enum ledger_change kind,
				 const struct ledger_mark *next,
				 const struct diff_entry *entries, size_t n,
				 struct hash32 *ret_root);
/* Old records and multiproof siblings of ascending indices in the staged
 * state lifted to leaf_count's depth: what a BadStep needs before applying.
 * siblings: at most n × 40 are appended. */
MUST_CHECK enum err
ledger_step_proof(struct store_txn *txn, struct ledger *l,
		  const uint64_t *indices, size_t n, uint64_t leaf_count,
		  struct record *ret_old, struct hash32 *ret_siblings,
		  size_t *ret_sibling_count, struct hash32 *ret_root_lifted);
/* Undoes changes, newest first, until the last batch applied is < batch (an
 * L1 rewind).  It is journalled as a change of its own at next's block, time
 * and block_hash (the other fields are ignored), so that a reorg can undo it.
 */
MUST_CHECK enum err ledger_undo_batch(struct store_txn *txn, struct ledger *l,
				      uint64_t batch,
				      const struct ledger_mark *next);
/* Undoes the changes of L1 blocks ≥ block (a reorg); nothing to undo is OK.
 * batch, root, block … of the mark become what they were. */
MUST_CHECK enum err ledger_undo_block(struct store_txn *txn, struct ledger *l,
				      uint64_t block);
/* Forgets how to undo changes of L1 blocks < block that are also older than
 * `time` (unix seconds), oldest first, LEDGER_PRUNE_MAX of them at a time. */
MUST_CHECK enum err ledger_prune(struct store_txn *txn, struct ledger *l,
				 uint64_t block, uint64_t time);
/* store_commit() and the swap, as one for readers. On failure nothing
 * changed in memory, and the process must stop as after store_commit(). */
MUST_CHECK enum err ledger_commit(struct ledger *l, struct store_txn *txn);
void ledger_abort(struct ledger *l, struct store_txn *txn);

/* ---- readers, any thread ------------------------------------------------ */
struct ledger_view; /* a snapshot; holds no lock while in use except a read
		     * lock on the nodes: keep it shorter than a request */
/* ERR_BUSY: a commit did not arrive in memory within a second. */
MUST_CHECK enum err ledger_view_begin(struct ledger *l,
				      struct ledger_view **ret);
void ledger_view_end(struct ledger_view *v);
void ledger_view_endp(struct ledger_view **v);
const struct ledger_mark *ledger_view_mark(const struct ledger_view *v);
/* ERR_NOT_FOUND: index ≥ leaf_count; both. */
MUST_CHECK enum err ledger_view_record(struct ledger_view *v, uint64_t index,
				       struct record *ret);
MUST_CHECK enum err ledger_view_proof(struct ledger_view *v, uint64_t index,
				      struct record *ret_record,
				      struct hash32 *ret_siblings,
				      unsigned *ret_depth);
/* Records of an aligned bucket (256; beyond leaf_count empty) and its
 * depth − 8 siblings. */
MUST_CHECK enum err ledger_view_bucket(struct ledger_view *v, uint64_t bucket,
				       struct record ret_records[BUCKET_LEAVES],
				       struct hash32 *ret_siblings,
				       unsigned *ret_siblings_count);
/* Indices > after (or ≥ 0 with after = UINT64_MAX) of an owner's leaves. */
MUST_CHECK enum err ledger_view_owner(struct ledger_view *v,
				      struct address owner, uint64_t after,
				      uint64_t *ret_indices, size_t max,
				      size_t *ret_count, bool *ret_more);
/* Sum of the balances of one asset, kept as changes are applied. */
MUST_CHECK enum err ledger_view_sum(struct ledger_view *v, struct address asset,
				    struct u256 *ret);

#endif
