/* Transactions and receipts of a simulated block as its tries hold them. */
#include <assert.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "abi/rlp.h"
#include "abi/trie.h"
#include "abi/tx.h"
#include "tests/sim/chain.h"

#define RAW_MAX	    (TX_DATA_MAX + 512)
#define DATA_MAX    8192 /* of one log */
#define CALL_GAS    5000000
#define MAX_FEE	    1000
#define RECEIPT_MAX (DATA_MAX + 1024)

struct sim_tx *body_new(struct sim_block *b)
{
	struct sim_tx *tx = calloc(1, sizeof(*tx));

	assert(tx && b->n_txs < SIM_TXS);
	buf_init(&tx->raw, RAW_MAX);
	buf_init(&tx->data, DATA_MAX);
	b->txs[b->n_txs++] = tx;
	return tx;
}

void body_free(struct sim_tx *tx)
{
	buf_done(&tx->raw);
	buf_done(&tx->data);
	free(tx);
}

/* ---- signatures that cost nothing ----
 * SEC 1, 4.1.3 with k = 1: r is the generator's x, whose y is even, and s is
 * z + r d modulo n.  It gives the key away, which is a small number anyway. */

static struct u256 hex256(const char *digits)
{
	uint8_t be[32];

	if (hex_decode(slice_str(digits), be, sizeof(be)))
		abort();
	return u256_from_be(be, sizeof(be));
}

/* a + b modulo n; both are less. */
static struct u256 add_mod(struct u256 a, struct u256 b, struct u256 n)
{
	struct u256 rest, sum;

	if (!u256_sub(n, b, &rest)) /* n − b */
		abort();
	if (!u256_sub(a, rest, &sum) && !u256_add(a, b, &sum))
		abort();
	return sum;
}

static struct signature sign(unsigned account, struct hash32 digest)
{
	const struct u256 n = hex256("0xfffffffffffffffffffffffffffffffe"
				     "baaedce6af48a03bbfd25e8cd0364141"),
			  half = hex256("0x7fffffffffffffffffffffffffffffff"
					"5d576e7357a4501ddfe92f46681b20a0"),
			  r = hex256("0x79be667ef9dcbbac55a06295ce870b07"
				     "029bfcdb2dce28d959f2815b16f81798");
	struct u256 s = u256_from_be(digest.b, sizeof(digest.b));
	struct signature ret;
	unsigned parity = 0;

	if (u256_cmp(s, n) >= 0 && !u256_sub(s, n, &s))
		abort();
	for (unsigned d = 0; d < SIM_KEY_FIRST + account; d++)
		s = add_mod(s, r, n);
	if (u256_cmp(s, half) > 0) {
		if (!u256_sub(n, s, &s))
			abort();
		parity = 1;
	}
	u256_to_be(r, ret.b, 32);
	u256_to_be(s, ret.b + 32, 32);
	ret.b[64] = (uint8_t)(27 + parity);
	return ret;
}

void body_sign(const struct sim_chain *c, struct sim_block *b,
	       struct sim_tx *tx, unsigned account, struct slice input)
{
	struct tx plain = {.chain_id = SIM_CHAIN_ID,
			   .nonce = b->state.nonces[account]++,
			   .max_tip = u256_from(SIM_TIP),
			   .max_fee = u256_from(MAX_FEE),
			   .gas = CALL_GAS,
			   .to = tx->to,
			   .data = input};
	struct signature signature = sign(account, tx_digest(&plain));

	tx_encode_signed(&plain, &signature, &tx->raw);
	assert(!tx->raw.failed);
	tx->from = c->accounts[account];
	tx->hash = tx_hash(buf_slice(&tx->raw));
}

static void bloom_of(const struct sim_tx *tx, uint8_t bloom[BLOOM_BYTES])
{
	if (!tx->has_log)
		return;
	bloom_add(bloom, slice_of(tx->emitter.b, sizeof(tx->emitter.b)));
	for (size_t t = 0; t < tx->n_topics; t++)
		bloom_add(bloom, slice_of(tx->topics[t].b, 32));
}

static void put_log(const struct sim_tx *tx, struct buf *to)
{
	size_t start = to->len, topics;

	rlp_put_bytes(to, slice_of(tx->emitter.b, sizeof(tx->emitter.b)));
	topics = to->len;
	for (size_t t = 0; t < tx->n_topics; t++)
		rlp_put_bytes(to, slice_of(tx->topics[t].b, 32));
	rlp_wrap_list(to, topics);
	rlp_put_bytes(to, buf_slice(&tx->data));
	rlp_wrap_list(to, start);
}

/* EIP-2718: "TransactionType || ReceiptPayload", EIP-1559: "rlp([status,
 * cumulative_transaction_gas_used, logs_bloom, logs])" */
static void put_receipt(const struct sim_tx *tx, uint64_t gas, struct buf *to)
{
	uint8_t bloom[BLOOM_BYTES] = {0};
	size_t start, logs;

	buf_add_byte(to, RAW_TX_DYNAMIC_FEE);
	start = to->len;
	rlp_put_u64(to, !tx->reverted);
	rlp_put_u64(to, gas);
	bloom_of(tx, bloom);
	rlp_put_bytes(to, slice_of(bloom, sizeof(bloom)));
	logs = to->len;
	if (tx->has_log)
		put_log(tx, to);
	rlp_wrap_list(to, logs);
	rlp_wrap_list(to, start);
}

void body_seal(struct sim_block *b)
{
	struct header *h = &b->header;
	struct trie_list txs, receipts;

	h->transactions_root = h->receipts_root = trie_empty_root;
	if (!b->n_txs)
		return;
	trie_list_init(&txs, SIM_TXS * RAW_MAX);
	trie_list_init(&receipts, SIM_TXS * RECEIPT_MAX);
	for (size_t i = 0; i < b->n_txs; i++) {
		h->gas_used += SIM_TX_GAS;
		bloom_of(b->txs[i], h->bloom);
		buf_add_slice(&txs.bytes, buf_slice(&b->txs[i]->raw));
		trie_list_close(&txs);
		put_receipt(b->txs[i], h->gas_used, &receipts.bytes);
		trie_list_close(&receipts);
	}
	if (trie_list_root(&txs, &h->transactions_root) ||
	    trie_list_root(&receipts, &h->receipts_root))
		abort();
	trie_list_done(&txs);
	trie_list_done(&receipts);
}
