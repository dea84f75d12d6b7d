/* Whether a transaction may be sent: the config's limits, the account's balance
 * and what nodes take. */
#include "relayer/flight.h"

#define SECONDS_AN_HOUR 3600

/* Sum of what is on its way and could still cost; without this one. */
static struct u256 committed(const struct submit *s, bool evacuation,
			     const struct flight *except)
{
	struct u256 sum = u256_from(0);

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		const struct flight *f = &s->flights[i];
		if (f == except || !flight_has_nonce(f) ||
		    (evacuation && f->task.purpose != PURPOSE_EVACUATE))
			continue;
		if (!u256_add(sum, f->cost, &sum))
			break;
	}
	return sum;
}

static enum err within(const struct submit *s, struct turn *t,
		       enum spent_on what, uint64_t number, struct u256 limit,
		       const struct flight *f, bool *ret)
{
	struct u256 sum;

	*ret = true;
	if (u256_is_zero(limit))
		return OK;
	enum err err = spent_get(t->txn, s->nonces, what, number, &sum);
	if (err)
		return err;
	*ret = u256_add(sum, f->cost, &sum) &&
	       u256_add(sum, committed(s, what == SPENT_EVACUATION, f), &sum) &&
	       u256_cmp(sum, limit) <= 0;
	return OK;
}

/* Nodes refuse what the balance does not cover together with all that waits
 * in front of it; what is in a block has been paid from it already. */
static bool affordable(const struct submit *s, const struct flight *f)
{
	struct u256 sum = f->cost;

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		const struct flight *other = &s->flights[i];
		if (other == f || !flight_has_nonce(other) ||
		    other->nonce < s->account.nonce)
			continue;
		if (!u256_add(sum, other->cost, &sum))
			return false;
	}
	return u256_cmp(sum, s->account.balance) <= 0;
}

enum err afford_check(const struct submit *s, struct turn *t,
		      const struct flight *f, const char **ret_why)
{
	uint64_t life = t->facts->openings;
	bool hour, incident, budget = true, out;
	enum err err = within(s, t, SPENT_HOUR, t->head_time / SECONDS_AN_HOUR,
			      s->config->fees.per_hour, f, &hour);

	if (!err)
		err = within(s, t, SPENT_LIFE, life,
			     s->config->fees.per_incident, f, &incident);
	if (!err && f->task.purpose == PURPOSE_EVACUATE)
		err = within(s, t, SPENT_EVACUATION, life,
			     s->config->evacuate.budget, f, &budget);
	if (err)
		return err;
	out = !affordable(s, f);
	*ret_why = !hour       ? "fees.per_hour is reached"
		   : !incident ? "fees.per_incident is reached"
		   : !budget   ? "evacuate.budget is reached"
		   : out       ? "the account's balance does not cover it"
			       : "";
	return OK;
}

bool afford_cap(const struct submit *s, uint64_t gas, struct fee *fee)
{
	uint64_t most = gas ? TX_FEE_MAX / gas : UINT64_MAX;

	if (fee->max_fee <= most)
		return true;
	fee->max_fee = most;
	if (fee->tip > most)
		fee->tip = most;
	return most > s->account.base_fee + s->account.base_fee / 8;
}
