/* From what providers say to what is so, by a clock that the test moves. */
#include "unit.h"

#include "abi/hex.h"
#include "fake_http.h"
#include "kept.h"
#include "l1/l1.h"
#include "l1/limits.h"
#include "sys/settings.h"

#define N 3

static const char *const urls[N] = {"http://a", "http://b", "http://c"};
static struct settings_provider providers[N];
static struct settings settings;
static struct l1 *l1;

/* What each of them says. */
static struct claim {
	bool silent;
	uint64_t head, final, chain_id;
	unsigned chain; /* of blocks ≥ fork */
	uint64_t fork;
	uint8_t genesis;
	uint64_t ahead; /* what it adds to every block's time */
} claims[N];

static struct hash32 hash_of(const struct claim *c, uint64_t n)
{
	struct hash32 h = {{n ? 0x10 : c->genesis}};
	h.b[1] = (uint8_t)(n >= c->fork ? c->chain : 0);
	put_be(h.b + 24, n, 8);
	return h;
}

static void put_block(struct json_writer *w, const struct claim *c, uint64_t n)
{
	json_begin(w, "result");
	json_put_quantity(w, "number", n);
	json_put_quantity(w, "timestamp", 5000 + n + c->ahead);
	json_put_hash(w, "hash", hash_of(c, n));
	json_put_hash(w, "parentHash",
		      n ? hash_of(c, n - 1) : (struct hash32){{0}});
	json_put_string(w, "baseFeePerGas", "0x7");
	json_end(w);
}

static void put_answer(struct json_writer *w, const struct claim *c,
		       const char *call, size_t id)
{
	const char *params = strstr(call, "\"params\":[") + 10;
	json_begin(w, NULL);
	json_put_u64(w, "id", id);
	if (strstr(call, "eth_chainId"))
		json_put_quantity(w, "result", c->chain_id);
	else if (!strncmp(params, "\"latest", 7))
		put_block(w, c, c->head);
	else if (!strncmp(params, "\"finalized", 10))
		put_block(w, c, c->final);
	else
		put_block(w, c, strtoull(params + 1, NULL, 16));
	json_end(w);
}

static void answer(size_t i)
{
	struct fake_transfer *t = fake_find(urls[i]);
	struct buf b;
	size_t id = 0;
	if (!t)
		return;
	if (claims[i].silent) {
		assert_true(fake_reply(urls[i], 0, NULL));
		return;
	}
	buf_init(&b, 1u << 18);
	struct json_writer w = json_writer(&b);
	json_begin_array(&w, NULL);
	char *text = strdup(buf_cstr(&t->body)), *call = text;
	while ((call = strstr(call, "{\"jsonrpc\""))) {
		char *end = strstr(call + 1, "{\"jsonrpc\"");
		if (end)
			*end = '\0';
		put_answer(&w, &claims[i], call, id++);
		if (end)
			*end = '{';
		call++;
	}
	json_end_array(&w);
	assert_true(fake_reply(urls[i], 200, buf_cstr(&b)));
	buf_done(&b);
	free(text);
}

/* Time passes, and everybody is polled and answers. */
static const struct l1_view *pass(uint64_t ms)
{
	uint64_t until = fake_now + ms;
	do {
		fake_now += until - fake_now > 500 ? 500 : until - fake_now;
		(void)l1_turn(l1, fake_now);
		for (size_t i = 0; i < N; i++)
			answer(i);
	} while (fake_now < until);
	(void)l1_turn(l1, fake_now);
	return l1_view(l1);
}

static void all_at(uint64_t head, uint64_t final)
{
	for (size_t i = 0; i < N; i++) {
		claims[i].head = head;
		claims[i].final = final;
	}
}

static int set_up(void **state)
{
	static char names[N][2] = {"a", "b", "c"};
	struct err_text error;
	(void)state;
	settings = settings_defaults();
	settings.chain.id = 56;
	settings.poll_ms = 1000;
	settings.providers.quorum = 2;
	settings.providers.list = (struct config_list){providers, N};
	for (size_t i = 0; i < N; i++) {
		providers[i] =
			(struct settings_provider){.name = names[i],
						   .url = (char *)urls[i],
						   .weight = 1,
						   .rate = 100,
						   .timeout_ms = 3000};
		claims[i] = (struct claim){
			.chain_id = 56, .fork = UINT64_MAX, .genesis = 9};
	}
	all_at(100, 90);
	assert_int_equal(l1_new(&settings, http_client_new(), &l1, &error), OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	l1_free(l1);
	http_client_free(NULL);
	return 0;
}

static void test_healthy_when_a_quorum_agrees(void **state)
{
	(void)state;
	assert_false(l1_view(l1)->healthy);
	claims[2].silent = true;
	const struct l1_view *v = pass(0);
	assert_true(v->healthy);
	assert_int_equal(v->head.number, 100);
	assert_int_equal(v->acted.number, 90);
	assert_int_equal(v->acted.time, 5090);
	assert_int_equal(v->base_fee, 7);
	assert_string_equal(v->providers[0].state, "good");
	assert_string_equal(v->providers[2].state, "down");
	assert_string_equal(v->providers[2].why, "connection refused");
	claims[1].silent = true;
	v = pass(2000);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "b: connection refused"));
	claims[1].silent = false;
	assert_true(pass(L1_BACKOFF_MAX_MS)->healthy);
}

static void test_a_head_that_stands_is_stale(void **state)
{
	(void)state;
	assert_true(pass(0)->healthy);
	assert_true(pass(L1_HEAD_STALE_MS)->healthy);
	const struct l1_view *v = pass(1);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "has stood at block 100"));
	all_at(101, 90);
	assert_true(pass(1000)->healthy);
}

static void test_an_acted_block_that_stands_is_stale(void **state)
{
	(void)state;
	assert_true(pass(0)->healthy);
	uint64_t began = fake_now;
	while (fake_now - began < L1_ACTED_STALE_MS) {
		all_at(100 + (fake_now - began) / 1000, 90);
		assert_true(pass(10000)->healthy);
	}
	all_at(9000, 90);
	const struct l1_view *v = pass(10000);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "finalized block has stood at 90"));
}

static void test_finalized_is_not_monotone(void **state)
{
	(void)state;
	assert_int_equal(pass(0)->acted.number, 90);
	all_at(101, 91);
	assert_int_equal(pass(1000)->acted.number, 91);
	all_at(101, 90); /* nodes behind the same load balancers lag */
	const struct l1_view *v = pass(1000);
	assert_int_equal(v->acted.number, 91);
	assert_string_equal(v->providers[0].state, "good");
}

static struct kept kept(size_t provider)
{
	struct buf bytes;
	size_t who;
	assert_true(l1_evidence_take(l1, &bytes, &who));
	assert_int_equal(who, provider);
	return kept_read(&bytes);
}

static void assert_none_kept(void)
{
	struct buf bytes;
	size_t who;
	assert_false(l1_evidence_take(l1, &bytes, &who));
}

static void test_another_block_is_kept_as_evidence(void **state)
{
	(void)state;
	(void)pass(0);
	claims[2].chain = 5;
	claims[2].fork = 91;
	all_at(102, 92);
	const struct l1_view *v = pass(1000);
	assert_none_kept();
	assert_int_equal(v->providers[2].expelled_at, 0);
	v = pass(L1_DISPUTE_MS);
	const struct kept k = kept(2);
	assert_none_kept();
	assert_int_equal(k.lie.kind, LIE_OTHER_BLOCK);
	assert_string_equal(k.provider, "c");
	assert_int_equal(k.lie.number, 92);
	assert_true(hash_eq(k.lie.hash, hash_of(&claims[0], 92)));
	assert_non_null(strstr(k.said, hash_text(hash_of(&claims[2], 92)).s));
	assert_non_null(strstr(k.said, "\"timestamp\""));
	assert_non_null(strstr(k.stands, hash_text(k.lie.hash).s));
	assert_non_null(strstr(k.stands, "\"timestamp\""));
	assert_string_equal(k.against, "a, b");
	assert_int_equal(k.lie.l1_time, v->head.time);
	/* the view says until when, why, and where the evidence is */
	assert_int_equal(v->providers[2].expelled_at, k.lie.at);
	assert_int_equal(v->providers[2].expelled_until, k.lie.until);
	assert_string_equal(v->providers[2].expelled_for, "other_block");
	l1_evidence_kept(l1, 2, 7);
	assert_int_equal(pass(1000)->providers[2].evidence, 7);
}

static void test_a_forged_header_is_kept_as_evidence(void **state)
{
	(void)state;
	claims[0].ahead = 3600;
	(void)pass(1000);
	const struct kept k = kept(0);
	assert_int_equal(k.lie.kind, LIE_FORGED_HEADER);
	char want[40];
	(void)snprintf(want, sizeof(want), "\"timestamp\":\"0x%llx\"",
		       (unsigned long long)(5000 + k.lie.number + 3600));
	assert_non_null(strstr(k.said, want));
	(void)snprintf(want, sizeof(want), "\"timestamp\":\"0x%llx\"",
		       (unsigned long long)(5000 + k.lie.number));
	assert_non_null(strstr(k.stands, want));
	assert_string_equal(k.against, "b, c");
}

static void test_another_final_block_is_kept_as_evidence(void **state)
{
	(void)state;
	(void)pass(0);
	all_at(101, 91);
	(void)pass(1000);
	claims[1].chain = 5;
	claims[1].fork = 91;
	(void)pass(1000);
	const struct kept k = kept(1);
	assert_none_kept();
	assert_int_equal(k.lie.kind, LIE_OTHER_FINALIZED);
	assert_non_null(strstr(k.said, hash_text(hash_of(&claims[1], 91)).s));
	assert_non_null(strstr(k.stands, hash_text(hash_of(&claims[0], 91)).s));
	assert_string_equal(k.against, "b"); /* itself */
}

/* Told once when its evidence is kept, and once when it is used again. */
static void test_an_expulsion_is_told_once(void **state)
{
	(void)state;
	claims[0].ahead = 3600;
	(void)pass(1000);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE); /* not kept yet */
	(void)kept(0);
	l1_evidence_kept(l1, 0, 1);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_EXPELLED);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE);
	claims[0].ahead = 0;
	(void)pass(L1_LYING_FIRST_MS / 2);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE);
	(void)pass(L1_LYING_FIRST_MS);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_BACK);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE);
	/* again is another expulsion */
	claims[0].ahead = 60;
	all_at(101, 91);
	(void)pass(2000);
	(void)kept(0);
	l1_evidence_kept(l1, 0, 0);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_EXPELLED);
	assert_int_equal(l1_view(l1)->providers[0].expulsions, 2);
}

static void ignore(void *ctx, const struct quorum_result *results, size_t n)
{
	(void)ctx;
	(void)results;
	(void)n;
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
		for (size_t i = 1; i < N; i++)
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

static void test_a_lasting_contradiction_is_a_lie(void **state)
{
	const struct l1_view *v = pass(0);
	(void)state;
	claims[2].chain = 5;
	claims[2].fork = 91;
	all_at(102, 92);
	v = pass(1000);
	assert_string_equal(v->providers[2].state, "good");
	v = pass(L1_DISPUTE_MS);
	assert_string_equal(v->providers[2].state, "lying");
	assert_non_null(strstr(v->providers[2].why, "a quorum says"));
	assert_true(v->healthy);
	/* believed again later, if it says what is so */
	claims[2].chain = 0;
	for (int i = 0; i < 8; i++) {
		all_at(103 + (uint64_t)i, 93);
		v = pass(L1_LYING_FIRST_MS / 8);
	}
	v = pass(1000);
	assert_string_equal(v->providers[2].state, "good");
}

static void test_a_forged_time_is_a_lie_at_once(void **state)
{
	(void)state;
	claims[0].ahead = 3600; /* the first voice */
	const struct l1_view *v = pass(1000);
	assert_true(v->healthy);
	assert_int_equal(v->head.time, 5100);
	assert_int_equal(v->acted.time, 5090);
	assert_string_equal(v->providers[0].state, "lying");
	assert_non_null(strstr(v->providers[0].why, "other contents"));
	claims[1].silent = true; /* it and one honest one are no quorum */
	all_at(101, 91);
	v = pass(L1_DISPUTE_MS);
	assert_false(v->healthy);
	assert_int_equal(v->acted.time, 5090);
}

static void test_a_shared_contradiction_is_a_reorganisation(void **state)
{
	(void)state;
	settings.chain.act_on = ACT_ON_FINALIZED;
	assert_int_equal(pass(0)->acted.number, 90);
	for (size_t i = 0; i < N; i++) {
		claims[i].chain = 5;
		claims[i].fork = 91;
	}
	all_at(101, 90); /* above what is final: nobody is accused */
	const struct l1_view *v = pass(1000);
	assert_true(v->healthy);
	struct hash32 expected = hash_of(&claims[0], 101);
	assert_true(hash_eq(v->head.hash, expected));
	for (size_t i = 0; i < N; i++)
		assert_string_equal(v->providers[i].state, "good");
}

static void test_two_against_each_other_is_unknown(void **state)
{
	(void)state;
	claims[2].silent = true;
	assert_true(pass(0)->healthy);
	claims[1].chain = 5;
	claims[1].fork = 91;
	all_at(102, 92);
	(void)pass(1000);
	const struct l1_view *v = pass(L1_DISPUTE_MS);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "a and b contradict each other"));
	assert_int_equal(v->acted.number, 90);
}

static void test_another_chain_is_never_used(void **state)
{
	(void)state;
	claims[0].chain_id = 97;
	claims[1].genesis = 8;
	const struct l1_view *v = pass(2000);
	assert_string_equal(v->providers[0].state, "wrong_chain");
	assert_non_null(strstr(v->providers[0].why, "97, not 56"));
	assert_false(v->healthy); /* b and c have different genesis blocks */
	claims[0].chain_id = 56;  /* too late */
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

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_healthy_when_a_quorum_agrees),
		TEST(test_a_head_that_stands_is_stale),
		TEST(test_an_acted_block_that_stands_is_stale),
		TEST(test_finalized_is_not_monotone),
		TEST(test_another_block_is_kept_as_evidence),
		TEST(test_a_forged_header_is_kept_as_evidence),
		TEST(test_another_final_block_is_kept_as_evidence),
		TEST(test_an_expulsion_is_told_once),
		TEST(test_one_rate_for_polls_and_asks),
		TEST(test_a_lasting_contradiction_is_a_lie),
		TEST(test_a_forged_time_is_a_lie_at_once),
		TEST(test_a_shared_contradiction_is_a_reorganisation),
		TEST(test_two_against_each_other_is_unknown),
		TEST(test_another_chain_is_never_used),
		TEST(test_the_odd_genesis_is_left_out),
		TEST(test_waiting_ends_when_it_is_hopeless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
