/* The hatch's and the rollup's facts at one block, by its hash: code and
 * storage proved by eth_getProof against the header's stateRoot (EIP-1186),
 * else under quorum. */
#ifndef EGRESS_L1_HATCH_H
#define EGRESS_L1_HATCH_H

#include "abi/typed.h"
#include "l1/l1.h"

#define HATCH_KEYS_MAX 32 /* MAX_KEYS */
#define HATCH_WHY_MAX  256

struct hatch_terms { /* seconds */
	uint32_t sla_window, failover_window, inclusion_window, hard_deadline,
		notice, finality, round;
};
struct hatch_thresholds {
	uint8_t promote, open, resume, amend;
};

enum rollup_state { ROLLUP_RUNNING = 0, ROLLUP_OPEN = 1, ROLLUP_SETTLING = 2 };

struct hatch_facts {
	struct block_ref block; /* what all this is as of */
	/* Every word by a storage proof against the block's hash, of accounts
	 * whose proved code is ours; false: a quorum's word, for nobody could
	 * prove it. */
	bool proved;
	struct address hatch, rollup;
	/* hatch */
	uint64_t epoch, promoted_at, opened_at, enact_from;
	struct hatch_terms terms;
	struct hatch_thresholds thresholds;
	struct hash32 pending; /* amendment, zero: none */
	size_t n_guardians, n_standbys;
	struct address guardians[HATCH_KEYS_MAX], standbys[HATCH_KEYS_MAX];
	/* rollup */
	struct hash32 root;
	uint64_t count, last_at, leaf_count, inbox_through;
	struct address sequencer;
	enum rollup_state state;
	uint64_t openings, dirty; /* dirty: buckets with exited bits */
	uint64_t withdraw_head, withdraw_tail, inbox_tail;
	uint64_t overdue; /* due time of the oldest unserved request, 0: none
			   * overdue at block.time */
	struct u256 bond; /* slaBond, wei */
};

typedef void hatch_done(void *ctx, enum err err, const char *why,
			const struct hatch_facts *facts);

/* First, and whenever their proved code is another than before, the contracts
 * are looked at: the code of each must be what this release compiles, and
 * names the others.  err: ERR_INVALID (no code there, or other code: why says
 * where, and its hash), ERR_IO, ERR_CONFLICT.
 * facts are NULL unless OK. ERR_BUSY: too many asks. */
MUST_CHECK enum err hatch_read(struct l1 *l1, struct address hatch,
			       const struct block_ref *at, hatch_done *done,
			       void *ctx);

void hatch_cancel(struct l1 *l1, void *ctx); /* l1_cancel() */

#endif
