/* Transactions on their way: a fixed set of places, since callbacks of L1 and
 * the signer hold their addresses.  submit.c moves them forward, track.c
 * watches what became of them; nobody else looks inside. */
#ifndef EGRESS_RELAYER_FLIGHT_H
#define EGRESS_RELAYER_FLIGHT_H

#include "l1/account.h"
#include "relayer/config.h"
#include "relayer/fee.h"
#include "relayer/limits.h"
#include "relayer/nonce.h"
#include "relayer/submit.h"
#include "relayer/task.h"
#include "relayer/turn.h"
#include "sys/signer_client.h"

enum flight_stage {
	FLIGHT_FREE,
	FLIGHT_WANTED,	/* to be estimated */
	FLIGHT_REFUSED, /* the estimate or the signer said no: news, then free
			 */
	FLIGHT_READY,	/* to be signed */
	FLIGHT_SIGNING, /* the signer has it */
	FLIGHT_SIGNED,	/* answered; stored and committed before it is sent */
	FLIGHT_SENT,	/* broadcast, and again until it is in a block */
	FLIGHT_MINED,	/* in a block that is not final yet */
};

struct flight {
	struct submit *owner;
	enum flight_stage stage;
	struct task task;
	uint64_t seq;	   /* in which order they were wanted */
	uint64_t since_ms; /* clock_mono_ms when it was wanted */
	uint64_t gas;
	struct fee fee;
	uint64_t nonce;	 /* from FLIGHT_SIGNING on */
	struct buf raw;	 /* signed bytes */
	size_t n_hashes; /* versions of this nonce, newest last */
	struct hash32 hashes[FLIGHT_HASHES_MAX];
	uint64_t sent_ms;    /* clock_mono_ms of the last broadcast; 0: never */
	uint64_t first_head; /* head when its nonce became the next; 0 */
	uint64_t passed_at;  /* head when its nonce was first seen used; 0 */
	bool accepted, told_sent;
	unsigned rejected; /* by every node that answered, in a row */
	bool maybe_held;   /* some node may have some version of it */
	bool raise;	   /* a node wants a higher fee */
	struct u256 cost;  /* the most it can cost */
	unsigned failures; /* estimates that nobody answered */
	/* Answers under way; the place is not reused before they came. */
	unsigned asking;
	bool sending;
	/* a replacement: same nonce, same call, other fees */
	enum { REPLACE_NONE, REPLACE_ASKED, REPLACE_SIGNED } replace;
	struct fee next_fee;
	uint64_t replace_ms; /* not before: the signer said no */
	/* FLIGHT_SIGNING and REPLACE_ASKED end with this */
	struct signature signature;
	/* fate: asked for, come back, and as last taken up */
	bool status_asked, has_status;
	size_t status_version;
	uint64_t status_key;   /* the head it was asked at */
	uint64_t status_acted; /* … and the block acted on */
	struct tx_status status;
	size_t mined_version;
	struct tx_status mined;
	bool refused_by_signer;
	bool for_now; /* FLIGHT_REFUSED: not by L1, as task_news says */
	char why[160];
};

struct refusal { /* do not ask again for the same thing at once */
	struct hash32 key, data; /* data: keccak256 of the call data */
	unsigned times;
	uint64_t until_ms;
};

struct submit {
	struct l1 *l1;
	struct signer_client *signer;
	const struct relayer_config *config;
	const struct nonces *nonces;
	struct fee_policy policy;
	submit_news *news;
	void *news_ctx;
	uint64_t seq;
	struct flight flights[FLIGHTS_ALL];
	struct refusal refusals[REFUSALS_MAX];
	size_t next_refusal;
	bool signing; /* one at a time: nonces stay in order */
	/* the account, at latest */
	bool account_known, account_asked;
	uint64_t account_ms, account_head;
	struct account_state account;
	char account_why[160];
	uint64_t final_below;	/* nonces below are final and forgotten */
	char held[96];		/* why nothing is signed now, "" */
	char barred[96];	/* the signer takes nothing from us: why */
	struct block_ref acted; /* facts rest on it; 0: none yet */
};

struct flight *flight_find(struct submit *s, struct hash32 key);
struct flight *flight_place(struct submit *s); /* NULL: all are taken */
/* A place is left for a task of this kind: not all are for everybody. */
bool flight_may_start(const struct submit *s, const struct task *task);
void flight_free(struct flight *f);
void flight_set_stage(struct flight *f, enum flight_stage stage);
/* The newest version's. */
const struct hash32 *flight_hash(const struct flight *f);
void flight_add_hash(struct flight *f, struct hash32 hash);
struct task_news flight_news(const struct flight *f, enum task_event event);
/* Its nonce is taken: reserved, or stored. */
bool flight_has_nonce(const struct flight *f);

/* What it brings along at these fees: enough for whatever block may take it at
 * this price. */
struct u256 flight_value(const struct flight *f, const struct fee *fee);
/* The most it can cost at these fees; false: more than there is. */
bool flight_cost(const struct flight *f, const struct fee *fee,
		 struct u256 *ret);

/* The transaction as it stands, at these fees; data is borrowed. */
struct tx submit_tx(const struct submit *s, const struct flight *f,
		    const struct fee *fee);

/* afford.c: "" or which limit of the config it would break at f->cost. */
MUST_CHECK enum err afford_check(const struct submit *s, struct turn *t,
				 const struct flight *f, const char **ret_why);
/* No node takes a transaction whose fees could be over TX_FEE_MAX: a lower
 * price where that still enters a block; false: it is too large for one. */
bool afford_cap(const struct submit *s, uint64_t gas, struct fee *fee);

/* track.c: reads fates; writes what follows from them. */
void track_start(struct submit *s, const struct turn *t);
MUST_CHECK enum err track_write(struct submit *s, struct turn *t,
				struct flight *f);

#endif
