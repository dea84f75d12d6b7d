/* Every window is exceeded strictly: at the limit it is not so yet. */
#include "unit.h"

#include "l1/phase.h"

static struct hatch_facts running(void)
{
	return (struct hatch_facts){.terms = {.sla_window = 100,
					      .failover_window = 50,
					      .inclusion_window = 30,
					      .hard_deadline = 1000,
					      .notice = 2000,
					      .finality = 40,
					      .round = 10},
				    .last_at = 10000,
				    .state = ROLLUP_RUNNING};
}

static void test_late_only_after_the_sla_window(void **state)
{
	struct hatch_facts f = running();
	(void)state;
	assert_int_equal(phase_of(&f, 10099), PHASE_LIVE);
	assert_int_equal(phase_of(&f, 10100), PHASE_LIVE);
	assert_int_equal(phase_of(&f, 10101), PHASE_LATE);
	assert_int_equal(phase_deadlines(&f).late_at, 10100);
}

static void test_no_clock_before_the_first_batch(void **state)
{
	struct hatch_facts f = running();
	(void)state;
	f.last_at = 0;
	assert_int_equal(phase_of(&f, UINT32_MAX), PHASE_LIVE);
	assert_false(phase_openable(&f, UINT32_MAX));
	struct phase_deadlines d = phase_deadlines(&f);
	assert_int_equal(d.late_at + d.openable_at + d.failover_until, 0);
	/* but a request's own clock runs */
	f.overdue = 500;
	assert_false(phase_openable(&f, 1500));
	assert_true(phase_openable(&f, 1501));
	assert_int_equal(phase_deadlines(&f).openable_at, 1500);
}

static void test_promoted_until_the_failover_window_ends(void **state)
{
	struct hatch_facts f = running();
	(void)state;
	f.promoted_at = 10200;
	assert_int_equal(phase_of(&f, 10100), PHASE_LIVE);
	assert_int_equal(phase_of(&f, 10249), PHASE_PROMOTED);
	assert_int_equal(phase_of(&f, 10250), PHASE_PROMOTED);
	assert_int_equal(phase_of(&f, 10251), PHASE_LATE);
	assert_int_equal(phase_deadlines(&f).failover_until, 10250);
	/* a promotion not after the last commit counts no more */
	f.terms.failover_window = 500;
	f.promoted_at = f.last_at;
	assert_int_equal(phase_of(&f, 10101), PHASE_LATE);
	assert_int_equal(phase_deadlines(&f).failover_until, 0);
}

static void test_openable_after_the_hard_deadline(void **state)
{
	struct hatch_facts f = running();
	(void)state;
	assert_false(phase_openable(&f, 10999));
	assert_false(phase_openable(&f, 11000));
	assert_true(phase_openable(&f, 11001));
	f.overdue = 9500; /* older than the silence */
	assert_false(phase_openable(&f, 10500));
	assert_true(phase_openable(&f, 10501));
	assert_int_equal(phase_deadlines(&f).openable_at, 10500);
	f.overdue = 10500; /* younger */
	assert_int_equal(phase_deadlines(&f).openable_at, 11000);
	f.state = ROLLUP_OPEN;
	assert_false(phase_openable(&f, 99999));
	f.state = ROLLUP_SETTLING;
	assert_true(phase_openable(&f, 99999));
}

static void test_exits_only_after_finality(void **state)
{
	struct hatch_facts f = running();
	(void)state;
	assert_false(phase_exits_open(&f, 99999));
	f.state = ROLLUP_OPEN;
	f.opened_at = 10020;
	assert_int_equal(phase_of(&f, 10020), PHASE_OPEN);
	assert_false(phase_exits_open(&f, 10039));
	assert_false(phase_exits_open(&f, 10040));
	assert_true(phase_exits_open(&f, 10041));
	struct phase_deadlines d = phase_deadlines(&f);
	assert_int_equal(d.exits_from, 10040);
	assert_int_equal(d.resume_from, 10070); /* exits + inclusion */
	assert_int_equal(d.late_at + d.openable_at, 0);
	f.opened_at = 10200; /* opened after finality */
	assert_int_equal(phase_deadlines(&f).resume_from, 10230);
}

static void test_settling_has_the_hard_deadline_alone(void **state)
{
	struct hatch_facts f = running();
	(void)state;
	f.state = ROLLUP_SETTLING;
	f.promoted_at = 10200;
	f.enact_from = 7;
	assert_int_equal(phase_of(&f, 99999), PHASE_SETTLING);
	struct phase_deadlines d = phase_deadlines(&f);
	assert_int_equal(d.openable_at, 11000);
	assert_int_equal(d.late_at + d.failover_until + d.exits_from, 0);
	assert_int_equal(d.enact_from, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_only_after_the_sla_window),
		cmocka_unit_test(test_no_clock_before_the_first_batch),
		cmocka_unit_test(test_promoted_until_the_failover_window_ends),
		cmocka_unit_test(test_openable_after_the_hard_deadline),
		cmocka_unit_test(test_exits_only_after_finality),
		cmocka_unit_test(test_settling_has_the_hard_deadline_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
