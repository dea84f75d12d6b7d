/* The calldata that some logs of a block came with.  In deep history by the
 * transaction's hash, for which one provider is enough; else, or when nobody
 * proves it so, as a quorum tells it. */
#include <assert.h>

#include "abi/keccak.h"
#include "abi/raw_tx.h"
#include "l1/follow_impl.h"
#include "l1/rpc.h"

/* Transactions in one ask: as many of the longest as a reply takes. */
#define INPUTS_AT_ONCE (L1_REPLY_MAX / (2 * L1_INPUT_MAX + L1_SMALL_REPLY_MAX))

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
bool item_take(struct item *item, const struct quorum_result *results, size_t n,
	       const char *what)
{
	struct follow *f = item->follow;
	item->asked = false;
	f->asks--;
	for (size_t i = 0; i < n; i++) {
		if (!results[i].err)
			continue;
		follow_set_trouble(f, what, results[i].text);
		item->tries++;
		return false;
	}
	f->trouble[0] = '\0';
	item->tries = 0;
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
	if (!item_take(item, results, n, "transactions"))
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

/* One calldata whose transaction's bytes hash to what its log names. */
static enum proved prove_input(struct item *item, size_t at,
			       const json_node *node, struct err_text *error)
{
	struct json_reader r = {0};
	struct raw_tx decoded;
	struct l1_log *log = &item->logs[at];
	struct buf bytes;
	enum proved proved = PROVED_SHAPE;
	buf_init(&bytes, L1_INPUT_MAX + L1_SMALL_REPLY_MAX);
	enum err err = raw_tx_encode(&r, node, &bytes);
	struct slice raw = buf_slice(&bytes);
	if (err == ERR_NOT_FOUND) {
		proved = PROVED_UNKNOWN;
		err_text_set(error, "a transaction of a type not known here");
	} else if (err || bytes.failed) {
		err_text_set(error, "no such transaction");
	} else if (!hash_eq(keccak256(raw.p, raw.len), log->tx)) {
		proved = PROVED_FALSE;
		err_text_set(error, "its transaction has another hash");
	} else if (!raw_tx_decode(raw, &decoded)) {
		struct buf *input = &item->inputs[at];
		buf_done(input);
		buf_init(input, L1_INPUT_MAX);
		buf_add_slice(input, decoded.input);
		log->input = buf_slice(input);
		proved = input->failed ? PROVED_TOO_LARGE : PROVED;
	}
	buf_done(&bytes);
	return proved;
}

static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct item *item = ctx;
	size_t logs[INPUTS_AT_ONCE];
	enum proved proved = PROVED;
	if (list_inputs(item, logs, n) != n)
		return PROVED_SHAPE;
	for (size_t i = 0; i < n && proved == PROVED; i++)
		proved = prove_input(item, logs[i], results[i], error);
	return proved;
}

static void on_proved(void *ctx, const struct quorum_result *results, size_t n)
{
	struct item *item = ctx;
	item->asked = false;
	item->follow->asks--;
	item->plain_inputs = results[0].err;
	for (size_t i = 0; i < n && !results[0].err; i++) {
		(void)next_input(item);
		item->n_inputs++;
	}
}

enum err item_ask_inputs(struct item *item)
{
	static const char *const fields[] = {"hash", "blockHash", "input",
					     NULL};
	struct quorum *q = item->follow->l1->quorum;
	size_t logs[INPUTS_AT_ONCE];
	struct rpc_call calls[INPUTS_AT_ONCE];
	struct buf params[INPUTS_AT_ONCE];
	size_t n = list_inputs(item, logs, INPUTS_AT_ONCE);
	for (size_t i = 0; i < n; i++) {
		buf_init(&params[i], 128);
		rpc_params_tx(&params[i], item->logs[logs[i]].tx);
		calls[i] =
			(struct rpc_call){.method = "eth_getTransactionByHash",
					  .params = buf_slice(&params[i]),
					  .fields = fields,
					  .pinned = true};
	}
	enum err err = OK;
	if (!n)
		item->state = ITEM_READY;
	else if (item->jumps && !item->plain_inputs)
		err = quorum_prove(q, calls, n, NULL, verify, L1_PROOF_MS,
				   on_proved, item);
	else
		err = quorum_ask(q, calls, n, QUORUM_AGREE, L1_ASK_MS,
				 on_inputs, item);
	item->asked = n && !err;
	item->follow->asks += item->asked;
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
	return err;
}
