#include "abi/receipt.h"

#define DATA_MAX (16u << 20) /* of one log: 8 gas a byte */

/* ---- from JSON-RPC */

/* bloom: to be added to, or NULL. */
static void put_log(struct json_reader *r, const json_node *o, struct buf *to,
		    uint8_t *bloom)
{
	CLEANUP(buf_done) struct buf data;
	buf_init(&data, DATA_MAX);
	size_t start = to->len, list;
	struct address address = json_address(r, o, "address");
	struct slice bytes = slice_of(address.b, sizeof(address.b));
	const json_node *topics = json_array(r, o, "topics");
	rlp_put_bytes(to, bytes);
	if (bloom)
		bloom_add(bloom, bytes);
	list = to->len;
	if (json_len(topics) > RECEIPT_TOPICS_MAX)
		json_fail(r, "topics", "expected at most 4");
	for (size_t i = 0; i < json_len(topics) && !r->failed; i++) {
		struct hash32 topic = json_hash(r, json_at(topics, i), NULL);
		bytes = slice_of(topic.b, sizeof(topic.b));
		rlp_put_bytes(to, bytes);
		if (bloom)
			bloom_add(bloom, bytes);
	}
	rlp_wrap_list(to, list);
	json_bytes(r, o, "data", &data);
	rlp_put_bytes(to, buf_slice(&data));
	rlp_wrap_list(to, start);
}

/* EIP-658: "the status code"; before it, the state's root. */
static void put_outcome(struct json_reader *r, const json_node *o,
			struct buf *to)
{
	struct hash32 root;
	uint64_t status;
	if (json_has(o, "status")) {
		status = json_quantity(r, o, "status");
		if (status > 1)
			json_fail(r, "status", "expected 0x0 or 0x1");
		rlp_put_u64(to, status);
	} else {
		root = json_hash(r, o, "root");
		rlp_put_bytes(to, slice_of(root.b, sizeof(root.b)));
	}
}

enum err receipt_encode(struct json_reader *r, const json_node *node,
			struct buf *to)
{
	uint8_t bloom[BLOOM_BYTES] = {0};
	const json_node *o = json_object(r, node, NULL), *logs;
	uint64_t type = json_has(o, "type") ? json_quantity(r, o, "type") : 0;
	if (r->failed)
		return ERR_INVALID;
	if (type > RECEIPT_TYPE_MAX)
		return ERR_NOT_FOUND;
	if (type)
		buf_add_byte(to, (uint8_t)type);
	size_t start = to->len, list, at;
	put_outcome(r, o, to);
	rlp_put_u64(to, json_quantity(r, o, "cumulativeGasUsed"));
	at = to->len;
	rlp_put_bytes(to, slice_of(bloom, sizeof(bloom)));
	logs = json_array(r, o, "logs");
	list = to->len;
	bool told = json_has(o, "logsBloom");
	for (size_t i = 0; i < json_len(logs) && !r->failed; i++)
		put_log(r, json_at(logs, i), to, told ? NULL : bloom);
	rlp_wrap_list(to, list);
	if (told)
		json_hex(r, o, "logsBloom", bloom, sizeof(bloom));
	if (!to->failed) /* the bloom's place, behind its header of 3 bytes */
		memcpy(to->p + at + 3, bloom, sizeof(bloom));
	rlp_wrap_list(to, start);
	return r->failed ? ERR_INVALID : OK;
}

enum proved receipts_prove(const json_node *receipts, struct hash32 root,
			   struct trie_list *ret, struct err_text *error)
{
	return proved_list(receipts, root, receipt_encode, "receipts", ret,
			   error);
}

/* ---- from the proved bytes */

static bool more(const struct rlp_reader *r)
{
	return !r->failed && r->rest.len;
}

static void take_exactly(struct rlp_reader *r, void *to, size_t len)
{
	struct slice s = rlp_bytes(r);
	if (s.len != len)
		r->failed = true;
	else
		memcpy(to, s.p, len);
}

static void take_log(struct rlp_reader *r, struct receipt_log *log)
{
	struct rlp_reader fields = rlp_list(r);
	*log = (struct receipt_log){.n_topics = 0};
	take_exactly(&fields, log->address.b, sizeof(log->address.b));
	struct rlp_reader topics = rlp_list(&fields);
	while (more(&topics) && log->n_topics < RECEIPT_TOPICS_MAX)
		take_exactly(&topics, log->topics[log->n_topics++].b,
			     sizeof(struct hash32));
	log->data = rlp_bytes(&fields);
	if (!rlp_end(&topics) || !rlp_end(&fields))
		r->failed = true;
}

static void take_outcome(struct rlp_reader *r, struct receipt *receipt)
{
	struct slice s = rlp_bytes(r);
	if (s.len > 1 ? s.len != sizeof(struct hash32)
		      : s.len == 1 && s.p[0] != 1)
		r->failed = true;
	receipt->succeeded = s.len == 1;
}

enum err receipt_decode(struct slice bytes, struct receipt *ret)
{
	struct receipt receipt = {.type = 0};
	struct rlp_reader outer = rlp_reader(bytes);
	if (bytes.len && !rlp_is_list(&outer)) {
		if (!bytes.p[0] || bytes.p[0] > RECEIPT_TYPE_MAX)
			return ERR_INVALID;
		receipt.type = bytes.p[0];
		outer = rlp_reader(slice_of(bytes.p + 1, bytes.len - 1));
	}
	struct rlp_reader r = rlp_list(&outer);
	take_outcome(&r, &receipt);
	receipt.gas_used = rlp_u64(&r);
	struct slice bloom = rlp_bytes(&r);
	receipt.bloom = bloom.p;
	receipt.logs = rlp_list(&r);
	if (!rlp_end(&outer) || !rlp_end(&r) || bloom.len != BLOOM_BYTES)
		return ERR_INVALID;
	struct rlp_reader logs = receipt.logs;
	struct receipt_log log;
	while (more(&logs))
		take_log(&logs, &log);
	if (logs.failed)
		return ERR_INVALID;
	*ret = receipt;
	return OK;
}

bool receipt_log_next(struct receipt *receipt, struct receipt_log *ret)
{
	if (!more(&receipt->logs))
		return false;
	take_log(&receipt->logs, ret);
	return true;
}
