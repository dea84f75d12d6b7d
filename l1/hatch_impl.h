/* What hatch.c (the facts) and identity.c (which contracts these are) share. */
#ifndef EGRESS_L1_HATCH_IMPL_H
#define EGRESS_L1_HATCH_IMPL_H

#include "abi/code.h"
#include "l1/l1_impl.h"

/* In one read: by a quorum's word, then, refuted by a proof, by proof. */
#define HATCH_LOOKS_MAX 2

enum hatch_part { PART_HATCH, PART_ROLLUP, PART_JUDGE };

/* What stands at one address. */
struct hatch_code {
	bool there, ours;
	struct hash32 hash;		   /* keccak256 of the code */
	struct code_immutables immutables; /* ours */
	struct address obeys; /* not ours but the rollup's: its hatch */
};

struct hatch_read {
	struct l1_op op;
	hatch_done *done;
	struct hatch_facts facts;
	/* identity.c */
	unsigned looks;
	enum hatch_part part; /* the one that is looked at */
	struct address where; /* it stands */
	struct hatch_code code;
	struct identity found;
	/* by proof */
	struct facts_guess guess;
	struct facts_keys on_hatch, on_rollup;
	struct hash32 hatch_code, rollup_code;
	struct address bare; /* proved to be no contract; zero: both are */
	bool again;	     /* guessed wrong once */
};

/* ---- identity.c ---- */

/* Looks at the contracts' code; then hatch_ask_facts(), or the read is over. */
MUST_CHECK enum err hatch_identify(struct hatch_read *read);

/* ---- hatch.c ---- */

MUST_CHECK enum err hatch_ask_facts(struct hatch_read *read);
/* Calls back and frees. */
void hatch_finish(struct hatch_read *read, enum err err, const char *why);
/* There is no contract at `at`. */
void hatch_finish_without(struct hatch_read *read, struct address at);

#endif
