#include "watcher/standby.h"

#include <stdio.h>

#include "abi/json.h"
#include "sys/clock.h"

void standbys_init(struct standbys *s, const struct watcher_config *config,
		   struct http_client *http)
{
	memset(s, 0, sizeof(*s));
	s->http = http;
	for (; s->n < config->standbys.n; s->n++) {
		const struct watcher_standby *c =
			watcher_config_standby(config, s->n);
		s->list[s->n] = (struct standby){.address = c->address,
						 .probe = c->probe,
						 .all = s,
						 .why = "not asked yet"};
	}
}

void standbys_done(struct standbys *s)
{
	for (size_t i = 0; i < s->n; i++)
		http_client_cancel(s->http, &s->list[i]);
}

/* {"ready":true,…}; "why" is shown when it is not. */
static void read_answer(struct standby *p, struct slice body)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct json_reader r = {0};
	struct err_text error;
	const json_node *root;
	const char *why;

	if (json_parse(body, PROBE_REPLY_MAX, JSON_DEPTH_MAX, &doc, &error)) {
		snprintf(p->why, sizeof(p->why), "its answer is not JSON");
		return;
	}
	root = json_root(doc);
	p->ready = json_bool(&r, root, "ready");
	if (r.failed) {
		p->ready = false;
		snprintf(p->why, sizeof(p->why), "it does not say \"ready\"");
		return;
	}
	if (p->ready) {
		p->why[0] = 0;
		return;
	}
	why = json_string(&r, root, "why", sizeof(p->why) - 1);
	snprintf(p->why, sizeof(p->why), "%s",
		 why && *why ? why : "it says it is not ready");
}

static void probed(void *ctx, const struct http_reply *reply)
{
	struct standby *p = ctx;

	p->in_flight = false;
	p->answered_ms = clock_mono_ms();
	p->ready = false;
	if (reply->err)
		snprintf(p->why, sizeof(p->why), "unreachable: %.70s",
			 reply->text);
	else
		read_answer(p, reply->body);
	if (p->ready && reply->status != 200) {
		p->ready = false;
		snprintf(p->why, sizeof(p->why), "its status is %ld",
			 reply->status);
	}
	p->failures = p->ready ? 0 : p->failures + 1;
}

static void probe(struct standby *p, uint64_t now_mono_ms)
{
	struct http_request request = {.method = "GET",
				       .url = p->probe,
				       .timeout_ms = PROBE_TIMEOUT_MS,
				       .max_body = PROBE_REPLY_MAX};

	p->asked_ms = now_mono_ms;
	p->in_flight = !http_client_start(p->all->http, &request, probed, p);
}

uint64_t standbys_turn(struct standbys *s, uint64_t now_mono_ms,
		       uint64_t interval_ms)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < s->n; i++) {
		struct standby *p = &s->list[i];

		if (!p->probe || p->in_flight)
			continue;
		if (!p->asked_ms || p->asked_ms + interval_ms <= now_mono_ms)
			probe(p, now_mono_ms);
		if (p->asked_ms + interval_ms < next)
			next = p->asked_ms + interval_ms;
	}
	return next;
}

enum standby_state standbys_state(const struct standbys *s, struct address a,
				  bool replaced, uint64_t now_mono_ms,
				  const char **ret_why)
{
	*ret_why = "";
	for (size_t i = 0; i < s->n; i++) {
		const struct standby *p = &s->list[i];

		if (!address_eq(p->address, a) || !p->probe)
			continue;
		*ret_why = p->why;
		if (p->ready && p->answered_ms + PROBE_STALE_MS < now_mono_ms)
			*ret_why = "it has not answered for a while";
		else if (p->ready)
			return STANDBY_READY;
		return p->failures < PROBE_FAILURES ? STANDBY_UNKNOWN
						    : STANDBY_UNREADY;
	}
	if (!replaced)
		return STANDBY_READY;
	*ret_why = "it fell silent, and has no probe to say that it is back";
	return STANDBY_UNREADY;
}
