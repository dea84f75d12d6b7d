/* What a relayer pays for a block's space. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "relayer/fee.h"
#include "relayer/flight.h"
#include "relayer/limits.h"

#define GWEI 1000000000ULL

static const struct fee_policy policy = {
	.max_fee = 300 * GWEI, .max_tip = 5 * GWEI, .replace = 1250};
static const struct fee_market market = {.base_fee = 10 * GWEI,
					 .tip = 1 * GWEI};

static void test_urgency_climbs_to_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(fee_urgency(100, 200, 100), 0);
	assert_int_equal(fee_urgency(100, 200, 50), 0);
	assert_int_equal(fee_urgency(100, 200, 150), 50);
	assert_int_equal(fee_urgency(100, 200, 199), 99);
	assert_int_equal(fee_urgency(100, 200, 200), FEE_URGENT);
	assert_int_equal(fee_urgency(100, 200, 5000), FEE_URGENT);
	assert_int_equal(fee_urgency(200, 100, 50), FEE_URGENT);
}

static void test_little_early_the_caps_at_the_deadline(void **state)
{
	struct fee early = fee_choose(&policy, &market, 0);
	struct fee late = fee_choose(&policy, &market, FEE_URGENT);

	(void)state;
	assert_int_equal(early.tip, 1 * GWEI);
	assert_int_equal(early.max_fee, 21 * GWEI);
	assert_int_equal(late.tip, 5 * GWEI);
	assert_int_equal(late.max_fee, 300 * GWEI);
	for (unsigned u = 1; u <= FEE_URGENT; u++) {
		struct fee a = fee_choose(&policy, &market, u - 1);
		struct fee b = fee_choose(&policy, &market, u);
		assert_true(b.tip >= a.tip && b.max_fee >= a.max_fee);
	}
	struct fee beyond = fee_choose(&policy, &market, 1000);
	assert_int_equal(beyond.max_fee, late.max_fee);
}

static void test_never_above_the_caps(void **state)
{
	struct fee_market wild = {.base_fee = UINT64_MAX, .tip = UINT64_MAX};

	(void)state;
	for (unsigned u = 0; u <= FEE_URGENT; u++) {
		struct fee fee = fee_choose(&policy, &wild, u);
		assert_true(fee.max_fee <= policy.max_fee);
		assert_true(fee.tip <= policy.max_tip);
		assert_true(fee.tip <= fee.max_fee);
	}
	struct fee_policy poor = {.max_fee = 3, .max_tip = 2, .replace = 1250};
	struct fee fee = fee_choose(&poor, &wild, FEE_URGENT);
	assert_int_equal(fee.max_fee, 3);
	assert_true(fee.tip <= 2);
}

static void test_a_chain_without_base_fee_is_priced(void **state)
{
	struct fee_market none = {0, 0}; /* BSC: base fee 0 */
	struct fee fee = fee_choose(&policy, &none, 0);

	(void)state;
	assert_true(fee.max_fee >= 1 && fee.tip >= 1);
}

static void test_a_replacement_raises_both_by_an_eighth(void **state)
{
	struct fee old = {.max_fee = 21 * GWEI, .tip = 1 * GWEI}, next;

	(void)state;
	assert_true(fee_bump(&policy, &market, 0, &old, &next));
	assert_int_equal(next.max_fee, 23625000000ULL);
	assert_int_equal(next.tip, 1125000000ULL);
	struct fee odd = {.max_fee = 7, .tip = 1};
	assert_true(fee_bump(&policy, &(struct fee_market){0}, 0, &odd, &next));
	assert_true(next.max_fee >= 8 && next.tip >= 2);
	/* The market moved further than an eighth. */
	struct fee_market hot = {.base_fee = 50 * GWEI, .tip = 2 * GWEI};
	assert_true(fee_bump(&policy, &hot, 0, &old, &next));
	assert_int_equal(next.max_fee, 102 * GWEI);
	assert_int_equal(next.tip, 2 * GWEI);
}

static void test_no_replacement_above_the_cap(void **state)
{
	struct fee old = {.max_fee = 290 * GWEI, .tip = 5 * GWEI}, next;

	(void)state;
	next = (struct fee){1, 1};
	assert_false(fee_bump(&policy, &market, 0, &old, &next));
	assert_int_equal(next.max_fee, 1); /* untouched */
	old = (struct fee){266 * GWEI, 4 * GWEI};
	assert_true(fee_bump(&policy, &market, 0, &old, &next));
	/* The tip goes over its cap only where the base fee shuts it out. */
	old = (struct fee){200 * GWEI, 5 * GWEI};
	assert_false(fee_bump(&policy, &market, 0, &old, &next));
	struct fee_market hot = {.base_fee = 201 * GWEI, .tip = 1 * GWEI};
	assert_true(fee_bump(&policy, &hot, 0, &old, &next));
}

static void test_priced_out_below_the_base_fee(void **state)
{
	struct fee fee = {.max_fee = 10 * GWEI, .tip = 1};
	struct fee_market now = {.base_fee = 10 * GWEI};

	(void)state;
	assert_false(fee_priced_out(&fee, &now));
	now.base_fee++;
	assert_true(fee_priced_out(&fee, &now));
}

static void test_a_step_is_left_until_it_is_urgent(void **state)
{
	struct fee_market hot = {.base_fee = 140 * GWEI, .tip = 9 * GWEI};

	(void)state;
	for (unsigned u = 0; u < FEE_URGENT; u++) {
		struct fee fee = fee_choose(&policy, &hot, u), next;
		assert_true(fee_bump(&policy, &hot, FEE_URGENT, &fee, &next));
		assert_true(next.tip <= policy.max_tip);
	}
}

static void test_the_last_version_is_at_the_caps(void **state)
{
	struct fee fee = fee_choose(&policy, &market, 0), next;
	size_t versions = 1;

	(void)state;
	for (; versions < FLIGHT_HASHES_MAX; versions++, fee = next)
		if (!fee_bump(&policy, &market, fee_version_urgency(versions),
			      &fee, &next))
			break;
	assert_true(fee.max_fee > policy.max_fee / 9 * 8);
	assert_int_equal(fee_version_urgency(0), 0);
	assert_int_equal(fee_version_urgency(FLIGHT_HASHES_MAX - 1),
			 FEE_URGENT);
}

static void test_no_fees_over_what_nodes_take(void **state)
{
	struct submit *s = calloc(1, sizeof(*s));
	const struct fee wished = {300 * GWEI, 5 * GWEI};
	struct fee fee = wished;

	(void)state;
	assert_non_null(s);
	s->account.base_fee = 10 * GWEI;
	assert_true(afford_cap(s, TX_GAS_MAX, &fee));
	assert_true(fee.max_fee <= TX_FEE_MAX / TX_GAS_MAX);
	assert_int_equal(fee.tip, wished.tip);
	/* Where that is no price for a block, it is too large for one. */
	fee = wished;
	s->account.base_fee = 100 * GWEI;
	assert_false(afford_cap(s, TX_GAS_MAX, &fee));
	fee = wished;
	assert_true(afford_cap(s, TX_GAS_MAX / 8, &fee));
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urgency_climbs_to_the_deadline),
		cmocka_unit_test(test_little_early_the_caps_at_the_deadline),
		cmocka_unit_test(test_never_above_the_caps),
		cmocka_unit_test(test_a_chain_without_base_fee_is_priced),
		cmocka_unit_test(test_a_replacement_raises_both_by_an_eighth),
		cmocka_unit_test(test_no_replacement_above_the_cap),
		cmocka_unit_test(test_priced_out_below_the_base_fee),
		cmocka_unit_test(test_a_step_is_left_until_it_is_urgent),
		cmocka_unit_test(test_the_last_version_is_at_the_caps),
		cmocka_unit_test(test_no_fees_over_what_nodes_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
