/* What the files of l1/ share behind l1.h. */
#ifndef EGRESS_L1_L1_IMPL_H
#define EGRESS_L1_L1_IMPL_H

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
	/* what a quorum agreed on at the acted depth: providers' later claims
	 * are held against it */
	struct sightings agreed;
	struct accuse_queue records; /* of who was expelled */
	uint64_t chain_id;	     /* configured, or 0: not agreed yet */
	struct hash32 genesis;	     /* zero: not agreed yet */
	uint64_t head_at_ms;
	uint64_t dispute_at_ms; /* providers contradict each other since */
	struct l1_op *ops;
	/* hatch.c */
	struct identity identity;
	struct facts_guess guess;
};

/* view.c */
void view_init(struct l1 *l1, uint64_t now_ms);
/* Judges what polls brought. Returns when health may change by itself. */
uint64_t view_update(struct l1 *l1, uint64_t now_ms);
/* The voices that count, silent ones of weight 0; both of l1->n. */
void view_voices(struct l1 *l1, uint64_t now_ms, struct voice *latest,
		 struct voice *acted);

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
