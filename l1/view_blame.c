/* Who may not be believed: on another chain, or against what a quorum agreed
 * on. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "l1/l1_impl.h"

/* Without a configured chain id the quorum's counts. */
void view_judge_chain(struct l1 *l1)
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
void view_judge_genesis(struct l1 *l1)
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
		(void)snprintf(
			p->why, sizeof(p->why),
			"its genesis block is %.10s…, the quorum's another",
			hash_text(p->genesis).s);
	}
}

bool view_contradiction(const struct l1 *l1, const struct provider *p,
			struct block_ref *ret, struct hash32 *ret_says)
{
	struct hash32 says;
	for (size_t j = 0; j < l1->final.n; j++) {
		const struct block_ref *b = &l1->final.seen[j].ref;
		if (!sightings_at(&p->said[DEPTH_FINALIZED], b->number,
				  &says) ||
		    hash_eq(says, b->hash))
			continue;
		*ret = *b;
		*ret_says = says;
		return true;
	}
	return false;
}

/* ---- forged headers ------------------------------------------------------ */

/* Another shows that the hash is that of other words. */
static void judge_unhashed(struct l1 *l1, size_t i, uint64_t now)
{
	struct provider *p = &l1->providers[i];
	struct hash32 hash = p->unhashed.hash;
	for (size_t j = 0; j < l1->n; j++) {
		const struct provider *other = &l1->providers[j];
		if (j == i || !view_counts(other, now) || hash_is_zero(hash) ||
		    (!sightings_proves(&other->said[DEPTH_LATEST], hash) &&
		     !sightings_proves(&other->said[DEPTH_FINALIZED], hash)))
			continue;
		const struct block_ref agreed = p->unhashed;
		view_accuse(l1, p, LIE_FORGED_HEADER, &agreed, hash, now);
		p->unhashed = (struct block_ref){0};
		return;
	}
}

/* Another time or base fee under a hash that a quorum agreed on, of a block
 * that nobody can hash. */
static void judge_forger(struct l1 *l1, size_t i, uint64_t now)
{
	struct provider *p = &l1->providers[i];
	for (enum depth d = 0; d < DEPTHS; d++) {
		const struct rpc_block *agreed = &l1->at[d];
		if (hash_is_zero(agreed->ref.hash) ||
		    (!sightings_forged(&p->said[DEPTH_LATEST], agreed) &&
		     !sightings_forged(&p->said[d], agreed)))
			continue;
		view_accuse(l1, p, LIE_FORGED_HEADER, &agreed->ref,
			    agreed->ref.hash, now);
		return;
	}
}

/* ---- other branches ------------------------------------------------------ */

/* A contradiction that lasts is a lie; one that the others soon share was L1.
 * What is final has no other branch. */
static void judge_final(struct l1 *l1, struct provider *p, uint64_t now)
{
	uint64_t patience = 2 * l1->settings->poll_ms;
	struct block_ref b;
	struct hash32 says;
	if (patience < L1_DISPUTE_MS)
		patience = L1_DISPUTE_MS;
	if (!view_contradiction(l1, p, &b, &says)) {
		p->contradicts_at_ms = 0;
		return;
	}
	if (!p->contradicts_at_ms)
		p->contradicts_at_ms = now;
	if (now - p->contradicts_at_ms < patience)
		return;
	view_accuse(l1, p, LIE_OTHER_BLOCK, &b, says, now);
}

/* So many blocks down there may be another branch for a while.  It lies when
 * the quorum's has grown for longer than it takes to reach an honest node. */
static void judge_branch(struct l1 *l1, struct provider *p, uint64_t now)
{
	const struct block_ref *acted = &l1->view.acted;
	struct hash32 was;
	if (!view_is_elsewhere(l1, p, &was)) {
		p->elsewhere_at_ms = 0;
		return;
	}
	if (!p->elsewhere_at_ms) {
		p->elsewhere_at_ms = now;
		p->elsewhere_from = acted->number;
	}
	if (now - p->elsewhere_at_ms <
		    L1_REORG_MS + 2 * l1->settings->poll_ms ||
	    acted->number < p->elsewhere_from + L1_REORG_BLOCKS)
		return;
	struct block_ref agreed = {.number = p->at_acted.number, .hash = was};
	view_accuse(l1, p, LIE_OTHER_BLOCK, &agreed, p->at_acted.hash, now);
}

void view_judge_liars(struct l1 *l1, const bool *fresh, uint64_t now)
{
	bool counted = l1->settings->chain.act_on == ACT_ON_CONFIRMATIONS;
	for (size_t i = 0; i < l1->n; i++) {
		struct provider *p = &l1->providers[i];
		if (view_counts(p, now))
			judge_unhashed(l1, i, now);
		/* old words of one that is silent are no contradiction */
		if (!view_counts(p, now) || !fresh[i] || p->failures)
			continue;
		judge_forger(l1, i, now);
		if (!view_counts(p, now))
			continue;
		if (!counted) /* then nothing rests on the tag */
			judge_final(l1, p, now);
		if (view_counts(p, now) && l1->acted_depth != DEPTH_FINALIZED)
			judge_branch(l1, p, now);
		/* where all is proved nothing else is agreed on */
		if (view_stance(l1, i, now) == STANCE_AGREES)
			provider_agreed(p, now, false);
	}
}
