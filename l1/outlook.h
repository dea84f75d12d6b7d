/* How L1 is seen, and what of it is news.  Pure. */
#ifndef EGRESS_L1_OUTLOOK_H
#define EGRESS_L1_OUTLOOK_H

#include "l1/l1.h"

struct outlook { /* what was told so far; zero: nothing */
	char depth[32];
	char proofs[16], headers[16], follow[16]; /* "proved", "by quorum" */
	bool clock, forked[QUORUM_PROVIDERS_MAX];
};

struct outlook_news {
	bool bad;
	const char *event, *of; /* of: a provider's name, or NULL */
	const char *is, *why;	/* borrowed from view, or static */
	char was[32];
};
/* The next change since it was told; false: there is none.  Each is told once:
 * numbers that go up are no news. */
bool outlook_news(struct outlook *told, const struct l1_view *view,
		  const char *follow_proofs, struct outlook_news *ret);

#endif
