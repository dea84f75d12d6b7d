/* The simulated L1: blocks in a tree, the contracts' state after each, and
 * the rules of EscapeHatch and SovereignRollup as far as a stall goes:
 * commit, promote, open, openAfterDeadline. */
#ifndef EGRESS_SIM_CHAIN_H
#define EGRESS_SIM_CHAIN_H

#include "abi/ballot.h"
#include "abi/header.h"
#include "abi/raw_tx.h"
#include "abi/merkle.h"
#include "l1/hatch.h"
#include "tests/sim/rng.h"

#define SIM_CHAIN_ID   UINT64_C(31337)
#define SIM_GUARDIANS  5
#define SIM_SEQUENCERS 4 /* the first is active at the start */
#define SIM_RELAYERS   2
/* L1 accounts: the relayers, the sequencers, and whoever else sends. */
#define SIM_CARRIER   (SIM_RELAYERS + SIM_SEQUENCERS)
#define SIM_ACCOUNTS  (SIM_CARRIER + 1)
#define SIM_TX_GAS    50000 /* what each transaction takes */
#define SIM_TIP	      1	    /* wei */
#define SIM_LEAVES    48
#define SIM_TXS	      8 /* in one block, one log each at most */
#define SIM_BLOCKS    4096
#define SIM_BASE_FEE  7 /* wei */
#define SIM_GENESIS_S UINT64_C(1800000000)

struct sim_state { /* the contracts' storage after a block */
	uint64_t epoch, promoted_at, opened_at;
	uint64_t count, last_at, leaf_count;
	struct hash32 root;
	unsigned active; /* sequencer */
	unsigned n_standbys, standbys[SIM_SEQUENCERS];
	uint64_t promoted_for[SIM_SEQUENCERS];
	enum rollup_state state;
	uint64_t openings;
	uint64_t nonces[SIM_ACCOUNTS];
	struct record leaves[SIM_LEAVES];
};

enum sim_contract { SIM_HATCH, SIM_ROLLUP, SIM_JUDGE };
#define SIM_CONTRACTS 2 /* with storage */
#define SIM_CODES     3

struct sim_tx { /* and its receipt */
	struct hash32 hash;
	struct address from, to;
	struct buf raw; /* EIP-2718 */
	bool reverted, has_log;
	struct address emitter;
	size_t n_topics;
	struct hash32 topics[4];
	struct buf data;
};

struct sim_tries;
struct sim_storage;

struct sim_block {
	struct block_ref ref;
	struct header header;
	unsigned parent; /* its place in blocks */
	/* NULL, or whose invention it is: nobody mined it */
	const void *forger;
	struct sim_state state;
	const struct sim_tries *tries; /* of state */
	size_t n_txs;
	struct sim_tx *txs[SIM_TXS]; /* its own, but a forger's */
	struct buf text;	     /* providers' own: as they tell it */
};

struct sim_head { /* the canonical head since a moment */
	uint64_t at_ms;
	unsigned block;
};

struct sim_chain {
	struct hatch_terms terms;
	struct hatch_thresholds thresholds;
	size_t n_guardians;
	struct address hatch, rollup, judge;
	struct buf codes[SIM_CODES]; /* deployed bytes, once asked for */
	struct hash32 code_hashes[SIM_CODES];
	struct address guardians[SIM_GUARDIANS], sequencers[SIM_SEQUENCERS];
	struct address relayers[SIM_RELAYERS], accounts[SIM_ACCOUNTS];
	uint64_t depth; /* of finalized, or confirmations */
	bool by_confirmations;
	uint64_t seed, salt;	 /* salt: of block hashes, branches differ */
	struct sim_tries *tries; /* all there are */
	struct sim_storage *storages;
	unsigned n;
	struct sim_block *blocks[SIM_BLOCKS];
	uint64_t firsts[SIM_BLOCKS]; /* eight bytes of each hash */
	unsigned n_heads;
	struct sim_head heads[SIM_BLOCKS];
};

/* A transaction that waits for a block. */
enum sim_call { CALL_COMMIT, CALL_PROMOTE, CALL_OPEN, CALL_OPEN_DEADLINE };
struct sim_want {
	enum sim_call call;
	unsigned sequencer; /* CALL_COMMIT: who; PROMOTE: whom */
	unsigned writes;    /* COMMIT: leaves it changes or adds */
	struct bundle bundle;
	/* a relayer's signed transaction */
	bool is_raw, idle; /* idle: does nothing */
	unsigned relayer;
	uint64_t nonce;
	struct slice raw; /* borrowed */
};

/* Guardians ascend; they, the accounts, terms, thresholds, depth are set by the
 * caller. */
void chain_init(struct sim_chain *c, unsigned n_standbys);
void chain_done(struct sim_chain *c);
/* Why the contracts would refuse it now, or NULL. */
const char *chain_try(struct sim_chain *c, unsigned head,
		      const struct sim_want *want);
/* One block on `parent`; wants that the contracts refuse leave no trace.
 * refused[i]: why, or NULL.  Returns its place. */
unsigned chain_mine(struct sim_chain *c, unsigned parent, uint64_t time,
		    const struct sim_want *wants, size_t n, struct rng *rng,
		    const char **refused);

struct sim_forgery {
	const void *by;
	unsigned like; /* the block whose time it has */
	bool empty;    /* no transactions, and the state of its parent */
	uint64_t later_s;
	bool unhashed; /* its hash is not its header's */
};
/* A block that one liar tells of, on `parent`; for the rest a block. */
unsigned chain_forge(struct sim_chain *c, unsigned parent,
		     const struct sim_forgery *what);
void chain_set_head(struct sim_chain *c, unsigned block, uint64_t at_ms);
/* ---- body.c: what a block's roots stand for ---- */

/* Account a's key is the number SIM_KEY_FIRST + a. */
#define SIM_KEY_FIRST (SIM_GUARDIANS + 1)
/* An empty transaction at the block's end. */
struct sim_tx *body_new(struct sim_block *b);
void body_free(struct sim_tx *tx);
/* Its bytes, signed by the account, whose nonce is spent. */
void body_sign(const struct sim_chain *c, struct sim_block *b,
	       struct sim_tx *tx, unsigned account, struct slice input);
/* Bloom, gas and the roots of transactions and receipts, into the header. */
void body_seal(struct sim_block *b);

/* The head as somebody sees it who is behind by so much. */
unsigned chain_head_at(const struct sim_chain *c, uint64_t at_ms);
/* The ancestor of `block` with that number, or of the genesis. */
unsigned chain_ancestor(const struct sim_chain *c, unsigned block,
			uint64_t number);
/* The block acted on by whoever sees that head. */
unsigned chain_acted(const struct sim_chain *c, unsigned head);
/* −1: no such block was ever mined, or forged. */
int chain_find(const struct sim_chain *c, struct hash32 hash);
bool chain_on_branch(const struct sim_chain *c, unsigned block, unsigned head);
/* EscapeHatch._facts() */
bool chain_late(const struct sim_chain *c, const struct sim_state *s,
		uint64_t now);
bool chain_in_failover(const struct sim_chain *c, const struct sim_state *s,
		       uint64_t now);

#endif
