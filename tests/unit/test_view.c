/* From what providers say to what is so, by a clock that the test moves. */
#include "view_bench.h"

static void test_healthy_when_a_quorum_agrees(void **state)
{
	(void)state;
	assert_false(l1_view(l1)->healthy);
	claims[2].silent = true;
	const struct l1_view *v = pass(POLL_MS);
	assert_true(v->healthy);
	assert_int_equal(v->head.number, 100);
	assert_int_equal(v->acted.number, 90);
	assert_int_equal(v->acted.time, 5090);
	assert_int_equal(v->base_fee, 7);
	assert_int_equal(v->agree, 2);
	assert_int_equal(v->quorum, 2);
	assert_string_equal(v->headers, "proved");
	assert_string_equal(v->providers[0].state, "good");
	assert_true(v->providers[0].agrees);
	assert_string_equal(v->providers[2].state, "down");
	assert_string_equal(v->providers[2].why, "connection refused");
	assert_false(v->providers[2].agrees);
	claims[1].silent = true;
	v = pass(2 * POLL_MS); /* an answer or two may be lost */
	assert_true(v->healthy);
	v = pass(L1_HEARD_MS);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "1 of 3 L1 endpoints"));
	assert_non_null(strstr(v->why, "weight 2 must agree"));
	assert_non_null(strstr(v->why, "b: connection refused"));
	claims[1].silent = false;
	assert_true(pass(L1_BACKOFF_MAX_MS)->healthy);
}

/* The turn began before the answer came. */
static void test_an_answer_of_this_very_turn_counts(void **state)
{
	(void)state;
	assert_true(pass(POLL_MS)->healthy);
	for (int i = 0; i < 10; i++) {
		fake_now += POLL_MS / 2;
		(void)l1_turn(l1, fake_now);
		fake_now += 5;
		for (size_t k = 0; k < n; k++)
			answer(k);
		(void)l1_turn(l1, fake_now - 5);
		assert_true(l1_view(l1)->healthy);
	}
}

/* ---- it moves ------------------------------------------------------------ */

static void test_a_head_that_stands_is_stale(void **state)
{
	(void)state;
	assert_true(pass(POLL_MS)->healthy);
	assert_true(pass(L1_HEAD_STALE_MS - POLL_MS)->healthy);
	const struct l1_view *v = pass(POLL_MS);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "has stood at block 100"));
	all_at(101, 90);
	assert_true(pass(2 * POLL_MS)->healthy);
}

static void test_an_acted_block_that_stands_is_stale(void **state)
{
	(void)state;
	block_ms = 100; /* so that its age does not tell it before */
	assert_true(pass(POLL_MS)->healthy);
	uint64_t began = fake_now;
	while (fake_now - began < L1_ACTED_STALE_MS - 10000) {
		all_at(101 + (fake_now - began) / 1000, 90);
		assert_true(pass(10000)->healthy);
	}
	all_at(9000, 90);
	const struct l1_view *v = pass(20000);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "finalized block has stood at 90"));
}

/* By the blocks' own time, so that one sees it that has just started. */
static void test_finality_long_ago_is_stale_at_once(void **state)
{
	(void)state;
	all_at(2000, 100);
	assert_true(pass(POLL_MS)->healthy); /* it may move in a moment */
	uint64_t began = fake_now;
	const struct l1_view *v = l1_view(l1);
	while (fake_now - began < L1_HEAD_STALE_MS + 5000) {
		all_at(2000 + (fake_now - began) / 1000, 100);
		v = pass(1000);
	}
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "finalized block 100 stands"));
	assert_non_null(strstr(v->why, "s behind the head"));
	all_at(2070, 101); /* however old, it moves */
	assert_true(pass(2 * POLL_MS)->healthy);
}

static void test_a_clock_that_is_wrong_is_named_and_not_believed(void **state)
{
	const struct l1_view *v;
	(void)state;
	fake_now += 10000000;
	genesis_s = fake_now / 1000 + 4000; /* at the head: 4100 s ahead */
	v = pass(POLL_MS);
	assert_true(v->healthy);
	assert_int_equal(v->unix_s, fake_now / 1000);
	assert_non_null(strstr(v->clock, "timestamp is 4099 s ahead of"));
	assert_int_equal(set_up(state), 0);
	genesis_s = fake_now / 1000 - 4100;
	v = pass(POLL_MS);
	assert_true(v->healthy);
	assert_non_null(strstr(v->clock, "timestamp is 4001 s behind"));
	assert_int_equal(set_up(state), 0);
	genesis_s = fake_now / 1000 - 100;
	v = pass(POLL_MS);
	assert_true(v->healthy);
	assert_string_equal(v->clock, "");
}

static void test_finalized_is_not_monotone(void **state)
{
	(void)state;
	assert_int_equal(pass(POLL_MS)->acted.number, 90);
	all_at(101, 91);
	assert_int_equal(pass(2 * POLL_MS)->acted.number, 91);
	all_at(101, 90); /* nodes behind the same load balancers lag */
	const struct l1_view *v = pass(2 * POLL_MS);
	assert_int_equal(v->acted.number, 91);
	assert_string_equal(v->providers[0].state, "good");
}

/* ---- depths -------------------------------------------------------------- */

static void test_latest_safe_and_finalized_are_followed(void **state)
{
	const struct l1_view *v;
	(void)state;
	for (uint64_t k = 0; k < 3; k++) {
		all_at(100 + 10 * k, 90 + 10 * k);
		v = pass(L1_TAG_MS + 2 * POLL_MS);
		assert_int_equal(v->head.number, 100 + 10 * k);
		assert_int_equal(v->safe.number, 95 + 10 * k);
		assert_int_equal(v->finalized.number, 90 + 10 * k);
		assert_int_equal(v->acted.number, 90 + 10 * k);
	}
	assert_string_equal(v->depth, "finalized");
}

static void test_auto_acts_on_safe_while_finality_takes_too_long(void **state)
{
	const struct l1_view *v;
	(void)state;
	assert_int_equal(settings.chain.act_on, ACT_ON_AUTO);
	all_at(400, 100); /* 300 s behind, safe 150 */
	v = pass(2 * POLL_MS);
	assert_int_equal(v->acted.number, 100); /* the hatch is not read yet */
	assert_non_null(strstr(v->depth_why, "not known"));
	l1_set_sla(l1, 1200);
	all_at(401, 101);
	v = pass(2 * POLL_MS);
	assert_string_equal(v->depth, "finalized");
	assert_non_null(strstr(v->depth_why, "finality takes 300 s, a quarter "
					     "of slaWindow is 300 s"));
	all_at(402, 101);
	v = pass(L1_TAG_MS);
	assert_string_equal(v->depth, "safe");
	assert_int_equal(v->acted.number, 251);
	assert_int_equal(v->finalized.number, 101);
	assert_true(v->healthy);
	/* safe may be undone, and that is no lie */
	for (size_t i = 0; i < n; i++)
		fork_at(i, 5, 240);
	all_at(403, 101);
	v = pass(2 * POLL_MS);
	struct hash32 is = hash_of(&claims[0], v->acted.number);
	assert_true(hash_eq(v->acted.hash, is));
	assert_true(v->healthy);
	assert_nobody_blamed();
	/* finality comes quicker again: from where it is, not back */
	for (uint64_t k = 0; k < 4; k++) {
		all_at(500 + k, 240 + k);
		v = pass(L1_TAG_MS + POLL_MS);
		assert_true(v->acted.number >= 252);
	}
	assert_non_null(strstr(v->depth_why, "finality takes 260 s"));
	all_at(600, 520);
	v = pass(L1_TAG_MS + POLL_MS);
	all_at(601, 521);
	v = pass(L1_TAG_MS + POLL_MS);
	assert_string_equal(v->depth, "finalized");
	assert_int_equal(v->acted.number, 521);
	assert_true(v->healthy);
}

static void test_who_lacks_the_tag_serves_for_what_it_has(void **state)
{
	const struct l1_view *v;
	(void)state;
	claims[2].lacks = true;
	v = pass(2 * POLL_MS);
	assert_true(v->healthy);
	assert_string_equal(v->providers[2].state, "good");
	assert_non_null(strstr(v->providers[2].lacks, "finalized"));
	assert_non_null(strstr(v->providers[2].lacks, "safe"));
	assert_true(v->providers[2].agrees); /* it has the block by number */
	assert_int_equal(v->agree, 3);
	/* one who can tell is down: how deep a block is, the other alone does
	 * not say */
	claims[1].silent = true;
	all_at(110, 100);
	v = pass(3 * POLL_MS);
	assert_int_equal(v->acted.number, 90);
	/* but it lied: then the other's word is enough, with a quorum's hash */
	claims[1].silent = false;
	fork_at(1, 5, 95);
	all_at(120, 110);
	v = pass(L1_BACKOFF_MAX_MS + L1_DISPUTE_MS);
	claims[1].lacks = false;
	claims[2].lacks = false; /* and it has it after all */
	fork_at(1, 0, NO_FORK);
	all_at(130, 120);
	v = pass(L1_LYING_FIRST_MS + 3 * POLL_MS);
	assert_int_equal(v->acted.number, 120);
	assert_null(strstr(v->providers[2].lacks, "finalized"));
}

static void test_without_any_tag_it_says_what_to_set(void **state)
{
	const struct l1_view *v;
	(void)state;
	for (size_t i = 0; i < n; i++)
		claims[i].lacks = true;
	v = pass(3 * POLL_MS);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "no provider tells a finalized block: "
				       "set chain.act_on: confirmations"));
	claims[0].lacks = false;
	v = pass(2 * POLL_MS);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "only providers of weight 1 tell a "
				       "finalized block, weight 2 must"));
	count_confirmations(5);
	v = pass(2 * POLL_MS);
	assert_true(v->healthy);
	assert_int_equal(v->acted.number, 95);
}

static void test_what_is_deep_enough_is_asked_for_at_once(void **state)
{
	(void)state;
	count_confirmations(5);
	assert_int_equal(pass(2 * POLL_MS)->acted.number, 95);
	for (uint64_t head = 140; head < 300; head += 40) {
		all_at(head, head);
		assert_int_equal(pass(POLL_MS)->acted.number, head - 5);
	}
}

/* ---- BSC ----------------------------------------------------------------- */

#define BSC_MS 450

/* Each hears of blocks a little later than the one before, and half a second
 * late is nothing there. */
static uint64_t began_ms;

static void go_on(void)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t late = 150 * i;
		uint64_t head = 1000 + (fake_now - began_ms - late) / BSC_MS;
		claims[i].head = head;
		claims[i].safe = head - 1;
		claims[i].final = head - 2;
	}
}

static void follow_bsc(int act_on, uint64_t poll_ms, size_t count)
{
	block_ms = BSC_MS;
	base_fee = 0;
	step_ms = 50;
	settings.poll_ms = poll_ms;
	settings.chain.act_on = act_on;
	settings.chain.confirmations = act_on == ACT_ON_CONFIRMATIONS ? 15 : 0;
	began_ms = fake_now - 1000;
	tick = go_on;
	begin(count, count / 2 + 1);
	(void)pass(2 * poll_ms);
	uint64_t depth = act_on == ACT_ON_CONFIRMATIONS ? 15 : 2, jumps = 0;
	for (uint64_t at = fake_now, last = 0; fake_now - at < 60000;) {
		const struct l1_view *v = pass(step_ms);
		uint64_t head = 1000 + (fake_now - began_ms) / BSC_MS;
		/* no older than a poll, a block, and what the last lag */
		uint64_t behind = (poll_ms + 150 * count) / BSC_MS + 2;
		assert_true(v->healthy);
		assert_int_equal(v->base_fee, 0);
		assert_true(v->head.number + behind >= head);
		assert_true(v->acted.number + depth + 2 * behind >= head);
		jumps += last && v->acted.number > last + 1;
		last = v->acted.number;
		for (size_t i = 0; i < n; i++)
			assert_string_equal(v->providers[i].state, "good");
	}
	assert_true(jumps > 5); /* a poll is several blocks */
	tick = NULL;
}

static void test_blocks_of_half_a_second_are_agreed_on(void **state)
{
	static const int ways[] = {ACT_ON_FINALIZED, ACT_ON_CONFIRMATIONS,
				   ACT_ON_SAFE};
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		assert_int_equal(set_up(state), 0);
		follow_bsc(ways[i], 2000, 3);
		assert_int_equal(set_up(state), 0);
		follow_bsc(ways[i], 3000, 5);
	}
}

static void test_slow_is_seconds_not_blocks(void **state)
{
	const struct l1_view *v;
	(void)state;
	block_ms = BSC_MS;
	all_at(1000, 990);
	(void)pass(2 * POLL_MS);
	all_at(1020, 1010);
	claims[2].head = 1010; /* ten blocks, five seconds */
	claims[2].final = 1000;
	v = pass(3 * POLL_MS);
	assert_string_equal(v->providers[2].state, "good");
	all_at(1040, 1030);
	claims[2].head = 1010;
	claims[2].final = 1000;
	v = pass(3 * POLL_MS);
	assert_string_equal(v->providers[2].state, "slow");
	assert_string_equal(v->providers[2].why, "30 blocks, 14 s behind");
}

/* ---- rates ----------------------------------------------------------------
 */

static void ignore(void *ctx, const struct quorum_result *results, size_t count)
{
	(void)ctx;
	(void)results;
	(void)count;
}

#define RATE	   3
#define RATE_TESTS 20 /* seconds */

/* Far more is asked than a's rate allows: it never gets more, and its polls are
 * not starved by the asks. */
static void test_one_rate_for_polls_and_asks(void **state)
{
	const struct rpc_call call = {.method = "eth_gasPrice",
				      .params = slice_str("[]")};
	unsigned sent = 0, polls = 0, recent[1000 / 50] = {0};
	(void)state;
	providers[0].rate = RATE;
	(void)pass(1000);
	for (unsigned step = 0; step < RATE_TESTS * 1000 / 50; step++) {
		fake_now += 50;
		assert_int_equal(quorum_ask(l1_quorum(l1), &call, 1,
					    QUORUM_HIGH, 2000, ignore, &sent),
				 OK);
		(void)l1_turn(l1, fake_now);
		unsigned now_sent = 0, *slot = &recent[step % (1000 / 50)];
		for (struct fake_transfer *t; (t = fake_find(urls[0]));
		     now_sent++) {
			polls += strstr(buf_cstr(&t->body), "\"latest\"") !=
				 NULL;
			answer(0);
		}
		for (size_t i = 1; i < n; i++)
			while (fake_find(urls[i]))
				answer(i);
		sent += now_sent - *slot; /* in the last second */
		*slot = now_sent;
		/* a bucket of a second's worth, then the rate */
		assert_true(sent <= (step < 2 * 1000 / 50 ? 2 * RATE : RATE));
	}
	assert_true(polls >= RATE_TESTS / 2);
	assert_true(l1_view(l1)->healthy);
	quorum_cancel(l1_quorum(l1), &sent);
}

/* ---- bad input ----------------------------------------------------------- */

static void test_another_chain_is_never_used(void **state)
{
	(void)state;
	claims[0].chain_id = 97;
	claims[1].genesis = 8;
	const struct l1_view *v = pass(2000);
	assert_string_equal(v->providers[0].state, "wrong_chain");
	assert_non_null(strstr(v->providers[0].why, "97, not 56"));
	assert_false(v->healthy); /* b and c have different genesis blocks */
	claims[0].chain_id = CHAIN_ID; /* too late */
	assert_string_equal(pass(9000)->providers[0].state, "wrong_chain");
}

static void test_the_odd_genesis_is_left_out(void **state)
{
	(void)state;
	claims[1].genesis = 8;
	const struct l1_view *v = pass(2000);
	assert_true(v->healthy);
	assert_string_equal(v->providers[1].state, "wrong_chain");
	assert_non_null(strstr(v->providers[1].why, "genesis"));
}

static void test_a_configured_genesis_is_held_against_them(void **state)
{
	(void)state;
	settings.chain.genesis_set = true;
	settings.chain.genesis = (struct hash32){{7}};
	begin(3, 2);
	const struct l1_view *v = pass(2000);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "chain.genesis is another"));
}

static void test_a_web_page_is_named_as_such(void **state)
{
	(void)state;
	claims[0].html = claims[1].html = true;
	const struct l1_view *v = pass(L1_HEARD_MS);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "a: it answers HTML, not JSON-RPC"));
	assert_string_equal(v->providers[0].state, "down");
}

static void test_waiting_ends_when_it_is_hopeless(void **state)
{
	struct err_text error;
	uint64_t before = fake_now;
	(void)state;
	claims[0].chain_id = claims[1].chain_id = 97;
	(void)pass(0);
	assert_int_equal(l1_wait_healthy(l1, 60000, &error), ERR_IO);
	assert_true(fake_now - before < 5000);
	assert_non_null(strstr(error.text, "a: its chain id is 97"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_healthy_when_a_quorum_agrees),
		TEST(test_an_answer_of_this_very_turn_counts),
		TEST(test_a_head_that_stands_is_stale),
		TEST(test_an_acted_block_that_stands_is_stale),
		TEST(test_finality_long_ago_is_stale_at_once),
		TEST(test_a_clock_that_is_wrong_is_named_and_not_believed),
		TEST(test_finalized_is_not_monotone),
		TEST(test_latest_safe_and_finalized_are_followed),
		TEST(test_auto_acts_on_safe_while_finality_takes_too_long),
		TEST(test_who_lacks_the_tag_serves_for_what_it_has),
		TEST(test_without_any_tag_it_says_what_to_set),
		TEST(test_what_is_deep_enough_is_asked_for_at_once),
		TEST(test_blocks_of_half_a_second_are_agreed_on),
		TEST(test_slow_is_seconds_not_blocks),
		TEST(test_one_rate_for_polls_and_asks),
		TEST(test_another_chain_is_never_used),
		TEST(test_the_odd_genesis_is_left_out),
		TEST(test_a_configured_genesis_is_held_against_them),
		TEST(test_a_web_page_is_named_as_such),
		TEST(test_waiting_ends_when_it_is_hopeless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
