/* L1 transactions: EIP-1559 (type 2), unsigned and signed. */
#ifndef EGRESS_ABI_TX_H
#define EGRESS_ABI_TX_H

#include "abi/buf.h"
#include "abi/key.h"
#include "abi/u256.h"

#define TX_DATA_MAX 131072 /* the largest transaction nodes gossip: 128 KiB */

struct tx {
	uint64_t chain_id, nonce;
	struct u256 max_tip, max_fee; /* wei a gas */
	uint64_t gas;
	bool create; /* no `to`: deployment */
	struct address to;
	struct u256 value;
	struct slice data; /* borrowed */
};

/* 0x02 ‖ rlp([…9 fields, access list empty]) */
void tx_encode_unsigned(const struct tx *tx, struct buf *to);
void tx_encode_signed(const struct tx *tx, const struct signature *signature,
		      struct buf *to);
/* What the sender signs: keccak256 of the unsigned bytes. */
struct hash32 tx_digest(const struct tx *tx);
/* ERR_INVALID: other type, non-empty access list, trailing bytes, wrong
 * shape. data borrows from bytes. */
MUST_CHECK enum err tx_decode_unsigned(struct slice bytes, struct tx *ret);
MUST_CHECK enum err tx_decode_signed(struct slice bytes, struct tx *ret,
				     struct signature *ret_signature,
				     struct address *ret_sender);
/* keccak256 of the signed bytes. */
struct hash32 tx_hash(struct slice signed_bytes);
/* The address that (sender, nonce) creates. */
struct address tx_create_address(struct address sender, uint64_t nonce);
/* EIP-7623: "floor": the least gas a transaction with this data pays, the
 * creation's surcharge included. */
uint64_t tx_intrinsic_gas(struct slice data, bool create);

#endif
