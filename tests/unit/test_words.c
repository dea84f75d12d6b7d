/* ABI words: what solc writes is read, and nothing else is. */
#include "tests/unit/unit.h"

#include "abi/words.h"

static const struct address alice = {{0xa1, [19] = 0x01}};
static const struct hash32 hash = {{0xff, [31] = 0x02}};

/* f(uint64, bytes, address, bool, bytes32[], uint256) */
static void put_call(struct buf *b)
{
	struct slice text = slice_str("thirty-three bytes long, no less!");
	abi_put_selector(b, 0xdeadbeef);
	abi_put_u64(b, 7);
	abi_put_u64(b, 6 * ABI_WORD);
	abi_put_address(b, alice);
	abi_put_bool(b, true);
	abi_put_u64(b, (6 + abi_bytes_words(text.len)) * ABI_WORD);
	abi_put_u256(b, (struct u256){{1, 2, 3, 4}});
	abi_put_bytes(b, text);
	abi_put_hashes(b, (struct hash32[]){hash, {{0}}}, 2);
}

static void test_call_round_trips(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 10000);
	put_call(&b);
	assert_int_equal(b.len, 4 + ABI_WORD * (6 + 3 + 3));
	assert_int_equal(get_be(b.p, 4), 0xdeadbeef);
	struct abi_reader r = abi_reader(slice_of(b.p + 4, b.len - 4));
	assert_int_equal(abi_u64(&r, 3), 7);
	assert_true(slice_eq(abi_bytes(&r, 33),
			     slice_str("thirty-three bytes long, no less!")));
	assert_true(address_eq(abi_address(&r), alice));
	assert_true(abi_bool(&r));
	size_t n;
	struct abi_reader hashes = abi_array(&r, 1, 2, &n);
	assert_int_equal(n, 2);
	assert_true(hash_eq(abi_hash(&hashes), hash));
	assert_true(hash_is_zero(abi_hash(&hashes)));
	assert_false(hashes.failed);
	(void)abi_hash(&hashes);
	assert_true(hashes.failed);
	assert_int_equal(u256_cmp(abi_u256(&r), (struct u256){{1, 2, 3, 4}}),
			 0);
	assert_false(r.failed);
}

static void test_bytes_words_counts_length_and_padding(void **state)
{
	(void)state;
	static const size_t cases[][2] = {{0, 1},  {1, 2},  {31, 2},
					  {32, 2}, {33, 3}, {64, 3}};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t bytes[64] = {0};
		assert_int_equal(abi_bytes_words(cases[i][0]), cases[i][1]);
		buf_clear(&b);
		abi_put_bytes(&b, slice_of(bytes, cases[i][0]));
		assert_int_equal(b.len, cases[i][1] * ABI_WORD);
	}
}

static struct abi_reader word_of(uint8_t word[ABI_WORD])
{
	return abi_reader(slice_of(word, ABI_WORD));
}

static void test_dirty_high_bytes_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ABI_WORD; i++) {
		uint8_t word[ABI_WORD] = {0};
		word[i] = 1;
		struct abi_reader r = word_of(word);
		(void)abi_u64(&r, 64);
		assert_int_equal(r.failed, i < 24);
		r = word_of(word);
		(void)abi_u64(&r, 40);
		assert_int_equal(r.failed, i < 27);
		r = word_of(word);
		(void)abi_address(&r);
		assert_int_equal(r.failed, i < 12);
		r = word_of(word);
		(void)abi_bool(&r);
		assert_int_equal(r.failed, i < 31);
		r = word_of(word);
		(void)abi_u256(&r);
		(void)abi_u256(&r);
		assert_true(r.failed);
	}
	uint8_t two[ABI_WORD] = {[31] = 2};
	struct abi_reader r = word_of(two);
	assert_false(abi_bool(&r));
	assert_true(r.failed);
}

static void test_failure_sticks_and_gives_zeros(void **state)
{
	(void)state;
	uint8_t words[2 * ABI_WORD] = {[0] = 1, [63] = 5};
	struct abi_reader r = abi_reader(slice_of(words, sizeof(words)));
	assert_int_equal(abi_u64(&r, 64), 0);
	assert_true(r.failed);
	assert_int_equal(abi_u64(&r, 64), 0);
	assert_true(u256_is_zero(abi_u256(&r)));
	assert_true(hash_is_zero(abi_hash(&r)));
	assert_true(address_is_zero(abi_address(&r)));
	assert_int_equal(abi_bytes(&r, 100).len, 0);
	size_t n = 9;
	struct abi_reader array = abi_array(&r, 1, 10, &n);
	assert_true(array.failed && n == 0);
	struct abi_reader tuple = abi_tuple(&r);
	assert_true(tuple.failed);
}

/* A single dynamic argument: offset, length, and `extra` bytes after. */
static struct abi_reader tail_of(struct buf *b, struct u256 offset,
				 struct u256 length, size_t extra)
{
	buf_clear(b);
	abi_put_u256(b, offset);
	abi_put_u256(b, length);
	buf_add_zeros(b, extra);
	return abi_reader(buf_slice(b));
}

static void test_offsets_and_lengths_stay_inside(void **state)
{
	(void)state;
	const struct u256 huge = {{0, 1, 0, 0}}, wrap = {{UINT64_MAX}};
	const struct u256 at = {{32}};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	struct {
		struct u256 offset, length;
		size_t extra, max;
		bool ok;
	} cases[] = {
		{at, u256_from(5), 32, 5, true},
		{at, u256_from(0), 0, 0, true},
		{at, u256_from(32), 32, 32, true},
		{at, u256_from(5), 32, 4, false},   /* over the caller's */
		{at, u256_from(33), 32, 99, false}, /* over the data */
		{at, u256_from(5), 31, 99, false},  /* padding cut */
		{at, wrap, 32, SIZE_MAX, false},    /* length + pad wraps */
		{at, huge, 32, SIZE_MAX, false},
		{huge, u256_from(5), 32, 99, false},
		{wrap, u256_from(5), 32, 99, false},
		{u256_from(33), u256_from(0), 32, 99, false}, /* no word */
		{u256_from(96), u256_from(5), 32, 99, false}, /* past all */
		{u256_from(128), u256_from(5), 32, 99, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct abi_reader r = tail_of(&b, cases[i].offset,
					      cases[i].length, cases[i].extra);
		struct slice s = abi_bytes(&r, cases[i].max);
		assert_int_equal(r.failed, !cases[i].ok);
		assert_int_equal(s.len, cases[i].ok ? cases[i].length.w[0] : 0);
	}
	struct abi_reader r = tail_of(&b, at, u256_from(5), 32);
	b.p[2 * ABI_WORD + 5] = 1; /* dirty padding */
	(void)abi_bytes(&r, 99);
	assert_true(r.failed);
}

static void test_array_count_is_bounded_by_data_and_caller(void **state)
{
	(void)state;
	const struct u256 at = {{32}};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	size_t n;
	struct abi_reader r = tail_of(&b, at, u256_from(2), 4 * ABI_WORD);
	struct abi_reader array = abi_array(&r, 2, 2, &n);
	assert_true(!r.failed && n == 2 && array.data.len == 4 * ABI_WORD);
	r = tail_of(&b, at, u256_from(2), 4 * ABI_WORD);
	array = abi_array(&r, 2, 1, &n);
	assert_true(r.failed && array.failed && n == 0);
	r = tail_of(&b, at, u256_from(2), 4 * ABI_WORD - 1);
	(void)abi_array(&r, 2, 2, &n);
	assert_true(r.failed);
	r = tail_of(&b, at, (struct u256){{UINT64_MAX / 32}}, 32);
	(void)abi_array(&r, 32, SIZE_MAX, &n);
	assert_true(r.failed);
}

static void test_tuple_offsets_count_from_its_own_start(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	abi_put_u64(&b, 2 * ABI_WORD); /* (uint8, bytes) behind an offset */
	abi_put_u64(&b, 99);
	abi_put_u64(&b, 3);
	abi_put_u64(&b, 2 * ABI_WORD);
	abi_put_bytes(&b, slice_str("hi"));
	struct abi_reader r = abi_reader(buf_slice(&b));
	struct abi_reader tuple = abi_tuple(&r);
	assert_int_equal(abi_u64(&tuple, 8), 3);
	assert_true(slice_eq(abi_bytes(&tuple, 2), slice_str("hi")));
	assert_false(tuple.failed);
	assert_int_equal(abi_u64(&r, 8), 99);
	assert_false(r.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_round_trips),
		cmocka_unit_test(test_bytes_words_counts_length_and_padding),
		cmocka_unit_test(test_dirty_high_bytes_are_refused),
		cmocka_unit_test(test_failure_sticks_and_gives_zeros),
		cmocka_unit_test(test_offsets_and_lengths_stay_inside),
		cmocka_unit_test(
			test_array_count_is_bounded_by_data_and_caller),
		cmocka_unit_test(test_tuple_offsets_count_from_its_own_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
