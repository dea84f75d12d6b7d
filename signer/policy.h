/* What the keys of this signer may sign.  Pure: takes a policy and an ask,
 * returns a verdict.  Has no clock, no network, no store. */
#ifndef EGRESS_SIGNER_POLICY_H
#define EGRESS_SIGNER_POLICY_H

#include "abi/ask.h"
#include "signer/limits.h"

struct policy {
	uint64_t chain_id;
	struct address hatch, rollup; /* zero: none, so nothing about it */
	unsigned actions;	      /* bit 1 << enum vote_action */
	struct address standbys[SIGNER_STANDBYS_MAX];
	size_t n_standbys;
	bool any_standby; /* a human at a terminal names it */
	/* Seconds, as in the hatch's terms; 0: no ballots.  Nobody compares it
	 * with the hatch here: set shorter, choices may overlap on L1. */
	uint64_t round;
	bool citizen;		/* statements that move a citizen's money */
	bool deploy;		/* transactions that create contracts */
	struct u256 value, fee; /* caps in wei: of a transaction, of one gas */
};

struct policy_verdict {
	bool allowed;
	char why[160]; /* when not: one line */
};

struct policy_verdict policy_check(const struct policy *policy,
				   const struct ask *ask);

#endif
