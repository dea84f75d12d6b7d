/* A queue of blocks fetched ahead of the committed tip, each linked to the
 * one before by its parent hash.  A link that does not fit the tip itself is
 * a reorganisation: the consumer undoes its tip and says where it is then. */
#include "l1/follow.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "l1/bloom.h"
#include "l1/l1_impl.h"
#include "l1/rpc.h"
#include "sys/clock.h"

#define RETRY_MS     500
#define PARAMS_MAX   1024
#define DATA_MAX     (1u << 20) /* of one log */
#define INPUT_MAX    (1u << 18) /* nodes gossip at most 128 KiB */
#define ASKS_AT_ONCE 8

enum item_state { ITEM_HEADER, ITEM_LOGS, ITEM_INPUTS, ITEM_READY };

struct item {
	struct follow *follow;
	enum item_state state;
	bool asked;
	struct block_ref block;
	uint8_t bloom[BLOOM_BYTES];
	size_t n_logs;
	struct l1_log *logs;
	struct buf *data, *inputs; /* n_logs each */
};

struct follow {
	struct l1 *l1;
	struct follow_config config;
	struct block_ref tip; /* hash zero: none, next is its number */
	bool back;	      /* the tip is to be undone */
	size_t first, n;      /* in the ring */
	struct item items[FOLLOW_AHEAD];
	bool headers_asked;
	size_t asks;
	uint64_t retry_ms;
	char trouble[200];
};

struct follow *follow_new(struct l1 *l1, const struct follow_config *config)
{
	struct follow *f = calloc(1, sizeof(*f));
	if (!f)
		abort();
	assert(config->n_addresses <= ARRAY_LEN(config->addresses));
	f->l1 = l1;
	f->config = *config;
	f->tip = config->tip;
	for (size_t i = 0; i < FOLLOW_AHEAD; i++)
		f->items[i].follow = f;
	return f;
}

static struct item *item_at(const struct follow *f, size_t i)
{
	return (struct item *)&f->items[(f->first + i) % FOLLOW_AHEAD];
}

static void item_clear(struct item *item)
{
	struct follow *f = item->follow;
	if (item->asked) {
		quorum_cancel(f->l1->quorum, item);
		f->asks--;
	}
	for (size_t i = 0; i < item->n_logs; i++) {
		buf_done(&item->data[i]);
		buf_done(&item->inputs[i]);
	}
	free(item->logs);
	free(item->data);
	free(item->inputs);
	*item = (struct item){.follow = f};
}

static void clear_queue(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		item_clear(item_at(f, i));
	f->n = 0;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	quorum_cancel(f->l1->quorum, f);
	clear_queue(f);
	free(f);
}

static bool has_tip(const struct follow *f)
{
	return !hash_is_zero(f->tip.hash);
}

/* The first number that is neither committed nor queued. */
static uint64_t next_number(const struct follow *f)
{
	return f->tip.number + has_tip(f) + f->n;
}

static void set_trouble(struct follow *f, const char *what, const char *why)
{
	(void)snprintf(f->trouble, sizeof(f->trouble), "%s: %.150s", what, why);
	f->retry_ms = clock_mono_ms() + RETRY_MS;
}

/* ---- headers
 * ----------------------------------------------------------------- */

/* Queues a block.  false: it does not link, the rest is of no use. */
static bool push_header(struct follow *f, const json_node *node)
{
	struct rpc_block block;
	struct json_reader r = {0};
	struct item *item = item_at(f, f->n);
	if (!rpc_block_read(node, &block) ||
	    block.ref.number != next_number(f)) {
		set_trouble(f, "blocks", "an answer that is no such block");
		return false;
	}
	json_hex(&r, node, "logsBloom", item->bloom, BLOOM_BYTES);
	if (r.failed) {
		set_trouble(f, "blocks", "a block without logsBloom");
		return false;
	}
	struct hash32 last =
		f->n ? item_at(f, f->n - 1)->block.hash : f->tip.hash;
	if (!hash_is_zero(last) && !hash_eq(last, block.ref.parent)) {
		f->back = !f->n;
		if (!f->back)
			set_trouble(f, "blocks", "they do not link");
		clear_queue(f);
		return false;
	}
	item->block = block.ref;
	item->state = ITEM_HEADER;
	f->n++;
	return true;
}

static void on_headers(void *ctx, const struct quorum_result *results, size_t n)
{
	struct follow *f = ctx;
	f->headers_asked = false;
	f->trouble[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (results[i].err) {
			set_trouble(f, "blocks", results[i].text);
			return;
		}
		if (!push_header(f, results[i].result))
			return;
	}
}

static void ask_headers(struct follow *f)
{
	struct rpc_call calls[FOLLOW_AHEAD];
	struct buf params[FOLLOW_AHEAD];
	uint64_t from = next_number(f), to = f->l1->view.acted.number;
	size_t n = 0;
	for (; f->n + n < FOLLOW_AHEAD && from + n <= to; n++) {
		buf_init(&params[n], 64);
		rpc_params_block(&params[n], from + n);
		calls[n] = (struct rpc_call){.method = "eth_getBlockByNumber",
					     .params = buf_slice(&params[n]),
					     .fields = rpc_block_fields};
	}
	if (n)
		f->headers_asked =
			!quorum_ask(f->l1->quorum, calls, n, QUORUM_AGREE,
				    L1_ASK_MS, on_headers, f);
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
}

/* ---- inputs
 * ------------------------------------------------------------------- */

static bool wants_input(const struct follow *f, const struct l1_log *log)
{
	for (size_t i = 0; log->n_topics && i < f->config.n_with_input; i++)
		if (hash_eq(log->topics[0], f->config.with_input[i]))
			return true;
	return false;
}

/* What an item's ask brought, before its content. */
static bool take(struct item *item, const struct quorum_result *results,
		 size_t n, const char *what)
{
	struct follow *f = item->follow;
	item->asked = false;
	f->asks--;
	for (size_t i = 0; i < n; i++) {
		if (!results[i].err)
			continue;
		set_trouble(f, what, results[i].text);
		return false;
	}
	f->trouble[0] = '\0';
	return true;
}

static void on_inputs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct item *item = ctx;
	size_t at = 0;
	if (!take(item, results, n, "transactions"))
		return;
	for (size_t i = 0; i < item->n_logs; i++) {
		struct l1_log *log = &item->logs[i];
		struct buf *input = &item->inputs[i];
		if (!wants_input(item->follow, log))
			continue;
		struct json_reader r = {0};
		assert(at < n);
		const json_node *tx =
			json_object(&r, results[at++].result, NULL);
		struct hash32 hash = json_hash(&r, tx, "hash");
		struct hash32 block = json_hash(&r, tx, "blockHash");
		buf_done(input);
		buf_init(input, INPUT_MAX);
		json_bytes(&r, tx, "input", input);
		if (r.failed || input->failed || !hash_eq(hash, log->tx) ||
		    !hash_eq(block, item->block.hash)) {
			set_trouble(item->follow, "transactions",
				    "an answer that is no such transaction");
			return;
		}
		log->input = buf_slice(input);
	}
	item->state = ITEM_READY;
}

static enum err ask_inputs(struct item *item)
{
	static const char *const fields[] = {"hash", "blockHash", "input",
					     NULL};
	struct rpc_call calls[QUORUM_CALLS_MAX];
	struct buf params[QUORUM_CALLS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < item->n_logs; i++) {
		if (!wants_input(item->follow, &item->logs[i]))
			continue;
		if (n == QUORUM_CALLS_MAX)
			break;
		buf_init(&params[n], 128);
		struct json_writer w = json_writer(&params[n]);
		json_begin_array(&w, NULL);
		json_put_hash(&w, NULL, item->logs[i].tx);
		json_end_array(&w);
		calls[n] =
			(struct rpc_call){.method = "eth_getTransactionByHash",
					  .params = buf_slice(&params[n]),
					  .fields = fields,
					  .pinned = true};
		n++;
	}
	enum err err = OK;
	if (!n)
		item->state = ITEM_READY;
	else
		err = quorum_ask(item->follow->l1->quorum, calls, n,
				 QUORUM_AGREE, L1_ASK_MS, on_inputs, item);
	item->asked = n && !err;
	item->follow->asks += item->asked;
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
	return err;
}

/* ---- logs
 * ----------------------------------------------------------------------- */

static bool is_ours(const struct follow *f, struct address a)
{
	for (size_t i = 0; i < f->config.n_addresses; i++)
		if (address_eq(a, f->config.addresses[i]))
			return true;
	return false;
}

static bool read_log(struct item *item, const json_node *node, size_t at,
		     uint64_t *last_index)
{
	struct json_reader r = {0};
	struct l1_log *log = &item->logs[at];
	const json_node *o = json_object(&r, node, NULL);
	const json_node *topics = json_array(&r, o, "topics");
	log->address = json_address(&r, o, "address");
	log->tx = json_hash(&r, o, "transactionHash");
	log->n_topics = json_len(topics);
	for (size_t i = 0; i < log->n_topics && i < 4; i++)
		log->topics[i] = json_hash(&r, json_at(topics, i), NULL);
	json_bytes(&r, o, "data", &item->data[at]);
	log->data = buf_slice(&item->data[at]);
	struct hash32 block = json_hash(&r, o, "blockHash");
	uint64_t index = json_quantity(&r, o, "logIndex");
	bool ordered = !at || index > *last_index;
	*last_index = index;
	return !r.failed && !item->data[at].failed && log->n_topics <= 4 &&
	       ordered && hash_eq(block, item->block.hash) &&
	       is_ours(item->follow, log->address);
}

static void on_logs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct item *item = ctx;
	struct json_reader r = {0};
	uint64_t last = 0;
	if (!take(item, results, n, "logs"))
		return;
	const json_node *list = json_array(&r, results[0].result, NULL);
	size_t count = json_len(list);
	if (r.failed || count > FOLLOW_LOGS_MAX) {
		set_trouble(item->follow, "logs",
			    r.failed ? "no list" : "too many in one block");
		return;
	}
	item->logs = calloc(count + 1, sizeof(*item->logs));
	item->data = calloc(count + 1, sizeof(*item->data));
	item->inputs = calloc(count + 1, sizeof(*item->inputs));
	if (!item->logs || !item->data || !item->inputs)
		abort();
	item->n_logs = count;
	for (size_t i = 0; i < count; i++)
		buf_init(&item->data[i], DATA_MAX);
	bool fine = true;
	for (size_t i = 0; i < count && fine; i++)
		fine = read_log(item, json_at(list, i), i, &last);
	if (fine) {
		item->state = ITEM_INPUTS;
		return;
	}
	struct block_ref block = item->block;
	uint8_t bloom[BLOOM_BYTES];
	memcpy(bloom, item->bloom, sizeof(bloom));
	item_clear(item);
	item->block = block;
	memcpy(item->bloom, bloom, sizeof(bloom));
	item->state = ITEM_LOGS;
	set_trouble(item->follow, "logs", "one that is not of this block");
}

static enum err ask_logs(struct item *item)
{
	static const char *const fields[] = {
		"address",	   "topics",   "data", "blockHash",
		"transactionHash", "logIndex", NULL};
	struct follow *f = item->follow;
	struct buf params;
	buf_init(&params, PARAMS_MAX);
	struct json_writer w = json_writer(&params);
	json_begin_array(&w, NULL);
	json_begin(&w, NULL);
	json_put_hash(&w, "blockHash", item->block.hash);
	json_begin_array(&w, "address");
	for (size_t i = 0; i < f->config.n_addresses; i++)
		json_put_address(&w, NULL, f->config.addresses[i]);
	json_end_array(&w);
	json_end(&w);
	json_end_array(&w);
	const struct rpc_call call = {.method = "eth_getLogs",
				      .params = buf_slice(&params),
				      .fields = fields,
				      .pinned = true};
	enum err err = quorum_ask(f->l1->quorum, &call, 1, QUORUM_AGREE,
				  L1_ASK_MS, on_logs, item);
	item->asked = !err;
	f->asks += item->asked;
	buf_done(&params);
	return err;
}

static bool may_hold_ours(const struct item *item)
{
	const struct follow_config *c = &item->follow->config;
	for (size_t i = 0; i < c->n_addresses; i++)
		if (bloom_may_hold(item->bloom, c->addresses[i]))
			return true;
	return false;
}

/* ---- the public side
 * -------------------------------------------------------------- */

static void turn_item(struct item *item)
{
	if (item->asked)
		return;
	/* ERR_BUSY: the next turn tries again */
	switch (item->state) {
	case ITEM_HEADER:
		item->state = may_hold_ours(item) ? ITEM_LOGS : ITEM_READY;
		if (item->state == ITEM_READY)
			return;
		/* fall through */
	case ITEM_LOGS:
		(void)!ask_logs(item);
		return;
	case ITEM_INPUTS:
		(void)!ask_inputs(item);
		return;
	case ITEM_READY:
		return;
	}
}

uint64_t follow_turn(struct follow *f, uint64_t now)
{
	const struct l1_view *v = &f->l1->view;
	uint64_t again = now + f->l1->settings->poll_ms;
	if (f->back || now < f->retry_ms)
		return f->back ? again : f->retry_ms;
	if (!v->healthy)
		return again;
	if (has_tip(f) && v->acted.number == f->tip.number &&
	    !hash_eq(v->acted.hash, f->tip.hash)) {
		clear_queue(f);
		f->back = true;
		return again;
	}
	if (!f->headers_asked && f->n < FOLLOW_AHEAD &&
	    next_number(f) <= v->acted.number)
		ask_headers(f);
	for (size_t i = 0; i < f->n && f->asks < ASKS_AT_ONCE; i++)
		turn_item(item_at(f, i));
	return again;
}

struct follow_step follow_peek(const struct follow *f)
{
	struct follow_step step = {.move = FOLLOW_NONE};
	const struct item *item = item_at(f, 0);
	if (f->back) {
		step.move = FOLLOW_BACK;
		step.block = f->tip;
	} else if (f->n && item->state == ITEM_READY) {
		step = (struct follow_step){.move = FOLLOW_FORWARD,
					    .block = item->block,
					    .n_logs = item->n_logs,
					    .logs = item->logs};
	}
	return step;
}

void follow_ack(struct follow *f, const struct block_ref *tip)
{
	if (f->back) {
		f->back = false;
		/* asked for with the tip that is gone */
		quorum_cancel(f->l1->quorum, f);
		f->headers_asked = false;
		clear_queue(f);
	} else {
		struct item *item = item_at(f, 0);
		assert(f->n && item->state == ITEM_READY);
		assert(hash_eq(item->block.hash, tip->hash));
		item_clear(item);
		f->first = (f->first + 1) % FOLLOW_AHEAD;
		f->n--;
	}
	f->tip = *tip;
}

uint64_t follow_behind(const struct follow *f)
{
	uint64_t next = f->tip.number + has_tip(f);
	uint64_t acted = f->l1->view.acted.number;
	return acted >= next ? acted - next + 1 : 0;
}

const char *follow_trouble(const struct follow *f)
{
	if (!f->l1->view.healthy)
		return f->l1->view.why;
	return f->trouble;
}
