/* One range of deep.c, from the first ask to a list of blocks and logs. */
#ifndef EGRESS_L1_DEEP_LEG_H
#define EGRESS_L1_DEEP_LEG_H

#include "l1/range.h"

struct follow;

enum leg_state {
	LEG_ENDS, /* the blocks before it and at its end */
	LEG_LOGS,
	LEG_HEADERS, /* of its blocks with logs */
	LEG_READY,
	LEG_CUT,      /* cannot be had whole: see cut_to */
	LEG_BY_BLOCK, /* left to be read block by block */
};

struct leg {
	struct follow *follow;
	enum leg_state state;
	uint64_t from, to;
	uint64_t cut_to; /* blocks; LEG_CUT */
	bool asked;	 /* a quorum */
	bool plain;	 /* nobody could prove the headers */
	unsigned tries;
	struct hash32 before; /* of block from − 1 */
	struct block_ref end;
	struct range *range;
	/* What was agreed on; owned by range. */
	const struct log_page *page;
	size_t n_blocks, n_headers; /* with logs; read of these */
	struct block_ref *blocks;
	/* What deep.c has queued of it. */
	bool begun;
	size_t block_at, log_at;
};

struct leg *leg_new(struct follow *f, uint64_t from, uint64_t to);
void leg_free(struct leg *leg);
/* Starts what it needs next; returns its next deadline or UINT64_MAX. */
uint64_t leg_turn(struct leg *leg, uint64_t now_mono_ms);
/* It cannot be had in more blocks than these. */
void leg_cut(struct leg *leg, uint64_t blocks);
/* Bytes that it holds. */
size_t leg_weight(const struct leg *leg);

#endif
