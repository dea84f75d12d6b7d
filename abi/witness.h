/* The reply of eth_getProof (EIP-1186) held against a block's stateRoot.  Of
 * its words only the proofs' nodes are read; what they prove is the answer. */
#ifndef EGRESS_ABI_WITNESS_H
#define EGRESS_ABI_WITNESS_H

#include "abi/proved.h"

#define WITNESS_BYTES_MAX (1u << 16) /* one proof: 64 branches of 532 bytes */

/* The account, and of n slots the values, in the order in which they were
 * asked.  A slot of an account that is not there is zero.
 * PROVED_FALSE: the nodes do not prove it, or prove another. */
MUST_CHECK enum proved
witness_prove(const json_node *reply, struct hash32 state_root,
	      struct address address, const struct hash32 *slots, size_t n,
	      struct trie_account *ret_account, struct u256 *ret_values,
	      struct err_text *error);

#endif
