/* What the events of followed blocks taught that no view on L1 tells: where
 * the ledger had to stop, which standbys were promoted, the epoch.
 *
 * Kept by L1 block, so that undoing a block is a range delete. */
#ifndef EGRESS_WATCHER_HISTORY_H
#define EGRESS_WATCHER_HISTORY_H

#include "store/store.h"

enum stop_kind { /* on disk: append only */
		 STOP_NONE = 0,
		 STOP_BAD_BATCH =
			 1, /* proven: proof is openOnBadBatch's argument */
		 STOP_UNVERIFIABLE =
			 2, /* L1's root is not ours, and we cannot say why */
};

/* Why no more batches are applied. */
struct stop {
	enum stop_kind kind;
	uint64_t batch, step;
	uint64_t block, time; /* where it was found, and its unix seconds */
	char why[160];
	struct buf proof; /* owned; STOP_BAD_BATCH */
};

#define PROMOTIONS_MAX 64

struct promotion {
	struct address from, to;
	uint64_t progress;
	uint64_t block; /* where it happened; filled by history_promoted() */
};

/* What is decided at a block knows nothing of later ones. */
struct history_when {
	uint64_t progress; /* progress().count there */
	uint64_t block;
};

struct history {
	struct store_table table;
	struct stop stop;
	uint64_t epoch; /* of the last event that named one */
	bool gap;	/* an epoch was skipped: following began too late */
	/* Since the last commit that was seen, by vote and not by handOver. */
	size_t n_promotions;
	struct promotion promotions[PROMOTIONS_MAX];
};

/* Position of an event: block, then the log's number in our own order. */
struct history_at {
	uint64_t block;
	uint32_t log;
};

MUST_CHECK enum err history_open(struct store_txn *txn, struct history *ret);
void history_done(struct history *h);
/* Reads all of it again, after a transaction was given up. */
MUST_CHECK enum err history_reload(struct store_txn *txn, struct history *h);
/* The ledger stops, or (kind NONE) goes on. */
MUST_CHECK enum err history_stop(struct store_txn *txn, struct history *h,
				 struct history_at at, const struct stop *stop);
/* A Promoted event. handOver leaves the epoch as it was and is no promotion
 * that uses a standby up. */
MUST_CHECK enum err history_promoted(struct store_txn *txn, struct history *h,
				     struct history_at at, uint64_t epoch,
				     const struct promotion *promotion);
/* Any other event that names the epoch. */
MUST_CHECK enum err history_epoch(struct store_txn *txn, struct history *h,
				  struct history_at at, uint64_t epoch);
/* Forgets everything of blocks ≥ block. */
MUST_CHECK enum err history_undo(struct store_txn *txn, struct history *h,
				 uint64_t block);
/* That standby was promoted, that sequencer was replaced by one, when
 * progress().count was as given, in that block or before. */
bool history_was_promoted(const struct history *h, struct address standby,
			  struct history_when when);
bool history_was_replaced(const struct history *h, struct address sequencer,
			  struct history_when when);

#endif
