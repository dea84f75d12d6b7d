/* The relayer's durable state: requests accepted and transactions sent.
 * Enums on disk are append-only. */
#ifndef EGRESS_STORE_REQUESTS_H
#define EGRESS_STORE_REQUESTS_H

#include "abi/statement.h"
#include "store/store.h"

enum request_state {
	REQUEST_QUEUED = 1,
	REQUEST_SIGNED = 2,
	REQUEST_SENT = 3,
	REQUEST_INCLUDED = 4,
	REQUEST_FINAL = 5,
	REQUEST_FAILED = 6,
};
const char *request_state_name(enum request_state s);

#define REQUEST_BODY_MAX    (REQUEST_RAW_MAX + 256)
#define REQUEST_OUTCOME_MAX 252 /* with the 0 at its end */

struct request {
	struct hash32 id;
	enum request_kind kind;
	enum request_state state;
	uint64_t accepted_at, deadline; /* unix seconds of L1 */
	struct withdraw withdraw;	/* REQUEST_WITHDRAWAL */
	struct exit_to exit_to;		/* REQUEST_EXIT */
	struct signature signature;	/* of the citizen: kinds 1 and 3 */
	/* REQUEST_TRANSACTION, until it ends; borrows from the txn */
	struct slice raw;
	uint64_t nonce; /* of the relayer's transaction, when SIGNED … */
	struct hash32 tx_hash;
	uint64_t block; /* INCLUDED: where */
	uint64_t l1_id; /* withdrawal or inbox id on L1, once included */
	char outcome[REQUEST_OUTCOME_MAX]; /* in plain words */
};

/* A signed transaction, stored before it is sent. */
struct sent_tx {
	uint64_t nonce;
	struct hash32 hash;
	uint8_t purpose;     /* enum ask_purpose */
	struct hash32 task;  /* what it is for: a request id or a task key */
	uint64_t sent_at_ms; /* unix ms of the last broadcast */
	uint64_t block;	     /* 0: not seen in a block */
	struct u256 max_fee, max_tip;
	uint64_t gas;
	struct slice raw; /* signed bytes; borrows from the txn */
};

struct requests {
	struct store_table requests, txs, meta, order, wishes, raws;
};

MUST_CHECK enum err requests_open(struct store_txn *txn, struct requests *ret);
/* ERR_CONFLICT: known already (nothing is written). */
MUST_CHECK enum err requests_add(struct store_txn *txn,
				 const struct requests *rs,
				 const struct request *r);
MUST_CHECK enum err requests_get(struct store_txn *txn,
				 const struct requests *rs, struct hash32 id,
				 struct request *ret);
/* Replaces it. The caller has asserted the transition. */
MUST_CHECK enum err requests_update(struct store_txn *txn,
				    const struct requests *rs,
				    const struct request *r);
/* Those that have not ended (not FINAL, not FAILED), oldest first, up to
 * max. `raw` borrows from txn. */
MUST_CHECK enum err requests_open_list(struct store_txn *txn,
				       const struct requests *rs,
				       struct request *ret, size_t max,
				       size_t *ret_count);
/* Publishes a wish (REQUEST_EXIT) from now until it ends: whoever calls has
 * proven that its signer owns the leaf. */
MUST_CHECK enum err requests_publish(struct store_txn *txn,
				     const struct requests *rs,
				     struct hash32 id);
/* What is published, oldest first, up to max. */
MUST_CHECK enum err requests_published(struct store_txn *txn,
				       const struct requests *rs,
				       struct request *ret, size_t max,
				       size_t *ret_count);
uint64_t requests_open_count(struct store_txn *txn, const struct requests *rs);

/* Next nonce to reserve: one more than the highest ever stored, or `chain` if
 * that is higher. */
MUST_CHECK enum err requests_next_nonce(struct store_txn *txn,
					const struct requests *rs,
					uint64_t chain, uint64_t *ret);
/* Stores or replaces the transaction of a nonce (a replacement keeps nonce
 * and task). */
MUST_CHECK enum err requests_put_tx(struct store_txn *txn,
				    const struct requests *rs,
				    const struct sent_tx *tx);
MUST_CHECK enum err requests_get_tx(struct store_txn *txn,
				    const struct requests *rs, uint64_t nonce,
				    struct sent_tx *ret);
/* Transactions with nonce ≥ from, ascending, up to max. */
MUST_CHECK enum err requests_tx_list(struct store_txn *txn,
				     const struct requests *rs, uint64_t from,
				     struct sent_tx *ret, size_t max,
				     size_t *ret_count);
/* This nonce's alone, if there is one. */
MUST_CHECK enum err requests_forget_tx(struct store_txn *txn,
				       const struct requests *rs,
				       uint64_t nonce);
/* Finished below this nonce: raw bytes may go. */
MUST_CHECK enum err requests_forget_txs(struct store_txn *txn,
					const struct requests *rs,
					uint64_t below);

#endif
