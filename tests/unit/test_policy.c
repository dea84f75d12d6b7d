/* A table of asks: what each is, and whether this policy signs it. */
#include "tests/unit/values.h"

#include "abi/contracts_tables.h"
#include "signer/policy.h"

#define HATCH  an_address(0x11)
#define ROLLUP an_address(0x22)
#define GWEI   1000000000ULL

static struct policy a_policy(void)
{
	struct policy p = {
		.chain_id = 56,
		.hatch = HATCH,
		.rollup = ROLLUP,
		.actions = 1u << VOTE_PROMOTE | 1u << VOTE_OPEN |
			   1u << VOTE_RESUME,
		.standbys = {an_address(0x33), an_address(0x44)},
		.n_standbys = 2,
		.round = 10,
		.value = u256_from(5),
		.fee = u256_from(500 * GWEI),
	};

	return p;
}

static struct ask a_ballot(enum vote_action action)
{
	struct ask a = {.kind = ASK_BALLOT,
			.vote = {.chain_id = 56,
				 .hatch = HATCH,
				 .action = action,
				 .epoch = 1,
				 .progress = action <= VOTE_OPEN ? 9 : 0,
				 .expiry = 1000}};

	a.vote.subject = action == VOTE_PROMOTE || action == VOTE_RESUME
				 ? vote_subject_address(an_address(0x44))
				 : a_hash(7);
	return a;
}

static uint8_t calldata[4 + 64];

static struct ask a_call(struct address to, uint32_t selector,
			 enum ask_purpose purpose)
{
	struct ask a = {.kind = ASK_TRANSACTION,
			.purpose = purpose,
			.tx = {.chain_id = 56,
			       .gas = 100000,
			       .max_fee = u256_from(10 * GWEI),
			       .max_tip = u256_from(GWEI),
			       .to = to,
			       .data = slice_of(calldata, sizeof(calldata))}};

	put_be(calldata, selector, 4);
	return a;
}

static void signs(const struct policy *p, const struct ask *a)
{
	struct policy_verdict v = policy_check(p, a);

	assert_string_equal(v.why, "");
	assert_true(v.allowed);
}

static void refuses(const struct policy *p, const struct ask *a,
		    const char *why)
{
	struct policy_verdict v = policy_check(p, a);

	assert_false(v.allowed);
	if (!strstr(v.why, why))
		assert_string_equal(v.why, why);
}

static void test_ballots_within_the_policy_are_signed(void **state)
{
	struct policy p = a_policy();

	(void)state;
	for (int action = VOTE_PROMOTE; action <= VOTE_RESUME; action++) {
		struct ask a = a_ballot((enum vote_action)action);
		signs(&p, &a);
	}
}

static void test_ballots_of_other_places_are_refused(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_ballot(VOTE_OPEN);

	(void)state;
	a.vote.chain_id = 57;
	refuses(&p, &a, "chain 57");
	a = a_ballot(VOTE_OPEN);
	a.vote.hatch.b[19] ^= 1;
	refuses(&p, &a, "hatch");
}

static void test_actions_not_listed_are_refused(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_ballot(VOTE_AMEND);

	(void)state;
	refuses(&p, &a, "amend");
	p.actions = 0;
	a = a_ballot(VOTE_PROMOTE);
	refuses(&p, &a, "promote");
}

static void test_only_listed_standbys_are_promoted_or_resumed(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_ballot(VOTE_PROMOTE);

	(void)state;
	a.vote.subject = vote_subject_address(an_address(0x45));
	refuses(&p, &a, "standbys");
	a.vote.action = VOTE_RESUME;
	a.vote.progress = 0;
	refuses(&p, &a, "standbys");
	p.any_standby = true;
	signs(&p, &a);
	a.vote.subject = vote_subject_address(an_address(0));
	refuses(&p, &a, "not an address");
	a.vote.subject = vote_subject_address(an_address(0x45));
	a.vote.subject.b[0] = 1;
	refuses(&p, &a, "not an address");
}

static void test_expiries_off_the_round_are_refused(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_ballot(VOTE_OPEN);

	(void)state;
	a.vote.expiry = 1001;
	refuses(&p, &a, "round");
	a = a_ballot(VOTE_RESUME);
	a.vote.expiry = 1001;
	signs(&p, &a);
	a.vote.progress = 1;
	refuses(&p, &a, "progress 0");
	p.round = 0;
	a = a_ballot(VOTE_OPEN);
	refuses(&p, &a, "round");
}

static void test_citizens_statements_need_a_citizens_policy(void **state)
{
	struct policy p = a_policy();
	struct withdraw w = {.index = 1, .amount = u256_from(1)};
	struct ask a = {.kind = ASK_STATEMENT,
			.statement = statement_withdraw(56, ROLLUP, &w)};

	(void)state;
	refuses(&p, &a, "withdrawals");
	p.citizen = true;
	signs(&p, &a);
	a.statement.domain.contract = HATCH;
	refuses(&p, &a, "rollup");
	a.statement.domain.contract = ROLLUP;
	a.statement.domain.chain_id = 1;
	refuses(&p, &a, "chain 1");
}

static void test_daemons_statements_are_bound_to_the_hatch(void **state)
{
	struct policy p = a_policy();
	struct ask a = {.kind = ASK_STATEMENT,
			.statement = {.domain = {DOMAIN_EGRESS, 56, HATCH},
				      .type = STATEMENT_INCIDENT,
				      .n = 1}};

	(void)state;
	signs(&p, &a);
	a.statement.domain.contract = ROLLUP;
	refuses(&p, &a, "hatch");
	a.statement.domain = (struct domain){DOMAIN_HATCH, 56, HATCH};
	refuses(&p, &a, "ballot");
}

static void test_each_call_serves_its_purposes_only(void **state)
{
	static const struct {
		bool hatch;
		uint32_t selector;
		unsigned purposes;
	} calls[] = {
		{true, SEL_ESCAPEHATCH_PROMOTE, 1 << PURPOSE_CARRY},
		{true, SEL_ESCAPEHATCH_OPEN, 1 << PURPOSE_CARRY},
		{true, SEL_ESCAPEHATCH_OPEN_AFTER_DEADLINE, 1 << PURPOSE_OPEN},
		{true, SEL_ESCAPEHATCH_OPEN_ON_BAD_BATCH, 1 << PURPOSE_OPEN},
		{true, SEL_ESCAPEHATCH_APPROVE, 0},
		{true, SEL_ESCAPEHATCH_HAND_OVER, 0},
		{false, SEL_SOVEREIGNROLLUP_COMMIT, 0},
		{false, SEL_SOVEREIGNROLLUP_REQUEST_TRANSACTION,
		 1 << PURPOSE_CARRY},
		{false, SEL_SOVEREIGNROLLUP_EXECUTE_WITHDRAWAL,
		 1 << PURPOSE_EXECUTE},
		{false, SEL_SOVEREIGNROLLUP_EXIT_BUCKET, 1 << PURPOSE_EVACUATE},
		{false, SEL_SOVEREIGNROLLUP_SETTLE_BUCKET,
		 1 << PURPOSE_EVACUATE},
		/* a selector of the other contract */
		{true, SEL_SOVEREIGNROLLUP_EXIT_BUCKET, 0},
		{false, SEL_ESCAPEHATCH_OPEN_AFTER_DEADLINE, 0},
		{false, 0xdeadbeef, 0},
	};
	struct policy p = a_policy();

	(void)state;
	p.deploy = true;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		for (int w = PURPOSE_CARRY; w <= PURPOSE_DEPLOY; w++) {
			struct ask a =
				a_call(calls[i].hatch ? HATCH : ROLLUP,
				       calls[i].selector, (enum ask_purpose)w);
			if (calls[i].purposes & 1u << w)
				signs(&p, &a);
			else
				refuses(&p, &a, "call 0x");
		}
	}
}

/* A daemon's key: what would move its own coin where the caller says. */
static void test_a_keys_own_money_needs_a_policy_that_says_so(void **state)
{
	static const uint32_t own[] = {
		SEL_SOVEREIGNROLLUP_DEPOSIT,
		SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL,
		SEL_SOVEREIGNROLLUP_CLAIM,
	};
	struct policy p = a_policy();
	struct ask a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		p.citizen = false;
		a = a_call(ROLLUP, own[i], PURPOSE_CARRY);
		refuses(&p, &a, "citizen");
		p.citizen = true;
		signs(&p, &a);
	}
	a = a_call(ROLLUP, SEL_SOVEREIGNROLLUP_FUND_BOND, PURPOSE_CARRY);
	refuses(&p, &a, "deployer");
	p.deploy = true;
	signs(&p, &a);
}

static void test_targets_other_than_hatch_and_rollup_are_refused(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_call(an_address(0x99), SEL_ESCAPEHATCH_PROMOTE,
			      PURPOSE_CARRY);

	(void)state;
	refuses(&p, &a, "target");
	p.rollup = an_address(0);
	a.tx.to = an_address(0);
	refuses(&p, &a, "target");
	a = a_call(HATCH, SEL_ESCAPEHATCH_PROMOTE, PURPOSE_CARRY);
	a.tx.data.len = 3;
	refuses(&p, &a, "without a call");
	a.tx.data.len = 0;
	refuses(&p, &a, "without a call");
}

static void
test_value_goes_only_to_payable_calls_and_under_the_cap(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_call(ROLLUP, SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL,
			      PURPOSE_CARRY);

	(void)state;
	p.citizen = true;
	a.tx.value = u256_from(5);
	signs(&p, &a);
	a.tx.value = u256_from(6);
	refuses(&p, &a, "cap");
	a = a_call(ROLLUP, SEL_SOVEREIGNROLLUP_PAY, PURPOSE_EXECUTE);
	a.tx.value = u256_from(1);
	refuses(&p, &a, "no value");
}

static void test_fees_and_gas_are_capped(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_call(HATCH, SEL_ESCAPEHATCH_PROMOTE, PURPOSE_CARRY);

	(void)state;
	a.tx.max_fee = u256_from(500 * GWEI);
	a.tx.gas = 16777216;
	signs(&p, &a);
	a.tx.max_fee = u256_from(500 * GWEI + 1);
	refuses(&p, &a, "cap");
	a.tx.max_fee = u256_from(10);
	a.tx.max_tip = u256_from(11);
	refuses(&p, &a, "tip");
	a.tx.max_tip = u256_from(10);
	a.tx.gas++;
	refuses(&p, &a, "gas");
	a.tx.gas = 1;
	a.tx.chain_id = 1;
	refuses(&p, &a, "chain 1");
}

static void test_creations_need_leave_to_deploy(void **state)
{
	struct policy p = a_policy();
	struct ask a = a_call(an_address(0), 1, PURPOSE_DEPLOY);

	(void)state;
	a.tx.create = true;
	refuses(&p, &a, "deployments");
	p.deploy = true;
	signs(&p, &a);
	a.purpose = PURPOSE_CARRY;
	refuses(&p, &a, "only a deployment");
	a.purpose = PURPOSE_DEPLOY;
	a.tx.value = u256_from(1);
	refuses(&p, &a, "value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ballots_within_the_policy_are_signed),
		cmocka_unit_test(test_ballots_of_other_places_are_refused),
		cmocka_unit_test(test_actions_not_listed_are_refused),
		cmocka_unit_test(
			test_only_listed_standbys_are_promoted_or_resumed),
		cmocka_unit_test(test_expiries_off_the_round_are_refused),
		cmocka_unit_test(
			test_citizens_statements_need_a_citizens_policy),
		cmocka_unit_test(
			test_daemons_statements_are_bound_to_the_hatch),
		cmocka_unit_test(test_each_call_serves_its_purposes_only),
		cmocka_unit_test(
			test_a_keys_own_money_needs_a_policy_that_says_so),
		cmocka_unit_test(
			test_targets_other_than_hatch_and_rollup_are_refused),
		cmocka_unit_test(
			test_value_goes_only_to_payable_calls_and_under_the_cap),
		cmocka_unit_test(test_fees_and_gas_are_capped),
		cmocka_unit_test(test_creations_need_leave_to_deploy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
