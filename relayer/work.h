/* Inside of the evacuation, which is in two files: evacuate.c chooses the
 * buckets and knows when all are out; work.c brings one bucket out. */
#ifndef EGRESS_RELAYER_WORK_H
#define EGRESS_RELAYER_WORK_H

#include "relayer/bucket.h"
#include "relayer/evacuate.h"
#include "relayer/limits.h"

enum work_stage {
	WORK_FREE,
	WORK_FETCH, /* the records from a watcher */
	WORK_READ,  /* L1's bitmap at the head */
	WORK_PLAN,  /* send what is left */
	WORK_FLY,   /* until its transaction is in a block */
};

struct work {
	struct evacuate *owner;
	enum work_stage stage;
	bool asked;
	uint64_t head;	   /* at which the bitmap was read */
	uint64_t retry_ms; /* not before */
	struct hash32 root;
	struct bucket bucket;
	struct u256 payable, exited;
	unsigned most;	  /* weight of leaves in one transaction */
	unsigned refused; /* times in a row that L1 did not take it */
	bool reverted;	  /* one of it did in a block: more gas */
	struct hash32 key;
};

/* PARKED: refused often enough to come after all others. */
enum { BUCKET_TO_DO = 0, BUCKET_WORKING, BUCKET_PARKED, BUCKET_DONE };

struct evacuate {
	struct parts *parts;
	struct wishes *wishes;
	uint64_t now_ms, next_ms;
	/* one evacuation: of this root in this life */
	bool running;
	uint64_t life;
	struct hash32 root, seed;
	uint64_t leaf_count, n, finished, at, started_ms;
	uint64_t parked, park_at;
	uint8_t *state;	      /* of each bucket */
	struct u256 *payable; /* of each bucket that is BUCKET_DONE */
	struct work works[EVACUATE_WORKS];
	/* L1's bitmap, read for several works at once */
	bool reading;
	size_t n_read;
	struct work *read[EVACUATE_WORKS];
	/* the last pass, at the block acted on */
	bool checking, check_asked, done;
	uint64_t check_at, check_n, done_head;
	/* the bond's refunds */
	struct u256 refunded;
	struct address rollup;
};

/* What can be done now for one bucket; then for all that wait for L1's
 * bitmap. */
MUST_CHECK enum err work_turn(struct evacuate *e, struct turn *t,
			      struct work *work);
void work_read_bitmaps(struct evacuate *e, const struct turn *t);

#endif
