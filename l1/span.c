#include "l1/span.h"

#include "l1/limits.h"

uint64_t span_of(const struct span *s)
{
	return s->now ? s->now : L1_SPAN_FIRST;
}

uint64_t span_crowd(struct span *s, uint64_t asked, uint64_t suggested)
{
	uint64_t next = asked / 2;
	if (suggested && suggested < asked)
		next = suggested;
	s->served = 0;
	s->crowded = true;
	/* several ranges were asked for before the first was refused */
	if (next < span_of(s))
		s->now = next ? next : 1;
	return next;
}

uint64_t span_refuse(struct span *s, uint64_t asked, uint64_t suggested)
{
	uint64_t next = span_crowd(s, asked, suggested);
	if (!s->refused || asked < s->refused)
		s->refused = asked;
	return next;
}

void span_serve(struct span *s, uint64_t blocks)
{
	uint64_t now = span_of(s);
	if (blocks < now)
		return; /* says nothing about more */
	s->served++;
	if (s->served >= L1_SPAN_FORGET)
		s->refused = 0;
	if (s->served >= L1_SPAN_SLOW)
		s->crowded = false;
	bool slow = s->refused || s->crowded;
	uint64_t next = slow ? now + now / 8 + 1 : 2 * now;
	if (s->refused && next >= s->refused)
		next = s->refused > now ? s->refused - 1 : now;
	s->now = next < L1_SPAN_MAX ? next : L1_SPAN_MAX;
}
