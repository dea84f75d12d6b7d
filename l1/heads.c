#include "l1/heads.h"

static const struct rpc_block *find(const struct sightings *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->seen[i].ref.number == number)
			return &s->seen[i];
	return NULL;
}

bool sightings_at(const struct sightings *s, uint64_t number,
		  struct hash32 *ret)
{
	const struct rpc_block *b = find(s, number);
	if (b) {
		*ret = b->ref.hash;
		return true;
	}
	b = find(s, number + 1);
	if (b)
		*ret = b->ref.parent;
	return b;
}

/* A hash commits to all of a header: other contents under it are a lie. */
static bool same_block(const struct rpc_block *a, const struct rpc_block *b)
{
	return hash_eq(a->ref.hash, b->ref.hash) &&
	       hash_eq(a->ref.parent, b->ref.parent) &&
	       a->ref.number == b->ref.number && a->ref.time == b->ref.time &&
	       a->base_fee == b->base_fee;
}

static bool fits(const struct sightings *s, const struct rpc_block *block)
{
	const struct block_ref *b = &block->ref;
	const struct rpc_block *known = find(s, b->number);
	struct hash32 hash;
	if (known)
		return same_block(known, block);
	if (sightings_at(s, b->number, &hash) && !hash_eq(hash, b->hash))
		return false;
	return !b->number || !sightings_at(s, b->number - 1, &hash) ||
	       hash_eq(hash, b->parent);
}

bool sightings_fill(struct sightings *s, const struct rpc_block *block)
{
	bool fine = fits(s, block);
	if (!fine)
		s->n = s->at = 0;
	if (find(s, block->ref.number))
		return true;
	s->seen[s->at] = *block;
	s->at = (s->at + 1) % L1_SIGHTINGS;
	if (s->n < L1_SIGHTINGS)
		s->n++;
	return fine;
}

bool sightings_add(struct sightings *s, const struct rpc_block *block)
{
	s->top = block->ref.number;
	return sightings_fill(s, block);
}

/* NULL: it has not shown this block; knowing its hash as a parent's is too
 * little, for nobody has bound its time to that. */
static const struct rpc_block *shown(const struct voice *v, uint64_t number)
{
	const struct rpc_block *b = find(v->sightings, number);
	if (b || !v->more || number > v->sightings->top)
		return b;
	return find(v->more, number);
}

static bool has_proved(const struct sightings *s)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (s->seen[i].proved)
			return true;
	return false;
}

/* Somebody does prove this chain's headers, or may in a moment: then a header
 * that is not proved is a forger's, however many show it alike. */
static bool is_provable(const struct voice *voices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (voices[i].awaited ||
		    (voices[i].weight && (has_proved(voices[i].sightings) ||
					  has_proved(voices[i].more))))
			return true;
	return false;
}

static uint64_t weight_of(const struct voice *voices, size_t n,
			  const struct rpc_block *block)
{
	uint64_t weight = 0;
	for (size_t i = 0; i < n; i++) {
		const struct rpc_block *b =
			shown(&voices[i], block->ref.number);
		if (!b || !hash_eq(b->ref.hash, block->ref.hash))
			continue;
		bool same = same_block(b, block);
		/* the hash is agreed on, and one alone shows what it is of */
		if (b->proved && !same && voices[i].weight)
			return 0;
		if (block->proved || same)
			weight += voices[i].weight;
	}
	return weight;
}

bool heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
		 struct rpc_block *ret)
{
	const struct rpc_block *best = NULL;
	bool provable = is_provable(voices, n);
	for (size_t i = 0; i < n; i++) {
		const struct sightings *s = voices[i].sightings;
		for (size_t j = 0; j < s->n; j++) {
			const struct rpc_block *b = &s->seen[j];
			if (best && b->ref.number <= best->ref.number)
				continue;
			if (provable && !b->proved && !b->newer)
				continue;
			if (weight_of(voices, n, b) >= quorum)
				best = b;
		}
	}
	if (best)
		*ret = *best;
	return best;
}

/* The highest number it reported below `limit`; 0: none. */
static uint64_t reported_below(const struct sightings *s, uint64_t limit)
{
	uint64_t best = 0;
	for (size_t i = 0; i < s->n; i++) {
		uint64_t number = s->seen[i].ref.number;
		if (number < limit && number > best)
			best = number;
	}
	return best;
}

size_t heads_missing(const struct voice *voices, size_t n, size_t i,
		     uint64_t *ret_numbers, size_t max)
{
	size_t used = 0;
	for (size_t j = 0; j < n && used < max; j++) {
		uint64_t number = reported_below(voices[j].sightings,
						 voices[i].sightings->top);
		if (j == i || !number || shown(&voices[i], number))
			continue;
		bool twice = false;
		for (size_t k = 0; k < used; k++)
			twice |= ret_numbers[k] == number;
		if (!twice)
			ret_numbers[used++] = number;
	}
	return used;
}

bool sightings_forged(const struct sightings *s, const struct rpc_block *agreed)
{
	const struct rpc_block *b = find(s, agreed->ref.number);
	return b && hash_eq(b->ref.hash, agreed->ref.hash) &&
	       !same_block(b, agreed);
}

bool sightings_dispute(const struct sightings *a, const struct sightings *b,
		       uint64_t number)
{
	const struct rpc_block *x = find(a, number), *y = find(b, number);
	struct hash32 p, q;
	if (x && y)
		return !same_block(x, y);
	return sightings_at(a, number, &p) && sightings_at(b, number, &q) &&
	       !hash_eq(p, q);
}
