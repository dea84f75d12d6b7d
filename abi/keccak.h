/* keccak-256 as Ethereum uses it (pad 0x01, not SHA-3's 0x06). */
#ifndef EGRESS_ABI_KECCAK_H
#define EGRESS_ABI_KECCAK_H

#include "abi/types.h"

struct hash32 keccak256(const void *p, size_t len);
/* keccak256(left ‖ right): one node of the ledger's tree. */
struct hash32 keccak256_pair(const struct hash32 *left,
			     const struct hash32 *right);

/* For what comes in pieces. */
struct keccak {
	uint64_t lane[25];
	size_t at; /* bytes absorbed in this block of 136 */
};
void keccak_init(struct keccak *k);
void keccak_add(struct keccak *k, const void *p, size_t len);
struct hash32 keccak_end(struct keccak *k);

#endif
