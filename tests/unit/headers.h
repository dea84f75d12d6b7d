/* Blocks as a node prints them, whose hash is that of their fields. */
#ifndef EGRESS_TESTS_HEADERS_H
#define EGRESS_TESTS_HEADERS_H

#include "tests/unit/unit.h"

#include "abi/header.h"
#include "abi/json.h"

/* A block of London's form; extra tells branches apart. */
static inline struct header a_header(uint64_t number, struct hash32 parent,
				     uint64_t time, uint64_t base_fee,
				     struct slice extra)
{
	return (struct header){.form = HEADER_LONDON,
			       .parent = parent,
			       .number = number,
			       .time = time,
			       .gas_limit = 30000000,
			       .base_fee = u256_from(base_fee),
			       .extra = extra};
}

/* The fields of h, within an object that has begun. */
static inline void put_header(struct json_writer *w, const struct header *h,
			      struct hash32 hash)
{
	json_put_hash(w, "hash", hash);
	json_put_hash(w, "parentHash", h->parent);
	json_put_hash(w, "sha3Uncles", h->uncles_hash);
	json_put_address(w, "miner", h->miner);
	json_put_hash(w, "stateRoot", h->state_root);
	json_put_hash(w, "transactionsRoot", h->transactions_root);
	json_put_hash(w, "receiptsRoot", h->receipts_root);
	json_put_hex(w, "logsBloom", h->bloom, sizeof(h->bloom));
	json_put_quantity(w, "difficulty", h->difficulty.w[0]);
	json_put_quantity(w, "number", h->number);
	json_put_quantity(w, "gasLimit", h->gas_limit);
	json_put_quantity(w, "gasUsed", h->gas_used);
	json_put_quantity(w, "timestamp", h->time);
	json_put_hex(w, "extraData", h->extra.p, h->extra.len);
	json_put_hash(w, "mixHash", h->mix_hash);
	json_put_hex(w, "nonce", h->nonce, sizeof(h->nonce));
	json_put_quantity(w, "baseFeePerGas", h->base_fee.w[0]);
}

#endif
