#include "signer/policy.h"

#include <stdarg.h>
#include <stdio.h>

#include "abi/contracts_tables.h"
#include "abi/hex.h"

static struct policy_verdict no(const char *format, ...) PRINTF_LIKE(1, 2);

static struct policy_verdict no(const char *format, ...)
{
	struct policy_verdict v = {.allowed = false};
	va_list ap;

	va_start(ap, format);
	vsnprintf(v.why, sizeof(v.why), format, ap);
	va_end(ap);
	return v;
}

static const struct policy_verdict yes = {.allowed = true};

static struct policy_verdict
check_place(const struct policy *p, uint64_t chain_id, struct address contract,
	    struct address expected, const char *what)
{
	if (chain_id != p->chain_id)
		return no("chain %llu is not this policy's %llu",
			  (unsigned long long)chain_id,
			  (unsigned long long)p->chain_id);
	if (address_is_zero(expected))
		return no("this policy names no %s", what);
	if (!address_eq(contract, expected))
		return no("%s %s is not this policy's", what,
			  address_text(contract).s);
	return yes;
}

/* ---- ballots ------------------------------------------------------------ */

static bool is_standby(const struct policy *p, struct hash32 subject)
{
	for (size_t i = 0; i < p->n_standbys; i++)
		if (hash_eq(vote_subject_address(p->standbys[i]), subject))
			return true;
	return false;
}

/* Twelve zero bytes and an address that is not zero. */
static bool is_address(struct hash32 subject)
{
	struct address a;

	memcpy(a.b, subject.b + 12, sizeof(a.b));
	return hash_eq(vote_subject_address(a), subject) && !address_is_zero(a);
}

static struct policy_verdict check_ballot(const struct policy *p,
					  const struct vote *v)
{
	bool fast = v->action == VOTE_PROMOTE || v->action == VOTE_OPEN;
	bool names_one = v->action == VOTE_PROMOTE || v->action == VOTE_RESUME;
	struct policy_verdict place =
		check_place(p, v->chain_id, v->hatch, p->hatch, "hatch");

	if (!place.allowed)
		return place;
	if (!(p->actions & 1u << v->action))
		return no("action %s is not allowed",
			  vote_action_name(v->action));
	if (!p->round)
		return no("this policy has no round: ballots need one");
	if (names_one && !is_address(v->subject))
		return no("the subject is not an address");
	if (names_one && !p->any_standby && !is_standby(p, v->subject))
		return no("subject %s is not in this policy's standbys",
			  hash_text(v->subject).s);
	if (fast && v->expiry % p->round)
		return no("expiry %llu is not a multiple of the round",
			  (unsigned long long)v->expiry);
	if (!fast && v->progress)
		return no("a %s ballot carries progress 0",
			  vote_action_name(v->action));
	return yes;
}

/* ---- statements --------------------------------------------------------- */

static struct policy_verdict check_statement(const struct policy *p,
					     const struct statement *s)
{
	const struct domain *d = &s->domain;

	if (d->letter == DOMAIN_EGRESS)
		return check_place(p, d->chain_id, d->contract, p->hatch,
				   "hatch");
	if (d->letter != DOMAIN_ROLLUP)
		return no("a ballot cannot be asked for as a statement");
	if (!p->citizen)
		return no("this key signs no withdrawals, exits or claims");
	return check_place(p, d->chain_id, d->contract, p->rollup, "rollup");
}

/* ---- transactions ------------------------------------------------------- */

enum target { TO_HATCH, TO_ROLLUP };

#define CARRY	 (1u << PURPOSE_CARRY)
#define EXECUTE	 (1u << PURPOSE_EXECUTE)
#define EVACUATE (1u << PURPOSE_EVACUATE)
#define OPEN_IT	 (1u << PURPOSE_OPEN)
#define DEPLOY	 (1u << PURPOSE_DEPLOY)

/* Every call that is ever signed.  Not here on purpose: approve() is a vote
 * that no ballot ledger would see; handOver() and commit() are the
 * sequencer's own. */
static const struct {
	enum target target;
	uint32_t selector;
	unsigned purposes;
	bool payable;
	/* Moves the key's own money where the caller says: it is signed only
	 * by a policy that says so, never for a daemon. */
	enum { ANY, CITIZEN, DEPLOYER } only;
} calls[] = {
	{TO_HATCH, SEL_ESCAPEHATCH_PROMOTE, CARRY, false, ANY},
	{TO_HATCH, SEL_ESCAPEHATCH_OPEN, CARRY, false, ANY},
	{TO_HATCH, SEL_ESCAPEHATCH_RESUME, CARRY, false, ANY},
	{TO_HATCH, SEL_ESCAPEHATCH_AMEND, CARRY, false, ANY},
	{TO_HATCH, SEL_ESCAPEHATCH_ENACT, CARRY, false, ANY},
	{TO_HATCH, SEL_ESCAPEHATCH_OPEN_AFTER_DEADLINE, OPEN_IT, false, ANY},
	{TO_HATCH, SEL_ESCAPEHATCH_OPEN_ON_BAD_BATCH, OPEN_IT, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL, CARRY, true,
	 CITIZEN},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL_FOR, CARRY, true,
	 ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_REQUEST_TRANSACTION, CARRY, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_DEPOSIT, CARRY, true, CITIZEN},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_CLAIM, CARRY, false, CITIZEN},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_CLAIM_FOR, CARRY | EVACUATE, false,
	 ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_CLAIM_TO, CARRY, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_REFUND_BOUNTY, CARRY, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_REFUND_DEPOSIT, CARRY, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_FUND_BOND, CARRY | DEPLOY, true,
	 DEPLOYER},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_EXECUTE_WITHDRAWAL, EXECUTE, false,
	 ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_PAY, CARRY | EXECUTE, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_EXIT, CARRY | EVACUATE, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_EXIT_TO, CARRY | EVACUATE, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_EXIT_BUCKET, EVACUATE, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_EXIT_UNIFORM, EVACUATE, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_SETTLE, EVACUATE, false, ANY},
	{TO_ROLLUP, SEL_SOVEREIGNROLLUP_SETTLE_BUCKET, EVACUATE, false, ANY},
};

static struct policy_verdict check_call(const struct policy *p,
					const struct ask *ask)
{
	const struct tx *tx = &ask->tx;
	bool to_hatch = address_eq(tx->to, p->hatch);

	if (address_is_zero(tx->to) ||
	    (!to_hatch && !address_eq(tx->to, p->rollup)))
		return no("target %s is neither this policy's hatch nor its "
			  "rollup",
			  address_text(tx->to).s);
	if (tx->data.len < 4)
		return no("a transaction without a call is not signed");
	uint32_t selector = (uint32_t)get_be(tx->data.p, 4);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (calls[i].selector != selector ||
		    (calls[i].target == TO_HATCH) != to_hatch)
			continue;
		if (!(calls[i].purposes & 1u << ask->purpose))
			return no("call 0x%08x does not serve the purpose %d",
				  (unsigned)selector, (int)ask->purpose);
		if (calls[i].only == CITIZEN && !p->citizen)
			return no("call 0x%08x is a citizen's own: this key "
				  "signs none",
				  (unsigned)selector);
		if (calls[i].only == DEPLOYER && !p->deploy)
			return no("call 0x%08x is a deployer's: this key "
				  "signs none",
				  (unsigned)selector);
		if (!calls[i].payable && !u256_is_zero(tx->value))
			return no("call 0x%08x takes no value",
				  (unsigned)selector);
		return yes;
	}
	return no("call 0x%08x is not one this signer knows",
		  (unsigned)selector);
}

static struct policy_verdict check_creation(const struct policy *p,
					    const struct ask *ask)
{
	if (ask->purpose != PURPOSE_DEPLOY)
		return no("only a deployment creates contracts");
	if (!u256_is_zero(ask->tx.value))
		return no("no constructor here takes value");
	if (!ask->tx.data.len)
		return no("a creation without code is not signed");
	return p->deploy ? yes : no("deployments are not allowed");
}

static struct policy_verdict check_transaction(const struct policy *p,
					       const struct ask *ask)
{
	const struct tx *tx = &ask->tx;

	if (tx->chain_id != p->chain_id)
		return no("chain %llu is not this policy's %llu",
			  (unsigned long long)tx->chain_id,
			  (unsigned long long)p->chain_id);
	if (tx->gas > SIGNER_GAS_MAX)
		return no("gas %llu is over %d", (unsigned long long)tx->gas,
			  SIGNER_GAS_MAX);
	if (u256_cmp(tx->max_fee, p->fee) > 0)
		return no("max fee %.40s wei a gas is over the cap of %.40s",
			  u256_text(tx->max_fee).s, u256_text(p->fee).s);
	if (u256_cmp(tx->max_tip, tx->max_fee) > 0)
		return no("the tip is over the max fee");
	if (u256_cmp(tx->value, p->value) > 0)
		return no("value %.40s wei is over the cap of %.40s",
			  u256_text(tx->value).s, u256_text(p->value).s);
	return tx->create ? check_creation(p, ask) : check_call(p, ask);
}

struct policy_verdict policy_check(const struct policy *policy,
				   const struct ask *ask)
{
	switch (ask->kind) {
	case ASK_BALLOT:
		return check_ballot(policy, &ask->vote);
	case ASK_STATEMENT:
		return check_statement(policy, &ask->statement);
	case ASK_TRANSACTION:
		return check_transaction(policy, ask);
	}
	return no("an ask of no kind");
}
