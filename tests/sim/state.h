/* The contracts' and accounts' state after a block as L1 keeps it: storage
 * words, storage tries, the trie of accounts. */
#ifndef EGRESS_SIM_STATE_H
#define EGRESS_SIM_STATE_H

#include "tests/sim/chain.h"
#include "tests/sim/trie.h"

#define STATE_BALANCE UINT64_C(1000000000000000000) /* of each account, wei */

#define SIM_SLOTS 48 /* non-zero ones of one contract */

struct sim_slot {
	struct hash32 slot, word;
};

struct sim_storage {
	struct sim_storage *next; /* all of the chain's */
	size_t n;
	struct sim_slot slots[SIM_SLOTS];
	struct sim_trie trie;
};

struct sim_tries {
	struct sim_tries *next; /* all of the chain's */
	const struct sim_storage *storage[SIM_CONTRACTS];
	uint64_t nonces[SIM_ACCOUNTS];
	struct sim_trie accounts;
};

/* A state as tries; before: those of one that is much the same, or NULL.  They
 * live as long as the chain. */
const struct sim_tries *state_tries(struct sim_chain *c,
				    const struct sim_state *s,
				    const struct sim_tries *before);
void state_free(struct sim_chain *c);
struct hash32 state_word(const struct sim_tries *t, enum sim_contract at,
			 struct hash32 slot);
/* Where an account or a slot stands in its trie. */
struct hash32 state_account_path(struct address a);
struct hash32 state_slot_path(struct hash32 slot);
/* Sets the deployed bytes and their hashes. */
void state_deploy(struct sim_chain *c);

#endif
