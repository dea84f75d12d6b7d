/* Receipts of L1 as a block holds them, and the logs in them.  What a provider
 * prints is encoded again and held against receiptsRoot; logs are then read
 * from the proved bytes, never from the print.  Pure. */
#ifndef EGRESS_ABI_RECEIPT_H
#define EGRESS_ABI_RECEIPT_H

#include "abi/bloom.h"
#include "abi/proved.h"
#include "abi/rlp.h"

#define RECEIPTS_MAX	   (64u << 20) /* of one block, encoded */
#define RECEIPT_TOPICS_MAX 4
#define RECEIPT_TYPE_MAX   4 /* EIP-7702: the same fields in all of them */

struct receipt {
	uint8_t type;
	bool succeeded;		/* EIP-658; unknown, false, before Byzantium */
	uint64_t gas_used;	/* cumulative in the block */
	const uint8_t *bloom;	/* BLOOM_BYTES, borrowed */
	struct rlp_reader logs; /* see receipt_log_next() */
};

struct receipt_log {
	struct address address;
	size_t n_topics;
	struct hash32 topics[RECEIPT_TOPICS_MAX];
	struct slice data; /* borrowed */
};

/* Appends a receipt object of JSON-RPC as EIP-2718 bytes.  A logsBloom that is
 * not printed is computed.  ERR_INVALID: r says why.  ERR_NOT_FOUND: of a type
 * that is not known. */
MUST_CHECK enum err receipt_encode(struct json_reader *r, const json_node *o,
				   struct buf *to);
/* Strict, the logs included.  ERR_INVALID. */
MUST_CHECK enum err receipt_decode(struct slice bytes, struct receipt *ret);
/* The next log, or false after the last. */
MUST_CHECK bool receipt_log_next(struct receipt *receipt,
				 struct receipt_log *ret);

/* All of a block's receipt objects, in order, against its header's
 * receiptsRoot.  ret is the caller's, initialised; item i is receipt i.  A
 * log's index in the block is the count of logs before it. */
MUST_CHECK enum proved receipts_prove(const json_node *receipts,
				      struct hash32 root, struct trie_list *ret,
				      struct err_text *error);

#endif
