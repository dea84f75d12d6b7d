#include "l1/poll.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/hex.h"
#include "l1/rpc.h"
#include "sys/clock.h"

#define BODY_MAX 16384

void poll_init(struct poll *p, struct provider *provider,
	       const struct settings *settings, uint64_t shift_ms)
{
	*p = (struct poll){.provider = provider,
			   .settings = settings,
			   .shift_ms = shift_ms};
}

void poll_done(struct poll *p)
{
	rpc_memo_done(&p->memo);
}

/* ---- what comes back ----------------------------------------------------- */

struct arrival { /* one reply */
	const struct rpc_reply *reply;
	size_t at; /* the next answer */
	uint64_t now_ms;
	enum fault fault;
	char why[160]; /* what was wrong with it; "" */
};

static void check_identity(struct poll *p, struct arrival *a)
{
	struct provider *to = p->provider;
	const struct settings_chain *chain = &p->settings->chain;
	const struct rpc_answer *answers = a->reply->answers;
	struct json_reader r = {0};
	struct rpc_block genesis;
	struct err_text why;
	uint64_t id = json_quantity(&r, answers[0].result, NULL);
	a->at = 2;
	if (r.failed || !rpc_block_read(answers[1].result, &genesis, &why) ||
	    genesis.ref.number) {
		(void)snprintf(a->why, sizeof(a->why),
			       "does not tell its chain id and block 0");
		return;
	}
	to->chain_id = id;
	to->genesis = genesis.ref.hash;
	if (chain->id && id != chain->id) {
		to->wrong_chain = true;
		(void)snprintf(to->why, sizeof(to->why),
			       "its chain id is %" PRIu64 ", not %" PRIu64, id,
			       chain->id);
	} else if (chain->genesis_set &&
		   !hash_eq(chain->genesis, genesis.ref.hash)) {
		to->wrong_chain = true;
		(void)snprintf(to->why, sizeof(to->why),
			       "its genesis block is %.10s…, chain.genesis is "
			       "another",
			       hash_text(genesis.ref.hash).s);
	} else {
		to->pinned = true;
		to->why[0] = '\0';
	}
}

/* What was proved of these bytes is not proved again. */
static bool read_block(struct poll *p, size_t at, struct rpc_block *ret,
		       struct err_text *why)
{
	struct rpc_block *known = &p->proved[at];
	if (!known->proved &&
	    !rpc_block_read(p->memo.reply.answers[at].result, ret, why))
		return false;
	if (known->proved)
		*ret = *known;
	else if (ret->proved)
		*known = *ret;
	return true;
}

/* false: there is none, or it may not count. */
static bool take_block(struct poll *p, struct arrival *a, struct rpc_block *ret)
{
	const struct rpc_answer *answer = &a->reply->answers[a->at];
	struct err_text why;
	if (!read_block(p, a->at++, ret, &why))
		return false;
	provider_said(p->provider, ret, answer->result);
	if (ret->proved || ret->newer) {
		if (ret->newer)
			(void)snprintf(p->provider->newer,
				       sizeof(p->provider->newer), "%.150s",
				       why.text);
		return true;
	}
	p->provider->unhashed = ret->ref;
	a->fault = FAULT_UNHASHED;
	(void)snprintf(a->why, sizeof(a->why),
		       "its block %" PRIu64 " does not hash to its hash: %.90s",
		       ret->ref.number, why.text);
	return false;
}

static void take_latest(struct poll *p, struct arrival *a)
{
	struct provider *to = p->provider;
	uint64_t confirmations = p->settings->chain.confirmations;
	const struct rpc_answer *answer = &a->reply->answers[a->at];
	struct rpc_block block;
	if (!take_block(p, a, &block)) {
		if (!a->why[0])
			(void)snprintf(a->why, sizeof(a->why), "%.150s",
				       answer->text[0]
					       ? answer->text
					       : "does not tell its head");
		return;
	}
	(void)sightings_add(&to->said[DEPTH_LATEST], &block);
	to->said[DEPTH_CONFIRMED].top =
		block.ref.number > confirmations
			? block.ref.number - confirmations
			: 0;
	to->said_at_ms = a->now_ms;
}

/* It contradicts what it called final itself. */
static void took_back(struct provider *to, const struct sightings *before,
		      const struct rpc_answer *answer,
		      const struct rpc_block *block, uint64_t now)
{
	struct hash32 earlier = {{0}};
	struct buf said, stood;
	uint64_t number = block->ref.number;
	if (!sightings_at(before, number, &earlier) && number)
		(void)sightings_at(before, --number, &earlier);
	const struct accusation what = {
		.kind = LIE_OTHER_FINALIZED,
		.number = block->ref.number,
		.method = "eth_getBlockByNumber",
		.against = slice_str(to->settings->name),
		.said = accuse_words(answer, &said),
		.stands = spoken_find(&to->spoken, number, earlier, &stood)};
	provider_lied(to, now, &what,
		      "it named another finalized block around %" PRIu64
		      " before",
		      block->ref.number);
	buf_done(&said);
	buf_done(&stood);
}

/* A node without the tag serves for what it has.  One that is broken altogether
 * did not tell its head either. */
static void take_tag(struct poll *p, struct arrival *a, enum depth depth)
{
	struct provider *to = p->provider;
	struct rpc_block block;
	const struct rpc_answer *answer = &a->reply->answers[a->at];
	const struct sightings before = to->said[depth];
	bool null = !json_has(answer->result, "hash");
	if (!take_block(p, a, &block)) {
		if (null && to->said_at_ms == a->now_ms)
			provider_lacks(to, depth_tag(depth), a->now_ms);
		return;
	}
	provider_has(to, depth_tag(depth));
	if (sightings_add(&to->said[depth], &block) ||
	    depth != DEPTH_FINALIZED ||
	    p->settings->chain.act_on == ACT_ON_CONFIRMATIONS)
		return;
	took_back(to, &before, answer, &block, a->now_ms);
}

static void take_number(struct poll *p, struct arrival *a, uint64_t number)
{
	struct provider *to = p->provider;
	struct rpc_block block;
	if (!take_block(p, a, &block))
		return; /* it does not know it yet */
	if (block.ref.number != number) {
		(void)snprintf(a->why, sizeof(a->why),
			       "asked for block %" PRIu64
			       " it answers with %" PRIu64,
			       number, block.ref.number);
		return;
	}
	(void)sightings_fill(&to->said[DEPTH_LATEST], &block);
	sightings_check(&to->said[DEPTH_SAFE], &block);
	/* by its own words this one is final too */
	if (to->said[DEPTH_FINALIZED].n &&
	    number <= to->said[DEPTH_FINALIZED].top)
		(void)sightings_fill(&to->said[DEPTH_FINALIZED], &block);
	if (number == p->acted)
		to->at_acted = block.ref;
}

static void take_blocks(struct poll *p, struct arrival *a)
{
	sightings_reply(&p->provider->said[DEPTH_LATEST]);
	take_latest(p, a);
	for (enum depth depth = 0; depth < DEPTHS; depth++)
		if (p->tags[depth])
			take_tag(p, a, depth);
	p->provider->at_acted = (struct block_ref){0};
	for (size_t i = 0; i < p->n_numbers; i++)
		take_number(p, a, p->numbers[i]);
}

/* How deep a block is shows when its head is told: what is deep enough now is
 * asked for at once, not a poll later. */
static void follow_up(struct poll *p, uint64_t now)
{
	const struct sightings *said = p->provider->said;
	bool asked = !p->by_number || !said[DEPTH_LATEST].n;
	for (size_t i = 0; i < p->n_numbers; i++)
		asked |= p->numbers[i] == said[DEPTH_CONFIRMED].top;
	if (!asked && !p->after_ms) {
		p->after_ms = p->next_ms;
		p->next_ms = now;
	} else {
		p->after_ms = 0;
	}
}

static void on_reply(void *ctx, const struct http_reply *http)
{
	struct poll *p = ctx;
	struct arrival a = {.reply = &p->memo.reply,
			    .now_ms = clock_mono_ms(),
			    .fault = FAULT_NO_BLOCK};
	p->asked = false;
	p->answered = true;
	if (provider_take_again(p->provider, http, p->n, a.now_ms, &p->memo))
		return;
	if (!p->memo.again)
		memset(p->proved, 0, sizeof(p->proved));
	if (p->identity)
		check_identity(p, &a);
	if (p->provider->pinned && !p->provider->wrong_chain)
		take_blocks(p, &a);
	if (a.why[0])
		provider_failed(p->provider, a.now_ms, a.fault, a.why);
	else
		follow_up(p, a.now_ms);
}

/* ---- what is asked --------------------------------------------------------
 */

struct batch {
	struct rpc_call calls[POLL_CALLS_MAX];
	struct buf params[POLL_CALLS_MAX];
	size_t n;
};

static void add_call(struct batch *b, const char *tag, uint64_t number)
{
	assert(b->n < POLL_CALLS_MAX);
	struct buf *params = &b->params[b->n];
	buf_init(params, 64);
	if (tag)
		rpc_params_tag(params, tag);
	else
		rpc_params_block(params, number);
	b->calls[b->n++] = (struct rpc_call){.method = "eth_getBlockByNumber",
					     .params = buf_slice(params)};
}

static void add_tags(struct poll *p, struct batch *b, enum depth acted,
		     uint64_t now)
{
	for (enum depth depth = 0; depth < DEPTHS; depth++) {
		const char *tag = depth_tag(depth);
		bool idle = depth != acted &&
			    (provider_lacking(p->provider, tag, now) ||
			     (p->tag_ms[depth] &&
			      now < p->tag_ms[depth] + L1_TAG_MS));
		p->tags[depth] = depth_has_tag(depth) && !idle;
		if (!p->tags[depth])
			continue;
		p->tag_ms[depth] = now;
		add_call(b, tag, 0);
	}
}

static void want_number(struct poll *p, uint64_t number)
{
	for (size_t i = 0; i < p->n_numbers; i++)
		if (p->numbers[i] == number)
			return;
	assert(p->n_numbers < POLL_NUMBERS_MAX);
	p->numbers[p->n_numbers++] = number;
}

static void want_numbers(struct poll *p, const struct poll_common *c, size_t i)
{
	const struct sightings *own = p->provider->said;
	uint64_t fill[L1_FILL_MAX];
	size_t n;
	p->n_numbers = 0;
	p->acted = 0;
	p->by_number = c->depth == DEPTH_CONFIRMED;
	if (p->by_number && own[DEPTH_LATEST].n)
		want_number(p, own[DEPTH_CONFIRMED].top);
	if (c->may_change && c->acted_on)
		want_number(p, p->acted = c->acted_on);
	n = heads_missing(c->latest, c->n, i, c->head, fill, L1_FILL_MAX);
	for (size_t k = 0; k < n; k++)
		want_number(p, fill[k]);
	n = heads_missing(c->acted, c->n, i, c->acted_on, fill, L1_FILL_MAX);
	for (size_t k = 0; k < n; k++)
		want_number(p, fill[k]);
}

static enum err start(struct poll *p, const struct poll_common *common,
		      size_t i, uint64_t now)
{
	struct batch b = {0};
	struct buf body;
	p->identity = !p->provider->pinned;
	if (p->identity) {
		b.calls[b.n++] = (struct rpc_call){.method = "eth_chainId",
						   .params = slice_str("[]")};
		add_call(&b, NULL, 0);
	}
	add_call(&b, "latest", 0);
	add_tags(p, &b, common->depth, now);
	want_numbers(p, common, i);
	for (size_t k = 0; k < p->n_numbers; k++)
		add_call(&b, NULL, p->numbers[k]);
	p->n = b.n;
	buf_init(&body, BODY_MAX);
	rpc_body(&body, b.calls, b.n);
	assert(!body.failed);
	enum err err = provider_post(
		p->provider, buf_slice(&body), rpc_reply_max(b.calls, b.n),
		p->provider->settings->timeout_ms, now, on_reply, p);
	buf_done(&body);
	for (size_t k = 0; k < b.n; k++)
		buf_done(&b.params[k]);
	return err;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t poll_turn(struct poll *p, const struct poll_common *common, size_t i,
		   uint64_t now)
{
	struct provider *to = p->provider;
	to->poll_at_ms = UINT64_MAX;
	if (to->wrong_chain)
		return UINT64_MAX;
	if (p->asked)
		return now + to->settings->timeout_ms;
	to->poll_at_ms = later(later(p->next_ms, to->backoff_until_ms),
			       to->lying_until_ms);
	uint64_t at = later(to->poll_at_ms, provider_rate_at(to, now));
	if (at > now)
		return at;
	if (start(p, common, i, now))
		return now + 10; /* every transfer is taken */
	p->asked = true;
	to->poll_at_ms = UINT64_MAX;
	if (p->after_ms > now) {
		p->next_ms = p->after_ms;
		return p->next_ms;
	}
	p->after_ms = 0;
	p->next_ms = now + p->settings->poll_ms - p->shift_ms;
	p->shift_ms = 0;
	return p->next_ms;
}
