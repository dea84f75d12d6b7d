/* What providers say of the chain, and what a quorum of them agrees on.  Pure.
 *
 * Providers may be some blocks apart: who reports a block also vouches for what
 * it showed before on the same chain, and is asked for what others reported. */
#ifndef EGRESS_L1_HEADS_H
#define EGRESS_L1_HEADS_H

#include "l1/limits.h"
#include "l1/rpc.h"

struct sightings { /* of one provider; zero is empty */
	struct rpc_block seen[L1_SIGHTINGS]; /* any order */
	size_t n, at;			     /* at: the next to overwrite */
	uint64_t top; /* the number reported last, unless by sightings_fill */
	/* replies so far, and the one in which each was told last */
	uint64_t replies, told[L1_SIGHTINGS];
};

/* What comes is of its next reply: what it told long ago is not what it says of
 * the chain now, which may have been reorganised meanwhile. */
void sightings_reply(struct sightings *s);

/* Its newest report.  false: it contradicts what it said before, which is
 * forgotten. */
bool sightings_add(struct sightings *s, const struct rpc_block *block);
/* A block asked for by number. */
bool sightings_fill(struct sightings *s, const struct rpc_block *block);
/* Forgets what this block of the same provider contradicts. */
void sightings_check(struct sightings *s, const struct rpc_block *block);
/* The hash it vouches for at a number. */
bool sightings_at(const struct sightings *s, uint64_t number,
		  struct hash32 *ret);

/* Its newest report. */
bool sightings_top(const struct sightings *s, struct rpc_block *ret);

/* It showed the agreed block's hash with other contents (parent, time, base
 * fee): a lie, whatever else it says. */
bool sightings_forged(const struct sightings *s,
		      const struct rpc_block *agreed);
/* It proved a block to have this hash. */
bool sightings_proves(const struct sightings *s, struct hash32 hash);

struct voice { /* of one provider, at one depth */
	const struct sightings
		*sightings; /* what it named; and up to its top */
	const struct sightings
		*more; /* what it shows by number of late; or NULL */
	uint64_t weight;
	uint64_t unheard; /* its weight, when nobody has heard of it yet */
	bool lacks; /* names no block of this depth: `more` is all it has */
};
/* The highest block that voices of weight ≥ quorum show.  How deep it is, is
 * for most of those to say who name such blocks at all, or may do so when they
 * are heard.  Of a block that nobody can hash all contents must be alike. A
 * parent's hash alone is no vote. */
bool heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
		 struct rpc_block *ret);
/* It shows just this block. */
bool heads_shows(const struct voice *v, const struct block_ref *block);
/* Fills up to max numbers ≥ from, which others reported and voices[i] does not
 * show, or shows otherwise: worth asking it for.  Returns how many. */
size_t heads_missing(const struct voice *voices, size_t n, size_t i,
		     uint64_t from, uint64_t *ret_numbers, size_t max);

struct heads_split { /* two that contradict each other */
	size_t a, b;
	uint64_t number;
};
/* Voices contradict each other above a number so that none has a quorum with
 * it.  One against a quorum is no split. */
bool heads_split(const struct voice *voices, size_t n, uint64_t quorum,
		 uint64_t above, struct heads_split *ret);

#endif
