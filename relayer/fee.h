/* What to pay for a block's space.  Pure: prices in wei a gas.
 *
 * "Price by urgency: little early, whatever the cap allows near the deadline;
 * replace, never jam." */
#ifndef EGRESS_RELAYER_FEE_H
#define EGRESS_RELAYER_FEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fee_policy {
	uint64_t max_fee, max_tip; /* caps */
	uint64_t replace;	   /* hundredths of a percent: 12.5 % = 1250 */
	/* Percent above the base fee that fee_choose() offers at most, where
	 * what is offered is also paid; 0: the caps alone count. */
	uint64_t headroom;
};

struct fee_market {
	uint64_t base_fee; /* of the newest block; 0 where there is none */
	uint64_t tip;	   /* what the nodes suggest */
};

struct fee {
	uint64_t max_fee, tip; /* EIP-1559: tip ≤ max_fee */
};

#define FEE_URGENT 100

/* 0 when just accepted … FEE_URGENT at the deadline and after it. */
unsigned fee_urgency(uint64_t accepted_at, uint64_t deadline, uint64_t now);
/* Within the caps; urgency is cut to FEE_URGENT. */
struct fee fee_choose(const struct fee_policy *policy,
		      const struct fee_market *market, unsigned urgency);
/* A replacement of `old`: both prices higher by at least policy->replace, or
 * more when the market asks for it.  false: the caps do not allow it. */
bool fee_bump(const struct fee_policy *policy, const struct fee_market *market,
	      unsigned urgency, const struct fee *old, struct fee *ret);
/* At least this urgent is the replacement of one that was signed `versions`
 * times: the last that may be, of FLIGHT_HASHES_MAX, is at the caps. */
unsigned fee_version_urgency(size_t versions);
/* It cannot enter a block: the base fee is above what it offers. */
bool fee_priced_out(const struct fee *fee, const struct fee_market *market);

#endif
