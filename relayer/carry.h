/* Consent and proof, carried to L1: complete bundles, the opening that needs
 * no vote, and the proof that a batch is bad.
 *
 * Watchers only bring them; every signature, guardian and number is compared
 * with the facts here, and L1 is asked before anything is sent. */
#ifndef EGRESS_RELAYER_CARRY_H
#define EGRESS_RELAYER_CARRY_H

#include "abi/ballot.h"
#include "relayer/parts.h"

struct carry;

struct carry *carry_new(struct parts *parts);
void carry_free(struct carry *c);
void carry_turn(struct carry *c, struct turn *t);
void carry_news(struct carry *c, struct turn *t, const struct task_news *news);
uint64_t carry_next(const struct carry *c);
size_t carry_bundles(const struct carry *c);

/* This relayer's place among those that act on the same thing, told apart by
 * seed: 0 first.  Another seed, another order. */
unsigned stagger_rank(struct address account, struct hash32 seed);

/* ---- pure: carry_judge.c
 * --------------------------------------------------------------- */
/* The vote is of this hatch, chain, epoch and progress. */
bool carry_fits(const struct hatch_facts *facts, uint64_t chain_id,
		const struct vote *vote);
/* Enough guardians, alive and in the right phase at `now`. */
bool carry_ready(const struct hatch_facts *facts, const struct bundle *bundle,
		 uint64_t now);
/* … and alive still in the block after the one of `now`. */
bool carry_lasts(const struct hatch_facts *facts, const struct vote *vote,
		 uint64_t now);

#endif
