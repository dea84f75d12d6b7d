#include "watcher/status.h"

#include "abi/json.h"

#define VOTES_MAX 64

static void put_as_of(struct json_writer *w, const struct status_input *in)
{
	const struct block_ref *at =
		in->facts ? &in->facts->block : &in->l1->acted;

	json_begin(w, "as_of");
	json_put_u64(w, "block", at->number);
	json_put_hash(w, "hash", at->hash);
	json_put_u64(w, "time", at->time);
	json_put_string(w, "depth", in->l1->depth);
	json_end(w);
}

static void put_clocks(struct json_writer *w, const struct hatch_facts *f)
{
	struct phase_deadlines d = phase_deadlines(f);

	json_begin(w, "progress");
	json_put_u64(w, "count", f->count);
	json_put_u64(w, "at", f->last_at);
	json_end(w);
	json_begin(w, "deadlines");
	json_put_u64(w, "sla", d.late_at);
	json_put_u64(w, "failover", d.failover_until);
	json_put_u64(w, "hard", d.openable_at);
	json_put_u64(w, "oldest_request", f->overdue);
	json_put_u64(w, "exits", d.exits_from);
	json_put_u64(w, "resume", d.resume_from);
	json_end(w);
}

static void put_facts(struct json_writer *w, const struct status_input *in)
{
	const struct hatch_facts *f = in->facts;

	json_put_address(w, "rollup", f->rollup);
	put_clocks(w, f);
	json_put_hash(w, "l1_root", f->root);
	json_put_u64(w, "epoch", f->epoch);
	json_put_address(w, "active", f->sequencer);
	json_begin_array(w, "standbys");
	for (size_t i = 0; i < f->n_standbys; i++) {
		json_begin(w, NULL);
		json_put_address(w, "address", f->standbys[i]);
		json_put_bool(w, "ready", in->standby[i] == STANDBY_READY);
		json_put_string(w, "why", in->standby_why[i]);
		json_end(w);
	}
	json_end_array(w);
}

/* Everybody who signed for one (action, subject), whatever the expiry. */
struct tally {
	enum vote_action action;
	struct hash32 subject;
	size_t n;
	struct address signed_by[HATCH_KEYS_MAX];
};

static void add_signer(struct tally *t, struct address a)
{
	for (size_t i = 0; i < t->n; i++)
		if (address_eq(t->signed_by[i], a))
			return;
	if (t->n < HATCH_KEYS_MAX)
		t->signed_by[t->n++] = a;
}

static size_t count_votes(const struct pool *pool, struct tally *tallies)
{
	size_t n = 0;

	for (size_t i = 0; i < pool->n; i++) {
		const struct pool_ballot *b = &pool->ballots[i];
		size_t k = 0;

		while (k < n && (tallies[k].action != b->vote.action ||
				 !hash_eq(tallies[k].subject, b->vote.subject)))
			k++;
		if (k == n && n == VOTES_MAX)
			continue;
		if (k == n)
			tallies[n++] = (struct tally){
				.action = b->vote.action,
				.subject = b->vote.subject,
			};
		add_signer(&tallies[k], b->signer);
	}
	return n;
}

static void put_votes(struct json_writer *w, const struct status_input *in)
{
	struct tally tallies[VOTES_MAX];
	size_t n = count_votes(in->pool, tallies);

	json_begin_array(w, "votes");
	for (size_t i = 0; i < n; i++) {
		const struct tally *t = &tallies[i];

		json_begin(w, NULL);
		json_put_string(w, "action", vote_action_name(t->action));
		json_put_hash(w, "subject", t->subject);
		json_begin_array(w, "signed");
		for (size_t k = 0; k < t->n; k++)
			json_put_address(w, NULL, t->signed_by[k]);
		json_end_array(w);
		json_put_u64(w, "needed",
			     in->facts ? pool_needed(&in->facts->thresholds,
						     t->action)
				       : 0);
		json_end(w);
	}
	json_end_array(w);
}

static void put_progress(struct json_writer *w, const struct status_input *in)
{
	json_put_u64(w, "behind", in->behind);
	if (!in->pace.known) {
		json_put_null(w, "catch_up");
		return;
	}
	json_begin(w, "catch_up");
	json_put_u64(w, "rate", in->pace.rate);
	if (in->pace.ends)
		json_put_u64(w, "eta", in->pace.eta);
	else
		json_put_null(w, "eta");
	json_end(w);
}

void status_json(const struct status_input *in, struct buf *to)
{
	struct json_writer w = json_writer(to);

	json_begin(&w, NULL);
	json_put_string(&w, "version", EGRESS_VERSION);
	json_put_u64(&w, "chain_id", in->chain_id);
	json_put_address(&w, "hatch", in->hatch);
	json_put_string(&w, "phase", phase_name(in->verdict->phase));
	json_put_string(&w, "why", in->verdict->why);
	json_put_bool(&w, "quiet", in->quiet);
	put_as_of(&w, in);
	if (in->facts)
		put_facts(&w, in);
	json_put_hash(&w, "root", in->mark->root);
	json_put_u64(&w, "batch", in->mark->batch);
	json_put_u64(&w, "leaf_count", in->mark->leaf_count);
	put_progress(&w, in);
	put_votes(&w, in);
	json_put_string(&w, "voting", in->trouble);
	l1_view_json(in->l1, in->follow_proofs, &w);
	json_begin_array(&w, "alerts");
	for (size_t i = 0; i < in->n_alerts; i++) {
		json_begin(&w, NULL);
		json_put_string(&w, "id", in->alerts[i].id);
		json_put_u64(&w, "since", in->alerts[i].since);
		json_put_string(&w, "text", in->alerts[i].text);
		json_end(&w);
	}
	json_end_array(&w);
	json_end(&w);
}

static void head_of(struct buf *to, const char *name, const char *type,
		    const char *help)
{
	buf_printf(to, "# HELP egress_%s %s\n# TYPE egress_%s %s\n", name, help,
		   name, type);
}

static void gauge(struct buf *to, const char *name, const char *help,
		  uint64_t value)
{
	head_of(to, name, "gauge", help);
	buf_printf(to, "egress_%s %llu\n", name, (unsigned long long)value);
}

/* A label's value: a name from the configuration may hold anything. */
static void put_label(struct buf *to, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			buf_add_str(to, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_add_byte(to, '\\');
		if (*value != '\n')
			buf_add_byte(to, (uint8_t)*value);
	}
}

static void put_sample(struct buf *to, const char *name, const char *provider,
		       const char *kind, uint64_t value)
{
	buf_printf(to, "egress_%s{provider=\"", name);
	put_label(to, provider);
	buf_add_str(to, "\"");
	if (*kind)
		buf_printf(to, ",kind=\"%s\"", kind);
	buf_printf(to, "} %llu\n", (unsigned long long)value);
}

static void provider_metrics(const struct l1_view *l1, struct buf *to)
{
	static const char failures[] = "provider_failures_total",
			  expulsions[] = "provider_expulsions_total",
			  lying[] = "provider_lying";

	head_of(to, failures, "counter",
		"bad answers that contradict nothing, by kind");
	for (size_t i = 0; i < l1->n; i++)
		for (size_t k = 0; k < FAULT_KINDS; k++)
			put_sample(to, failures, l1->providers[i].name,
				   fault_name((enum fault)k),
				   l1->providers[i].faults[k]);
	head_of(to, expulsions, "counter",
		"times that it was expelled for a lie");
	for (size_t i = 0; i < l1->n; i++)
		put_sample(to, expulsions, l1->providers[i].name, "",
			   l1->providers[i].expulsions);
	head_of(to, lying, "gauge", "1 while it is expelled for a lie");
	for (size_t i = 0; i < l1->n; i++)
		put_sample(to, lying, l1->providers[i].name, "",
			   l1->providers[i].lying);
}

static uint64_t age(uint64_t now, const struct block_ref *b)
{
	return !hash_is_zero(b->hash) && now > b->time ? now - b->time : 0;
}

void status_metrics(const struct status_input *in, struct buf *to)
{
	uint64_t at = in->facts ? in->facts->block.time : 0;

	gauge(to, "phase",
	      "0 live 1 late 2 promoted 3 open 4 settling 255 unknown",
	      in->verdict->phase);
	gauge(to, "l1_healthy", "1 when a quorum agrees and L1 moves",
	      in->l1->healthy);
	gauge(to, "l1_head_age_seconds", "head's age by this machine's clock",
	      age(in->l1->unix_s, &in->l1->head));
	gauge(to, "l1_finality_lag_seconds",
	      "L1 time from the block acted on to the head",
	      age(in->l1->head.time, &in->l1->acted));
	gauge(to, "l1_agree", "weight that agrees on the block acted on",
	      in->l1->agree);
	gauge(to, "l1_block", "block that decisions rest on",
	      in->l1->acted.number);
	gauge(to, "blocks_behind", "blocks not yet in the ledger", in->behind);
	gauge(to, "batch", "last batch in the ledger", in->mark->batch);
	gauge(to, "leaf_count", "leaves in the ledger", in->mark->leaf_count);
	gauge(to, "batch_age_seconds", "L1 time since the last batch",
	      in->facts && in->facts->last_at && at >= in->facts->last_at
		      ? at - in->facts->last_at
		      : 0);
	gauge(to, "quiet", "1 when no batch came for longer than is usual",
	      in->quiet);
	gauge(to, "ballots", "ballots known of this epoch", in->pool->n);
	gauge(to, "alerts", "alerts that stand", in->n_alerts);
	provider_metrics(in->l1, to);
}

void status_bad_batch(const struct stop *stop, struct buf *to)
{
	struct json_writer w = json_writer(to);

	if (stop->kind != STOP_BAD_BATCH)
		return;
	json_begin(&w, NULL);
	json_put_u64(&w, "batch", stop->batch);
	json_put_u64(&w, "step", stop->step);
	json_put_hex(&w, "proof", stop->proof.p, stop->proof.len);
	json_end(&w);
}
