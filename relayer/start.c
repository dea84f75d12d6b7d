/* What submit.h starts after the commit: estimates, broadcasts, the account. */
#include <stdio.h>

#include "relayer/flight.h"
#include "relayer/submit.h"
#include "sys/log.h"

/* ---- estimate ----------------------------------------------------------- */

static void estimate_came(void *ctx, enum err err, const char *why,
			  uint64_t gas)
{
	struct flight *f = ctx;

	f->asking--;
	if (f->stage != FLIGHT_WANTED)
		return;
	if (err == ERR_REFUSED) {
		snprintf(f->why, sizeof(f->why), "%.159s", why);
		flight_set_stage(f, FLIGHT_REFUSED);
		return;
	}
	if (err) { /* a node that is down is L1's matter: asked again */
		if (++f->failures >= ESTIMATE_TRIES) {
			snprintf(f->why, sizeof(f->why), "no estimate: %.120s",
				 why);
			f->for_now = true;
			flight_set_stage(f, FLIGHT_REFUSED);
		}
		return;
	}
	gas += gas * GAS_MARGIN_PERCENT / 100 + GAS_MARGIN_FLAT;
	if (gas > TX_GAS_MAX) {
		snprintf(f->why, sizeof(f->why), "TooMuchGas");
		flight_set_stage(f, FLIGHT_REFUSED);
		return;
	}
	gas += f->task.margin;
	f->gas = gas < TX_GAS_MAX ? gas : TX_GAS_MAX;
	flight_set_stage(f, FLIGHT_READY);
}

/* The most urgent, then the oldest. */
static struct flight *next_wanted(struct submit *s)
{
	struct flight *best = NULL;

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		struct flight *f = &s->flights[i];
		if (f->stage != FLIGHT_WANTED || f->asking)
			continue;
		if (!best || f->task.urgency > best->task.urgency ||
		    (f->task.urgency == best->task.urgency &&
		     f->seq < best->seq))
			best = f;
	}
	return best;
}

static void start_estimates(struct submit *s)
{
	struct flight *f;
	unsigned running = 0;

	for (size_t i = 0; i < FLIGHTS_ALL; i++)
		running += s->flights[i].stage == FLIGHT_WANTED &&
			   s->flights[i].asking;
	while (running < ESTIMATES_MAX && (f = next_wanted(s))) {
		if (tx_estimate(s->l1, s->config->account, false, f->task.to,
				f->task.value, buf_slice(&f->task.data),
				estimate_came, f))
			return; /* busy: next turn */
		f->asking++;
		running++;
	}
}

/* ---- broadcast ---------------------------------------------------------- */

static void broadcast_came(void *ctx, enum send_verdict verdict,
			   const char *text)
{
	struct flight *f = ctx;

	f->asking--;
	f->sending = false;
	if (f->stage != FLIGHT_SENT)
		return;
	if (verdict == SEND_REJECTED || verdict == SEND_NO_FUNDS)
		f->rejected++;
	else
		f->maybe_held = true;
	switch (verdict) {
	case SEND_ACCEPTED:
		f->accepted = true;
		f->rejected = 0;
		return;
	case SEND_UNDERPRICED:
		f->raise = true;
		return;
	case SEND_NONCE_LOW: /* mined already, or used by another */
		f->owner->account_ms = 0;
		return;
	case SEND_NO_FUNDS:
	case SEND_REJECTED:
		snprintf(f->why, sizeof(f->why), "%.159s", text);
		log_warn("a node refuses a transaction", "nonce",
			 log_u64(f->nonce).s, "why", text);
		return;
	case SEND_NO_ANSWER:
		return;
	}
}

static void broadcast(struct submit *s, struct flight *f, uint64_t now_ms)
{
	if (f->sending || (f->sent_ms && now_ms < f->sent_ms + REBROADCAST_MS))
		return;
	if (tx_broadcast(s->l1, buf_slice(&f->raw), broadcast_came, f))
		return; /* busy: next turn */
	f->asking++;
	f->sending = true;
	f->sent_ms = now_ms;
}

/* ---- the account -------------------------------------------------------- */

static void account_came(void *ctx, enum err err, const char *why,
			 const struct account_state *state)
{
	struct submit *s = ctx;

	s->account_asked = false;
	snprintf(s->account_why, sizeof(s->account_why), "%s", err ? why : "");
	if (err)
		return;
	s->account = *state;
	s->account_known = true;
}

static void read_account(struct submit *s, const struct turn *t)
{
	uint64_t head = t->view->head.number;

	if (s->account_asked || !head)
		return;
	if (s->account_known && s->account_head == head && s->account_ms &&
	    t->now_ms < s->account_ms + ACCOUNT_MS)
		return;
	if (account_read(s->l1, s->config->account, account_came, s))
		return;
	s->account_asked = true;
	s->account_head = head;
	s->account_ms = t->now_ms;
}

void submit_start(struct submit *s, struct turn *t)
{
	read_account(s, t);
	start_estimates(s);
	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		struct flight *f = &s->flights[i];
		if (f->stage != FLIGHT_SENT)
			continue;
		broadcast(s, f, t->now_ms);
	}
	track_start(s, t);
}

uint64_t submit_next(const struct submit *s, uint64_t now_ms)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		const struct flight *f = &s->flights[i];
		switch (f->stage) {
		case FLIGHT_SIGNED:
		case FLIGHT_REFUSED:
			return now_ms;
		case FLIGHT_SENT:
			if (f->replace == REPLACE_SIGNED || f->has_status ||
			    (f->accepted && !f->told_sent) || !f->sent_ms)
				return now_ms;
			if (f->sent_ms + REBROADCAST_MS < next)
				next = f->sent_ms + REBROADCAST_MS;
			break;
		case FLIGHT_MINED:
			if (f->has_status)
				return now_ms;
			break;
		case FLIGHT_READY:
			if (!s->signing && s->account_known && !*s->held)
				return now_ms;
			break;
		case FLIGHT_FREE:
		case FLIGHT_WANTED:
		case FLIGHT_SIGNING:
			break;
		}
	}
	return next;
}
