/* The ballots this watcher knows: its own, its peers' and posted ones, of the
 * current epoch.  Durable, because a RESUME ballot lives for 30 days.
 *
 * One writer, the worker.  A change is made in memory and in txn together; if
 * the transaction cannot be committed the process ends. */
#ifndef EGRESS_WATCHER_POOL_H
#define EGRESS_WATCHER_POOL_H

#include "abi/ballot.h"
#include "l1/hatch.h"
#include "store/store.h"
#include "watcher/limits.h"

struct pool_ballot {
	struct hash32 digest;
	struct vote vote;
	struct signature signature;
	struct address signer;
};

struct pool {
	struct store_table table;
	size_t n;
	struct pool_ballot ballots[POOL_MAX]; /* by digest, then signer */
};

/* What a ballot is judged by; `known` false: facts were not read yet. */
struct pool_rules {
	bool known;
	uint64_t chain_id, epoch, progress, round;
	uint64_t now; /* L1's head, unix seconds */
	struct address hatch;
	size_t n_guardians;
	struct address guardians[HATCH_KEYS_MAX];
	struct hatch_thresholds thresholds;
};

struct pool_rules pool_rules_of(uint64_t chain_id, uint64_t now,
				const struct hatch_facts *facts);

/* Why a bundle is not taken: one of the codes of formats.md ERROR and the
 * field; code NULL: it is. */
struct pool_refusal {
	const char *code, *field;
	char message[160];
};
/* Pure, any thread.  Signers were recovered by whoever decoded it. */
struct pool_refusal pool_judge(const struct pool_rules *rules,
			       const struct bundle *b);

MUST_CHECK enum err pool_open(struct store_txn *txn, struct pool *ret);
/* Adds each signature of a judged bundle for which there is room (a signer has
 * BALLOTS_A_LIFE of a kind, the latest to expire). ret_new: how many. */
MUST_CHECK enum err pool_add(struct store_txn *txn, struct pool *pool,
			     const struct bundle *b, size_t *ret_new);
/* Why a judged bundle that was added is not held: a signer in it has no place
 * left. code NULL: it is. */
struct pool_refusal pool_left_out(const struct pool *pool,
				  const struct bundle *b);
bool pool_has(const struct pool *pool, const struct hash32 *digest,
	      struct address signer);
/* Drops what can never count again. ret_gone: how many. */
MUST_CHECK enum err pool_prune(struct store_txn *txn, struct pool *pool,
			       const struct pool_rules *rules,
			       size_t *ret_gone);
/* Something would be dropped: only then a transaction is worth it. */
bool pool_stale(const struct pool *pool, const struct pool_rules *rules);
/* The bundle that starts at ballots[*at], all of one digest; moves *at on.
 * false: no more. */
bool pool_next(const struct pool *pool, size_t *at, struct bundle *ret);
uint8_t pool_needed(const struct hatch_thresholds *t, enum vote_action action);
/* {"ballots":[…]} */
void pool_json(const struct pool *pool, struct buf *to);

#endif
