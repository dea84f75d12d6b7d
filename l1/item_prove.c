/* One block's logs of ours and their calldata, all proved against its hash: the
 * header by it, transactions and receipts by their roots in the header.  One
 * provider's words are enough, and are read from what was proved alone. */
#include <stdio.h>

#include "abi/header.h"
#include "abi/keccak.h"
#include "abi/raw_tx.h"
#include "abi/receipt.h"
#include "l1/follow_impl.h"
#include "l1/rpc.h"

/* What a block is when it is proved. */
struct contents {
	struct header header;
	struct trie_list txs, receipts;
};

static enum proved prove_contents(const struct item *item,
				  const json_node *const *results,
				  struct contents *c, struct err_text *error)
{
	struct json_reader r = {0};
	enum proved proved =
		header_prove(results[0], item->block.hash, &c->header, error);
	const json_node *txs = json_array(&r, results[0], "transactions");
	if (proved != PROVED)
		return proved;
	if (r.failed) {
		err_text_set(error, "a block without transactions");
		return PROVED_SHAPE;
	}
	proved = receipts_prove(results[1], c->header.receipts_root,
				&c->receipts, error);
	if (proved != PROVED)
		return proved;
	return raw_txs_prove(txs, c->header.transactions_root, &c->txs, error);
}

static bool copy_bytes(struct slice from, size_t max, struct buf *to)
{
	buf_init(to, max);
	buf_add_slice(to, from);
	return !to->failed;
}

static bool add_log(struct item *item, const struct receipt_log *from,
		    struct slice tx, uint64_t index)
{
	struct raw_tx decoded;
	size_t at = item->n_logs;
	if (at >= FOLLOW_LOGS_MAX)
		return false;
	item_reserve(item, 1);
	struct l1_log *log = &item->logs[at];
	*log = (struct l1_log){.address = from->address,
			       .n_topics = from->n_topics,
			       .tx = keccak256(tx.p, tx.len),
			       .index = index};
	memcpy(log->topics, from->topics, sizeof(log->topics));
	item->inputs[at] = (struct buf){0};
	item->n_logs++;
	if (!copy_bytes(from->data, L1_LOG_DATA_MAX, &item->data[at]))
		return false;
	log->data = buf_slice(&item->data[at]);
	if (!item_wants_input(item, at) || item_shares_input(item, at))
		return true;
	if (raw_tx_decode(tx, &decoded) ||
	    !copy_bytes(decoded.input, L1_INPUT_MAX, &item->inputs[at]))
		return false;
	log->input = buf_slice(&item->inputs[at]);
	return true;
}

/* false: over a limit. */
static bool take_logs(struct item *item, const struct contents *c)
{
	uint64_t index = 0;
	for (size_t i = 0; i < trie_list_len(&c->receipts); i++) {
		struct receipt receipt;
		struct receipt_log log;
		if (receipt_decode(trie_list_at(&c->receipts, i), &receipt) ||
		    i >= trie_list_len(&c->txs))
			return false;
		for (; receipt_log_next(&receipt, &log); index++)
			if (item_is_ours(item, log.address,
					 log.n_topics ? log.topics : NULL) &&
			    !add_log(item, &log, trie_list_at(&c->txs, i),
				     index))
				return false;
	}
	return true;
}

static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct item *item = ctx;
	struct contents c = {0};
	(void)n;
	trie_list_init(&c.txs, RAW_TXS_MAX);
	trie_list_init(&c.receipts, RECEIPTS_MAX);
	enum proved proved = prove_contents(item, results, &c, error);
	if (proved == PROVED && !take_logs(item, &c)) {
		err_text_set(error, "more logs, or longer, than one block has");
		item_drop_logs(item);
		proved = PROVED_TOO_LARGE;
	}
	if (proved == PROVED)
		item->block = header_ref(&c.header, item->block.hash);
	trie_list_done(&c.txs);
	trie_list_done(&c.receipts);
	return proved;
}

static void on_proved(void *ctx, const struct quorum_result *results, size_t n)
{
	struct item *item = ctx;
	struct follow *f = item->follow;
	(void)n;
	item->asked = false;
	f->asks--;
	item->by_quorum = results[0].err;
	if (results[0].err) {
		(void)snprintf(f->proofs, sizeof(f->proofs),
			       "by quorum: %.180s", results[0].text);
		return;
	}
	(void)snprintf(f->proofs, sizeof(f->proofs), "proved");
	f->trouble[0] = '\0';
	item->n_inputs = item->n_logs;
	item->state = ITEM_READY;
}

enum err item_ask_proved(struct item *item)
{
	struct buf params[2];
	buf_init(&params[0], 128);
	buf_init(&params[1], 128);
	rpc_params_hash(&params[0], item->block.hash, true);
	rpc_params_receipts(&params[1], item->block.hash);
	const struct rpc_call calls[] = {{.method = "eth_getBlockByHash",
					  .params = buf_slice(&params[0])},
					 {.method = "eth_getBlockReceipts",
					  .params = buf_slice(&params[1])}};
	enum err err = quorum_prove(item->follow->l1->quorum, calls,
				    ARRAY_LEN(calls), "eth_getBlockReceipts",
				    verify, L1_PROOF_MS, on_proved, item);
	item->asked = !err;
	item->follow->asks += item->asked;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		buf_done(&params[i]);
	return err;
}
