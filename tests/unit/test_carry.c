/* When a bundle is worth a transaction, and which nonce carries it. */
#include "tests/unit/unit.h"

#include "relayer/carry.h"
#include "relayer/nonce.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"

#define LAST_AT 1000

static struct hatch_facts world(void)
{
	struct hatch_facts f = {
		.hatch = an_address(0xaa),
		.epoch = 4,
		.count = 9,
		.last_at = LAST_AT,
		.terms = {.sla_window = 8,
			  .failover_window = 8,
			  .inclusion_window = 6,
			  .hard_deadline = 20,
			  .notice = 36,
			  .finality = 8,
			  .round = 2},
		.thresholds = {2, 3, 3, 3},
		.state = ROLLUP_RUNNING,
	};

	return f;
}

static struct bundle a_bundle(enum vote_action action, uint64_t expiry,
			      size_t n)
{
	struct bundle b = {.vote = {.chain_id = 1,
				    .hatch = an_address(0xaa),
				    .action = action,
				    .epoch = 4,
				    .progress = action <= VOTE_OPEN ? 9 : 0,
				    .expiry = expiry},
			   .n = n};

	b.vote.subject = action == VOTE_OPEN
				 ? vote_subject_bytes((struct slice){0})
				 : vote_subject_address(an_address(5));
	return b;
}

static void test_only_ballots_of_this_moment_fit(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_PROMOTE, 1012, 2);

	(void)state;
	assert_true(carry_fits(&f, 1, &b.vote));
	assert_false(carry_fits(&f, 2, &b.vote));
	b.vote.epoch++;
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_PROMOTE, 1012, 2);
	b.vote.progress--;
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_PROMOTE, 1012, 2);
	b.vote.hatch = an_address(1);
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_RESUME, 5000, 3);
	assert_true(carry_fits(&f, 1, &b.vote));
	b.vote.progress = 9;
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_AMEND, 5000, 3);
	assert_false(carry_fits(&f, 1, &b.vote));
}

static void test_a_promotion_waits_for_late_and_enough(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_PROMOTE, 1012, 2);

	(void)state;
	assert_false(carry_ready(&f, &b, LAST_AT + 8));
	assert_true(carry_ready(&f, &b, LAST_AT + 9));
	b.n = 1;
	assert_false(carry_ready(&f, &b, LAST_AT + 9));
	b.n = 2;
	assert_true(carry_ready(&f, &b, 1012));
	assert_false(carry_ready(&f, &b, 1013)); /* dead */
	b.vote.expiry = 1016;
	assert_false(carry_ready(&f, &b, 1010)); /* not alive yet */
	f.promoted_at = LAST_AT + 9;
	assert_false(carry_ready(&f, &b, 1012)); /* PROMOTED */
}

static void test_an_opening_carries_no_arguments(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_OPEN, 1012, 3);

	(void)state;
	assert_true(carry_ready(&f, &b, LAST_AT + 9));
	b.vote.subject = a_hash(1);
	assert_false(carry_ready(&f, &b, LAST_AT + 9));
	b = a_bundle(VOTE_OPEN, 1012, 2);
	assert_false(carry_ready(&f, &b, LAST_AT + 9));
}

static void test_a_resume_waits_for_the_exits(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_RESUME, 2000, 3);

	(void)state;
	assert_false(carry_ready(&f, &b, 1050)); /* not open */
	f.state = ROLLUP_OPEN;
	f.opened_at = 1021;
	assert_false(carry_ready(&f, &b, 1027));
	assert_true(carry_ready(&f, &b, 1028));
	assert_false(carry_ready(&f, &b, 2001));
}

static void test_a_gap_is_filled_before_the_end(void **state)
{
	static const uint64_t used[] = {9, 7, 5, 6};

	(void)state;
	assert_int_equal(nonce_pick(5, used, 4), 8);
	assert_int_equal(nonce_pick(4, used, 4), 4);
	assert_int_equal(nonce_pick(9, used, 4), 10);
	assert_int_equal(nonce_pick(0, NULL, 0), 0);
}

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct store_txn *txn;
	struct requests rs;
	struct nonces n;
};

static void setup(struct fixture *f)
{
	struct store_identity id = {.chain_id = 1, .program = "relayer"};
	struct err_text error;

	f->scratch = scratch_new();
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), 16 << 20,
				    &id, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(store_begin(f->store, true, &f->txn), OK);
	assert_int_equal(requests_open(f->txn, &f->rs), OK);
	assert_int_equal(nonces_open(f->txn, &f->rs, &f->n), OK);
}

static void teardown(struct fixture *f)
{
	store_abort(f->txn);
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static void put(struct fixture *f, uint64_t nonce, uint8_t hash)
{
	struct sent_tx tx = {.nonce = nonce,
			     .hash = a_hash(hash),
			     .raw = slice_str("bytes")};

	assert_int_equal(nonces_put(f->txn, &f->n, &tx), OK);
}

static void test_versions_of_a_nonce_stay_known_until_it_is_final(void **state)
{
	struct hash32 older[FLIGHT_HASHES_MAX];
	struct sent_tx tx;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f);
	put(&f, 3, 1);
	put(&f, 4, 9);
	assert_int_equal(nonces_older(f.txn, &f.n, 3, older, &n), OK);
	assert_int_equal(n, 0);
	put(&f, 3, 2);
	put(&f, 3, 2); /* the same again is no new version */
	put(&f, 3, 3);
	assert_int_equal(nonces_older(f.txn, &f.n, 3, older, &n), OK);
	assert_int_equal(n, 2);
	assert_hash_equal(older[0], a_hash(1));
	assert_hash_equal(older[1], a_hash(2));
	assert_int_equal(requests_get_tx(f.txn, &f.rs, 3, &tx), OK);
	assert_hash_equal(tx.hash, a_hash(3));
	assert_int_equal(nonces_forget(f.txn, &f.n, 4), OK);
	assert_int_equal(nonces_older(f.txn, &f.n, 3, older, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(requests_get_tx(f.txn, &f.rs, 3, &tx), ERR_NOT_FOUND);
	assert_int_equal(requests_get_tx(f.txn, &f.rs, 4, &tx), OK);
	teardown(&f);
}

static void test_what_was_spent_adds_up(void **state)
{
	struct u256 sum;
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(spent_get(f.txn, &f.n, SPENT_HOUR, 5, &sum), OK);
	assert_true(u256_is_zero(sum));
	assert_int_equal(spent_add(f.txn, &f.n, SPENT_HOUR, 5, u256_from(40)),
			 OK);
	assert_int_equal(spent_add(f.txn, &f.n, SPENT_HOUR, 5, u256_from(2)),
			 OK);
	assert_int_equal(spent_add(f.txn, &f.n, SPENT_LIFE, 5, u256_from(7)),
			 OK);
	assert_int_equal(spent_get(f.txn, &f.n, SPENT_HOUR, 5, &sum), OK);
	assert_int_equal(u256_u64(sum), 42);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_ballots_of_this_moment_fit),
		cmocka_unit_test(test_a_promotion_waits_for_late_and_enough),
		cmocka_unit_test(test_an_opening_carries_no_arguments),
		cmocka_unit_test(test_a_resume_waits_for_the_exits),
		cmocka_unit_test(test_a_gap_is_filled_before_the_end),
		cmocka_unit_test(
			test_versions_of_a_nonce_stay_known_until_it_is_final),
		cmocka_unit_test(test_what_was_spent_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
