/* The way out of submit.h: price, sign, replace; start.c broadcasts.
 * Nothing here writes to the store. */
#include <stdio.h>

#include "abi/hex.h"
#include "relayer/calls.h"
#include "relayer/flight.h"
#include "relayer/submit.h"
#include "sys/clock.h"
#include "sys/log.h"

struct tx submit_tx(const struct submit *s, const struct flight *f,
		    const struct fee *fee)
{
	return (struct tx){
		.chain_id = s->config->shared.chain.id,
		.nonce = f->nonce,
		.max_tip = u256_from(fee->tip),
		.max_fee = u256_from(fee->max_fee),
		.gas = f->gas,
		.to = f->task.to,
		.value = flight_value(f, fee),
		.data = buf_slice(&f->task.data),
	};
}

/* ---- sign --------------------------------------------------------------- */

static unsigned urgency(const struct flight *f, uint64_t now)
{
	unsigned ramp = f->task.deadline ? fee_urgency(f->task.accepted_at,
						       f->task.deadline, now)
					 : 0;

	return ramp > f->task.urgency ? ramp : f->task.urgency;
}

static struct fee_market market(const struct submit *s)
{
	return (struct fee_market){s->account.base_fee, s->account.tip};
}

/* A bounty is paid for the whole price that is offered, whatever the block's
 * is: then urgency raises the tip and leaves the rest to replacements. */
static struct fee_policy policy_of(const struct submit *s,
				   const struct flight *f)
{
	struct fee_policy policy = s->policy;

	if (call_value_gas(buf_slice(&f->task.data)))
		policy.headroom = BOUNTY_HEADROOM_PERCENT;
	return policy;
}

static void refuse(struct flight *f, const char *why)
{
	snprintf(f->why, sizeof(f->why), "%.159s", why);
	f->refused_by_signer = true;
	flight_set_stage(f, FLIGHT_REFUSED);
}

/* Never trust that it signed what was asked. */
static bool signed_by_us(const struct submit *s, const struct flight *f,
			 const struct fee *fee, const struct signature *sig)
{
	struct tx tx = submit_tx(s, f, fee);
	struct address signer;

	return !key_recover(tx_digest(&tx), sig, &signer) &&
	       address_eq(signer, s->config->account);
}

static void sign_came(void *ctx, enum err err, const struct ask_answer *answer)
{
	struct flight *f = ctx;
	struct submit *s = f->owner;

	f->asking--;
	s->signing = false;
	if (f->stage != FLIGHT_SIGNING)
		return;
	if (err) {
		flight_set_stage(f, FLIGHT_READY); /* it is away: ask again */
		return;
	}
	*s->barred = 0;
	if (answer->status != ASK_SIGNED) {
		if (strstr(answer->text, ASK_TEXT_MAY_NOT))
			snprintf(s->barred, sizeof(s->barred), "signer: %.80s",
				 answer->text);
		refuse(f, answer->text);
		return;
	}
	if (!signed_by_us(s, f, &f->fee, &answer->signature)) {
		refuse(f, "the signer's signature is not our account's");
		return;
	}
	f->signature = answer->signature;
	flight_set_stage(f, FLIGHT_SIGNED);
}

static void resign_came(void *ctx, enum err err,
			const struct ask_answer *answer)
{
	struct flight *f = ctx;
	struct submit *s = f->owner;

	f->asking--;
	s->signing = false;
	if (f->replace != REPLACE_ASKED)
		return;
	f->replace = REPLACE_NONE;
	if (f->stage != FLIGHT_SENT)
		return;
	if (err || answer->status != ASK_SIGNED ||
	    !signed_by_us(s, f, &f->next_fee, &answer->signature)) {
		f->raise = false; /* it stays as it is, and is tried later */
		f->replace_ms = clock_mono_ms() + UNSIGNED_MS;
		log_warn("replacement not signed", "nonce", log_u64(f->nonce).s,
			 "why", err ? err_name(err) : answer->text);
		return;
	}
	f->signature = answer->signature;
	f->replace = REPLACE_SIGNED;
}

static bool ask_signer(struct submit *s, struct flight *f,
		       const struct fee *fee, signer_done *done)
{
	struct ask ask = {.kind = ASK_TRANSACTION,
			  .key = s->config->account,
			  .tx = submit_tx(s, f, fee),
			  .purpose = f->task.purpose};

	if (signer_client_ask(s->signer, &ask, done, f))
		return false;
	f->asking++;
	s->signing = true;
	return true;
}

static uint64_t free_nonce(const struct submit *s)
{
	uint64_t used[FLIGHTS_ALL];
	uint64_t from = s->account.nonce;
	size_t n = 0;

	for (size_t i = 0; i < FLIGHTS_ALL; i++)
		if (flight_has_nonce(&s->flights[i]))
			used[n++] = s->flights[i].nonce;
	if (from < s->final_below) /* a node that lags behind what is final */
		from = s->final_below;
	return nonce_pick(from, used, n);
}

/* ---- replace ------------------------------------------------------------ */

/* What waits behind it waits for it: the most urgent of those counts.  And the
 * last version that there may be goes to the caps. */
static unsigned urgency_behind(const struct submit *s, const struct flight *f,
			       uint64_t now)
{
	unsigned most = fee_version_urgency(f->n_hashes);

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		const struct flight *other = &s->flights[i];
		bool behind =
			other->stage == FLIGHT_READY ||
			(flight_has_nonce(other) && other->nonce >= f->nonce);
		if (behind && urgency(other, now) > most)
			most = urgency(other, now);
	}
	return most;
}

/* Every node refuses it now, though one may have taken it once: its nonce
 * stays its own, for the old bytes may still be mined (I8), and only another
 * price can bring it on. */
static bool is_shunned(const struct flight *f)
{
	return f->maybe_held && f->rejected >= REJECTED_TRIES;
}

/* It must be replaced now, and may. */
static bool is_stuck(const struct submit *s, struct flight *f,
		     const struct turn *t)
{
	struct fee_market now = market(s);
	uint64_t head = t->view->head.number;

	if (f->nonce == s->account.nonce && !f->first_head)
		f->first_head = head;
	bool waited = f->first_head && head >= f->first_head + REPLACE_BLOCKS;
	return f->n_hashes < FLIGHT_HASHES_MAX && t->now_ms >= f->replace_ms &&
	       f->replace == REPLACE_NONE &&
	       (f->raise || waited || is_shunned(f) ||
		(f->first_head && fee_priced_out(&f->fee, &now)));
}

static enum err replace_one(struct submit *s, struct turn *t, struct flight *f)
{
	struct fee_market now = market(s);
	struct fee_policy policy = policy_of(s, f);
	struct u256 cost = f->cost;
	const char *why = "";

	if (!fee_bump(&policy, &now, urgency_behind(s, f, t->head_time),
		      &f->fee, &f->next_fee) ||
	    f->next_fee.max_fee > TX_FEE_MAX / f->gas) {
		f->raise = false; /* the cap: the old one goes out again */
		return OK;
	}
	if (!flight_cost(f, &f->next_fee, &f->cost))
		return ERR_TOO_LARGE;
	enum err err = afford_check(s, t, f, &why);
	f->cost = cost;
	if (err)
		return err;
	if (*why) {
		f->replace_ms = t->now_ms + REFUSED_LAST_MS;
		log_warn("not replacing", "nonce", log_u64(f->nonce).s, "why",
			 why);
		return OK;
	}
	if (!ask_signer(s, f, &f->next_fee, resign_came))
		return OK;
	f->replace = REPLACE_ASKED;
	f->first_head = 0;
	log_info("replacing", "nonce", log_u64(f->nonce).s, "max_fee",
		 log_u64(f->next_fee.max_fee).s);
	return OK;
}

/* The lowest nonce first: the others wait for it. */
static enum err replace_stuck(struct submit *s, struct turn *t)
{
	struct flight *lowest = NULL;

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		struct flight *f = &s->flights[i];
		if (f->stage == FLIGHT_SENT && is_stuck(s, f, t) &&
		    (!lowest || f->nonce < lowest->nonce))
			lowest = f;
	}
	return lowest ? replace_one(s, t, lowest) : OK;
}

/* The most urgent, then the oldest, of those that this turn has not held. */
static struct flight *next_ready(struct submit *s, uint64_t now,
				 const bool *held)
{
	struct flight *best = NULL;

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		struct flight *f = &s->flights[i];
		if (f->stage != FLIGHT_READY || held[i])
			continue;
		if (!best || urgency(f, now) > urgency(best, now) ||
		    (urgency(f, now) == urgency(best, now) &&
		     f->seq < best->seq))
			best = f;
	}
	return best;
}

static void hold(struct submit *s, const char *why)
{
	if (*why && strcmp(why, s->held) != 0)
		log_warn("not sending", "why", why, "account",
			 address_text(s->config->account).s);
	snprintf(s->held, sizeof(s->held), "%s", why);
}

/* The base fee is too high for so much gas.  Whoever wanted it is told, and
 * comes again with less or later: the wait after a refusal grows. */
static void refuse_for_now(struct flight *f)
{
	snprintf(f->why, sizeof(f->why),
		 "TooMuchGas: its fees could be over 1 ETH");
	f->for_now = true;
	flight_set_stage(f, FLIGHT_REFUSED);
}

/* Prices it and gives it to the signer, unless a limit holds it: why. */
static enum err try_sign(struct submit *s, struct turn *t, struct flight *f,
			 const char **ret_why)
{
	struct fee_market now = market(s);
	struct fee_policy policy = policy_of(s, f);

	f->fee = fee_choose(&policy, &now, urgency(f, t->head_time));
	*ret_why = "";
	if (!afford_cap(s, f->gas, &f->fee)) {
		refuse_for_now(f);
		return OK;
	}
	if (!flight_cost(f, &f->fee, &f->cost))
		return ERR_TOO_LARGE;
	enum err err = afford_check(s, t, f, ret_why);
	if (err || **ret_why)
		return err;
	f->nonce = free_nonce(s);
	if (ask_signer(s, f, &f->fee, sign_came))
		flight_set_stage(f, FLIGHT_SIGNING);
	return OK;
}

enum err submit_sign(struct submit *s, struct turn *t)
{
	bool held[FLIGHTS_ALL] = {false};
	const char *why = "";
	struct flight *f;
	enum err err = OK;

	if (!s->signing && turn_sees(t) && s->account_known)
		err = replace_stuck(s, t);
	if (s->signing || err)
		return err;
	f = next_ready(s, t->head_time, held);
	if (f && (!turn_sees(t) || !s->account_known)) {
		hold(s, !turn_sees(t) ? "L1 is out of sight"
				      : "the account is not known yet");
		return OK;
	}
	/* What a limit holds does not hold the others. */
	for (; f && !err; f = next_ready(s, t->head_time, held)) {
		err = try_sign(s, t, f, &why);
		if (!*why && f->stage != FLIGHT_REFUSED)
			break;
		held[f - s->flights] = true;
	}
	hold(s, why);
	return err;
}
