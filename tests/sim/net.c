/* http/client.c of the simulator: requests to providers, peers and standbys,
 * answered by themselves after a while, or not. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/world.h"

#define REPLY_MAX (8u << 20)

struct transfer {
	struct transfer *next;
	enum sim_stage stage; /* of what it asks */
	char *url;
	struct buf body, early; /* early: answered long before it arrives */
	bool is_early;
	long early_status;
	http_done *done;
	void *ctx;
	uint64_t started_ms, due_ms, deadline_ms;
};

struct http_client {
	struct transfer *first;
};

struct http_client *http_client_new(void)
{
	return calloc(1, sizeof(struct http_client));
}

static void transfer_free(struct transfer *t)
{
	buf_done(&t->body);
	buf_done(&t->early);
	free(t->url);
	free(t);
}

void http_client_free(struct http_client *c)
{
	struct transfer *next;

	for (struct transfer *t = c ? c->first : NULL; t; t = next) {
		next = t->next;
		transfer_free(t);
	}
	free(c);
}

/* ---- who answers ---- */

/* Returns the status; 0: nobody is there. */
static long answer_l1(const struct transfer *t, unsigned i, struct buf *to)
{
	struct sim_provider *p = &world->providers[i];

	if (p->down)
		return 0;
	provider_answer(&world->chain, p, &world->pool, world->now_ms,
			buf_slice(&t->body), to);
	if (provider_bad_send)
		sim_break("%s", provider_bad_send);
	provider_bad_send = NULL;
	return 200;
}

static long answer_peer(unsigned i, const char *path, struct buf *to)
{
	struct sim_node *n = &world->nodes[i];
	struct http_call call = {.method = "GET", .path = path, .accept = ""};
	struct http_answer answer = {0};
	const struct http_route *r = api_routes;

	if (!n->w || n->paused_ms > world->now_ms)
		return 0;
	while (r->method && strcmp(r->pattern, path))
		r++;
	assert(r->method);
	r->handler(&n->w->api, &call, &answer);
	buf_add_slice(to, buf_slice(&answer.body));
	buf_done(&answer.body);
	return (long)answer.status;
}

static long answer_standby(unsigned i, struct buf *to)
{
	if (!world->alive[i])
		return 0;
	buf_add_str(to, world->ready[i]
				? "{\"ready\":true}"
				: "{\"ready\":false,\"why\":\"behind\"}");
	return 200;
}

static long answer(const struct transfer *t, struct buf *to)
{
	const char *rest = t->url + strlen("http://");
	unsigned i = (unsigned)(rest[1] - '0');

	switch (rest[0]) {
	case 'p':
		return answer_l1(t, i, to);
	case 'w':
		return answer_peer(i, rest + 2, to);
	default:
		return answer_standby(i, to);
	}
}

/* ---- the network ---- */

static void choose_fate(struct transfer *t)
{
	struct rng *r = &world->rng;
	uint64_t wait = rng_between(r, 5, 400);
	const char *rest = t->url + strlen("http://");

	if (rest[0] == 'p')
		wait += world->providers[rest[1] - '0'].slow_ms;
	if (rng_chance(r, world->faults.delay))
		wait += rng_between(r, 500, 6000);
	if (rng_chance(r, world->faults.drop))
		wait = t->deadline_ms - world->now_ms + 1;
	t->due_ms = world->now_ms + wait;
	t->is_early = rng_chance(r, 50);
	if (t->is_early)
		t->early_status = answer(t, &t->early);
}

static bool has(struct slice body, const char *word)
{
	return memmem(body.p, body.len, word, strlen(word));
}

static enum sim_stage stage_of(struct slice body)
{
	if (has(body, "\"latest\""))
		return STAGE_HEAD;
	if (has(body, "eth_getProof") || has(body, "eth_getStorageAt"))
		return STAGE_FACTS;
	if (has(body, "eth_getBlockReceipts") || has(body, "eth_getLogs"))
		return STAGE_LOGS;
	return has(body, "eth_getTransactionByHash") ? STAGE_INPUTS : STAGE_ANY;
}

bool net_asks(const struct http_client *c, enum sim_stage stage)
{
	for (const struct transfer *t = c->first; t; t = t->next)
		if (t->stage == stage)
			return true;
	return false;
}

enum err http_client_start(struct http_client *c, const struct http_request *r,
			   http_done *done, void *ctx)
{
	struct transfer *t = calloc(1, sizeof(*t));
	size_t n = 0;

	for (struct transfer *o = c->first; o; o = o->next)
		n++;
	if (n >= HTTP_TRANSFERS_MAX) {
		free(t);
		return ERR_BUSY;
	}
	assert(t && r->timeout_ms);
	t->url = strdup(r->url);
	assert(t->url);
	buf_init(&t->body, REPLY_MAX);
	buf_init(&t->early, REPLY_MAX);
	buf_add_slice(&t->body, r->body);
	t->done = done;
	t->ctx = ctx;
	t->started_ms = world->now_ms;
	t->deadline_ms = world->now_ms + r->timeout_ms;
	t->stage = world->plan == PLAN_REORG ? stage_of(r->body) : STAGE_ANY;
	choose_fate(t);
	t->next = c->first;
	c->first = t;
	return OK;
}

void http_client_cancel(struct http_client *c, void *ctx)
{
	for (struct transfer **at = &c->first; *at;) {
		struct transfer *t = *at;

		if (t->ctx != ctx) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		transfer_free(t);
	}
}

static uint64_t ends_ms(const struct transfer *t)
{
	return t->due_ms < t->deadline_ms ? t->due_ms : t->deadline_ms;
}

/* The one that ended first. */
static struct transfer **next_due(const struct http_client *c)
{
	struct transfer **best = NULL;

	for (struct transfer **at = (struct transfer **)&c->first; *at;
	     at = &(*at)->next)
		if (ends_ms(*at) <= world->now_ms &&
		    (!best || ends_ms(*at) < ends_ms(*best)))
			best = at;
	return best;
}

bool net_due(const struct http_client *c)
{
	return next_due(c) != NULL;
}

static void deliver(struct transfer *t)
{
	struct http_reply reply = {.sent = true,
				   .elapsed_ms = ends_ms(t) - t->started_ms};
	struct buf late;

	buf_init(&late, REPLY_MAX);
	if (t->due_ms > t->deadline_ms) {
		reply.err = ERR_IO;
		snprintf(reply.text, sizeof(reply.text), "timed out");
	} else if (t->is_early) {
		reply.status = t->early_status;
		reply.body = buf_slice(&t->early);
	} else {
		reply.status = answer(t, &late);
		reply.body = buf_slice(&late);
	}
	if (!reply.err && !reply.status) {
		reply.err = ERR_IO;
		reply.sent = false;
		snprintf(reply.text, sizeof(reply.text), "connection refused");
	}
	t->done(t->ctx, &reply);
	buf_done(&late);
}

void http_client_turn(struct http_client *c)
{
	struct transfer **at;

	while ((at = next_due(c))) {
		struct transfer *t = *at;

		*at = t->next;
		deliver(t);
		transfer_free(t);
	}
}

void http_client_wait(struct http_client *c, struct pollfd *extra, size_t n,
		      uint64_t timeout_ms)
{
	(void)c;
	(void)extra;
	(void)n;
	(void)timeout_ms;
	assert(!"a step never waits");
}
