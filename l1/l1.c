/* Providers, their polls, their quorum: one view of L1. */
#include "l1/l1.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "l1/l1_impl.h"
#include "sys/clock.h"

enum err l1_new(const struct settings *settings, struct http_client *http,
		struct l1 **ret, struct err_text *error)
{
	size_t n = settings->providers.list.n;
	assert(n > 0 && n <= QUORUM_PROVIDERS_MAX);
	struct l1 *l1 = calloc(1, sizeof(*l1));
	if (!l1)
		abort();
	l1->settings = settings;
	l1->http = http;
	l1->chain_id = settings->chain.id;
	l1->guess = facts_first_guess;
	l1->records.head = &l1->view.head;
	l1->records.known = &l1->acted;
	for (size_t i = 0; i < n; i++) {
		struct provider *p = &l1->providers[i];
		enum err err = provider_init(p, settings_provider(settings, i),
					     http, error);
		p->records = &l1->records;
		l1->n = i + 1;
		if (err) {
			l1_free(l1);
			return err;
		}
		poll_init(&l1->polls[i], p, settings,
			  i * settings->poll_ms / n);
	}
	l1->quorum = quorum_new(l1->providers, n, settings->providers.quorum);
	view_init(l1, clock_mono_ms());
	*ret = l1;
	return OK;
}

void l1_free(struct l1 *l1)
{
	if (!l1)
		return;
	while (l1->ops) /* they may forget asks of theirs */
		l1_op_end(l1->ops);
	quorum_free(l1->quorum);
	for (size_t i = 0; i < l1->n; i++) {
		http_client_cancel(l1->http, &l1->polls[i]);
		poll_done(&l1->polls[i]);
		provider_done(&l1->providers[i]);
	}
	accuse_done(&l1->records);
	free(l1);
}

const struct l1_view *l1_view(const struct l1 *l1)
{
	return &l1->view;
}

struct quorum *l1_quorum(struct l1 *l1)
{
	return l1->quorum;
}

bool l1_evidence_take(struct l1 *l1, struct buf *ret_bytes,
		      size_t *ret_provider)
{
	struct accuse_record r;
	if (!accuse_take(&l1->records, &r))
		return false;
	*ret_bytes = r.bytes;
	*ret_provider =
		(size_t)((const struct provider *)r.provider - l1->providers);
	return true;
}

bool l1_evidence_waits(const struct l1 *l1)
{
	return l1->records.n;
}

void l1_evidence_kept(struct l1 *l1, size_t provider, uint64_t id)
{
	assert(provider < l1->n);
	l1->providers[provider].expelled.evidence = id;
	l1->providers[provider].expelled.news = NEWS_EXPELLED;
	l1->view.providers[provider].evidence = id;
}

enum l1_news l1_news_take(struct l1 *l1, size_t provider)
{
	assert(provider < l1->n);
	enum provider_news *news = &l1->providers[provider].expelled.news;
	switch (*news) {
	case NEWS_EXPELLED:
		*news = NEWS_OUT;
		return L1_NEWS_EXPELLED;
	case NEWS_BACK:
		*news = NEWS_NONE;
		return L1_NEWS_BACK;
	case NEWS_NONE:
	case NEWS_UNKEPT:
	case NEWS_OUT:
		break;
	}
	return L1_NEWS_NONE;
}

uint64_t l1_chain_id(const struct l1 *l1)
{
	return l1->chain_id;
}

void l1_set_sla(struct l1 *l1, uint64_t seconds)
{
	l1->sla_s = seconds;
}

uint64_t l1_turn(struct l1 *l1, uint64_t now)
{
	struct voice latest[QUORUM_PROVIDERS_MAX], acted[QUORUM_PROVIDERS_MAX];
	struct poll_common common = {
		.latest = latest, .acted = acted, .n = l1->n};
	http_client_turn(l1->http);
	uint64_t next = view_update(l1, now);
	uint64_t at = quorum_turn(l1->quorum, now);
	next = at < next ? at : next;
	common.depth = l1->depth;
	common.may_change = l1->acted_depth != DEPTH_FINALIZED;
	common.head = l1->view.head.number;
	common.acted_on = l1->view.acted.number;
	view_voices(l1, now, DEPTH_LATEST, latest);
	view_voices(l1, now, l1->depth, acted);
	for (size_t i = 0; i < l1->n; i++) {
		at = poll_turn(&l1->polls[i], &common, i, now);
		next = at < next ? at : next;
	}
	return next > now ? next : now + 1;
}

/* ---- reads under way ------------------------------------------------------
 */

void *l1_op_new(struct l1 *l1, size_t size, void *ctx,
		void (*done)(struct l1_op *op))
{
	assert(size >= sizeof(struct l1_op));
	struct l1_op *op = calloc(1, size);
	if (!op)
		abort();
	*op = (struct l1_op){
		.next = l1->ops, .l1 = l1, .ctx = ctx, .done = done};
	l1->ops = op;
	return op;
}

void l1_op_end(struct l1_op *op)
{
	struct l1_op **at = &op->l1->ops;
	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	if (op->done)
		op->done(op);
	free(op);
}

void l1_cancel(struct l1 *l1, void *ctx)
{
	struct l1_op *next;
	for (struct l1_op *op = l1->ops; op; op = next) {
		next = op->next;
		if (op->ctx != ctx)
			continue;
		quorum_cancel(l1->quorum, op);
		l1_op_end(op);
	}
}

/* ---- for programs without a loop ------------------------------------------
 */

static void turn_and_wait(struct l1 *l1, uint64_t until)
{
	uint64_t now = clock_mono_ms();
	uint64_t next = l1_turn(l1, now);
	if (next > until)
		next = until;
	now = clock_mono_ms();
	http_client_wait(l1->http, NULL, 0, next > now ? next - now : 0);
}

enum err l1_wait(struct l1 *l1, const bool *done, uint64_t timeout_ms)
{
	uint64_t until = clock_mono_ms() + timeout_ms;
	while (!*done) {
		if (clock_mono_ms() >= until)
			return ERR_IO;
		turn_and_wait(l1, until);
	}
	return OK;
}

/* "chain.id" or "chain.genesis": what every one of them contradicts. */
static const char *field_of(const struct l1 *l1)
{
	bool ids = true;
	for (size_t i = 0; i < l1->n; i++)
		if (l1->providers[i].wrong_chain)
			ids &= l1->providers[i].chain_id != l1->chain_id;
	return ids ? "chain.id" : "chain.genesis";
}

bool l1_is_hopeless(const struct l1 *l1, struct err_text *ret_why)
{
	const struct provider *wrong = NULL;
	uint64_t weight = 0;
	size_t n = 0;
	for (size_t i = 0; i < l1->n; i++) {
		const struct provider *p = &l1->providers[i];
		n += p->wrong_chain;
		if (!p->wrong_chain)
			weight += p->settings->weight;
		else if (!wrong)
			wrong = p;
	}
	if (weight >= l1->settings->providers.quorum)
		return false;
	settings_complain(l1->settings, field_of(l1), ret_why,
			  "%zu of %zu providers are on another chain (%.20s: "
			  "%.110s): correct it, or their URLs",
			  n, l1->n, wrong ? wrong->settings->name : "",
			  wrong ? wrong->why : "");
	return true;
}

struct hash32 l1_genesis(const struct l1 *l1)
{
	return l1->genesis;
}

static bool all_answered(const struct l1 *l1)
{
	for (size_t i = 0; i < l1->n; i++)
		if (provider_is_new(&l1->providers[i]))
			return false;
	return true;
}

void l1_wait_answers(struct l1 *l1, uint64_t timeout_ms)
{
	uint64_t until = clock_mono_ms() + timeout_ms;
	while (!all_answered(l1) && clock_mono_ms() < until)
		turn_and_wait(l1, until);
}

enum err l1_wait_healthy(struct l1 *l1, uint64_t timeout_ms,
			 struct err_text *error)
{
	uint64_t until = clock_mono_ms() + timeout_ms;
	while (!l1->view.healthy) {
		if (l1_is_hopeless(l1, error))
			return ERR_IO;
		if (clock_mono_ms() >= until) {
			err_text_set(error, "L1: %s", l1->view.why);
			return ERR_IO;
		}
		turn_and_wait(l1, until);
	}
	return OK;
}
