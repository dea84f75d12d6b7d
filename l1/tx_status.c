/* A transaction's fate. */
#include "l1/account.h"
#include "l1/l1_impl.h"
#include "l1/rpc.h"

#define PARAMS_MAX 128

struct status_op {
	struct l1_op op;
	tx_status_done *done;
	struct hash32 tx;
};

static void status_finish(struct status_op *s, enum err err, const char *why,
			  const struct tx_status *status)
{
	tx_status_done *done = s->done;
	void *ctx = s->op.ctx;
	struct tx_status copy = *status;
	l1_op_end(&s->op);
	done(ctx, err, why, err ? NULL : &copy);
}

static bool read_receipt(const json_node *node, struct hash32 tx,
			 struct tx_status *ret)
{
	struct json_reader r = {0};
	const json_node *o = json_object(&r, node, NULL);
	bool success = json_quantity(&r, o, "status") == 1;
	ret->fate = success ? TX_SUCCESS : TX_REVERTED;
	ret->block = json_quantity(&r, o, "blockNumber");
	ret->block_hash = json_hash(&r, o, "blockHash");
	ret->gas_used = json_quantity(&r, o, "gasUsed");
	ret->effective_price = json_quantity(&r, o, "effectiveGasPrice");
	if (json_has(o, "contractAddress"))
		ret->created = json_address(&r, o, "contractAddress");
	struct hash32 of = json_hash(&r, o, "transactionHash");
	return !r.failed && hash_eq(of, tx);
}

static void on_pending(void *ctx, const struct quorum_result *results, size_t n)
{
	struct status_op *s = ctx;
	struct tx_status status = {.fate = TX_UNSEEN};
	(void)n;
	/* no quorum has it: sending it again does no harm */
	if (!results[0].err && !json_is_null(results[0].result, NULL))
		status.fate = TX_PENDING;
	status_finish(s, OK, "", &status);
}

static enum err ask_tx(struct status_op *s, const char *method,
		       const char *const *fields, quorum_done *done)
{
	struct buf params;
	buf_init(&params, PARAMS_MAX);
	struct json_writer w = json_writer(&params);
	json_begin_array(&w, NULL);
	json_put_hash(&w, NULL, s->tx);
	json_end_array(&w);
	const struct rpc_call call = {.method = method,
				      .params = buf_slice(&params),
				      .fields = fields};
	enum err err = quorum_ask(s->op.l1->quorum, &call, 1, QUORUM_AGREE,
				  L1_ASK_MS, done, s);
	buf_done(&params);
	return err;
}

static void on_receipt(void *ctx, const struct quorum_result *results, size_t n)
{
	static const char *const fields[] = {"hash", NULL};
	struct status_op *s = ctx;
	struct tx_status status = {0};
	(void)n;
	if (results[0].err)
		status_finish(s, results[0].err, results[0].text, &status);
	else if (json_is_null(results[0].result, NULL)) {
		if (ask_tx(s, "eth_getTransactionByHash", fields, on_pending))
			status_finish(s, ERR_BUSY, "too many L1 reads at once",
				      &status);
	} else if (read_receipt(results[0].result, s->tx, &status))
		status_finish(s, OK, "", &status);
	else
		status_finish(s, ERR_IO, "the receipt is not of the form known",
			      &status);
}

enum err tx_status_read(struct l1 *l1, struct hash32 tx, tx_status_done *done,
			void *ctx)
{
	static const char *const fields[] = {
		"transactionHash", "status",  "blockNumber",
		"blockHash",	   "gasUsed", "effectiveGasPrice",
		"contractAddress", NULL};
	struct status_op *s = l1_op_new(l1, sizeof(*s), ctx, NULL);
	s->done = done;
	s->tx = tx;
	enum err err =
		ask_tx(s, "eth_getTransactionReceipt", fields, on_receipt);
	if (err)
		l1_op_end(&s->op);
	return err;
}
