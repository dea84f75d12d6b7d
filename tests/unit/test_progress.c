/* How fast it catches up, and when it will have. */
#include "unit.h"

#include "watcher/progress.h"

/* A chain that grows by a block a second. */
static void pass(struct progress *p, uint64_t *ms, uint64_t *block,
		 uint64_t seconds, uint64_t rate)
{
	for (uint64_t i = 0; i < 10 * seconds; i++) {
		*ms += 100;
		*block += rate / 10;
		progress_note(p,
			      &(struct progress_point){
				      .now_ms = 1000000 + *ms,
				      .block = *block,
				      .behind = 100000 + *ms / 1000 - *block});
	}
}

static void test_rate_and_eta(void **state)
{
	struct progress p = {0};
	uint64_t ms = 0, block = 0;

	(void)state;
	assert_false(progress_pace(&p).known);
	pass(&p, &ms, &block, 1, 1000);
	assert_false(progress_pace(&p).known);
	pass(&p, &ms, &block, 59, 1000);
	struct progress_pace pace = progress_pace(&p);
	assert_true(pace.known && pace.ends);
	assert_in_range(pace.rate, 990, 1010);
	assert_in_range(pace.eta, 39, 42); /* 40,000 to go */
}

static void test_a_new_pace_is_soon_told(void **state)
{
	struct progress p = {0};
	uint64_t ms = 0, block = 0;

	(void)state;
	pass(&p, &ms, &block, 50, 1000);
	pass(&p, &ms, &block, 32, 100);
	assert_in_range(progress_pace(&p).rate, 95, 105);
}

static void test_what_gets_no_nearer_has_no_eta(void **state)
{
	struct progress p = {0};
	uint64_t ms = 0, block = 5000;

	(void)state;
	pass(&p, &ms, &block, 40, 0);
	struct progress_pace pace = progress_pace(&p);
	assert_true(pace.known);
	assert_int_equal(pace.rate, 0);
	assert_false(pace.ends);
	/* blocks undone to be read again */
	progress_note(&p,
		      &(struct progress_point){.now_ms = 1000000 + ms + 2000,
					       .block = 100,
					       .behind = 99999});
	assert_int_equal(progress_pace(&p).rate, 0);
}

static void test_who_is_not_behind_has_no_pace(void **state)
{
	struct progress p = {0};
	uint64_t ms = 0, block = 0;

	(void)state;
	pass(&p, &ms, &block, 50, 1000);
	progress_note(&p, &(struct progress_point){.now_ms = 2000000,
						   .block = 100000,
						   .behind = BEHIND_MAX});
	assert_false(progress_pace(&p).known);
	assert_false(progress_is_due(&p, 9000000));
}

static void test_a_line_at_most_each_ten_seconds(void **state)
{
	struct progress p = {0};
	uint64_t ms = 0, block = 0;
	unsigned lines = 0;

	(void)state;
	for (int i = 0; i < 600; i++) {
		pass(&p, &ms, &block, 1, 10);
		for (int k = 0; k < 5; k++)
			lines += progress_is_due(&p, 1000000 + ms);
	}
	assert_in_range(lines, 58, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_and_eta),
		cmocka_unit_test(test_a_new_pace_is_soon_told),
		cmocka_unit_test(test_what_gets_no_nearer_has_no_eta),
		cmocka_unit_test(test_who_is_not_behind_has_no_pace),
		cmocka_unit_test(test_a_line_at_most_each_ten_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
