/* The signer's own ledger of choices: what must be durable before a ballot's
 * signature exists.
 *
 * I7: "A signer's choices for one (epoch, progress) have disjoint lives."
 * Another choice of one (epoch, progress) is taken only with expiry ≥ every
 * earlier one's expiry + 3·round. */
#ifndef EGRESS_STORE_BALLOTS_H
#define EGRESS_STORE_BALLOTS_H

#include "abi/typed.h"
#include "store/store.h"

struct ballots {
	struct store_table choices; /* key: key(20) chain(8) hatch(20) epoch(8)
				     * progress(8) action(1) subject(32) →
				     * highest expiry signed(8), longest
				     * round it was signed under(8) */
};

MUST_CHECK enum err ballots_open(struct store_txn *txn, struct ballots *ret);
/* Records the choice in txn, to be committed before signing.
 * `round` is the signer's own: it does not see the hatch's terms.  The longer
 * of both choices' rounds counts, so that a round that is set shorter later
 * does not shorten what was promised before.
 * PROMOTE and OPEN share one (epoch, progress): they exclude each other within
 * 3·round. RESUME and AMEND (progress 0) likewise among themselves, with
 * their life of up to 30 days: another subject only at expiry > the earlier
 * one's expiry + 30 days. The same choice again, at any expiry not below an
 * excluded one, is OK. ERR_CONFLICT: which choice and until when in error. */
MUST_CHECK enum err ballots_put(struct store_txn *txn, const struct ballots *b,
				struct address key, const struct vote *vote,
				uint64_t round, struct err_text *error);

#endif
