/* What range.c (who is asked, and what is agreed on) and range_list.c (what one
 * provider lists) share. */
#ifndef EGRESS_L1_RANGE_IMPL_H
#define EGRESS_L1_RANGE_IMPL_H

#include "l1/l1_impl.h"
#include "l1/range.h"

#define RANGE_ASK_ID 1
/* As provider_lacks() names it. */
extern const char range_method[];

enum part_state {
	PART_IDLE,  /* not asked: nobody has heard of it yet */
	PART_WAITS, /* for its rate */
	PART_SENT,
	PART_LISTED,
	PART_SHORT, /* serves fewer blocks, or fewer logs */
	PART_FAILED,
};

/* What one provider makes of it. */
struct part {
	struct range *range;
	struct provider *provider;
	enum part_state state;
	uint64_t shorter; /* PART_SHORT: blocks that it may list there */
	bool judged;
	size_t like; /* the first part with the same page, which has it */
	struct log_page page;
	char why[96]; /* PART_FAILED, PART_SHORT */
};

struct range {
	struct l1 *l1;
	struct range_filter filter;
	uint64_t from, to, deadline_ms;
	enum range_says says;
	size_t agreed; /* the part whose page counts */
	size_t claims; /* the part that disputes it */
	size_t n;
	struct part parts[QUORUM_PROVIDERS_MAX];
	struct buf body;
};

uint64_t range_length(const struct range *r);
void range_part_set(struct part *part, enum part_state state, const char *why);
/* ---- range_accuse.c ---- */
/* That part's list is not the agreed one; omits: all of it is in that. */
void range_accuse(const struct range *r, size_t part, bool omits, uint64_t now);
/* ---- range_list.c ---- */
/* What a provider answered; ctx: its part. */
void range_on_reply(void *ctx, const struct http_reply *http);
/* All of `small` is in `big`.  ret_more: the first log that is in `big` alone.
 */
bool range_includes(const struct log_page *big, const struct log_page *small,
		    size_t *ret_more);

#endif
