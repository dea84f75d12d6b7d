/* How long finality takes, and how deep that makes one act. */
#include "unit.h"

#include "l1/depth.h"

static struct block_ref at(uint64_t number)
{
	return (struct block_ref){.number = number, .time = 12 * number};
}

/* Finality comes every 32 blocks, for what is 64 to 95 deep: a saw whose top
 * counts, from the second tooth on. */
static void test_finality_takes_as_long_as_the_top_of_its_saw(void **state)
{
	struct finality f = {0};
	(void)state;
	for (uint64_t n = 1000; n < 1200; n++) {
		struct block_ref head = at(n), final = at(n / 32 * 32 - 64);
		uint64_t takes = finality_update(&f, &head, &final);
		if (n >= 1024)
			assert_int_equal(takes, 12 * 95);
	}
}

static void test_finality_that_stops_takes_ever_longer(void **state)
{
	struct finality f = {0};
	struct block_ref final = at(936), head;
	(void)state;
	for (uint64_t n = 1000; n < 3000; n += 100) {
		head = at(n);
		assert_int_equal(finality_update(&f, &head, &final),
				 12 * (n - 936));
	}
	final = at(2880);
	head = at(2944); /* it moves again: the next tooth tells */
	assert_int_equal(finality_update(&f, &head, &final), 12 * (2900 - 936));
	final = at(2912);
	head = at(2976);
	assert_int_equal(finality_update(&f, &head, &final), 12 * 64);
	head = at(900); /* a head that is older, by another's words */
	assert_int_equal(finality_update(&f, &head, &final), 12 * 64);
}

static void test_acts_on_safe_where_finality_takes_too_long(void **state)
{
	static const struct {
		enum depth now;
		uint64_t takes, sla;
		enum depth then;
	} rows[] = {
		{DEPTH_FINALIZED, 900, 3600, DEPTH_FINALIZED},
		{DEPTH_FINALIZED, 901, 3600, DEPTH_SAFE},
		/* not to and fro at the border */
		{DEPTH_SAFE, 900, 3600, DEPTH_SAFE},
		{DEPTH_SAFE, 789, 3600, DEPTH_SAFE},
		{DEPTH_SAFE, 788, 3600, DEPTH_FINALIZED},
		/* the hatch was not read yet: as it is */
		{DEPTH_FINALIZED, 100000, 0, DEPTH_FINALIZED},
		{DEPTH_SAFE, 100000, 0, DEPTH_SAFE},
		{DEPTH_FINALIZED, 2, 3, DEPTH_SAFE},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
			depth_choose(rows[i].now, rows[i].takes, rows[i].sla),
			rows[i].then);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_finality_takes_as_long_as_the_top_of_its_saw),
		cmocka_unit_test(test_finality_that_stops_takes_ever_longer),
		cmocka_unit_test(
			test_acts_on_safe_where_finality_takes_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
