/* One verified block forward or one back, at the depth acted on.
 *
 * Deliveries come in order; the next is fetched ahead (FOLLOW_AHEAD) but given
 * only after follow_ack().  What a consumer commits is exactly what a node
 * that saw only the final chain would have committed. */
#ifndef EGRESS_L1_FOLLOW_H
#define EGRESS_L1_FOLLOW_H

#include "l1/logs.h"

#define FOLLOW_AHEAD	  32
#define FOLLOW_TOPICS_MAX 16
/* Of our contracts in one block: 150M gas at 375 a LOG and 375 a topic
 * (Yellow paper, G_log and G_logtopic).  No crowd of logs stops us that a block
 * can hold. */
#define FOLLOW_LOGS_MAX (150000000 / 750)

enum follow_move { FOLLOW_NONE, FOLLOW_FORWARD, FOLLOW_BACK };

struct follow_step {
	enum follow_move move;
	struct block_ref
		block; /* FORWARD: the new tip; BACK: the tip to undo */
	/* FORWARD: the blocks between the tip and this one left nothing, as a
	 * quorum says, and its parent need not be the tip. */
	bool jumps;
	size_t n_logs;
	const struct l1_log *logs; /* in L1 order; until follow_ack() */
};

struct follow;

struct follow_config {
	struct address addresses[4];
	size_t n_addresses;
	/* The events of interest; none: every event. */
	struct hash32 topics[FOLLOW_TOPICS_MAX];
	size_t n_topics;
	/* Events whose transaction's input is wanted (Committed). */
	struct hash32 with_input[4];
	size_t n_with_input;
	struct block_ref tip; /* committed already; hash zero: none, then
			       * start at number */
	uint64_t by_block;    /* up to this one no block is jumped over */
};

struct follow *follow_new(struct l1 *l1, const struct follow_config *config);
void follow_free(struct follow *f);
/* Starts fetches; returns the next deadline in clock_mono_ms(). */
uint64_t follow_turn(struct follow *f, uint64_t now_mono_ms);
/* What comes next; move FOLLOW_NONE: nothing yet. After FOLLOW_BACK the
 * consumer pops its tip and acks with the tip that is left. */
struct follow_step follow_peek(const struct follow *f);
void follow_ack(struct follow *f, const struct block_ref *tip);
/* Blocks still to come until view->acted. */
uint64_t follow_behind(const struct follow *f);
/* How the last logs are known: "proved", or "by quorum: " and why nobody
 * proves them; "" before the first. */
const char *follow_proofs(const struct follow *f);
/* "" or why it does not move. */
const char *follow_trouble(const struct follow *f);

#endif
