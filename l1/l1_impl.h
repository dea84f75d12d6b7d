/* What the files of l1/ share behind l1.h. */
#ifndef EGRESS_L1_L1_IMPL_H
#define EGRESS_L1_L1_IMPL_H

#include "l1/account.h"
#include "l1/facts.h"
#include "l1/l1.h"
#include "l1/poll.h"
#include "l1/provider.h"

/* A read under way; first member of what it really is. */
struct l1_op {
	struct l1_op *next;
	struct l1 *l1;
	void *ctx;			/* the caller's */
	void (*done)(struct l1_op *op); /* frees what it owns, not itself */
};

/* Contracts whose code was seen to be ours, and what it names. */
struct identity {
	struct address hatch, rollup;	       /* hatch zero: none yet */
	struct hash32 hatch_code, rollup_code; /* keccak256 of the code */
	uint64_t finality;		       /* seconds */
};

struct l1 {
	const struct settings *settings;
	struct http_client *http;
	size_t n;
	struct provider providers[QUORUM_PROVIDERS_MAX];
	struct poll polls[QUORUM_PROVIDERS_MAX];
	struct quorum *quorum;
	struct l1_view view;
	/* what a quorum agreed to be final: providers' later claims are held
	 * against it */
	struct sightings final;
	struct sightings acted;	     /* the blocks acted on, of one branch */
	struct rpc_block at[DEPTHS]; /* agreed on; hash zero: nothing yet */
	enum depth depth;	     /* to act on, from now on */
	enum depth acted_depth;	     /* of the block acted on */
	struct finality finality;
	struct accuse_queue records; /* of who was expelled */
	uint64_t sla_s;		     /* slaWindow; 0: not known yet */
	uint64_t chain_id;	     /* configured, or 0: not agreed yet */
	struct hash32 genesis;	     /* zero: not agreed yet */
	uint64_t head_at_ms;
	uint64_t split_at_ms; /* providers contradict each other since */
	struct l1_op *ops;
	/* hatch.c */
	struct identity identity;
	struct facts_guess guess;
	size_t singly; /* contents.c: blocks read receipt by receipt */
	struct {       /* tx_status.c: the last that were proved */
		size_t at;
		struct hash32 txs[L1_FATES_MAX];
		struct tx_status fates[L1_FATES_MAX];
	} fates;
};

/* view.c */
void view_init(struct l1 *l1, uint64_t now_ms);
/* Judges what polls brought. Returns when health may change by itself. */
uint64_t view_update(struct l1 *l1, uint64_t now_ms);
/* The voices that count at a depth, silent ones of weight 0; l1->n. */
void view_voices(const struct l1 *l1, uint64_t now_ms, enum depth depth,
		 struct voice *voices);
/* Pinned, and not lying: its word counts. */
bool view_counts(const struct provider *p, uint64_t now_ms);
/* The weight of those who can name a block of this depth, lying or not. */
uint64_t view_tellers(const struct l1 *l1, uint64_t now_ms, enum depth depth);

/* How a provider stands to the block acted on. */
enum stance {
	STANCE_SILENT,	  /* not heard for a while, or may not count */
	STANCE_LAGS,	  /* does not know it yet */
	STANCE_AGREES,	  /* shows it */
	STANCE_ELSEWHERE, /* shows another */
};
enum stance view_stance(const struct l1 *l1, size_t i, uint64_t now_ms);

/* What it shows in the place of a block that was acted on; false: nothing else.
 */
bool view_is_elsewhere(const struct l1 *l1, const struct provider *p,
		       struct hash32 *ret_acted);

/* view_blame.c */
void view_judge_chain(struct l1 *l1);
void view_judge_genesis(struct l1 *l1);
/* fresh[i]: it has just answered. */
void view_judge_liars(struct l1 *l1, const bool *fresh, uint64_t now_ms);
/* What it said is final against what a quorum agreed on; false: nothing. */
bool view_contradiction(const struct l1 *l1, const struct provider *p,
			struct block_ref *ret, struct hash32 *ret_says);

/* view_health.c: fills the view but for the blocks. */
void view_judge_health(struct l1 *l1, uint64_t now_ms);

/* view_accuse.c: p says that the agreed block's number is of the hash `says`,
 * or of that very hash with other contents; the kind tells which. */
void view_accuse(struct l1 *l1, struct provider *p, enum lie_kind kind,
		 const struct block_ref *agreed, struct hash32 says,
		 uint64_t now_ms);

/* size: of the whole, zeroed but for the op. */
void *l1_op_new(struct l1 *l1, size_t size, void *ctx,
		void (*done)(struct l1_op *op));
/* Over: unlinks and frees. */
void l1_op_end(struct l1_op *op);

#endif
