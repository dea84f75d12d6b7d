/* What providers were expelled for, until somebody keeps it: a bounded queue of
 * records as abi/lie writes them, and what a provider said lately in its own
 * words. */
#ifndef EGRESS_L1_ACCUSE_H
#define EGRESS_L1_ACCUSE_H

#include "abi/lie.h"
#include "l1/heads.h"

struct accusation { /* borrowed while it is written down */
	enum lie_kind kind;
	uint64_t number;      /* of the block concerned; 0: not known */
	struct hash32 hash;   /* its agreed hash; zero: none, or as in asked */
	const char *method;   /* asked of it; "" */
	struct slice against; /* names of who said or proved otherwise */
	struct lie_words asked, said, stands; /* JSON texts */
};

struct accuse_record {
	const void *provider; /* which one: only compared */
	struct buf bytes;     /* as abi/lie writes it; owned */
};

struct accuse_queue { /* zero, but for the two pointers, is empty */
	const struct block_ref *head;  /* the agreed one: L1's time */
	const struct sightings *known; /* blocks whose number is told by hash */
	size_t n;
	struct accuse_record records[L1_RECORDS_MAX];
};

/* Writes it down; the oldest goes when nobody takes them. */
void accuse_record(struct accuse_queue *q, const void *provider,
		   const char *name, const char *why,
		   const struct accusation *a, uint64_t lying_ms);
/* The oldest, to be freed by whoever takes it; false: there is none. */
bool accuse_take(struct accuse_queue *q, struct accuse_record *ret);
void accuse_done(struct accuse_queue *q);

/* An answer as JSON: its result, or {"error":…}. to: bounded. */
struct lie_words accuse_words(const struct rpc_answer *answer, struct buf *to);
/* The call's parameters out of a batch's body. */
struct lie_words accuse_asked(struct slice body, size_t call, struct buf *to);
/* "a, b": appends a name as far as there is room. */
void accuse_name(char *names, size_t size, const char *name);

struct spoken { /* of the blocks it showed: the newest L1_SPOKEN_MAX */
	struct rpc_block block;
	struct buf text; /* the header's fields */
};
struct spoken_ring {
	size_t at;
	struct spoken blocks[L1_SPOKEN_MAX];
};

void spoken_add(struct spoken_ring *ring, const struct rpc_block *block,
		const json_node *node);
/* What it said of the block of this number and hash, or of the child that names
 * it as its parent; else just these two, written to spare.
 * ring: or NULL. */
struct lie_words spoken_find(const struct spoken_ring *ring, uint64_t number,
			     struct hash32 hash, struct buf *spare);
void spoken_clear(struct spoken_ring *ring);

#endif
