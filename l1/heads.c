#include "l1/heads.h"

static const struct rpc_block *find(const struct sightings *s, uint64_t number)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (s->seen[i].ref.number == number)
			return &s->seen[i];
	return NULL;
}

/* The same, unless it was told more than so many replies ago. */
static const struct rpc_block *find_since(const struct sightings *s,
					  uint64_t number, uint64_t replies)
{
	const struct rpc_block *b = find(s, number);
	return b && s->told[b - s->seen] + replies >= s->replies ? b : NULL;
}

static bool take_hash(const struct rpc_block *b, const struct rpc_block *next,
		      struct hash32 *ret)
{
	if (b)
		*ret = b->ref.hash;
	else if (next)
		*ret = next->ref.parent;
	return b || next;
}

bool sightings_at(const struct sightings *s, uint64_t number,
		  struct hash32 *ret)
{
	return take_hash(find(s, number), find(s, number + 1), ret);
}

void sightings_reply(struct sightings *s)
{
	s->replies++;
}

bool sightings_top(const struct sightings *s, struct rpc_block *ret)
{
	const struct rpc_block *b = find(s, s->top);
	if (b)
		*ret = *b;
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

void sightings_check(struct sightings *s, const struct rpc_block *block)
{
	if (!fits(s, block))
		s->n = s->at = 0;
}

bool sightings_fill(struct sightings *s, const struct rpc_block *block)
{
	bool fine = fits(s, block);
	sightings_check(s, block);
	const struct rpc_block *known = find(s, block->ref.number);
	if (known) {
		s->told[known - s->seen] = s->replies;
		return true;
	}
	s->seen[s->at] = *block;
	s->told[s->at] = s->replies;
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

bool sightings_proves(const struct sightings *s, struct hash32 hash)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->seen[i].proved && hash_eq(s->seen[i].ref.hash, hash))
			return true;
	return false;
}

bool sightings_forged(const struct sightings *s, const struct rpc_block *agreed)
{
	const struct rpc_block *b = find(s, agreed->ref.number);
	return b && hash_eq(b->ref.hash, agreed->ref.hash) &&
	       !same_block(b, agreed);
}

/* ---- one voice ----------------------------------------------------------- */

/* Up to where what it shows by number is of this depth. */
static uint64_t limit(const struct voice *v)
{
	if (!v->more)
		return 0;
	return v->lacks ? v->more->top : v->sightings->top;
}

/* NULL: it has not shown this block; knowing its hash as a parent's is too
 * little, for nobody has bound its time to that. */
static const struct rpc_block *shown(const struct voice *v, uint64_t number)
{
	const struct rpc_block *b = find(v->sightings, number);
	if (b || number > limit(v))
		return b;
	return find_since(v->more, number, L1_TOLD_REPLIES);
}

/* The newest that it names, or shows, as of this depth. */
static const struct rpc_block *named(const struct voice *v)
{
	const struct rpc_block *best = NULL;
	if (v->lacks)
		return NULL;
	if (v->sightings->n || !v->more)
		return find(v->sightings, v->sightings->top);
	for (size_t i = 0; i < v->more->n; i++) {
		const struct rpc_block *b = &v->more->seen[i];
		if (b->ref.number <= limit(v) && shown(v, b->ref.number) &&
		    (!best || b->ref.number > best->ref.number))
			best = b;
	}
	return best;
}

/* At whatever depth. */
static bool shows(const struct voice *v, const struct block_ref *block,
		  uint64_t replies)
{
	const struct rpc_block *b = find(v->sightings, block->number);
	if (!b)
		b = find_since(v->more, block->number, replies);
	return b && hash_eq(b->ref.hash, block->hash);
}

static bool hash_at(const struct voice *v, uint64_t number, struct hash32 *ret)
{
	if (sightings_at(v->sightings, number, ret))
		return true;
	return number <= limit(v) &&
	       take_hash(find_since(v->more, number, L1_TOLD_REPLIES),
			 find_since(v->more, number + 1, L1_TOLD_REPLIES), ret);
}

bool heads_shows(const struct voice *v, const struct block_ref *block)
{
	return shows(v, block, L1_TOLD_REPLIES);
}

/* ---- all of them --------------------------------------------------------- */

struct tally {
	uint64_t weight;	/* of those who show it */
	uint64_t told, tellers; /* of those who can tell how deep it is, or may
				 * when they are heard */
};

static struct tally count(const struct voice *voices, size_t n,
			  const struct rpc_block *block)
{
	struct tally t = {0};
	for (size_t i = 0; i < n; i++) {
		const struct voice *v = &voices[i];
		const struct rpc_block *b = shown(v, block->ref.number);
		if (!v->lacks)
			t.tellers += v->weight + v->unheard;
		if (!b || !hash_eq(b->ref.hash, block->ref.hash))
			continue;
		bool same = same_block(b, block);
		/* one alone shows what it is the hash of */
		if (b->proved && !same && v->weight)
			return (struct tally){0};
		if (!block->proved && !same)
			continue;
		t.weight += v->weight;
		if (!v->lacks)
			t.told += v->weight;
	}
	return t;
}

static bool is_agreed(const struct voice *voices, size_t n, uint64_t quorum,
		      const struct rpc_block *block)
{
	struct tally t = count(voices, n, block);
	uint64_t most = t.tellers / 2 + 1;
	return t.weight >= quorum && t.told >= (most < quorum ? most : quorum);
}

/* Of the same block, the words that prove it. */
static bool is_better(const struct rpc_block *b, const struct rpc_block *best)
{
	return !best || b->ref.number > best->ref.number ||
	       (b->ref.number == best->ref.number && b->proved &&
		!best->proved);
}

/* The highest of s that the voice shows, is agreed and better than best. */
static const struct rpc_block *higher(const struct voice *voices, size_t n,
				      uint64_t quorum, const struct voice *v,
				      const struct sightings *s,
				      const struct rpc_block *best)
{
	for (size_t i = 0; s && i < s->n; i++) {
		const struct rpc_block *b = &s->seen[i];
		if (is_better(b, best) && shown(v, b->ref.number) == b &&
		    is_agreed(voices, n, quorum, b))
			best = b;
	}
	return best;
}

bool heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
		 struct rpc_block *ret)
{
	const struct rpc_block *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct voice *v = &voices[i];
		if (!v->weight || v->lacks)
			continue;
		best = higher(voices, n, quorum, v, v->sightings, best);
		best = higher(voices, n, quorum, v, v->more, best);
	}
	if (best)
		*ret = *best;
	return best;
}

size_t heads_missing(const struct voice *voices, size_t n, size_t i,
		     uint64_t from, uint64_t *ret_numbers, size_t max)
{
	size_t used = 0;
	for (size_t j = 0; j < n && used < max; j++) {
		const struct rpc_block *theirs = named(&voices[j]);
		if (j == i || !voices[j].weight || !theirs ||
		    theirs->ref.number < from ||
		    shows(&voices[i], &theirs->ref, L1_TOLD_REPLIES - 1))
			continue;
		uint64_t number = theirs->ref.number;
		bool twice = false;
		for (size_t k = 0; k < used; k++)
			twice |= ret_numbers[k] == number;
		if (!twice)
			ret_numbers[used++] = number;
	}
	return used;
}

static bool dispute(const struct voice *a, const struct voice *b,
		    uint64_t above, uint64_t *ret_number)
{
	const struct rpc_block *tops[] = {named(a), named(b)};
	for (size_t i = 0; i < 2; i++) {
		struct hash32 x, y;
		uint64_t number = tops[i] ? tops[i]->ref.number : 0;
		if (number <= above || !hash_at(a, number, &x) ||
		    !hash_at(b, number, &y) || hash_eq(x, y))
			continue;
		*ret_number = number;
		return true;
	}
	return false;
}

bool heads_split(const struct voice *voices, size_t n, uint64_t quorum,
		 uint64_t above, struct heads_split *ret)
{
	struct heads_split first = {0};
	bool split = false;
	for (size_t i = 0; i < n; i++) {
		const struct rpc_block *own = named(&voices[i]);
		uint64_t with = 0;
		if (!voices[i].weight || !own || own->ref.number <= above)
			continue;
		for (size_t j = 0; j < n; j++) {
			uint64_t number = 0;
			if (!voices[j].weight)
				continue;
			if (!dispute(&voices[i], &voices[j], above, &number)) {
				with += voices[j].weight;
			} else if (!split) {
				split = true;
				first = (struct heads_split){i, j, number};
			}
		}
		if (with >= quorum)
			return false;
	}
	if (split)
		*ret = first;
	return split;
}
