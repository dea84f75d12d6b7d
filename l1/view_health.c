/* How well L1 is seen: who agrees, whether it moves, and what is amiss. */
#include <inttypes.h>
#include <stdio.h>

#include "l1/l1_impl.h"
#include "sys/clock.h"

struct agreement {
	enum stance stances[QUORUM_PROVIDERS_MAX];
	uint64_t heard, agree; /* weights */
};

static struct agreement judge_agreement(const struct l1 *l1, uint64_t now)
{
	struct agreement a = {0};
	for (size_t i = 0; i < l1->n; i++) {
		uint64_t weight = l1->providers[i].settings->weight;
		a.stances[i] = view_stance(l1, i, now);
		if (a.stances[i] != STANCE_SILENT)
			a.heard += weight;
		if (a.stances[i] == STANCE_AGREES)
			a.agree += weight;
	}
	return a;
}

/* ---- why not ------------------------------------------------------------- */

struct text {
	char *to;
	size_t size, used;
};

static void PRINTF_LIKE(2, 3) add(struct text *t, const char *format, ...)
{
	va_list args;
	if (t->used >= t->size)
		return;
	va_start(args, format);
	int len = vsnprintf(t->to + t->used, t->size - t->used, format, args);
	va_end(args);
	t->used += len > 0 ? (size_t)len : 0;
}

/* "; b: connection refused; c: shows another block 9", of those who do not
 * agree. */
static void name_others(const struct l1 *l1, const struct agreement *a,
			struct text *t, bool silent_only)
{
	for (size_t i = 0; i < l1->n; i++) {
		const struct provider *p = &l1->providers[i];
		const char *why = p->why;
		if (a->stances[i] == STANCE_AGREES ||
		    (silent_only && a->stances[i] != STANCE_SILENT))
			continue;
		add(t, "; %s: ", p->settings->name);
		if (a->stances[i] == STANCE_ELSEWHERE)
			add(t, "shows another block %" PRIu64,
			    p->at_acted.number);
		else if (!*why && a->stances[i] == STANCE_LAGS)
			add(t, "does not know it yet");
		else
			add(t, "%.100s", *why ? why : "does not answer");
	}
}

static void name_silent(const struct l1 *l1, const struct agreement *a,
			struct text *t)
{
	size_t heard = 0;
	for (size_t i = 0; i < l1->n; i++)
		heard += a->stances[i] != STANCE_SILENT;
	add(t,
	    "%zu of %zu L1 endpoints answer (weight %" PRIu64 "), weight "
	    "%" PRIu64 " must agree",
	    heard, l1->n, a->heard, l1->view.quorum);
	name_others(l1, a, t, true);
}

static void name_no_block(const struct l1 *l1, uint64_t now, struct text *t)
{
	enum depth depth = l1->depth;
	uint64_t tellers = view_tellers(l1, now, depth);
	if (!depth_has_tag(depth) || tellers >= l1->view.quorum)
		add(t, "no quorum on a %s block yet", l1->view.depth);
	else if (!tellers)
		add(t,
		    "no provider tells a %s block: set chain.act_on: "
		    "confirmations",
		    depth_tag(depth));
	else
		add(t,
		    "only providers of weight %" PRIu64 " tell a %s block, "
		    "weight %" PRIu64 " must: set chain.act_on: confirmations",
		    tellers, depth_tag(depth), l1->view.quorum);
}

/* The first quorum that there ought to be and is not; false: there are all. */
static bool lacks_quorum(struct l1 *l1, const struct agreement *a,
			 struct text *t, uint64_t now)
{
	struct l1_view *v = &l1->view;
	struct voice acted[QUORUM_PROVIDERS_MAX];
	struct heads_split split;
	view_voices(l1, now, l1->depth, acted);
	for (size_t i = 0; i < l1->n; i++)
		if (a->stances[i] == STANCE_SILENT)
			acted[i].weight = 0;
	bool is_split =
		heads_split(acted, l1->n, v->quorum, v->acted.number, &split);
	if (!is_split)
		l1->split_at_ms = 0;
	else if (!l1->split_at_ms)
		l1->split_at_ms = now;
	if (a->heard < v->quorum)
		name_silent(l1, a, t);
	else if (is_split && now - l1->split_at_ms >= L1_DISPUTE_MS)
		add(t, "%s and %s contradict each other about block %" PRIu64,
		    v->providers[split.a].name, v->providers[split.b].name,
		    split.number);
	else if (hash_is_zero(l1->genesis))
		add(t, "no quorum on the genesis block");
	else if (hash_is_zero(v->acted.hash) || hash_is_zero(v->head.hash))
		name_no_block(l1, now, t);
	else if (a->agree < v->quorum) {
		add(t,
		    "weight %" PRIu64 " agrees on block %" PRIu64 ", "
		    "%" PRIu64 " must",
		    a->agree, v->acted.number, v->quorum);
		name_others(l1, a, t, false);
	} else
		return false;
	return true;
}

static uint64_t stale_after(const struct l1 *l1, uint64_t at_least)
{
	uint64_t polls = 10 * l1->settings->poll_ms;
	return polls > at_least ? polls : at_least;
}

/* It stands still.  The local clock only measures for how long nothing moved;
 * how old finality is, the blocks' own times tell. */
static bool stands_still(const struct l1 *l1, struct text *t, uint64_t now)
{
	const struct l1_view *v = &l1->view;
	uint64_t head_ms = now - l1->head_at_ms, acted_ms = now - v->seen_at_ms;
	uint64_t lag_s =
		v->head.time > v->acted.time ? v->head.time - v->acted.time : 0;
	if (head_ms > stale_after(l1, L1_HEAD_STALE_MS))
		add(t,
		    "the head has stood at block %" PRIu64 " for %" PRIu64 " s",
		    v->head.number, head_ms / 1000);
	else if (acted_ms > stale_after(l1, L1_ACTED_STALE_MS))
		add(t,
		    "the %s block has stood at %" PRIu64 " for %" PRIu64 " s",
		    v->depth, v->acted.number, acted_ms / 1000);
	else if (acted_ms > stale_after(l1, L1_HEAD_STALE_MS) &&
		 lag_s > L1_ACTED_STALE_MS / 1000)
		add(t,
		    "the %s block %" PRIu64 " stands, %" PRIu64 " s behind the "
		    "head",
		    v->depth, v->acted.number, lag_s);
	else
		return false;
	return true;
}

/* ---- what else is told --------------------------------------------------- */

/* A head that moves has about the time of now.  What differs more is a clock
 * that is wrong, here or there, and nothing rests on ours. */
static void compare_clock(struct l1 *l1, uint64_t now)
{
	struct l1_view *v = &l1->view;
	bool ahead = v->head.time > v->unix_s;
	uint64_t off =
		ahead ? v->head.time - v->unix_s : v->unix_s - v->head.time;
	uint64_t stood = (now - l1->head_at_ms) / 1000;
	v->clock[0] = '\0';
	if (!hash_is_zero(v->head.hash) && off > L1_CLOCK_OFF_S + stood)
		(void)snprintf(v->clock, sizeof(v->clock),
			       "the head's timestamp is %" PRIu64 " s %s this "
			       "machine's clock: set the clock, or look at the "
			       "providers",
			       off, ahead ? "ahead of" : "behind");
}

static void tell_headers(struct l1 *l1)
{
	struct l1_view *v = &l1->view;
	v->headers[0] = '\0';
	for (enum depth d = 0; d < DEPTHS; d++) {
		const struct rpc_block *b = &l1->at[d];
		const char *why = "";
		if (hash_is_zero(b->ref.hash))
			continue;
		for (size_t i = 0; i < l1->n && b->newer; i++)
			if (*l1->providers[i].newer)
				why = l1->providers[i].newer;
		if (!b->newer && !*v->headers)
			(void)snprintf(v->headers, sizeof(v->headers),
				       "proved");
		else if (b->newer)
			(void)snprintf(v->headers, sizeof(v->headers),
				       "by quorum: %.180s", why);
	}
}

static const char *state_of(const struct l1 *l1, const struct provider *p,
			    enum stance stance, uint64_t now)
{
	if (p->wrong_chain)
		return "wrong_chain";
	if (provider_lying(p, now))
		return "lying";
	if (p->failures)
		return "down";
	if (!p->pinned)
		return "new";
	if (stance == STANCE_ELSEWHERE && l1->acted_depth != DEPTH_FINALIZED)
		return "forked";
	if (p->latency_ms > L1_SLOW_MS || (p->behind.blocks > L1_SLOW_BLOCKS &&
					   p->behind.seconds > L1_SLOW_S))
		return "slow";
	return "good";
}

static void fill_provider(struct l1 *l1, size_t i, enum stance stance,
			  uint64_t now)
{
	const struct provider *p = &l1->providers[i];
	struct l1_provider_view *to = &l1->view.providers[i];
	struct text lacks = {to->lacks, sizeof(to->lacks), 0};
	const struct sightings *latest = &p->said[DEPTH_LATEST];
	to->head = latest->n ? latest->top : 0;
	to->latency_ms = p->latency_ms;
	to->lying = provider_lying(p, now);
	to->expelled_l1_time = p->expelled.l1_time;
	to->expelled_at = p->expelled.since;
	to->expelled_until = p->expelled.until;
	to->expelled_for =
		p->expelled.since ? lie_kind_name(p->expelled.kind) : "";
	to->evidence = p->expelled.evidence;
	memcpy(to->faults, p->faults, sizeof(to->faults));
	to->expulsions = p->expelled.times;
	to->heard = stance != STANCE_SILENT;
	to->agrees = stance == STANCE_AGREES;
	to->state = state_of(l1, p, stance, now);
	to->lacks[0] = '\0';
	for (size_t k = 0; k < L1_LACKS_MAX; k++)
		if (provider_lacking(p, p->lacks[k].method, now))
			add(&lacks, "%s%s", lacks.used ? ", " : "",
			    p->lacks[k].method);
	(void)snprintf(to->why, sizeof(to->why), "%s", p->why);
	if (!strcmp(to->state, "forked"))
		(void)snprintf(to->why, sizeof(to->why),
			       "shows another block %" PRIu64,
			       p->at_acted.number);
	if (strcmp(to->state, "slow"))
		return;
	if (p->latency_ms > L1_SLOW_MS)
		(void)snprintf(to->why, sizeof(to->why), "takes %" PRIu64 " ms",
			       p->latency_ms);
	else
		(void)snprintf(to->why, sizeof(to->why),
			       "%" PRIu64 " blocks, %" PRIu64 " s behind",
			       p->behind.blocks, p->behind.seconds);
}

void view_judge_health(struct l1 *l1, uint64_t now)
{
	struct l1_view *v = &l1->view;
	struct agreement a = judge_agreement(l1, now);
	struct text why = {v->why, sizeof(v->why), 0};
	v->unix_s = clock_unix_ms() / 1000;
	v->agree = a.agree;
	v->why[0] = '\0';
	v->healthy = !lacks_quorum(l1, &a, &why, now) &&
		     !stands_still(l1, &why, now);
	compare_clock(l1, now);
	tell_headers(l1);
	for (size_t i = 0; i < l1->n; i++) {
		provider_back(&l1->providers[i], now);
		fill_provider(l1, i, a.stances[i], now);
	}
}
