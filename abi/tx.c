/* EIP-1559 transactions in and out.  Decoding is as strict as encoding is
 * canonical: what decodes, encodes to the same bytes. */
#include "abi/tx.h"

#include <assert.h>

#include "abi/keccak.h"
#include "abi/rlp.h"

#define TX_TYPE 0x02
/* Every field but the data: 9 integers of 33 bytes at most, with headers. */
#define TX_FIXED_MAX 512

/* Gas, from the Ethereum specification and the EIPs named. */
#define GAS_TRANSACTION	  21000
#define GAS_CREATE	  32000 /* EIP-2 */
#define GAS_INITCODE_WORD 2	/* EIP-3860 */
#define GAS_TOKEN	  4	/* EIP-7623 STANDARD_TOKEN_COST */
#define GAS_FLOOR_TOKEN	  10	/* EIP-7623 TOTAL_COST_FLOOR_PER_TOKEN */

static void put_fields(const struct tx *tx, struct buf *to)
{
	size_t list;

	assert(tx->data.len <= TX_DATA_MAX);
	rlp_put_u64(to, tx->chain_id);
	rlp_put_u64(to, tx->nonce);
	rlp_put_u256(to, tx->max_tip);
	rlp_put_u256(to, tx->max_fee);
	rlp_put_u64(to, tx->gas);
	rlp_put_bytes(to, slice_of(tx->to.b, tx->create ? 0 : 20));
	rlp_put_u256(to, tx->value);
	rlp_put_bytes(to, tx->data);
	list = to->len;
	rlp_wrap_list(to, list); /* the access list */
}

void tx_encode_unsigned(const struct tx *tx, struct buf *to)
{
	size_t start;

	buf_add_byte(to, TX_TYPE);
	start = to->len;
	put_fields(tx, to);
	rlp_wrap_list(to, start);
}

void tx_encode_signed(const struct tx *tx, const struct signature *signature,
		      struct buf *to)
{
	size_t start;

	buf_add_byte(to, TX_TYPE);
	start = to->len;
	put_fields(tx, to);
	rlp_put_u64(to, signature->b[64] - 27u);
	rlp_put_u256(to, u256_from_be(signature->b, 32));
	rlp_put_u256(to, u256_from_be(signature->b + 32, 32));
	rlp_wrap_list(to, start);
}

struct hash32 tx_digest(const struct tx *tx)
{
	struct hash32 ret;
	struct buf b;

	buf_init(&b, TX_DATA_MAX + TX_FIXED_MAX);
	tx_encode_unsigned(tx, &b);
	assert(!b.failed);
	ret = keccak256(b.p, b.len);
	buf_done(&b);
	return ret;
}

/* The nine fields that both forms share. */
static void read_fields(struct rlp_reader *r, struct tx *tx)
{
	struct rlp_reader access;
	struct slice to;

	tx->chain_id = rlp_u64(r);
	tx->nonce = rlp_u64(r);
	tx->max_tip = rlp_u256(r);
	tx->max_fee = rlp_u256(r);
	tx->gas = rlp_u64(r);
	to = rlp_bytes(r);
	tx->create = to.len == 0;
	if (to.len == sizeof(tx->to.b))
		memcpy(tx->to.b, to.p, to.len);
	else if (to.len)
		r->failed = true;
	tx->value = rlp_u256(r);
	tx->data = rlp_bytes(r);
	if (tx->data.len > TX_DATA_MAX)
		r->failed = true;
	access = rlp_list(r);
	if (!rlp_end(&access))
		r->failed = true;
}

/* The list after the type byte; failed when there is another type. */
static struct rlp_reader open_list(struct slice bytes)
{
	struct rlp_reader outer, inner;

	if (!bytes.len || bytes.p[0] != TX_TYPE)
		return (struct rlp_reader){.failed = true};
	outer = rlp_reader(slice_of(bytes.p + 1, bytes.len - 1));
	inner = rlp_list(&outer);
	if (!rlp_end(&outer))
		inner.failed = true;
	return inner;
}

enum err tx_decode_unsigned(struct slice bytes, struct tx *ret)
{
	struct rlp_reader r = open_list(bytes);
	struct tx tx = {0};

	read_fields(&r, &tx);
	if (!rlp_end(&r))
		return ERR_INVALID;
	*ret = tx;
	return OK;
}

enum err tx_decode_signed(struct slice bytes, struct tx *ret,
			  struct signature *ret_signature,
			  struct address *ret_sender)
{
	struct rlp_reader r = open_list(bytes);
	struct signature signature;
	struct address sender;
	struct tx tx = {0};
	uint64_t parity;

	read_fields(&r, &tx);
	parity = rlp_u64(&r);
	u256_to_be(rlp_u256(&r), signature.b, 32);
	u256_to_be(rlp_u256(&r), signature.b + 32, 32);
	if (!rlp_end(&r) || parity > 1)
		return ERR_INVALID;
	signature.b[64] = (uint8_t)(27 + parity);
	if (key_recover(tx_digest(&tx), &signature, &sender))
		return ERR_INVALID;
	*ret = tx;
	*ret_signature = signature;
	*ret_sender = sender;
	return OK;
}

struct hash32 tx_hash(struct slice signed_bytes)
{
	return keccak256(signed_bytes.p, signed_bytes.len);
}

struct address tx_create_address(struct address sender, uint64_t nonce)
{
	struct address ret;
	struct hash32 hash;
	struct buf b;

	buf_init(&b, 64);
	rlp_put_bytes(&b, slice_of(sender.b, sizeof(sender.b)));
	rlp_put_u64(&b, nonce);
	rlp_wrap_list(&b, 0);
	assert(!b.failed);
	hash = keccak256(b.p, b.len);
	memcpy(ret.b, hash.b + 12, sizeof(ret.b));
	buf_done(&b);
	return ret;
}

uint64_t tx_intrinsic_gas(struct slice data, bool create)
{
	uint64_t tokens = 0, standard, at_least;

	/* "tokens_in_calldata = zero_bytes_in_calldata +
	 * nonzero_bytes_in_calldata * 4" */
	for (size_t i = 0; i < data.len; i++)
		tokens += data.p[i] ? 4 : 1;
	standard = GAS_TOKEN * tokens;
	if (create)
		standard +=
			GAS_CREATE + GAS_INITCODE_WORD * ((data.len + 31) / 32);
	at_least = GAS_FLOOR_TOKEN * tokens;
	return GAS_TRANSACTION + (standard > at_least ? standard : at_least);
}
