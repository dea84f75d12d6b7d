#include "tests/unit/values.h"

#include "abi/diff.h"
#include "abi/words.h"

static struct err_text why;

static struct record a_record(uint64_t i, uint64_t amount)
{
	return record_balance(an_address((uint8_t)(i % 255 + 1)), an_address(0),
			      u256_from(amount));
}

/* Entries from, from + stride, … */
static void a_diff(struct buf *b, size_t n, uint64_t from, uint64_t stride)
{
	buf_init(b, (DIFF_ENTRIES_MAX + 1) * DIFF_ENTRY);
	for (size_t i = 0; i < n; i++) {
		struct record r = a_record(i, i);

		diff_put(b, from + i * stride, &r);
	}
	assert_false(b->failed);
}

static bool checks(const struct buf *b)
{
	return diff_check(buf_slice(b), &why) == OK;
}

static void test_entries_come_back(void **state)
{
	struct diff_entry e;
	struct buf b;

	(void)state;
	a_diff(&b, 3, UINT64_C(0xfffffffff0), 5);
	assert_int_equal(b.len, 3 * 58);
	e = diff_entry_at(buf_slice(&b), 2);
	assert_int_equal(e.index, UINT64_C(0xfffffffffa));
	assert_memory_equal(e.record.b, a_record(2, 2).b, 53);
	buf_done(&b);
}

static void test_check_refuses_disorder_and_bad_lengths(void **state)
{
	struct record r = a_record(0, 1);
	struct buf b;

	(void)state;
	a_diff(&b, 3, 10, 1);
	assert_true(checks(&b));
	diff_put(&b, 12, &r); /* twice the same */
	assert_false(checks(&b));
	b.len -= 1;
	assert_false(checks(&b));
	b.len -= 57;
	diff_put(&b, 0, &r);
	assert_false(checks(&b));
	buf_done(&b);
	a_diff(&b, 0, 0, 1);
	assert_true(checks(&b));
	buf_done(&b);
	a_diff(&b, DIFF_ENTRIES_MAX, 0, 1);
	assert_true(checks(&b));
	diff_put(&b, DIFF_ENTRIES_MAX, &r);
	assert_false(checks(&b));
	buf_done(&b);
}

/* L1 takes such updates: they are for a fraud proof, not for this check. */
static void test_check_takes_any_record(void **state)
{
	struct buf b;

	(void)state;
	a_diff(&b, 1, 0, 1);
	for (unsigned kind = 0; kind < 256; kind++) {
		b.p[5] = (uint8_t)kind;
		assert_true(checks(&b));
	}
	memset(b.p + 5, 0, RECORD_SIZE);
	assert_true(checks(&b));
	buf_done(&b);
}

static void test_steps_are_of_64(void **state)
{
	const struct {
		size_t entries, steps, last;
	} cases[] = {{1, 1, 1},	 {63, 1, 63},  {64, 1, 64},
		     {65, 2, 1}, {128, 2, 64}, {2048, 32, 64}};
	struct buf b;

	(void)state;
	assert_int_equal(diff_steps(slice_of(NULL, 0)), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice diff, last;

		a_diff(&b, cases[i].entries, 0, 1);
		diff = buf_slice(&b);
		assert_int_equal(diff_steps(diff), cases[i].steps);
		last = diff_step(diff, cases[i].steps - 1);
		assert_int_equal(last.len, cases[i].last * DIFF_ENTRY);
		assert_ptr_equal(last.p + last.len, diff.p + diff.len);
		buf_done(&b);
	}
}

static void test_hash_of_no_steps_is_of_nothing(void **state)
{
	(void)state;
	assert_hash_equal(diff_hash(slice_of(NULL, 0), NULL, 0),
			  keccak256("", 0));
}

static void test_hash_binds_every_chunk_and_root(void **state)
{
	struct hash32 roots[2] = {a_hash(1), a_hash(2)}, hash;
	uint8_t steps[64], step[64];
	struct buf b;

	(void)state;
	a_diff(&b, 70, 0, 1);
	/* by hand, as the contracts' page says */
	for (int k = 0; k < 2; k++) {
		struct slice chunk = diff_step(buf_slice(&b), (size_t)k);
		struct hash32 h = keccak256(chunk.p, chunk.len);

		memcpy(step, h.b, 32);
		memcpy(step + 32, roots[k].b, 32);
		h = keccak256(step, 64);
		memcpy(steps + 32 * k, h.b, 32);
	}
	hash = diff_hash(buf_slice(&b), roots, 2);
	assert_hash_equal(hash, keccak256(steps, 64));
	roots[0].b[0] ^= 1;
	assert_false(hash_eq(hash, diff_hash(buf_slice(&b), roots, 2)));
	roots[0].b[0] ^= 1;
	b.p[b.len - 1] ^= 1;
	assert_false(hash_eq(hash, diff_hash(buf_slice(&b), roots, 2)));
	buf_done(&b);
}

static struct commit_call a_call(struct slice diff, struct slice signatures)
{
	struct commit_call call = {
		.batch = {.number = 9,
			  .prev_root = a_hash(1),
			  .root = a_hash(3),
			  .leaf_count = 70,
			  .inbox_through = 4,
			  .inbox_acc = a_hash(4),
			  .diff_hash = a_hash(5)},
		.steps = diff_steps(diff),
		.diff = diff,
		.signatures = signatures,
	};

	for (size_t i = 0; i < call.steps; i++)
		call.roots[i] = a_hash((uint8_t)(0x30 + i));
	return call;
}

static bool takes_commit(struct slice s)
{
	static struct commit_call got;

	return commit_decode(s, &got) == OK;
}

static void test_commit_comes_back(void **state)
{
	static const uint8_t signatures[130] = {7};
	static struct commit_call got;
	struct commit_call call;
	struct buf diff, b;

	(void)state;
	a_diff(&diff, 70, 0, 1);
	call = a_call(buf_slice(&diff), slice_of(signatures, 130));
	buf_init(&b, 1 << 20);
	commit_encode(&call, &b);
	assert_int_equal((b.len - 4) % 32, 0);
	assert_int_equal(commit_decode(buf_slice(&b), &got), OK);
	assert_hash_equal(
		batch_digest(1, an_address(1), &got.batch, an_address(2)),
		batch_digest(1, an_address(1), &call.batch, an_address(2)));
	assert_int_equal(got.steps, 2);
	assert_memory_equal(got.roots, call.roots, 64);
	assert_slice_equal(got.diff, call.diff);
	assert_slice_equal(got.signatures, call.signatures);
	/* the padding of the last argument is nobody's: 30 bytes of it */
	assert_prefixes_refused(slice_of(b.p, b.len - 30), takes_commit);
	assert_true(takes_commit(slice_of(b.p, b.len - 30)));
	buf_done(&b);
	buf_done(&diff);
}

/* Word i of the arguments as a number. */
static void set_word(struct buf *b, size_t i, uint64_t value)
{
	put_be(b->p + 4 + 32 * i + 24, value, 8);
}

static void test_commit_reads_what_the_compiler_reads(void **state)
{
	static struct commit_call got;
	struct commit_call call;
	struct buf diff, b;

	(void)state;
	a_diff(&diff, 2, 0, 1);
	call = a_call(buf_slice(&diff), buf_slice(&diff));
	buf_init(&b, 1 << 20);
	commit_encode(&call, &b);
	buf_add(&b, "bytes after the end", 19);
	assert_true(takes_commit(buf_slice(&b)));
	/* both byte strings may be one */
	set_word(&b, 9, get_be(b.p + 4 + 32 * 8 + 24, 8));
	assert_int_equal(commit_decode(buf_slice(&b), &got), OK);
	assert_ptr_equal(got.diff.p, got.signatures.p);
	/* but nothing lies outside */
	set_word(&b, 9, b.len - 4 - 31);
	assert_false(takes_commit(buf_slice(&b)));
	set_word(&b, 9, UINT64_MAX);
	assert_false(takes_commit(buf_slice(&b)));
	set_word(&b, 9, 10 * 32);
	assert_true(takes_commit(buf_slice(&b)));
	b.p[4 + 32 * 9] = 1; /* an offset of 2^248 and more */
	assert_false(takes_commit(buf_slice(&b)));
	b.p[4 + 32 * 9] = 0;
	b.p[4] = 1; /* a batch number that does not fit */
	assert_false(takes_commit(buf_slice(&b)));
	b.p[4] = 0;
	b.p[0] ^= 1;
	assert_false(takes_commit(buf_slice(&b)));
	buf_done(&b);
	buf_done(&diff);
}

static void any_verdict(struct slice s)
{
	struct commit_call got;

	if (commit_decode(s, &got) == OK) {
		assert_true(got.diff.p >= s.p &&
			    got.diff.p + got.diff.len <= s.p + s.len);
		assert_true(got.signatures.p >= s.p &&
			    got.signatures.p + got.signatures.len <=
				    s.p + s.len);
		assert_true(got.steps <= DIFF_STEPS_MAX);
	}
}

static void test_commit_flips_stay_inside(void **state)
{
	struct commit_call call;
	struct buf diff, b;

	(void)state;
	a_diff(&diff, 1, 0, 1);
	call = a_call(buf_slice(&diff), slice_str("signature"));
	buf_init(&b, 1 << 20);
	commit_encode(&call, &b);
	for_each_flip(buf_slice(&b), any_verdict);
	buf_done(&b);
	buf_done(&diff);
}

/* What the judge does with a multiproof, written from the contracts' page:
 * "for each level, walk known ascending; if known[i] ^ 1 is known[i+1], they
 * pair and nothing is consumed, else the next of siblings is the other" */
static struct hash32 judged_root(uint64_t *known, struct hash32 *node, size_t n,
				 unsigned depth, const struct hash32 *siblings,
				 size_t sibling_count)
{
	size_t used = 0;

	for (unsigned h = 0; h < depth; h++) {
		size_t parents = 0;

		for (size_t i = 0; i < n; i++) {
			struct hash32 other, mine = node[i];
			uint64_t at = known[i];

			if (i + 1 < n && (at ^ 1) == known[i + 1]) {
				other = node[++i];
			} else {
				assert_true(used < sibling_count);
				other = siblings[used++];
			}
			node[parents] = at & 1 ? keccak256_pair(&other, &mine)
					       : keccak256_pair(&mine, &other);
			known[parents++] = at >> 1;
		}
		n = parents;
	}
	assert_int_equal(used, sibling_count);
	assert_int_equal(n, 1);
	return node[0];
}

struct collected {
	const struct tree *tree;
	struct hash32 siblings[2048];
	size_t n;
};

static void collect(void *ctx, unsigned height, uint64_t at)
{
	struct collected *c = ctx;

	assert_true(c->n < ARRAY_LEN(c->siblings));
	c->siblings[c->n++] = tree_node(c->tree, height, at);
}

/* A tree of 300 leaves, and the multiproof of some of them. */
static void proves(const uint64_t *indices, size_t n)
{
	static struct collected c;
	struct hash32 node[64];
	uint64_t known[64], all[300];
	struct tree t;

	assert_int_equal(tree_init(&t, 0), OK);
	assert_int_equal(tree_resize(&t, 300), OK);
	for (uint64_t i = 0; i < 300; i++) {
		struct record r = a_record(i, i);

		tree_set(&t, i, record_leaf(&r));
		all[i] = i;
	}
	tree_rehash(&t, all, 300);
	c.tree = &t;
	c.n = 0;
	multiproof_walk(indices, n, t.depth, collect, &c);
	for (size_t i = 0; i < n; i++) {
		known[i] = indices[i];
		node[i] = tree_node(&t, 0, indices[i]);
	}
	assert_hash_equal(judged_root(known, node, n, t.depth, c.siblings, c.n),
			  tree_root(&t));
	tree_done(&t);
}

static void test_multiproof_gives_the_root_as_the_judge_reads_it(void **state)
{
	const uint64_t one[] = {7}, pair[] = {6, 7}, split[] = {7, 8};
	const uint64_t ends[] = {0, 511}, mixed[] = {0, 1, 2, 5, 299, 300, 301};
	uint64_t run[64], sparse[64];

	(void)state;
	for (uint64_t i = 0; i < 64; i++) {
		run[i] = 37 + i;
		sparse[i] = i * 7;
	}
	proves(one, 1);
	proves(pair, 2);
	proves(split, 2);
	proves(ends, 2);
	proves(mixed, 7);
	proves(run, 64);
	proves(sparse, 64);
}

static void test_bad_step_has_the_words_of_the_struct(void **state)
{
	const struct batch batch = {.number = 9, .leaf_count = 70};
	const struct batch_before before = {1, 2, 3, 4};
	struct hash32 roots[2] = {a_hash(0x31), a_hash(0x32)};
	struct hash32 siblings[3] = {a_hash(1), a_hash(2), a_hash(3)};
	struct record old[64] = {{{0}}};
	struct bad_step proof = {
		.batch = &batch,
		.before = &before,
		.step = 1,
		.roots = roots,
		.steps = 2,
		.root_before = a_hash(0x99),
		.old_records = old,
		.siblings = siblings,
		.sibling_count = 3,
	};
	struct abi_reader r, outer, list;
	struct hash32 step, chunk;
	struct slice bytes;
	struct buf diff, b;
	size_t n;

	(void)state;
	a_diff(&diff, 70, 0, 1);
	proof.diff = buf_slice(&diff);
	buf_init(&b, 1 << 20);
	bad_step_encode(&proof, &b);
	assert_false(b.failed);
	outer = abi_reader(buf_slice(&b));
	r = abi_tuple(&outer);
	assert_int_equal(abi_u64(&r, 64), 9);
	for (int i = 0; i < 6; i++)
		(void)abi_hash(&r);
	for (uint64_t i = 1; i <= 4; i++)
		assert_int_equal(abi_u64(&r, 64), i);
	assert_int_equal(abi_u64(&r, 64), 1);
	list = abi_array(&r, 1, 32, &n);
	assert_int_equal(n, 2);
	(void)abi_hash(&list);
	step = abi_hash(&list);
	/* a step after the first opens the root before from the list */
	assert_hash_equal(abi_hash(&r), roots[0]);
	assert_hash_equal(abi_hash(&r), keccak256(diff.p, 64 * 58));
	assert_hash_equal(abi_hash(&r), roots[1]);
	bytes = abi_bytes(&r, 1 << 20);
	assert_slice_equal(bytes, slice_of(diff.p + 64 * 58, 6 * 58));
	chunk = keccak256(bytes.p, bytes.len);
	assert_hash_equal(step, keccak256_pair(&chunk, &roots[1]));
	bytes = abi_bytes(&r, 1 << 20);
	assert_int_equal(bytes.len, 6 * 53);
	list = abi_array(&r, 1, 2048, &n);
	assert_int_equal(n, 3);
	assert_hash_equal(abi_hash(&list), a_hash(1));
	assert_false(r.failed || list.failed);

	/* the first step's root before is the batch's own */
	proof.step = 0;
	buf_clear(&b);
	bad_step_encode(&proof, &b);
	outer = abi_reader(buf_slice(&b));
	r = abi_tuple(&outer);
	for (int i = 0; i < 12; i++)
		(void)abi_hash(&r);
	(void)abi_array(&r, 1, 32, &n);
	assert_hash_equal(abi_hash(&r), a_hash(0x99));
	assert_hash_equal(abi_hash(&r), a_hash(0));
	assert_false(r.failed);
	buf_done(&b);
	buf_done(&diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_come_back),
		cmocka_unit_test(test_check_refuses_disorder_and_bad_lengths),
		cmocka_unit_test(test_check_takes_any_record),
		cmocka_unit_test(test_steps_are_of_64),
		cmocka_unit_test(test_hash_of_no_steps_is_of_nothing),
		cmocka_unit_test(test_hash_binds_every_chunk_and_root),
		cmocka_unit_test(test_commit_comes_back),
		cmocka_unit_test(test_commit_reads_what_the_compiler_reads),
		cmocka_unit_test(test_commit_flips_stay_inside),
		cmocka_unit_test(
			test_multiproof_gives_the_root_as_the_judge_reads_it),
		cmocka_unit_test(test_bad_step_has_the_words_of_the_struct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
