/* The L1 blocks whose effects are committed, newest last, and the ledger's
 * origin.  Keeps the last CHAIN_KEEP of them for finding a common ancestor.
 * Between two of them may be blocks that left nothing (chain_jump). */
#ifndef EGRESS_STORE_CHAIN_H
#define EGRESS_STORE_CHAIN_H

#include "abi/block.h"
#include "store/store.h"

#define CHAIN_KEEP 1024

struct chain {
	struct store_table blocks;
};

MUST_CHECK enum err chain_open(struct store_txn *txn, struct chain *ret);
/* ERR_NOT_FOUND: nothing followed yet. */
MUST_CHECK enum err chain_tip(struct store_txn *txn, const struct chain *c,
			      struct block_ref *ret);
MUST_CHECK enum err chain_at(struct store_txn *txn, const struct chain *c,
			     uint64_t number, struct block_ref *ret);
/* Appends next.  ERR_REORG if next->parent is not the tip (any block is
 * taken as the first). */
MUST_CHECK enum err chain_push(struct store_txn *txn, const struct chain *c,
			       const struct block_ref *next);
/* The same over blocks that left nothing.  ERR_REORG if next is not above the
 * tip, or is right above it with another parent. */
MUST_CHECK enum err chain_jump(struct store_txn *txn, const struct chain *c,
			       const struct block_ref *next);
/* The one kept longest.  ERR_NOT_FOUND: empty. */
MUST_CHECK enum err chain_oldest(struct store_txn *txn, const struct chain *c,
				 struct block_ref *ret);
/* How many are kept from that number on. */
MUST_CHECK enum err chain_count_from(struct store_txn *txn,
				     const struct chain *c, uint64_t number,
				     size_t *ret);
/* Removes the tip. ERR_NOT_FOUND: empty. */
MUST_CHECK enum err chain_pop(struct store_txn *txn, const struct chain *c);

#endif
