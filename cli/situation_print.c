/* The hatch's situation as text and as STATUS: see situation.h. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "cli/situation.h"
#include "l1/l1.h"
#include "sys/clock.h"

/* What a citizen should know and can do, in one breath. */
static const char *advice(enum phase phase, bool exits)
{
	switch (phase) {
	case PHASE_LIVE:
		return "the chain serves you. Should the sequencer ignore "
		       "you: egress withdraw forces it through L1";
	case PHASE_LATE:
		return "wait: guardians may put a standby in its place, and "
		       "past the deadline anyone opens the hatch. Your money "
		       "is safe on L1";
	case PHASE_PROMOTED:
		return "wait: a standby is taking over. If it fails, the "
		       "hatch opens at the deadline";
	case PHASE_OPEN:
		return exits ? "nothing needs doing: relayers pay everybody "
			       "at their own address. For another address: "
			       "egress exit"
			     : "wait: exits begin when no batch can be proven "
			       "bad any more. For another address than your "
			       "own: egress exit, now";
	case PHASE_SETTLING:
		return "wait: exits are closed. Whoever was not paid keeps "
		       "the balance under the new operator";
	case PHASE_UNKNOWN:
		break;
	}
	return "nothing is decided on a guess: ask another watcher, or L1 "
	       "with --rpc and --hatch";
}

static void line(const char *what, const char *text)
{
	printf("  %-10s %s\n", what, text);
}

/* What times are told against: L1's own clock, as of the block; when L1 is out
 * of sight that stands still, and only ours is left. */
static uint64_t now_of(const struct situation *s)
{
	uint64_t ours = clock_unix_ms() / 1000;

	return s->phase == PHASE_UNKNOWN && ours > s->time ? ours : s->time;
}

static void print_deadline(const char *what, uint64_t at, uint64_t now)
{
	if (at)
		printf("  %-10s %s\n", what, cli_when(at, now).s);
}

/* "passed" would read oddly as "2 s ago: anyone may open". */
static void print_clocks(const struct situation *s)
{
	const struct phase_deadlines *d = &s->deadlines;
	uint64_t now = now_of(s);

	if (s->phase == PHASE_UNKNOWN)
		line("then",
		     "as of that block; a batch since would move these");
	if (!d->late_at || now <= d->late_at || s->phase == PHASE_UNKNOWN)
		print_deadline("late", d->late_at, now);
	if (s->phase == PHASE_PROMOTED)
		print_deadline("failover", d->failover_until, now);
	if (d->openable_at && now > d->openable_at && s->phase != PHASE_UNKNOWN)
		line("openable", "now, by anyone, without a vote");
	else
		print_deadline("openable", d->openable_at, now);
	if (d->exits_from && now > d->exits_from && s->phase != PHASE_UNKNOWN)
		line("exits", "open");
	else
		print_deadline("exits", d->exits_from, now);
	if (s->phase == PHASE_OPEN)
		print_deadline("resume", d->resume_from, now);
	if (s->oldest_request)
		printf("  %-10s a forced withdrawal was due %s\n", "overdue",
		       cli_when(s->oldest_request, now).s);
}

static void print_standbys(const struct situation *s)
{
	for (size_t i = 0; i < s->n_standbys; i++) {
		const struct situation_standby *one = &s->standbys[i];
		printf("  %-10s %s%s%s%s\n", i ? "" : "standbys",
		       address_text(one->address).s,
		       !one->told   ? ""
		       : one->ready ? " ready"
				    : " not ready",
		       *one->why.s ? ": " : "", one->why.s);
	}
}

static void print_vote(const struct situation_vote *v)
{
	struct address who;

	printf("  %-10s %s", "votes", vote_action_name(v->action));
	if (v->action == VOTE_PROMOTE || v->action == VOTE_RESUME) {
		memcpy(who.b, v->subject.b + 12, sizeof(who.b));
		printf(" %s", address_text(who).s);
	}
	printf(": %zu of %" PRIu64 " needed", v->n, v->needed);
	for (size_t i = 0; i < v->n; i++)
		printf("%s %.8s…", i ? "," : ":",
		       address_text(v->signed_by[i]).s);
	putchar('\n');
}

/* Proofs are the rule: what is known by less is said. */
static void print_known(const char *what, const struct situation_text *how)
{
	if (*how->s && strcmp(how->s, "proved"))
		printf("  %-10s %s %s\n", "L1", what, how->s);
}

static void print_l1(const struct situation *s)
{
	const struct situation_l1 *l1 = &s->l1;

	if (!s->l1_healthy)
		line("L1", s->l1_why.s);
	if (l1->head)
		printf("  %-10s head %" PRIu64 ", %s old; acted on %s behind "
		       "it; weight %" PRIu64 " agrees, %" PRIu64 " needed\n",
		       "L1", l1->head, cli_duration(l1->age).s,
		       cli_duration(l1->lag).s, l1->agree, l1->quorum);
	if (!strcmp(s->depth, "safe") && *l1->depth_why.s)
		printf("  %-10s acted on safe: %s\n", "L1", l1->depth_why.s);
	print_known("headers", &l1->headers);
	print_known("facts", &l1->proofs);
	print_known("logs", &l1->follow_proofs);
	if (*l1->clock.s)
		line("L1", l1->clock.s);
	for (size_t i = 0; i < s->n_providers; i++) {
		const struct situation_provider *p = &s->providers[i];
		if (!strcmp(p->state, "good") || !strcmp(p->state, "new"))
			continue;
		printf("  %-10s %s is %s%s%s\n", "L1", p->name, p->state,
		       *p->why.s ? ": " : "", p->why.s);
	}
}

void situation_print(const struct situation *s)
{
	const struct phase_deadlines *d = &s->deadlines;
	bool exits = d->exits_from && s->time > d->exits_from;
	uint64_t now = now_of(s);

	printf("%s: %s\n", phase_name(s->phase), cli_times(s->why.s, now).s);
	printf("  %-10s L1 block %" PRIu64 ", %s%s%s\n", "as of", s->block,
	       s->depth, now > s->time ? ", " : "",
	       now > s->time ? cli_when(s->time, now).s : "");
	if (s->facts) {
		printf("  %-10s %" PRIu64 ", %s; %" PRIu64 " leaves, root "
		       "%.10s…\n",
		       "batch", s->count,
		       s->last_at ? cli_when(s->last_at, now).s : "none yet",
		       s->leaf_count, hash_text(s->root).s);
		print_clocks(s);
		line("sequencer", address_text(s->active).s);
		print_standbys(s);
	}
	for (size_t i = 0; i < s->n_votes; i++)
		print_vote(&s->votes[i]);
	print_l1(s);
	for (size_t i = 0; i < s->n_alerts; i++)
		printf("  %-10s %s, %s: %s\n", "alert", s->alerts[i].id,
		       cli_when(s->alerts[i].since, now).s,
		       cli_times(s->alerts[i].text.s, now).s);
	cli_wrap("you", advice(s->phase, exits));
}

/* ---- STATUS -----------------------------------------------------------------
 */

static void put_clocks(const struct situation *s, struct json_writer *w)
{
	json_begin(w, "progress");
	json_put_u64(w, "count", s->count);
	json_put_u64(w, "at", s->last_at);
	json_end(w);
	json_begin(w, "deadlines");
	json_put_u64(w, "sla", s->deadlines.late_at);
	json_put_u64(w, "failover", s->deadlines.failover_until);
	json_put_u64(w, "hard", s->deadlines.openable_at);
	json_put_u64(w, "oldest_request", s->oldest_request);
	json_put_u64(w, "exits", s->deadlines.exits_from);
	json_put_u64(w, "resume", s->deadlines.resume_from);
	json_end(w);
}

void situation_json(const struct situation *s, const struct l1_view *l1,
		    struct json_writer *w)
{
	json_begin(w, NULL);
	json_put_string(w, "version", EGRESS_VERSION);
	json_put_u64(w, "chain_id", s->chain_id);
	json_put_address(w, "hatch", s->hatch);
	json_put_string(w, "phase", phase_name(s->phase));
	json_put_string(w, "why", s->why.s);
	json_begin(w, "as_of");
	json_put_u64(w, "block", s->block);
	json_put_u64(w, "time", s->time);
	json_put_string(w, "depth", s->depth);
	json_end(w);
	put_clocks(s, w);
	json_put_hash(w, "root", s->root);
	json_put_u64(w, "batch", s->batch);
	json_put_u64(w, "leaf_count", s->leaf_count);
	json_put_u64(w, "epoch", s->epoch);
	json_put_address(w, "active", s->active);
	json_begin_array(w, "standbys");
	for (size_t i = 0; i < s->n_standbys; i++) {
		json_begin(w, NULL);
		json_put_address(w, "address", s->standbys[i].address);
		json_end(w);
	}
	json_end_array(w);
	l1_view_json(l1, "", w);
	json_end(w);
}
