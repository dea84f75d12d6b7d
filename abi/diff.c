/* A batch's diff, its steps, and the two calls that carry them. */
#include "abi/diff.h"

#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/keccak.h"
#include "abi/words.h"

#define INDEX_SIZE 5

_Static_assert(DIFF_ENTRY == EGRESS_ENTRY && DIFF_STEP == EGRESS_STEP &&
		       DIFF_ENTRIES_MAX == EGRESS_MAX_ENTRIES &&
		       RECORD_SIZE == EGRESS_RECORD &&
		       BUCKET_LEAVES == EGRESS_BUCKET,
	       "limits as compiled into the contracts");

struct diff_entry diff_entry_at(struct slice diff, size_t i)
{
	struct diff_entry ret;
	const uint8_t *p;

	assert((i + 1) * DIFF_ENTRY <= diff.len);
	p = diff.p + i * DIFF_ENTRY;
	ret.index = get_be(p, INDEX_SIZE);
	memcpy(ret.record.b, p + INDEX_SIZE, RECORD_SIZE);
	return ret;
}

void diff_put(struct buf *b, uint64_t index, const struct record *record)
{
	assert(index >> (8 * INDEX_SIZE) == 0);
	buf_add_be(b, index, INDEX_SIZE);
	buf_add(b, record->b, RECORD_SIZE);
}

enum err diff_check(struct slice diff, struct err_text *error)
{
	uint64_t last = 0;

	if (diff.len % DIFF_ENTRY || diff.len > DIFF_ENTRIES_MAX * DIFF_ENTRY) {
		err_text_set(error, "%zu bytes are not 0 to %d entries of %d",
			     diff.len, DIFF_ENTRIES_MAX, DIFF_ENTRY);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < diff.len / DIFF_ENTRY; i++) {
		struct diff_entry e = diff_entry_at(diff, i);

		if (i && e.index <= last) {
			err_text_set(error,
				     "entry %zu is not above the one "
				     "before it",
				     i);
			return ERR_INVALID;
		}
		last = e.index;
	}
	return OK;
}

size_t diff_steps(struct slice diff)
{
	return (diff.len / DIFF_ENTRY + DIFF_STEP - 1) / DIFF_STEP;
}

struct slice diff_step(struct slice diff, size_t step)
{
	const size_t size = DIFF_STEP * DIFF_ENTRY;
	size_t at = step * size;

	assert(at < diff.len);
	return slice_of(diff.p + at,
			diff.len - at < size ? diff.len - at : size);
}

static struct hash32 hash_of(struct slice s)
{
	return keccak256(s.p, s.len);
}

/* steps[k] = keccak256(abi.encode(keccak256(chunk_k), roots[k])) */
static struct hash32 step_hash(struct slice diff, const struct hash32 *roots,
			       size_t k)
{
	struct hash32 chunk = hash_of(diff_step(diff, k));

	return keccak256_pair(&chunk, &roots[k]);
}

struct hash32 diff_hash(struct slice diff, const struct hash32 *roots,
			size_t steps)
{
	struct hash32 hash;
	struct keccak k;

	assert(steps == diff_steps(diff));
	keccak_init(&k);
	for (size_t i = 0; i < steps; i++) {
		hash = step_hash(diff, roots, i);
		keccak_add(&k, hash.b, sizeof(hash.b));
	}
	return keccak_end(&k);
}

static void put_batch(const struct batch *batch, struct buf *to)
{
	abi_put_u64(to, batch->number);
	abi_put_hash(to, batch->prev_root);
	abi_put_hash(to, batch->root);
	abi_put_u64(to, batch->leaf_count);
	abi_put_u64(to, batch->inbox_through);
	abi_put_hash(to, batch->inbox_acc);
	abi_put_hash(to, batch->diff_hash);
}

static struct batch read_batch(struct abi_reader *r)
{
	struct batch ret;

	ret.number = abi_u64(r, 64);
	ret.prev_root = abi_hash(r);
	ret.root = abi_hash(r);
	ret.leaf_count = abi_u64(r, 64);
	ret.inbox_through = abi_u64(r, 64);
	ret.inbox_acc = abi_hash(r);
	ret.diff_hash = abi_hash(r);
	return ret;
}

#define COMMIT_HEAD (10 * ABI_WORD) /* 7 of the batch, 3 offsets */

/* What the head word at `at` points to: `unit` bytes times the length there.
 * Exactly as lenient as the compiler's own decoder (any offset, unclean
 * padding, bytes after the end): a batch that L1 took must decode here. */
static bool tail_at(struct slice args, size_t at, size_t unit,
		    struct slice *ret)
{
	const uint8_t *head = args.p + at;
	uint64_t offset = get_be(head + 24, 8), count;

	for (size_t i = 0; i < 24; i++)
		if (head[i])
			return false;
	if (offset > args.len || args.len - offset < ABI_WORD)
		return false;
	head = args.p + offset;
	for (size_t i = 0; i < 24; i++)
		if (head[i])
			return false;
	count = get_be(head + 24, 8);
	if (count > (args.len - offset - ABI_WORD) / unit)
		return false;
	*ret = slice_of(head + ABI_WORD, (size_t)count * unit);
	return true;
}

enum err commit_decode(struct slice calldata, struct commit_call *ret)
{
	struct slice args, roots, diff, signatures;
	struct abi_reader r;
	struct batch batch;

	if (calldata.len < 4 + COMMIT_HEAD ||
	    get_be(calldata.p, 4) != SEL_SOVEREIGNROLLUP_COMMIT)
		return ERR_INVALID;
	args = slice_of(calldata.p + 4, calldata.len - 4);
	r = abi_reader(args);
	batch = read_batch(&r);
	if (r.failed || !tail_at(args, 7 * ABI_WORD, ABI_WORD, &roots) ||
	    !tail_at(args, 8 * ABI_WORD, 1, &diff) ||
	    !tail_at(args, 9 * ABI_WORD, 1, &signatures))
		return ERR_INVALID;
	if (roots.len > sizeof(ret->roots) ||
	    diff.len > DIFF_ENTRIES_MAX * DIFF_ENTRY)
		return ERR_INVALID;
	ret->batch = batch;
	ret->steps = roots.len / ABI_WORD;
	memcpy(ret->roots, roots.p, roots.len);
	ret->diff = diff;
	ret->signatures = signatures;
	return OK;
}

void commit_encode(const struct commit_call *call, struct buf *to)
{
	size_t at = COMMIT_HEAD;

	assert(call->steps <= DIFF_STEPS_MAX);
	abi_put_selector(to, SEL_SOVEREIGNROLLUP_COMMIT);
	put_batch(&call->batch, to);
	abi_put_u64(to, at);
	at += (1 + call->steps) * ABI_WORD;
	abi_put_u64(to, at);
	at += abi_bytes_words(call->diff.len) * ABI_WORD;
	abi_put_u64(to, at);
	abi_put_hashes(to, call->roots, call->steps);
	abi_put_bytes(to, call->diff);
	abi_put_bytes(to, call->signatures);
}

#define BAD_STEP_HEAD (19 * ABI_WORD)

static void put_steps(const struct bad_step *p, struct buf *to)
{
	abi_put_u64(to, p->steps);
	for (size_t i = 0; i < p->steps; i++)
		abi_put_hash(to, step_hash(p->diff, p->roots, i));
}

static void put_old_records(const struct bad_step *p, size_t n, struct buf *to)
{
	size_t len = n * RECORD_SIZE;

	abi_put_u64(to, len);
	for (size_t i = 0; i < n; i++)
		buf_add(to, p->old_records[i].b, RECORD_SIZE);
	buf_add_zeros(to, abi_bytes_words(len) * ABI_WORD - ABI_WORD - len);
}

void bad_step_encode(const struct bad_step *p, struct buf *to)
{
	struct slice chunk = diff_step(p->diff, p->step);
	struct hash32 before = {{0}};
	size_t entries = chunk.len / DIFF_ENTRY, at = BAD_STEP_HEAD;

	assert(p->steps == diff_steps(p->diff) && p->step < p->steps);
	if (p->step)
		before = hash_of(diff_step(p->diff, p->step - 1));
	abi_put_u64(to, ABI_WORD); /* the one argument is a dynamic tuple */
	put_batch(p->batch, to);
	abi_put_u64(to, p->before->committed_at);
	abi_put_u64(to, p->before->leaf_count);
	abi_put_u64(to, p->before->inbox_through);
	abi_put_u64(to, p->before->withdraw_head);
	abi_put_u64(to, p->step);
	abi_put_u64(to, at);
	at += (1 + p->steps) * ABI_WORD;
	abi_put_hash(to, p->step ? p->roots[p->step - 1] : p->root_before);
	abi_put_hash(to, before);
	abi_put_hash(to, p->roots[p->step]);
	abi_put_u64(to, at);
	at += abi_bytes_words(chunk.len) * ABI_WORD;
	abi_put_u64(to, at);
	at += abi_bytes_words(entries * RECORD_SIZE) * ABI_WORD;
	abi_put_u64(to, at);
	put_steps(p, to);
	abi_put_bytes(to, chunk);
	put_old_records(p, entries, to);
	abi_put_hashes(to, p->siblings, p->sibling_count);
}

void multiproof_walk(const uint64_t *indices, size_t n, unsigned depth,
		     void (*visit)(void *ctx, unsigned height, uint64_t at),
		     void *ctx)
{
	for (unsigned h = 0; h < depth; h++) {
		size_t i = 0;

		while (i < n) {
			uint64_t at = indices[i] >> h;

			while (i < n && indices[i] >> h == at)
				i++;
			if (i < n && (indices[i] >> h) == (at ^ 1)) {
				/* its sibling is known as well: skip both */
				while (i < n && indices[i] >> h == (at ^ 1))
					i++;
				continue;
			}
			visit(ctx, h, at ^ 1);
		}
	}
}
