/* The L1 blocks whose effects are committed, newest last, and the ledger's
 * origin.  Keeps the last CHAIN_KEEP of them for finding a common ancestor. */
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
/* Removes the tip. ERR_NOT_FOUND: empty. */
MUST_CHECK enum err chain_pop(struct store_txn *txn, const struct chain *c);

#endif
