/* A batch's diff: packed ascending (index(5) record(53)), in steps of 64,
 * each with the root after it.  Bytes as abi/contracts/README.md states. */
#ifndef EGRESS_ABI_DIFF_H
#define EGRESS_ABI_DIFF_H

#include "abi/buf.h"
#include "abi/merkle.h"
#include "abi/typed.h"

#define DIFF_ENTRY	 58
#define DIFF_STEP	 64   /* STEP of the contracts */
#define DIFF_ENTRIES_MAX 2048 /* MAX_ENTRIES */
#define DIFF_STEPS_MAX	 (DIFF_ENTRIES_MAX / DIFF_STEP)

struct diff_entry {
	uint64_t index;
	struct record record;
};

/* The i-th of diff.len / 58 entries. */
struct diff_entry diff_entry_at(struct slice diff, size_t i);
void diff_put(struct buf *b, uint64_t index, const struct record *record);
/* Lengths and strictly ascending order. ERR_INVALID, why in error.  Records
 * may be anything: L1 checks new leaves (no gaps, a known kind, an owner) but
 * takes every update, and one that is no record is shown by a fraud proof. */
MUST_CHECK enum err diff_check(struct slice diff, struct err_text *error);
size_t diff_steps(struct slice diff);
struct slice diff_step(struct slice diff, size_t step); /* its bytes */
/* The hash a batch commits to, over the diff and the roots after each step. */
struct hash32 diff_hash(struct slice diff, const struct hash32 *roots,
			size_t steps);

/* Calldata of SovereignRollup.commit(), decoded. */
struct commit_call {
	struct batch batch;
	struct hash32 roots[DIFF_STEPS_MAX];
	size_t steps;
	struct slice diff, signatures; /* borrowed */
};
MUST_CHECK enum err commit_decode(struct slice calldata,
				  struct commit_call *ret);
void commit_encode(const struct commit_call *call, struct buf *to);

/* The proof that one step does not give its root: BadStep of the contracts,
 * everything but the tree's part already known from the batch. */
struct bad_step {
	const struct batch *batch;
	const struct batch_before *before;
	size_t step;
	struct slice diff; /* the whole; hashes are computed from it */
	const struct hash32 *roots;
	size_t steps;
	struct hash32 root_before; /* of this step, lifted to the new depth */
	const struct record *old_records; /* one for each entry of the step */
	const struct hash32
		*siblings; /* multiproof, as the contracts read it */
	size_t sibling_count;
};
/* abi.encode(BadStep): the argument of openOnBadBatch(bytes). */
void bad_step_encode(const struct bad_step *proof, struct buf *to);
/* Walks a multiproof of ascending distinct indices: which (height, position)
 * siblings are needed, in the contracts' order.  Calls visit for each. */
void multiproof_walk(const uint64_t *indices, size_t n, unsigned depth,
		     void (*visit)(void *ctx, unsigned height, uint64_t at),
		     void *ctx);

#endif
