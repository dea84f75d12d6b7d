/* What providers say of the chain, and what a quorum of them agrees on.  Pure.
 *
 * Providers may be a block apart: who reports a block also vouches for what it
 * reported before on the same chain, and is asked for what others reported. */
#ifndef EGRESS_L1_HEADS_H
#define EGRESS_L1_HEADS_H

#include "l1/limits.h"
#include "l1/rpc.h"

struct sightings { /* of one provider; zero is empty */
	struct rpc_block seen[L1_SIGHTINGS]; /* any order */
	size_t n, at;			     /* at: the next to overwrite */
	uint64_t top; /* the number reported last, unless by sightings_fill */
};

/* Its newest report.  false: it contradicts what it said before, which is
 * forgotten. */
bool sightings_add(struct sightings *s, const struct rpc_block *block);
/* An older block, asked for by number. */
bool sightings_fill(struct sightings *s, const struct rpc_block *block);
/* The hash it vouches for at a number. */
bool sightings_at(const struct sightings *s, uint64_t number,
		  struct hash32 *ret);

/* It showed the agreed block's hash with other contents (parent, time, base
 * fee): a lie, whatever else it says. */
bool sightings_forged(const struct sightings *s,
		      const struct rpc_block *agreed);
/* Both know the block of this number, and differ. */
bool sightings_dispute(const struct sightings *a, const struct sightings *b,
		       uint64_t number);

struct voice {
	const struct sightings *sightings;
	const struct sightings *more; /* vouches too, up to sightings->top;
				       * or NULL */
	uint64_t weight;
	bool awaited; /* never heard of yet: it may prove what others cannot */
};
/* The highest block whose hash voices of weight ≥ quorum showed, and its
 * contents as one of them proved them by that hash; where nobody can, for this
 * chain's headers have another form, the contents that a quorum showed alike.
 * A parent's hash alone is no vote. */
bool heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
		 struct rpc_block *ret);
/* Fills up to max numbers ≤ voices[i]'s top that others reported and it has
 * not: worth asking it for.  Returns how many. */
size_t heads_missing(const struct voice *voices, size_t n, size_t i,
		     uint64_t *ret_numbers, size_t max);

#endif
