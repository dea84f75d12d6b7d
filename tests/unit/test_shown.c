/* Pages are written at once when they tell something new, and else now and
 * then. */
#include "unit.h"

#include <stdio.h>

#include "watcher/limits.h"
#include "watcher/shown.h"

#define NOW 5000

static struct shown shown;
static struct l1_view view;
static struct verdict verdict;
static struct hatch_facts facts;
static struct ledger_mark mark;
static struct pool pool;
static struct status_input input;

static int set_up(void **state)
{
	(void)state;
	view = (struct l1_view){.healthy = true, .n = 3};
	verdict = (struct verdict){.phase = PHASE_LIVE};
	facts = (struct hatch_facts){.count = 7};
	mark = (struct ledger_mark){.batch = 7};
	pool = (struct pool){.n = 0};
	input = (struct status_input){.verdict = &verdict,
				      .facts = &facts,
				      .l1 = &view,
				      .follow_proofs = "",
				      .mark = &mark,
				      .pool = &pool,
				      .trouble = ""};
	for (size_t i = 0; i < HATCH_KEYS_MAX; i++)
		input.standby_why[i] = "";
	shown_init(&shown);
	assert_true(shown_is_due(&shown, &input, NOW));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	shown_done(&shown);
	return 0;
}

static void test_latencies_and_counters_are_no_news(void **state)
{
	(void)state;
	assert_false(shown_is_due(&shown, &input, NOW));
	view.providers[2].latency_ms = 7;
	view.providers[1].faults[FAULT_STATUS]++;
	view.unix_s++;
	view.seen_at_ms++;
	assert_false(shown_is_due(&shown, &input, NOW));
	(void)snprintf(view.clock, sizeof(view.clock), "the head is 9 s off");
	assert_true(shown_is_due(&shown, &input, NOW));
	(void)snprintf(view.clock, sizeof(view.clock), "the head is 10 s off");
	assert_false(shown_is_due(&shown, &input, NOW + SHOWN_MS - 1));
}

static void test_all_is_written_again_after_a_while(void **state)
{
	(void)state;
	assert_true(shown_is_due(&shown, &input, NOW + SHOWN_MS));
	assert_false(shown_is_due(&shown, &input, NOW + SHOWN_MS + 1));
	assert_true(shown_is_due(&shown, &input, NOW + 2 * SHOWN_MS));
}

/* Once, at the time that the last was written. */
static void assert_news(void)
{
	assert_true(shown_is_due(&shown, &input, NOW));
	assert_false(shown_is_due(&shown, &input, NOW));
}

static void test_what_is_new_is_written_at_once(void **state)
{
	(void)state;
	view.head.hash.b[3]++;
	assert_news();
	view.acted.number++;
	assert_news();
	view.healthy = false;
	assert_news();
	view.providers[2].state = "down";
	assert_news();
	(void)snprintf(view.providers[0].why, sizeof(view.providers->why), "x");
	assert_news();
	view.providers[1].expulsions++;
	assert_news();
	verdict.phase = PHASE_LATE;
	assert_news();
	verdict.why[0] = 'w';
	assert_news();
	facts.count++;
	assert_news();
	mark.batch++;
	assert_news();
	input.behind++;
	assert_news();
	input.quiet = true;
	assert_news();
	input.trouble = "the signer does not answer";
	assert_news();
	input.follow_proofs = "proved";
	assert_news();
	input.standby[1] = STANDBY_UNREADY;
	assert_news();
	input.standby_why[1] = "unreachable";
	assert_news();
	pool.n++;
	assert_news();
	input.alerts[input.n_alerts++] = (struct status_alert){.id = "LATE"};
	assert_news();
	input.alerts[0].text[0] = 't';
	assert_news();
	input.alerts[0].since++;
	assert_news();
	input.facts = NULL;
	assert_news();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_latencies_and_counters_are_no_news, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_all_is_written_again_after_a_while, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_new_is_written_at_once, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
