/* From what providers said to what is so: the blocks agreed on at each depth,
 * and the one to act on. */
#include <inttypes.h>
#include <stdio.h>

#include "l1/l1_impl.h"

bool view_counts(const struct provider *p, uint64_t now)
{
	return p->pinned && !p->wrong_chain && !provider_lying(p, now);
}

static enum depth first_depth(const struct settings_chain *chain)
{
	switch ((enum settings_act_on)chain->act_on) {
	case ACT_ON_SAFE:
		return DEPTH_SAFE;
	case ACT_ON_CONFIRMATIONS:
		return DEPTH_CONFIRMED;
	case ACT_ON_AUTO:
	case ACT_ON_FINALIZED:
		break;
	}
	return DEPTH_FINALIZED;
}

static void name_depth(struct l1 *l1, enum depth depth)
{
	struct l1_view *v = &l1->view;
	l1->acted_depth = depth;
	if (depth == DEPTH_CONFIRMED)
		(void)snprintf(v->depth, sizeof(v->depth),
			       "%" PRIu64 " confirmations",
			       l1->settings->chain.confirmations);
	else
		(void)snprintf(v->depth, sizeof(v->depth), "%s",
			       depth_tag(depth));
}

void view_init(struct l1 *l1, uint64_t now)
{
	struct l1_view *v = &l1->view;
	const struct settings_chain *chain = &l1->settings->chain;
	l1->depth = first_depth(chain);
	name_depth(l1, l1->depth);
	(void)snprintf(v->depth_why, sizeof(v->depth_why), "chain.act_on");
	if (chain->genesis_set)
		l1->genesis = chain->genesis;
	v->n = l1->n;
	v->quorum = l1->settings->providers.quorum;
	v->seen_at_ms = l1->head_at_ms = now;
	for (size_t i = 0; i < l1->n; i++)
		v->providers[i].name = l1->providers[i].settings->name;
	view_update(l1, now);
}

void view_voices(const struct l1 *l1, uint64_t now, enum depth depth,
		 struct voice *voices)
{
	for (size_t i = 0; i < l1->n; i++) {
		const struct provider *p = &l1->providers[i];
		voices[i] = (struct voice){
			.sightings = &p->said[depth],
			.weight = view_counts(p, now) ? p->settings->weight : 0,
			.lacks = depth_has_tag(depth) &&
				 provider_lacking(p, depth_tag(depth), now)};
		if (!p->pinned && !p->wrong_chain)
			voices[i].unheard = p->settings->weight;
		if (depth != DEPTH_LATEST)
			voices[i].more = &p->said[DEPTH_LATEST];
	}
}

uint64_t view_tellers(const struct l1 *l1, uint64_t now, enum depth depth)
{
	uint64_t weight = 0;
	for (size_t i = 0; i < l1->n; i++) {
		const struct provider *p = &l1->providers[i];
		if (!p->wrong_chain &&
		    !(depth_has_tag(depth) &&
		      provider_lacking(p, depth_tag(depth), now)))
			weight += p->settings->weight;
	}
	return weight;
}

bool view_is_elsewhere(const struct l1 *l1, const struct provider *p,
		       struct hash32 *ret_acted)
{
	return !hash_is_zero(p->at_acted.hash) &&
	       sightings_at(&l1->acted, p->at_acted.number, ret_acted) &&
	       !hash_eq(*ret_acted, p->at_acted.hash);
}

enum stance view_stance(const struct l1 *l1, size_t i, uint64_t now)
{
	const struct provider *p = &l1->providers[i];
	const struct block_ref *acted = &l1->view.acted;
	uint64_t heard = L1_HEARD_POLLS * l1->settings->poll_ms;
	/* an answer may be of this very turn, and later than its beginning */
	uint64_t ago = now > p->said_at_ms ? now - p->said_at_ms : 0;
	struct voice voices[QUORUM_PROVIDERS_MAX];
	struct block_ref block;
	struct hash32 says;
	if (heard < L1_HEARD_MS)
		heard = L1_HEARD_MS;
	if (!view_counts(p, now) || !p->said_at_ms || ago > heard)
		return STANCE_SILENT;
	if (hash_is_zero(acted->hash))
		return STANCE_LAGS;
	if (l1->acted_depth == DEPTH_FINALIZED) {
		if (view_contradiction(l1, p, &block, &says))
			return STANCE_ELSEWHERE;
	} else if (view_is_elsewhere(l1, p, &says)) {
		return STANCE_ELSEWHERE;
	}
	view_voices(l1, now, l1->acted_depth, voices);
	return heads_shows(&voices[i], acted) ? STANCE_AGREES : STANCE_LAGS;
}

/* ---- what is agreed on --------------------------------------------------- */

static void judge_head(struct l1 *l1, const struct rpc_block *head,
		       uint64_t now)
{
	if (hash_eq(head->ref.hash, l1->view.head.hash))
		return;
	l1->view.head = head->ref;
	l1->view.base_fee = head->base_fee;
	l1->head_at_ms = now;
}

/* Older than what we have and not contradicting it: a load balancer's node
 * lags.  `finalized` is not monotone. */
static bool is_old(const struct l1 *l1, const struct block_ref *block)
{
	const struct block_ref *final = &l1->at[DEPTH_FINALIZED].ref;
	struct hash32 hash;
	if (block->number >= final->number)
		return hash_eq(block->hash, final->hash);
	return !sightings_at(&l1->final, block->number, &hash) ||
	       hash_eq(hash, block->hash);
}

static void judge_depth(struct l1 *l1, enum depth depth, uint64_t now)
{
	struct voice voices[QUORUM_PROVIDERS_MAX];
	struct rpc_block block;
	uint64_t quorum = l1->settings->providers.quorum;
	view_voices(l1, now, depth, voices);
	if (view_tellers(l1, now, depth) < quorum ||
	    !heads_agree(voices, l1->n, quorum, &block))
		return;
	if (depth == DEPTH_LATEST)
		judge_head(l1, &block, now);
	if (depth == DEPTH_FINALIZED) {
		if (l1->final.n && is_old(l1, &block.ref))
			return;
		/* forgets by itself what the new block contradicts */
		(void)sightings_add(&l1->final, &block);
	}
	l1->at[depth] = block;
}

/* Those who show another block in its place are a quorum: L1 undid it. */
static bool is_undone(const struct l1 *l1, uint64_t now)
{
	uint64_t weight = 0;
	for (size_t i = 0; i < l1->n; i++)
		if (view_stance(l1, i, now) == STANCE_ELSEWHERE)
			weight += l1->providers[i].settings->weight;
	return weight >= l1->settings->providers.quorum;
}

/* What was seen of this branch says nothing of the next. */
static void leave_branch(struct l1 *l1)
{
	l1->acted.n = l1->acted.at = 0;
	for (size_t i = 0; i < l1->n; i++)
		l1->providers[i].elsewhere_at_ms = 0;
}

static void judge_acted(struct l1 *l1, uint64_t now)
{
	struct l1_view *v = &l1->view;
	const struct block_ref *block = &l1->at[l1->depth].ref;
	if (hash_is_zero(block->hash))
		return;
	if (hash_eq(block->hash, v->acted.hash)) {
		name_depth(l1, l1->depth);
		return;
	}
	bool both_final = l1->acted_depth == DEPTH_FINALIZED &&
			  l1->depth == DEPTH_FINALIZED;
	bool undone = is_undone(l1, now);
	if (block->number < v->acted.number && !both_final && !undone)
		return;
	if (undone)
		leave_branch(l1);
	(void)sightings_add(&l1->acted, &l1->at[l1->depth]);
	v->acted = *block;
	v->seen_at_ms = now;
	name_depth(l1, l1->depth);
}

/* ---- how deep to act ----------------------------------------------------- */

static void choose_depth(struct l1 *l1)
{
	const struct block_ref *final = &l1->at[DEPTH_FINALIZED].ref;
	struct l1_view *v = &l1->view;
	if (l1->settings->chain.act_on != ACT_ON_AUTO ||
	    hash_is_zero(final->hash) || hash_is_zero(v->head.hash))
		return;
	uint64_t takes = finality_update(&l1->finality, &v->head, final);
	enum depth depth = depth_choose(l1->depth, takes, l1->sla_s);
	const char *note = "";
	/* none yet; or finality has passed one that stands */
	const struct block_ref *safe = &l1->at[DEPTH_SAFE].ref;
	if (depth == DEPTH_SAFE &&
	    (hash_is_zero(safe->hash) || safe->number < final->number)) {
		depth = DEPTH_FINALIZED;
		note = ", but no quorum tells a safe block";
	}
	l1->depth = depth;
	if (!l1->sla_s)
		(void)snprintf(v->depth_why, sizeof(v->depth_why),
			       "auto: slaWindow is not known yet");
	else
		(void)snprintf(v->depth_why, sizeof(v->depth_why),
			       "auto: finality takes %" PRIu64
			       " s, a quarter of slaWindow is %" PRIu64 " s%s",
			       takes, l1->sla_s / 4, note);
}

/* Of who has just answered, against what others agreed on before. */
static void note_delays(struct l1 *l1, const bool *fresh)
{
	const struct block_ref *head = &l1->view.head;
	for (size_t i = 0; i < l1->n; i++) {
		struct provider *p = &l1->providers[i];
		const struct sightings *s = &p->said[DEPTH_LATEST];
		struct rpc_block own;
		if (!fresh[i] || !s->n)
			continue;
		memset(&p->behind, 0, sizeof(p->behind));
		if (!sightings_top(s, &own) || own.ref.number >= head->number)
			continue;
		p->behind.blocks = head->number - own.ref.number;
		if (head->time > own.ref.time)
			p->behind.seconds = head->time - own.ref.time;
	}
}

uint64_t view_update(struct l1 *l1, uint64_t now)
{
	bool fresh[QUORUM_PROVIDERS_MAX], news = false;
	for (size_t i = 0; i < l1->n; i++) {
		fresh[i] = l1->polls[i].answered;
		news |= fresh[i];
		l1->polls[i].answered = false;
	}
	if (news) {
		note_delays(l1, fresh);
		view_judge_chain(l1);
		view_judge_genesis(l1);
		for (enum depth depth = 0; depth < DEPTHS; depth++)
			if (depth != DEPTH_CONFIRMED || depth == l1->depth)
				judge_depth(l1, depth, now);
		choose_depth(l1);
		judge_acted(l1, now);
		view_judge_liars(l1, fresh, now);
	}
	l1->view.safe = l1->at[DEPTH_SAFE].ref;
	l1->view.finalized = l1->at[DEPTH_FINALIZED].ref;
	view_judge_health(l1, now);
	return now + 1000; /* ages are told by the second */
}
