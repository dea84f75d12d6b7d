#include "abi/raw_tx.h"

#include "abi/keccak.h"
#include "abi/key.h"

#define INPUT_MAX   (16u << 20) /* BSC and test chains take more than 128 KiB */
#define WORD_DIGITS 66		/* 0x and 64 */
#define EIP155_V    35		/* "{0,1} + CHAIN_ID * 2 + 35" */

/* ---- from JSON-RPC */

static void put_hash(struct buf *to, struct hash32 h)
{
	rlp_put_bytes(to, slice_of(h.b, sizeof(h.b)));
}

static void put_address(struct buf *to, struct address a)
{
	rlp_put_bytes(to, slice_of(a.b, sizeof(a.b)));
}

static void put_number(struct json_reader *r, const json_node *o,
		       const char *key, struct buf *to)
{
	rlp_put_u256(to, json_quantity256(r, o, key));
}

/* r or s: a quantity, or by some nodes all of its 32 bytes. */
static void put_scalar(struct json_reader *r, const json_node *o,
		       const char *key, struct buf *to)
{
	if (strlen(json_string(r, o, key, WORD_DIGITS)) < WORD_DIGITS) {
		put_number(r, o, key, to);
		return;
	}
	struct hash32 word = json_hash(r, o, key);
	rlp_put_u256(to, u256_from_be(word.b, sizeof(word.b)));
}

/* yParity, or v of nodes that are older than it. */
static void put_signature(struct json_reader *r, const json_node *o,
			  bool legacy, struct buf *to)
{
	bool parity = !legacy && json_has(o, "yParity");
	put_number(r, o, parity ? "yParity" : "v", to);
	put_scalar(r, o, "r", to);
	put_scalar(r, o, "s", to);
}

static void put_hashes(struct json_reader *r, const json_node *o,
		       const char *key, struct buf *to)
{
	size_t start = to->len;
	const json_node *hashes = json_array(r, o, key);
	for (size_t i = 0; i < json_len(hashes); i++)
		put_hash(to, json_hash(r, json_at(hashes, i), NULL));
	rlp_wrap_list(to, start);
}

/* EIP-2930: "[[{20 bytes}, [{32 bytes}...]]...]" */
static void put_access_list(struct json_reader *r, const json_node *o,
			    struct buf *to)
{
	size_t start = to->len;
	const json_node *list = json_array(r, o, "accessList");
	for (size_t i = 0; i < json_len(list); i++) {
		size_t entry = to->len;
		put_address(to, json_address(r, json_at(list, i), "address"));
		put_hashes(r, json_at(list, i), "storageKeys", to);
		rlp_wrap_list(to, entry);
	}
	rlp_wrap_list(to, start);
}

/* EIP-7702: "[[chain_id, address, nonce, y_parity, r, s], ...]" */
static void put_authorizations(struct json_reader *r, const json_node *o,
			       struct buf *to)
{
	size_t start = to->len;
	const json_node *list = json_array(r, o, "authorizationList");
	for (size_t i = 0; i < json_len(list); i++) {
		const json_node *a = json_object(r, json_at(list, i), NULL);
		size_t entry = to->len;
		put_number(r, a, "chainId", to);
		put_address(to, json_address(r, a, "address"));
		put_number(r, a, "nonce", to);
		put_signature(r, a, false, to);
		rlp_wrap_list(to, entry);
	}
	rlp_wrap_list(to, start);
}

/* What every type has in a row: gas, to, value, input. */
static void put_message(struct json_reader *r, const json_node *o,
			struct buf *to)
{
	CLEANUP(buf_done) struct buf input;
	buf_init(&input, INPUT_MAX);
	put_number(r, o, "gas", to);
	if (json_has(o, "to"))
		put_address(to, json_address(r, o, "to"));
	else
		rlp_put_bytes(to, (struct slice){0});
	put_number(r, o, "value", to);
	json_bytes(r, o, "input", &input);
	rlp_put_bytes(to, buf_slice(&input));
}

enum err raw_tx_encode(struct json_reader *r, const json_node *tx,
		       struct buf *to)
{
	const json_node *o = json_object(r, tx, NULL);
	uint64_t type = json_has(o, "type") ? json_quantity(r, o, "type") : 0;
	if (r->failed)
		return ERR_INVALID;
	if (type > RAW_TX_SET_CODE)
		return ERR_NOT_FOUND;
	if (type)
		buf_add_byte(to, (uint8_t)type);
	size_t start = to->len;
	if (type)
		put_number(r, o, "chainId", to);
	put_number(r, o, "nonce", to);
	if (type >= RAW_TX_DYNAMIC_FEE) {
		put_number(r, o, "maxPriorityFeePerGas", to);
		put_number(r, o, "maxFeePerGas", to);
	} else {
		put_number(r, o, "gasPrice", to);
	}
	put_message(r, o, to);
	if (type)
		put_access_list(r, o, to);
	if (type == RAW_TX_BLOB) {
		put_number(r, o, "maxFeePerBlobGas", to);
		put_hashes(r, o, "blobVersionedHashes", to);
	}
	if (type == RAW_TX_SET_CODE)
		put_authorizations(r, o, to);
	put_signature(r, o, !type, to);
	rlp_wrap_list(to, start);
	return r->failed ? ERR_INVALID : OK;
}

enum proved raw_txs_prove(const json_node *transactions, struct hash32 root,
			  struct trie_list *ret, struct err_text *error)
{
	return proved_list(transactions, root, raw_tx_encode, "transactions",
			   ret, error);
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

static void check_hashes(struct rlp_reader *r)
{
	struct rlp_reader list = rlp_list(r);
	struct hash32 hash;
	while (more(&list))
		take_exactly(&list, hash.b, sizeof(hash.b));
	r->failed |= list.failed;
}

static void check_access_list(struct rlp_reader *r)
{
	struct rlp_reader list = rlp_list(r);
	struct address address;
	while (more(&list)) {
		struct rlp_reader entry = rlp_list(&list);
		take_exactly(&entry, address.b, sizeof(address.b));
		check_hashes(&entry);
		list.failed |= !rlp_end(&entry);
	}
	r->failed |= list.failed;
}

static void check_authorizations(struct rlp_reader *r)
{
	struct rlp_reader list = rlp_list(r);
	struct address address;
	while (more(&list)) {
		struct rlp_reader entry = rlp_list(&list);
		(void)rlp_u256(&entry); /* chain id */
		take_exactly(&entry, address.b, sizeof(address.b));
		(void)rlp_u64(&entry);	/* nonce */
		(void)rlp_u64(&entry);	/* parity */
		(void)rlp_u256(&entry); /* r */
		(void)rlp_u256(&entry); /* s */
		list.failed |= !rlp_end(&entry);
	}
	r->failed |= list.failed;
}

static void take_message(struct rlp_reader *r, struct raw_tx *tx)
{
	tx->gas = rlp_u64(r);
	struct slice to = rlp_bytes(r);
	tx->create = !to.len;
	if (to.len == sizeof(tx->to.b))
		memcpy(tx->to.b, to.p, to.len);
	else if (to.len)
		r->failed = true;
	tx->value = rlp_u256(r);
	tx->input = rlp_bytes(r);
}

/* All that is signed. */
static void take_unsigned(struct rlp_reader *r, struct raw_tx *tx)
{
	if (tx->type)
		(void)rlp_u256(r); /* chain id */
	tx->nonce = rlp_u64(r);
	tx->max_tip = rlp_u256(r);
	tx->max_fee =
		tx->type >= RAW_TX_DYNAMIC_FEE ? rlp_u256(r) : tx->max_tip;
	take_message(r, tx);
	if (tx->type)
		check_access_list(r);
	if (tx->type == RAW_TX_BLOB) {
		struct rlp_reader before;
		(void)rlp_u256(r); /* the fee for its blobs */
		before = *r;
		check_hashes(r);
		tx->blob_hashes = rlp_list(&before);
	}
	if (tx->type == RAW_TX_SET_CODE)
		check_authorizations(r);
}

enum err raw_tx_decode(struct slice bytes, struct raw_tx *ret)
{
	struct raw_tx tx = {.type = RAW_TX_LEGACY, .whole = bytes};
	struct rlp_reader outer = rlp_reader(bytes);
	if (bytes.len && !rlp_is_list(&outer)) {
		if (!bytes.p[0] || bytes.p[0] > RAW_TX_SET_CODE)
			return ERR_INVALID;
		tx.type = (enum raw_tx_type)bytes.p[0];
		outer = rlp_reader(slice_of(bytes.p + 1, bytes.len - 1));
	}
	struct rlp_reader r = rlp_list(&outer);
	if (!rlp_end(&outer))
		return ERR_INVALID;
	tx.unsigned_at = bytes.len - r.rest.len;
	take_unsigned(&r, &tx);
	tx.unsigned_n = bytes.len - r.rest.len - tx.unsigned_at;
	tx.v = rlp_u256(&r);
	tx.r = rlp_u256(&r);
	tx.s = rlp_u256(&r);
	if (!rlp_end(&r))
		return ERR_INVALID;
	*ret = tx;
	return OK;
}

bool raw_tx_blob_hash(struct raw_tx *tx, struct hash32 *ret)
{
	struct slice s;
	if (!more(&tx->blob_hashes))
		return false;
	s = rlp_bytes(&tx->blob_hashes);
	memcpy(ret->b, s.p, sizeof(ret->b)); /* its length was checked */
	return true;
}

/* The parity of v, and what EIP-155 signs after the fields. */
static enum err signed_v(const struct raw_tx *tx, uint64_t *ret_parity,
			 bool *ret_chained, struct u256 *ret_chain)
{
	struct u256 v = tx->v;
	*ret_chained = false;
	if (tx->type || u256_cmp(v, u256_from(EIP155_V)) < 0) {
		*ret_parity = u256_u64(v) - (tx->type ? 0 : 27);
		return *ret_parity > 1 ? ERR_INVALID : OK;
	}
	if (!u256_sub(v, u256_from(EIP155_V), &v))
		return ERR_INVALID;
	*ret_chained = true;
	*ret_chain = u256_div64(v, 2, ret_parity);
	return OK;
}

enum err raw_tx_sender(const struct raw_tx *tx, struct address *ret)
{
	struct signature signature;
	struct u256 chain;
	uint64_t parity;
	bool chained;
	if (signed_v(tx, &parity, &chained, &chain))
		return ERR_INVALID;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, tx->unsigned_n + 64);
	if (tx->type)
		buf_add_byte(&b, (uint8_t)tx->type);
	size_t start = b.len;
	buf_add(&b, tx->whole.p + tx->unsigned_at, tx->unsigned_n);
	if (chained) {
		rlp_put_u256(&b, chain);
		rlp_put_u64(&b, 0);
		rlp_put_u64(&b, 0);
	}
	rlp_wrap_list(&b, start);
	u256_to_be(tx->r, signature.b, 32);
	u256_to_be(tx->s, signature.b + 32, 32);
	signature.b[64] = (uint8_t)(27 + parity);
	if (b.failed || key_recover(keccak256(b.p, b.len), &signature, ret))
		return ERR_INVALID;
	return OK;
}
