/* A simulated L1 endpoint: what it answers to a JSON-RPC batch, truly or by
 * one of the lies. */
#ifndef EGRESS_SIM_PROVIDER_H
#define EGRESS_SIM_PROVIDER_H

#include "tests/sim/mempool.h"

enum sim_lie {
	LIE_NONE,
	LIE_OLDER_HEAD,	  /* its head stands ten blocks behind */
	LIE_NEWER_HEAD,	  /* blocks above the head that nobody mined */
	LIE_OTHER_HASH,	  /* blocks like the true ones, of another hash than
			   * their headers have */
	LIE_OWN_CHAIN,	  /* the same with headers that fit */
	LIE_STALL_FORK,	  /* a chain of its own in which nobody commits */
	LIE_LATER_TIME,	  /* the right hash, a later timestamp */
	LIE_EARLIER_TIME, /* the right hash, an earlier timestamp */
	LIE_OTHER_PARENT, /* the right hash, another parent */
	LIE_NO_BLOOM,	  /* the right hash, an empty bloom */
	LIE_OLD_STATE,	  /* storage of twenty blocks ago */
	LIE_LAST_COMMIT_LONG_AGO,
	LIE_LAST_COMMIT_NOW,
	LIE_RANDOM_WORDS,
	LIE_OTHER_STANDBYS, /* lists in another order */
	LIE_NO_LOGS,
	LIE_INVENTED_LOGS, /* a standby promoted that was not */
	LIE_OTHER_INPUT,   /* of a batch's transaction */
	LIE_NULLS,
	LIE_ERRORS,
	LIE_CUT_JSON,
	LIE_SWAPPED_ANSWERS,
	LIE_OTHER_CHAIN,
	LIE_STALE_FINALIZED, /* thirty blocks behind */
	LIE_EAGER_FINALIZED, /* its head */
	LIE_RATE_LIMIT,
	LIE_EMPTY_WORDS,  /* zero in every slot: no contract there */
	LIE_FORGED_PROOF, /* a byte of a storage proof is another */
	LIE_CUT_PROOF,	  /* the last node of each is missing */
	LIE_PROOF_OF_OTHER_BLOCK,
	LIE_PROOF_OF_OTHER_ACCOUNT,
	LIE_PROOF_OF_OTHER_SLOT,
	LIE_OTHER_RECEIPTS, /* of a block before */
	LIE_LOG_CHANGED,    /* a bit in it */
	LIE_OTHER_CODE,
	LIE_OTHER_NONCE,
};
#define SIM_LIES (LIE_OTHER_NONCE + 1)

extern const char *const sim_lie_names[SIM_LIES];

struct sim_provider {
	uint64_t lag_ms; /* it hears of blocks so much later */
	enum sim_lie lie;
	bool played;	     /* since it was chosen */
	uint64_t lie_number; /* the block its lie begins at */
	bool down;
	bool lacks_proofs, lacks_receipts,
		lacks_tags; /* the methods, finalized */
	/* receipts of transactions that were not sent through it */
	bool lacks_others;
	uint64_t slow_ms; /* added to every answer */
	/* what its chain has for a mined block, or 0: nothing yet */
	unsigned forged[SIM_BLOCKS];
};

void provider_lie(struct sim_provider *p, enum sim_lie lie,
		  uint64_t from_number);

/* A broadcast that no relayer may make: why. Set by provider_answer(). */
extern const char *provider_bad_send;

/* Answers one batch; to holds the body.  now_ms: of the answer. */
void provider_answer(struct sim_chain *c, struct sim_provider *p,
		     struct sim_mempool *pool, uint64_t now_ms,
		     struct slice body, struct buf *to);

#endif
