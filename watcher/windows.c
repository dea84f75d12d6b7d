#include "watcher/windows.h"

#include "l1/phase.h"
#include "sys/config_value.h"

/* Of slaWindow: what looks less often, or that far behind, sees a stall late by
 * as much. */
#define PART 4

static struct config_text of_s(uint64_t seconds)
{
	return config_value_duration(seconds * 1000);
}

static bool votes(const struct watcher_config *c)
{
	return c->guardian_set &&
	       (c->vote.promote == VOTE_AUTO || c->vote.open == VOTE_AUTO);
}

enum err windows_judge(const struct watcher_config *c,
		       const struct hatch_terms *t, struct err_text *error)
{
	const struct settings *s = &c->shared;
	uint64_t sla = t->sla_window, hold_off = c->vote.hold_off_ms;

	if (c->sla_ms > sla * 1000) {
		settings_complain(s, "sla", error,
				  "%s is longer than the contract's slaWindow "
				  "of %s: citizens would wait unseen: lower it "
				  "or remove it",
				  config_value_duration(c->sla_ms).s,
				  of_s(sla).s);
		return ERR_REFUSED;
	}
	if (s->poll_ms >= sla * 1000) {
		settings_complain(s, "poll", error,
				  "%s is not shorter than the contract's "
				  "slaWindow of %s: a stall would be seen a "
				  "window late: poll every %s or more often",
				  config_value_duration(s->poll_ms).s,
				  of_s(sla).s,
				  config_value_duration(sla * 1000 / PART).s);
		return ERR_REFUSED;
	}
	if (votes(c) && sla * 1000 + hold_off >= t->hard_deadline * 1000ULL) {
		settings_complain(s, "vote.hold_off", error,
				  "%s after the slaWindow of %s anybody may "
				  "open the hatch already (hardDeadline %s): "
				  "this guardian would never vote in time: "
				  "lower it",
				  config_value_duration(hold_off).s,
				  of_s(sla).s, of_s(t->hard_deadline).s);
		return ERR_REFUSED;
	}
	return OK;
}

enum windows_news windows_update(struct windows *w,
				 const struct watcher_config *c,
				 const struct hatch_terms *terms)
{
	bool first = !w->judged;

	if (!first && !memcmp(terms, &w->by, sizeof(*terms)))
		return WINDOWS_SAME;
	w->judged = true;
	w->by = *terms;
	if (windows_judge(c, terms, &w->unsafe))
		return first ? WINDOWS_REFUSED : WINDOWS_UNSAFE;
	w->unsafe.text[0] = 0;
	return WINDOWS_SAFE;
}

static struct err_text *line(struct settings_warnings *w)
{
	return &w->lines[w->n++]; /* never as many as there is room for */
}

void windows_warn(const struct watcher_config *c, const struct hatch_terms *t,
		  uint64_t lag, struct settings_warnings *ret)
{
	const struct settings *s = &c->shared;
	bool counted = s->chain.act_on == ACT_ON_CONFIRMATIONS;

	ret->n = 0;
	if (s->poll_ms > t->sla_window * 1000ULL / PART)
		settings_complain(s, "poll", line(ret),
				  "%s is more than a quarter of the contract's "
				  "slaWindow of %s: poll more often",
				  config_value_duration(s->poll_ms).s,
				  of_s(t->sla_window).s);
	if (votes(c) && c->vote.hold_off_ms >= t->failover_window * 1000ULL)
		settings_complain(s, "vote.hold_off", line(ret),
				  "%s is not shorter than failoverWindow (%s): "
				  "after a standby that failed, this guardian "
				  "votes a whole window late",
				  config_value_duration(c->vote.hold_off_ms).s,
				  of_s(t->failover_window).s);
	if (lag > t->sla_window)
		settings_complain(
			s, counted ? "chain.confirmations" : "chain.act_on",
			line(ret),
			"what is acted on is %s old, the contract's slaWindow "
			"is %s: every stall is seen too late: %s",
			of_s(lag).s, of_s(t->sla_window).s,
			counted ? "give fewer" : "write act_on: safe");
}

uint64_t windows_quiet_after(const struct watcher_config *c,
			     const struct hatch_terms *terms)
{
	uint64_t own = c->sla_ms / 1000;

	return c->sla_ms && own < terms->sla_window ? own : terms->sla_window;
}

bool windows_quiet(const struct watcher_config *c, const struct hatch_facts *f)
{
	enum phase phase = phase_of(f, f->block.time);

	return (phase == PHASE_LIVE || phase == PHASE_LATE) && f->last_at &&
	       f->block.time > f->last_at + windows_quiet_after(c, &f->terms);
}
