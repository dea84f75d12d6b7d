/* How many blocks of logs one provider lists at once: what it was seen to
 * serve and to refuse.  Zero: nothing is known.  Pure. */
#ifndef EGRESS_L1_SPAN_H
#define EGRESS_L1_SPAN_H

#include "abi/types.h"

struct span {
	uint64_t now;	  /* blocks to ask for; 0: the first guess */
	uint64_t refused; /* the fewest that were refused; 0: none */
	bool crowded;	  /* not long ago */
	unsigned served;  /* in a row since the last trouble */
};

uint64_t span_of(const struct span *s);
/* So many blocks were too many; suggested: what it serves, or 0.  Returns how
 * many it may list there: fewer than asked, or 0. */
uint64_t span_refuse(struct span *s, uint64_t asked, uint64_t suggested);
/* The same: they held too much, here; elsewhere so many may be served. */
uint64_t span_crowd(struct span *s, uint64_t asked, uint64_t suggested);
/* It listed so many. */
void span_serve(struct span *s, uint64_t blocks);

#endif
