/* Commands over tries, and over what a node prints of a block. */
#include "tests/vectors/vectors.h"

#include "abi/header.h"
#include "abi/keccak.h"
#include "abi/raw_tx.h"
#include "abi/receipt.h"
#include "abi/tx.h"
#include "abi/witness.h"

#define SLOTS_MAX 64

static const char *const verdicts[] = {[PROVED] = "proved",
				       [PROVED_FALSE] = "false",
				       [PROVED_SHAPE] = "shape",
				       [PROVED_UNKNOWN] = "unknown",
				       [PROVED_TOO_LARGE] = "large"};

/* Words of hex, decoded side by side. */
struct words {
	struct buf bytes;
	struct slice word[VECTORS_ARGS_MAX];
};

static void words_done(struct words *w)
{
	buf_done(&w->bytes);
}

/* No word of them is cut off. */
static bool words_read(struct words *w, const struct slice *args, size_t n)
{
	size_t end[VECTORS_ARGS_MAX];
	buf_init(&w->bytes, VECTORS_OUT_MAX);
	for (size_t i = 0; i < n; i++) {
		if (args[i].len && hex_decode_buf(args[i], &w->bytes))
			return false;
		end[i] = w->bytes.len;
	}
	for (size_t i = 0, at = 0; i < n; at = end[i++])
		w->word[i] = slice_of(w->bytes.p + at, end[i] - at);
	return true;
}

static void put_hex(struct buf *out, struct slice bytes)
{
	buf_add_str(out, "0x");
	buf_add_hex(out, bytes.p, bytes.len);
}

/* key value … */
static bool run_root(const struct slice *args, size_t n, struct buf *out)
{
	static struct trie_entry entries[VECTORS_ARGS_MAX / 2];
	CLEANUP(words_done) struct words w;
	struct hash32 root;
	if (n % 2 || !words_read(&w, args, n))
		return false;
	for (size_t i = 0; i < n / 2; i++)
		entries[i] = (struct trie_entry){.key = w.word[2 * i],
						 .value = w.word[2 * i + 1]};
	if (trie_root(entries, n / 2, &root))
		return false;
	buf_add_str(out, hash_text(root).s);
	return true;
}

/* Items in order; each is found again in the list. */
static bool run_list(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(words_done) struct words w;
	CLEANUP(trie_list_done) struct trie_list list;
	struct hash32 root;
	trie_list_init(&list, VECTORS_OUT_MAX);
	if (!words_read(&w, args, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		buf_add_slice(&list.bytes, w.word[i]);
		trie_list_close(&list);
	}
	if (trie_list_len(&list) != n || trie_list_root(&list, &root))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!slice_eq(trie_list_at(&list, i), w.word[i]))
			return false;
	buf_add_str(out, hash_text(root).s);
	return true;
}

/* root key node … */
static bool run_prove(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(words_done) struct words w = {.bytes = {0}};
	struct hash32 root;
	struct slice value;
	if (hash_parse(args[0], &root) || !words_read(&w, args + 1, n - 1))
		return false;
	switch (trie_prove(root, w.word[0], w.word + 1, n - 2, &value)) {
	case OK:
		put_hex(out, value);
		return true;
	case ERR_NOT_FOUND:
		buf_add_str(out, "absent");
		return true;
	default:
		return false;
	}
}

/* root slot node …: the slot's word */
static bool run_slot(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(words_done) struct words w = {.bytes = {0}};
	struct hash32 root, slot;
	struct u256 value;
	if (hash_parse(args[0], &root) || hash_parse(args[1], &slot) ||
	    !words_read(&w, args + 2, n - 2) ||
	    trie_prove_slot(root, slot, w.word, n - 2, &value))
		return false;
	buf_add_str(out, u256_text(value).s);
	return true;
}

/* The last argument's JSON. */
static bool parse(struct slice text, struct json_doc **ret)
{
	struct err_text error;
	return !json_parse(text, VECTORS_OUT_MAX, JSON_DEPTH_MAX, ret, &error);
}

static bool not_proved(enum proved proved, struct buf *out)
{
	if (proved == PROVED)
		return false;
	buf_add_str(out, verdicts[proved]);
	return true;
}

/* hash json */
static bool run_header(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	struct header h;
	struct hash32 hash;
	(void)n;
	if (hash_parse(args[0], &hash) || !parse(args[1], &doc))
		return false;
	if (not_proved(header_prove(json_root(doc), hash, &h, &error), out))
		return true;
	struct block_ref ref = header_ref(&h, hash);
	buf_printf(out, "form %d number %llu time %llu parent %s", h.form,
		   (unsigned long long)ref.number, (unsigned long long)ref.time,
		   hash_text(ref.parent).s);
	buf_printf(out, " state %s", hash_text(h.state_root).s);
	buf_printf(out, " fee %s", u256_text(h.base_fee).s);
	return true;
}

/* rlp: decoded, encoded again */
static bool run_header_rlp(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(words_done) struct words w;
	CLEANUP(buf_done) struct buf again;
	struct header h;
	buf_init(&again, HEADER_RLP_MAX);
	if (!words_read(&w, args, n) || header_decode(w.word[0], &h))
		return false;
	header_encode(&h, &again);
	if (!slice_eq(buf_slice(&again), w.word[0]))
		buf_add_str(out, "other bytes ");
	buf_printf(out, "form %d %s", h.form, hash_text(header_hash(&h)).s);
	return true;
}

static void put_tx(struct slice raw, struct buf *out)
{
	struct raw_tx tx;
	struct address sender;
	struct hash32 blob;
	if (raw_tx_decode(raw, &tx) || raw_tx_sender(&tx, &sender)) {
		buf_add_str(out, " undecodable");
		return;
	}
	buf_printf(out, " %d:%s:%s:%s:%llu:", tx.type,
		   hash_text(tx_hash(raw)).s, address_text(sender).s,
		   tx.create ? "create" : address_text(tx.to).s,
		   (unsigned long long)tx.nonce);
	put_hex(out, tx.input);
	buf_printf(out, ":%s", u256_text(tx.value).s);
	while (raw_tx_blob_hash(&tx, &blob))
		buf_printf(out, ":%s", hash_text(blob).s);
}

/* root json: type:hash:sender:to:nonce:input:value[:blob] of each */
static bool run_txs(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	CLEANUP(trie_list_done) struct trie_list list;
	struct err_text error;
	struct hash32 root;
	(void)n;
	trie_list_init(&list, RAW_TXS_MAX);
	if (hash_parse(args[0], &root) || !parse(args[1], &doc))
		return false;
	if (not_proved(raw_txs_prove(json_root(doc), root, &list, &error), out))
		return true;
	buf_printf(out, "%zu", trie_list_len(&list));
	for (size_t i = 0; i < trie_list_len(&list); i++)
		put_tx(trie_list_at(&list, i), out);
	return true;
}

static void put_receipt(struct slice bytes, struct buf *out)
{
	struct receipt receipt;
	struct receipt_log log;
	if (receipt_decode(bytes, &receipt)) {
		buf_add_str(out, " undecodable");
		return;
	}
	buf_printf(out, " %u:%d:%llu", receipt.type, receipt.succeeded,
		   (unsigned long long)receipt.gas_used);
	while (receipt_log_next(&receipt, &log)) {
		buf_printf(out, ":%s", address_text(log.address).s);
		bool held = bloom_may_hold(receipt.bloom, log.address);
		for (size_t i = 0; i < log.n_topics; i++) {
			held &= bloom_may_hold_topic(receipt.bloom,
						     log.topics[i]);
			buf_printf(out, ",%s", hash_text(log.topics[i]).s);
		}
		buf_add_str(out, held ? "," : ",not in bloom,");
		put_hex(out, log.data);
	}
}

/* root json: type:succeeded:gas[:address,topic…,data…] of each */
static bool run_receipts(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	CLEANUP(trie_list_done) struct trie_list list;
	struct err_text error;
	struct hash32 root;
	(void)n;
	trie_list_init(&list, RECEIPTS_MAX);
	if (hash_parse(args[0], &root) || !parse(args[1], &doc))
		return false;
	if (not_proved(receipts_prove(json_root(doc), root, &list, &error),
		       out))
		return true;
	buf_printf(out, "%zu", trie_list_len(&list));
	for (size_t i = 0; i < trie_list_len(&list); i++)
		put_receipt(trie_list_at(&list, i), out);
	return true;
}

/* root address json slot … */
static bool run_witness(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct hash32 root, slots[SLOTS_MAX];
	struct u256 values[SLOTS_MAX];
	struct trie_account account;
	struct address address;
	struct err_text error;
	if (hash_parse(args[0], &root) || address_parse(args[1], &address) ||
	    !parse(args[2], &doc) || n > SLOTS_MAX)
		return false;
	for (size_t i = 3; i < n; i++)
		if (hash_parse(args[i], &slots[i - 3]))
			return false;
	if (not_proved(witness_prove(json_root(doc), root, address, slots,
				     n - 3, &account, values, &error),
		       out))
		return true;
	buf_printf(out, "%s %llu %s", account.exists ? "there" : "absent",
		   (unsigned long long)account.nonce,
		   u256_text(account.balance).s);
	buf_printf(out, " %s", hash_text(account.storage_root).s);
	buf_printf(out, " %s", hash_text(account.code_hash).s);
	for (size_t i = 3; i < n; i++)
		buf_printf(out, " %s", u256_text(values[i - 3]).s);
	return true;
}

const struct vectors_command vectors_trie[] = {
	{"trie.root", 0, run_root},	   {"trie.list", 0, run_list},
	{"trie.prove", 2, run_prove},	   {"trie.slot", 2, run_slot},
	{"block.header", 2, run_header},   {"block.rlp", 1, run_header_rlp},
	{"block.txs", 2, run_txs},	   {"block.receipts", 2, run_receipts},
	{"block.witness", 3, run_witness}, {NULL, 0, NULL},
};
