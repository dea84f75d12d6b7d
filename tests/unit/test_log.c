#include "tests/unit/unit.h"

#include <sys/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/log.h"

static int saved_stderr, capture;
static char line[8192];

static void capture_begin(void)
{
	saved_stderr = dup(STDERR_FILENO);
	capture = memfd_create("log", 0);
	dup2(capture, STDERR_FILENO);
}

static const char *capture_end(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	ssize_t n = pread(capture, line, sizeof(line) - 1, 0);
	line[n > 0 ? n : 0] = 0;
	close(saved_stderr);
	close(capture);
	return line;
}

static void test_journal_lines_carry_level_and_pairs(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_init("egress-test", LOG_LEVEL_INFO);
	capture_begin();
	log_notice("phase changed", "from", "LIVE", "to", "LATE", "block",
		   log_u64(12).s);
	assert_string_equal(capture_end(),
			    "<5>phase changed from=LIVE to=LATE block=12\n");
}

static void test_values_cannot_forge_lines_or_pairs(void **state)
{
	(void)state;
	log_init("egress-test", LOG_LEVEL_INFO);
	capture_begin();
	log_warn("said", "text", "a b", "quote", "x\"y\\", "line",
		 "one\n<0>two\x1b[2J", "empty", "", "none", NULL);
	assert_string_equal(
		capture_end(),
		"<4>said text=\"a b\" quote=\"x\\\"y\\\\\" "
		"line=\"one\\x0a<0>two\\x1b[2J\" empty=\"\" none=\"\"\n");
}

static void test_levels_above_the_maximum_are_silent(void **state)
{
	enum log_level level;

	(void)state;
	log_init("egress-test", LOG_LEVEL_WARN);
	capture_begin();
	log_info("quiet");
	log_debug("quieter");
	log_error("loud");
	assert_string_equal(capture_end(), "<3>loud\n");
	assert_int_equal(log_level_parse("debug", &level), OK);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("loud", &level), ERR_INVALID);
}

static void test_without_a_journal_a_line_has_time_and_name(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init("egress-test", LOG_LEVEL_INFO);
	capture_begin();
	log_info("hello");
	const char *text = capture_end();
	assert_int_equal(text[4], '-');
	assert_int_equal(text[23], 'Z');
	assert_string_equal(text + 24, " egress-test info hello\n");
}

static void test_endless_values_are_cut_to_one_line(void **state)
{
	static char big[10000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	log_init("egress-test", LOG_LEVEL_INFO);
	capture_begin();
	log_info("big", "value", big);
	const char *text = capture_end();
	assert_int_equal(strlen(text), 4096);
	assert_int_equal(text[4095], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_lines_carry_level_and_pairs),
		cmocka_unit_test(test_values_cannot_forge_lines_or_pairs),
		cmocka_unit_test(test_levels_above_the_maximum_are_silent),
		cmocka_unit_test(
			test_without_a_journal_a_line_has_time_and_name),
		cmocka_unit_test(test_endless_values_are_cut_to_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
