/* What follow.c (the queue of blocks) and item.c (one block's logs and their
 * inputs) share. */
#ifndef EGRESS_L1_FOLLOW_IMPL_H
#define EGRESS_L1_FOLLOW_IMPL_H

#include "abi/bloom.h"
#include "l1/follow.h"
#include "l1/l1_impl.h"

enum item_state { ITEM_HEADER, ITEM_LOGS, ITEM_INPUTS, ITEM_READY };

struct item {
	struct follow *follow;
	enum item_state state;
	bool asked;
	struct block_ref block;
	/* The bloom is of the header whose hash was agreed on, or nobody here
	 * can tell the hash of such a header. */
	bool bloom_counts;
	bool by_quorum; /* nobody could prove its logs */
	uint8_t bloom[BLOOM_BYTES];
	/* The events did not come in one answer: one topic an ask then. */
	bool split;
	size_t topic; /* the next, when split */
	size_t n_logs;
	struct l1_log *logs;
	struct buf *data, *inputs; /* n_logs each */
	size_t n_inputs;	   /* logs whose input is there or not wanted */
};

struct follow {
	struct l1 *l1;
	struct follow_config config;
	struct block_ref tip; /* hash zero: none, next is its number */
	bool back;	      /* the tip is to be undone */
	size_t first, n;      /* in the ring */
	struct item items[FOLLOW_AHEAD];
	bool headers_asked;
	size_t asks;
	uint64_t retry_ms;
	char trouble[200], proofs[200];
};

/* Starts what it needs next. */
void item_turn(struct item *item);
/* The logs and inputs proved against the block's hash: asks for them. */
MUST_CHECK enum err item_ask_proved(struct item *item);

/* ---- item.c, for item_prove.c ---- */
bool item_is_ours(const struct item *item, struct address address,
		  const struct hash32 *topic /* first; NULL: none */);
bool item_wants_input(const struct item *item, size_t at);
/* The log before it, when that is of the same transaction, gave its input. */
bool item_shares_input(struct item *item, size_t at);
/* Room for n more; their bytes are not initialised. */
void item_reserve(struct item *item, size_t n);
void item_drop_logs(struct item *item);
/* Empty again; what it asked for is forgotten. */
void item_clear(struct item *item);

/* Says why it does not move, and waits a moment. */
void follow_set_trouble(struct follow *f, const char *what, const char *why);

#endif
