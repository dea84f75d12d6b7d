/* What the command line makes of numbers, times and others' words. */
#include "tests/unit/unit.h"

#include "cli/common.h"

#define NOW 1795227612u /* 2026-11-21 02:20:12 UTC */

static void test_times_become_times_of_the_day(void **state)
{
	(void)state;
	assert_string_equal(cli_times("since 1795227600, 8 s", NOW).s,
			    "since 02:20:00 UTC, 8 s");
	assert_string_equal(cli_times("after 1795400412", NOW).s,
			    "after 2026-11-23 02:20 UTC");
	assert_string_equal(cli_times("1795227612", NOW).s, "02:20:12 UTC");
}

static void test_nothing_else_becomes_a_time(void **state)
{
	static const char *const texts[] = {
		"1795227600 wei paid to 0x12 (withdrawal 0)",
		"1795227600 of token 0x12; 1795227601 were asked for",
		"",
		"standby 0x77bbadb6876756525dc46af53f795b7ad21691c2 is late",
		"leaf 179522761, batch 17952276120",
		"0x1795227612 a1795227612 1795227612b",
		"1000000000 wei",
		"4000000000 wei",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(cli_times(texts[i], NOW).s, texts[i]);
}

static void test_a_long_text_is_cut_and_ends(void **state)
{
	char text[1024];
	struct cli_line line;

	(void)state;
	for (size_t len = 280; len < sizeof(text) - 12; len++) {
		memset(text, 'x', len);
		memcpy(text + len, " 1795227600", sizeof(" 1795227600"));
		line = cli_times(text, NOW);
		assert_true(strnlen(line.s, sizeof(line.s)) < sizeof(line.s));
	}
	memset(text, '-', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	line = cli_times(text, NOW);
	assert_int_equal(strnlen(line.s, sizeof(line.s)), sizeof(line.s) - 1);
}

static void test_control_characters_become_spaces(void **state)
{
	char text[] = "a\x1b[2J\n\x7f\xc2\x9b"
		      "b\xc3\xa9\xc2";

	(void)state;
	cli_clean(text);
	assert_string_equal(text, "a [2J    b\xc3\xa9\xc2");
}

static void test_amounts_are_exact_and_short(void **state)
{
	static const struct {
		const char *wei, *said;
	} amounts[] = {
		{"0", "0 wei"},
		{"999999999999", "999999999999 wei"},
		{"1000000000000", "0.000001 ETH"},
		{"20000000000000000000", "20 ETH"},
		{"1500000000000000001", "1.500000000000000001 ETH"},
		{"79228162514264337593543950335",
		 "79228162514.264337593543950335 ETH"},
	};
	struct u256 value = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		assert_int_equal(u256_parse(slice_str(amounts[i].wei), &value),
				 OK);
		assert_string_equal(cli_wei(value).s, amounts[i].said);
	}
}

static void test_deadlines_are_told_from_now(void **state)
{
	(void)state;
	assert_string_equal(cli_when(0, NOW).s, "never");
	assert_string_equal(cli_when(NOW, NOW).s, "just now");
	assert_string_equal(cli_when(NOW + 7, NOW).s, "in 7 s");
	assert_string_equal(cli_when(NOW - 3, NOW).s, "3 s ago");
	assert_string_equal(cli_when(NOW + 3 * 86400, NOW).s, "in 3 days");
	assert_string_equal(cli_when(NOW + 36 * 3600, NOW).s, "in 36 h");
	assert_string_equal(cli_when(NOW - 600, NOW).s, "10 min ago");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_become_times_of_the_day),
		cmocka_unit_test(test_nothing_else_becomes_a_time),
		cmocka_unit_test(test_a_long_text_is_cut_and_ends),
		cmocka_unit_test(test_control_characters_become_spaces),
		cmocka_unit_test(test_amounts_are_exact_and_short),
		cmocka_unit_test(test_deadlines_are_told_from_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
