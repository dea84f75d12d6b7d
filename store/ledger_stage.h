/* The steps of a change, shared by applying and undoing. */
#ifndef EGRESS_STORE_LEDGER_STAGE_H
#define EGRESS_STORE_LEDGER_STAGE_H

#include "store/ledger_inside.h"

/* Writes the entries (empty record: removes it), keeps owners and sums, and
 * appends what was there to journal (NULL: not). at: n indices, filled. */
MUST_CHECK enum err ledger_stage_entries(struct store_txn *txn,
					 struct ledger *l,
					 const struct diff_entry *entries,
					 size_t n, uint64_t *at,
					 struct buf *journal);
/* Rehashes above those ascending indices (at: room for n + 1; spoiled) and
 * sets staged.leaf_count and staged.root. */
MUST_CHECK enum err ledger_stage_nodes(struct store_txn *txn, struct ledger *l,
				       uint64_t *at, size_t n,
				       uint64_t leaf_count);
MUST_CHECK enum err ledger_stage_journal(struct store_txn *txn,
					 struct ledger *l, uint64_t change,
					 const struct buf *b);

#endif
