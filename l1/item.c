/* One block's logs of ours. */
#include <stdlib.h>

#include "l1/follow_impl.h"
#include "l1/rpc.h"

#define PARAMS_MAX 4096

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
		contents_cancel(&item->contents);
		f->asks--;
	}
	item_drop_logs(item);
	*item = (struct item){.follow = f};
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
	if (!item_take(item, results, n, "logs")) {
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
		(void)!item_ask_inputs(item);
		return;
	case ITEM_READY:
		return;
	}
}
