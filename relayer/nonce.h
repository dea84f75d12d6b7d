/* The durable side of transactions: which nonce carries which signed bytes.
 *
 * "Reserve the nonce and store the signed bytes in one transaction, then
 * broadcast the same bytes."  Older versions of a nonce (replacements) are
 * remembered by hash, for one of them may be the one that is mined. */
#ifndef EGRESS_RELAYER_NONCE_H
#define EGRESS_RELAYER_NONCE_H

#include "relayer/limits.h"
#include "store/requests.h"

struct nonces {
	const struct requests *requests;
	struct store_table older; /* nonce(8) hash(32) → empty */
	struct store_table spent; /* what(1) number(8) → wei(32) */
};

MUST_CHECK enum err nonces_open(struct store_txn *txn,
				const struct requests *requests,
				struct nonces *ret);
/* Stores tx under its nonce; a version that stood there stays known by its
 * hash. */
MUST_CHECK enum err nonces_put(struct store_txn *txn, const struct nonces *n,
			       const struct sent_tx *tx);
/* Hashes of the earlier versions; at most FLIGHT_HASHES_MAX - 1, newest
 * kept. */
MUST_CHECK enum err nonces_older(struct store_txn *txn, const struct nonces *n,
				 uint64_t nonce, struct hash32 *ret,
				 size_t *ret_count);
/* All below are final: forgets them. */
MUST_CHECK enum err nonces_forget(struct store_txn *txn, const struct nonces *n,
				  uint64_t below);
/* One that no node ever took: its bytes are forgotten, it may be used again. */
MUST_CHECK enum err nonces_release(struct store_txn *txn,
				   const struct nonces *n, uint64_t nonce);
/* The lowest nonce ≥ chain that none of `used` (n of them) has: a gap is
 * filled before anything is put behind it. Pure. */
uint64_t nonce_pick(uint64_t chain, const uint64_t *used, size_t n);

/* ---- money gone to L1 --------------------------------------------------- */
enum spent_on { SPENT_HOUR = 1, SPENT_LIFE = 2, SPENT_EVACUATION = 3 };
/* number: hours since 1970, or the rollup's `openings`. */
MUST_CHECK enum err spent_get(struct store_txn *txn, const struct nonces *n,
			      enum spent_on what, uint64_t number,
			      struct u256 *ret);
MUST_CHECK enum err spent_add(struct store_txn *txn, const struct nonces *n,
			      enum spent_on what, uint64_t number,
			      struct u256 wei);

#endif
