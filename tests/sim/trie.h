/* Tries of the simulated L1 that prove what stands in them: keys of 32 bytes,
 * as account and storage tries have.  Built once, never changed. */
#ifndef EGRESS_SIM_TRIE_H
#define EGRESS_SIM_TRIE_H

#include "abi/buf.h"

struct sim_entry {
	struct hash32 path; /* keccak256 of the address or the slot */
	uint8_t value[112]; /* RLP */
	size_t len;
};

struct sim_trie_node;
struct sim_trie {
	struct hash32 root;
	size_t n;
	struct sim_entry *entries; /* ascending */
	size_t n_nodes;
	struct sim_trie_node *nodes; /* the root is the last */
	struct buf rlp;
};

/* Copies n ≥ 1 entries of different paths. */
void sim_trie_build(struct sim_trie *t, const struct sim_entry *entries,
		    size_t n);
void sim_trie_done(struct sim_trie *t);
/* The nodes from the root towards a path, whether or not something stands
 * there: returns how many. */
#define SIM_TRIE_DEPTH 16
size_t sim_trie_prove(const struct sim_trie *t, struct hash32 path,
		      struct slice ret[SIM_TRIE_DEPTH]);

#endif
