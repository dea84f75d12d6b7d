/* RLP: one encoding of every value, and no other is read. */
#include "tests/unit/unit.h"

#include "abi/hex.h"
#include "abi/rlp.h"

#define CHECK_HEX(b, expected)                                                 \
	do {                                                                   \
		CLEANUP(buf_done) struct buf hex_;                             \
		buf_init(&hex_, 1 << 20);                                      \
		buf_add_hex(&hex_, (b)->p, (b)->len);                          \
		assert_string_equal(buf_cstr(&hex_), expected);                \
	} while (0)

static void test_integers_are_minimal(void **state)
{
	(void)state;
	static const struct {
		uint64_t value;
		const char *expected;
	} cases[] = {{0, "80"},		{1, "01"},
		     {0x7f, "7f"},	{0x80, "8180"},
		     {0xff, "81ff"},	{0x100, "820100"},
		     {0x400, "820400"}, {UINT64_MAX, "88ffffffffffffffff"}};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 100);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&b);
		rlp_put_u64(&b, cases[i].value);
		CHECK_HEX(&b, cases[i].expected);
		struct rlp_reader r = rlp_reader(buf_slice(&b));
		assert_true(rlp_u64(&r) == cases[i].value);
		assert_true(rlp_end(&r));
		r = rlp_reader(buf_slice(&b));
		assert_true(u256_u64(rlp_u256(&r)) == cases[i].value);
		assert_true(rlp_end(&r));
	}
	buf_clear(&b);
	struct u256 big = {{1, 2, 3, 4}};
	rlp_put_u256(&b, big);
	assert_int_equal(b.len, 1 + 25);
	struct rlp_reader r = rlp_reader(buf_slice(&b));
	assert_int_equal(u256_cmp(rlp_u256(&r), big), 0);
	assert_true(rlp_end(&r));
}

/* Yellow paper, appendix B, and the well-known examples. */
static void test_lists_nest(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 100);
	rlp_put_bytes(&b, slice_str("cat"));
	rlp_put_bytes(&b, slice_str("dog"));
	rlp_wrap_list(&b, 0);
	CHECK_HEX(&b, "c88363617483646f67");
	size_t start = b.len;
	rlp_wrap_list(&b, start);
	rlp_wrap_list(&b, 0);
	CHECK_HEX(&b, "cac88363617483646f67c0");
	struct rlp_reader r = rlp_reader(buf_slice(&b));
	assert_true(rlp_is_list(&r));
	struct rlp_reader outer = rlp_list(&r);
	assert_true(rlp_end(&r));
	struct rlp_reader inner = rlp_list(&outer);
	assert_false(rlp_is_list(&inner));
	assert_true(slice_eq(rlp_bytes(&inner), slice_str("cat")));
	assert_false(rlp_end(&inner));
	assert_true(slice_eq(rlp_bytes(&inner), slice_str("dog")));
	assert_true(rlp_end(&inner));
	assert_int_equal(rlp_item(&outer).len, 1);
	assert_true(rlp_end(&outer));
	(void)rlp_item(&outer);
	assert_true(outer.failed);
}

static void test_long_payloads_carry_their_length(void **state)
{
	(void)state;
	static uint8_t bytes[70000];
	static const struct {
		size_t len;
		const char *header;
	} cases[] = {{55, "b7"},      {56, "b838"},	 {255, "b8ff"},
		     {256, "b90100"}, {65535, "b9ffff"}, {65536, "ba010000"}};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 100000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&b);
		rlp_put_bytes(&b, slice_of(bytes, cases[i].len));
		struct buf header = {.p = b.p, .len = b.len - cases[i].len};
		CHECK_HEX(&header, cases[i].header);
		struct rlp_reader r = rlp_reader(buf_slice(&b));
		assert_int_equal(rlp_bytes(&r).len, cases[i].len);
		assert_true(rlp_end(&r));
		rlp_wrap_list(&b, 0);
		r = rlp_reader(buf_slice(&b));
		struct rlp_reader list = rlp_list(&r);
		assert_true(rlp_end(&r));
		assert_int_equal(rlp_bytes(&list).len, cases[i].len);
		assert_true(rlp_end(&list));
		r = rlp_reader(slice_of(b.p, b.len - 1));
		(void)rlp_item(&r);
		assert_true(r.failed);
	}
}

static struct rlp_reader reader_of(const char *hex, struct buf *b)
{
	buf_clear(b);
	assert_int_equal(hex_decode_buf(slice_str(hex), b), OK);
	return rlp_reader(buf_slice(b));
}

static void test_reader_refuses_what_is_not_canonical(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"0x",			/* nothing */
		"0x8100",		/* 00 is its own encoding */
		"0x817f",		/* so is 7f */
		"0x81",			/* cut */
		"0x830102",		/* cut */
		"0xb800",		/* long form of nothing */
		"0xb801ff",		/* long form of one byte */
		"0xb90001ff",		/* length with a leading zero */
		"0xb9",			/* cut length */
		"0xbf",			/* cut length of 8 */
		"0xbfffffffffffffffff", /* 2^64 − 1 bytes */
		"0xb8ff00",		/* beyond the end */
		"0xf800",		/* the same for lists */
		"0xf801c0",
		"0xf9000180",
		"0xc1",
		"0xffffffffffffffffff",
	};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct rlp_reader r = reader_of(bad[i], &b);
		assert_int_equal(rlp_item(&r).len, 0);
		assert_true(r.failed);
		r = reader_of(bad[i], &b);
		(void)rlp_bytes(&r);
		assert_true(r.failed);
		r = reader_of(bad[i], &b);
		struct rlp_reader list = rlp_list(&r);
		assert_true(r.failed && list.failed);
		assert_false(rlp_end(&r));
	}
}

static void test_a_length_with_a_leading_zero_is_refused(void **state)
{
	(void)state;
	for (unsigned list = 0; list < 2; list++) {
		uint8_t bytes[3 + 56] = {list ? 0xf9 : 0xb9, 0, 56};
		struct rlp_reader r = rlp_reader(slice_of(bytes, 59));
		(void)rlp_item(&r);
		assert_true(r.failed);
		bytes[1] = list ? 0xf8 : 0xb8;
		r = rlp_reader(slice_of(bytes + 1, 58));
		assert_int_equal(rlp_item(&r).len, 58);
		assert_true(rlp_end(&r));
	}
}

static void test_integers_refuse_leading_zeros_and_excess(void **state)
{
	(void)state;
	static const char *const bad[] = {"0x00", "0x820001", "0xc0",
					  "0x89010000000000000000"};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct rlp_reader r = reader_of(bad[i], &b);
		assert_true(rlp_u64(&r) == 0);
		assert_true(r.failed);
	}
	struct rlp_reader r = reader_of("0x89010000000000000000", &b);
	assert_int_equal(u256_cmp(rlp_u256(&r), (struct u256){{0, 1, 0, 0}}),
			 0);
	assert_true(rlp_end(&r));
	buf_clear(&b);
	uint8_t wide[33] = {1};
	rlp_put_bytes(&b, slice_of(wide, 33));
	r = rlp_reader(buf_slice(&b));
	assert_true(u256_is_zero(rlp_u256(&r)));
	assert_true(r.failed);
}

static void test_trailing_bytes_are_seen_and_failure_sticks(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	struct rlp_reader r = reader_of("0x0102", &b);
	assert_true(rlp_u64(&r) == 1);
	assert_false(rlp_end(&r));
	r = reader_of("0xc00102", &b);
	assert_true(rlp_u64(&r) == 0); /* a list where a string is asked */
	assert_true(r.failed);
	assert_true(rlp_u64(&r) == 0);
	assert_false(rlp_is_list(&r));
	assert_false(rlp_end(&r));
	r = reader_of("0x01", &b);
	struct rlp_reader list = rlp_list(&r); /* a string where a list is */
	assert_true(list.failed);
	assert_false(rlp_end(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_minimal),
		cmocka_unit_test(test_lists_nest),
		cmocka_unit_test(test_long_payloads_carry_their_length),
		cmocka_unit_test(test_reader_refuses_what_is_not_canonical),
		cmocka_unit_test(test_a_length_with_a_leading_zero_is_refused),
		cmocka_unit_test(test_integers_refuse_leading_zeros_and_excess),
		cmocka_unit_test(
			test_trailing_bytes_are_seen_and_failure_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
