/* The operator's windows against the contract's. */
#include "unit.h"

#include "watcher/windows.h"

static const struct hatch_terms terms = {
	.sla_window = 3600, .failover_window = 1800, .hard_deadline = 86400};
static struct err_text error;

static struct watcher_config config(void)
{
	return (struct watcher_config){.shared = settings_defaults()};
}

static void refused(const struct watcher_config *c, const char *words)
{
	assert_int_equal(windows_judge(c, &terms, &error), ERR_REFUSED);
	assert_string_equal(error.text, words);
}

static void test_an_sla_looser_than_the_contracts_is_refused(void **state)
{
	struct watcher_config c = config();

	(void)state;
	assert_int_equal(windows_judge(&c, &terms, &error), OK);
	c.sla_ms = 3600 * 1000;
	assert_int_equal(windows_judge(&c, &terms, &error), OK);
	c.sla_ms = 7200 * 1000;
	refused(&c, "sla: 2h is longer than the contract's slaWindow of 1h: "
		    "citizens would wait unseen: lower it or remove it");
}

static void test_polling_less_often_than_the_window_is_refused(void **state)
{
	struct hatch_terms t = terms;
	struct watcher_config c = config();
	struct settings_warnings w;

	(void)state;
	t.sla_window = 8;
	windows_warn(&c, &t, 0, &w);
	assert_int_equal(w.n, 0); /* 2 s of 8 */
	c.shared.poll_ms = 2001;
	assert_int_equal(windows_judge(&c, &t, &error), OK);
	windows_warn(&c, &t, 0, &w);
	assert_int_equal(w.n, 1);
	assert_non_null(strstr(w.lines[0].text, "poll: 2001ms is more than a "
						"quarter"));
	c.shared.poll_ms = 8000;
	assert_int_equal(windows_judge(&c, &t, &error), ERR_REFUSED);
	assert_non_null(strstr(error.text, "poll: 8s is not shorter"));
	assert_non_null(strstr(error.text, "every 2s or more often"));
}

static void test_a_hold_off_beyond_the_deadline_is_refused(void **state)
{
	struct watcher_config c = config();
	struct settings_warnings w;

	(void)state;
	c.vote.hold_off_ms = (86400 - 3600) * 1000;
	assert_int_equal(windows_judge(&c, &terms, &error), OK); /* no vote */
	c.guardian_set = true;
	assert_int_equal(windows_judge(&c, &terms, &error), OK); /* by hand */
	c.vote.open = VOTE_AUTO;
	refused(&c, "vote.hold_off: 23h after the slaWindow of 1h anybody may "
		    "open the hatch already (hardDeadline 1d): this guardian "
		    "would never vote in time: lower it");
	c.vote.hold_off_ms -= 1000;
	assert_int_equal(windows_judge(&c, &terms, &error), OK);
	windows_warn(&c, &terms, 0, &w);
	assert_int_equal(w.n, 1);
	assert_non_null(strstr(w.lines[0].text, "failoverWindow (30m)"));
	c.vote.hold_off_ms = 1799 * 1000;
	windows_warn(&c, &terms, 0, &w);
	assert_int_equal(w.n, 0);
}

static void test_a_depth_older_than_the_window_is_warned_of(void **state)
{
	struct watcher_config c = config();
	struct settings_warnings w;

	(void)state;
	windows_warn(&c, &terms, 3600, &w);
	assert_int_equal(w.n, 0);
	windows_warn(&c, &terms, 3601, &w);
	assert_int_equal(w.n, 1);
	assert_non_null(strstr(w.lines[0].text, "act_on: safe"));
	c.shared.chain.act_on = ACT_ON_CONFIRMATIONS;
	windows_warn(&c, &terms, 3601, &w);
	assert_non_null(strstr(w.lines[0].text, "chain.confirmations: "));
}

/* An amendment makes slaWindow shorter than our sla while we run. */
static void test_an_amendment_alerts_and_stops_nobody(void **state)
{
	struct hatch_terms t = terms;
	struct watcher_config c = config();
	struct windows w = {0};

	(void)state;
	c.sla_ms = 1800 * 1000;
	assert_int_equal(windows_update(&w, &c, &t), WINDOWS_SAFE);
	assert_int_equal(windows_update(&w, &c, &t), WINDOWS_SAME);
	assert_int_equal(windows_quiet_after(&c, &t), 1800);
	t.sla_window = 900;
	assert_int_equal(windows_update(&w, &c, &t), WINDOWS_UNSAFE);
	assert_non_null(strstr(w.unsafe.text, "slaWindow of 15m"));
	assert_int_equal(windows_update(&w, &c, &t), WINDOWS_SAME);
	assert_int_equal(windows_quiet_after(&c, &t), 900); /* L1's counts */
	t.sla_window = 1800;
	assert_int_equal(windows_update(&w, &c, &t), WINDOWS_SAFE);
	assert_string_equal(w.unsafe.text, "");
	/* the same at a start is refused */
	t.sla_window = 900;
	w = (struct windows){0};
	assert_int_equal(windows_update(&w, &c, &t), WINDOWS_REFUSED);
}

static void test_quiet_is_told_before_late(void **state)
{
	struct hatch_facts f = {.terms = terms, .last_at = 10000};
	struct watcher_config c = config();

	(void)state;
	c.sla_ms = 600 * 1000;
	f.block.time = 10600;
	assert_false(windows_quiet(&c, &f)); /* exceeded strictly */
	f.block.time = 10601;
	assert_true(windows_quiet(&c, &f));
	c.sla_ms = 0; /* the contract's alone */
	assert_false(windows_quiet(&c, &f));
	f.block.time = 10000 + 3601;
	assert_true(windows_quiet(&c, &f));
	f.last_at = 0; /* no batch yet: no clock runs */
	assert_false(windows_quiet(&c, &f));
	f.last_at = 10000;
	f.state = ROLLUP_OPEN;
	assert_false(windows_quiet(&c, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_an_sla_looser_than_the_contracts_is_refused),
		cmocka_unit_test(
			test_polling_less_often_than_the_window_is_refused),
		cmocka_unit_test(
			test_a_hold_off_beyond_the_deadline_is_refused),
		cmocka_unit_test(
			test_a_depth_older_than_the_window_is_warned_of),
		cmocka_unit_test(test_an_amendment_alerts_and_stops_nobody),
		cmocka_unit_test(test_quiet_is_told_before_late),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
