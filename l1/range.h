/* The logs of ours in a range of blocks, as a quorum of providers tells them:
 * one ask.  It goes to every usable provider that serves so many blocks and
 * ends when providers of enough weight listed the same; one slow provider never
 * delays it.
 *
 * A log that is listed may be proved; that nothing more was there is what the
 * quorum says.  So where somebody lists all that a quorum does and more, the
 * quorum is not believed either. */
#ifndef EGRESS_L1_RANGE_H
#define EGRESS_L1_RANGE_H

#include "l1/l1.h"
#include "l1/log_page.h"

/* What to list, borrowed. */
struct range_filter {
	const struct address *addresses;
	size_t n_addresses;
	const struct hash32 *topics; /* first ones; none: any */
	size_t n_topics;
};

enum range_says {
	RANGE_WAITS,
	RANGE_AGREED,	/* range_page() */
	RANGE_TOO_MUCH, /* for so many that no quorum is left: range_shorter()
			 */
	RANGE_DISPUTED, /* they contradict each other, or the quorum's list
			 * lacks what another's has */
	RANGE_SILENT,	/* too few answered: range_why() */
};

struct range;

/* The longest that providers of the weight that must agree are thought to
 * serve; 0: so many serve none. */
uint64_t range_span(const struct l1 *l1, uint64_t now_mono_ms);

struct range *range_new(struct l1 *l1, const struct range_filter *filter,
			uint64_t from, uint64_t to);
void range_free(struct range *r);
/* Sends what may be sent, settles; returns its next deadline in
 * clock_mono_ms(), or UINT64_MAX.  Goes on after RANGE_AGREED: who answers late
 * is held against it, and may dispute it. */
uint64_t range_turn(struct range *r, uint64_t now_mono_ms);
enum range_says range_says(const struct range *r);
/* RANGE_AGREED: ascending by block and index, in the range, of the filter;
 * the logs of one block name one block hash. */
const struct log_page *range_page(const struct range *r);
/* RANGE_TOO_MUCH: so many blocks may be listed by more; 0: none fewer. */
uint64_t range_shorter(const struct range *r);
/* RANGE_SILENT, RANGE_DISPUTED: each provider and why. */
void range_why(const struct range *r, uint64_t now_mono_ms, char *to,
	       size_t size);
/* RANGE_DISPUTED: somebody lists this log and the quorum does not.  false: no
 * such.  ret_provider: who, by its number. */
bool range_claim(const struct range *r, struct page_log *ret,
		 size_t *ret_provider);
/* Its block was read and proved, and does not hold this log. */
void range_refute(struct provider *p, const struct page_log *log,
		  uint64_t now_mono_ms);

#endif
