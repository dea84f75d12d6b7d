/* Many endpoints, one answer or a named disagreement. */
#include "unit.h"

#include "fake_http.h"
#include "kept.h"
#include "l1/provider.h"
#include "l1/quorum.h"

#define N 3

static struct settings_provider settings[N];
static struct provider providers[N];
static struct quorum *quorum;
static struct accuse_queue records;
static const char *const urls[N] = {"http://a", "http://b", "http://c"};

static struct outcome {
	unsigned called;
	enum err err;
	char text[QUORUM_TEXT_MAX], value[64];
	size_t data_len;
} got;

static int set_up(void **state)
{
	static char names[N][2] = {"a", "b", "c"};
	struct err_text error;
	(void)state;
	for (size_t i = 0; i < N; i++) {
		settings[i] = (struct settings_provider){.name = names[i],
							 .url = (char *)urls[i],
							 .weight = 1,
							 .rate = 100,
							 .timeout_ms = 3000};
		assert_int_equal(provider_init(&providers[i], &settings[i],
					       http_client_new(), &error),
				 OK);
		providers[i].pinned = true;
		providers[i].records = &records;
	}
	quorum = quorum_new(providers, N, 2);
	got = (struct outcome){0};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	quorum_free(quorum);
	accuse_done(&records);
	for (size_t i = 0; i < N; i++) {
		assert_null(fake_find(urls[i]));
		provider_done(&providers[i]);
	}
	http_client_free(NULL);
	return 0;
}

static void on_done(void *ctx, const struct quorum_result *results, size_t n)
{
	struct outcome *to = ctx;
	struct json_reader r = {0};
	assert_int_equal(n, 1);
	to->called++;
	to->err = results[0].err;
	to->data_len = results[0].data.len;
	(void)snprintf(to->text, sizeof(to->text), "%s", results[0].text);
	if (results[0].err)
		return;
	if (json_is_null(results[0].result, NULL))
		(void)snprintf(to->value, sizeof(to->value), "null");
	else
		(void)snprintf(to->value, sizeof(to->value), "%s",
			       json_string(&r, results[0].result, NULL, 60));
}

static void on_two(void *ctx, const struct quorum_result *results, size_t n)
{
	struct outcome *to = ctx;
	(void)results;
	assert_int_equal(n, 2);
	to->called++;
}

static void ask_with(enum quorum_rule rule, bool pinned,
		     const char *const *fields, quorum_done *done)
{
	const struct rpc_call call = {.method = "eth_call",
				      .params = slice_str("[]"),
				      .pinned = pinned,
				      .fields = fields};
	assert_int_equal(quorum_ask(quorum, &call, 1, rule, 5000, done, &got),
			 OK);
}

static void ask(enum quorum_rule rule, bool pinned)
{
	ask_with(rule, pinned, NULL, on_done);
}

static void say(size_t i, const char *result)
{
	char text[300];
	(void)snprintf(text, sizeof(text), "[{\"id\":0,%s}]", result);
	assert_true(fake_reply(urls[i], 200, text));
	(void)quorum_turn(quorum, fake_now);
}

#define YES "\"result\":\"yes\""
#define NO  "\"result\":\"no\""
#define NIL "\"result\":null"
#define THROW                                                                  \
	"\"error\":{\"code\":3,\"message\":\"execution "                       \
	"reverted\",\"data\":\"0x82b42900\"}"
#define THROW_OTHER                                                            \
	"\"error\":{\"code\":3,\"message\":\"execution "                       \
	"reverted\",\"data\":\"0x12345678\"}"

static void test_ends_at_quorum_without_the_slowest(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, YES);
	assert_int_equal(got.called, 0);
	say(2, YES);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, OK);
	assert_string_equal(got.value, "yes");
	assert_non_null(fake_find(urls[1])); /* still to be compared */
	fake_now += 5000;
	(void)quorum_turn(quorum, fake_now);
	assert_null(fake_find(urls[1]));
	assert_int_equal(got.called, 1);
}

static void test_outvotes_and_accuses_a_liar(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, NO);
	say(1, YES);
	say(2, YES);
	assert_string_equal(got.value, "yes");
	assert_true(provider_lying(&providers[0], fake_now));
	assert_false(provider_lying(&providers[1], fake_now));
	/* not asked while it lies, asked again later */
	ask(QUORUM_AGREE, true);
	assert_null(fake_find(urls[0]));
	say(1, YES);
	say(2, YES);
	fake_now += L1_LYING_FIRST_MS;
	assert_true(provider_usable(&providers[0], fake_now));
}

static void test_accuses_after_the_fact(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, YES);
	say(1, YES);
	assert_int_equal(got.called, 1);
	say(2, NO);
	assert_true(provider_lying(&providers[2], fake_now));
	assert_int_equal(got.called, 1);
}

/* a weighs as much as the two others: neither it nor they are three. */
static void test_weights_are_summed_not_heads(void **state)
{
	(void)state;
	settings[0].weight = 2;
	ask(QUORUM_AGREE, true); /* two must agree */
	say(0, YES);
	assert_int_equal(got.called, 1);
	assert_string_equal(got.value, "yes");
	say(1, YES);
	say(2, YES);
	quorum_free(quorum);
	quorum = quorum_new(providers, N, 3);
	ask(QUORUM_AGREE, true);
	say(1, YES);
	say(2, YES);
	assert_int_equal(got.called, 1);
	say(0, NO);
	assert_int_equal(got.called, 2);
	assert_int_equal(got.err, ERR_CONFLICT);
	ask(QUORUM_AGREE, true);
	say(0, YES);
	say(2, YES);
	assert_int_equal(got.called, 3);
	assert_int_equal(got.err, OK);
	say(1, YES);
}

static void test_moving_answers_accuse_nobody(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, false);
	say(0, YES);
	say(1, YES);
	say(2, NO);
	assert_false(provider_lying(&providers[2], fake_now));
}

static void test_three_opinions_are_a_conflict(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, YES);
	say(1, NO);
	assert_int_equal(got.called, 0);
	say(2, "\"result\":\"maybe\"");
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_CONFLICT);
	for (size_t i = 0; i < N; i++)
		assert_false(provider_lying(&providers[i], fake_now));
}

static void test_two_opinions_and_a_silence_are_a_conflict(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, YES);
	say(1, NO);
	assert_true(fake_reply(urls[2], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.err, ERR_CONFLICT);
	assert_non_null(strstr(got.text, "contradict"));
}

static void test_too_few_answers_fail_at_once(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, YES);
	assert_true(fake_reply(urls[1], 0, NULL));
	assert_true(fake_reply(urls[2], 500, "oops"));
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_IO);
	assert_non_null(strstr(got.text, "b: connection refused"));
	assert_non_null(strstr(got.text, "c: HTTP status 500"));
}

static void test_nobody_usable_fails_at_the_next_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		provider_failed(&providers[i], fake_now, FAULT_STATUS, "down");
	ask(QUORUM_AGREE, true);
	assert_int_equal(got.called, 0); /* never from quorum_ask() */
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_IO);
}

static void test_a_new_provider_is_waited_for(void **state)
{
	(void)state;
	providers[2].pinned = false; /* its first poll is under way */
	ask(QUORUM_AGREE, true);
	say(0, YES);
	say(1, NO);
	assert_int_equal(got.called, 0);
	providers[2].pinned = true;
	(void)quorum_turn(quorum, fake_now);
	say(2, YES);
	assert_int_equal(got.err, OK);
	assert_string_equal(got.value, "yes");
	assert_true(provider_lying(&providers[1], fake_now));
}

static void test_the_deadline_ends_it(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, YES);
	fake_now += 4999;
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 0);
	fake_now += 1;
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_IO);
}

static void test_null_is_ignorance_when_pinned(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, NIL);
	say(1, NIL);
	assert_int_equal(got.err, ERR_IO);
	assert_int_equal(got.called, 1);
	say(2, YES);
	for (size_t i = 0; i < N; i++)
		assert_false(provider_lying(&providers[i], fake_now));
	ask(QUORUM_AGREE, false);
	say(0, NIL);
	say(1, NIL);
	assert_int_equal(got.called, 2);
	assert_int_equal(got.err, OK);
	assert_string_equal(got.value, "null");
	say(2, NIL);
}

static void test_reverts_agree_by_their_data(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, THROW);
	say(1, "\"error\":{\"code\":-32015,\"message\":\"VM: revert\","
	       "\"data\":\"0x82b42900\"}");
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_REFUSED);
	assert_int_equal(got.data_len, 4);
	say(2, "\"error\":{\"code\":-32000,\"message\":\"missing trie "
	       "node\"}");
	assert_false(provider_lying(&providers[2], fake_now));
}

static void test_only_named_fields_must_agree(void **state)
{
	static const char *const fields[] = {"hash", NULL};
	struct outcome *to = &got;
	(void)state;
	ask_with(QUORUM_AGREE, true, fields, on_done);
	say(0, "\"result\":{\"hash\":\"0x1\",\"size\":\"0x5\"}");
	say(1, "\"result\":{\"extra\":1,\"hash\":\"0x1\"}");
	assert_int_equal(to->called, 1);
	assert_int_equal(to->err, OK);
	say(2, "\"result\":{\"hash\":\"0x2\"}");
	assert_true(provider_lying(&providers[2], fake_now));
}

/* "yes" is the truth, "no" a falsehood, all else of another form. */
static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct json_reader r = {0};
	const char *text = json_string(&r, results[0], NULL, 60);
	assert_ptr_equal(ctx, &got);
	assert_int_equal(n, 1);
	err_text_set(error, "it said %s", r.failed ? "nothing" : text);
	if (r.failed)
		return PROVED_SHAPE;
	return strcmp(text, "yes") ? PROVED_FALSE : PROVED;
}

#define HASH_7                                                                 \
	"0x7777777777777777777777777777777777777777777777777777777777777777"

static void prove(void)
{
	const struct rpc_call call = {
		.method = "eth_getProof",
		.params = slice_str("[\"0x01\",[],\"" HASH_7 "\"]")};
	assert_int_equal(quorum_prove(quorum, &call, 1, "eth_getProof", verify,
				      5000, on_done, &got),
			 OK);
}

#define NO_METHOD                                                              \
	"\"error\":{\"code\":-32601,\"message\":\"the method "                 \
	"eth_getProof does not exist/is not available\"}"

static void test_one_that_proves_is_enough(void **state)
{
	(void)state;
	prove();
	assert_null(fake_find(urls[1])); /* one after the other */
	say(0, YES);
	assert_int_equal(got.called, 1);
	assert_string_equal(got.value, "yes");
	assert_null(fake_find(urls[1]));
}

static void test_a_broken_one_is_followed_by_the_next(void **state)
{
	(void)state;
	providers[1].latency_ms = 10;
	providers[0].latency_ms = 20;
	providers[2].latency_ms = 30;
	prove();
	assert_non_null(fake_find(urls[1])); /* the quickest, alone */
	assert_null(fake_find(urls[0]));
	assert_true(fake_reply(urls[1], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	say(0, YES);
	assert_string_equal(got.value, "yes");
	assert_null(fake_find(urls[2]));
}

static void test_a_slow_one_is_not_waited_for(void **state)
{
	(void)state;
	prove();
	fake_now += L1_HEDGE_MS;
	(void)quorum_turn(quorum, fake_now);
	assert_non_null(fake_find(urls[0]));
	say(1, YES);
	assert_int_equal(got.called, 1);
	assert_string_equal(got.value, "yes");
	say(0, NIL);
	assert_int_equal(got.called, 1);
}

/* However quick it is about all else. */
static void test_a_slow_one_is_not_asked_first_again(void **state)
{
	(void)state;
	providers[0].latency_ms = 1;
	providers[1].latency_ms = 50;
	providers[2].latency_ms = 60;
	prove();
	fake_now += L1_HEDGE_MS;
	(void)quorum_turn(quorum, fake_now);
	say(1, YES);
	say(0, NIL);
	prove();
	assert_null(fake_find(urls[0]));
	say(1, YES);
	assert_int_equal(got.called, 2);
}

/* At the start the one that can prove may answer its first poll last. */
static void test_a_new_provider_may_prove_too(void **state)
{
	(void)state;
	providers[2].pinned = false;
	prove();
	assert_true(fake_reply(urls[0], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_true(fake_reply(urls[1], 0, NULL));
	uint64_t next = quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 0);
	assert_true(next > fake_now + 1); /* no spinning meanwhile */
	assert_null(fake_find(urls[2]));
	providers[2].pinned = true;
	(void)quorum_turn(quorum, fake_now);
	say(2, YES);
	assert_string_equal(got.value, "yes");
}

/* Two that agree on a lie expel who does not, and then prove nothing. */
static void test_an_expelled_one_may_prove_after_all_others(void **state)
{
	(void)state;
	providers[0].lying_until_ms = fake_now + 30000;
	providers[0].latency_ms = 1;
	providers[1].latency_ms = providers[2].latency_ms = 10;
	prove();
	assert_null(fake_find(urls[0]));
	say(1, NO);
	(void)quorum_turn(quorum, fake_now);
	assert_null(fake_find(urls[0]));
	assert_true(fake_reply(urls[2], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 0);
	say(0, YES);
	assert_int_equal(got.called, 1);
	assert_string_equal(got.value, "yes");
	assert_true(provider_lying(&providers[1], fake_now));
}

static void test_a_new_provider_that_fails_is_not_waited_for(void **state)
{
	(void)state;
	providers[2].pinned = false;
	prove();
	assert_true(fake_reply(urls[0], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_true(fake_reply(urls[1], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 0);
	providers[2].failures = 1;
	(void)quorum_turn(quorum, fake_now);
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_IO);
}

static void test_one_alone_may_be_asked_to_prove(void **state)
{
	const struct rpc_call call = {.method = "eth_getProof",
				      .params = slice_str("[]")};
	(void)state;
	for (unsigned good = 0; good < 2; good++) {
		got = (struct outcome){0};
		assert_int_equal(quorum_prove_by(quorum, 1, &call, 1, NULL,
						 verify, 5000, on_done, &got),
				 OK);
		assert_null(fake_find(urls[0]));
		assert_null(fake_find(urls[2]));
		say(1, good ? YES : NO_METHOD);
		assert_int_equal(got.called, 1);
		assert_int_equal(got.err, good ? OK : ERR_IO);
		assert_null(fake_find(urls[0]));
	}
	/* no method was named that it may be without */
	assert_false(provider_lacking(&providers[1], "eth_getProof", fake_now));
}

static void test_two_liars_outvote_no_proof(void **state)
{
	(void)state;
	prove();
	say(0, NO);
	assert_false(provider_lying(&providers[0], fake_now));
	say(1, NO);
	assert_int_equal(got.called, 0);
	say(2, YES);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, OK);
	assert_string_equal(got.value, "yes");
	assert_true(provider_lying(&providers[0], fake_now));
	assert_true(provider_lying(&providers[1], fake_now));
	assert_false(provider_lying(&providers[2], fake_now));
	assert_non_null(strstr(providers[0].why, "it said no"));
}

static void test_nobody_lies_when_nobody_proves(void **state)
{
	(void)state;
	prove();
	say(0, NO);
	say(1, NIL);
	say(2, NO);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_IO);
	assert_string_equal(got.text,
			    "a: it said no; b: it said nothing; c: it said no");
	for (size_t i = 0; i < N; i++)
		assert_false(provider_lying(&providers[i], fake_now));
}

static void test_who_lacks_a_method_is_spared_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		providers[i].latency_ms = 10 + 10 * i;
	prove();
	say(0, NO_METHOD);
	say(1, YES);
	assert_int_equal(got.err, OK);
	prove();
	assert_null(fake_find(urls[0]));
	say(1, THROW);
	say(2, NO_METHOD);
	assert_int_equal(got.called, 2);
	assert_int_equal(got.err, ERR_IO);
	assert_non_null(strstr(got.text, "a: lacks eth_getProof; b: exec"));
	assert_non_null(strstr(got.text, "c: lacks eth_getProof"));
	assert_true(provider_usable(&providers[0], fake_now));
	ask(QUORUM_AGREE, true); /* for all else it is asked */
	say(0, YES);
	say(1, YES);
	say(2, YES);
	fake_now += L1_LACKS_MS;
	prove();
	say(0, YES);
	assert_int_equal(got.called, 4);
}

#define GAS(hex) "\"result\":\"" hex "\""

static void ask_median(enum quorum_rule rule)
{
	const struct rpc_call call = {.method = "eth_estimateGas",
				      .params = slice_str("[]"),
				      .least = 0x5208,
				      .most = 0x1c9c380};
	got = (struct outcome){0};
	assert_int_equal(
		quorum_ask(quorum, &call, 1, rule, 5000, on_done, &got), OK);
}

static void test_a_median_ends_when_a_quorum_is_near(void **state)
{
	(void)state;
	ask_median(QUORUM_HIGH);
	say(0, GAS("0x10000"));
	assert_int_equal(got.called, 0);
	say(2, GAS("0x11000"));
	assert_int_equal(got.called, 1);
	assert_string_equal(got.value, "0x11000");
	say(1, GAS("0xffffff"));
	assert_false(provider_lying(&providers[1], fake_now));
}

static void test_one_liar_moves_no_median(void **state)
{
	static const char *const lies[] = {
		GAS("0x5208"), GAS("0x1000000"),
		GAS("0x0"),    GAS("0xffffffffffffff"),
		THROW,	       NIL,
		GAS("soon")};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies) * N; i++) {
		ask_median(i & 1 ? QUORUM_LOW : QUORUM_HIGH);
		say(i % N, lies[i / N]);
		say((i + 1) % N, GAS("0x20000"));
		say((i + 2) % N, GAS("0x30000"));
		/* far apart: the last word is everybody's */
		assert_int_equal(got.called, 1);
		assert_int_equal(got.err, OK);
		if (strcmp(got.value, "0x20000"))
			assert_string_equal(got.value, "0x30000");
	}
}

static void test_a_median_waits_a_moment_only(void **state)
{
	(void)state;
	ask_median(QUORUM_LOW);
	say(0, GAS("0x10000"));
	say(1, GAS("0x20000"));
	assert_int_equal(got.called, 0);
	fake_now += L1_HEDGE_MS;
	(void)quorum_turn(quorum, fake_now);
	assert_string_equal(got.value, "0x10000");
	say(2, GAS("0x10000"));
	ask_median(QUORUM_HIGH);
	say(0, GAS("0x10000"));
	say(1, GAS("0x20000"));
	assert_true(fake_reply(urls[2], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_string_equal(got.value, "0x20000");
}

static void test_a_revert_needs_a_quorum(void **state)
{
	(void)state;
	ask_median(QUORUM_HIGH);
	say(0, THROW);
	say(1, GAS("0x10000"));
	fake_now += L1_HEDGE_MS;
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 0);
	assert_true(fake_reply(urls[2], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_string_equal(got.value, "0x10000");
	fake_now += L1_BACKOFF_MAX_MS;
	ask_median(QUORUM_HIGH);
	say(0, THROW);
	assert_int_equal(got.called, 0);
	say(2, THROW);
	assert_int_equal(got.err, ERR_REFUSED);
	assert_int_equal(got.data_len, 4);
	say(1, GAS("0x10000"));
	/* two say so, each its own reason: neither is believed */
	ask_median(QUORUM_HIGH);
	say(0, THROW);
	say(1, THROW_OTHER);
	assert_int_equal(got.called, 0);
	fake_now += L1_HEDGE_MS;
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.err, ERR_REFUSED);
	assert_int_equal(got.data_len, 0);
	assert_non_null(strstr(got.text, "different reasons"));
	say(2, NIL);
	/* one says so, nobody else anything: that is no refusal */
	ask_median(QUORUM_HIGH);
	say(0, THROW);
	say(1, NIL);
	say(2, NIL);
	assert_int_equal(got.err, ERR_IO);
}

static void test_too_poor_is_as_good_as_a_revert(void **state)
{
	static const char poor[] = "\"error\":{\"code\":-32000,\"message\":"
				   "\"insufficient funds for transfer\"}";
	(void)state;
	ask_median(QUORUM_HIGH);
	say(0, poor);
	assert_int_equal(got.called, 0);
	say(1, poor);
	assert_int_equal(got.err, ERR_REFUSED);
	assert_non_null(strstr(got.text, "insufficient funds"));
	say(2, NIL);
}

static void test_broadcast_takes_any_success(void **state)
{
	(void)state;
	provider_failed(&providers[0], fake_now, FAULT_STATUS,
			"down"); /* asked still */
	ask(QUORUM_BROADCAST, false);
	say(0, "\"error\":{\"code\":-32000,\"message\":\"nonce too low\"}");
	assert_int_equal(got.called, 0);
	say(1, "\"error\":{\"code\":-32000,\"message\":\"already known\"}");
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, OK);
	say(2, YES);
	assert_int_equal(got.called, 1);
}

static void test_broadcast_tells_the_last_failure(void **state)
{
	(void)state;
	ask(QUORUM_BROADCAST, false);
	assert_true(fake_reply(urls[0], 0, NULL));
	say(1, "\"error\":{\"code\":-32000,\"message\":\"nonce too low\"}");
	assert_int_equal(got.called, 0);
	assert_true(fake_reply(urls[2], 0, NULL));
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_REFUSED);
	assert_string_equal(got.text, "nonce too low");
}

static void test_a_silent_node_may_have_taken_it(void **state)
{
	(void)state;
	ask(QUORUM_BROADCAST, false);
	assert_true(fake_reply(urls[0], 502, NULL)); /* after it was sent */
	say(1, "\"error\":{\"code\":-32000,\"message\":\"gas limit\"}");
	assert_true(fake_reply(urls[2], 0, NULL)); /* never reached */
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 1);
	assert_int_equal(got.err, ERR_CONFLICT);
	assert_string_equal(got.text, "gas limit");
	fake_now += L1_BACKOFF_MAX_MS;
	ask(QUORUM_BROADCAST, false);
	say(1, "\"error\":{\"code\":-32000,\"message\":\"gas limit\"}");
	say(2, "\"error\":{\"code\":-32000,\"message\":\"gas limit\"}");
	fake_now += 9000; /* the first one never says a word */
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.err, ERR_CONFLICT);
}

static void test_cancelled_asks_stay_silent(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	quorum_cancel(quorum, &got);
	for (size_t i = 0; i < N; i++)
		assert_null(fake_find(urls[i]));
	fake_now += 9000;
	(void)quorum_turn(quorum, fake_now);
	assert_int_equal(got.called, 0);
}

static void ask_again(void *ctx, const struct quorum_result *results, size_t n)
{
	on_done(ctx, results, n);
	quorum_cancel(quorum, ctx);
	ask(QUORUM_AGREE, true);
}

static void test_a_callback_may_ask_and_cancel(void **state)
{
	(void)state;
	ask_with(QUORUM_AGREE, true, NULL, ask_again);
	assert_true(fake_reply(urls[2], 0, NULL));
	say(0, YES);
	say(1, YES);
	assert_int_equal(got.called, 1);
	say(0, NO);
	say(1, NO);
	assert_int_equal(got.called, 2);
	assert_string_equal(got.value, "no");
}

static void test_the_rate_is_kept(void **state)
{
	unsigned sent = 0;
	(void)state;
	settings[0].rate = 2;
	providers[0].tokens = 2000;
	providers[0].tokens_at_ms = fake_now;
	for (size_t i = 0; i < 4; i++)
		ask(QUORUM_AGREE, true);
	while (fake_find(urls[0])) {
		say(0, YES);
		sent++;
	}
	assert_int_equal(sent, 2);
	fake_now += 500;
	assert_true(quorum_turn(quorum, fake_now) <= fake_now + 501);
	assert_non_null(fake_find(urls[0]));
	quorum_cancel(quorum, &got);
	(void)quorum_turn(quorum, fake_now);
}

static void repeat_hollow(const char *hollow, const char *full)
{
	for (unsigned i = 1; i <= L1_DOUBTS_MAX; i++) {
		assert_false(provider_lying(&providers[0], fake_now));
		ask(QUORUM_AGREE, true);
		say(1, full);
		say(2, full);
		say(0, hollow);
	}
	assert_true(provider_lying(&providers[0], fake_now));
	fake_now = providers[0].lying_until_ms;
}

static void ignore_outcome(void *ctx, const struct quorum_result *r, size_t n)
{
	(void)ctx;
	(void)r;
	(void)n;
}

static void test_knowing_less_is_a_lie_only_when_repeated(void **state)
{
	(void)state;
	repeat_hollow("\"error\":{\"code\":3,\"message\":\"reverted\"}", THROW);
	/* what it can say in full takes the doubt away */
	for (unsigned i = 0; i < 2 * L1_DOUBTS_MAX; i++) {
		ask_with(QUORUM_AGREE, true, NULL, ignore_outcome);
		say(1, "\"result\":[1]");
		say(2, "\"result\":[1]");
		say(0, i & 1 ? "\"result\":[1]" : "\"result\":[]");
		assert_false(provider_lying(&providers[0], fake_now));
	}
	/* inventing a log is one at once */
	ask(QUORUM_AGREE, true);
	say(1, "\"result\":[]");
	say(2, "\"result\":[]");
	say(0, "\"result\":[1]");
	assert_true(provider_lying(&providers[0], fake_now));
}

/* What contradicts nothing is counted by its kind and named, and no lie. */
static void test_bad_answers_are_counted_by_kind(void **state)
{
	static const struct {
		long status;
		const char *text, *why;
		enum fault fault;
	} cases[] = {
		{200, "<!DOCTYPE html><html>", "HTML", FAULT_HTML},
		{200, "  \n<html>", "HTML", FAULT_HTML},
		{200, "[{\"id\":0,\"resu", "not JSON", FAULT_NOT_JSON},
		{200, "", "not JSON", FAULT_NOT_JSON},
		{200, "[{\"id\":7,\"result\":1}]", "not asked", FAULT_SHAPE},
		{200, "[]", "0 answers to 1 calls", FAULT_SHAPE},
		{200, "{}", "not a JSON-RPC batch", FAULT_SHAPE},
		{200, "{\"error\":{\"message\":\"go away\"}}", "go away",
		 FAULT_REFUSED},
		{200, "{\"error\":{\"message\":\"rate limit\"}}", "rate",
		 FAULT_THROTTLED},
		{429, "slow down", "lower its rate", FAULT_THROTTLED},
		{401, "", "headers_file", FAULT_STATUS},
		{404, "", "path", FAULT_STATUS},
		{301, "", "redirects are not followed", FAULT_STATUS},
		{500, "", "HTTP status 500", FAULT_STATUS},
		{0, NULL, "connection refused", FAULT_UNREACHABLE},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct provider *p = &providers[0];
		uint64_t before = p->faults[cases[i].fault], sum = 0;
		ask(QUORUM_AGREE, true);
		assert_true(
			fake_reply(urls[0], cases[i].status, cases[i].text));
		say(1, YES);
		say(2, YES);
		assert_string_equal(got.value, "yes");
		assert_non_null(strstr(p->why, cases[i].why));
		assert_int_equal(p->faults[cases[i].fault], before + 1);
		for (size_t k = 0; k < FAULT_KINDS; k++)
			sum += p->faults[k];
		assert_int_equal(sum, i + 1);
		assert_false(provider_lying(p, fake_now));
		fake_now = p->backoff_until_ms;
	}
	assert_int_equal(records.n, 0);
}

static struct kept kept(void)
{
	struct accuse_record r;
	assert_true(accuse_take(&records, &r));
	assert_int_equal(records.n, 0);
	return kept_read(&r.bytes);
}

/* What it said, what it was asked, and who says otherwise. */
static void test_another_answer_is_kept(void **state)
{
	const struct rpc_call calls[2] = {
		{.method = "eth_chainId", .params = slice_str("[]")},
		{.method = "eth_call",
		 .params = slice_str(
			 "[{\"to\":\"0x01\"},{\"blockHash\":\"" HASH_7 "\"}]"),
		 .pinned = true}};
	static const char *const texts[N] = {"[{\"id\":0,\"result\":\"0x1\"},{"
					     "\"id\":1,\"result\":\"0xaa\"}]",
					     "[{\"id\":0,\"result\":\"0x1\"},{"
					     "\"id\":1,\"result\":\"0xbb\"}]",
					     "[{\"id\":0,\"result\":\"0x1\"},{"
					     "\"id\":1,\"result\":\"0xaa\"}]"};
	(void)state;
	assert_int_equal(
		quorum_ask(quorum, calls, 2, QUORUM_AGREE, 5000, on_two, &got),
		OK);
	for (size_t i = 0; i < N; i++) {
		assert_true(fake_reply(urls[i], 200, texts[i]));
		(void)quorum_turn(quorum, fake_now);
	}
	const struct kept k = kept();
	assert_string_equal(k.provider, "b");
	assert_int_equal(k.lie.kind, LIE_OTHER_ANSWER);
	assert_string_equal(k.method, "eth_call");
	assert_non_null(strstr(k.asked, HASH_7));
	assert_int_equal(k.lie.hash.b[0], 0x77);
	assert_string_equal(k.said, "\"0xbb\"");
	assert_string_equal(k.stands, "\"0xaa\"");
	assert_string_equal(k.against, "a, c");
	assert_int_equal(k.lie.at, fake_now / 1000);
	assert_int_equal(k.lie.until, (fake_now + L1_LYING_FIRST_MS) / 1000);
}

static void test_another_revert_is_kept(void **state)
{
	(void)state;
	ask(QUORUM_AGREE, true);
	say(0, THROW);
	say(1, THROW);
	say(2, THROW_OTHER);
	const struct kept k = kept();
	assert_string_equal(k.provider, "c");
	assert_non_null(strstr(k.said, "0x12345678"));
	assert_non_null(strstr(k.stands, "0x82b42900"));
}

static void test_omission_is_kept_once_it_is_a_lie(void **state)
{
	(void)state;
	for (unsigned i = 0; i < L1_DOUBTS_MAX; i++) {
		assert_int_equal(records.n, 0);
		ask(QUORUM_AGREE, true);
		say(0, "\"result\":[]");
		say(1, "\"result\":[1]");
		say(2, "\"result\":[1]");
	}
	const struct kept k = kept();
	assert_string_equal(k.provider, "a");
	assert_int_equal(k.lie.kind, LIE_OMISSION);
	assert_string_equal(k.said, "[]");
	assert_string_equal(k.stands, "[1]");
}

static void test_a_false_proof_is_kept(void **state)
{
	(void)state;
	prove();
	(void)quorum_turn(quorum, fake_now);
	say(0, "\"result\":\"no\"");
	say(1, "\"result\":\"yes\"");
	const struct kept k = kept();
	assert_string_equal(k.provider, "a");
	assert_int_equal(k.lie.kind, LIE_FALSE_PROOF);
	assert_string_equal(k.method, "eth_getProof");
	assert_string_equal(k.said, "[\"no\"]");
	assert_string_equal(k.stands, "[\"yes\"]");
	assert_non_null(strstr(k.asked, HASH_7));
	assert_int_equal(k.lie.hash.b[31], 0x77);
	assert_string_equal(k.against, "b");
}

/* 1 MiB of words: 16 KiB are kept, and it says so. */
static void test_a_flood_of_words_is_cut(void **state)
{
	static char flood[1u << 20];
	(void)state;
	memset(flood, 'a', sizeof(flood) - 1);
	memcpy(flood, "[{\"id\":0,\"result\":\"0x", 21);
	memcpy(flood + sizeof(flood) - 4, "\"}]", 4);
	ask(QUORUM_AGREE, true);
	assert_true(fake_reply(urls[0], 200, flood));
	say(1, YES);
	say(2, YES);
	const struct kept k = kept();
	assert_true(k.lie.said.cut);
	assert_int_equal(k.lie.said.text.len, LIE_SAID_MAX);
}

/* Expelled once: what it said besides is no new expulsion. */
static void test_one_expulsion_is_one_record(void **state)
{
	const struct accusation what = {.kind = LIE_OTHER_BLOCK, .method = ""};
	(void)state;
	ask(QUORUM_AGREE, true);
	ask(QUORUM_AGREE, true);
	for (unsigned k = 0; k < 2; k++)
		for (size_t i = 0; i < N; i++)
			say(i, i ? YES : NO);
	provider_lied(&providers[0], fake_now, &what, "again");
	(void)kept();
	assert_int_equal(providers[0].lies, 1);
}

static void test_old_lies_are_forgiven(void **state)
{
	const struct accusation what = {.kind = LIE_OTHER_ANSWER, .method = ""};
	(void)state;
	provider_lied(&providers[0], fake_now, &what, "test");
	fake_now = providers[0].lying_until_ms;
	provider_lied(&providers[0], fake_now, &what, "test");
	assert_int_equal(providers[0].lying_until_ms - fake_now,
			 2 * L1_LYING_FIRST_MS);
	fake_now = providers[0].lying_until_ms;
	for (unsigned lies = 2; lies > 0; lies--) {
		ask(QUORUM_AGREE, true);
		for (size_t i = 0; i < N; i++)
			say(i, YES);
		assert_int_equal(providers[0].lies, lies);
		fake_now += L1_FORGIVE_MS;
		ask(QUORUM_AGREE, true);
		for (size_t i = 0; i < N; i++)
			say(i, YES);
		assert_int_equal(providers[0].lies, lies - 1);
	}
}

/* c hangs: what waits for it alone hinders nobody. */
static void test_a_hung_provider_fills_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		settings[i].rate = 0;
	for (size_t i = 0; i < 2 * L1_ASKS_MAX; i++) {
		ask(QUORUM_AGREE, true);
		say(0, YES);
		say(1, YES);
		assert_int_equal(got.called, i + 1);
	}
	size_t hanging = 0;
	for (size_t i = 0; i < FAKE_TRANSFERS; i++)
		hanging += fake_transfers[i].open;
	assert_int_equal(hanging, L1_LINGER_MAX);
	fake_now += 5000;
	(void)quorum_turn(quorum, fake_now);
}

static void test_small_questions_take_small_answers(void **state)
{
	const struct rpc_call logs = {.method = "eth_getLogs",
				      .params = slice_str("[]")};
	(void)state;
	assert_int_equal(
		quorum_ask(quorum, &logs, 1, QUORUM_AGREE, 100, on_done, &got),
		OK);
	assert_int_equal(fake_find(urls[0])->max_body, L1_REPLY_MAX);
	quorum_cancel(quorum, &got);
	const struct rpc_call small[2] = {
		{.method = "eth_chainId", .params = slice_str("[]")},
		{.method = "eth_chainId", .params = slice_str("[]")}};
	assert_int_equal(
		quorum_ask(quorum, small, 2, QUORUM_AGREE, 100, on_done, &got),
		OK);
	assert_int_equal(fake_find(urls[0])->max_body, 2 * L1_SMALL_REPLY_MAX);
	quorum_cancel(quorum, &got);
	(void)quorum_turn(quorum, fake_now);
}

static void test_limits(void **state)
{
	struct rpc_call calls[QUORUM_CALLS_MAX + 1];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = (struct rpc_call){.method = "m",
					     .params = slice_str("[]")};
	assert_int_equal(quorum_ask(quorum, calls, ARRAY_LEN(calls),
				    QUORUM_AGREE, 100, on_done, &got),
			 ERR_TOO_LARGE);
	for (size_t i = 0; i < N; i++)
		providers[i].pinned = false;
	for (size_t i = 0; i < L1_ASKS_MAX; i++)
		ask(QUORUM_AGREE, true);
	assert_int_equal(
		quorum_ask(quorum, calls, 1, QUORUM_AGREE, 100, on_done, &got),
		ERR_BUSY);
	quorum_cancel(quorum, &got);
	(void)quorum_turn(quorum, fake_now);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ends_at_quorum_without_the_slowest),
		TEST(test_outvotes_and_accuses_a_liar),
		TEST(test_accuses_after_the_fact),
		TEST(test_weights_are_summed_not_heads),
		TEST(test_moving_answers_accuse_nobody),
		TEST(test_three_opinions_are_a_conflict),
		TEST(test_two_opinions_and_a_silence_are_a_conflict),
		TEST(test_too_few_answers_fail_at_once),
		TEST(test_nobody_usable_fails_at_the_next_turn),
		TEST(test_a_new_provider_is_waited_for),
		TEST(test_the_deadline_ends_it),
		TEST(test_null_is_ignorance_when_pinned),
		TEST(test_reverts_agree_by_their_data),
		TEST(test_only_named_fields_must_agree),
		TEST(test_a_broken_one_is_followed_by_the_next),
		TEST(test_a_slow_one_is_not_waited_for),
		TEST(test_a_slow_one_is_not_asked_first_again),
		TEST(test_a_new_provider_may_prove_too),
		TEST(test_one_alone_may_be_asked_to_prove),
		TEST(test_an_expelled_one_may_prove_after_all_others),
		TEST(test_a_new_provider_that_fails_is_not_waited_for),
		TEST(test_one_that_proves_is_enough),
		TEST(test_two_liars_outvote_no_proof),
		TEST(test_nobody_lies_when_nobody_proves),
		TEST(test_who_lacks_a_method_is_spared_it),
		TEST(test_broadcast_takes_any_success),
		TEST(test_broadcast_tells_the_last_failure),
		TEST(test_a_silent_node_may_have_taken_it),
		TEST(test_cancelled_asks_stay_silent),
		TEST(test_a_callback_may_ask_and_cancel),
		TEST(test_the_rate_is_kept),
		TEST(test_a_median_ends_when_a_quorum_is_near),
		TEST(test_one_liar_moves_no_median),
		TEST(test_a_median_waits_a_moment_only),
		TEST(test_a_revert_needs_a_quorum),
		TEST(test_too_poor_is_as_good_as_a_revert),
		TEST(test_knowing_less_is_a_lie_only_when_repeated),
		TEST(test_bad_answers_are_counted_by_kind),
		TEST(test_another_answer_is_kept),
		TEST(test_another_revert_is_kept),
		TEST(test_omission_is_kept_once_it_is_a_lie),
		TEST(test_a_false_proof_is_kept),
		TEST(test_a_flood_of_words_is_cut),
		TEST(test_one_expulsion_is_one_record),
		TEST(test_old_lies_are_forgiven),
		TEST(test_a_hung_provider_fills_nothing),
		TEST(test_small_questions_take_small_answers),
		TEST(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
