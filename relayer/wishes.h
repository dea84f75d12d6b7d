/* Owners' wishes to be paid at another address: those that this relayer was
 * given, and those that the other relayers of its config publish, so that
 * nobody evacuates a leaf past its owner's word.
 *
 * What another relayer says is not proven: each has places of its own, which it
 * alone can fill, and the evacuation holds a wish against its leaf before it
 * heeds it.
 *
 * Whoever was given a wish carries it; the others leave its leaf alone, and
 * carry it themselves only when it is still not done after a while. */
#ifndef EGRESS_RELAYER_WISHES_H
#define EGRESS_RELAYER_WISHES_H

#include "relayer/parts.h"
#include "relayer/request.h"

struct wishes;

struct wish {
	struct request request; /* kind exit */
	bool foreign;
	size_t at; /* foreign: its place, until the turn's end */
};

struct wish_walk { /* zero to begin */
	size_t own, foreign;
};

struct wishes *wishes_new(struct parts *parts, struct http_client *http,
			  struct book *book);
void wishes_free(struct wishes *w);
/* Pulls what others publish. */
void wishes_turn(struct wishes *w, struct turn *t);
void wishes_news(struct wishes *w, const struct task_news *news);
uint64_t wishes_next(const struct wishes *w);

/* The next one that counts for the root that is frozen now; false: no more. */
bool wishes_walk(struct wishes *w, struct turn *t, struct wish_walk *at,
		 struct wish *ret);
/* Not carried by anybody yet, and ours to carry. */
bool wishes_due(const struct wishes *w, const struct turn *t,
		const struct wish *wish);
/* It cannot be fulfilled. */
MUST_CHECK enum err wishes_fail(struct wishes *w, struct turn *t,
				const struct wish *wish, const char *why);

#endif
