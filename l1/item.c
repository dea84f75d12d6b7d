/* One block's logs of ours, and the calldata that some of them came with. */
#include <assert.h>
#include <stdlib.h>

#include "l1/follow_impl.h"
#include "l1/rpc.h"

#define PARAMS_MAX 4096
/* Transactions in one ask: as many of the longest as a reply takes. */
#define INPUTS_AT_ONCE (L1_REPLY_MAX / (2 * L1_INPUT_MAX + L1_SMALL_REPLY_MAX))

void item_drop_logs(struct item *item)
{
	for (size_t i = 0; i < item->n_logs; i++) {
		buf_done(&item->data[i]);
		buf_done(&item->inputs[i]);
	}
	free(item->logs);
	free(item->data);
	free(item->inputs);
	item->logs = NULL;
	item->data = item->inputs = NULL;
	item->n_logs = item->n_inputs = item->topic = 0;
}

void item_clear(struct item *item)
{
	struct follow *f = item->follow;
	if (item->asked) {
		quorum_cancel(f->l1->quorum, item);
		f->asks--;
	}
	item_drop_logs(item);
	*item = (struct item){.follow = f};
}

/* ---- inputs
 * ------------------------------------------------------------------- */

bool item_wants_input(const struct item *item, size_t at)
{
	const struct follow_config *c = &item->follow->config;
	const struct l1_log *log = &item->logs[at];
	for (size_t i = 0; log->n_topics && i < c->n_with_input; i++)
		if (hash_eq(log->topics[0], c->with_input[i]))
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
		follow_set_trouble(f, what, results[i].text);
		return false;
	}
	f->trouble[0] = '\0';
	return true;
}

/* A contract that commits a hundred times does not cost us a hundred copies. */
bool item_shares_input(struct item *item, size_t at)
{
	for (size_t i = at; i-- > 0;) {
		if (!hash_eq(item->logs[i].tx, item->logs[at].tx))
			return false;
		if (!item_wants_input(item, i))
			continue;
		item->logs[at].input = item->logs[i].input;
		return true;
	}
	return false;
}

static bool read_input(struct item *item, size_t at, const json_node *node)
{
	struct json_reader r = {0};
	struct l1_log *log = &item->logs[at];
	struct buf *input = &item->inputs[at];
	const json_node *tx = json_object(&r, node, NULL);
	struct hash32 hash = json_hash(&r, tx, "hash");
	struct hash32 block = json_hash(&r, tx, "blockHash");
	buf_done(input);
	buf_init(input, L1_INPUT_MAX);
	json_bytes(&r, tx, "input", input);
	log->input = buf_slice(input);
	return !r.failed && !input->failed && hash_eq(hash, log->tx) &&
	       hash_eq(block, item->block.hash);
}

/* Steps over what needs no asking; the next log to ask for, or n_logs. */
static size_t next_input(struct item *item)
{
	while (item->n_inputs < item->n_logs &&
	       (!item_wants_input(item, item->n_inputs) ||
		item_shares_input(item, item->n_inputs)))
		item->n_inputs++;
	return item->n_inputs;
}

static void on_inputs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct item *item = ctx;
	if (!take(item, results, n, "transactions"))
		return;
	for (size_t at = 0; at < n; at++) {
		size_t i = next_input(item);
		assert(i < item->n_logs);
		if (!read_input(item, i, results[at].result)) {
			follow_set_trouble(
				item->follow, "transactions",
				"an answer that is no such transaction");
			return;
		}
		item->n_inputs++;
	}
}

/* The logs to ask for from n_inputs on, one of each transaction. */
static size_t list_inputs(struct item *item, size_t *ret, size_t max)
{
	size_t n = 0;
	for (size_t i = next_input(item); i < item->n_logs && n < max; i++) {
		const struct l1_log *log = &item->logs[i];
		if (!item_wants_input(item, i) ||
		    (n && hash_eq(item->logs[ret[n - 1]].tx, log->tx)))
			continue;
		ret[n++] = i;
	}
	return n;
}

static enum err ask_inputs(struct item *item)
{
	static const char *const fields[] = {"hash", "blockHash", "input",
					     NULL};
	size_t logs[INPUTS_AT_ONCE];
	struct rpc_call calls[INPUTS_AT_ONCE];
	struct buf params[INPUTS_AT_ONCE];
	size_t n = list_inputs(item, logs, INPUTS_AT_ONCE);
	for (size_t i = 0; i < n; i++) {
		buf_init(&params[i], 128);
		struct json_writer w = json_writer(&params[i]);
		json_begin_array(&w, NULL);
		json_put_hash(&w, NULL, item->logs[logs[i]].tx);
		json_end_array(&w);
		calls[i] =
			(struct rpc_call){.method = "eth_getTransactionByHash",
					  .params = buf_slice(&params[i]),
					  .fields = fields,
					  .pinned = true};
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

bool item_is_ours(const struct item *item, struct address address,
		  const struct hash32 *first)
{
	const struct follow_config *c = &item->follow->config;
	bool emitter = false, topic = !c->n_topics;
	for (size_t i = 0; i < c->n_addresses; i++)
		emitter |= address_eq(address, c->addresses[i]);
	for (size_t i = 0; first && i < c->n_topics; i++)
		topic |= hash_eq(*first, c->topics[i]);
	return emitter && topic;
}

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n + 1, size);
	if (!p)
		abort();
	return p;
}

void item_reserve(struct item *item, size_t n)
{
	n += item->n_logs;
	item->logs = grow(item->logs, n, sizeof(*item->logs));
	item->data = grow(item->data, n, sizeof(*item->data));
	item->inputs = grow(item->inputs, n, sizeof(*item->inputs));
}

/* Appends a list's logs.  false: one is not of this block or not ours. */
static bool add_logs(struct item *item, const json_node *list)
{
	item_reserve(item, json_len(list));
	for (size_t i = 0; i < json_len(list); i++) {
		size_t at = item->n_logs++;
		struct l1_log *log = &item->logs[at];
		item->inputs[at] = (struct buf){0};
		buf_init(&item->data[at], L1_LOG_DATA_MAX);
		if (!l1_log_read(json_at(list, i), item->block.hash,
				 &item->data[at], log) ||
		    !item_is_ours(item, log->address,
				  log->n_topics ? log->topics : NULL))
			return false;
	}
	return true;
}

static int by_index(const void *a, const void *b)
{
	const struct l1_log *x = a, *y = b;
	return (x->index > y->index) - (x->index < y->index);
}

/* In L1's order, no log twice.  A log borrows its data from the heap, so it
 * may move away from its place beside them. */
static bool sort_logs(struct item *item)
{
	qsort(item->logs, item->n_logs, sizeof(*item->logs), by_index);
	for (size_t i = 1; i < item->n_logs; i++)
		if (item->logs[i].index == item->logs[i - 1].index)
			return false;
	return true;
}

static void on_logs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct item *item = ctx;
	struct follow *f = item->follow;
	struct json_reader r = {0};
	if (!take(item, results, n, "logs")) {
		/* perhaps too many for one answer */
		item->split = f->config.n_topics > 1;
		return;
	}
	const json_node *list = json_array(&r, results[0].result, NULL);
	if (r.failed || json_len(list) > FOLLOW_LOGS_MAX - item->n_logs) {
		follow_set_trouble(f, "logs",
				   r.failed ? "no list"
					    : "too many in one block");
		item_drop_logs(item);
		return;
	}
	bool fine = add_logs(item, list);
	bool last = !item->split || ++item->topic == f->config.n_topics;
	if (fine && last && sort_logs(item)) {
		item->state = ITEM_INPUTS;
	} else if (!fine || last) {
		item_drop_logs(item);
		follow_set_trouble(f, "logs", "one that is not of this block");
	}
}

static enum err ask_logs(struct item *item)
{
	struct follow *f = item->follow;
	const struct follow_config *c = &f->config;
	struct buf params;
	buf_init(&params, PARAMS_MAX);
	l1_logs_params(&params, item->block.hash, c->addresses, c->n_addresses,
		       item->split ? &c->topics[item->topic] : c->topics,
		       item->split ? 1 : c->n_topics);
	const struct rpc_call call = {.method = "eth_getLogs",
				      .params = buf_slice(&params),
				      .fields = l1_log_fields,
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
	bool address = false, topic = !c->n_topics;
	if (!item->bloom_counts)
		return true;
	for (size_t i = 0; i < c->n_addresses; i++)
		address |= bloom_may_hold(item->bloom, c->addresses[i]);
	for (size_t i = 0; i < c->n_topics; i++)
		topic |= bloom_may_hold_topic(item->bloom, c->topics[i]);
	return address && topic;
}

void item_turn(struct item *item)
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
		(void)!(item->by_quorum ? ask_logs(item)
					: item_ask_proved(item));
		return;
	case ITEM_INPUTS:
		(void)!ask_inputs(item);
		return;
	case ITEM_READY:
		return;
	}
}
