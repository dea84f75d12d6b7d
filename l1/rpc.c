/* JSON-RPC as nodes speak it: strict in shape, lenient in words. */
#include "l1/rpc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/header.h"
#include "abi/hex.h"
#include "l1/limits.h"

#define REVERT_DATA_MAX 16384

void rpc_body(struct buf *to, const struct rpc_call *calls, size_t n)
{
	struct json_writer w = json_writer(to);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < n; i++) {
		json_begin(&w, NULL);
		json_put_string(&w, "jsonrpc", "2.0");
		json_put_u64(&w, "id", i);
		json_put_string(&w, "method", calls[i].method);
		json_put_raw(&w, "params", calls[i].params);
		json_end(&w);
	}
	json_end_array(&w);
}

/* eth_getBlockBy…: hashes of the transactions only. */
static bool is_header_only(const struct rpc_call *call)
{
	static const char end[] = ",false]";
	const size_t len = sizeof(end) - 1;
	return call->params.len > len &&
	       !memcmp(call->params.p + call->params.len - len, end, len);
}

size_t rpc_reply_max(const struct rpc_call *calls, size_t n)
{
	/* hex is twice the bytes; the rest is names and hashes */
	static const struct {
		const char *method;
		size_t max;
	} table[] = {
		{"eth_getLogs", L1_REPLY_MAX},
		{"eth_getBlockByNumber", L1_BLOCK_REPLY_MAX},
		{"eth_getBlockByHash", L1_REPLY_MAX},
		{"eth_getProof", L1_PROOF_REPLY_MAX},
		{"eth_getCode", 2 * L1_CODE_MAX + L1_SMALL_REPLY_MAX},
		{"eth_getBlockReceipts", L1_REPLY_MAX},
		{"eth_getTransactionReceipt", L1_BLOCK_REPLY_MAX},
		{"eth_getTransactionByHash",
		 2 * L1_INPUT_MAX + L1_SMALL_REPLY_MAX},
	};
	size_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		size_t max = L1_SMALL_REPLY_MAX;
		for (size_t k = 0; k < ARRAY_LEN(table); k++)
			if (!strcmp(calls[i].method, table[k].method))
				max = table[k].max;
		if (!strcmp(calls[i].method, "eth_getBlockByHash") &&
		    is_header_only(&calls[i]))
			max = L1_BLOCK_REPLY_MAX;
		sum += max;
	}
	return sum < L1_REPLY_MAX ? sum : L1_REPLY_MAX;
}

static bool has_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

bool rpc_is_known(const char *text)
{
	/* geth and erigon, nethermind, besu, anvil */
	static const char *const words[] = {"already known",
					    "AlreadyKnown",
					    "known transaction",
					    "already imported",
					    "already in pool",
					    "already exists",
					    NULL};
	return has_any(text, words);
}

bool rpc_is_lacking(const char *text)
{
	/* geth and reth, erigon, nethermind, besu, gateways */
	static const char *const words[] = {
		"method not found",	   "does not exist/is not available",
		"method does not exist",   "not supported",
		"unsupported method",	   "method not allowed",
		"not implemented",	   "unknown method",
		"method is not available", NULL};
	return has_any(text, words);
}

bool rpc_is_throttled(int code, const char *text)
{
	static const char *const words[] = {
		"rate limit",	 "too many request",	"request rate",
		"request limit", "requests per second", "RPS limit",
		"compute units", "capacity exceeded",	NULL};
	return code == 429 || has_any(text, words);
}

/* geth: data is the bytes; parity's heirs: "Reverted 0x…". */
static void read_revert_data(const json_node *error, struct buf *to)
{
	struct json_reader r = {0};
	buf_init(to, REVERT_DATA_MAX);
	const char *text = json_string(&r, error, "data", 2 * REVERT_DATA_MAX);
	const char *hex = r.failed ? NULL : strstr(text, "0x");
	if (hex && hex_decode_buf(slice_str(hex), to))
		buf_clear(to);
}

static void read_error(const json_node *error, struct rpc_answer *a)
{
	struct json_reader r = {0};
	const json_node *message = json_get(error, "message");
	const char *text = json_string(&r, message, NULL, 1u << 20);
	(void)snprintf(a->text, sizeof(a->text), "%.*s",
		       (int)sizeof(a->text) - 1,
		       r.failed ? "an error without a message" : text);
	/* codes are negative, which json_u64 does not read; only 3 matters */
	struct json_reader positive = {0};
	uint64_t code = json_u64(&positive, error, "code");
	a->code = positive.failed || code > 999 ? -1 : (int)code;
	/* estimating for an empty purse ends the same way at every node */
	if (a->code == 3 || strcasestr(a->text, "revert") ||
	    strcasestr(a->text, "insufficient funds")) {
		a->kind = RPC_REVERT;
		read_revert_data(error, &a->data);
	} else {
		a->kind = RPC_FAILED;
	}
}

static enum err read_answer(const json_node *node, struct rpc_reply *reply,
			    bool *seen, struct err_text *error)
{
	struct json_reader r = {0};
	uint64_t id = json_u64(&r, node, "id");
	if (r.failed || id >= reply->n || seen[id]) {
		err_text_set(error, "a batch's answer with an id that was not "
				    "asked, or twice");
		return ERR_INVALID;
	}
	seen[id] = true;
	struct rpc_answer *a = &reply->answers[id];
	bool failed = json_has(node, "error");
	a->result = json_get(node, "result");
	if (failed) {
		a->result = NULL;
		read_error(json_get(node, "error"), a);
		if (a->kind == RPC_FAILED && rpc_is_throttled(a->code, a->text))
			reply->throttled = true;
	} else if (!a->result) {
		err_text_set(error, "an answer without result and error");
		return ERR_INVALID;
	}
	return OK;
}

/* One error for all of it: what a gateway says. */
static enum err read_refusal(const json_node *root, struct rpc_reply *reply,
			     struct err_text *error)
{
	struct rpc_answer a = {0};
	reply->fault = FAULT_SHAPE;
	if (!json_has(root, "error")) {
		err_text_set(error, "not a JSON-RPC batch answer");
		return ERR_INVALID;
	}
	read_error(json_get(root, "error"), &a);
	buf_done(&a.data);
	reply->throttled = rpc_is_throttled(a.code, a.text);
	reply->fault = reply->throttled ? FAULT_THROTTLED : FAULT_REFUSED;
	err_text_set(error, "%s", a.text);
	return ERR_INVALID;
}

/* anvil prints a revert's raw bytes into its message.  A NUL there is the
 * node's words and no value; left in, it would condemn the whole answer. */
static enum err parse_without_nul(struct slice body, struct rpc_reply *reply,
				  struct err_text *error)
{
	static const char nul[] = "\\u0000", space[] = "\\u0020";
	const size_t len = sizeof(nul) - 1;
	CLEANUP(buf_done) struct buf copy;

	buf_init(&copy, L1_REPLY_MAX);
	if (!memmem(body.p, body.len, nul, len))
		return ERR_INVALID;
	buf_add_slice(&copy, body);
	if (copy.failed)
		return ERR_INVALID;
	uint8_t *at = copy.p, *end = copy.p + copy.len;
	while ((at = memmem(at, (size_t)(end - at), nul, len)))
		memcpy(at, space, len);
	return json_parse_reply(buf_slice(&copy), L1_REPLY_MAX, L1_REPLY_DEEP,
				&reply->doc, error);
}

static bool is_html(struct slice body)
{
	size_t i = 0;
	while (i < body.len && strchr(" \t\r\n", body.p[i]) && body.p[i])
		i++;
	return i < body.len && body.p[i] == '<';
}

static enum err parse_into(struct slice body, struct rpc_reply *reply,
			   struct err_text *error)
{
	enum err err = json_parse_reply(body, L1_REPLY_MAX, L1_REPLY_DEEP,
					&reply->doc, error);
	if (err)
		err = parse_without_nul(body, reply, error);
	if (err) {
		struct err_text why = *error;
		reply->fault = is_html(body) ? FAULT_HTML : FAULT_NOT_JSON;
		if (is_html(body))
			err_text_set(error, "it answers HTML, not JSON-RPC: "
					    "check its URL");
		else
			err_text_set(error, "its answer is not JSON: %.160s",
				     why.text);
		return ERR_INVALID;
	}
	reply->fault = FAULT_SHAPE; /* until all of it was read */
	const json_node *root = json_root(reply->doc);
	struct json_reader r = {0};
	const json_node *list = json_array(&r, root, NULL);
	if (r.failed)
		return read_refusal(root, reply, error);
	if (json_len(list) != reply->n) {
		err_text_set(error, "%zu answers to %zu calls", json_len(list),
			     reply->n);
		return ERR_INVALID;
	}
	bool seen[QUORUM_CALLS_MAX] = {0};
	for (size_t i = 0; i < reply->n && !err; i++)
		err = read_answer(json_at(list, i), reply, seen, error);
	return err;
}

enum err rpc_parse(struct slice body, size_t n, struct rpc_reply *ret,
		   struct err_text *error)
{
	assert(n > 0 && n <= QUORUM_CALLS_MAX);
	struct rpc_reply reply = {.n = n};
	reply.answers = calloc(n, sizeof(*reply.answers));
	if (!reply.answers)
		abort();
	enum err err = parse_into(body, &reply, error);
	if (err) {
		const struct rpc_reply why = reply;
		rpc_reply_done(&reply);
		reply.throttled = why.throttled;
		reply.fault = why.fault;
	}
	*ret = reply;
	return err;
}

void rpc_reply_done(struct rpc_reply *reply)
{
	for (size_t i = 0; reply->answers && i < reply->n; i++)
		buf_done(&reply->answers[i].data);
	free(reply->answers);
	json_free(reply->doc);
	*reply = (struct rpc_reply){0};
}

enum err rpc_parse_again(struct slice body, size_t n, struct rpc_memo *memo,
			 struct err_text *error)
{
	memo->again = memo->text.len && memo->reply.n == n &&
		      slice_eq(buf_slice(&memo->text), body);
	if (memo->again)
		return OK;
	rpc_memo_done(memo);
	enum err err = rpc_parse(body, n, &memo->reply, error);
	buf_init(&memo->text, L1_MEMO_MAX);
	if (!err)
		buf_add_slice(&memo->text, body);
	return err;
}

void rpc_memo_done(struct rpc_memo *memo)
{
	rpc_reply_done(&memo->reply);
	buf_done(&memo->text);
}

const char *const rpc_block_fields[] = {"number",    "hash",	  "parentHash",
					"timestamp", "logsBloom", NULL};

bool rpc_block_read(const json_node *node, struct rpc_block *ret,
		    struct err_text *why)
{
	struct json_reader r = {0};
	struct header header;
	const json_node *o = json_object(&r, node, NULL);
	struct rpc_block block = {
		.ref = {.number = json_quantity(&r, o, "number"),
			.hash = json_hash(&r, o, "hash"),
			.parent = json_hash(&r, o, "parentHash"),
			.time = json_quantity(&r, o, "timestamp")}};
	if (json_has(o, "baseFeePerGas"))
		block.base_fee = json_quantity(&r, o, "baseFeePerGas");
	if (r.failed)
		return false;
	err_text_set(why, "%s", "");
	enum proved proved = header_prove(node, block.ref.hash, &header, why);
	block.proved = proved == PROVED;
	block.newer = proved == PROVED_UNKNOWN;
	*ret = block;
	return true;
}

void rpc_params_tag(struct buf *b, const char *tag)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_put_string(&w, NULL, tag);
	json_put_bool(&w, NULL, false);
	json_end_array(&w);
}

void rpc_params_hash(struct buf *b, struct hash32 hash, bool whole)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_put_hash(&w, NULL, hash);
	json_put_bool(&w, NULL, whole);
	json_end_array(&w);
}

void rpc_params_receipts(struct buf *b, struct hash32 hash)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_put_hash(&w, NULL, hash);
	json_end_array(&w);
}

void rpc_params_block(struct buf *b, uint64_t number)
{
	char tag[24];
	(void)snprintf(tag, sizeof(tag), "0x%llx", (unsigned long long)number);
	rpc_params_tag(b, tag);
}

void rpc_params_tx(struct buf *b, struct hash32 tx)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_put_hash(&w, NULL, tx);
	json_end_array(&w);
}

/* EIP-1898 */
static void put_block(struct json_writer *w, struct hash32 hash)
{
	json_begin(w, NULL);
	json_put_hash(w, "blockHash", hash);
	json_end(w);
}

void rpc_params_at(struct buf *b, struct address at, struct hash32 block)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_put_address(&w, NULL, at);
	put_block(&w, block);
	json_end_array(&w);
}

void rpc_params_slot(struct buf *b, struct address at, struct hash32 slot,
		     struct hash32 block)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_put_address(&w, NULL, at);
	json_put_hash(&w, NULL, slot);
	put_block(&w, block);
	json_end_array(&w);
}

void rpc_params_proof(struct buf *b, struct address at,
		      const struct hash32 *slots, size_t n, struct hash32 block)
{
	struct json_writer w = json_writer(b);
	json_begin_array(&w, NULL);
	json_put_address(&w, NULL, at);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < n; i++)
		json_put_hash(&w, NULL, slots[i]);
	json_end_array(&w);
	put_block(&w, block);
	json_end_array(&w);
}
