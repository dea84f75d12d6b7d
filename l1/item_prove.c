/* One block's logs of ours and their calldata, out of its proved contents. */
#include <stdio.h>

#include "abi/keccak.h"
#include "abi/raw_tx.h"
#include "abi/receipt.h"
#include "l1/follow_impl.h"

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

static enum proved take(void *ctx, const struct contents *c,
			struct err_text *error)
{
	struct item *item = ctx;
	if (!take_logs(item, c)) {
		err_text_set(error, "more logs, or longer, than one block has");
		item_drop_logs(item);
		return PROVED_TOO_LARGE;
	}
	item->block = header_ref(&c->header, item->block.hash);
	return PROVED;
}

static void on_proved(void *ctx, enum err err, const char *why)
{
	struct item *item = ctx;
	struct follow *f = item->follow;
	item->asked = false;
	f->asks--;
	item->waits = err == ERR_BUSY;
	if (item->waits)
		return;
	item->by_quorum = err;
	if (err) {
		(void)snprintf(f->proofs, sizeof(f->proofs),
			       "by quorum: %.180s", why);
		return;
	}
	(void)snprintf(f->proofs, sizeof(f->proofs), "proved");
	f->trouble[0] = '\0';
	item->n_inputs = item->n_logs;
	item->state = ITEM_READY;
}

enum err item_ask_proved(struct item *item)
{
	struct l1 *l1 = item->follow->l1;
	if (item->waits && l1->singly >= L1_SINGLY_MAX)
		return ERR_BUSY;
	item->contents = (struct contents_read){.l1 = l1,
						.block = item->block.hash,
						.take = take,
						.done = on_proved,
						.ctx = item};
	enum err err = contents_start(&item->contents);
	item->asked = !err;
	item->follow->asks += item->asked;
	return err;
}
