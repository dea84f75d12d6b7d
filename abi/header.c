#include "abi/header.h"

#include <assert.h>

#include "abi/hex.h"
#include "abi/keccak.h"
#include "abi/rlp.h"

static void put_hash(struct buf *to, struct hash32 h)
{
	rlp_put_bytes(to, slice_of(h.b, sizeof(h.b)));
}

/* The fields that forks appended, as far as the form goes. */
static void put_appended(const struct header *h, struct buf *to)
{
	if (h->form >= HEADER_LONDON)
		rlp_put_u256(to, h->base_fee);
	if (h->form >= HEADER_SHANGHAI)
		put_hash(to, h->withdrawals_root);
	if (h->form >= HEADER_CANCUN) {
		rlp_put_u64(to, h->blob_gas_used);
		rlp_put_u64(to, h->excess_blob_gas);
		put_hash(to, h->beacon_root);
	}
	if (h->form >= HEADER_PRAGUE)
		put_hash(to, h->requests_hash);
}

void header_encode(const struct header *h, struct buf *to)
{
	size_t start = to->len;
	assert(h->extra.len <= HEADER_EXTRA_MAX);
	put_hash(to, h->parent);
	put_hash(to, h->uncles_hash);
	rlp_put_bytes(to, slice_of(h->miner.b, sizeof(h->miner.b)));
	put_hash(to, h->state_root);
	put_hash(to, h->transactions_root);
	put_hash(to, h->receipts_root);
	rlp_put_bytes(to, slice_of(h->bloom, sizeof(h->bloom)));
	rlp_put_u256(to, h->difficulty);
	rlp_put_u64(to, h->number);
	rlp_put_u64(to, h->gas_limit);
	rlp_put_u64(to, h->gas_used);
	rlp_put_u64(to, h->time);
	rlp_put_bytes(to, h->extra);
	put_hash(to, h->mix_hash);
	rlp_put_bytes(to, slice_of(h->nonce, sizeof(h->nonce)));
	put_appended(h, to);
	rlp_wrap_list(to, start);
}

struct hash32 header_hash(const struct header *h)
{
	CLEANUP(buf_done) struct buf rlp;
	buf_init(&rlp, HEADER_RLP_MAX);
	header_encode(h, &rlp);
	assert(!rlp.failed);
	return keccak256(rlp.p, rlp.len);
}

struct block_ref header_ref(const struct header *h, struct hash32 hash)
{
	return (struct block_ref){.number = h->number,
				  .hash = hash,
				  .parent = h->parent,
				  .time = h->time};
}

/* ---- from RLP */

static void take(struct rlp_reader *r, void *to, size_t len)
{
	struct slice s = rlp_bytes(r);
	if (s.len != len)
		r->failed = true;
	else
		memcpy(to, s.p, len);
}

static struct hash32 take_hash(struct rlp_reader *r)
{
	struct hash32 h = {{0}};
	take(r, h.b, sizeof(h.b));
	return h;
}

static void take_appended(struct rlp_reader *r, struct header *h)
{
	if (rlp_end(r))
		return;
	h->form = HEADER_LONDON;
	h->base_fee = rlp_u256(r);
	if (rlp_end(r))
		return;
	h->form = HEADER_SHANGHAI;
	h->withdrawals_root = take_hash(r);
	if (rlp_end(r))
		return;
	h->form = HEADER_CANCUN;
	h->blob_gas_used = rlp_u64(r);
	h->excess_blob_gas = rlp_u64(r);
	h->beacon_root = take_hash(r);
	if (rlp_end(r))
		return;
	h->form = HEADER_PRAGUE;
	h->requests_hash = take_hash(r);
}

enum err header_decode(struct slice rlp, struct header *ret)
{
	struct rlp_reader outer = rlp_reader(rlp), r = rlp_list(&outer);
	struct header h = {.form = HEADER_FRONTIER};
	h.parent = take_hash(&r);
	h.uncles_hash = take_hash(&r);
	take(&r, h.miner.b, sizeof(h.miner.b));
	h.state_root = take_hash(&r);
	h.transactions_root = take_hash(&r);
	h.receipts_root = take_hash(&r);
	take(&r, h.bloom, sizeof(h.bloom));
	h.difficulty = rlp_u256(&r);
	h.number = rlp_u64(&r);
	h.gas_limit = rlp_u64(&r);
	h.gas_used = rlp_u64(&r);
	h.time = rlp_u64(&r);
	h.extra = rlp_bytes(&r);
	h.mix_hash = take_hash(&r);
	take(&r, h.nonce, sizeof(h.nonce));
	take_appended(&r, &h);
	if (!rlp_end(&outer) || !rlp_end(&r) || h.extra.len > HEADER_EXTRA_MAX)
		return ERR_INVALID;
	*ret = h;
	return OK;
}

/* ---- from JSON-RPC */

/* What is hashed, and what nodes print beside it.  Any other field may be the
 * mark of a fork that we do not know. */
static const char *const known_fields[] = {
	"parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot",
	"receiptsRoot", "logsBloom", "difficulty", "number", "gasLimit",
	"gasUsed", "timestamp", "extraData", "mixHash", "nonce",
	"baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas",
	"parentBeaconBlockRoot", "requestsHash",
	/* not hashed */
	"hash", "size", "totalDifficulty", "transactions", "uncles",
	"withdrawals", "author",
	/* BSC: the timestamp with what mixHash says of its fraction */
	"milliTimestamp", NULL};

/* The last fork whose field is there has all of the older forks' too. */
static void read_appended(struct json_reader *r, const json_node *o,
			  struct header *h)
{
	static const char *const first[] = {
		[HEADER_LONDON] = "baseFeePerGas",
		[HEADER_SHANGHAI] = "withdrawalsRoot",
		[HEADER_CANCUN] = "parentBeaconBlockRoot",
		[HEADER_PRAGUE] = "requestsHash",
	};
	h->form = HEADER_FRONTIER;
	for (unsigned form = HEADER_LONDON; form < ARRAY_LEN(first); form++)
		if (json_has(o, first[form]))
			h->form = (enum header_form)form;
	if (h->form >= HEADER_LONDON)
		h->base_fee = json_quantity256(r, o, "baseFeePerGas");
	if (h->form >= HEADER_SHANGHAI)
		h->withdrawals_root = json_hash(r, o, "withdrawalsRoot");
	if (h->form >= HEADER_CANCUN) {
		h->blob_gas_used = json_quantity(r, o, "blobGasUsed");
		h->excess_blob_gas = json_quantity(r, o, "excessBlobGas");
		h->beacon_root = json_hash(r, o, "parentBeaconBlockRoot");
	}
	if (h->form >= HEADER_PRAGUE)
		h->requests_hash = json_hash(r, o, "requestsHash");
}

static void read_header(struct json_reader *r, const json_node *o,
			struct header *h, struct buf *extra)
{
	h->parent = json_hash(r, o, "parentHash");
	h->uncles_hash = json_hash(r, o, "sha3Uncles");
	h->miner = json_address(r, o, "miner");
	h->state_root = json_hash(r, o, "stateRoot");
	h->transactions_root = json_hash(r, o, "transactionsRoot");
	h->receipts_root = json_hash(r, o, "receiptsRoot");
	json_hex(r, o, "logsBloom", h->bloom, sizeof(h->bloom));
	h->difficulty = json_quantity256(r, o, "difficulty");
	h->number = json_quantity(r, o, "number");
	h->gas_limit = json_quantity(r, o, "gasLimit");
	h->gas_used = json_quantity(r, o, "gasUsed");
	h->time = json_quantity(r, o, "timestamp");
	json_bytes(r, o, "extraData", extra);
	h->extra = buf_slice(extra);
	h->mix_hash = json_hash(r, o, "mixHash");
	json_hex(r, o, "nonce", h->nonce, sizeof(h->nonce));
	read_appended(r, o, h);
}

enum proved header_prove(const json_node *block, struct hash32 hash,
			 struct header *ret, struct err_text *error)
{
	struct json_reader r = {0}, unknown = {0};
	struct header h = {.form = HEADER_FRONTIER};
	CLEANUP(buf_done) struct buf extra;
	buf_init(&extra, HEADER_EXTRA_MAX);
	read_header(&r, json_object(&r, block, NULL), &h, &extra);
	if (r.failed) {
		err_text_set(error, "block: %s: %s", r.field, r.what);
		return PROVED_SHAPE;
	}
	struct hash32 found = header_hash(&h);
	h.extra = (struct slice){0};
	if (hash_eq(found, hash)) {
		*ret = h;
		return PROVED;
	}
	json_only(&unknown, block, known_fields);
	if (unknown.failed) {
		const char *field = strrchr(unknown.field, '.');
		err_text_set(error,
			     "block %llu has a field %s that this version of "
			     "Egress cannot hash",
			     (unsigned long long)h.number,
			     field ? field + 1 : unknown.field);
		return PROVED_UNKNOWN;
	}
	err_text_set(error, "block %llu: its fields have the hash %s, not %s",
		     (unsigned long long)h.number, hash_text(found).s,
		     hash_text(hash).s);
	return PROVED_FALSE;
}
