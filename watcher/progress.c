#include "watcher/progress.h"

#include <string.h>

/* The last point is the newest there is, and moves until it is a step away from
 * the one before. */
void progress_note(struct progress *p, const struct progress_point *at)
{
	if (at->behind <= BEHIND_MAX) {
		p->n = 0;
		return;
	}
	if (p->n >= 2 &&
	    at->now_ms < p->points[p->n - 2].now_ms + PROGRESS_STEP_MS) {
		p->points[p->n - 1] = *at;
		return;
	}
	if (p->n == PROGRESS_POINTS) {
		p->n--;
		memmove(p->points, p->points + 1, p->n * sizeof(*at));
	}
	p->points[p->n++] = *at;
}

struct progress_pace progress_pace(const struct progress *p)
{
	struct progress_pace pace = {0};
	const struct progress_point *a = p->points, *b;
	uint64_t ms;

	if (p->n < 2)
		return pace;
	b = &p->points[p->n - 1];
	ms = b->now_ms - a->now_ms;
	if (ms < PROGRESS_STEP_MS)
		return pace;
	pace.known = true;
	if (b->block > a->block)
		pace.rate = ((b->block - a->block) * 1000 + ms / 2) / ms;
	if (b->behind >= a->behind)
		return pace;
	pace.ends = true;
	/* what L1 adds meanwhile is in it */
	pace.eta = (uint64_t)((double)b->behind * (double)ms /
			      (double)(a->behind - b->behind) / 1000.0) +
		   1;
	return pace;
}

bool progress_is_due(struct progress *p, uint64_t now_ms)
{
	if (!progress_pace(p).known ||
	    (p->said && now_ms < p->said_ms + PROGRESS_SAY_MS))
		return false;
	p->said = true;
	p->said_ms = now_ms;
	return true;
}
