/* I7: "A signer's choices for one (epoch, progress) have disjoint lives." */
#include "tests/unit/unit.h"

#include "store/ballots.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

#define ROUND 10
#define MONTH (30ULL * 86400)

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct store_txn *txn;
	struct ballots ballots;
	struct err_text error;
};

static void setup(struct fixture *f)
{
	struct store_identity id = {.chain_id = 1, .program = "signer"};

	f->scratch = scratch_new();
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), 16 << 20,
				    &id, &f->store, &f->error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(store_begin(f->store, true, &f->txn), OK);
	assert_int_equal(ballots_open(f->txn, &f->ballots), OK);
}

static void teardown(struct fixture *f)
{
	store_abort(f->txn);
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static struct vote vote(enum vote_action action, uint8_t subject,
			uint64_t expiry)
{
	struct vote v = {.chain_id = 1,
			 .action = action,
			 .epoch = 3,
			 .progress = action <= VOTE_OPEN ? 120 : 0,
			 .expiry = expiry};

	v.subject.b[31] = subject;
	return v;
}

static enum err put(struct fixture *f, struct vote v)
{
	struct address key = {{1}};

	return ballots_put(f->txn, &f->ballots, key, &v, ROUND, &f->error);
}

static void test_another_choice_waits_three_rounds(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1000)), OK);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 1000)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 1029)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 990)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 0)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 1030)), OK);
	/* and now the first one waits for the second */
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1050)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1060)), OK);
	teardown(&f);
}

static void test_the_longer_round_counts(void **state)
{
	struct fixture f;
	struct address key = {{1}};
	struct vote other = vote(VOTE_PROMOTE, 2, 1030), same;

	(void)state;
	setup(&f);
	same = vote(VOTE_PROMOTE, 1, 1000);
	assert_int_equal(put(&f, same), OK);
	assert_int_equal(
		ballots_put(f.txn, &f.ballots, key, &same, 20, &f.error), OK);
	assert_int_equal(put(&f, other), ERR_CONFLICT); /* signed under 20 */
	other.expiry = 1059;
	assert_int_equal(put(&f, other), ERR_CONFLICT);
	other.expiry = 1060;
	assert_int_equal(put(&f, other), OK);
	teardown(&f);
}

static void test_promote_and_open_exclude_each_other(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1000)), OK);
	assert_int_equal(put(&f, vote(VOTE_OPEN, 1, 1020)), ERR_CONFLICT);
	assert_non_null(strstr(f.error.text, "promote"));
	assert_non_null(strstr(f.error.text, "1000"));
	assert_int_equal(put(&f, vote(VOTE_OPEN, 1, 1030)), OK);
	teardown(&f);
}

static void test_the_same_choice_may_be_signed_again(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1000)), OK);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1010)), OK);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1000)), OK);
	/* the highest counts, whatever came last */
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 1030)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 1040)), OK);
	teardown(&f);
}

static void test_every_earlier_choice_counts(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 9, 1000)), OK);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1030)), OK);
	/* far from choice 9, too near to choice 1 */
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 5, 1050)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 5, 1060)), OK);
	teardown(&f);
}

static void test_other_epochs_hatches_and_keys_are_other_matters(void **state)
{
	struct fixture f;
	struct address other = {{2}};
	struct vote v = vote(VOTE_PROMOTE, 2, 1000);

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, 1000)), OK);
	v.epoch++;
	assert_int_equal(put(&f, v), OK);
	v = vote(VOTE_PROMOTE, 2, 1000);
	v.progress++;
	assert_int_equal(put(&f, v), OK);
	v = vote(VOTE_PROMOTE, 2, 1000);
	v.hatch.b[0] = 1;
	assert_int_equal(put(&f, v), OK);
	v = vote(VOTE_PROMOTE, 2, 1000);
	v.chain_id++;
	assert_int_equal(put(&f, v), OK);
	v = vote(VOTE_PROMOTE, 2, 1000);
	assert_int_equal(
		ballots_put(f.txn, &f.ballots, other, &v, ROUND, &f.error), OK);
	assert_int_equal(put(&f, v), ERR_CONFLICT);
	teardown(&f);
}

static void test_slow_choices_wait_a_month(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_RESUME, 1, MONTH)), OK);
	assert_int_equal(put(&f, vote(VOTE_AMEND, 2, 2 * MONTH)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_AMEND, 2, 2 * MONTH + 1)), OK);
	assert_int_equal(put(&f, vote(VOTE_RESUME, 1, 3 * MONTH)),
			 ERR_CONFLICT);
	teardown(&f);
}

static void test_slow_and_fast_do_not_meet_at_progress_zero(void **state)
{
	struct fixture f;
	struct vote v = vote(VOTE_PROMOTE, 1, 1000);

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_RESUME, 1, 1000)), OK);
	v.progress = 0;
	assert_int_equal(put(&f, v), OK);
	teardown(&f);
}

static void test_expiries_near_the_end_of_time_do_not_wrap(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 1, UINT64_MAX - 5)), OK);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, 24)), ERR_CONFLICT);
	assert_int_equal(put(&f, vote(VOTE_PROMOTE, 2, UINT64_MAX)),
			 ERR_CONFLICT);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_choice_waits_three_rounds),
		cmocka_unit_test(test_the_longer_round_counts),
		cmocka_unit_test(test_promote_and_open_exclude_each_other),
		cmocka_unit_test(test_the_same_choice_may_be_signed_again),
		cmocka_unit_test(test_every_earlier_choice_counts),
		cmocka_unit_test(
			test_other_epochs_hatches_and_keys_are_other_matters),
		cmocka_unit_test(test_slow_choices_wait_a_month),
		cmocka_unit_test(
			test_slow_and_fast_do_not_meet_at_progress_zero),
		cmocka_unit_test(
			test_expiries_near_the_end_of_time_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
