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

static bool fits(const struct sightings *s, const struct block_ref *b)
{
	struct hash32 hash;
	if (sightings_at(s, b->number, &hash) && !hash_eq(hash, b->hash))
		return false;
	return !b->number || !sightings_at(s, b->number - 1, &hash) ||
	       hash_eq(hash, b->parent);
}

bool sightings_fill(struct sightings *s, const struct rpc_block *block)
{
	bool fine = fits(s, &block->ref);
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

static bool voice_at(const struct voice *v, uint64_t number, struct hash32 *ret)
{
	if (sightings_at(v->sightings, number, ret))
		return true;
	return v->more && number <= v->sightings->top &&
	       sightings_at(v->more, number, ret);
}

static uint64_t weight_of(const struct voice *voices, size_t n,
			  const struct block_ref *block)
{
	uint64_t weight = 0;
	struct hash32 hash;
	for (size_t i = 0; i < n; i++)
		if (voice_at(&voices[i], block->number, &hash) &&
		    hash_eq(hash, block->hash))
			weight += voices[i].weight;
	return weight;
}

bool heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
		 struct rpc_block *ret)
{
	const struct rpc_block *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct sightings *s = voices[i].sightings;
		for (size_t j = 0; j < s->n; j++) {
			const struct rpc_block *b = &s->seen[j];
			if (best && b->ref.number <= best->ref.number)
				continue;
			if (weight_of(voices, n, &b->ref) >= quorum)
				best = b;
		}
	}
	if (best)
		*ret = *best;
	return best;
}

size_t heads_missing(const struct voice *voices, size_t n, size_t i,
		     uint64_t *ret_numbers, size_t max)
{
	size_t used = 0;
	struct hash32 hash;
	for (size_t j = 0; j < n && used < max; j++) {
		uint64_t number = voices[j].sightings->top;
		if (j == i || !voices[j].sightings->n ||
		    number >= voices[i].sightings->top ||
		    voice_at(&voices[i], number, &hash))
			continue;
		bool twice = false;
		for (size_t k = 0; k < used; k++)
			twice |= ret_numbers[k] == number;
		if (!twice)
			ret_numbers[used++] = number;
	}
	return used;
}
