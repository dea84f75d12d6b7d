#include "relayer/events.h"

#include <stdlib.h>

#include "l1/logs.h"
#include "sys/log.h"

#define EVENTS_MAX 16

struct event_read {
	struct events *owner;
	bool used;
	enum sovereign_event event;
	events_got *got;
	void *ctx;
};

struct events {
	struct l1 *l1;
	struct event_read reads[EVENTS_MAX];
};

struct events *events_new(struct l1 *l1)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		fatal("out of memory", "events");
	e->l1 = l1;
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < EVENTS_MAX; i++)
		if (e->reads[i].used)
			l1_cancel(e->l1, &e->reads[i]);
	free(e);
}

static void logs_came(void *ctx, enum err err, const char *why,
		      const struct l1_log *logs, size_t n)
{
	struct event_read *slot = ctx, read = *slot;
	struct sovereign_log log;

	(void)why;
	slot->used = false;
	for (size_t i = 0; !err && i < n; i++) {
		if (sovereign_decode(logs[i].topics, logs[i].n_topics,
				     logs[i].data, &log) != read.event)
			continue;
		read.got(read.ctx, OK, &log);
		return;
	}
	read.got(read.ctx, err, NULL);
}

enum err events_read(struct events *e, struct address emitter,
		     struct hash32 block_hash, struct hash32 tx,
		     enum sovereign_event event, events_got *got, void *ctx)
{
	struct event_read *read = NULL;

	for (size_t i = 0; i < EVENTS_MAX && !read; i++)
		if (!e->reads[i].used)
			read = &e->reads[i];
	if (!read)
		return ERR_BUSY;
	*read = (struct event_read){e, true, event, got, ctx};
	if (tx_logs_read(e->l1, emitter, block_hash, tx, sovereign_topic(event),
			 logs_came, read)) {
		read->used = false;
		return ERR_BUSY;
	}
	return OK;
}
