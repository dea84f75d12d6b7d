#include "relayer/check.h"

#include <stdio.h>

#include "abi/hex.h"
#include "l1/account.h"
#include "l1/check.h"
#include "relayer/limits.h"

struct reading {
	bool done;
	enum err err;
	char why[160];
	struct account_state account;
};

static void account_came(void *ctx, enum err err, const char *why,
			 const struct account_state *account)
{
	struct reading *r = ctx;

	r->done = true;
	r->err = err;
	snprintf(r->why, sizeof(r->why), "%s", err && why ? why : "");
	if (!err)
		r->account = *account;
}

static enum err read_account(const struct relayer_config *c, struct l1 *l1,
			     struct reading *r)
{
	enum err err = account_read(l1, c->account, account_came, r);

	if (!err)
		err = l1_wait(l1, &r->done, CHECK_MS);
	if (err)
		l1_cancel(l1, r);
	return err ? err : r->err;
}

static enum err check_account(const struct relayer_config *c, struct l1 *l1,
			      struct err_text *error)
{
	struct reading r = {0};
	enum err err = read_account(c, l1, &r);

	if (err) {
		err_text_set(error, "account: %s",
			     *r.why ? r.why : err_name(err));
		return err;
	}
	if (u256_is_zero(r.account.balance)) {
		err_text_set(error,
			     "account: %s holds no coin for gas: fund it",
			     address_text(c->account).s);
		return ERR_REFUSED;
	}
	return OK;
}

/* A transaction on another chain and without a call: the answer tells whether
 * the key is there. */
static enum err check_key(const struct relayer_config *c,
			  struct err_text *error)
{
	struct ask ask = {.kind = ASK_TRANSACTION,
			  .key = c->account,
			  .tx = {.to = c->account},
			  .purpose = PURPOSE_CARRY};

	return check_signer(c->signer, &ask, CHECK_MS, "account", error);
}

enum err check_world(const struct relayer_config *c, struct err_text *error)
{
	struct http_client *http = http_client_new();
	struct hatch_facts facts;
	struct l1 *l1 = NULL;
	enum err err = http ? OK : ERR_FULL;

	err_text_set(error, "out of memory");
	if (!err)
		err = l1_new(&c->shared, http, &l1, error);
	if (!err)
		err = check_hatch(l1, &c->shared, CHECK_MS, &facts, error);
	if (!err)
		err = check_account(c, l1, error);
	if (!err)
		err = check_key(c, error);
	l1_free(l1);
	http_client_free(http);
	return err;
}
