/* 256-bit arithmetic: exact, or refused. */
#include "tests/unit/unit.h"

#include "abi/u256.h"

static const struct u256 max = {
	{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
#define MAX_TEXT                                                               \
	"115792089237316195423570985008687907853269984665640564039457584007"   \
	"913129639935"

static struct u256 parse(const char *text)
{
	struct u256 a;
	assert_int_equal(u256_parse(slice_str(text), &a), OK);
	return a;
}

static void test_decimal_round_trips_at_the_edges(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"0",
		"1",
		"9",
		"10",
		"18446744073709551615",
		"18446744073709551616",
		"340282366920938463463374607431768211456",
		MAX_TEXT};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(u256_text(parse(texts[i])).s, texts[i]);
	assert_int_equal(u256_cmp(parse(MAX_TEXT), max), 0);
}

static void test_decimal_refuses_signs_zeros_and_excess(void **state)
{
	(void)state;
	static const char *const bad[] = {"",	"00", "01",  "-1",  "+1",
					  " 1", "1 ", "1.0", "0x1", "1e3"};
	struct u256 a = u256_from(7);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(u256_parse(slice_str(bad[i]), &a),
				 ERR_INVALID);
	char over[] = MAX_TEXT;
	over[77] = '6';
	assert_int_equal(u256_parse(slice_str(over), &a), ERR_TOO_LARGE);
	assert_int_equal(u256_parse(slice_str(MAX_TEXT "0"), &a),
			 ERR_TOO_LARGE);
	assert_int_equal(u256_u64(a), 7);
}

static void test_big_endian_keeps_every_byte(void **state)
{
	(void)state;
	uint8_t bytes[32], again[40];
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(i + 1);
	struct u256 a = u256_from_be(bytes, 32);
	assert_true(a.w[0] == 0x191a1b1c1d1e1f20);
	assert_true(a.w[3] == 0x0102030405060708);
	u256_to_be(a, again, 32);
	assert_memory_equal(bytes, again, 32);
	u256_to_be(a, again, 40);
	assert_memory_equal(bytes, again + 8, 32);
	assert_memory_equal(again, "\0\0\0\0\0\0\0\0", 8);
	a = u256_from_be(bytes, 12);
	u256_to_be(a, again, 12);
	assert_memory_equal(bytes, again, 12);
	assert_true(u256_is_zero(u256_from_be(NULL, 0)));
}

static void test_fits_counts_bits(void **state)
{
	(void)state;
	struct u256 a = u256_from(1);
	for (unsigned bits = 0; bits < 256; bits++) {
		assert_false(u256_fits(a, bits));
		assert_true(u256_fits(a, bits + 1));
		bool doubled = u256_mul64(a, 2, &a);
		assert_int_equal(doubled, bits < 255);
	}
	assert_true(u256_fits(max, 256));
	assert_false(u256_fits(max, 255));
	assert_true(u256_fits(u256_from(0), 0));
}

static void test_addition_and_subtraction_refuse_to_wrap(void **state)
{
	(void)state;
	struct u256 a = {{UINT64_MAX, UINT64_MAX, 0, 0}}, sum, rest;
	assert_true(u256_add(a, u256_from(1), &sum));
	assert_int_equal(u256_cmp(sum, (struct u256){{0, 0, 1, 0}}), 0);
	assert_true(u256_sub(sum, u256_from(1), &rest));
	assert_int_equal(u256_cmp(rest, a), 0);
	assert_int_equal(u256_cmp(a, sum), -1);
	assert_int_equal(u256_cmp(sum, a), 1);
	sum = u256_from(5);
	assert_false(u256_add(max, u256_from(1), &sum));
	assert_false(u256_sub(u256_from(1), u256_from(2), &sum));
	assert_false(u256_mul64(max, 2, &sum));
	assert_int_equal(u256_u64(sum), 5);
	assert_true(u256_sub(max, max, &sum));
	assert_true(u256_is_zero(sum));
}

static void test_division_and_multiplication_undo_each_other(void **state)
{
	(void)state;
	uint64_t rest;
	struct u256 quotient = u256_div64(max, 1000000007, &rest), back;
	assert_true(u256_mul64(quotient, 1000000007, &back));
	assert_true(u256_add(back, u256_from(rest), &back));
	assert_int_equal(u256_cmp(back, max), 0);
	quotient = u256_div64(u256_from(7), 8, &rest);
	assert_true(u256_is_zero(quotient));
	assert_int_equal(rest, 7);
	assert_int_equal(u256_u64(u256_div64(u256_from(81), 9, NULL)), 9);
}

static void test_u64_saturates(void **state)
{
	(void)state;
	assert_true(u256_u64(max) == UINT64_MAX);
	assert_true(u256_u64((struct u256){{3, 1, 0, 0}}) == UINT64_MAX);
	assert_true(u256_u64(u256_from(3)) == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal_round_trips_at_the_edges),
		cmocka_unit_test(test_decimal_refuses_signs_zeros_and_excess),
		cmocka_unit_test(test_big_endian_keeps_every_byte),
		cmocka_unit_test(test_fits_counts_bits),
		cmocka_unit_test(test_addition_and_subtraction_refuse_to_wrap),
		cmocka_unit_test(
			test_division_and_multiplication_undo_each_other),
		cmocka_unit_test(test_u64_saturates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
