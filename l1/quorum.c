/* Asks in flight.  A slot is one provider's part of an ask; a call of an ask
 * is settled when slots of enough weight gave the same answer, or no longer
 * can.  An ask that is over stays until its last slot has answered, to find
 * out who contradicted it. */
#include "l1/quorum.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "l1/limits.h"
#include "l1/ask.h"
#include "sys/clock.h"

struct quorum *quorum_new(struct provider *providers, size_t n, uint64_t quorum)
{
	assert(n > 0 && n <= QUORUM_PROVIDERS_MAX);
	struct quorum *q = calloc(1, sizeof(*q));
	if (!q)
		abort();
	*q = (struct quorum){.providers = providers, .n = n, .weight = quorum};
	return q;
}

static void ask_free(struct ask *a)
{
	for (size_t i = 0; i < a->n_slots; i++) {
		struct slot *s = &a->slots[i];
		if (s->state == SLOT_SENT)
			http_client_cancel(s->provider->http, s);
		rpc_reply_done(&s->reply);
	}
	buf_done(&a->body);
	free(a->calls);
	free(a->settled);
	free(a);
}

void quorum_free(struct quorum *q)
{
	if (!q)
		return;
	while (q->first) {
		struct ask *a = q->first;
		q->first = a->next;
		ask_free(a);
	}
	free(q);
}

/* ---- the end of an ask --------------------------------------------------- */

/* A list, or a revert's data: what a node that cannot tell would not say. */
static bool is_firm(const struct rpc_answer *x)
{
	return x->kind == RPC_REVERT ? x->data.len > 0
				     : json_len(x->result) > 0;
}

/* The same kind of answer, with nothing in it. */
static bool is_hollow(const struct rpc_answer *x,
		      const struct rpc_answer *agreed)
{
	struct json_reader r = {0};
	if (x->kind != agreed->kind || is_firm(x) || !is_firm(agreed))
		return false;
	if (x->kind == RPC_RESULT)
		(void)json_array(&r, x->result, NULL);
	return !r.failed;
}

/* Once a slot: a batch that differs in every call is one offence. */
static void judge_slot(struct ask *a, size_t i, uint64_t now)
{
	struct provider *p = a->slots[i].provider;
	size_t doubt = a->n; /* none */
	bool agrees = false, firm = false;
	for (size_t call = 0; call < a->n; call++) {
		const struct settled *s = &a->settled[call];
		if (!s->answer || !a->calls[call].pinned)
			continue;
		const struct rpc_answer *x = ask_vote(a, i, call, now);
		if (!x)
			continue;
		if (ask_same_answer(a, call, x, s->answer)) {
			agrees = true;
			firm |= is_firm(x);
		} else if (is_hollow(x, s->answer)) {
			doubt = call;
		} else {
			ask_accuse_answer(a, i, call, false, now);
			return;
		}
	}
	if (doubt < a->n)
		ask_accuse_answer(a, i, doubt, true, now);
	else if (agrees)
		provider_agreed(p, now, firm);
}

static void judge_slots(struct ask *a, uint64_t now)
{
	for (size_t i = 0; a->rule == QUORUM_AGREE && i < a->n_slots; i++) {
		if (a->slots[i].state != SLOT_ANSWERED || a->slots[i].judged)
			continue;
		a->slots[i].judged = true;
		judge_slot(a, i, now);
	}
}

static void set_over(struct ask *a)
{
	a->over = true;
	a->q->n_asks--;
	a->q->n_over++;
}

/* Each provider and why it gave no vote: "a: timed out; b: …". */
static void name_failures(const struct ask *a, size_t call, uint64_t now,
			  char *to, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < a->n_slots && used < size; i++) {
		const struct slot *s = &a->slots[i];
		const char *why = s->provider->why;
		char lack[64];
		if (provider_lacking(s->provider, a->lacks, now)) {
			(void)snprintf(lack, sizeof(lack), "lacks %s",
				       a->lacks);
			why = lack;
		} else if (s->judged && a->rule == QUORUM_PROVED) {
			why = s->why.text;
		} else if (s->state == SLOT_ANSWERED) {
			const struct rpc_answer *x = &s->reply.answers[call];
			why = x->kind == RPC_FAILED	? x->text
			      : ask_is_vote(a, call, x) ? "answers"
							: "does not know it";
		} else if (s->state == SLOT_SENT || !*why) {
			why = "no answer in time";
		}
		int len = snprintf(to + used, size - used, "%s%s: %s",
				   used ? "; " : "",
				   s->provider->settings->name, why);
		used += len > 0 ? (size_t)len : 0;
	}
}

static void fill_result(const struct ask *a, size_t call, uint64_t now,
			struct quorum_result *to)
{
	const struct settled *s = &a->settled[call];
	to->err = s->err;
	if (s->answer) {
		to->result = s->answer->result;
		to->code = s->answer->code;
		to->data = buf_slice(&s->answer->data);
		(void)snprintf(to->text, sizeof(to->text), "%s",
			       s->answer->text);
		return;
	}
	char text[QUORUM_TEXT_MAX];
	name_failures(a, call, now, text, sizeof(text));
	if (a->rule == QUORUM_PROVED) {
		(void)snprintf(to->text, sizeof(to->text), "%s", text);
		return;
	}
	(void)snprintf(to->text, sizeof(to->text), "%s: %s: %.180s",
		       a->calls[call].method,
		       s->err == ERR_CONFLICT  ? "providers contradict each "
						 "other"
		       : s->err == ERR_REFUSED ? "it reverts, providers tell "
						 "different reasons"
					       : "too few answers",
		       text);
}

static void call_back(struct ask *a, uint64_t now)
{
	struct quorum_result *results = calloc(a->n, sizeof(*results));
	if (!results)
		abort();
	for (size_t i = 0; i < a->n; i++)
		fill_result(a, i, now, &results[i]);
	set_over(a);
	judge_slots(a, now);
	a->done(a->ctx, results, a->n);
	free(results);
}

/* ---- sending ------------------------------------------------------------- */

static void on_reply(void *ctx, const struct http_reply *reply)
{
	struct slot *s = ctx;
	struct ask *a = s->ask;
	uint64_t now = clock_mono_ms();
	enum err err = provider_take(s->provider, reply, a->n, now, &s->reply);
	s->state = err ? SLOT_FAILED : SLOT_ANSWERED;
	s->reached = err && reply->sent;
	if (a->over && s->state == SLOT_ANSWERED)
		judge_slots(a, now);
}

/* Returns when a slot that waits may be sent, or UINT64_MAX. */
static uint64_t send_slot(struct slot *s, uint64_t now)
{
	struct ask *a = s->ask;
	uint64_t at = provider_ask_at(s->provider, now);
	if (at > now)
		return at;
	if (now >= a->deadline_ms)
		return UINT64_MAX;
	enum err err =
		provider_post(s->provider, buf_slice(&a->body), a->reply_max,
			      a->deadline_ms - now, now, on_reply, s);
	if (err)
		return now + 10; /* every transfer is taken */
	s->state = SLOT_SENT;
	return UINT64_MAX;
}

/* A proof is believed of nobody's word: who is expelled may show one too.  Else
 * a quorum that expels who contradicts it need not fear to be proved wrong. */
static bool may_prove(const struct provider *p, uint64_t now)
{
	return p->pinned && !p->wrong_chain && now >= p->backoff_until_ms;
}

/* It may prove, or within a moment it may. */
static bool is_hoped(const struct provider *p, uint64_t now)
{
	return may_prove(p, now) || provider_is_new(p);
}

/* Who is expelled comes last. */
static bool comes_before(const struct provider *a, const struct provider *b,
			 uint64_t now)
{
	bool lies = provider_lying(a, now);
	if (lies != provider_lying(b, now))
		return !lies;
	return a->latency_ms < b->latency_ms;
}

/* When they are asked in turn: the next provider, the quickest first. */
static void wake_next(struct ask *a, uint64_t now)
{
	struct slot *best = NULL;
	bool waits = false;
	for (size_t i = 0; i < a->n_slots; i++) {
		struct slot *s = &a->slots[i];
		waits |= s->state == SLOT_SENT || s->state == SLOT_WAITS;
		if (s->state == SLOT_IDLE && !is_hoped(s->provider, now))
			s->state = SLOT_FAILED;
		if (s->state == SLOT_IDLE && may_prove(s->provider, now) &&
		    (!best || comes_before(s->provider, best->provider, now)))
			best = s;
	}
	if (!best || (waits && now < a->hedge_ms))
		return;
	for (size_t i = 0; i < a->n_slots; i++)
		if (a->slots[i].state == SLOT_SENT)
			provider_dawdles(a->slots[i].provider);
	best->state = SLOT_WAITS;
	a->hedge_ms = now + L1_HEDGE_MS;
}

static uint64_t send_ask(struct ask *a, uint64_t now)
{
	uint64_t next = a->deadline_ms;
	if (a->rule == QUORUM_PROVED) {
		wake_next(a, now);
	}
	if ((a->rule == QUORUM_PROVED || ask_is_median(a)) &&
	    now < a->hedge_ms && a->hedge_ms < next)
		next = a->hedge_ms;
	for (size_t i = 0; i < a->n_slots; i++) {
		struct slot *s = &a->slots[i];
		if (a->rule == QUORUM_AGREE && s->state == SLOT_IDLE &&
		    provider_usable(s->provider, now))
			s->state = SLOT_WAITS;
		if (s->state != SLOT_WAITS)
			continue;
		uint64_t at = send_slot(s, now);
		next = at < next ? at : next;
	}
	return next > now ? next : now + 1;
}

static void add_slots(struct quorum *q, struct ask *a, uint64_t now)
{
	for (size_t i = 0; i < q->n; i++) {
		struct provider *p = &q->providers[i];
		bool usable = provider_usable(p, now);
		if (a->rule == QUORUM_BROADCAST)
			usable = !p->wrong_chain;
		if (a->rule == QUORUM_PROVED)
			usable = may_prove(p, now);
		if (provider_lacking(p, a->lacks, now))
			usable = false;
		if (a->only && p != a->only)
			continue;
		struct slot *s = &a->slots[a->n_slots++];
		*s = (struct slot){.ask = a, .provider = p};
		if (!usable && provider_is_new(p) &&
		    (a->rule == QUORUM_AGREE || a->rule == QUORUM_PROVED))
			s->state = SLOT_IDLE;
		else if (!usable)
			s->state = SLOT_FAILED;
		else if (a->rule != QUORUM_PROVED)
			s->state = SLOT_WAITS;
	}
}

/* what: its rule, whom to call back, and its deadline counted from now. */
static enum err start(struct quorum *q, const struct rpc_call *calls, size_t n,
		      const struct ask *what)
{
	assert(n > 0);
	if (n > QUORUM_CALLS_MAX)
		return ERR_TOO_LARGE;
	if (q->n_asks >= L1_ASKS_MAX)
		return ERR_BUSY;
	uint64_t now = clock_mono_ms();
	struct ask *a = calloc(1, sizeof(*a));
	struct rpc_call *copy = calloc(n, sizeof(*copy));
	struct settled *settled = calloc(n, sizeof(*settled));
	if (!a || !copy || !settled)
		abort();
	*a = *what;
	a->q = q;
	a->deadline_ms += now;
	a->hedge_ms = a->rule == QUORUM_PROVED ? 0 : now + L1_HEDGE_MS;
	a->reply_max = rpc_reply_max(calls, n);
	a->n = n;
	a->calls = copy;
	a->settled = settled;
	buf_init(&a->body, L1_REPLY_MAX);
	rpc_body(&a->body, calls, n);
	if (a->body.failed) {
		ask_free(a);
		return ERR_TOO_LARGE;
	}
	for (size_t i = 0; i < n; i++) {
		copy[i] = calls[i];
		copy[i].params = slice_of(NULL, 0);
	}
	add_slots(q, a, now);
	a->next = q->first;
	q->first = a;
	q->n_asks++;
	(void)send_ask(a, now);
	return OK;
}

enum err quorum_ask(struct quorum *q, const struct rpc_call *calls, size_t n,
		    enum quorum_rule rule, uint64_t deadline_ms,
		    quorum_done *done, void *ctx)
{
	const struct ask what = {.rule = rule,
				 .done = done,
				 .ctx = ctx,
				 .deadline_ms = deadline_ms};
	assert(rule != QUORUM_PROVED);
	return start(q, calls, n, &what);
}

enum err quorum_prove(struct quorum *q, const struct rpc_call *calls, size_t n,
		      const char *lacks, quorum_verify *verify,
		      uint64_t deadline_ms, quorum_done *done, void *ctx)
{
	const struct ask what = {.rule = QUORUM_PROVED,
				 .verify = verify,
				 .lacks = lacks,
				 .done = done,
				 .ctx = ctx,
				 .deadline_ms = deadline_ms};
	return start(q, calls, n, &what);
}

enum err quorum_prove_by(struct quorum *q, size_t provider,
			 const struct rpc_call *calls, size_t n,
			 const char *lacks, quorum_verify *verify,
			 uint64_t deadline_ms, quorum_done *done, void *ctx)
{
	const struct ask what = {.rule = QUORUM_PROVED,
				 .verify = verify,
				 .lacks = lacks,
				 .only = &q->providers[provider],
				 .done = done,
				 .ctx = ctx,
				 .deadline_ms = deadline_ms};
	assert(provider < q->n);
	return start(q, calls, n, &what);
}

void quorum_cancel(struct quorum *q, void *ctx)
{
	for (struct ask *a = q->first; a; a = a->next) {
		if (a->ctx != ctx || a->over)
			continue;
		set_over(a); /* settles nothing, accuses nobody */
		for (size_t i = 0; i < a->n_slots; i++) {
			struct slot *s = &a->slots[i];
			if (s->state == SLOT_SENT)
				http_client_cancel(s->provider->http, s);
			s->state = SLOT_FAILED;
		}
	}
}

static bool is_finished(const struct ask *a, uint64_t now)
{
	if (!a->over)
		return false;
	for (size_t i = 0; i < a->n_slots && now < a->deadline_ms; i++)
		if (a->slots[i].state == SLOT_SENT ||
		    (a->slots[i].state == SLOT_WAITS &&
		     a->rule == QUORUM_BROADCAST))
			return false;
	return true;
}

/* The oldest ask that is over and only listens, when too many do. */
static struct ask *surplus(const struct quorum *q)
{
	struct ask *oldest = NULL;
	if (q->n_over <= L1_LINGER_MAX)
		return NULL;
	for (struct ask *a = q->first; a; a = a->next)
		if (a->over && a->rule != QUORUM_BROADCAST)
			oldest = a;
	return oldest;
}

static void drop(struct quorum *q, struct ask *a)
{
	struct ask **at = &q->first;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	q->n_over--;
	ask_free(a);
}

static void reap(struct quorum *q, uint64_t now)
{
	struct ask *next;
	for (struct ask *a = q->first; a; a = next) {
		next = a->next;
		if (is_finished(a, now))
			drop(q, a);
	}
	for (struct ask *a = surplus(q); a; a = surplus(q))
		drop(q, a);
}

uint64_t quorum_turn(struct quorum *q, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	/* a callback may ask anew (in front) or cancel, never free */
	for (struct ask *a = q->first; a; a = a->next) {
		if (!a->over && ask_settle(a, now)) {
			call_back(a, now);
			next = now + 1;
		}
		/* a broadcast goes to everybody, accepted or not */
		if (a->over && a->rule != QUORUM_BROADCAST)
			continue;
		uint64_t at = send_ask(a, now);
		next = at < next ? at : next;
	}
	for (struct ask *a = q->first; a; a = a->next)
		if (a->deadline_ms < next)
			next = a->deadline_ms;
	reap(q, now);
	return next;
}
