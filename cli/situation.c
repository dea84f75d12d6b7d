/* Reads the hatch's situation from a watcher or from L1: see situation.h. */
#include "cli/situation.h"

#include <stdio.h>

#define TEXT_MAX 255

static void copy_text(struct situation_text *to, const char *from)
{
	snprintf(to->s, sizeof(to->s), "%s", from);
	cli_clean(to->s);
}

static void read_text(struct json_reader *r, const json_node *o,
		      const char *key, struct situation_text *to)
{
	if (json_has(o, key))
		copy_text(to, json_string(r, o, key, TEXT_MAX));
}

static void read_short(struct json_reader *r, const json_node *o,
		       const char *key, char *to, size_t size)
{
	snprintf(to, size, "%s", json_string(r, o, key, size - 1));
	cli_clean(to);
}

static uint64_t read_u64(struct json_reader *r, const json_node *o,
			 const char *key)
{
	return json_has(o, key) ? json_u64(r, o, key) : 0;
}

static size_t at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

static enum phase phase_parse(struct json_reader *r, const char *name)
{
	for (int p = PHASE_LIVE; p <= PHASE_SETTLING; p++)
		if (!strcmp(name, phase_name((enum phase)p)))
			return (enum phase)p;
	if (strcmp(name, "UNKNOWN"))
		json_fail(r, "phase", "expected the name of a phase");
	return PHASE_UNKNOWN;
}

static void read_clocks(struct json_reader *r, const json_node *o,
			struct situation *s)
{
	const json_node *progress = json_object(r, o, "progress");
	const json_node *d = json_object(r, o, "deadlines");

	s->count = json_u64(r, progress, "count");
	s->last_at = json_u64(r, progress, "at");
	s->deadlines.late_at = read_u64(r, d, "sla");
	s->deadlines.failover_until = read_u64(r, d, "failover");
	s->deadlines.openable_at = read_u64(r, d, "hard");
	s->deadlines.exits_from = read_u64(r, d, "exits");
	s->deadlines.resume_from = read_u64(r, d, "resume");
	s->oldest_request = read_u64(r, d, "oldest_request");
}

static void read_facts(struct json_reader *r, const json_node *o,
		       struct situation *s)
{
	const json_node *standbys = json_array(r, o, "standbys");

	read_clocks(r, o, s);
	s->epoch = json_u64(r, o, "epoch");
	s->active = json_address(r, o, "active");
	s->n_standbys = at_most(json_len(standbys), HATCH_KEYS_MAX);
	for (size_t i = 0; i < s->n_standbys; i++) {
		const json_node *one = json_at(standbys, i);
		struct situation_standby *to = &s->standbys[i];
		to->address = json_address(r, one, "address");
		to->told = true;
		to->ready = json_bool(r, one, "ready");
		read_text(r, one, "why", &to->why);
	}
}

static void read_votes(struct json_reader *r, const json_node *votes,
		       struct situation *s)
{
	s->votes_told = true;
	s->n_votes = at_most(json_len(votes), SITUATION_VOTES_MAX);
	for (size_t i = 0; i < s->n_votes; i++) {
		const json_node *one = json_at(votes, i);
		const json_node *by = json_array(r, one, "signed");
		struct situation_vote *to = &s->votes[i];
		to->action = vote_action_parse(
			json_string(r, one, "action", TEXT_MAX));
		to->subject = json_hash(r, one, "subject");
		to->needed = json_u64(r, one, "needed");
		to->n = at_most(json_len(by), HATCH_KEYS_MAX);
		for (size_t k = 0; k < to->n; k++)
			to->signed_by[k] =
				json_address(r, json_at(by, k), NULL);
	}
}

static void read_sight(struct json_reader *r, const json_node *o,
		       struct situation_l1 *to)
{
	const json_node *agree = json_object(r, o, "agree");

	if (json_has(o, "head")) {
		const json_node *head = json_object(r, o, "head");
		to->head = json_u64(r, head, "number");
		to->age = json_u64(r, head, "age");
	}
	if (json_has(o, "acted"))
		to->lag = json_u64(r, json_object(r, o, "acted"), "lag");
	to->agree = json_u64(r, agree, "weight");
	to->quorum = json_u64(r, agree, "quorum");
	read_text(r, o, "headers", &to->headers);
	read_text(r, o, "proofs", &to->proofs);
	read_text(r, o, "follow_proofs", &to->follow_proofs);
	read_text(r, o, "clock", &to->clock);
	read_text(r, o, "depth_why", &to->depth_why);
}

static void read_l1(struct json_reader *r, const json_node *o,
		    struct situation *s)
{
	const json_node *providers = json_array(r, o, "providers");

	s->l1_healthy = json_bool(r, o, "healthy");
	read_text(r, o, "why", &s->l1_why);
	read_sight(r, o, &s->l1);
	s->n_providers = at_most(json_len(providers), SITUATION_L1_MAX);
	for (size_t i = 0; i < s->n_providers; i++) {
		const json_node *one = json_at(providers, i);
		struct situation_provider *to = &s->providers[i];
		read_short(r, one, "name", to->name, sizeof(to->name));
		read_short(r, one, "state", to->state, sizeof(to->state));
		read_text(r, one, "why", &to->why);
	}
}

static void read_alerts(struct json_reader *r, const json_node *alerts,
			struct situation *s)
{
	s->n_alerts = at_most(json_len(alerts), SITUATION_ALERTS_MAX);
	for (size_t i = 0; i < s->n_alerts; i++) {
		const json_node *one = json_at(alerts, i);
		struct situation_alert *to = &s->alerts[i];
		read_short(r, one, "id", to->id, sizeof(to->id));
		to->since = json_u64(r, one, "since");
		read_text(r, one, "text", &to->text);
	}
}

void situation_of_status(struct json_reader *r, const json_node *o,
			 struct situation *s)
{
	const json_node *as_of = json_object(r, o, "as_of");

	*s = (struct situation){0};
	s->chain_id = json_u64(r, o, "chain_id");
	s->hatch = json_address(r, o, "hatch");
	s->phase = phase_parse(r, json_string(r, o, "phase", TEXT_MAX));
	read_text(r, o, "why", &s->why);
	s->block = json_u64(r, as_of, "block");
	s->time = json_u64(r, as_of, "time");
	read_short(r, as_of, "depth", s->depth, sizeof(s->depth));
	s->facts = json_has(o, "progress");
	if (s->facts)
		read_facts(r, o, s);
	s->root = json_hash(r, o, "root");
	s->batch = json_u64(r, o, "batch");
	s->leaf_count = json_u64(r, o, "leaf_count");
	read_votes(r, json_array(r, o, "votes"), s);
	read_l1(r, json_object(r, o, "l1"), s);
	read_alerts(r, json_array(r, o, "alerts"), s);
}

/* ---- from L1 itself -------------------------------------------------------
 */

static void say_why(const struct hatch_facts *f, struct situation *s)
{
	struct cli_text last = cli_when(f->last_at, s->time);

	switch (s->phase) {
	case PHASE_LIVE:
		if (f->last_at)
			snprintf(s->why.s, sizeof(s->why.s), "last batch %s",
				 last.s);
		else
			copy_text(&s->why, "no batch yet: no clock runs");
		return;
	case PHASE_LATE:
		snprintf(s->why.s, sizeof(s->why.s),
			 "last batch %s, at least one every %s is promised",
			 last.s, cli_duration(f->terms.sla_window).s);
		return;
	case PHASE_PROMOTED:
		snprintf(s->why.s, sizeof(s->why.s),
			 "last batch %s, a standby was promoted %s", last.s,
			 cli_when(f->promoted_at, s->time).s);
		return;
	case PHASE_OPEN:
		snprintf(s->why.s, sizeof(s->why.s), "the hatch opened %s",
			 cli_when(f->opened_at, s->time).s);
		return;
	case PHASE_SETTLING:
		snprintf(s->why.s, sizeof(s->why.s),
			 "resumed; %llu buckets of exits are still to be "
			 "written into the root",
			 (unsigned long long)f->dirty);
		return;
	case PHASE_UNKNOWN:
		return;
	}
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static void sight_of_view(const struct l1_view *l1, struct situation_l1 *to)
{
	*to = (struct situation_l1){
		.head = l1->head.number,
		.age = between(l1->head.time, l1->unix_s),
		.lag = between(l1->acted.time, l1->head.time),
		.agree = l1->agree,
		.quorum = l1->quorum,
	};
	copy_text(&to->headers, l1->headers);
	copy_text(&to->proofs, l1->proofs);
	copy_text(&to->clock, l1->clock);
	copy_text(&to->depth_why, l1->depth_why);
}

void situation_of_facts(const struct hatch_facts *f, const struct l1_view *l1,
			uint64_t chain_id, struct situation *s)
{
	*s = (struct situation){
		.chain_id = chain_id,
		.hatch = f->hatch,
		.phase = phase_of(f, f->block.time),
		.block = f->block.number,
		.time = f->block.time,
		.facts = true,
		.count = f->count,
		.last_at = f->last_at,
		.epoch = f->epoch,
		.deadlines = phase_deadlines(f),
		.oldest_request = f->overdue,
		.active = f->sequencer,
		.n_standbys = f->n_standbys,
		.root = f->root,
		.batch = f->count,
		.leaf_count = f->leaf_count,
		.l1_healthy = l1->healthy,
		.n_providers = at_most(l1->n, SITUATION_L1_MAX),
	};
	snprintf(s->depth, sizeof(s->depth), "%s", l1->depth);
	copy_text(&s->l1_why, l1->why);
	sight_of_view(l1, &s->l1);
	for (size_t i = 0; i < f->n_standbys; i++)
		s->standbys[i].address = f->standbys[i];
	for (size_t i = 0; i < s->n_providers; i++) {
		const struct l1_provider_view *p = &l1->providers[i];
		struct situation_provider *to = &s->providers[i];
		snprintf(to->name, sizeof(to->name), "%s", p->name);
		snprintf(to->state, sizeof(to->state), "%s", p->state);
		copy_text(&to->why, p->why);
	}
	say_why(f, s);
}
