#include "l1/logs.h"

#include <stdlib.h>

#include "l1/l1_impl.h"
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
};

/* Those of the list that were asked for; false: one is not of the shape. */
static bool pick(const struct logs_op *read, const json_node *list,
		 struct l1_log *logs, struct buf *data, size_t *n)
{
	for (size_t i = 0; i < json_len(list); i++) {
		struct l1_log *log = &logs[*n];
		struct buf *bytes = &data[*n];
		buf_done(bytes);
		buf_init(bytes, TX_DATA_MAX);
		if (!l1_log_read(json_at(list, i), read->block, bytes, log))
			return false;
		*n += hash_eq(log->tx, read->tx) &&
		      address_eq(log->address, read->emitter) &&
		      log->n_topics && hash_eq(log->topics[0], read->topic);
	}
	return true;
}

static void on_logs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct logs_op *op = ctx, read = *op;
	struct json_reader r = {0};
	(void)n;
	l1_op_end(&op->op); /* the callback may read anew */
	if (results[0].err) {
		read.done(read.op.ctx, results[0].err, results[0].text, NULL,
			  0);
		return;
	}
	const json_node *list = json_array(&r, results[0].result, NULL);
	size_t len = json_len(list), used = 0;
	struct l1_log *logs = calloc(len + 1, sizeof(*logs));
	struct buf *data = calloc(len + 1, sizeof(*data));
	if (!logs || !data)
		abort();
	if (!r.failed && pick(&read, list, logs, data, &used))
		read.done(read.op.ctx, OK, "", logs, used);
	else
		read.done(read.op.ctx, ERR_IO,
			  "the logs are not of the form known", NULL, 0);
	for (size_t i = 0; i < len; i++)
		buf_done(&data[i]);
	free(data);
	free(logs);
}

enum err tx_logs_read(struct l1 *l1, struct address emitter,
		      struct hash32 block, struct hash32 tx,
		      struct hash32 topic, tx_logs_done *done, void *ctx)
{
	struct buf params;
	buf_init(&params, PARAMS_MAX);
	l1_logs_params(&params, block, &emitter, 1, &topic, 1);
	const struct rpc_call call = {.method = "eth_getLogs",
				      .params = buf_slice(&params),
				      .fields = l1_log_fields,
				      .pinned = true};
	struct logs_op *read = l1_op_new(l1, sizeof(*read), ctx, NULL);
	read->done = done;
	read->emitter = emitter;
	read->block = block;
	read->tx = tx;
	read->topic = topic;
	enum err err = quorum_ask(l1->quorum, &call, 1, QUORUM_AGREE, L1_ASK_MS,
				  on_logs, read);
	if (err)
		l1_op_end(&read->op);
	buf_done(&params);
	return err;
}
