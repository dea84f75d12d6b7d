/* L1 as it is: the providers, what they agree on, how healthy they are.
 *
 * Nobody else talks JSON-RPC.  l1_turn() never blocks; whoever needs an
 * answer in one place (the CLI) uses l1_wait(). */
#ifndef EGRESS_L1_L1_H
#define EGRESS_L1_L1_H

#include "abi/block.h"
#include "http/client.h"
#include "l1/fault.h"
#include "l1/quorum.h"
#include "sys/settings.h"

struct l1;

struct l1_provider_view {
	const char *name;
	/* "good" "slow" "down" "lying" "wrong_chain"; "new": not asked yet;
	 * "forked": shows another block where the one acted on is */
	const char *state;
	char why[160];	/* "" when good */
	char lacks[96]; /* methods and tags: "eth_getProof, finalized"; or "" */
	uint64_t head;	/* its latest, 0: unknown */
	uint64_t latency_ms;
	bool lying; /* expelled, now */
	/* Its last expulsion: unix seconds of this machine, 0: never; L1's time
	 * then; the kind of lie (abi/lie), and where the evidence is, 0: not
	 * kept. */
	uint64_t expelled_at, expelled_until, expelled_l1_time;
	const char *expelled_for;
	uint64_t evidence;
	uint64_t faults[FAULT_KINDS]; /* since the start (l1/fault) */
	uint64_t expulsions;
	bool heard;  /* it told its head a moment ago */
	bool agrees; /* shows the block acted on, by its newest answers */
};

struct l1_view {
	bool healthy;  /* quorum agrees on the block acted on, and it moves */
	char why[200]; /* "" when healthy */
	/* What a quorum agrees on; hash zero: nothing (yet), as safe and
	 * finalized where the chain has no such tag.  Decisions rest on acted:
	 * the others are for early warning. */
	struct block_ref head, safe, finalized, acted;
	char depth[32];	     /* of acted: "finalized", "12 confirmations" */
	char depth_why[160]; /* why that deep */
	/* How the facts of the contracts are known: "proved", or "by quorum: "
	 * and why nobody proves them; "" before the first. */
	char proofs[200];
	/* The same of the headers: "proved", or "by quorum: block 9 has a field
	 * fooRoot …". */
	char headers[200];
	/* This machine's clock against the head's timestamp when they differ by
	 * more than delay explains; "" when they do not.  Nothing rests on it.
	 */
	char clock[160];
	uint64_t unix_s;	/* by this machine's clock, at this view */
	uint64_t base_fee;	/* wei a gas of head; 0 where there is none */
	uint64_t seen_at_ms;	/* clock_mono_ms when acted last moved */
	uint64_t agree, quorum; /* weight that agrees on acted now; needed */
	size_t n;
	struct l1_provider_view providers[QUORUM_PROVIDERS_MAX];
};

/* Checks nothing yet: chain id and genesis are pinned in the first turns.
 * ERR_IO: a headers_file that cannot be read. Borrows settings and http. */
MUST_CHECK enum err l1_new(const struct settings *settings,
			   struct http_client *http, struct l1 **ret,
			   struct err_text *error);
void l1_free(struct l1 *l1);
/* Polls at settings.poll, turns the HTTP client, calls back. Returns the
 * clock_mono_ms() of its next deadline. */
uint64_t l1_turn(struct l1 *l1, uint64_t now_mono_ms);
const struct l1_view *l1_view(const struct l1 *l1);
struct quorum *l1_quorum(struct l1 *l1);
/* Never again usable enough: so many providers serve another chain that no
 * quorum is left.  Why, and what to change, in ret_why. */
bool l1_is_hopeless(const struct l1 *l1, struct err_text *ret_why);
/* slaWindow of the hatch's terms, for act_on: auto; 0: not known. */
void l1_set_sla(struct l1 *l1, uint64_t seconds);
/* Forgets every read (hatch, calls, account, broadcast) started with ctx. */
void l1_cancel(struct l1 *l1, void *ctx);
/* Why a provider was expelled (abi/lie): the oldest that was not taken yet, of
 * at most L1_RECORDS_MAX.  bytes: the caller's; provider: its place in the
 * view. false: there is none. */
bool l1_evidence_take(struct l1 *l1, struct buf *ret_bytes,
		      size_t *ret_provider);
bool l1_evidence_waits(const struct l1 *l1);
/* It is kept under this number, which the view shows with the provider, or
 * there was no room for it: 0. */
void l1_evidence_kept(struct l1 *l1, size_t provider, uint64_t id);
/* What is to be told of a provider, once: it was expelled (and the evidence
 * taken), or it is used again. */
enum l1_news { L1_NEWS_NONE, L1_NEWS_EXPELLED, L1_NEWS_BACK };
enum l1_news l1_news_take(struct l1 *l1, size_t provider);
/* Puts the object "l1" of the daemons' status.  follow_proofs: how the blocks'
 * contents are known (follow_proofs()), or "" for who follows none. */
void l1_view_json(const struct l1_view *view, const char *follow_proofs,
		  struct json_writer *w);
/* settings.chain.id; when that is 0, what a quorum of providers says, and 0
 * until it has. */
uint64_t l1_chain_id(const struct l1 *l1);

/* Turns and waits until *done, or until timeout_ms. ERR_IO: time ran out.
 * For programs without a loop of their own. */
MUST_CHECK enum err l1_wait(struct l1 *l1, const bool *done,
			    uint64_t timeout_ms);
/* Until every provider has answered once, or failed to. */
void l1_wait_answers(struct l1 *l1, uint64_t timeout_ms);
/* Block 0's hash; zero: not agreed on yet. */
struct hash32 l1_genesis(const struct l1 *l1);
/* l1_wait until healthy. Why not in error. */
MUST_CHECK enum err l1_wait_healthy(struct l1 *l1, uint64_t timeout_ms,
				    struct err_text *error);

#endif
