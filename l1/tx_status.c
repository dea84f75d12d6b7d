/* A transaction's fate.  That it is in a block a quorum says; what became of it
 * there is proved by the block's contents, once. */
#include <stdio.h>

#include "abi/keccak.h"
#include "abi/raw_tx.h"
#include "abi/receipt.h"
#include "abi/tx.h"
#include "l1/account.h"
#include "l1/contents.h"
#include "l1/rpc.h"

#define PARAMS_MAX 128

struct status_op {
	struct l1_op op;
	tx_status_done *done;
	struct hash32 tx;
	struct tx_status told, proved;
	bool found; /* in the proved block */
	struct contents_read contents;
};

static void op_done(struct l1_op *op)
{
	contents_cancel(&((struct status_op *)op)->contents);
}

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
	rpc_params_tx(&params, s->tx);
	const struct rpc_call call = {.method = method,
				      .params = buf_slice(&params),
				      .fields = fields};
	enum err err = quorum_ask(s->op.l1->quorum, &call, 1, QUORUM_AGREE,
				  L1_ASK_MS, done, s);
	buf_done(&params);
	return err;
}

/* ---- what its block proves ----------------------------------------------- */

static uint64_t price_of(const struct raw_tx *tx, const struct header *h)
{
	struct u256 price;
	if (tx->type <= RAW_TX_ACCESS_LIST)
		return u256_u64(tx->max_fee);
	if (!u256_add(h->base_fee, tx->max_tip, &price) ||
	    u256_cmp(price, tx->max_fee) > 0)
		price = tx->max_fee;
	return u256_u64(price);
}

/* false: not of a known form. */
static bool read_at(struct status_op *s, const struct contents *c, size_t i)
{
	struct tx_status *to = &s->proved;
	struct receipt receipt, before = {0};
	struct address sender;
	struct raw_tx tx;
	if (raw_tx_decode(trie_list_at(&c->txs, i), &tx) ||
	    receipt_decode(trie_list_at(&c->receipts, i), &receipt) ||
	    (i && receipt_decode(trie_list_at(&c->receipts, i - 1), &before)))
		return false;
	*to = (struct tx_status){.fate = receipt.succeeded ? TX_SUCCESS
							   : TX_REVERTED,
				 .proved = true,
				 .block = c->header.number,
				 .block_hash = s->contents.block,
				 .gas_used = receipt.gas_used - before.gas_used,
				 .effective_price = price_of(&tx, &c->header)};
	if (tx.create && receipt.succeeded && !raw_tx_sender(&tx, &sender))
		to->created = tx_create_address(sender, tx.nonce);
	return true;
}

static enum proved take(void *ctx, const struct contents *c,
			struct err_text *error)
{
	struct status_op *s = ctx;
	for (size_t i = 0; i < trie_list_len(&c->txs); i++) {
		struct slice tx = trie_list_at(&c->txs, i);
		if (!hash_eq(keccak256(tx.p, tx.len), s->tx))
			continue;
		s->found = read_at(s, c, i);
		if (s->found)
			return PROVED;
		err_text_set(error, "a receipt of another form");
		return PROVED_SHAPE;
	}
	return PROVED; /* that it is not there */
}

static void on_contents(void *ctx, enum err err, const char *why)
{
	struct status_op *s = ctx;
	struct l1 *l1 = s->op.l1;
	(void)why;
	if (err) { /* a quorum's word must do */
		status_finish(s, OK, "", &s->told);
	} else if (!s->found) {
		status_finish(s, ERR_CONFLICT,
			      "the block that a quorum names proves that the "
			      "transaction is not in it",
			      &s->told);
	} else {
		l1->fates.txs[l1->fates.at] = s->tx;
		l1->fates.fates[l1->fates.at] = s->proved;
		l1->fates.at = (l1->fates.at + 1) % L1_FATES_MAX;
		status_finish(s, OK, "", &s->proved);
	}
}

/* As proved before, or NULL. */
static const struct tx_status *
find_proved(const struct l1 *l1, struct hash32 tx, struct hash32 block)
{
	for (size_t i = 0; i < L1_FATES_MAX; i++)
		if (hash_eq(l1->fates.txs[i], tx) &&
		    hash_eq(l1->fates.fates[i].block_hash, block))
			return &l1->fates.fates[i];
	return NULL;
}

static void prove(struct status_op *s)
{
	const struct tx_status *known =
		find_proved(s->op.l1, s->tx, s->told.block_hash);
	if (known) {
		status_finish(s, OK, "", known);
		return;
	}
	s->contents = (struct contents_read){.l1 = s->op.l1,
					     .block = s->told.block_hash,
					     .take = take,
					     .done = on_contents,
					     .ctx = s};
	if (contents_start(&s->contents))
		status_finish(s, OK, "", &s->told);
}

/* ---- what a quorum tells ------------------------------------------------- */

static void on_receipt(void *ctx, const struct quorum_result *results, size_t n)
{
	static const char *const fields[] = {"hash", NULL};
	struct status_op *s = ctx;
	struct tx_status none = {0};
	(void)n;
	if (results[0].err)
		status_finish(s, results[0].err, results[0].text, &none);
	else if (json_is_null(results[0].result, NULL)) {
		if (ask_tx(s, "eth_getTransactionByHash", fields, on_pending))
			status_finish(s, ERR_BUSY, "too many L1 reads at once",
				      &none);
	} else if (read_receipt(results[0].result, s->tx, &s->told))
		prove(s);
	else
		status_finish(s, ERR_IO, "the receipt is not of the form known",
			      &none);
}

enum err tx_status_read(struct l1 *l1, struct hash32 tx, tx_status_done *done,
			void *ctx)
{
	static const char *const fields[] = {
		"transactionHash", "status",  "blockNumber",
		"blockHash",	   "gasUsed", "effectiveGasPrice",
		"contractAddress", NULL};
	struct status_op *s = l1_op_new(l1, sizeof(*s), ctx, op_done);
	s->done = done;
	s->tx = tx;
	enum err err =
		ask_tx(s, "eth_getTransactionReceipt", fields, on_receipt);
	if (err)
		l1_op_end(&s->op);
	return err;
}
