#include "relayer/events.h"

#include <stdlib.h>

#include "l1/hatch.h"
#include "sys/log.h"

#define EVENTS_MAX	   16
#define EVENTS_DEADLINE_MS 5000
#define EVENT_DATA_MAX	   65536

struct event_read {
	struct events *owner;
	bool used;
	struct hash32 tx;
	enum sovereign_event event;
	events_got *got;
	void *ctx;
};

struct events {
	struct l1 *l1;
	struct event_read reads[EVENTS_MAX];
};

struct events *events_new(struct l1 *l1)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		fatal("out of memory", "events");
	e->l1 = l1;
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < EVENTS_MAX; i++)
		if (e->reads[i].used)
			quorum_cancel(l1_quorum(e->l1), &e->reads[i]);
	free(e);
}

/* The log as the sovereign family reads it; SOVEREIGN_OTHER when it is
 * another transaction's or another event. */
static enum sovereign_event decode(const struct event_read *read,
				   const json_node *node, struct buf *data,
				   struct sovereign_log *ret)
{
	struct json_reader r = {0};
	struct hash32 topics[4];
	struct hash32 tx = json_hash(&r, node, "transactionHash");
	const json_node *list = json_array(&r, node, "topics");
	size_t n = json_len(list);

	for (size_t i = 0; i < n && i < ARRAY_LEN(topics); i++)
		topics[i] = json_hash(&r, json_at(list, i), NULL);
	json_bytes(&r, node, "data", data);
	if (r.failed || data->failed || n > ARRAY_LEN(topics) ||
	    !hash_eq(tx, read->tx))
		return SOVEREIGN_OTHER;
	return sovereign_decode(topics, n, buf_slice(data), ret);
}

static void logs_came(void *ctx, const struct quorum_result *results, size_t n)
{
	struct event_read *slot = ctx, read = *slot;
	struct sovereign_log log;
	struct buf data;

	slot->used = false;
	if (n != 1 || results->err) {
		read.got(read.ctx, n == 1 ? results->err : ERR_IO, NULL);
		return;
	}
	buf_init(&data, EVENT_DATA_MAX);
	size_t logs = json_len(results->result);
	for (size_t i = 0; i < logs; i++) {
		buf_clear(&data);
		if (decode(&read, json_at(results->result, i), &data, &log) ==
		    read.event) {
			read.got(read.ctx, OK, &log);
			buf_done(&data);
			return;
		}
	}
	buf_done(&data);
	read.got(read.ctx, OK, NULL);
}

enum err events_read(struct events *e, struct address emitter,
		     struct hash32 block_hash, struct hash32 tx,
		     enum sovereign_event event, events_got *got, void *ctx)
{
	static const char *const fields[] = {"address",	 "topics",
					     "data",	 "transactionHash",
					     "logIndex", NULL};
	struct event_read *read = NULL;
	struct buf params;

	for (size_t i = 0; i < EVENTS_MAX && !read; i++)
		if (!e->reads[i].used)
			read = &e->reads[i];
	if (!read)
		return ERR_BUSY;
	*read = (struct event_read){e, true, tx, event, got, ctx};
	buf_init(&params, 1024);
	struct json_writer w = json_writer(&params);
	json_begin_array(&w, NULL);
	json_begin(&w, NULL);
	json_put_hash(&w, "blockHash", block_hash);
	json_put_address(&w, "address", emitter);
	json_begin_array(&w, "topics");
	json_put_hash(&w, NULL, sovereign_topic(event));
	json_end_array(&w);
	json_end(&w);
	json_end_array(&w);
	struct rpc_call call = {.method = "eth_getLogs",
				.params = buf_slice(&params),
				.fields = fields,
				.pinned = true};
	enum err err = quorum_ask(l1_quorum(e->l1), &call, 1, QUORUM_AGREE,
				  EVENTS_DEADLINE_MS, logs_came, read);
	buf_done(&params);
	if (err)
		read->used = false;
	return err ? ERR_BUSY : OK;
}
