/* When this watcher votes, and for what. */
#include "tests/unit/unit.h"

#include "tests/unit/values.h"
#include "watcher/verdict.h"

#define LAST_AT 1000
#define SLA	100
#define FAIL	50

struct world {
	struct hatch_facts facts;
	struct verdict_input in;
};

/* Two ready standbys, a healthy L1, everything automatic, no hold-off. */
static void world_at(struct world *w, uint64_t now)
{
	memset(w, 0, sizeof(*w));
	w->facts.block.time = now;
	w->facts.last_at = LAST_AT;
	w->facts.count = 7;
	w->facts.terms = (struct hatch_terms){.sla_window = SLA,
					      .failover_window = FAIL,
					      .hard_deadline = 400,
					      .round = 2};
	w->facts.sequencer = an_address(9);
	w->facts.n_standbys = 2;
	w->facts.standbys[0] = an_address(1);
	w->facts.standbys[1] = an_address(2);
	w->in.facts = &w->facts;
	w->in.l1_healthy = true;
	w->in.l1_why = "";
	w->in.policy.promote = w->in.policy.open = true;
	w->in.standby[0] = w->in.standby[1] = STANDBY_READY;
}

static void expect(const struct world *w, enum phase phase,
		   enum verdict_act act, uint8_t standby)
{
	struct verdict v = verdict_of(&w->in);
	struct address a = an_address(standby);

	assert_int_equal(v.phase, phase);
	assert_int_equal(v.act, act);
	if (act == VERDICT_PROMOTE)
		assert_memory_equal(v.standby.b, a.b, sizeof(a.b));
	assert_true(v.why[0]);
}

static void test_windows_are_exceeded_strictly(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA - 1);
	expect(&w, PHASE_LIVE, VERDICT_ABSTAIN, 0);
	world_at(&w, LAST_AT + SLA);
	expect(&w, PHASE_LIVE, VERDICT_ABSTAIN, 0);
	world_at(&w, LAST_AT + SLA + 1);
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 1);
}

static void test_abstains_when_l1_is_not_to_be_trusted(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 1);
	w.in.l1_healthy = false;
	w.in.l1_why = "quorum lost";
	expect(&w, PHASE_UNKNOWN, VERDICT_ABSTAIN, 0);
	assert_non_null(strstr(verdict_of(&w.in).why, "quorum lost"));
	w.in.l1_healthy = true;
	w.in.facts = NULL;
	expect(&w, PHASE_UNKNOWN, VERDICT_ABSTAIN, 0);
}

static void test_hold_off_is_waited_for_in_l1_time(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 30);
	w.in.policy.hold_off = 30;
	w.in.seen_late = 30;
	expect(&w, PHASE_LATE, VERDICT_ABSTAIN, 0);
	w.facts.block.time++;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 1);
}

/* The first block after L1 stood still for hours: a human still has his time.
 */
static void test_hold_off_is_waited_for_in_our_time_too(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 9999);
	w.in.policy.hold_off = 30;
	expect(&w, PHASE_LATE, VERDICT_ABSTAIN, 0);
	assert_non_null(strstr(verdict_of(&w.in).why, "30 s more"));
	w.in.seen_late = 29;
	expect(&w, PHASE_LATE, VERDICT_ABSTAIN, 0);
	w.in.seen_late = 30;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 1);
}

/* After a failed failover the hold-off runs again, from its end. */
static void test_time_in_which_l1_is_out_of_sight_does_not_count(void **state)
{
	struct lateness l = {0};
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 1);
	assert_int_equal(lateness_seen(&l, &w.facts, 50000), 0);
	assert_int_equal(lateness_seen(&l, &w.facts, 60000), 10);
	assert_int_equal(lateness_seen(&l, NULL, 61000), 0);
	assert_int_equal(lateness_seen(&l, NULL, 3600000), 0);
	/* an hour later by both clocks, and nobody votes in this second */
	w.facts.block.time += 3600;
	assert_int_equal(lateness_seen(&l, &w.facts, 3661000), 10);
	assert_int_equal(lateness_seen(&l, &w.facts, 3662500), 11);
	w.facts.last_at = w.facts.block.time; /* a batch: another lateness */
	assert_int_equal(lateness_seen(&l, &w.facts, 3663000), 0);
	w.facts.block.time += w.facts.terms.sla_window + 1;
	assert_int_equal(lateness_seen(&l, &w.facts, 3700000), 0);
	assert_int_equal(lateness_seen(&l, &w.facts, 3701000), 1);
}

static void test_hold_off_starts_again_after_a_failed_standby(void **state)
{
	struct world w;
	uint64_t promoted_at = LAST_AT + SLA + 20;

	(void)state;
	world_at(&w, promoted_at + FAIL);
	w.facts.promoted_at = promoted_at;
	w.in.policy.hold_off = 30;
	w.in.seen_late = 30;
	expect(&w, PHASE_PROMOTED, VERDICT_ABSTAIN, 0);
	w.facts.block.time = promoted_at + FAIL + 30;
	expect(&w, PHASE_LATE, VERDICT_ABSTAIN, 0);
	w.facts.block.time++;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 1);
}

static void test_prefers_the_first_ready_standby(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 1);
	w.in.standby[0] = STANDBY_UNREADY;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 2);
	w.in.standby[0] = STANDBY_UNKNOWN;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 2);
	w.in.standby[0] = STANDBY_READY;
	w.in.promoted[0] = true;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 2);
	w.in.promoted[0] = false;
	w.facts.sequencer = w.facts.standbys[0];
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 2);
}

static void test_opens_only_when_no_standby_is_left(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 1);
	w.in.standby[0] = w.in.standby[1] = STANDBY_UNREADY;
	expect(&w, PHASE_LATE, VERDICT_OPEN, 0);
	w.in.standby[1] = STANDBY_UNKNOWN;
	expect(&w, PHASE_LATE, VERDICT_ABSTAIN, 0);
	w.in.promoted[1] = true;
	expect(&w, PHASE_LATE, VERDICT_OPEN, 0);
}

static void test_a_promoted_standby_gets_its_window(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 40);
	w.facts.promoted_at = LAST_AT + SLA + 2;
	w.in.standby[0] = w.in.standby[1] = STANDBY_UNREADY;
	expect(&w, PHASE_PROMOTED, VERDICT_ABSTAIN, 0);
}

static void test_keeps_a_young_choice_and_heals_an_old_one(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 1);
	w.in.prior = (struct verdict_prior){.act = VERDICT_PROMOTE,
					    .standby = an_address(2),
					    .young = true};
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 2);
	w.in.prior.young = false;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 1);
	w.in.prior.young = true;
	w.in.standby[1] = STANDBY_UNREADY; /* it died since */
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 1);
	w.in.prior = (struct verdict_prior){.act = VERDICT_OPEN, .young = true};
	expect(&w, PHASE_LATE, VERDICT_OPEN, 0);
	w.in.prior.young = false;
	expect(&w, PHASE_LATE, VERDICT_PROMOTE, 1);
}

static void test_leaves_to_humans_what_policy_leaves_to_them(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + SLA + 1);
	w.in.policy.promote = false;
	expect(&w, PHASE_LATE, VERDICT_ABSTAIN, 0);
	w.in.standby[0] = w.in.standby[1] = STANDBY_UNREADY;
	expect(&w, PHASE_LATE, VERDICT_OPEN, 0);
	w.in.policy.promote = true;
	w.in.policy.open = false;
	expect(&w, PHASE_LATE, VERDICT_ABSTAIN, 0);
}

static void test_never_votes_on_an_open_or_settling_chain(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + 10 * SLA);
	w.facts.state = ROLLUP_OPEN;
	expect(&w, PHASE_OPEN, VERDICT_ABSTAIN, 0);
	w.facts.state = ROLLUP_SETTLING;
	expect(&w, PHASE_SETTLING, VERDICT_ABSTAIN, 0);
}

static void test_no_clock_runs_before_the_first_batch(void **state)
{
	struct world w;

	(void)state;
	world_at(&w, LAST_AT + 10 * SLA);
	w.facts.last_at = 0;
	expect(&w, PHASE_LIVE, VERDICT_ABSTAIN, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_are_exceeded_strictly),
		cmocka_unit_test(test_abstains_when_l1_is_not_to_be_trusted),
		cmocka_unit_test(test_hold_off_is_waited_for_in_l1_time),
		cmocka_unit_test(test_hold_off_is_waited_for_in_our_time_too),
		cmocka_unit_test(
			test_time_in_which_l1_is_out_of_sight_does_not_count),
		cmocka_unit_test(
			test_hold_off_starts_again_after_a_failed_standby),
		cmocka_unit_test(test_prefers_the_first_ready_standby),
		cmocka_unit_test(test_opens_only_when_no_standby_is_left),
		cmocka_unit_test(test_a_promoted_standby_gets_its_window),
		cmocka_unit_test(
			test_keeps_a_young_choice_and_heals_an_old_one),
		cmocka_unit_test(
			test_leaves_to_humans_what_policy_leaves_to_them),
		cmocka_unit_test(test_never_votes_on_an_open_or_settling_chain),
		cmocka_unit_test(test_no_clock_runs_before_the_first_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
