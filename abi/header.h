/* A block's header ⇄ its hash, in every form from Frontier to Osaka.  Pure.
 *
 * The form is told by the fields that are there: each fork appends to the one
 * before (EIP-1559, EIP-4895, EIP-4844 with EIP-4788, EIP-7685). */
#ifndef EGRESS_ABI_HEADER_H
#define EGRESS_ABI_HEADER_H

#include "abi/block.h"
#include "abi/bloom.h"
#include "abi/json.h"
#include "abi/proved.h"

/* 32 bytes on Ethereum; BSC's epoch blocks list up to 45 validators in it. */
#define HEADER_EXTRA_MAX 8192
#define HEADER_RLP_MAX	 (HEADER_EXTRA_MAX + 1024)

enum header_form {
	HEADER_FRONTIER, /* 15 fields */
	HEADER_LONDON,	 /* + base_fee */
	HEADER_SHANGHAI, /* + withdrawals_root */
	HEADER_CANCUN,	 /* + blob_gas_used, excess_blob_gas, beacon_root */
	HEADER_PRAGUE,	 /* + requests_hash; Osaka's too */
};

struct header {
	enum header_form form;
	struct hash32 parent, uncles_hash;
	struct address miner;
	struct hash32 state_root, transactions_root, receipts_root;
	uint8_t bloom[BLOOM_BYTES];
	struct u256 difficulty;
	uint64_t number, gas_limit, gas_used, time;
	struct slice extra; /* borrowed, ≤ HEADER_EXTRA_MAX */
	struct hash32 mix_hash;
	uint8_t nonce[8];
	struct u256 base_fee; /* wei; what the form lacks is zero */
	struct hash32 withdrawals_root;
	uint64_t blob_gas_used, excess_blob_gas;
	struct hash32 beacon_root, requests_hash;
};

/* Appends the RLP whose keccak256 is the block's hash. */
void header_encode(const struct header *h, struct buf *to);
struct hash32 header_hash(const struct header *h);
/* Strict: what decodes, encodes to the same bytes.  extra borrows from them.
 * ERR_INVALID. */
MUST_CHECK enum err header_decode(struct slice rlp, struct header *ret);

/* Holds a block object of JSON-RPC against the hash that was agreed on; what
 * the object itself calls its hash is not looked at.  ret->extra is not kept.
 * PROVED_UNKNOWN: the hash is another, and there are fields that no header up
 * to Osaka and no node's reply up to now has; error names the first.  When
 * honest providers disagree with a PROVED_FALSE all at once, theirs is a form
 * whose new field their nodes do not print. */
MUST_CHECK enum proved header_prove(const json_node *block, struct hash32 hash,
				    struct header *ret, struct err_text *error);
struct block_ref header_ref(const struct header *h, struct hash32 hash);

#endif
