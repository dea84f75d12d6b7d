/* From what providers said to what is so: the agreed head, the agreed block
 * to act on, who contradicts it, and whether L1 is healthy. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "l1/l1_impl.h"

static bool provider_counts(const struct provider *p, uint64_t now)
{
	return p->pinned && !p->wrong_chain && !provider_lying(p, now);
}

void view_init(struct l1 *l1, uint64_t now)
{
	struct l1_view *v = &l1->view;
	const struct settings_chain *chain = &l1->settings->chain;
	static const char *const tags[] = {"finalized", "safe"};
	if (chain->act_on == ACT_ON_CONFIRMATIONS)
		(void)snprintf(v->depth, sizeof(v->depth),
			       "%" PRIu64 " confirmations",
			       chain->confirmations);
	else
		(void)snprintf(v->depth, sizeof(v->depth), "%s",
			       tags[chain->act_on == ACT_ON_SAFE]);
	if (chain->genesis_set)
		l1->genesis = chain->genesis;
	v->n = l1->n;
	v->seen_at_ms = l1->head_at_ms = now;
	(void)snprintf(v->why, sizeof(v->why), "no provider asked yet");
	for (size_t i = 0; i < l1->n; i++)
		v->providers[i].name = l1->providers[i].settings->name;
	view_update(l1, now);
}

void view_voices(struct l1 *l1, uint64_t now, struct voice *latest,
		 struct voice *acted)
{
	for (size_t i = 0; i < l1->n; i++) {
		struct provider *p = &l1->providers[i];
		uint64_t weight =
			provider_counts(p, now) ? p->settings->weight : 0;
		latest[i] = (struct voice){.sightings = &p->latest,
					   .weight = weight,
					   .awaited = provider_is_new(p)};
		acted[i] = latest[i];
		acted[i].sightings = &p->acted;
		acted[i].more = &p->latest;
	}
}

/* Without a configured chain id the quorum's counts. */
static void judge_chain(struct l1 *l1)
{
	if (l1->settings->chain.id)
		return; /* judged when it was told */
	for (size_t i = 0; i < l1->n && !l1->chain_id; i++) {
		uint64_t weight = 0;
		for (size_t j = 0; j < l1->n; j++)
			if (l1->providers[j].pinned &&
			    l1->providers[j].chain_id ==
				    l1->providers[i].chain_id)
				weight += l1->providers[j].settings->weight;
		if (l1->providers[i].pinned &&
		    weight >= l1->settings->providers.quorum)
			l1->chain_id = l1->providers[i].chain_id;
	}
	for (size_t i = 0; i < l1->n && l1->chain_id; i++) {
		struct provider *p = &l1->providers[i];
		if (!p->pinned || p->wrong_chain || p->chain_id == l1->chain_id)
			continue;
		p->wrong_chain = true;
		(void)snprintf(p->why, sizeof(p->why),
			       "its chain id is %" PRIu64
			       ", the quorum's %" PRIu64,
			       p->chain_id, l1->chain_id);
	}
}

/* Without a configured genesis the quorum's counts. */
static void judge_genesis(struct l1 *l1)
{
	for (size_t i = 0; i < l1->n && hash_is_zero(l1->genesis); i++) {
		uint64_t weight = 0;
		for (size_t j = 0; j < l1->n; j++)
			if (l1->providers[j].pinned &&
			    hash_eq(l1->providers[j].genesis,
				    l1->providers[i].genesis))
				weight += l1->providers[j].settings->weight;
		if (l1->providers[i].pinned &&
		    weight >= l1->settings->providers.quorum)
			l1->genesis = l1->providers[i].genesis;
	}
	if (hash_is_zero(l1->genesis))
		return;
	for (size_t i = 0; i < l1->n; i++) {
		struct provider *p = &l1->providers[i];
		if (!p->pinned || p->wrong_chain ||
		    hash_eq(p->genesis, l1->genesis))
			continue;
		p->wrong_chain = true;
		(void)snprintf(p->why, sizeof(p->why),
			       "its genesis block is %s, the quorum's another",
			       hash_text(p->genesis).s);
	}
}

static void judge_head(struct l1 *l1, const struct voice *voices, uint64_t now)
{
	struct rpc_block head;
	if (!heads_agree(voices, l1->n, l1->settings->providers.quorum, &head))
		return;
	if (hash_eq(head.ref.hash, l1->view.head.hash))
		return;
	l1->view.head = head.ref;
	l1->view.base_fee = head.base_fee;
	l1->head_at_ms = now;
}

/* Older than what we have and not contradicting it: a load balancer's node
 * lags.  `finalized` is not monotone. */
static bool is_old(const struct l1 *l1, const struct block_ref *block)
{
	struct hash32 hash;
	if (block->number >= l1->view.acted.number)
		return hash_eq(block->hash, l1->view.acted.hash);
	return !sightings_at(&l1->agreed, block->number, &hash) ||
	       hash_eq(hash, block->hash);
}

static void judge_acted(struct l1 *l1, const struct voice *voices, uint64_t now)
{
	struct rpc_block block;
	if (!heads_agree(voices, l1->n, l1->settings->providers.quorum,
			 &block) ||
	    (l1->agreed.n && is_old(l1, &block.ref)))
		return;
	/* forgets by itself what the new block contradicts */
	(void)sightings_add(&l1->agreed, &block);
	l1->view.acted = block.ref;
	l1->view.seen_at_ms = now;
	l1->dispute_at_ms = 0;
}

/* What it says against what a quorum agreed on; false: nothing. */
static bool find_contradiction(const struct l1 *l1, const struct provider *p,
			       struct block_ref *ret, struct hash32 *ret_says)
{
	for (size_t j = 0; j < l1->agreed.n; j++) {
		const struct block_ref *b = &l1->agreed.seen[j].ref;
		if (!sightings_at(&p->acted, b->number, ret_says) ||
		    hash_eq(*ret_says, b->hash))
			continue;
		*ret = *b;
		return true;
	}
	return false;
}

static bool has_forged(const struct provider *p, const struct rpc_block *agreed)
{
	return sightings_forged(&p->latest, agreed) ||
	       sightings_forged(&p->acted, agreed);
}

/* Another time or base fee under a hash that a quorum agreed on: no node and
 * no reorganisation brings that about. */
static void judge_forgers(struct l1 *l1, uint64_t now)
{
	const struct rpc_block head = {.ref = l1->view.head,
				       .base_fee = l1->view.base_fee};
	for (size_t i = 0; i < l1->n; i++) {
		struct provider *p = &l1->providers[i];
		const struct rpc_block *block = NULL;
		if (!provider_counts(p, now))
			continue;
		if (has_forged(p, &head))
			block = &head;
		for (size_t j = 0; j < l1->agreed.n && !block; j++)
			if (has_forged(p, &l1->agreed.seen[j]))
				block = &l1->agreed.seen[j];
		if (block)
			view_accuse(l1, p, LIE_FORGED_HEADER, &block->ref,
				    block->ref.hash, now);
	}
}

/* A contradiction that lasts is a lie; one that the others soon share was a
 * deep reorganisation. */
static void judge_liars(struct l1 *l1, uint64_t now)
{
	uint64_t patience = 2 * l1->settings->poll_ms;
	if (patience < L1_DISPUTE_MS)
		patience = L1_DISPUTE_MS;
	for (size_t i = 0; i < l1->n; i++) {
		struct provider *p = &l1->providers[i];
		struct block_ref b;
		struct hash32 says;
		if (!provider_counts(p, now) ||
		    !find_contradiction(l1, p, &b, &says)) {
			p->contradicts_at_ms = 0;
			continue;
		}
		if (!p->contradicts_at_ms)
			p->contradicts_at_ms = now;
		if (now - p->contradicts_at_ms < patience)
			continue;
		view_accuse(l1, p, LIE_OTHER_BLOCK, &b, says, now);
	}
}

/* Two that count contradict each other above the acted block. */
static bool find_dispute(struct l1 *l1, const struct voice *voices, char *why,
			 size_t size)
{
	for (size_t i = 0; i < l1->n; i++) {
		const struct sightings *s = voices[i].sightings;
		uint64_t number = s->top;
		if (!voices[i].weight || number <= l1->view.acted.number)
			continue;
		for (size_t j = 0; j < l1->n; j++) {
			if (!voices[j].weight ||
			    !sightings_dispute(s, voices[j].sightings, number))
				continue;
			(void)snprintf(why, size,
				       "%s and %s contradict each "
				       "other about block %" PRIu64,
				       l1->view.providers[i].name,
				       l1->view.providers[j].name, number);
			return true;
		}
	}
	return false;
}

static uint64_t stale_after(const struct l1 *l1, uint64_t at_least)
{
	uint64_t polls = 10 * l1->settings->poll_ms;
	return polls > at_least ? polls : at_least;
}

/* "1 of 3 providers usable, 2 must agree: b is down (…)" */
static void name_missing(struct l1 *l1, uint64_t weight, uint64_t now, char *to,
			 size_t size)
{
	size_t usable = 0;
	for (size_t i = 0; i < l1->n; i++)
		usable += provider_usable(&l1->providers[i], now);
	int used =
		snprintf(to, size,
			 "%zu of %zu L1 endpoints usable (weight %" PRIu64
			 "), weight %" PRIu64 " must agree",
			 usable, l1->n, weight, l1->settings->providers.quorum);
	for (size_t i = 0; i < l1->n; i++) {
		const struct provider *p = &l1->providers[i];
		if (provider_usable(p, now) || used < 0 || (size_t)used >= size)
			continue;
		used += snprintf(to + used, size - (size_t)used, "; %s: %s",
				 p->settings->name, p->why);
	}
}

/* Fills why; "" when healthy. */
static void judge_health(struct l1 *l1, const struct voice *acted, uint64_t now)
{
	struct l1_view *v = &l1->view;
	uint64_t weight = 0;
	for (size_t i = 0; i < l1->n; i++)
		if (provider_usable(&l1->providers[i], now))
			weight += l1->providers[i].settings->weight;
	bool dispute = find_dispute(l1, acted, v->why, sizeof(v->why));
	if (!dispute)
		l1->dispute_at_ms = 0;
	else if (!l1->dispute_at_ms)
		l1->dispute_at_ms = now;
	v->healthy = false;
	if (weight < l1->settings->providers.quorum)
		name_missing(l1, weight, now, v->why, sizeof(v->why));
	else if (dispute && now - l1->dispute_at_ms >= L1_DISPUTE_MS)
		return;
	else if (hash_is_zero(l1->genesis))
		(void)snprintf(v->why, sizeof(v->why),
			       "no quorum on the genesis block");
	else if (hash_is_zero(v->acted.hash) || hash_is_zero(v->head.hash))
		(void)snprintf(v->why, sizeof(v->why),
			       "no quorum on a %s "
			       "block yet",
			       v->depth);
	else if (now - l1->head_at_ms > stale_after(l1, L1_HEAD_STALE_MS))
		(void)snprintf(v->why, sizeof(v->why),
			       "the head has stood at "
			       "block %" PRIu64 " for %" PRIu64 " s",
			       v->head.number, (now - l1->head_at_ms) / 1000);
	else if (now - v->seen_at_ms > stale_after(l1, L1_ACTED_STALE_MS))
		(void)snprintf(v->why, sizeof(v->why),
			       "the %s block has "
			       "stood at %" PRIu64 " for %" PRIu64 " s",
			       v->depth, v->acted.number,
			       (now - v->seen_at_ms) / 1000);
	else
		v->healthy = true;
	if (v->healthy)
		v->why[0] = '\0';
}

static void fill_provider(struct l1 *l1, size_t i, uint64_t now)
{
	const struct provider *p = &l1->providers[i];
	struct l1_provider_view *to = &l1->view.providers[i];
	bool behind = l1->view.head.number > p->latest.top + L1_SLOW_BLOCKS;
	(void)snprintf(to->why, sizeof(to->why), "%s", p->why);
	to->head = p->latest.n ? p->latest.top : 0;
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
	if (p->wrong_chain)
		to->state = "wrong_chain";
	else if (provider_lying(p, now))
		to->state = "lying";
	else if (p->failures)
		to->state = "down";
	else if (!p->pinned)
		to->state = "new";
	else if (behind || p->latency_ms > L1_SLOW_MS)
		to->state = "slow";
	else
		to->state = "good";
	if (strcmp(to->state, "slow"))
		return;
	if (behind)
		(void)snprintf(to->why, sizeof(to->why),
			       "%" PRIu64 " blocks behind",
			       l1->view.head.number - p->latest.top);
	else
		(void)snprintf(to->why, sizeof(to->why), "takes %" PRIu64 " ms",
			       p->latency_ms);
}

uint64_t view_update(struct l1 *l1, uint64_t now)
{
	struct voice latest[QUORUM_PROVIDERS_MAX], acted[QUORUM_PROVIDERS_MAX];
	bool news = false;
	for (size_t i = 0; i < l1->n; i++) {
		news |= l1->polls[i].answered;
		l1->polls[i].answered = false;
	}
	if (news) {
		judge_chain(l1);
		judge_genesis(l1);
		view_voices(l1, now, latest, acted);
		judge_head(l1, latest, now);
		judge_acted(l1, acted, now);
		judge_forgers(l1, now);
		judge_liars(l1, now);
	}
	view_voices(l1, now, latest, acted);
	judge_health(l1, acted, now);
	for (size_t i = 0; i < l1->n; i++) {
		provider_back(&l1->providers[i], now);
		fill_provider(l1, i, now);
	}
	return now + 1000; /* ages are told by the second */
}
