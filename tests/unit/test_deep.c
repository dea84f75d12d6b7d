/* Far behind: logs by ranges, from three nodes that differ, refuse, cut, lie,
 * hang and forget.  Whatever they do, what is delivered is what a node that saw
 * only the final chain would have delivered. */
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
	bool lies_headers; /* by hash */
	unsigned lists, served;
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

static void put_list(struct json_writer *w, const struct node *node,
		     uint64_t from, uint64_t to)
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
	} else if ((node->blocks && to - from + 1 > node->blocks) ||
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

static void put_tx_of(struct json_writer *w, const char *params)
{
	struct hash32 hash;
	assert_int_equal(hash_parse(slice_of(params + 2, HASH_TEXT - 1), &hash),
			 OK);
	for (uint64_t n = 1; n <= chain.top; n++)
		for (size_t i = 0; i < chain.logs[n] && i < REAL_TXS; i++) {
			if (!hash_eq(tx_hash(n, i), hash))
				continue;
			put_tx(w, "result", n, i);
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
		put_tx_of(w, params);
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

/* ---- tests --------------------------------------------------------------- */

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
		chain.logs[n] = 100; /* 20,000: 11 MB */
	build(0);
	act_on(chain.top);
	config.n_with_input = 0;
	start();
	(void)run(4000);
	expect_all();
	assert_true(state.jumps >= 200);
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
	limit_all(10);
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
	for (unsigned at = 1; at < 60; at += 3) {
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

static void test_what_is_held_is_bounded(void **unused)
{
	(void)unused;
	for (uint64_t n = 3; n < 2800; n++)
		chain.logs[n] = 12;
	build(0);
	act_on(chain.top);
	config.n_with_input = 0;
	limit_all(300);
	start();
	(void)run(8000);
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
		TEST(test_who_lists_what_was_not_asked_for_is_not_asked),
		TEST(test_a_quorum_that_knows_less_is_not_believed),
		TEST(test_what_all_leave_out_is_read_by_block_when_told),
		TEST(test_it_goes_on_from_wherever_it_was_killed),
		TEST(test_a_kill_loses_no_more_than_a_mark),
		TEST(test_a_reorganisation_below_jumps),
		TEST(test_a_reorganisation_under_way_mixes_no_chains),
		TEST(test_a_header_that_is_not_of_its_hash_is_not_taken),
		TEST(test_what_is_held_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
