/* A task: one act on L1 that somebody here wants done, and what became of the
 * transaction that does it. */
#ifndef EGRESS_RELAYER_TASK_H
#define EGRESS_RELAYER_TASK_H

#include "abi/ask.h"
#include "abi/buf.h"
#include "abi/u256.h"

struct task {
	struct hash32 key; /* the same key is never in flight twice */
	enum ask_purpose purpose;
	struct address to;
	struct u256 value;
	struct buf data;  /* owned */
	uint64_t gas;	  /* 0: estimated first, which also tells whether it
			   * would pass */
	uint64_t margin;  /* gas on top of an estimate, if there is room */
	unsigned urgency; /* 0 … FEE_URGENT, at least this */
	uint64_t accepted_at, deadline; /* unix s; 0, 0: no deadline */
};

/* A key from a name and up to three numbers or hashes. */
struct hash32 task_key(const char *name, uint64_t a, uint64_t b,
		       struct hash32 c);

enum task_event {
	TASK_REFUSED,  /* would fail now: why has the revert's name */
	TASK_UNSIGNED, /* the signer said no: why */
	TASK_SIGNED,   /* stored in this turn's transaction */
	TASK_SENT,     /* a node took it */
	TASK_MINED,    /* in a block, not final; `reverted` says how */
	TASK_BACK,     /* the block is gone: waiting again */
	TASK_FINAL,    /* in a final block; `reverted` says how */
	TASK_LOST,     /* its nonce was used by something else */
	TASK_DROPPED,  /* never sent, and nobody tries any more: why */
};
const char *task_event_name(enum task_event event);

struct task_news {
	struct hash32 key;
	enum ask_purpose purpose;
	enum task_event event;
	uint64_t nonce;
	struct hash32 tx; /* the newest, or the one that was mined */
	uint64_t block;
	struct hash32 block_hash;
	bool reverted;
	/* REFUSED: L1 has not said no.  Nobody answered, or the base fee is
	 * too high for so much gas: it says nothing against the task. */
	bool for_now;
	const char *why; /* "" when there is nothing to say */
};

/* Called from submit_write(), inside the turn's transaction. */
struct turn;
typedef enum err submit_news(void *ctx, struct turn *t,
			     const struct task_news *news);

#endif
