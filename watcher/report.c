#include "watcher/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "sys/log.h"

#define PAGE_MAX (2u << 20)

static void PRINTF_LIKE(4, 5) alert(struct status_input *s, const char *id,
				    uint64_t since, const char *format, ...)
{
	struct status_alert *a;
	va_list args;

	if (s->n_alerts == ALERTS_MAX)
		return;
	a = &s->alerts[s->n_alerts++];
	a->id = id;
	a->since = since;
	va_start(args, format);
	vsnprintf(a->text, sizeof(a->text), format, args);
	va_end(args);
}

/* "The vault holds less than the sum of balances", as of one block: the
 * ledger's last change is not after it, and it has been followed. */
static void weigh(struct report *r, const struct report_input *in)
{
	const struct sight_vault *vault = &in->sight->vault;
	CLEANUP(ledger_view_endp) struct ledger_view *v = NULL;
	struct address native = {{0}};
	struct u256 sum;
	bool less;

	if (!vault->known || vault->block > in->replica->tip.number ||
	    in->replica->history.stop.kind != STOP_NONE)
		return;
	if (ledger_view_begin(in->replica->ledger, &v) ||
	    ledger_view_mark(v)->block > vault->block ||
	    ledger_view_sum(v, native, &sum))
		return;
	less = u256_cmp(vault->balance, sum) < 0;
	if (less && !r->insolvent) {
		r->insolvent_since = in->sight->facts.block.time;
		log_error("the vault holds less than the ledger promises",
			  "vault", u256_text(vault->balance).s, "ledger",
			  u256_text(sum).s);
	}
	r->insolvent = less;
}

static void alerts(struct report *r, const struct report_input *in,
		   struct status_input *s)
{
	const struct hatch_facts *f = s->facts;
	const struct stop *stop = &in->replica->history.stop;
	enum phase phase = in->verdict->phase;

	if (phase != PHASE_UNKNOWN)
		r->unknown_since = 0;
	else if (!r->unknown_since)
		r->unknown_since = in->l1->acted.time;
	if (phase == PHASE_UNKNOWN)
		alert(s, "UNKNOWN", r->unknown_since, "%s", in->verdict->why);
	if (f && (phase == PHASE_LATE || phase == PHASE_PROMOTED))
		alert(s, "LATE", f->last_at + f->terms.sla_window,
		      "no batch since %llu, %u s are allowed",
		      (unsigned long long)f->last_at, f->terms.sla_window);
	else if (f && in->quiet)
		alert(s, "QUIET", f->last_at + in->quiet_after,
		      "no batch since %llu, %llu s are usual",
		      (unsigned long long)f->last_at,
		      (unsigned long long)in->quiet_after);
	if (in->unsafe[0])
		alert(s, "UNSAFE_WINDOW", f ? f->block.time : 0, "%.190s",
		      in->unsafe);
	if (stop->kind == STOP_BAD_BATCH)
		alert(s, "BAD_BATCH", stop->time, "%s", stop->why);
	if (stop->kind == STOP_UNVERIFIABLE)
		alert(s, "UNVERIFIABLE", stop->time, "%s", stop->why);
	if (r->insolvent)
		alert(s, "INSOLVENT", r->insolvent_since,
		      "the vault holds less than the ledger promises");
	for (size_t i = 0; i < in->l1->n; i++) {
		const struct l1_provider_view *p = &in->l1->providers[i];
		if (p->lying)
			alert(s, "PROVIDER_LIED", p->expelled_l1_time,
			      "%.40s: %.120s", p->name, p->why);
	}
}

static const char *not_ready(const struct report_input *in, char *to,
			     size_t size)
{
	const struct stop *stop = &in->replica->history.stop;

	if (in->blind[0])
		return in->blind;
	if (!in->following || in->behind > BEHIND_MAX) {
		snprintf(to, size, "catching up: %llu blocks to go%s%.120s",
			 (unsigned long long)in->behind,
			 in->follow_trouble[0] ? ": " : "", in->follow_trouble);
		return to;
	}
	return stop->kind == STOP_UNVERIFIABLE ? stop->why : "";
}

static void put_bad_batch(struct report *r, const struct stop *stop)
{
	struct buf b;

	if (r->pages && r->stop_shown == stop->kind &&
	    r->stop_batch == stop->batch)
		return;
	r->stop_shown = stop->kind;
	r->stop_batch = stop->batch;
	buf_init(&b, PAGE_MAX);
	status_bad_batch(stop, &b);
	board_put(r->board, BOARD_BAD_BATCH, buf_slice(&b));
	buf_done(&b);
}

static void put_pages(struct report *r, const struct report_input *in,
		      const struct status_input *s)
{
	struct buf b;

	put_bad_batch(r, &in->replica->history.stop);
	if (!shown_is_due(&r->shown, s, in->now_ms) && !in->ballots_changed)
		return;
	buf_init(&b, PAGE_MAX);
	status_json(s, &b);
	board_put(r->board, BOARD_STATUS, buf_slice(&b));
	buf_clear(&b);
	status_metrics(s, &b);
	board_put(r->board, BOARD_METRICS, buf_slice(&b));
	if (in->ballots_changed || !r->pages) {
		buf_clear(&b);
		pool_json(in->pool, &b);
		board_put(r->board, BOARD_BALLOTS, buf_slice(&b));
	}
	buf_done(&b);
	r->pages = true;
}

void report_publish(struct report *r, const struct report_input *in)
{
	const struct hatch_facts *f =
		in->sight->known ? &in->sight->facts : NULL;
	struct status_input s = {
		.chain_id = in->chain_id,
		.hatch = in->replica->hatch,
		.verdict = in->verdict,
		.facts = f,
		.l1 = in->l1,
		.follow_proofs = in->follow_proofs,
		.pool = in->pool,
		.trouble = in->voting,
		.behind = in->behind,
		.quiet = in->quiet,
		.pace = in->pace,
	};
	struct pool_rules rules = {0};
	struct ledger_mark mark;
	char why[192];

	if (f)
		rules = pool_rules_of(in->chain_id, in->l1->head.time, f);
	ledger_mark(in->replica->ledger, &mark);
	s.mark = &mark;
	memcpy(s.standby, in->standbys->standby, sizeof(s.standby));
	memcpy(s.standby_why, in->standby_why, sizeof(s.standby_why));
	weigh(r, in);
	alerts(r, in, &s);
	put_pages(r, in, &s);
	board_set(r->board, &rules, in->replica->rollup,
		  not_ready(in, why, sizeof(why)));
}
