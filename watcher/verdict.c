#include "watcher/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "abi/hex.h"

const char *verdict_act_name(enum verdict_act act)
{
	switch (act) {
	case VERDICT_ABSTAIN:
		return "abstain";
	case VERDICT_PROMOTE:
		return "promote";
	case VERDICT_OPEN:
		return "open";
	}
	return "?";
}

static void PRINTF_LIKE(2, 3) say(struct verdict *v, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(v->why, sizeof(v->why), format, args);
	va_end(args);
}

uint64_t verdict_late_since(const struct hatch_facts *f)
{
	uint64_t late = f->last_at + f->terms.sla_window;
	uint64_t failed = f->promoted_at + f->terms.failover_window;

	return f->promoted_at > f->last_at && failed > late ? failed : late;
}

uint64_t lateness_seen(struct lateness *l, const struct hatch_facts *facts,
		       uint64_t now_ms)
{
	uint64_t looked_ms = l->seeing_ms;

	l->seeing_ms = facts ? now_ms : 0;
	if (!facts)
		return 0;
	if (phase_of(facts, facts->block.time) != PHASE_LATE) {
		l->late = false;
		return 0;
	}
	if (!l->late || l->since != verdict_late_since(facts))
		l->seen_ms = 0;
	else if (looked_ms)
		l->seen_ms += now_ms - looked_ms;
	l->late = true;
	l->since = verdict_late_since(facts);
	return l->seen_ms / 1000;
}

static bool eligible(const struct verdict_input *in, size_t i,
		     enum standby_state state)
{
	return in->standby[i] == state && !in->promoted[i] &&
	       !address_eq(in->facts->standbys[i], in->facts->sequencer);
}

/* The position to promote, or -1. A choice is kept while its ballots may
 * still meet others'; after that the list's order heals a split. */
static int choose(const struct verdict_input *in)
{
	int first = -1;

	for (size_t i = 0; i < in->facts->n_standbys; i++) {
		if (!eligible(in, i, STANDBY_READY))
			continue;
		if (in->prior.young && in->prior.act == VERDICT_PROMOTE &&
		    address_eq(in->facts->standbys[i], in->prior.standby))
			return (int)i;
		if (first < 0)
			first = (int)i;
	}
	return first;
}

/* Somebody of whom it is not known whether he could take over. */
static bool undecided(const struct verdict_input *in)
{
	for (size_t i = 0; i < in->facts->n_standbys; i++)
		if (eligible(in, i, STANDBY_UNKNOWN))
			return true;
	return false;
}

static const char *who(const struct verdict_input *in)
{
	return in->policy.observer ? "it is for the guardians"
				   : "by policy it is for a human";
}

static void decide_promote(const struct verdict_input *in, int at,
			   struct verdict *v)
{
	struct address standby = in->facts->standbys[at];

	if (!in->policy.promote) {
		say(v, "no batch in the SLA window: %s to promote standby %s",
		    who(in), address_text(standby).s);
		return;
	}
	v->act = VERDICT_PROMOTE;
	v->standby = standby;
	say(v, "no batch in the SLA window: standby %s is the first ready one",
	    address_text(standby).s);
}

static void decide_open(const struct verdict_input *in, struct verdict *v)
{
	if (!in->policy.open) {
		say(v,
		    "no batch in the SLA window and no standby is left: %s "
		    "to open",
		    who(in));
		return;
	}
	v->act = VERDICT_OPEN;
	say(v, "no batch in the SLA window and no standby is left: open");
}

/* Seconds, by whichever clock is behind. */
static uint64_t hold_off_left(const struct verdict_input *in)
{
	const uint64_t hold_off = in->policy.hold_off;
	uint64_t now = in->facts->block.time;
	uint64_t from = verdict_late_since(in->facts) + hold_off;
	uint64_t l1 = now <= from ? from - now + 1 : 0;
	uint64_t ours = in->seen_late < hold_off ? hold_off - in->seen_late : 0;

	return l1 > ours ? l1 : ours;
}

static void decide_late(const struct verdict_input *in, struct verdict *v)
{
	uint64_t left = hold_off_left(in);
	int at = choose(in);
	bool keep_open = in->prior.young && in->prior.act == VERDICT_OPEN;

	if (left && (in->policy.promote || in->policy.open)) {
		say(v, "late: the hold-off lasts for %llu s more",
		    (unsigned long long)left);
		return;
	}
	if (at >= 0 && !keep_open)
		decide_promote(in, at, v);
	else if (!keep_open && undecided(in))
		say(v, "late: whether a standby is ready is being asked");
	else
		decide_open(in, v);
}

static void decide_live(const struct hatch_facts *f, struct verdict *v)
{
	if (!f->last_at)
		say(v, "no batch yet: no clock runs before the first");
	else
		say(v, "last batch %llu s ago, %u s are allowed",
		    (unsigned long long)(f->block.time - f->last_at),
		    f->terms.sla_window);
}

struct verdict verdict_of(const struct verdict_input *in)
{
	struct verdict v = {.act = VERDICT_ABSTAIN, .phase = PHASE_UNKNOWN};
	const struct hatch_facts *f = in->facts;

	if (!in->l1_healthy) {
		say(&v, "L1 is not to be trusted: %.120s", in->l1_why);
		return v;
	}
	if (!f) {
		say(&v, "the hatch has not been read yet");
		return v;
	}
	v.phase = phase_of(f, f->block.time);
	switch (v.phase) {
	case PHASE_LIVE:
		decide_live(f, &v);
		break;
	case PHASE_LATE:
		decide_late(in, &v);
		break;
	case PHASE_PROMOTED:
		say(&v, "standby %s has %llu s left to post its first batch",
		    address_text(f->sequencer).s,
		    (unsigned long long)(f->promoted_at +
					 f->terms.failover_window -
					 f->block.time));
		break;
	case PHASE_OPEN:
		say(&v, "the hatch is open: exits %s",
		    phase_exits_open(f, f->block.time) ? "run" : "run soon");
		break;
	case PHASE_SETTLING:
		say(&v, "exits are being written into the root: %llu left",
		    (unsigned long long)f->dirty);
		break;
	case PHASE_UNKNOWN:
		break;
	}
	return v;
}
