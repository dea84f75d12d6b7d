#include "l1/contents.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "abi/keccak.h"
#include "abi/raw_tx.h"
#include "abi/receipt.h"
#include "l1/rpc.h"
#include "sys/clock.h"

static const char all_at_once[] = "eth_getBlockReceipts";
static const char one_by_one[] = "eth_getTransactionReceipt";
static const char busy[] = "too many L1 reads at once";

static void init(struct contents *c, size_t receipts_max)
{
	trie_list_init(&c->txs, RAW_TXS_MAX);
	trie_list_init(&c->receipts, receipts_max);
}

static void release(struct contents *c)
{
	trie_list_done(&c->txs);
	trie_list_done(&c->receipts);
}

/* Gives back what it holds; idle from here on. */
static void end(struct contents_read *read)
{
	if (read->singly)
		read->l1->singly--;
	read->singly = false;
	release(&read->c);
	free(read->hashes);
	read->hashes = NULL;
}

static void finish(struct contents_read *read, enum err err, const char *why)
{
	end(read);
	read->done(read->ctx, err, why);
}

void contents_cancel(struct contents_read *read)
{
	if (!read->l1)
		return;
	quorum_cancel(read->l1->quorum, read);
	end(read);
}

/* The header and the transactions. */
static enum proved prove_block(const struct contents_read *read,
			       const json_node *block, struct contents *c,
			       struct err_text *error)
{
	struct json_reader r = {0};
	enum proved proved =
		header_prove(block, read->block, &c->header, error);
	if (proved != PROVED)
		return proved;
	const json_node *txs = json_array(&r, block, "transactions");
	if (r.failed) {
		err_text_set(error, "a block without transactions");
		return PROVED_SHAPE;
	}
	return raw_txs_prove(txs, c->header.transactions_root, &c->txs, error);
}

/* A root that no lists of one length have cannot be a block's. */
static enum proved take(struct contents_read *read, const struct contents *c,
			struct err_text *error)
{
	if (trie_list_len(&c->txs) == trie_list_len(&c->receipts))
		return read->take(read->ctx, c, error);
	err_text_set(error, "more receipts than transactions, or fewer");
	return PROVED_FALSE;
}

/* ---- one by one ---------------------------------------------------------- */

static void ask_receipts(struct contents_read *read);

/* Those who have receipts one by one alone, the quickest first. */
static bool choose_next(struct contents_read *read)
{
	struct l1 *l1 = read->l1;
	uint64_t now = clock_mono_ms();
	bool any = false;
	for (size_t i = 0; i < l1->n; i++) {
		const struct provider *p = &l1->providers[i];
		if (read->tried >> i & 1 || !provider_usable(p, now) ||
		    !provider_lacking(p, all_at_once, now) ||
		    provider_lacking(p, one_by_one, now))
			continue;
		if (!any || p->latency_ms < l1->providers[read->by].latency_ms)
			read->by = i;
		any = true;
	}
	if (any)
		read->tried |= 1u << read->by;
	return any;
}

static void try_next(struct contents_read *read)
{
	if (!choose_next(read)) {
		finish(read, ERR_IO, read->why);
		return;
	}
	trie_list_clear(&read->c.receipts);
	read->from = 0;
	ask_receipts(read);
}

static size_t n_next(const struct contents_read *read)
{
	size_t n = read->n - read->from;
	return n < QUORUM_CALLS_MAX ? n : QUORUM_CALLS_MAX;
}

/* Another has proved what they deny. */
static void accuse(struct contents_read *read)
{
	struct l1 *l1 = read->l1;
	const struct accusation what = {
		.kind = LIE_FALSE_PROOF,
		.number = read->c.header.number,
		.hash = read->block,
		.method = one_by_one,
		.against = slice_str(l1->providers[read->by].settings->name)};
	for (size_t i = 0; i < l1->n; i++)
		if (read->lied >> i & 1)
			provider_lied(&l1->providers[i], clock_mono_ms(), &what,
				      "its receipts of block %llu are not "
				      "those of the block",
				      (unsigned long long)what.number);
}

static enum proved prove_root(struct contents_read *read,
			      struct err_text *error)
{
	struct hash32 root;
	enum err err = trie_list_root(&read->c.receipts, &root);
	if (err) {
		err_text_set(error, "receipts: %s", err_name(err));
		return PROVED_TOO_LARGE;
	}
	if (hash_eq(root, read->c.header.receipts_root))
		return take(read, &read->c, error);
	read->lied |= 1u << read->by;
	err_text_set(error, "receipts: their root is %s, not %s",
		     hash_text(root).s,
		     hash_text(read->c.header.receipts_root).s);
	return PROVED_FALSE;
}

/* Only the last batch can be proved, with all before it. */
static enum proved verify_receipts(void *ctx, const json_node *const *results,
				   size_t n, struct err_text *error)
{
	struct contents_read *read = ctx;
	struct trie_list *list = &read->c.receipts;
	struct json_reader r = {0};
	for (size_t i = 0; i < n; i++) {
		/* the block is there, its receipts were not kept */
		if (json_is_null(results[i], NULL))
			provider_lacks(&read->l1->providers[read->by],
				       one_by_one, clock_mono_ms());
		if (receipt_encode(&r, results[i], &list->bytes)) {
			err_text_set(error, "receipt: %s: %s", r.field, r.what);
			return r.failed ? PROVED_SHAPE : PROVED_UNKNOWN;
		}
		trie_list_close(list);
	}
	return read->from + n < read->n ? PROVED : prove_root(read, error);
}

static void on_receipts(void *ctx, const struct quorum_result *results,
			size_t n)
{
	struct contents_read *read = ctx;
	if (results[0].err) {
		size_t used = strlen(read->why);
		(void)snprintf(read->why + used, sizeof(read->why) - used,
			       "; one by one: %s", results[0].text);
		try_next(read);
		return;
	}
	read->from += n;
	if (read->from < read->n) {
		ask_receipts(read);
		return;
	}
	accuse(read);
	finish(read, OK, "");
}

static void ask_receipts(struct contents_read *read)
{
	struct rpc_call calls[QUORUM_CALLS_MAX];
	struct buf params[QUORUM_CALLS_MAX];
	size_t n = n_next(read);
	assert(n > 0);
	for (size_t i = 0; i < n; i++) {
		buf_init(&params[i], 128);
		rpc_params_tx(&params[i], read->hashes[read->from + i]);
		calls[i] = (struct rpc_call){.method = one_by_one,
					     .params = buf_slice(&params[i]),
					     .pinned = true};
	}
	enum err err = quorum_prove_by(read->l1->quorum, read->by, calls, n,
				       one_by_one, verify_receipts, L1_PROOF_MS,
				       on_receipts, read);
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
	if (err)
		finish(read, err, busy);
}

static enum proved verify_block(void *ctx, const json_node *const *results,
				size_t n, struct err_text *error)
{
	struct contents_read *read = ctx;
	(void)n;
	enum proved proved = prove_block(read, results[0], &read->c, error);
	if (proved == PROVED &&
	    trie_list_len(&read->c.txs) > L1_RECEIPTS_SINGLY_MAX) {
		err_text_set(error, "more transactions than receipts are read "
				    "one by one");
		return PROVED_TOO_LARGE;
	}
	return proved;
}

static void on_block(void *ctx, const struct quorum_result *results, size_t n)
{
	struct contents_read *read = ctx;
	struct err_text error;
	(void)n;
	if (results[0].err) {
		finish(read, ERR_IO, results[0].text);
		return;
	}
	read->n = trie_list_len(&read->c.txs);
	read->hashes = calloc(read->n + 1, sizeof(*read->hashes));
	if (!read->hashes)
		abort();
	for (size_t i = 0; i < read->n; i++) {
		struct slice tx = trie_list_at(&read->c.txs, i);
		read->hashes[i] = keccak256(tx.p, tx.len);
	}
	if (read->n)
		try_next(read);
	else if (prove_root(read, &error) == PROVED)
		finish(read, OK, "");
	else
		finish(read, ERR_IO, error.text);
}

/* true: somebody has receipts one by one alone, and it was begun. */
static bool start_singly(struct contents_read *read)
{
	CLEANUP(buf_done) struct buf params;
	buf_init(&params, 128);
	read->tried = read->lied = 0;
	if (!choose_next(read))
		return false;
	read->tried = 0;
	rpc_params_hash(&params, read->block, true);
	const struct rpc_call call = {.method = "eth_getBlockByHash",
				      .params = buf_slice(&params),
				      .pinned = true};
	if (read->l1->singly >= L1_SINGLY_MAX ||
	    quorum_prove(read->l1->quorum, &call, 1, NULL, verify_block,
			 L1_PROOF_MS, on_block, read)) {
		finish(read, ERR_BUSY, busy);
		return true;
	}
	read->singly = true;
	read->l1->singly++;
	init(&read->c, L1_RECEIPTS_SINGLY_BYTES_MAX);
	return true;
}

/* ---- all at once --------------------------------------------------------- */

static enum proved verify_all(void *ctx, const json_node *const *results,
			      size_t n, struct err_text *error)
{
	struct contents_read *read = ctx;
	struct contents c;
	(void)n;
	init(&c, RECEIPTS_MAX);
	enum proved proved = prove_block(read, results[0], &c, error);
	if (proved == PROVED)
		proved = receipts_prove(results[1], c.header.receipts_root,
					&c.receipts, error);
	if (proved == PROVED)
		proved = take(read, &c, error);
	release(&c);
	return proved;
}

static void on_all(void *ctx, const struct quorum_result *results, size_t n)
{
	struct contents_read *read = ctx;
	(void)n;
	(void)snprintf(read->why, sizeof(read->why), "%s", results[0].text);
	if (!results[0].err)
		finish(read, OK, "");
	else if (!start_singly(read))
		finish(read, ERR_IO, read->why);
}

enum err contents_start(struct contents_read *read)
{
	CLEANUP(buf_done) struct buf block, receipts;
	buf_init(&block, 128);
	buf_init(&receipts, 128);
	rpc_params_hash(&block, read->block, true);
	rpc_params_receipts(&receipts, read->block);
	const struct rpc_call calls[] = {{.method = "eth_getBlockByHash",
					  .params = buf_slice(&block),
					  .pinned = true},
					 {.method = all_at_once,
					  .params = buf_slice(&receipts),
					  .pinned = true}};
	return quorum_prove(read->l1->quorum, calls, ARRAY_LEN(calls),
			    all_at_once, verify_all, L1_PROOF_MS, on_all, read);
}
