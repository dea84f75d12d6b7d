/* Far behind: logs by ranges, from three nodes that differ, refuse, cut, lie,
 * hang and forget.  Whatever they do, what is delivered is what a node that saw
 * only the final chain would have delivered. */
#include "fake_chain.h"
#include "l1/log_page.h"

static void test_far_behind_logs_come_by_ranges(void **unused)
{
	(void)unused;
	start();
	while (state.tip.number < 1000)
		(void)tick();
	assert_string_equal(follow_proofs(follow), "by quorum: deep history");
	(void)run(2000);
	expect_all();
	/* the first of all, one each block with logs, the ends, the last 128 */
	assert_true(state.steps < 30 + 128 + 32 + 5);
	assert_true(state.jumps >= 28 && state.jumps <= 35);
	assert_true(by_number < NODES * (128 + 64 + 40));
	assert_true(nodes[0].lists < 10);
}

static void test_the_last_blocks_are_read_one_by_one(void **unused)
{
	(void)unused;
	chain.top = 200;
	act_on(200);
	start();
	(void)run(2000);
	expect_all();
	assert_int_equal(state.steps, 200);
	assert_int_equal(nodes[0].lists, 0);
}

static const struct node dialects[] = {
	{.blocks = 100,
	 .code = -32005,
	 .says = "query returned more than 10000 results. Try with this block "
		 "range [0x100, 0x163]."},
	{.logs = 3,
	 .code = -32005,
	 .says = "query returned more than 10000 results"},
	{.blocks = 1000,
	 .code = -32602,
	 .says = "range 2000 exceeds limit of 1000"},
	{.blocks = 10,
	 .code = -32600,
	 .status = 400,
	 .says = "Under the Free tier plan, you can make eth_getLogs requests "
		 "with up to a 10 block range. Based on your parameters, this "
		 "block range should work: [0x64, 0x6d]. Upgrade to PAYG for "
		 "expanded block range."},
	{.blocks = 500,
	 .code = -32614,
	 .status = 413,
	 .says = "eth_getLogs is limited to a 500 range"},
	{.blocks = 300, .code = -32600, .says = "block range is too wide"},
	{.blocks = 300,
	 .code = -32000,
	 .says = "exceed maximum block range: 300"},
	{.blocks = 300, .code = -32005, .says = "limit exceeded"},
	{.blocks = 200, .code = -32000, .says = "query timeout exceeded"},
	{.logs = 3,
	 .code = -32000,
	 .says = "response size should not greater than 10000000 bytes"},
	{.blocks = 150, .code = 0, .status = 413, .says = ""},
};

static void test_each_way_of_too_much_is_split(void **unused)
{
	(void)unused;
	tear_down(NULL);
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		set_up(NULL);
		for (size_t k = 0; k < NODES; k++)
			nodes[k] = dialects[i];
		start();
		(void)run(3000);
		expect_all();
		assert_true(state.jumps >= 28);
		/* few asks were in vain */
		assert_true(nodes[0].lists - nodes[0].served <=
			    nodes[0].served + 60);
		for (size_t k = 0; k < NODES; k++)
			assert_false(lies(k) || l1->providers[k].failures);
		tear_down(NULL);
	}
	set_up(NULL);
}

static void test_the_range_is_what_enough_providers_serve(void **unused)
{
	(void)unused;
	nodes[0] = dialects[0]; /* 100 blocks */
	nodes[1].blocks = 1500;
	nodes[1].code = -32602;
	nodes[1].says = "range 2000 exceeds limit of 1500";
	start();
	(void)run(2000);
	expect_all();
	assert_true(nodes[2].lists < 16);
}

static void test_a_quorum_that_needs_the_narrow_one_is_served(void **unused)
{
	(void)unused;
	nodes[0] = dialects[0]; /* 100 blocks */
	nodes[1].hangs = true;
	start();
	(void)run(4000);
	expect_all();
	assert_true(state.jumps >= 28);
}

static void test_round_counts_are_split(void **unused)
{
	static const size_t cuts[] = {1000, 2000};
	(void)unused;
	for (uint64_t n = 100; n < 1400; n += 2)
		chain.logs[n] = 3;
	build(0);
	act_on(chain.top);
	config.n_with_input = 0;
	for (size_t k = 0; k < NODES; k++)
		nodes[k].cut = cuts[k % 2];
	start();
	(void)run(4000);
	expect_all();
	for (size_t k = 0; k < NODES; k++)
		assert_false(lies(k));
}

/* One block that no list holds whole. */
static void test_a_block_too_full_for_lists_is_read_itself(void **unused)
{
	(void)unused;
	chain.logs[1000] = 1200;
	build(0);
	act_on(chain.top);
	config.n_with_input = 0;
	for (size_t k = 0; k < NODES; k++)
		nodes[k].cut = 1000;
	start();
	(void)run(4000);
	expect_all();
	assert_true(by_hash_logs > 0);
	assert_true(state.jumps >= 20);
}

static void test_a_list_too_long_for_us_is_split(void **unused)
{
	(void)unused;
	for (uint64_t n = 100; n < 300; n++)
		chain.logs[n] = 130; /* 26,000: more than 8 MiB */
	build(0);
	act_on(chain.top);
	config.n_with_input = 0;
	start();
	(void)run(4000);
	expect_all();
	for (size_t k = 0; k < NODES; k++)
		assert_int_equal(l1->providers[k].faults[FAULT_TOO_LARGE], 0);
	assert_true(state.jumps >= 200);
}

/* The only record of a lie, whose texts stay in ret_bytes. */
static struct lie evidence(struct buf *ret_bytes)
{
	struct accuse_record record;
	struct lie lie;
	assert_int_equal(l1->records.n, 1);
	assert_true(accuse_take(&l1->records, &record));
	*ret_bytes = record.bytes;
	assert_int_equal(lie_decode(buf_slice(ret_bytes), &lie), OK);
	return lie;
}

static bool says(struct slice text, const char *words)
{
	return memmem(text.p, text.len, words, strlen(words)) != NULL;
}

/* Every node refuses more than so many blocks. */
static void limit_all(uint64_t blocks)
{
	for (size_t k = 0; k < NODES; k++) {
		nodes[k].blocks = blocks;
		nodes[k].code = -32600;
		nodes[k].says = "block range is too wide";
	}
}

static void test_one_that_leaves_logs_out_hides_none(void **unused)
{
	(void)unused;
	limit_all(300);
	nodes[0].omits = true;
	start();
	(void)run(2000);
	expect_all();
	assert_true(state.jumps >= 28);
	assert_true(lies(0)); /* again and again */
	struct buf bytes;
	struct lie lie = evidence(&bytes);
	assert_int_equal(lie.kind, LIE_OMISSION);
	assert_true(chain.logs[lie.number] > 0);
	assert_true(hash_eq(lie.hash, chain.hash[lie.number]));
	assert_true(says(lie.against, "b") && says(lie.against, "c"));
	assert_true(says(lie.asked.text, "fromBlock"));
	assert_true(says(lie.said.text, "null"));
	assert_true(says(lie.stands.text, "transactionHash"));
	buf_done(&bytes);
	assert_false(lies(1) || lies(2));
}

static void test_one_that_makes_logs_up_adds_none(void **unused)
{
	(void)unused;
	nodes[0].invents = true;
	start();
	(void)run(4000);
	expect_all();
	/* the block itself told */
	assert_true(lies(0));
	assert_non_null(strstr(l1->providers[0].why, "it listed a log"));
	struct buf bytes;
	struct lie lie = evidence(&bytes);
	assert_int_equal(lie.kind, LIE_OTHER_ANSWER);
	assert_true(says(lie.said.text, "\"0x1e61\"")); /* 7777 */
	buf_done(&bytes);
	assert_false(lies(1) || lies(2));
	assert_true(state.jumps >= 20);
}

static void test_one_that_alters_logs_lies(void **unused)
{
	(void)unused;
	nodes[2].alters = true;
	start();
	(void)run(2000);
	expect_all();
	assert_true(lies(2));
	assert_false(lies(0) || lies(1));
	struct buf bytes;
	struct lie lie = evidence(&bytes);
	assert_int_equal(lie.kind, LIE_OTHER_ANSWER);
	assert_true(chain.logs[lie.number] > 0);
	assert_true(says(lie.said.text, "\"0x010000"));
	assert_true(says(lie.stands.text, "\"0x000000"));
	buf_done(&bytes);
}

static void test_one_that_hangs_delays_nobody(void **unused)
{
	unsigned alone, n;
	(void)unused;
	start();
	alone = run(2000);
	follow_free(follow);
	memset(&state, 0, sizeof(state));
	nodes[1].hangs = true;
	start();
	n = run(2000);
	expect_all();
	assert_true(n <= alone + 2);
}

/* Two that must agree and do not: block by block, as near the head. */
static void test_without_a_quorum_blocks_are_read_one_by_one(void **unused)
{
	(void)unused;
	chain.top = 800;
	use_nodes(2, 2);
	nodes[0].omits = true;
	start();
	(void)run(8000);
	expect_all();
	assert_false(lies(0) || lies(1));
}

static void test_nobody_lists_ranges(void **unused)
{
	(void)unused;
	chain.top = 800;
	act_on(800);
	for (size_t k = 0; k < NODES; k++)
		nodes[k].lacks = true;
	start();
	(void)run(4000);
	expect_all();
	assert_int_equal(state.jumps, 0);
	assert_true(nodes[0].lists <= L1_RANGES_AHEAD);
}

/* As public endpoints of BSC that have no lists at all say it: a limit. */
static void test_nobody_lists_even_the_shortest_range(void **unused)
{
	(void)unused;
	chain.top = 1500;
	act_on(1500);
	for (size_t k = 0; k < NODES; k++)
		nodes[k] = (struct node){.refuses = true,
					 .code = -32005,
					 .says = "limit exceeded"};
	start();
	(void)run(4000);
	expect_all();
	/* asked for again and again, but less and less often */
	assert_true(nodes[0].lists < 100);
}

static void test_who_lists_what_was_not_asked_for_is_not_asked(void **unused)
{
	(void)unused;
	for (size_t k = 0; k < NODES; k++)
		nodes[k].lists_theirs = k == 1;
	start();
	(void)run(2000);
	expect_all();
	assert_true(nodes[1].lists <= L1_RANGES_AHEAD + 1);
	assert_false(lies(1));
}

/* Ignorance looks like an empty list, and most may be ignorant. */
static void test_a_quorum_that_knows_less_is_not_believed(void **unused)
{
	(void)unused;
	nodes[0].ignorant = nodes[1].ignorant = true;
	start();
	(void)run(9000);
	expect_all();
	assert_false(lies(2));
}

/* All say that there was nothing: nobody here can know better, until what comes
 * later does not fit and the blocks are to be read themselves. */
static void test_what_all_leave_out_is_read_by_block_when_told(void **unused)
{
	(void)unused;
	for (size_t k = 0; k < NODES; k++)
		nodes[k].ignorant = true;
	start();
	while (state.tip.number < 2200)
		(void)tick();
	assert_int_equal(state.logs[1072], 0);
	follow_free(follow);
	/* what a replica does: back to before its last change, by block */
	while (state.n > 1) {
		state.logs[state.tip.number] = 0;
		state.tip = state.kept[--state.n - 1];
	}
	config.by_block = 2200;
	start();
	(void)run(9000);
	for (uint64_t n = 1; n <= 2200; n++)
		assert_int_equal(state.logs[n], chain.logs[n]);
}

static void test_it_goes_on_from_wherever_it_was_killed(void **unused)
{
	unsigned restarts = 0;
	(void)unused;
	limit_all(700);
	start();
	while (state.tip.number < chain.top || !state.n) {
		assert_true(restarts < 400);
		if (!tick())
			continue;
		/* killed right after the commit */
		follow_free(follow);
		restarts++;
		start();
	}
	expect_all();
	assert_true(state.jumps >= 28);
}

static void test_a_kill_loses_no_more_than_a_mark(void **unused)
{
	uint64_t reached = 0;
	(void)unused;
	memset(chain.logs, 0, sizeof(chain.logs));
	build(0);
	act_on(chain.top);
	for (size_t k = 0; k < NODES; k++)
		nodes[k] = (struct node){
			.blocks = 10,
			.code = -32614,
			.says = "eth_getLogs is limited to a 10 range"};
	start();
	while (state.tip.number < chain.top) {
		(void)tick();
		assert_true(state.tip.number <= reached + L1_DEEP_MARK + 10 ||
			    !reached);
		reached = state.tip.number;
	}
	expect_all();
}

static void test_a_reorganisation_below_jumps(void **unused)
{
	unsigned steps;
	(void)unused;
	start();
	(void)run(2000);
	follow_free(follow);
	steps = state.steps;
	/* everything from 1500 on is another chain; logs moved */
	for (uint64_t n = 1500; n < BLOCKS; n++)
		chain.logs[n] = n % 89 == 7 ? 2 : 0;
	reorganise(1500, 1);
	chain.top = 3100;
	act_on(3100);
	start();
	(void)run(4000);
	expect_all();
	assert_true(state.backs > 0 && state.steps > steps);
}

/* It happens while ranges are in flight. */
static void test_a_reorganisation_under_way_mixes_no_chains(void **unused)
{
	(void)unused;
	for (unsigned at = 1; at < 60; at += 5) {
		tear_down(NULL);
		set_up(NULL);
		chain.top = 1000;
		act_on(1000);
		limit_all(400);
		start();
		for (unsigned i = 0; i < at; i++)
			(void)tick();
		for (uint64_t n = 300; n < BLOCKS; n++)
			chain.logs[n] = n % 89 == 7 ? 2 : 0;
		reorganise(300, 1);
		act_on(chain.top);
		(void)run(4000);
		expect_all();
	}
}

static void test_a_header_that_is_not_of_its_hash_is_not_taken(void **unused)
{
	(void)unused;
	nodes[0].lies_headers = true;
	start();
	(void)run(2000);
	expect_all();
	for (size_t i = 0; i < state.n; i++)
		assert_int_equal(state.kept[i].time,
				 1000 + state.kept[i].number);
	assert_true(lies(0));
}

static void test_calldata_that_is_not_of_its_hash_is_not_taken(void **unused)
{
	(void)unused;
	nodes[0].lies_inputs = true;
	start();
	(void)run(2000);
	expect_all(); /* each input was looked at */
	assert_true(lies(0));
}

/* Logs that were listed and are not delivered yet. */
static void test_what_is_held_is_bounded(void **unused)
{
	const size_t a_range = 300 * 16;
	size_t most = 0;
	(void)unused;
	for (uint64_t n = 3; n < 2800; n++)
		chain.logs[n] = 16;
	build(0);
	act_on(chain.top);
	config.n_with_input = 0;
	limit_all(300);
	start();
	while (state.tip.number < 2800) {
		size_t held =
			nodes[0].listed - count_logs(33, state.tip.number);
		(void)tick();
		if (state.tip.number > 400 && held > most)
			most = held;
	}
	assert_true(most > a_range);
	assert_true(most <=
		    L1_RANGES_HELD_MAX / sizeof(struct page_log) + a_range);
	(void)run(2000);
	expect_all();
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_far_behind_logs_come_by_ranges),
		TEST(test_the_last_blocks_are_read_one_by_one),
		TEST(test_each_way_of_too_much_is_split),
		TEST(test_the_range_is_what_enough_providers_serve),
		TEST(test_a_quorum_that_needs_the_narrow_one_is_served),
		TEST(test_round_counts_are_split),
		TEST(test_a_block_too_full_for_lists_is_read_itself),
		TEST(test_a_list_too_long_for_us_is_split),
		TEST(test_one_that_leaves_logs_out_hides_none),
		TEST(test_one_that_makes_logs_up_adds_none),
		TEST(test_one_that_alters_logs_lies),
		TEST(test_one_that_hangs_delays_nobody),
		TEST(test_without_a_quorum_blocks_are_read_one_by_one),
		TEST(test_nobody_lists_ranges),
		TEST(test_nobody_lists_even_the_shortest_range),
		TEST(test_who_lists_what_was_not_asked_for_is_not_asked),
		TEST(test_a_quorum_that_knows_less_is_not_believed),
		TEST(test_what_all_leave_out_is_read_by_block_when_told),
		TEST(test_it_goes_on_from_wherever_it_was_killed),
		TEST(test_a_kill_loses_no_more_than_a_mark),
		TEST(test_a_reorganisation_below_jumps),
		TEST(test_a_reorganisation_under_way_mixes_no_chains),
		TEST(test_a_header_that_is_not_of_its_hash_is_not_taken),
		TEST(test_calldata_that_is_not_of_its_hash_is_not_taken),
		TEST(test_what_is_held_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
