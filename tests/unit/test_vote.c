/* Choices and ballots: what is asked of a signer, what is kept of others. */
#include "tests/unit/unit.h"

#include "store/store_test.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"
#include "watcher/vote.h"

#define ROUND 10
#define NOW   1003

static const struct store_identity identity = {.chain_id = 1,
					       .program = "watcher"};

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct pool pool;
	struct voter voter;
	struct pool_rules rules;
	struct verdict verdict;
};

static struct store_txn *begin(struct fixture *f)
{
	struct store_txn *txn;

	assert_int_equal(store_begin(f->store, true, &txn), OK);
	return txn;
}

static void reopen(struct fixture *f)
{
	struct err_text error;
	struct store_txn *txn;

	store_close(f->store);
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), 16 << 20,
				    &identity, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	txn = begin(f);
	assert_int_equal(pool_open(txn, &f->pool), OK);
	assert_int_equal(voter_open(txn, address_of(1), NULL, &f->voter), OK);
	assert_int_equal(store_commit(txn), OK);
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->scratch = scratch_new();
	f->rules = (struct pool_rules){.known = true,
				       .chain_id = 1,
				       .epoch = 3,
				       .progress = 20,
				       .round = ROUND,
				       .now = NOW,
				       .hatch = an_address(5),
				       .n_guardians = 3};
	for (uint8_t i = 0; i < 3; i++)
		f->rules.guardians[i] = address_of((uint8_t)(i + 1));
	f->verdict.act = VERDICT_PROMOTE;
	f->verdict.standby = an_address(7);
	reopen(f);
}

static void teardown(struct fixture *f)
{
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static struct voter_wish wish(struct fixture *f)
{
	return voter_wish(&f->voter, &f->pool, &f->rules, &f->verdict, 50000);
}

static void choose(struct fixture *f, const struct voter_wish *w)
{
	struct store_txn *txn = begin(f);

	assert_int_equal(voter_choose(txn, &f->voter, w, f->rules.now), OK);
	assert_int_equal(store_commit(txn), OK);
}

static struct bundle ballot_by(uint8_t signer, const struct vote *vote)
{
	struct signature s = sign_by(signer, vote_digest(vote));
	struct bundle b = {.vote = *vote};

	assert_int_equal(bundle_add(&b, &s), OK);
	return b;
}

static size_t add(struct fixture *f, const struct bundle *b)
{
	struct store_txn *txn = begin(f);
	size_t n;

	assert_int_equal(pool_add(txn, &f->pool, b, &n), OK);
	assert_int_equal(store_commit(txn), OK);
	return n;
}

/* "E the first multiple of round at or after L1 head time + round" */
static void test_asks_for_e_and_the_round_after(void **state)
{
	struct fixture f;
	struct voter_wish w;

	(void)state;
	setup(&f);
	w = wish(&f);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.votes[0].expiry, 1020);
	assert_int_equal(w.votes[1].expiry, 1030);
	assert_int_equal(w.votes[0].epoch, 3);
	assert_int_equal(w.votes[0].progress, 20);
	f.verdict.act = VERDICT_ABSTAIN;
	assert_int_equal(wish(&f).n, 0);
	teardown(&f);
}

static void test_asks_only_for_what_is_not_signed_yet(void **state)
{
	struct fixture f;
	struct voter_wish w;
	struct bundle b;

	(void)state;
	setup(&f);
	w = wish(&f);
	b = ballot_by(1, &w.votes[0]);
	assert_int_equal(add(&f, &b), 1);
	assert_int_equal(wish(&f).n, 1);
	assert_int_equal(wish(&f).votes[0].expiry, 1030);
	b = ballot_by(2, &w.votes[1]); /* another's is not ours */
	assert_int_equal(add(&f, &b), 1);
	assert_int_equal(wish(&f).n, 1);
	teardown(&f);
}

/* "takes another choice … only with expiry ≥ every earlier one's expiry +
 * 3·round" */
static void test_another_choice_waits_for_three_rounds(void **state)
{
	struct fixture f;
	struct voter_wish w;

	(void)state;
	setup(&f);
	w = wish(&f);
	choose(&f, &w); /* up to 1030 */
	f.verdict.standby = an_address(8);
	assert_int_equal(wish(&f).n, 0);
	f.rules.now = 1040; /* E = 1050, E + round = 1060 = 1030 + 3·10 */
	w = wish(&f);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.votes[0].expiry, 1060);
	f.verdict.act = VERDICT_OPEN;
	w = wish(&f);
	assert_int_equal(w.n, 1);
	reopen(&f); /* and a restart does not forget it */
	f.rules.now = NOW;
	assert_int_equal(wish(&f).n, 0);
	f.rules.epoch++; /* another epoch is another question */
	assert_int_equal(wish(&f).n, 2);
	teardown(&f);
}

static void test_a_choice_is_young_for_three_rounds(void **state)
{
	struct hatch_facts facts = {.epoch = 3, .count = 20};
	struct verdict_prior p;
	struct voter_wish w;
	struct fixture f;

	(void)state;
	setup(&f);
	facts.terms.round = ROUND;
	p = voter_prior(&f.voter, &facts, NOW);
	assert_int_equal(p.act, VERDICT_ABSTAIN);
	w = wish(&f);
	choose(&f, &w);
	reopen(&f);
	p = voter_prior(&f.voter, &facts, NOW + 3 * ROUND);
	assert_int_equal(p.act, VERDICT_PROMOTE);
	assert_true(p.young);
	assert_memory_equal(p.standby.b, f.verdict.standby.b, 20);
	assert_false(voter_prior(&f.voter, &facts, NOW + 3 * ROUND + 1).young);
	facts.count++;
	p = voter_prior(&f.voter, &facts, NOW);
	assert_int_equal(p.act, VERDICT_ABSTAIN);
	teardown(&f);
}

static struct vote a_vote(const struct fixture *f, uint64_t expiry)
{
	return (struct vote){.chain_id = 1,
			     .hatch = f->rules.hatch,
			     .action = VOTE_PROMOTE,
			     .epoch = 3,
			     .progress = 20,
			     .subject = vote_subject_address(an_address(7)),
			     .expiry = expiry};
}

static const char *code(const struct fixture *f, uint8_t signer,
			struct vote vote)
{
	struct bundle b = ballot_by(signer, &vote);
	struct pool_refusal r = pool_judge(&f->rules, &b);

	return r.code ? r.code : "good";
}

static void test_judges_ballots_by_the_facts(void **state)
{
	struct fixture f;
	struct vote v;

	(void)state;
	setup(&f);
	v = a_vote(&f, 1010);
	assert_string_equal(code(&f, 1, v), "good");
	assert_string_equal(code(&f, 4, v), "bad_signature");
	v.chain_id = 2;
	assert_string_equal(code(&f, 1, v), "wrong_chain");
	v = a_vote(&f, 1010);
	v.hatch = an_address(6);
	assert_string_equal(code(&f, 1, v), "wrong_hatch");
	v = a_vote(&f, 1010);
	v.epoch = 2;
	assert_string_equal(code(&f, 1, v), "certain_to_fail");
	v = a_vote(&f, 1010);
	v.progress = 19;
	assert_string_equal(code(&f, 1, v), "certain_to_fail");
	v.progress = 21; /* the voter's head may be ahead of ours */
	assert_string_equal(code(&f, 1, v), "good");
	assert_string_equal(code(&f, 1, a_vote(&f, 1000)), "certain_to_fail");
	assert_string_equal(code(&f, 1, a_vote(&f, 1011)), "bad_field");
	assert_string_equal(code(&f, 1, a_vote(&f, 1040)), "good");
	assert_string_equal(code(&f, 1, a_vote(&f, 1050)), "bad_field");
	f.rules.known = false;
	assert_string_equal(code(&f, 1, a_vote(&f, 1010)), "not_ready");
	teardown(&f);
}

static void test_a_ballot_is_known_once_and_survives_a_restart(void **state)
{
	struct bundle b, seen;
	struct fixture f;
	struct vote v;
	size_t at = 0;

	(void)state;
	setup(&f);
	v = a_vote(&f, 1010);
	b = ballot_by(1, &v);
	assert_int_equal(add(&f, &b), 1);
	assert_int_equal(add(&f, &b), 0);
	b = ballot_by(2, &v);
	assert_int_equal(add(&f, &b), 1);
	reopen(&f);
	assert_int_equal(f.pool.n, 2);
	assert_true(pool_next(&f.pool, &at, &seen));
	assert_int_equal(seen.n, 2);
	assert_true(address_cmp(seen.signers[0], seen.signers[1]) < 0);
	assert_false(pool_next(&f.pool, &at, &seen));
	teardown(&f);
}

static void test_a_flooding_signer_fills_its_own_places_only(void **state)
{
	struct bundle other, b;
	struct fixture f;
	struct vote v;

	(void)state;
	setup(&f);
	v = a_vote(&f, 1010);
	other = ballot_by(2, &v);
	add(&f, &other);
	for (uint8_t i = 0; i < 3 * BALLOTS_A_LIFE; i++) {
		v.subject = vote_subject_address(an_address(i));
		v.expiry = 1010 + ROUND * i;
		b = ballot_by(1, &v);
		assert_int_equal(add(&f, &b), 1);
	}
	assert_int_equal(f.pool.n, 1 + BALLOTS_A_LIFE);
	assert_int_equal(add(&f, &other), 0); /* still there */
	/* One pushed out is not taken back: peers that keep it bring it. */
	v.subject = vote_subject_address(an_address(2));
	v.expiry = 1010 + ROUND * 2;
	b = ballot_by(1, &v);
	assert_int_equal(add(&f, &b), 0);
	assert_string_equal(pool_left_out(&f.pool, &b).code, "busy");
	assert_null(pool_left_out(&f.pool, &other).code);
	v.expiry = 1010 + ROUND * 2 * BALLOTS_A_LIFE; /* as the earliest held */
	b = ballot_by(1, &v);
	assert_int_equal(add(&f, &b), 0);
	/* Those that live for a month have places of their own. */
	v.progress = 0;
	for (uint8_t i = 0; i < 3 * BALLOTS_A_LIFE; i++) {
		v.action = VOTE_RESUME;
		v.subject = vote_subject_address(an_address(i));
		v.expiry = 1010 + 1000 * ROUND + i;
		b = ballot_by(1, &v);
		assert_int_equal(add(&f, &b), 1);
	}
	assert_int_equal(f.pool.n, 1 + BALLOTS_A_SIGNER);
	teardown(&f);
}

static void test_drops_what_can_never_count_again(void **state)
{
	struct store_txn *txn;
	struct fixture f;
	struct bundle b;
	struct vote v;
	size_t gone;

	(void)state;
	setup(&f);
	v = a_vote(&f, 1010);
	b = ballot_by(1, &v);
	add(&f, &b);
	v = a_vote(&f, 1020);
	b = ballot_by(1, &v);
	add(&f, &b);
	v.action = VOTE_RESUME;
	v.progress = 0;
	b = ballot_by(2, &v);
	add(&f, &b);
	assert_false(pool_stale(&f.pool, &f.rules));
	f.rules.now = 1011;
	assert_true(pool_stale(&f.pool, &f.rules));
	txn = begin(&f);
	assert_int_equal(pool_prune(txn, &f.pool, &f.rules, &gone), OK);
	assert_int_equal(gone, 1);
	f.rules.progress++; /* a batch landed: quick ballots are void */
	assert_int_equal(pool_prune(txn, &f.pool, &f.rules, &gone), OK);
	assert_int_equal(gone, 1);
	assert_int_equal(store_commit(txn), OK);
	reopen(&f);
	assert_int_equal(f.pool.n, 1);
	assert_int_equal(f.pool.ballots[0].vote.action, VOTE_RESUME);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks_for_e_and_the_round_after),
		cmocka_unit_test(test_asks_only_for_what_is_not_signed_yet),
		cmocka_unit_test(test_another_choice_waits_for_three_rounds),
		cmocka_unit_test(test_a_choice_is_young_for_three_rounds),
		cmocka_unit_test(test_judges_ballots_by_the_facts),
		cmocka_unit_test(
			test_a_ballot_is_known_once_and_survives_a_restart),
		cmocka_unit_test(
			test_a_flooding_signer_fills_its_own_places_only),
		cmocka_unit_test(test_drops_what_can_never_count_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
