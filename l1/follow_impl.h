/* What follow.c (the queue of blocks), item*.c (one block's logs and their
 * inputs) and deep.c (the blocks of ranges) share. */
#ifndef EGRESS_L1_FOLLOW_IMPL_H
#define EGRESS_L1_FOLLOW_IMPL_H

#include "abi/bloom.h"
#include "l1/contents.h"
#include "l1/follow.h"
#include "l1/l1_impl.h"
#include "l1/log_page.h"

enum item_state { ITEM_HEADER, ITEM_LOGS, ITEM_INPUTS, ITEM_READY };

struct item {
	struct follow *follow;
	enum item_state state;
	bool asked;
	unsigned tries; /* in a row that brought nothing */
	bool jumps;	/* of a range, see struct follow_step */
	struct block_ref block;
	/* The bloom is of the header whose hash was agreed on, or nobody here
	 * can tell the hash of such a header. */
	bool bloom_counts;
	bool by_quorum;	   /* nobody could prove its logs */
	bool plain_inputs; /* nobody could prove its calldata */
	bool waits;	   /* for its turn to be read receipt by receipt */
	struct contents_read contents;
	uint8_t bloom[BLOOM_BYTES];
	/* The events did not come in one answer: one topic an ask then. */
	bool split;
	size_t topic; /* the next, when split */
	size_t n_logs;
	struct l1_log *logs;
	struct buf *data, *inputs; /* n_logs each */
	size_t n_inputs;	   /* logs whose input is there or not wanted */
};

/* Somebody listed this log in a range, and a quorum did not: its block is read
 * by itself, and tells who lied. */
struct claim {
	bool made;
	struct page_log log;
	size_t provider; /* its number */
};

struct follow {
	struct l1 *l1;
	struct follow_config config;
	struct block_ref tip; /* hash zero: none, next is its number */
	bool back;	      /* the tip is to be undone */
	size_t first, n;      /* in the ring */
	struct item items[FOLLOW_AHEAD];
	bool headers_asked;
	struct deep *deep;
	uint64_t by_block; /* up to this one each block is read itself */
	struct claim claim;
	size_t asks;
	uint64_t retry_ms;
	char trouble[200], proofs[200];
};

/* Starts what it needs next. */
void item_turn(struct item *item);
/* The logs and inputs proved against the block's hash: asks for them. */
MUST_CHECK enum err item_ask_proved(struct item *item);
/* The calldata that its logs still lack: asks for some, or is ready. */
MUST_CHECK enum err item_ask_inputs(struct item *item);
/* What an item's ask brought, before its content; false: nothing. */
bool item_take(struct item *item, const struct quorum_result *results, size_t n,
	       const char *what);

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

/* ---- follow.c, for deep.c ---- */
/* Hash zero: nothing is committed or queued. */
struct hash32 follow_last_hash(const struct follow *f);
/* The first number that is neither committed nor queued. */
uint64_t follow_next(const struct follow *f);
/* A block of a range, to be filled with its logs in state ITEM_INPUTS; NULL:
 * the queue is full. */
struct item *follow_push(struct follow *f, const struct block_ref *block);
/* The queue was read of another chain: forgets it, and undoes the tip if it is
 * not even that.  */
void follow_unlink(struct follow *f);

/* Says why it does not move, and waits a moment. */
void follow_set_trouble(struct follow *f, const char *what, const char *why);

#endif
