/* What a provider's polls are held against: a block that a quorum agrees on,
 * and who vouches for it in which words. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "l1/l1_impl.h"

static bool vouches(const struct provider *p, const struct block_ref *b)
{
	struct hash32 hash;
	return (sightings_at(&p->said[DEPTH_FINALIZED], b->number, &hash) &&
		hash_eq(hash, b->hash)) ||
	       (sightings_at(&p->said[DEPTH_LATEST], b->number, &hash) &&
		hash_eq(hash, b->hash));
}

/* Their names; returns one of them, or NULL. */
static const struct provider *
name_witnesses(const struct l1 *l1, const struct provider *accused,
	       const struct block_ref *b, uint64_t now, char *to, size_t size)
{
	const struct provider *one = NULL;
	to[0] = 0;
	for (size_t i = 0; i < l1->n; i++) {
		const struct provider *p = &l1->providers[i];
		if (p == accused || !p->pinned || p->wrong_chain ||
		    provider_lying(p, now) || !vouches(p, b))
			continue;
		accuse_name(to, size, p->settings->name);
		one = one ? one : p;
	}
	return one;
}

static void say_why(enum lie_kind kind, const struct block_ref *agreed,
		    struct hash32 says, char *why, size_t size)
{
	if (kind == LIE_FORGED_HEADER)
		(void)snprintf(why, size,
			       "its block %" PRIu64 " has the quorum's hash "
			       "and other contents",
			       agreed->number);
	else
		(void)snprintf(why, size,
			       "it says block %" PRIu64 " is %.10s…, a quorum "
			       "says %.10s…",
			       agreed->number, hash_text(says).s,
			       hash_text(agreed->hash).s);
}

void view_accuse(struct l1 *l1, struct provider *p, enum lie_kind kind,
		 const struct block_ref *agreed, struct hash32 says,
		 uint64_t now)
{
	char names[LIE_TEXT_MAX], why[LIE_TEXT_MAX];
	struct buf said, stands;
	const struct provider *witness =
		name_witnesses(l1, p, agreed, now, names, sizeof(names));
	const struct accusation what = {
		.kind = kind,
		.number = agreed->number,
		.hash = agreed->hash,
		.method = "eth_getBlockByNumber",
		.against = slice_str(names),
		.said = spoken_find(&p->spoken, agreed->number, says, &said),
		.stands = spoken_find(witness ? &witness->spoken : NULL,
				      agreed->number, agreed->hash, &stands)};
	say_why(kind, agreed, says, why, sizeof(why));
	provider_lied(p, now, &what, "%s", why);
	buf_done(&said);
	buf_done(&stands);
}
