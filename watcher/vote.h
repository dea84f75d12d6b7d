/* This guardian's choices: what is asked of the signer, when, and again.
 *
 * protocol.md: "Watchers sign one choice for E and for E + round."  "A signer
 * takes another choice of one (epoch, progress) only with expiry ≥ every
 * earlier one's expiry + 3·round."  A choice is durable before it is asked
 * for; the signer keeps its own ledger and has the last word. */
#ifndef EGRESS_WATCHER_VOTE_H
#define EGRESS_WATCHER_VOTE_H

#include "sys/signer_client.h"
#include "watcher/pool.h"
#include "watcher/verdict.h"

struct choice { /* one (action, subject) of the current epoch and progress */
	enum vote_action action;
	struct hash32 subject;
	uint64_t since;	 /* L1 time when it was made */
	uint64_t expiry; /* the highest that was asked for */
};

struct vote_ask {
	struct voter *voter;
	bool used, done;
	enum err err;
	struct vote vote;
	struct ask_answer answer;
};

struct voter {
	struct address guardian;
	struct signer_client *signer; /* borrowed */
	struct store_table table;
	uint64_t epoch, progress; /* which the choices are of */
	size_t n;
	struct choice choices[CHOICES_MAX];
	struct vote_ask asks[ASKS_MAX];
	/* Refused up to this expiry, then: do not insist. */
	uint64_t refused_through, refused_at_ms;
	char trouble[ASK_ANSWER_TEXT + 64]; /* "" or why it did not sign */
};

MUST_CHECK enum err voter_open(struct store_txn *txn, struct address guardian,
			       struct signer_client *signer, struct voter *ret);
/* The choice that stands for these facts, at L1 head time `now`. */
struct verdict_prior voter_prior(const struct voter *v,
				 const struct hatch_facts *facts, uint64_t now);

/* What to ask for now: at most two votes. */
struct voter_wish {
	size_t n;
	struct vote votes[2];
};
struct voter_wish voter_wish(const struct voter *v, const struct pool *pool,
			     const struct pool_rules *rules,
			     const struct verdict *verdict,
			     uint64_t now_mono_ms);
/* Writes the choice: to be committed before voter_ask(). */
MUST_CHECK enum err voter_choose(struct store_txn *txn, struct voter *v,
				 const struct voter_wish *wish, uint64_t now);
void voter_ask(struct voter *v, const struct voter_wish *wish);
/* Takes one answer: true and a bundle of one when it was signed by us. */
bool voter_answered(const struct voter *v);
bool voter_take(struct voter *v, uint64_t now_mono_ms, struct bundle *ret);

#endif
