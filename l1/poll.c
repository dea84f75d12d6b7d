#include "l1/poll.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/hex.h"
#include "l1/rpc.h"
#include "sys/clock.h"

#define CALLS_MAX (4 + 2 * L1_FILL_MAX)

void poll_init(struct poll *p, struct provider *provider,
	       const struct settings *settings)
{
	*p = (struct poll){.provider = provider, .settings = settings};
}

/* ---- what comes back ----------------------------------------------------- */

static void check_identity(struct poll *p, const struct rpc_reply *reply,
			   uint64_t now)
{
	struct provider *to = p->provider;
	const struct settings_chain *chain = &p->settings->chain;
	struct json_reader r = {0};
	struct rpc_block genesis;
	uint64_t id = json_quantity(&r, reply->answers[0].result, NULL);
	if (r.failed || !rpc_block_read(reply->answers[1].result, &genesis)) {
		provider_failed(to, now, FAULT_NO_BLOCK,
				"does not tell its chain id and "
				"block 0");
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
			       "its genesis block is %s",
			       hash_text(genesis.ref.hash).s);
	} else {
		to->pinned = true;
		to->why[0] = '\0';
	}
}

static const char *depth_name(const struct poll *p)
{
	switch ((enum settings_act_on)p->settings->chain.act_on) {
	case ACT_ON_FINALIZED:
		return "finalized";
	case ACT_ON_SAFE:
		return "safe";
	case ACT_ON_CONFIRMATIONS:
		break;
	}
	return "confirmed";
}

/* It contradicts what it called final itself. */
static void took_back(struct provider *to, const struct sightings *before,
		      const struct rpc_answer *answer,
		      const struct rpc_block *block, const char *depth,
		      uint64_t now)
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
		      "it named another %s block around %" PRIu64 " before",
		      depth, block->ref.number);
	buf_done(&said);
	buf_done(&stood);
}

static void take_acted(struct poll *p, const struct rpc_answer *answer,
		       uint64_t now)
{
	struct provider *to = p->provider;
	struct rpc_block block;
	char why[160];
	if (!rpc_block_read(answer->result, &block)) {
		(void)snprintf(why, sizeof(why), "tells no %s block: %.100s",
			       depth_name(p), answer->text);
		provider_failed(to, now, FAULT_NO_BLOCK, why);
		return;
	}
	/* so deep a reorganisation is bad, but no lie */
	const struct sightings before = to->acted;
	provider_said(to, &block, answer->result);
	if (sightings_add(&to->acted, &block) ||
	    p->settings->chain.act_on == ACT_ON_CONFIRMATIONS)
		return;
	took_back(to, &before, answer, &block, depth_name(p), now);
}

static void take_blocks(struct poll *p, const struct rpc_reply *reply,
			size_t at, uint64_t now)
{
	struct provider *to = p->provider;
	struct rpc_block block;
	if (rpc_block_read(reply->answers[at++].result, &block)) {
		provider_said(to, &block, reply->answers[at - 1].result);
		(void)sightings_add(&to->latest, &block);
	} else {
		const struct rpc_answer *x = &reply->answers[at - 1];
		provider_failed(to, now, FAULT_NO_BLOCK,
				*x->text ? x->text : "does not tell its head");
		return;
	}
	for (size_t i = 0; i < p->n_latest + p->n_acted; i++) {
		const json_node *node = reply->answers[at++].result;
		if (!rpc_block_read(node, &block))
			continue;
		provider_said(to, &block, node);
		(void)sightings_fill(i < p->n_latest ? &to->latest : &to->acted,
				     &block);
	}
	if (p->has_depth)
		take_acted(p, &reply->answers[at], now);
}

static void on_reply(void *ctx, const struct http_reply *http)
{
	struct poll *p = ctx;
	struct rpc_reply reply;
	uint64_t now = clock_mono_ms();
	p->asked = false;
	p->answered = true;
	if (provider_take(p->provider, http, p->n, now, &reply))
		return;
	if (p->identity)
		check_identity(p, &reply, now);
	if (p->provider->pinned && !p->provider->wrong_chain)
		take_blocks(p, &reply, p->identity ? 2 : 0, now);
	rpc_reply_done(&reply);
}

/* ---- what is asked --------------------------------------------------------
 */

static void add_call(struct rpc_call *calls, struct buf *params, size_t *n,
		     const char *tag, uint64_t number)
{
	assert(*n < CALLS_MAX);
	buf_init(&params[*n], 64);
	if (tag)
		rpc_params_tag(&params[*n], tag);
	else
		rpc_params_block(&params[*n], number);
	calls[*n] = (struct rpc_call){.method = "eth_getBlockByNumber",
				      .params = buf_slice(&params[*n])};
	++*n;
}

static void add_depth(struct poll *p, struct rpc_call *calls,
		      struct buf *params, size_t *n)
{
	const struct settings_chain *chain = &p->settings->chain;
	uint64_t top = p->provider->latest.top;
	p->has_depth = true;
	if (chain->act_on == ACT_ON_FINALIZED)
		add_call(calls, params, n, "finalized", 0);
	else if (chain->act_on == ACT_ON_SAFE)
		add_call(calls, params, n, "safe", 0);
	else if (p->provider->latest.n)
		add_call(calls, params, n, NULL,
			 top > chain->confirmations ? top - chain->confirmations
						    : 0);
	else
		p->has_depth = false; /* its head comes first */
}

static enum err start(struct poll *p, const struct voice *latest,
		      const struct voice *acted, size_t n_voices, size_t i,
		      uint64_t now)
{
	struct rpc_call calls[CALLS_MAX];
	struct buf params[CALLS_MAX], body;
	size_t n = 0;
	p->identity = !p->provider->pinned;
	if (p->identity) {
		buf_init(&params[n], 8);
		calls[n++] = (struct rpc_call){.method = "eth_chainId",
					       .params = slice_str("[]")};
		add_call(calls, params, &n, NULL, 0);
	}
	add_call(calls, params, &n, "latest", 0);
	p->n_latest = heads_missing(latest, n_voices, i, p->fill, L1_FILL_MAX);
	p->n_acted = heads_missing(acted, n_voices, i, p->fill + p->n_latest,
				   L1_FILL_MAX);
	for (size_t k = 0; k < p->n_latest + p->n_acted; k++)
		add_call(calls, params, &n, NULL, p->fill[k]);
	add_depth(p, calls, params, &n);
	p->n = n;
	buf_init(&body, 8192);
	rpc_body(&body, calls, n);
	assert(!body.failed);
	enum err err = provider_post(
		p->provider, buf_slice(&body), rpc_reply_max(calls, n),
		p->provider->settings->timeout_ms, now, on_reply, p);
	buf_done(&body);
	for (size_t k = 0; k < n; k++)
		buf_done(&params[k]);
	return err;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t poll_turn(struct poll *p, const struct voice *latest,
		   const struct voice *acted, size_t n, size_t i, uint64_t now)
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
	if (start(p, latest, acted, n, i, now))
		return now + 10; /* every transfer is taken */
	p->asked = true;
	to->poll_at_ms = UINT64_MAX;
	p->next_ms = now + p->settings->poll_ms;
	return p->next_ms;
}
