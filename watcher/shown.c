#include "watcher/shown.h"

#include "watcher/limits.h"

#define SHOWN_MAX                                                              \
	(256u << 10) /* a view, the facts and the alerts are 40 KB             \
		      */

void shown_init(struct shown *s)
{
	buf_init(&s->last, SHOWN_MAX);
}

void shown_done(struct shown *s)
{
	buf_done(&s->last);
}

static void add_text(struct buf *to, const char *text)
{
	buf_add(to, text, strlen(text) + 1);
}

/* Without what moves all the time.  Bytes that no field owns may make a page be
 * written once too often, never too late. */
static void add_view(struct buf *to, const struct l1_view *view)
{
	struct l1_view v;
	memcpy(&v, view, sizeof(v));
	v.unix_s = v.seen_at_ms = 0;
	memset(v.clock + 1, 0, sizeof(v.clock) - 1); /* how much is an age */
	for (size_t i = 0; i < v.n; i++) {
		v.providers[i].latency_ms = 0;
		memset(v.providers[i].faults, 0, sizeof(v.providers->faults));
	}
	buf_add(to, &v, sizeof(v));
}

static void add_all(struct buf *to, const struct status_input *in)
{
	add_view(to, in->l1);
	buf_add(to, &in->hatch, sizeof(in->hatch));
	buf_add(to, in->verdict, sizeof(*in->verdict));
	if (in->facts)
		buf_add(to, in->facts, sizeof(*in->facts));
	buf_add(to, in->mark, sizeof(*in->mark));
	buf_add(to, in->standby, sizeof(in->standby));
	for (size_t i = 0; i < HATCH_KEYS_MAX; i++)
		add_text(to, in->standby_why[i]);
	buf_add_be(to, in->behind, 8);
	buf_add_byte(to, in->quiet);
	buf_add_be(to, in->pool->n, 8);
	add_text(to, in->follow_proofs);
	add_text(to, in->trouble);
	for (size_t i = 0; i < in->n_alerts; i++) {
		add_text(to, in->alerts[i].id);
		buf_add_be(to, in->alerts[i].since, 8);
		add_text(to, in->alerts[i].text);
	}
}

bool shown_is_due(struct shown *s, const struct status_input *in,
		  uint64_t now_ms)
{
	struct buf now;
	buf_init(&now, SHOWN_MAX);
	add_all(&now, in);
	bool due = now.failed || now_ms >= s->until_ms ||
		   !slice_eq(buf_slice(&now), buf_slice(&s->last));
	if (due) {
		buf_done(&s->last);
		s->last = now;
		s->until_ms = now_ms + SHOWN_MS;
	} else {
		buf_done(&now);
	}
	return due;
}
