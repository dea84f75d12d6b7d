/* What ledger.c, ledger_stage.c and ledger_read.c share; nobody else includes
 * it.  ledger.c alone touches the lock. */
#ifndef EGRESS_STORE_LEDGER_INSIDE_H
#define EGRESS_STORE_LEDGER_INSIDE_H

#include <pthread.h>

#include "store/ledger.h"
#include "store/overlay.h"

struct ledger {
	struct store *store;
	struct store_table records; /* index → record; raw: the root checks */
	struct store_table owners;  /* owner(20) index(8) → nothing; raw */
	struct store_table journal; /* change → what it replaced */
	struct store_table sums;    /* asset(20) → sum of balances(32) */
	struct store_table state;   /* "mark" */
	pthread_rwlock_t lock;	    /* over tree and mark */
	struct tree tree;
	struct ledger_mark mark;
	/* the writer's, unseen by readers until ledger_commit() */
	struct ledger_mark staged;
	struct overlay overlay;
	bool is_staged;
	bool broken;   /* a change failed half-way: only abort is left */
	bool is_stale; /* committed, but no memory for the nodes: restart */
};

struct ledger_view {
	struct ledger *ledger;
	struct store_txn *txn;
};

/* n records from index first on; what is missing is empty. */
MUST_CHECK enum err ledger_read_block(struct store_txn *txn,
				      const struct ledger *l, uint64_t first,
				      size_t n, struct record *ret);
/* The root of 2^height records, height ≤ 8; n of them are given. */
struct hash32 ledger_block_root(const struct record *records, size_t n,
				unsigned height);

#endif
