/* A chain of the test's own making, three nodes that list its logs in whatever
 * way a test wants, and whoever follows it.  Included by one .c file a program.
 */
#ifndef EGRESS_TESTS_FAKE_CHAIN_H
#define EGRESS_TESTS_FAKE_CHAIN_H

#include "unit.h"

#include "abi/bloom.h"
#include "abi/header.h"
#include "abi/hex.h"
#include "abi/keccak.h"
#include "abi/raw_tx.h"
#include "fake_http.h"
#include "l1/follow.h"
#include "l1/l1_impl.h"

#define BLOCKS 3200
#define NODES  3
#define TICK   20
/* Of one block, whose calldata can be asked for. */
#define REAL_TXS 3

static const char *const urls[NODES] = {"http://a", "http://b", "http://c"};
static const struct address ours = {{0xaa}}, theirs = {{0xab}};
static const struct hash32 topic = {{0xbb}};

/* ---- the chain ----------------------------------------------------------- */

static struct {
	uint64_t top;
	unsigned branch[BLOCKS]; /* which of its versions a block is of */
	struct hash32 hash[BLOCKS], before[BLOCKS]; /* … of an older branch */
	size_t logs[BLOCKS];			    /* of ours */
} chain;

static struct header header_at(uint64_t n)
{
	struct header h = {.number = n, .time = 1000 + n, .gas_limit = 1};
	if (n)
		h.parent = chain.hash[n - 1];
	h.nonce[0] = (uint8_t)chain.branch[n];
	if (chain.logs[n]) {
		bloom_add(h.bloom, slice_of(ours.b, sizeof(ours.b)));
		bloom_add(h.bloom, slice_of(topic.b, sizeof(topic.b)));
	}
	return h;
}

static void build(uint64_t from)
{
	for (uint64_t n = from; n < BLOCKS; n++) {
		struct header h = header_at(n);
		chain.before[n] = chain.hash[n];
		chain.hash[n] = header_hash(&h);
	}
}

/* Blocks from there on are others now; logs: how many each block of ours has.
 */
static void reorganise(uint64_t from, unsigned branch)
{
	for (uint64_t n = from; n < BLOCKS; n++)
		chain.branch[n] = branch;
	build(from);
}

/* Each log of a block has its own transaction. */
static void put_tx(struct json_writer *w, const char *key, uint64_t n, size_t i)
{
	uint8_t input[12] = {0xfe};
	put_be(input + 1, n, 8);
	input[9] = (uint8_t)i;
	input[10] = (uint8_t)(i >> 8);
	input[11] = (uint8_t)chain.branch[n];
	json_begin(w, key);
	json_put_quantity(w, "type", 0);
	json_put_quantity(w, "nonce", n);
	json_put_quantity(w, "gasPrice", 7);
	json_put_quantity(w, "gas", 8);
	json_put_address(w, "to", ours);
	json_put_quantity(w, "value", 0);
	json_put_hex(w, "input", input, sizeof(input));
	json_put_quantity(w, "v", 27);
	json_put_quantity(w, "r", 1);
	json_put_quantity(w, "s", 1);
}

static struct hash32 tx_hash(uint64_t n, size_t i)
{
	struct buf text, bytes;
	struct json_doc *doc;
	struct json_reader r = {0};
	struct err_text why;
	if (i >= REAL_TXS) {
		struct hash32 made = {{0xdd}};
		put_be(made.b + 8, n, 8);
		put_be(made.b + 16, i, 8);
		return made;
	}
	buf_init(&text, 1024);
	buf_init(&bytes, 1024);
	struct json_writer w = json_writer(&text);
	put_tx(&w, NULL, n, i);
	json_end(&w);
	assert_int_equal(json_parse(buf_slice(&text), 1024, 4, &doc, &why), OK);
	assert_int_equal(raw_tx_encode(&r, json_root(doc), &bytes), OK);
	struct hash32 hash = keccak256(bytes.p, bytes.len);
	json_free(doc);
	buf_done(&text);
	buf_done(&bytes);
	return hash;
}

/* ---- the nodes ----------------------------------------------------------- */

static struct node {
	/* more blocks or logs in one list are refused: with what words, code
	 * and status */
	uint64_t blocks;
	size_t logs;
	const char *says;
	int code;
	long status;
	size_t cut; /* lists end after so many without a word */
	/* ranges: without the logs of every other block, with one more, with
	 * other data; or nothing at all */
	bool omits, invents, alters, ignorant;
	bool lists_theirs; /* whatever was asked for */
	bool hangs;	   /* on lists of logs */
	bool lacks;	   /* such lists */
	bool refuses;	   /* them all, as too much */
	bool lies_headers; /* by hash */
	bool lies_inputs;
	unsigned lists, served;
	size_t listed; /* logs */
} nodes[NODES];

static unsigned by_number, by_hash_logs;

static void put_header(struct json_writer *w, uint64_t n, bool lie)
{
	struct header h = header_at(n);
	json_begin(w, "result");
	json_put_hash(w, "parentHash", h.parent);
	json_put_hash(w, "sha3Uncles", h.uncles_hash);
	json_put_address(w, "miner", h.miner);
	json_put_hash(w, "stateRoot", h.state_root);
	json_put_hash(w, "transactionsRoot", h.transactions_root);
	json_put_hash(w, "receiptsRoot", h.receipts_root);
	json_put_hex(w, "logsBloom", h.bloom, sizeof(h.bloom));
	json_put_quantity(w, "difficulty", 0);
	json_put_quantity(w, "number", n);
	json_put_quantity(w, "gasLimit", h.gas_limit);
	json_put_quantity(w, "gasUsed", 0);
	json_put_quantity(w, "timestamp", h.time + lie);
	json_put_string(w, "extraData", "0x");
	json_put_hash(w, "mixHash", h.mix_hash);
	json_put_hex(w, "nonce", h.nonce, sizeof(h.nonce));
	json_put_hash(w, "hash", chain.hash[n]);
	json_end(w);
}

static void put_log(struct json_writer *w, uint64_t n, size_t i, bool other,
		    struct address emitter)
{
	uint8_t data[9] = {(uint8_t)other};
	put_be(data + 1, n, 8);
	json_begin(w, NULL);
	json_put_address(w, "address", emitter);
	json_begin_array(w, "topics");
	json_put_hash(w, NULL, topic);
	json_end_array(w);
	json_put_hex(w, "data", data, sizeof(data));
	json_put_quantity(w, "blockNumber", n);
	json_put_hash(w, "blockHash", chain.hash[n]);
	json_put_hash(w, "transactionHash", tx_hash(n, i));
	json_put_quantity(w, "transactionIndex", i);
	json_put_quantity(w, "logIndex", i);
	json_put_bool(w, "removed", false);
	json_end(w);
}

static void put_error(struct json_writer *w, int code, const char *text)
{
	struct buf raw;
	buf_init(&raw, 16);
	buf_printf(&raw, "%d", code);
	json_begin(w, "error");
	json_put_raw(w, "code", buf_slice(&raw));
	json_put_string(w, "message", text);
	json_end(w);
	buf_done(&raw);
}

static uint64_t quantity_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	assert_non_null(at);
	return strtoull(at + strlen(key), NULL, 16);
}

static size_t count_logs(uint64_t from, uint64_t to)
{
	size_t n = 0;
	for (uint64_t b = from; b <= to && b < BLOCKS; b++)
		n += chain.logs[b];
	return n;
}

static void put_list(struct json_writer *w, struct node *node, uint64_t from,
		     uint64_t to)
{
	size_t n = 0, seen = 0;
	json_begin_array(w, "result");
	for (uint64_t b = from; b <= to && !node->ignorant; b++) {
		bool left_out = chain.logs[b] && node->omits && seen++ % 2;
		for (size_t i = 0; i < chain.logs[b] && !left_out; i++)
			if (!node->cut || n++ < node->cut)
				put_log(w, b, i, node->alters,
					node->lists_theirs ? theirs : ours);
		if (node->invents && b == to)
			put_log(w, b, 7777, false, ours);
	}
	json_end_array(w);
	node->listed += count_logs(from, to);
}

/* Returns the HTTP status. */
static long put_range(struct json_writer *w, struct node *node,
		      const char *body)
{
	uint64_t from = quantity_after(body, "\"fromBlock\":\"0x");
	uint64_t to = quantity_after(body, "\"toBlock\":\"0x");
	node->lists++;
	if (node->lacks) {
		put_error(w, -32601, "Method not found");
	} else if (node->refuses ||
		   (node->blocks && to - from + 1 > node->blocks) ||
		   (node->logs && count_logs(from, to) > node->logs)) {
		put_error(w, node->code, node->says);
		return node->status ? node->status : 200;
	} else {
		node->served++;
		put_list(w, node, from, to);
	}
	return 200;
}

static uint64_t block_of(const char *hex, const struct hash32 *list)
{
	struct hash32 hash;
	assert_int_equal(hash_parse(slice_of(hex, HASH_TEXT - 1), &hash), OK);
	for (uint64_t n = 0; n <= chain.top; n++)
		if (hash_eq(list[n], hash))
			return n;
	return BLOCKS;
}

static void put_tx_of(struct json_writer *w, const struct node *node,
		      const char *params)
{
	struct hash32 hash;
	assert_int_equal(hash_parse(slice_of(params + 2, HASH_TEXT - 1), &hash),
			 OK);
	for (uint64_t n = 1; n <= chain.top; n++)
		for (size_t i = 0; i < chain.logs[n] && i < REAL_TXS; i++) {
			if (!hash_eq(tx_hash(n, i), hash))
				continue;
			put_tx(w, "result", n + node->lies_inputs, i);
			json_put_hash(w, "hash", hash);
			json_put_hash(w, "blockHash", chain.hash[n]);
			json_end(w);
			return;
		}
	json_put_null(w, "result");
}

/* Receipts nobody has here: the logs of one block are a quorum's. */
static void put_one(struct json_writer *w, const struct node *node,
		    const char *call, size_t id)
{
	const char *method = strstr(call, "\"method\":\"") + 10;
	const char *params = strstr(call, "\"params\":") + 9;
	json_begin(w, NULL);
	json_put_u64(w, "id", id);
	if (!strncmp(method, "eth_getBlockByNumber", 20)) {
		unsigned long long n = strtoull(params + 2, NULL, 16);
		by_number++;
		if (n <= chain.top)
			put_header(w, n, false);
		else
			json_put_null(w, "result");
	} else if (!strncmp(method, "eth_getBlockByHash", 18)) {
		uint64_t n = block_of(params + 2, chain.hash);
		if (n < BLOCKS && strstr(params, "false"))
			put_header(w, n, node->lies_headers);
		else
			json_put_null(w, "result");
	} else if (!strncmp(method, "eth_getLogs", 11)) {
		uint64_t n = block_of(strstr(params, "blockHash\":\"") + 12,
				      chain.hash);
		by_hash_logs++;
		json_begin_array(w, "result");
		for (size_t i = 0; n < BLOCKS && i < chain.logs[n]; i++)
			put_log(w, n, i, false, ours);
		json_end_array(w);
	} else if (!strncmp(method, "eth_getTransaction", 18)) {
		put_tx_of(w, node, params);
	} else {
		put_error(w, -32601, "Method not found");
	}
	json_end(w);
}

static void put_batch(struct json_writer *w, const struct node *node,
		      char *text)
{
	size_t id = 0;
	char *call = text;
	json_begin_array(w, NULL);
	while ((call = strstr(call, "{\"jsonrpc\""))) {
		char *end = strstr(call + 1, "{\"jsonrpc\"");
		if (end)
			*end = '\0';
		put_one(w, node, call, id++);
		if (end)
			*end = '{';
		call++;
	}
	json_end_array(w);
}

static void answer(struct fake_transfer *t, struct node *node)
{
	struct fake_transfer copy = *t;
	char *text = strdup(buf_cstr(&copy.body));
	struct http_reply reply = {
		.sent = true, .status = 200, .elapsed_ms = 20};
	struct buf b;
	*t = (struct fake_transfer){0};
	buf_init(&b, 1u << 26);
	struct json_writer w = json_writer(&b);
	if (*text == '[') {
		put_batch(&w, node, text);
	} else {
		json_begin(&w, NULL);
		json_put_string(&w, "jsonrpc", "2.0");
		json_put_u64(&w, "id", 1);
		reply.status = put_range(&w, node, text);
		json_end(&w);
	}
	reply.body = buf_slice(&b);
	if (*text != '[' && reply.status == 413 && !node->code)
		reply.body = slice_str("<html>too large</html>");
	if (b.len > copy.max_body)
		reply = (struct http_reply){.err = ERR_TOO_LARGE, .sent = true};
	copy.done(copy.ctx, &reply);
	buf_done(&b);
	buf_done(&copy.body);
	free(text);
}

/* Everything that waits is answered, but by who hangs. */
static void answer_all(void)
{
	struct fake_transfer *open[FAKE_TRANSFERS];
	size_t n = 0;
	for (size_t i = 0; i < FAKE_TRANSFERS; i++)
		if (fake_transfers[i].open)
			open[n++] = &fake_transfers[i];
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < NODES && open[i]->open; k++)
			if (!strcmp(open[i]->url, urls[k]) &&
			    !(nodes[k].hangs &&
			      *buf_cstr(&open[i]->body) == '{'))
				answer(open[i], &nodes[k]);
}

/* ---- the follower -------------------------------------------------------- */

static struct settings_provider providers[NODES];
static struct settings settings;
static struct l1 *l1;
static struct follow *follow;
static struct follow_config config;

/* What is committed: kept blocks, and the logs of each. */
static struct {
	size_t n;
	struct block_ref kept[BLOCKS];
	size_t logs[BLOCKS], first[BLOCKS]; /* of a block: how many, which */
	struct block_ref tip;
	unsigned steps, jumps, backs;
} state;

static void take_logs(const struct follow_step *step)
{
	uint64_t n = step->block.number;
	assert_int_equal(state.logs[n], 0);
	for (size_t i = 0; i < step->n_logs; i++) {
		const struct l1_log *log = &step->logs[i];
		assert_true(address_eq(log->address, ours));
		assert_int_equal(log->index, i);
		assert_int_equal(log->data.len, 9);
		assert_int_equal(log->data.p[0], 0);
		assert_int_equal(get_be(log->data.p + 1, 8), n);
		if (!config.n_with_input)
			continue;
		assert_int_equal(log->input.len, 12);
		assert_int_equal(get_be(log->input.p + 1, 8), n);
	}
	state.logs[n] = step->n_logs;
}

static void forward(const struct follow_step *step)
{
	if (state.n) {
		assert_true(step->block.number > state.tip.number);
		if (!step->jumps)
			assert_true(
				hash_eq(step->block.parent, state.tip.hash));
	}
	take_logs(step);
	state.steps++;
	state.jumps += step->jumps;
	state.tip = state.kept[state.n++] = step->block;
	follow_ack(follow, &state.tip);
}

static void back(const struct follow_step *step)
{
	assert_int_equal(step->block.number, state.tip.number);
	state.logs[state.tip.number] = 0;
	state.n--;
	state.tip = state.n ? state.kept[state.n - 1]
			    : (struct block_ref){.number = 1};
	state.backs++;
	follow_ack(follow, &state.tip);
}

static bool tick(void)
{
	struct follow_step step;
	fake_now += TICK;
	(void)quorum_turn(l1->quorum, fake_now);
	(void)follow_turn(follow, fake_now);
	answer_all();
	(void)quorum_turn(l1->quorum, fake_now);
	step = follow_peek(follow);
	if (step.move == FOLLOW_BACK)
		back(&step);
	else if (step.move == FOLLOW_FORWARD)
		forward(&step);
	return step.move != FOLLOW_NONE;
}

static void act_on(uint64_t number)
{
	l1->view.healthy = true;
	l1->view.acted = (struct block_ref){.number = number,
					    .hash = chain.hash[number]};
}

static void start(void)
{
	config.tip = state.n ? state.tip : (struct block_ref){.number = 1};
	follow = follow_new(l1, &config);
}

/* To the top; ticks that it took. */
static unsigned run(unsigned most)
{
	unsigned n = 0;
	while (state.tip.number < chain.top || !state.n)
		if (n++ > most) {
			print_message("at %llu: %s\n",
				      (unsigned long long)state.tip.number,
				      follow_trouble(follow));
			fail();
		} else {
			(void)tick();
		}
	return n;
}

/* The state of a node that saw only this chain. */
static void expect_all(void)
{
	assert_true(hash_eq(state.tip.hash, chain.hash[chain.top]));
	assert_int_equal(follow_behind(follow), 0);
	for (uint64_t n = 1; n <= chain.top; n++)
		if (state.logs[n] != chain.logs[n]) {
			print_message("block %llu\n", (unsigned long long)n);
			assert_int_equal(state.logs[n], chain.logs[n]);
		}
	for (size_t i = 0; i < state.n; i++)
		assert_true(hash_eq(state.kept[i].hash,
				    chain.hash[state.kept[i].number]));
}

static void use_nodes(size_t n, uint64_t quorum)
{
	struct err_text error;
	settings.providers.quorum = quorum;
	settings.providers.list = (struct config_list){providers, n};
	l1_free(l1);
	assert_int_equal(l1_new(&settings, http_client_new(), &l1, &error), OK);
	for (size_t i = 0; i < n; i++)
		l1->providers[i].pinned = true;
	act_on(chain.top);
}

static int set_up(void **unused)
{
	static char names[NODES][2] = {"a", "b", "c"};
	(void)unused;
	memset(&chain, 0, sizeof(chain));
	memset(nodes, 0, sizeof(nodes));
	memset(&state, 0, sizeof(state));
	chain.top = 3000;
	for (uint64_t n = 5; n < BLOCKS; n += 97)
		chain.logs[n] = 1 + n % 3;
	build(0);
	by_number = by_hash_logs = 0;
	settings = settings_defaults();
	for (size_t i = 0; i < NODES; i++)
		providers[i] =
			(struct settings_provider){.name = names[i],
						   .url = (char *)urls[i],
						   .weight = 1,
						   .rate = 10000,
						   .timeout_ms = 3000};
	config = (struct follow_config){.addresses = {ours},
					.n_addresses = 1,
					.topics = {topic},
					.n_topics = 1,
					.with_input = {topic},
					.n_with_input = 1};
	use_nodes(NODES, 2);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	follow_free(follow);
	follow = NULL;
	l1_free(l1);
	l1 = NULL;
	for (size_t i = 0; i < NODES; i++)
		assert_null(fake_find(urls[i]));
	return 0;
}

static bool lies(size_t i)
{
	return provider_lying(&l1->providers[i], fake_now);
}

#endif
