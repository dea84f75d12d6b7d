#include "relayer/check.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/ask.h"
#include "abi/hex.h"
#include "l1/account.h"
#include "l1/hatch.h"
#include "relayer/limits.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signer_client.h"

struct reading {
	bool done;
	enum err err;
	char why[160];
	struct hatch_facts facts;
	struct account_state account;
};

static void note(struct reading *r, enum err err, const char *why)
{
	r->done = true;
	r->err = err;
	snprintf(r->why, sizeof(r->why), "%s", err && why ? why : "");
}

static void facts_came(void *ctx, enum err err, const char *why,
		       const struct hatch_facts *facts)
{
	struct reading *r = ctx;

	note(r, err, why);
	if (!err)
		r->facts = *facts;
}

static void account_came(void *ctx, enum err err, const char *why,
			 const struct account_state *account)
{
	struct reading *r = ctx;

	note(r, err, why);
	if (!err)
		r->account = *account;
}

static enum err wait(struct l1 *l1, struct reading *r, enum err started)
{
	if (!started)
		started = l1_wait(l1, &r->done, CHECK_MS);
	if (started)
		l1_cancel(l1, r);
	return started ? started : r->err;
}

static enum err read_at(const struct relayer_config *c, struct l1 *l1,
			const struct block_ref *at, struct reading *r)
{
	*r = (struct reading){0};
	return wait(l1, r,
		    hatch_read(l1, c->shared.chain.hatch, at, facts_came, r));
}

static enum err check_contract(const struct relayer_config *c, struct l1 *l1,
			       struct reading *r, struct err_text *error)
{
	enum err err = l1_wait_healthy(l1, CHECK_MS, error);

	if (err)
		return err;
	err = read_at(c, l1, &l1_view(l1)->acted, r);
	if (err == ERR_INVALID) /* deployed a moment ago? */
		err = read_at(c, l1, &l1_view(l1)->head, r);
	if (err) {
		err_text_set(error, "chain.hatch: %s",
			     *r->why ? r->why : err_name(err));
		return err;
	}
	if (r->facts.terms.hard_deadline < SAFE_HARD_DEADLINE)
		log_warn("hardDeadline is below 24 h: an outage of L1 itself "
			 "could open the hatch",
			 "seconds", log_u64(r->facts.terms.hard_deadline).s);
	return OK;
}

static enum err check_account(const struct relayer_config *c, struct l1 *l1,
			      struct reading *r, struct err_text *error)
{
	*r = (struct reading){0};
	enum err err =
		wait(l1, r, account_read(l1, c->account, account_came, r));
	if (err) {
		err_text_set(error, "account: %s",
			     *r->why ? r->why : err_name(err));
		return err;
	}
	if (u256_is_zero(r->account.balance)) {
		err_text_set(error,
			     "account: %s holds no coin for gas: fund it",
			     address_text(c->account).s);
		return ERR_REFUSED;
	}
	return OK;
}

struct signing {
	bool done;
	enum err err;
	struct ask_answer answer;
};

static void sign_came(void *ctx, enum err err, const struct ask_answer *answer)
{
	struct signing *s = ctx;

	s->done = true;
	s->err = err;
	if (!err)
		s->answer = *answer;
}

/* Asks for a transaction that no policy may sign (another chain, no call), so
 * that the answer tells whether the key is there and nothing is signed. */
static enum err check_signer(const struct relayer_config *c,
			     struct err_text *error)
{
	struct signer_client *client = signer_client_new(c->signer);
	uint64_t end = clock_mono_ms() + CHECK_MS, now;
	struct signing s = {0};
	struct ask ask = {.kind = ASK_TRANSACTION,
			  .key = c->account,
			  .tx = {.to = c->account},
			  .purpose = PURPOSE_CARRY};

	if (!client || signer_client_ask(client, &ask, sign_came, &s)) {
		signer_client_free(client);
		err_text_set(error, "signer: %s is no socket's path",
			     c->signer);
		return ERR_INVALID;
	}
	while (!s.done && (now = clock_mono_ms()) < end) {
		uint64_t next = signer_client_turn(client, now);
		struct pollfd p = signer_client_pollfd(client);
		if (next > end)
			next = end;
		if (!s.done)
			poll(&p, p.fd >= 0, next > now ? (int)(next - now) : 0);
	}
	err_text_set(error, "signer: no answer from %s: %s: start it",
		     c->signer, signer_client_trouble(client));
	signer_client_free(client);
	if (!s.done || s.err)
		return ERR_IO;
	if (s.answer.status != ASK_NOT_OUR_KEY)
		return OK;
	err_text_set(error, "account: the signer has no key of %s",
		     address_text(c->account).s);
	return ERR_REFUSED;
}

enum err check_world(const struct relayer_config *c, struct err_text *error)
{
	struct http_client *http = http_client_new();
	struct reading *r = calloc(1, sizeof(*r));
	struct l1 *l1 = NULL;
	enum err err = http && r ? OK : ERR_FULL;

	err_text_set(error, "out of memory");
	if (!err)
		err = l1_new(&c->shared, http, &l1, error);
	if (!err)
		err = check_contract(c, l1, r, error);
	if (!err)
		err = check_account(c, l1, r, error);
	if (!err)
		err = check_signer(c, error);
	l1_free(l1);
	http_client_free(http);
	free(r);
	return err;
}
