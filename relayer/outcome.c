#include "relayer/outcome.h"

#include <stdio.h>

#include "abi/hex.h"

/* Amounts are uint96, ids uint64: with all of them at their longest an outcome
 * is whole. */
#define AMOUNT_TEXT 29
#define OF_TEXT	    (AMOUNT_TEXT + 10 + 42) /* "… of token 0x…" */
#define WHO_TEXT    (12 + 42 + 32)	    /* CREDITED */
#define WHICH_TEXT  (11 + 20 + 2 + AMOUNT_TEXT + 15)
_Static_assert(OF_TEXT + WHO_TEXT + WHICH_TEXT + sizeof(" ( )") <=
		       REQUEST_OUTCOME_MAX,
	       "an outcome is stored whole");

/* The contract leaves an IOU where a payment fails: owed, claim, claimFor. */
#define CREDITED "credited to %s on L1, to be claimed (claimFor)"

struct outcome outcome_amount(struct u256 amount, struct address asset)
{
	struct outcome o;

	if (address_is_zero(asset))
		snprintf(o.text, sizeof(o.text), "%s wei", u256_text(amount).s);
	else
		snprintf(o.text, sizeof(o.text), "%s of token %s",
			 u256_text(amount).s, address_text(asset).s);
	return o;
}

struct outcome outcome_paid(uint64_t id, const struct withdraw *asked,
			    const struct payment *p)
{
	struct outcome o, amount = outcome_amount(p->amount, p->asset);
	char which[WHICH_TEXT + 1], who[WHO_TEXT + 1];
	unsigned long long number = id;

	snprintf(which, sizeof(which), "withdrawal %llu", number);
	if (u256_cmp(p->amount, asked->amount) < 0) /* the leaf had no more */
		snprintf(which, sizeof(which),
			 "withdrawal %llu; %.29s were asked for", number,
			 u256_text(asked->amount).s);
	snprintf(who, sizeof(who), p->credited ? CREDITED : "paid to %s",
		 address_text(p->to).s);
	snprintf(o.text, sizeof(o.text), "%.81s %s (%s)", amount.text, who,
		 which);
	return o;
}

struct outcome outcome_unseen(uint64_t id, const struct withdraw *asked,
			      const struct outcome *amount)
{
	struct outcome o;

	snprintf(o.text, sizeof(o.text),
		 "withdrawal %llu is over: %.81s paid to %s, or owed to it on "
		 "L1 (claimFor): which was not seen from here",
		 (unsigned long long)id, amount ? amount->text : "its amount",
		 address_text(asked->recipient).s);
	return o;
}

struct outcome outcome_wish(struct address recipient, bool credited,
			    const char *more)
{
	struct outcome o;
	char who[WHO_TEXT + 1];

	snprintf(who, sizeof(who), credited ? CREDITED : "paid on L1 to %s",
		 address_text(recipient).s);
	snprintf(o.text, sizeof(o.text), "%s%.81s", who, more);
	return o;
}
