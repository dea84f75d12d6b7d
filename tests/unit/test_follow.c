/* Following a small chain of the test's own: order, logs, reorganisations. */
#include "unit.h"

#include "abi/bloom.h"
#include "abi/hex.h"
#include "abi/keccak.h"
#include "fake_http.h"
#include "l1/follow.h"
#include "l1/l1_impl.h"

#define BLOCKS 64

static const char *const url = "http://a";
static char name[] = "a";
static struct settings_provider provider;
static struct settings settings;
static struct l1 *l1;
static struct follow *follow;
static const struct address ours = {{0xaa}};
static const struct hash32 topic = {{0xbb}};

/* The chain: which of two each block is of, and whether it holds a log. */
static unsigned version[BLOCKS];
static bool logs[BLOCKS], lies_about_parent;
static uint64_t top;
static unsigned log_queries, tx_queries;
/* Of a block with logs: how many, in as many transactions, with how long an
 * input; whether they come in one answer; whether the topic alternates. */
static size_t many, input_len;
static bool one_tx, unanswerable, alternates;
static const struct hash32 other_topic = {{0xbc}};

static struct hash32 hash_at(uint64_t n)
{
	struct hash32 h = {{0xcc, (uint8_t)version[n]}};
	put_be(h.b + 24, n, 8);
	return h;
}

static void put_block(struct json_writer *w, uint64_t n)
{
	uint8_t bloom[BLOOM_BYTES] = {0};
	struct hash32 bits = keccak256(ours.b, sizeof(ours.b));
	for (size_t i = 0; logs[n] && i < 6; i += 2) {
		uint64_t bit = get_be(bits.b + i, 2) & 2047;
		bloom[BLOOM_BYTES - 1 - bit / 8] |= (uint8_t)(1 << bit % 8);
	}
	if (logs[n])
		bloom_add(bloom, slice_of(topic.b, sizeof(topic.b)));
	if (logs[n] && alternates)
		bloom_add(bloom,
			  slice_of(other_topic.b, sizeof(other_topic.b)));
	json_begin(w, "result");
	json_put_quantity(w, "number", n);
	json_put_quantity(w, "timestamp", 1000 + n);
	json_put_hash(w, "hash", hash_at(n));
	json_put_hash(w, "parentHash",
		      n && !lies_about_parent ? hash_at(n - 1)
					      : (struct hash32){{1}});
	json_put_hex(w, "logsBloom", bloom, sizeof(bloom));
	json_end(w);
}

static bool wants(const char *params, struct hash32 of)
{
	return !strstr(params, "topics") || strstr(params, hash_text(of).s);
}

static void put_log(struct json_writer *w, uint64_t n, size_t i)
{
	struct hash32 tx = {{0xdd, (uint8_t)n}};
	put_be(tx.b + 24, one_tx ? 0 : i, 8);
	json_begin(w, NULL);
	json_put_address(w, "address", ours);
	json_begin_array(w, "topics");
	json_put_hash(w, NULL, alternates && i % 2 ? other_topic : topic);
	json_end_array(w);
	json_put_string(w, "data", "0x0102");
	json_put_hash(w, "blockHash", hash_at(n));
	json_put_hash(w, "transactionHash", tx);
	json_put_quantity(w, "logIndex", 3 + i);
	json_end(w);
}

static void put_logs(struct json_writer *w, const char *params)
{
	uint64_t n = 0;
	log_queries++;
	for (uint64_t i = 1; i <= top; i++)
		if (strstr(params, hash_text(hash_at(i)).s))
			n = i;
	if (unanswerable && wants(params, topic) &&
	    wants(params, other_topic)) {
		json_begin(w, "error");
		json_put_string(w, "message", "more than 10000 results");
		json_end(w);
		return;
	}
	json_begin_array(w, "result");
	for (size_t i = 0; n && logs[n] && i < many; i++)
		if (wants(params, alternates && i % 2 ? other_topic : topic))
			put_log(w, n, i);
	json_end_array(w);
}

static void put_tx(struct json_writer *w, const char *params)
{
	struct hash32 hash;
	uint8_t *input = calloc(1, input_len);
	assert_non_null(input);
	tx_queries++;
	assert_int_equal(hash_parse(slice_of(params + 2, HASH_TEXT - 1), &hash),
			 OK);
	input[0] = 0xfe;
	if (input_len == 8)
		memcpy(input, hash.b + 24, 8);
	json_begin(w, "result");
	json_put_hash(w, "hash", hash);
	json_put_hash(w, "blockHash", hash_at(hash.b[1]));
	json_put_hex(w, "input", input, input_len);
	json_end(w);
	free(input);
}

static void put_answer(struct json_writer *w, const char *call, size_t id)
{
	const char *method = strstr(call, "\"method\":\"") + 10;
	const char *params = strstr(call, "\"params\":") + 9;
	json_begin(w, NULL);
	json_put_u64(w, "id", id);
	if (!strncmp(method, "eth_getBlockByNumber", 20)) {
		unsigned long long n = strtoull(params + 2, NULL, 16);
		if (n <= top)
			put_block(w, n);
		else
			json_put_null(w, "result");
	} else if (!strncmp(method, "eth_getLogs", 11)) {
		put_logs(w, params);
	} else if (!strncmp(method, "eth_getBlockByHash", 18)) {
		json_put_null(w, "result");
	} else if (!strncmp(method, "eth_getBlockReceipts", 20)) {
		json_begin(w, "error");
		json_put_string(w, "message", "Method not found");
		json_end(w);
	} else {
		assert_int_equal(strncmp(method, "eth_getTransaction", 18), 0);
		put_tx(w, params);
	}
	json_end(w);
}

/* Answers what is asked, if anything is. */
static bool answer(void)
{
	struct fake_transfer *t = fake_find(url);
	struct buf b;
	size_t id = 0;
	if (!t)
		return false;
	buf_init(&b, 1u << 26);
	struct json_writer w = json_writer(&b);
	json_begin_array(&w, NULL);
	char *text = strdup(buf_cstr(&t->body)), *call = text;
	while ((call = strstr(call, "{\"jsonrpc\""))) {
		char *end = strstr(call + 1, "{\"jsonrpc\"");
		if (end)
			*end = '\0';
		put_answer(&w, call, id++);
		if (end)
			*end = '{';
		call++;
	}
	json_end_array(&w);
	assert_true(fake_reply(url, 200, buf_cstr(&b)));
	buf_done(&b);
	free(text);
	return true;
}

static void act_on(uint64_t number)
{
	l1->view.healthy = true;
	l1->view.acted =
		(struct block_ref){.number = number, .hash = hash_at(number)};
}

static struct follow_step next(void)
{
	for (int i = 0; i < 40; i++) {
		struct follow_step step = follow_peek(follow);
		if (step.move != FOLLOW_NONE)
			return step;
		fake_now += 100;
		(void)follow_turn(follow, fake_now);
		(void)answer();
		(void)quorum_turn(l1->quorum, fake_now);
	}
	return follow_peek(follow);
}

static void start(uint64_t from, bool with_input)
{
	struct follow_config config = {.addresses = {ours},
				       .n_addresses = 1,
				       .with_input = {topic},
				       .n_with_input = with_input,
				       .tip = {.number = from}};
	follow = follow_new(l1, &config);
}

static int set_up(void **state)
{
	struct err_text error;
	(void)state;
	memset(version, 0, sizeof(version));
	memset(logs, 0, sizeof(logs));
	lies_about_parent = false;
	top = 20;
	log_queries = tx_queries = 0;
	many = 1;
	input_len = 2;
	one_tx = unanswerable = alternates = false;
	provider = (struct settings_provider){.name = name,
					      .url = (char *)url,
					      .weight = 1,
					      .rate = 10000,
					      .timeout_ms = 3000};
	settings = settings_defaults();
	settings.providers.quorum = 1;
	settings.providers.list = (struct config_list){&provider, 1};
	assert_int_equal(l1_new(&settings, http_client_new(), &l1, &error), OK);
	l1->providers[0].pinned = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	follow_free(follow);
	l1_free(l1);
	assert_null(fake_find(url));
	return 0;
}

static void test_every_block_once_in_order(void **state)
{
	(void)state;
	start(1, true);
	act_on(20);
	assert_int_equal(follow_behind(follow), 20);
	for (uint64_t n = 1; n <= 20; n++) {
		struct follow_step step = next();
		assert_int_equal(step.move, FOLLOW_FORWARD);
		assert_int_equal(step.block.number, n);
		assert_int_equal(step.block.time, 1000 + n);
		assert_int_equal(step.n_logs, 0);
		follow_ack(follow, &step.block);
	}
	assert_int_equal(next().move, FOLLOW_NONE);
	assert_int_equal(follow_behind(follow), 0);
	/* no bloom held us: nobody was asked for logs */
	assert_int_equal(log_queries, 0);
}

static void test_not_beyond_what_is_acted_on(void **state)
{
	(void)state;
	start(5, true);
	act_on(6);
	for (uint64_t n = 5; n <= 6; n++) {
		struct follow_step step = next();
		assert_int_equal(step.block.number, n);
		follow_ack(follow, &step.block);
	}
	assert_int_equal(next().move, FOLLOW_NONE);
	act_on(7);
	assert_int_equal(next().block.number, 7);
}

static void test_logs_come_with_the_wanted_inputs(void **state)
{
	(void)state;
	logs[3] = true;
	start(2, true);
	act_on(20);
	struct follow_step step = next();
	follow_ack(follow, &step.block);
	step = next();
	assert_int_equal(step.block.number, 3);
	assert_int_equal(step.n_logs, 1);
	const struct l1_log *log = &step.logs[0];
	assert_true(address_eq(log->address, ours));
	assert_true(hash_eq(log->topics[0], topic));
	assert_int_equal(log->data.len, 2);
	assert_int_equal(log->input.len, 2);
	assert_int_equal(log->input.p[0], 0xfe);
	assert_int_equal(log_queries, 1);
}

/* The step of block 3, which holds logs. */
static struct follow_step third(const struct follow_config *config)
{
	logs[3] = true;
	follow = follow_new(l1, config);
	act_on(20);
	struct follow_step step = next();
	follow_ack(follow, &step.block);
	step = next();
	assert_string_equal(follow_trouble(follow), "");
	assert_int_equal(step.move, FOLLOW_FORWARD);
	assert_int_equal(step.block.number, 3);
	return step;
}

static struct follow_config wanting(bool with_input)
{
	return (struct follow_config){.addresses = {ours},
				      .n_addresses = 1,
				      .topics = {topic, other_topic},
				      .n_topics = 2,
				      .with_input = {topic},
				      .n_with_input = with_input,
				      .tip = {.number = 2}};
}

static void test_more_commits_than_one_ask_takes(void **state)
{
	struct follow_config config = wanting(true);
	(void)state;
	many = 2 * QUORUM_CALLS_MAX + 1;
	input_len = 8;
	struct follow_step step = third(&config);
	assert_int_equal(step.n_logs, many);
	for (size_t i = 0; i < many; i++) {
		assert_int_equal(step.logs[i].input.len, 8);
		assert_int_equal(get_be(step.logs[i].input.p, 8), i);
	}
	assert_int_equal(tx_queries, many);
}

static void test_one_transactions_input_is_fetched_once(void **state)
{
	struct follow_config config = wanting(true);
	(void)state;
	many = 300;
	one_tx = alternates = true;
	struct follow_step step = third(&config);
	assert_int_equal(tx_queries, 1);
	for (size_t i = 0; i < many; i++)
		assert_int_equal(step.logs[i].input.len, i % 2 ? 0 : 2);
}

static void test_the_longest_inputs_are_read(void **state)
{
	struct follow_config config = wanting(true);
	(void)state;
	many = 9;
	input_len = 2u << 20;
	struct follow_step step = third(&config);
	for (size_t i = 0; i < many; i++)
		assert_int_equal(step.logs[i].input.len, 2u << 20);
}

static void test_a_crowd_of_logs_stops_nobody(void **state)
{
	struct follow_config config = wanting(false);
	(void)state;
	many = 20000;
	assert_int_equal(third(&config).n_logs, many);
}

static void test_only_wanted_events_are_asked_for(void **state)
{
	struct follow_config config = wanting(false);
	(void)state;
	many = 6;
	alternates = true;
	config.topics[1] = (struct hash32){{0x77}};
	assert_int_equal(third(&config).n_logs, 3);
	follow_free(follow);
	/* the bloom tells that none of these is there */
	log_queries = 0;
	config.topics[0] = (struct hash32){{0x78}};
	assert_int_equal(third(&config).n_logs, 0);
	assert_int_equal(log_queries, 0);
}

static void test_topic_by_topic_when_all_is_too_much(void **state)
{
	struct follow_config config = wanting(true);
	(void)state;
	many = 7;
	alternates = unanswerable = true;
	struct follow_step step = third(&config);
	assert_int_equal(step.n_logs, 7);
	assert_int_equal(log_queries, 3);
	for (size_t i = 0; i < many; i++) {
		assert_int_equal(step.logs[i].index, 3 + i);
		assert_int_equal(step.logs[i].input.len, i % 2 ? 0 : 2);
	}
}

static void test_inputs_nobody_wants_are_not_fetched(void **state)
{
	(void)state;
	logs[2] = true;
	start(2, false);
	act_on(20);
	struct follow_step step = next();
	assert_int_equal(step.n_logs, 1);
	assert_int_equal(step.logs[0].input.len, 0);
}

static void test_a_reorganisation_goes_back_to_the_fork(void **state)
{
	struct block_ref acked[BLOCKS];
	size_t n = 0;
	(void)state;
	start(1, true);
	act_on(10);
	while (n < 10) {
		struct follow_step step = next();
		acked[n++] = step.block;
		follow_ack(follow, &step.block);
	}
	for (size_t i = 8; i < BLOCKS; i++)
		version[i] = 1; /* 8, 9 and 10 are no more */
	act_on(12);
	for (uint64_t number = 10; number >= 8; number--) {
		struct follow_step step = next();
		assert_int_equal(step.move, FOLLOW_BACK);
		assert_int_equal(step.block.number, number);
		n--;
		follow_ack(follow, &acked[n - 1]);
	}
	struct follow_step step = next();
	assert_int_equal(step.move, FOLLOW_FORWARD);
	assert_int_equal(step.block.number, 8);
	assert_true(hash_eq(step.block.hash, hash_at(8)));
}

static void test_the_tip_itself_replaced_at_the_same_height(void **state)
{
	(void)state;
	start(10, true);
	act_on(10);
	struct follow_step step = next();
	follow_ack(follow, &step.block);
	version[10] = 1;
	act_on(10);
	step = next();
	assert_int_equal(step.move, FOLLOW_BACK);
	/* nothing is left: start again at the same number */
	follow_ack(follow, &(struct block_ref){.number = 10});
	step = next();
	assert_int_equal(step.move, FOLLOW_FORWARD);
	assert_true(hash_eq(step.block.hash, hash_at(10)));
}

static void test_unhealthy_means_no_move(void **state)
{
	(void)state;
	start(1, true);
	act_on(20);
	l1->view.healthy = false;
	(void)snprintf(l1->view.why, sizeof(l1->view.why), "no quorum");
	assert_int_equal(next().move, FOLLOW_NONE);
	assert_string_equal(follow_trouble(follow), "no quorum");
}

static void test_broken_links_inside_a_batch_are_not_delivered(void **state)
{
	(void)state;
	start(1, true);
	lies_about_parent = true;
	act_on(20);
	assert_int_equal(next().move, FOLLOW_NONE);
	assert_string_equal(follow_trouble(follow), "blocks: they do not link");
	lies_about_parent = false;
	assert_int_equal(next().block.number, 1);
	assert_string_equal(follow_trouble(follow), "");
}

/* Against real nodes' blooms: the integration test, which skips by them. */
static void test_bloom_bits(void **state)
{
	uint8_t bloom[BLOOM_BYTES] = {0};
	(void)state;
	assert_false(bloom_may_hold(bloom, ours));
	memset(bloom, 0xff, sizeof(bloom));
	assert_true(bloom_may_hold(bloom, ours));
	/* each of its three bits is needed */
	struct hash32 hash = keccak256(ours.b, sizeof(ours.b));
	for (size_t i = 0; i < 6; i += 2) {
		uint64_t bit = get_be(hash.b + i, 2) & 2047;
		uint8_t *byte = &bloom[BLOOM_BYTES - 1 - bit / 8];
		*byte &= (uint8_t) ~(1 << bit % 8);
		assert_false(bloom_may_hold(bloom, ours));
		*byte |= (uint8_t)(1 << bit % 8);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_block_once_in_order),
		TEST(test_not_beyond_what_is_acted_on),
		TEST(test_logs_come_with_the_wanted_inputs),
		TEST(test_more_commits_than_one_ask_takes),
		TEST(test_one_transactions_input_is_fetched_once),
		TEST(test_the_longest_inputs_are_read),
		TEST(test_a_crowd_of_logs_stops_nobody),
		TEST(test_only_wanted_events_are_asked_for),
		TEST(test_topic_by_topic_when_all_is_too_much),
		TEST(test_inputs_nobody_wants_are_not_fetched),
		TEST(test_a_reorganisation_goes_back_to_the_fork),
		TEST(test_the_tip_itself_replaced_at_the_same_height),
		TEST(test_unhealthy_means_no_move),
		TEST(test_broken_links_inside_a_batch_are_not_delivered),
		cmocka_unit_test(test_bloom_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
