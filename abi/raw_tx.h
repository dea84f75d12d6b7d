/* Transactions of L1 as a block holds them: every type up to EIP-7702.  What a
 * provider prints is encoded again and held against transactionsRoot; what is
 * used is then read from the proved bytes.  Pure. */
#ifndef EGRESS_ABI_RAW_TX_H
#define EGRESS_ABI_RAW_TX_H

#include "abi/proved.h"
#include "abi/rlp.h"

/* Of one block, encoded: EIP-7934 caps it at 10 MiB on Ethereum; other chains
 * hold more gas. */
#define RAW_TXS_MAX (32u << 20)

/* EIP-2718 "TransactionType"; BLOB: EIP-4844; SET_CODE: EIP-7702. */
enum raw_tx_type {
	RAW_TX_LEGACY = 0,
	RAW_TX_ACCESS_LIST = 1,
	RAW_TX_DYNAMIC_FEE = 2,
	RAW_TX_BLOB = 3,
	RAW_TX_SET_CODE = 4,
};

struct raw_tx {
	enum raw_tx_type type;
	uint64_t nonce, gas;
	/* wei a gas; up to ACCESS_LIST both are the gas price */
	struct u256 max_fee, max_tip;
	bool create;
	struct address to;
	struct u256 value;
	struct slice input;		/* borrowed */
	struct rlp_reader blob_hashes;	/* of BLOB; see raw_tx_blob_hash() */
	struct u256 v, r, s;		/* v: the parity, but for legacy */
	struct slice whole;		/* the bytes that were decoded */
	size_t unsigned_at, unsigned_n; /* the signed fields' RLP in it */
};

/* Appends a transaction object of JSON-RPC as EIP-2718 bytes; keccak256 of
 * them is its hash.  ERR_INVALID: r says why.  ERR_NOT_FOUND: of a type that
 * is not known. */
MUST_CHECK enum err raw_tx_encode(struct json_reader *r, const json_node *tx,
				  struct buf *to);
/* Strict about the form, not about what a chain would accept; lists that are
 * not looked at are checked to be RLP.  ERR_INVALID. */
MUST_CHECK enum err raw_tx_decode(struct slice bytes, struct raw_tx *ret);
/* Who signed it.  ERR_INVALID: nobody (a system's own transaction). */
MUST_CHECK enum err raw_tx_sender(const struct raw_tx *tx, struct address *ret);
/* The next versioned hash of a blob, or false after the last. */
MUST_CHECK bool raw_tx_blob_hash(struct raw_tx *tx, struct hash32 *ret);

/* All of a block's transaction objects, in order, against its header's
 * transactionsRoot.  ret is the caller's, initialised and empty; item i is the
 * raw transaction i. */
MUST_CHECK enum proved raw_txs_prove(const json_node *transactions,
				     struct hash32 root, struct trie_list *ret,
				     struct err_text *error);

#endif
