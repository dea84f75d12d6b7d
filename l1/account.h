/* An L1 account's nonce, balance and fees, its transactions' fates, and
 * broadcasting. */
#ifndef EGRESS_L1_ACCOUNT_H
#define EGRESS_L1_ACCOUNT_H

#include "abi/u256.h"
#include "l1/l1.h"

struct account_state {
	uint64_t nonce; /* at the agreed head: never the pending count */
	struct u256 balance;
	bool proved; /* these two, by one provider's eth_getProof; else a
		      * quorum's word, for nobody could */
	uint64_t base_fee, tip; /* wei a gas; tip: the lower median of the
				 * providers' suggestions */
};
typedef void account_done(void *ctx, enum err err, const char *why,
			  const struct account_state *state);
MUST_CHECK enum err account_read(struct l1 *l1, struct address account,
				 account_done *done, void *ctx);

enum tx_fate { TX_UNSEEN, TX_PENDING, TX_SUCCESS, TX_REVERTED };
struct tx_status {
	enum tx_fate fate;
	bool proved; /* all this, by its block's receipts; else a quorum's word
		      */
	uint64_t block, gas_used, effective_price;
	struct hash32 block_hash;
	struct address created; /* deployments */
};
/* Which block it is in by a quorum's word, its receipt proved in that block by
 * one provider; where nobody can, the receipt under quorum.  A null receipt is
 * TX_UNSEEN or TX_PENDING, not a failure. ERR_CONFLICT: it just arrived, or
 * that block does not hold it: ask again. */
typedef void tx_status_done(void *ctx, enum err err, const char *why,
			    const struct tx_status *status);
MUST_CHECK enum err tx_status_read(struct l1 *l1, struct hash32 tx,
				   tx_status_done *done, void *ctx);

enum send_verdict {
	SEND_ACCEPTED,	  /* or already known */
	SEND_UNDERPRICED, /* replacement or pool minimum */
	SEND_NONCE_LOW,
	SEND_NO_FUNDS,	/* as SEND_REJECTED */
	SEND_REJECTED,	/* by all whom it reached: another reason, in text */
	SEND_NO_ANSWER, /* nobody took it, and one of them did not say */
};
/* What a node's words mean; SEND_REJECTED when they mean nothing else. */
enum send_verdict send_verdict_of(const char *text);
typedef void send_done(void *ctx, enum send_verdict verdict, const char *text);
/* To every provider. */
MUST_CHECK enum err tx_broadcast(struct l1 *l1, struct slice signed_bytes,
				 send_done *done, void *ctx);

/* eth_estimateGas at latest, from all: what a quorum is near to, or the higher
 * median; ERR_REFUSED when a quorum says that it reverts, with the revert's
 * name in why when a quorum tells the same. */
typedef void estimate_done(void *ctx, enum err err, const char *why,
			   uint64_t gas);
MUST_CHECK enum err tx_estimate(struct l1 *l1, struct address from, bool create,
				struct address to, struct u256 value,
				struct slice data, estimate_done *done,
				void *ctx);

#endif
