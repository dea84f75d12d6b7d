/* What quorum.c sends and vote.c counts: one ask in flight. */
#ifndef EGRESS_L1_ASK_H
#define EGRESS_L1_ASK_H

#include "l1/provider.h"
#include "l1/quorum.h"
#include "l1/rpc.h"

enum slot_state {
	SLOT_IDLE,  /* not asked: not its turn, or not known well enough yet */
	SLOT_WAITS, /* for its rate */
	SLOT_SENT,
	SLOT_ANSWERED,
	SLOT_FAILED,
};

struct slot {
	struct ask *ask;
	struct provider *provider;
	enum slot_state state;
	struct rpc_reply reply;
	bool reached;	     /* SLOT_FAILED: it may have taken the request */
	bool judged;	     /* held against what was settled, or verified */
	enum proved proved;  /* QUORUM_PROVED, when judged */
	struct err_text why; /* unless PROVED */
};

struct settled {
	bool yes;
	enum err err;
	/* NULL: ERR_IO, ERR_CONFLICT, reverts that differ */
	const struct rpc_answer *answer;
};

struct ask {
	struct ask *next;
	struct quorum *q;
	enum quorum_rule rule;
	uint64_t deadline_ms, hedge_ms;
	quorum_verify *verify; /* QUORUM_PROVED */
	const char *lacks;
	const struct provider *only; /* QUORUM_PROVED; NULL: everybody */
	quorum_done *done;
	void *ctx;
	bool over; /* called back, or cancelled */
	size_t n;
	struct rpc_call *calls; /* params empty: they are in body */
	struct settled *settled;
	struct buf body;
	size_t reply_max;
	size_t n_slots;
	struct slot slots[QUORUM_PROVIDERS_MAX];
};

struct quorum {
	struct provider *providers;
	size_t n;
	uint64_t weight;   /* that must agree */
	struct ask *first; /* the newest */
	size_t n_asks, n_over;
};

/* ---- vote.c ---------------------------------------------------------- */

/* Settles the calls that can be settled; true: all are. */
bool ask_settle(struct ask *a, uint64_t now_ms);
/* An answer that counts, not a node that cannot tell. */
bool ask_is_vote(const struct ask *a, size_t call,
		 const struct rpc_answer *answer);
bool ask_same_answer(const struct ask *a, size_t call,
		     const struct rpc_answer *x, const struct rpc_answer *y);
/* QUORUM_LOW or QUORUM_HIGH. */
bool ask_is_median(const struct ask *a);
/* What a slot says of a call; NULL: nothing that counts. */
const struct rpc_answer *ask_vote(const struct ask *a, size_t slot, size_t call,
				  uint64_t now_ms);

/* ---- ask_accuse.c ---------------------------------------------------- */

/* A slot's vote on a call is not what was settled; hollow: it only lacks what
 * that has, and often in a row that is a lie. */
void ask_accuse_answer(struct ask *a, size_t slot, size_t call, bool hollow,
		       uint64_t now_ms);
/* What s says is PROVED_FALSE, and good has proved what is so. */
void ask_accuse_proof(struct ask *a, struct slot *s, const struct slot *good,
		      uint64_t now_ms);

#endif
