#include "store/overlay.h"

#include <stdlib.h>

#define OVERLAY_CAP_FIRST 4096
#define OVERLAY_CAP_KEEP  (1 << 17) /* above, the memory is given back */

/* Positions are dense and not chosen by anybody: a multiplicative mix will
 * do (Fibonacci hashing). */
static size_t slot(const struct overlay *o, unsigned height, uint64_t at)
{
	uint64_t h = (at + ((uint64_t)height << 44)) * 0x9e3779b97f4a7c15ULL;

	return (size_t)(h >> 20) & (o->cap - 1);
}

static struct overlay_entry *find(const struct overlay *o, unsigned height,
				  uint64_t at)
{
	size_t i = slot(o, height, at);

	while (o->entries[i].used &&
	       (o->entries[i].at != at || o->entries[i].height != height))
		i = (i + 1) & (o->cap - 1);
	return &o->entries[i];
}

static enum err grow(struct overlay *o)
{
	struct overlay next = {.cap = o->cap ? o->cap * 2 : OVERLAY_CAP_FIRST,
			       .n = o->n};

	next.entries = calloc(next.cap, sizeof(*next.entries));
	if (!next.entries)
		return ERR_FULL;
	for (size_t i = 0; i < o->cap; i++) {
		const struct overlay_entry *e = &o->entries[i];
		if (e->used)
			*find(&next, e->height, e->at) = *e;
	}
	free(o->entries);
	*o = next;
	return OK;
}

enum err overlay_put(struct overlay *o, unsigned height, uint64_t at,
		     struct hash32 node)
{
	if (o->n * 2 >= o->cap) {
		enum err err = grow(o);
		if (err)
			return err;
	}
	struct overlay_entry *e = find(o, height, at);
	o->n += !e->used;
	*e = (struct overlay_entry){.at = at,
				    .height = (uint8_t)height,
				    .used = true,
				    .node = node};
	return OK;
}

const struct hash32 *overlay_get(const struct overlay *o, unsigned height,
				 uint64_t at)
{
	if (!o->n)
		return NULL;
	const struct overlay_entry *e = find(o, height, at);
	return e->used ? &e->node : NULL;
}

void overlay_clear(struct overlay *o)
{
	if (o->cap > OVERLAY_CAP_KEEP) {
		overlay_done(o);
		return;
	}
	for (size_t i = 0; i < o->cap; i++)
		o->entries[i].used = false;
	o->n = 0;
}

void overlay_done(struct overlay *o)
{
	free(o->entries);
	*o = (struct overlay){0};
}
