#include "relayer/fee.h"

#include "relayer/limits.h"

#define BASIS 10000 /* hundredths of a percent in one */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* a + b, held at the largest value: prices come from outside. */
static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

unsigned fee_urgency(uint64_t accepted_at, uint64_t deadline, uint64_t now)
{
	if (now >= deadline || accepted_at >= deadline)
		return FEE_URGENT;
	if (now <= accepted_at)
		return 0;
	return (unsigned)((now - accepted_at) * FEE_URGENT /
			  (deadline - accepted_at));
}

/* from … to as urgency goes from 0 to FEE_URGENT, slow at first. */
static uint64_t climb(uint64_t from, uint64_t to, unsigned urgency)
{
	const unsigned top = FEE_URGENT * FEE_URGENT;
	uint64_t way = to > from ? to - from : 0;
	return from + way / top * (urgency * urgency) +
	       way % top * (urgency * urgency) / top;
}

/* The highest price that can still be raised by `replace` to `cap`. */
static uint64_t below(uint64_t cap, uint64_t replace)
{
	uint64_t whole = cap / (BASIS + replace),
		 rest = cap % (BASIS + replace);
	uint64_t price = whole * BASIS + rest * BASIS / (BASIS + replace);

	return larger(price, smaller(cap, 1));
}

/* base + percent of it + tip, held at the largest value. */
static uint64_t above(uint64_t base, uint64_t percent, uint64_t tip)
{
	uint64_t more =
		base / 100 > UINT64_MAX / percent
			? UINT64_MAX
			: base / 100 * percent + base % 100 * percent / 100;

	return add(add(base, more), tip);
}

struct fee fee_choose(const struct fee_policy *policy,
		      const struct fee_market *market, unsigned urgency)
{
	if (urgency > FEE_URGENT)
		urgency = FEE_URGENT;
	uint64_t suggested = smaller(larger(market->tip, 1), policy->max_tip);
	uint64_t tip = climb(suggested, policy->max_tip, urgency);
	/* Twice the base fee lasts six full blocks in a row. */
	uint64_t calm = add(add(market->base_fee, market->base_fee), tip);
	/* Until it is urgent one step is left for a replacement. */
	uint64_t top = urgency == FEE_URGENT
			       ? policy->max_fee
			       : below(policy->max_fee, policy->replace);
	uint64_t cap = urgency == FEE_URGENT
			       ? policy->max_tip
			       : below(policy->max_tip, policy->replace);
	calm = smaller(calm, policy->max_fee);
	struct fee fee = {
		.max_fee = smaller(climb(calm, policy->max_fee, urgency), top)};
	if (policy->headroom)
		fee.max_fee =
			smaller(fee.max_fee,
				above(market->base_fee, policy->headroom, tip));
	fee.tip = smaller(smaller(tip, cap), fee.max_fee);
	return fee;
}

/* price × (1 + replace), rounded up, and at least one more. */
static uint64_t raised(uint64_t price, uint64_t replace)
{
	uint64_t more = price / BASIS * replace +
			(price % BASIS * replace + BASIS - 1) / BASIS;
	return add(price, larger(more, 1));
}

bool fee_bump(const struct fee_policy *policy, const struct fee_market *market,
	      unsigned urgency, const struct fee *old, struct fee *ret)
{
	struct fee now = fee_choose(policy, market, urgency);
	struct fee next = {
		.max_fee = larger(now.max_fee,
				  raised(old->max_fee, policy->replace)),
		.tip = larger(now.tip, raised(old->tip, policy->replace)),
	};
	if (next.max_fee > policy->max_fee || next.tip > next.max_fee)
		return false;
	/* Nodes ask for both; a tip above its cap only where nothing else
	 * brings it into a block. */
	if (next.tip > policy->max_tip && !fee_priced_out(old, market))
		return false;
	*ret = next;
	return true;
}

unsigned fee_version_urgency(size_t versions)
{
	if (versions >= FLIGHT_HASHES_MAX - 1)
		return FEE_URGENT;
	return (unsigned)versions * FEE_URGENT / (FLIGHT_HASHES_MAX - 1);
}

bool fee_priced_out(const struct fee *fee, const struct fee_market *market)
{
	return fee->max_fee < market->base_fee;
}
