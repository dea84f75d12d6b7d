/* One transaction from start to receipt: see send.h. */
#include "cli/send.h"

#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "sys/clock.h"

#define RECEIPT_MS   120000
#define RECEIPT_PACE 300

struct waiting {
	bool done;
	enum err err;
	char why[256];
	struct account_state account;
	uint64_t gas;
	struct tx_status status;
	enum send_verdict verdict;
};

static void note(struct waiting *w, enum err err, const char *why)
{
	w->done = true;
	w->err = err;
	if (why)
		snprintf(w->why, sizeof(w->why), "%s", why);
}

static void account_arrived(void *ctx, enum err err, const char *why,
			    const struct account_state *state)
{
	struct waiting *w = ctx;

	note(w, err, why);
	if (!err)
		w->account = *state;
}

static void estimate_arrived(void *ctx, enum err err, const char *why,
			     uint64_t gas)
{
	struct waiting *w = ctx;

	note(w, err, why);
	w->gas = gas;
}

static void send_arrived(void *ctx, enum send_verdict verdict, const char *text)
{
	struct waiting *w = ctx;

	note(w, OK, text);
	w->verdict = verdict;
}

static void status_arrived(void *ctx, enum err err, const char *why,
			   const struct tx_status *status)
{
	struct waiting *w = ctx;

	note(w, err, why);
	if (!err)
		w->status = *status;
}

static bool arrived(struct session *s, struct waiting *w, enum err asked)
{
	if (!asked)
		asked = l1_wait(s->l1, &w->done, CLI_TIMEOUT_MS);
	if (asked && !w->done)
		note(w, asked, "L1 does not answer");
	return !w->err;
}

int sender_open(struct sender *s, struct session *session,
		struct signing *signing)
{
	struct waiting w = {0};

	*s = (struct sender){.session = session, .signing = signing};
	if (!arrived(session, &w,
		     account_read(session->l1, signing->address,
				  account_arrived, &w)))
		return cli_fail("account %s: %s",
				address_text(signing->address).s, w.why);
	s->account = w.account;
	return CLI_OK;
}

/* Twice the base fee, so that it stays valid while the base fee climbs. */
static int fill(struct sender *s, struct tx *tx, const char *what)
{
	struct waiting w = {0};
	struct session *session = s->session;

	if (!arrived(session, &w,
		     tx_estimate(session->l1, s->signing->address, tx->create,
				 tx->to, tx->value, tx->data, estimate_arrived,
				 &w)))
		return cli_fail("%s: it would fail: %s", what, w.why);
	tx->chain_id = l1_chain_id(session->l1);
	tx->nonce = s->account.nonce;
	tx->gas = w.gas + w.gas / 5;
	tx->max_tip = u256_from(s->account.tip);
	tx->max_fee = u256_from(2 * s->account.base_fee + s->account.tip);
	return CLI_OK;
}

static int await_receipt(struct sender *s, struct hash32 hash, const char *what,
			 struct tx_status *ret)
{
	uint64_t end = clock_mono_ms() + RECEIPT_MS;
	bool never = false;

	while (clock_mono_ms() < end) {
		struct waiting w = {0};
		if (arrived(s->session, &w,
			    tx_status_read(s->session->l1, hash, status_arrived,
					   &w))) {
			*ret = w.status;
			if (ret->fate == TX_SUCCESS)
				return CLI_OK;
			if (ret->fate == TX_REVERTED)
				return cli_fail("%s: transaction %s was "
						"reverted in block %" PRIu64,
						what, hash_text(hash).s,
						ret->block);
		}
		(void)!l1_wait(s->session->l1, &never, RECEIPT_PACE);
	}
	return cli_fail("%s: transaction %s is in no block after %d s: it may "
			"still land; look before you repeat",
			what, hash_text(hash).s, RECEIPT_MS / 1000);
}

int sender_run(struct sender *s, struct tx *tx, const char *what,
	       struct tx_status *ret)
{
	struct ask ask = {.kind = ASK_TRANSACTION,
			  .key = s->signing->address,
			  .purpose = PURPOSE_DEPLOY};
	struct signature signature;
	struct waiting w = {0};
	struct buf raw;
	int status = fill(s, tx, what);

	if (status)
		return status;
	ask.tx = *tx;
	status = signing_ask(s->signing, &ask, &signature);
	if (status)
		return status;
	buf_init(&raw, TX_DATA_MAX + 1024);
	tx_encode_signed(tx, &signature, &raw);
	struct hash32 hash = tx_hash(buf_slice(&raw));
	arrived(s->session, &w,
		tx_broadcast(s->session->l1, buf_slice(&raw), send_arrived,
			     &w));
	buf_done(&raw);
	/* Nobody refused it: somebody may have it all the same. */
	if (w.err ||
	    (w.verdict != SEND_ACCEPTED && w.verdict != SEND_NO_ANSWER))
		return cli_fail("%s: L1 does not take the transaction: %s",
				what, w.why);
	s->account.nonce++;
	return await_receipt(s, hash, what, ret);
}
