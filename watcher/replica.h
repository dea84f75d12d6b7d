/* This watcher's own copy of the ledger, rebuilt from L1 data alone: batches
 * from calldata, and what L1 itself changed.  Every root is checked.
 *
 * A batch that does not give its root is proven bad; one that cannot be
 * understood stops the ledger at the last good root, which is still served.
 * A damaged store is fatal here: nothing follows from half a ledger. */
#ifndef EGRESS_WATCHER_REPLICA_H
#define EGRESS_WATCHER_REPLICA_H

#include "l1/follow.h"
#include "store/chain.h"
#include "store/ledger.h"
#include "watcher/history.h"

struct replica {
	struct store *store;
	struct ledger *ledger;
	struct chain chain;
	struct history history;
	struct store_table meta;
	struct address hatch;
	struct address rollup; /* zero: not known yet */
	uint64_t from;	       /* L1 block to start at */
	/* Seconds until a batch is final, which no amendment changes; 0: not
	 * known yet, and how to undo batches is kept for ever. */
	uint64_t finality;
	bool gap_said, fill_said;
	struct block_ref tip; /* hash zero: nothing followed, start there */
	/* Up to this block each is read itself: what is said of a range did not
	 * fit. */
	uint64_t by_block;
};

/* Opens (or creates) the tables and rebuilds the tree. */
MUST_CHECK enum err replica_open(struct store *store, unsigned nodes_from,
				 struct address hatch, uint64_t from,
				 struct replica *ret, struct err_text *error);
void replica_done(struct replica *r);
/* The rollup's address, once it is known; durable. ERR_CONFLICT: another one
 * than before, which an immutable hatch cannot have. */
MUST_CHECK enum err replica_set_rollup(struct replica *r,
				       struct address rollup);
/* One block forward or back, durable when it returns. What was learnt is in
 * history.stop.  false: what was read cannot be followed (STOP_UNVERIFIABLE, or
 * by a range's list any stop), and nothing changed: providers may have given us
 * less than there is, or more, so it is to be read again; `anyway`: it was, and
 * the ledger stops there. */
MUST_CHECK bool replica_forward(struct replica *r,
				const struct follow_step *step, bool anyway);
void replica_back(struct replica *r);
/* Goes back to the block kept before the tip, so that what is after it is read
 * again; false: none is kept, and nothing changed. */
MUST_CHECK bool replica_reread(struct replica *r);
/* How many kept blocks there are from the ledger's last change on: what does
 * not fit it now was missed in them, or after. */
size_t replica_since_change(struct replica *r);
/* Ends the process: what could not be committed, and what to do about it. */
_Noreturn void replica_fatal(const char *what, enum err err);
/* At start: a ledger that stopped without a proof goes back to before that. */
void replica_retry(struct replica *r);
/* What follow_new() needs. */
struct follow_config replica_follow_config(const struct replica *r);

/* ---- between replica.c and replay.c ---- */

/* What a pass over a block's logs found; the pass is then given up and done
 * again with this known. */
struct finding {
	bool set;
	uint32_t log;
	struct stop stop;
};

struct replay {
	struct replica *r;
	struct store_txn *txn;
	const struct follow_step *step;
	const struct l1_log *log;
	struct history_at at;
	struct finding *finding; /* what this pass found, if it did */
};

/* One batch: checked against its hash, applied step by step, every root
 * compared. Whatever is wrong with it is in p->finding. */
struct sovereign_log;
MUST_CHECK enum err replay_batch(struct replay *p,
				 const struct sovereign_log *event);
/* What L1 itself changed: a forced withdrawal, exits written into the root,
 * batches dropped. */
MUST_CHECK enum err replay_executed(struct replay *p,
				    const struct sovereign_log *log);
MUST_CHECK enum err replay_settled(struct replay *p,
				   const struct sovereign_log *log);
MUST_CHECK enum err replay_rewound(struct replay *p,
				   const struct sovereign_log *log);
/* Fills the finding. */
void replay_stop(struct replay *p, enum stop_kind kind, uint64_t batch,
		 const char *format, ...) PRINTF_LIKE(4, 5);

#endif
