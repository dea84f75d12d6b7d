/* signer_answer(): rebuilds what it is asked to sign, checks it against the
 * policy and its own ledger, commits, and only then signs. */
#ifndef EGRESS_SIGNER_SIGNER_H
#define EGRESS_SIGNER_SIGNER_H

#include "abi/ask.h"
#include "signer/keyring.h"
#include "signer/policy.h"
#include "store/ballots.h"

struct signer {
	const struct policy *policy;
	struct keyring *keyring;
	struct store *store; /* NULL: no ballots (a citizen's or a relayer's) */
	struct ballots ballots;
	_Atomic bool store_unsafe; /* sticky: no ballot is signed any more */
};

/* Never fails: a refusal is an answer. may: bit 1 << enum ask_kind of what
 * this client may ask. */
void signer_answer(struct signer *signer, unsigned may, struct slice ask,
		   struct ask_answer *ret);

#endif
