/* Where SovereignRollup and EscapeHatch keep what is read of them ("Layout of
 * State Variables in Storage").  Pure. */
#ifndef EGRESS_L1_LAYOUT_H
#define EGRESS_L1_LAYOUT_H

#include "abi/contracts_tables.h"
#include "abi/typed.h"

/* key + n words */
struct hash32 layout_plus(struct hash32 key, uint64_t n);
/* Element 0 of the array at a slot. */
struct hash32 layout_list(unsigned slot);
/* Word `word` of a mapping's value. */
struct hash32 layout_entry(struct hash32 key, unsigned slot, unsigned word);

struct hash32 layout_exited(uint64_t bucket); /* its bits */
struct hash32 layout_vault(struct address asset);
/* Not zero once the signer's order of that EIP-712 digest was carried out. */
struct hash32 layout_used(struct hash32 digest, struct address signer);

/* A variable in its word, by the names of the tables. */
#define LAYOUT_U64(word, name)                                                 \
	get_be((word).b + 32 - OFF_##name - LEN_##name, LEN_##name)
#define LAYOUT_U256(word, name)                                                \
	u256_from_be((word).b + 32 - OFF_##name - LEN_##name, LEN_##name)
#define LAYOUT_ADDRESS(word, name)                                             \
	layout_address((word), OFF_##name, LEN_##name)
struct address layout_address(struct hash32 word, size_t off, size_t len);

#endif
