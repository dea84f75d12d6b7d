/* When a bundle is worth a transaction, and whose turn it is.  Pure. */
#include "abi/contracts_tables.h"
#include "abi/keccak.h"
#include "relayer/carry.h"
#include "relayer/limits.h"

unsigned stagger_rank(struct address account, struct hash32 seed)
{
	uint8_t both[sizeof(account.b) + sizeof(seed.b)];

	memcpy(both, account.b, sizeof(account.b));
	memcpy(both + sizeof(account.b), seed.b, sizeof(seed.b));
	return keccak256(both, sizeof(both)).b[0] % STAGGER_STEPS;
}

bool carry_fits(const struct hatch_facts *facts, uint64_t chain_id,
		const struct vote *vote)
{
	bool fast = vote->action == VOTE_PROMOTE || vote->action == VOTE_OPEN;
	bool slow = vote->action == VOTE_RESUME;

	return (fast || slow) && vote->chain_id == chain_id &&
	       address_eq(vote->hatch, facts->hatch) &&
	       vote->epoch == facts->epoch &&
	       vote->progress == (fast ? facts->count : 0);
}

static bool alive(const struct hatch_facts *facts, const struct vote *vote,
		  uint64_t now)
{
	if (vote->action == VOTE_RESUME)
		return now <= vote->expiry &&
		       vote->expiry <= now + EGRESS_SLOW_BALLOT;
	return ballot_fast_alive(vote->expiry, facts->terms.round, now);
}

bool carry_ready(const struct hatch_facts *facts, const struct bundle *bundle,
		 uint64_t now)
{
	const struct vote *vote = &bundle->vote;
	enum phase phase = phase_of(facts, now);
	struct hash32 nothing = vote_subject_bytes((struct slice){0});

	if (!alive(facts, vote, now))
		return false;
	switch (vote->action) {
	case VOTE_PROMOTE:
		return bundle->n >= facts->thresholds.promote &&
		       phase == PHASE_LATE;
	case VOTE_OPEN:
		return bundle->n >= facts->thresholds.open &&
		       hash_eq(vote->subject, nothing) &&
		       (phase == PHASE_LATE || phase == PHASE_PROMOTED);
	case VOTE_RESUME:
		return bundle->n >= facts->thresholds.resume &&
		       phase == PHASE_OPEN &&
		       now > phase_deadlines(facts).resume_from;
	case VOTE_AMEND: /* its subject is a hash: whoever has the text */
		return false;
	}
	return false;
}

bool carry_lasts(const struct hatch_facts *facts, const struct vote *vote,
		 uint64_t now)
{
	uint64_t margin = facts->terms.round < BUNDLE_MARGIN_S
				  ? facts->terms.round
				  : BUNDLE_MARGIN_S;

	return now + margin <= vote->expiry;
}
