#include "l1/logs.h"

#include <stdlib.h>

#include "abi/keccak.h"
#include "abi/receipt.h"
#include "l1/contents.h"
#include "l1/rpc.h"

#define PARAMS_MAX  1024
#define TX_DATA_MAX (1u << 20) /* of one log */

const char *const l1_log_fields[] = {"address",	  "topics",	     "data",
				     "blockHash", "transactionHash", "logIndex",
				     NULL};

static void put_filter(struct json_writer *w, const struct address *addresses,
		       size_t n_addresses, const struct hash32 *topics,
		       size_t n_topics)
{
	json_begin_array(w, "address");
	for (size_t i = 0; i < n_addresses; i++)
		json_put_address(w, NULL, addresses[i]);
	json_end_array(w);
	if (!n_topics)
		return;
	json_begin_array(w, "topics");
	json_begin_array(w, NULL);
	for (size_t i = 0; i < n_topics; i++)
		json_put_hash(w, NULL, topics[i]);
	json_end_array(w);
	json_end_array(w);
}

void l1_logs_params(struct buf *b, struct hash32 block,
		    const struct address *addresses, size_t n_addresses,
		    const struct hash32 *topics, size_t n_topics)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_begin(&w, NULL);
	json_put_hash(&w, "blockHash", block);
	put_filter(&w, addresses, n_addresses, topics, n_topics);
	json_end(&w);
	json_end_array(&w);
}

void l1_logs_range_params(struct buf *b, uint64_t from, uint64_t to,
			  const struct address *addresses, size_t n_addresses,
			  const struct hash32 *topics, size_t n_topics)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_begin(&w, NULL);
	json_put_quantity(&w, "fromBlock", from);
	json_put_quantity(&w, "toBlock", to);
	put_filter(&w, addresses, n_addresses, topics, n_topics);
	json_end(&w);
	json_end_array(&w);
}

bool l1_log_read(const json_node *node, struct hash32 block, struct buf *data,
		 struct l1_log *ret)
{
	struct json_reader r = {0};
	struct l1_log log = {0};
	const json_node *o = json_object(&r, node, NULL);
	const json_node *topics = json_array(&r, o, "topics");
	log.address = json_address(&r, o, "address");
	log.tx = json_hash(&r, o, "transactionHash");
	log.n_topics = json_len(topics);
	for (size_t i = 0; i < log.n_topics && i < ARRAY_LEN(log.topics); i++)
		log.topics[i] = json_hash(&r, json_at(topics, i), NULL);
	json_bytes(&r, o, "data", data);
	log.data = buf_slice(data);
	log.index = json_quantity(&r, o, "logIndex");
	struct hash32 of = json_hash(&r, o, "blockHash");
	if (r.failed || data->failed || log.n_topics > ARRAY_LEN(log.topics) ||
	    !hash_eq(of, block))
		return false;
	*ret = log;
	return true;
}

/* ---- one transaction's ----------------------------------------------------
 */

struct logs_op {
	struct l1_op op;
	tx_logs_done *done;
	struct address emitter;
	struct hash32 block, tx, topic;
	struct contents_read contents;
	size_t n;
	struct l1_log *logs;
	struct buf *data; /* n, what logs borrow */
};

static void free_logs(struct logs_op *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_done(&s->data[i]);
	free(s->logs);
	free(s->data);
	s->logs = NULL;
	s->data = NULL;
	s->n = 0;
}

static void op_done(struct l1_op *op)
{
	struct logs_op *s = (struct logs_op *)op;
	contents_cancel(&s->contents);
	free_logs(s);
}

static void finish(struct logs_op *s, enum err err, const char *why)
{
	struct logs_op read = *s;
	s->n = 0;
	s->logs = NULL;
	s->data = NULL;
	l1_op_end(&s->op); /* the callback may read anew */
	read.done(read.op.ctx, err, why, err ? NULL : read.logs,
		  err ? 0 : read.n);
	free_logs(&read);
}

/* Room for one more at the end, with its data's buffer. */
static void reserve(struct logs_op *s)
{
	s->logs = reallocarray(s->logs, s->n + 1, sizeof(*s->logs));
	s->data = reallocarray(s->data, s->n + 1, sizeof(*s->data));
	if (!s->logs || !s->data)
		abort();
	buf_init(&s->data[s->n], TX_DATA_MAX);
}

static bool is_wanted(const struct logs_op *s, struct address emitter,
		      size_t n_topics, struct hash32 first)
{
	return address_eq(emitter, s->emitter) && n_topics &&
	       hash_eq(first, s->topic);
}

/* ---- under quorum */

static bool pick(struct logs_op *s, const json_node *list)
{
	for (size_t i = 0; i < json_len(list); i++) {
		struct l1_log log;
		reserve(s);
		struct buf *data = &s->data[s->n];
		bool fine = l1_log_read(json_at(list, i), s->block, data, &log);
		if (fine && hash_eq(log.tx, s->tx) &&
		    is_wanted(s, log.address, log.n_topics, log.topics[0]))
			s->logs[s->n++] = log;
		else
			buf_done(data);
		if (!fine)
			return false;
	}
	return true;
}

static void on_logs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct logs_op *s = ctx;
	struct json_reader r = {0};
	(void)n;
	if (results[0].err) {
		finish(s, results[0].err, results[0].text);
		return;
	}
	const json_node *list = json_array(&r, results[0].result, NULL);
	if (!r.failed && pick(s, list))
		finish(s, OK, "");
	else
		finish(s, ERR_IO, "the logs are not of the form known");
}

static enum err ask_told(struct logs_op *s)
{
	CLEANUP(buf_done) struct buf params;
	buf_init(&params, PARAMS_MAX);
	l1_logs_params(&params, s->block, &s->emitter, 1, &s->topic, 1);
	const struct rpc_call call = {.method = "eth_getLogs",
				      .params = buf_slice(&params),
				      .fields = l1_log_fields,
				      .pinned = true};
	return quorum_ask(s->op.l1->quorum, &call, 1, QUORUM_AGREE, L1_ASK_MS,
			  on_logs, s);
}

/* ---- proved */

/* Those of receipt `of`, whose first log is the block's `index`th. */
static bool take_logs(struct logs_op *s, struct receipt *of, uint64_t index)
{
	struct receipt_log log;
	for (; receipt_log_next(of, &log); index++) {
		if (!is_wanted(s, log.address, log.n_topics, log.topics[0]))
			continue;
		reserve(s);
		struct buf *data = &s->data[s->n];
		struct l1_log *to = &s->logs[s->n++];
		buf_add_slice(data, log.data);
		*to = (struct l1_log){.address = log.address,
				      .n_topics = log.n_topics,
				      .data = buf_slice(data),
				      .tx = s->tx,
				      .index = index};
		memcpy(to->topics, log.topics, sizeof(log.topics));
		if (data->failed)
			return false;
	}
	return true;
}

static enum proved take(void *ctx, const struct contents *c,
			struct err_text *error)
{
	struct logs_op *s = ctx;
	struct receipt receipt;
	struct receipt_log log;
	uint64_t index = 0;
	for (size_t i = 0; i < trie_list_len(&c->txs); i++) {
		struct slice tx = trie_list_at(&c->txs, i);
		if (receipt_decode(trie_list_at(&c->receipts, i), &receipt)) {
			err_text_set(error, "a receipt of another form");
			return PROVED_SHAPE;
		}
		if (!hash_eq(keccak256(tx.p, tx.len), s->tx)) {
			while (receipt_log_next(&receipt, &log))
				index++;
			continue;
		}
		if (take_logs(s, &receipt, index))
			return PROVED;
		free_logs(s);
		err_text_set(error, "a log of more than %u bytes", TX_DATA_MAX);
		return PROVED_TOO_LARGE;
	}
	return PROVED; /* that it is not there, and left nothing */
}

static void on_contents(void *ctx, enum err err, const char *why)
{
	struct logs_op *s = ctx;
	(void)why;
	if (!err)
		finish(s, OK, "");
	else if (ask_told(s))
		finish(s, ERR_BUSY, "too many L1 reads at once");
}

enum err tx_logs_read(struct l1 *l1, struct address emitter,
		      struct hash32 block, struct hash32 tx,
		      struct hash32 topic, tx_logs_done *done, void *ctx)
{
	struct logs_op *s = l1_op_new(l1, sizeof(*s), ctx, op_done);
	s->done = done;
	s->emitter = emitter;
	s->block = block;
	s->tx = tx;
	s->topic = topic;
	s->contents = (struct contents_read){.l1 = l1,
					     .block = block,
					     .take = take,
					     .done = on_contents,
					     .ctx = s};
	enum err err = contents_start(&s->contents);
	if (err)
		l1_op_end(&s->op);
	return err;
}
