/* One turn: reap, follow, decide, commit, start. */
#include "watcher/watcher.h"

#include <stdio.h>

#include "abi/hex.h"
#include "l1/tell.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "watcher/watcher_inside.h"

#define REAP_MS 60000 /* dead readers of the store */

/* ---- following ---- */

/* What can never work ends at once; an outage is waited for. */
static void check_chain(struct watcher *w)
{
	struct err_text why;

	if (l1_is_hopeless(w->l1, &why))
		memcpy(w->fatal, why.text, sizeof(w->fatal));
}

static void start_following(struct watcher *w, uint64_t now)
{
	struct follow_config c;
	enum err err = replica_set_rollup(&w->replica, w->sight.facts.rollup);

	if (err == ERR_CONFLICT)
		snprintf(w->fatal, sizeof(w->fatal),
			 "the hatch names another rollup than before");
	else if (err)
		replica_fatal("the rollup's address cannot be committed", err);
	if (err)
		return;
	c = replica_follow_config(&w->replica);
	w->follow = follow_new(w->l1, &c);
	w->followed_ms = now;
}

/* What cannot be followed may be a provider's fault, here or a while ago: the
 * same block again, then from further and further back, and from before the
 * ledger's last change; all of them block by block, with proofs, and more of
 * those to come each time that ranges have misled us. */
static void read_again(struct watcher *w, uint64_t block, uint64_t now)
{
	static const uint64_t back[DOUBTS_MAX] = {0, 64, 512};
	size_t since = replica_since_change(&w->replica);

	if (!w->doubts && w->distrust < DISTRUST_MAX)
		w->distrust = w->distrust ? 2 * w->distrust : DISTRUST_FIRST;
	w->replica.by_block = block + w->distrust;
	w->reread = back[w->doubts];
	if (w->doubts && since > w->reread)
		w->reread = since;
	w->doubts++;
	w->doubted = block;
	w->doubt_ms = now + DOUBT_MS;
	follow_free(w->follow);
	w->follow = NULL;
}

/* A turn does so many blocks, and no more once it has taken so long. */
static bool turn_is_over(int blocks, uint64_t now)
{
	return blocks >= BLOCKS_A_TURN || clock_mono_ms() - now >= TURN_MS;
}

/* Undoes what is to be read again; true: all of it. */
static bool went_back(struct watcher *w, uint64_t now)
{
	for (int i = 0; w->reread && !turn_is_over(i, now); i++)
		w->reread = replica_reread(&w->replica) ? w->reread - 1 : 0;
	return !w->reread;
}

/* Commits what has arrived, as far as a turn goes. */
static uint64_t follow_blocks(struct watcher *w, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	if (!w->sight.known)
		return next;
	w->replica.finality = w->sight.facts.terms.finality;
	if (!went_back(w, now))
		return now;
	if (!w->follow && now >= w->doubt_ms)
		start_following(w, now);
	if (!w->follow)
		return next;
	next = follow_turn(w->follow, now);
	if (!follow_behind(w->follow))
		w->followed_ms = now;
	for (int i = 0; !turn_is_over(i, now); i++) {
		struct follow_step step = follow_peek(w->follow);

		if (step.move == FOLLOW_NONE)
			return next;
		if (step.move == FOLLOW_BACK) {
			replica_back(&w->replica);
		} else if (!replica_forward(&w->replica, &step,
					    w->doubts == DOUBTS_MAX)) {
			read_again(w, step.block.number, now);
			return now + DOUBT_MS;
		}
		if (step.block.number >= w->doubted)
			w->doubts = 0;
		follow_ack(w->follow, &w->replica.tip);
		w->followed_ms = now;
	}
	return now; /* there may be more */
}

static void show_progress(struct watcher *w, uint64_t now)
{
	uint64_t block = w->replica.tip.number;
	const struct progress_point at = {
		.now_ms = now,
		.block = block,
		.behind = w->follow ? follow_behind(w->follow) : 0};
	struct progress_pace pace;

	progress_note(&w->progress, &at);
	if (!progress_is_due(&w->progress, now))
		return;
	pace = progress_pace(&w->progress);
	log_info("catching up", "block", log_u64(block).s, "of",
		 log_u64(block + at.behind).s, "blocks_a_second",
		 log_u64(pace.rate).s, "eta_s",
		 pace.ends ? log_u64(pace.eta).s : "unknown", "logs",
		 follow_proofs(w->follow));
}

/* ---- deciding ---- */

static struct verdict_input input(struct watcher *w, const char *blind,
				  const char **standby_why, uint64_t now)
{
	const struct hatch_facts *f = &w->sight.facts;
	struct verdict_input in = {
		.facts = w->sight.known ? f : NULL,
		.l1_healthy = !blind[0],
		.l1_why = blind,
		.seen_late = lateness_seen(
			&w->late, w->sight.known && !blind[0] ? f : NULL, now),
		.policy = {.observer = !w->config->guardian_set,
			   .promote = w->config->vote.promote == VOTE_AUTO,
			   .open = w->config->vote.open == VOTE_AUTO,
			   .hold_off = w->config->vote.hold_off_ms / 1000},
	};

	for (size_t i = 0; in.facts && i < f->n_standbys; i++) {
		const struct history_when when = {.progress = f->count,
						  .block = f->block.number};
		const struct history *h = &w->replica.history;

		in.standby[i] = standbys_state(
			&w->standbys, f->standbys[i],
			history_was_replaced(h, f->standbys[i], when), now,
			&standby_why[i]);
		in.promoted[i] = history_was_promoted(h, f->standbys[i], when);
	}
	if (in.facts)
		in.prior = voter_prior(&w->voter, f, l1_view(w->l1)->head.time);
	return in;
}

static bool is_guardian(const struct watcher *w)
{
	const struct hatch_facts *f = &w->sight.facts;

	for (size_t i = 0; w->sight.known && i < f->n_guardians; i++)
		if (address_eq(f->guardians[i], w->config->guardian))
			return true;
	return false;
}

static void show_phase(struct watcher *w, const struct verdict *v)
{
	bool moved = v->phase != w->verdict.phase;

	if (moved)
		notify_status(v->why);
	if (moved || v->act != w->verdict.act)
		log_line(moved ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO,
			 moved ? "phase" : "verdict", "phase",
			 phase_name(v->phase), "was",
			 phase_name(w->verdict.phase), "act",
			 verdict_act_name(v->act), "why", v->why, "block",
			 log_u64(w->sight.facts.block.number).s, (char *)NULL);
}

/* The ledger's events reach up to the facts, so that no promotion is unknown.
 * One that cannot move at all is not waited for: the facts are enough to vote,
 * and L1 refuses a standby that was promoted already. */
static bool knows_events(const struct watcher *w, uint64_t now)
{
	return w->replica.tip.number >= w->sight.facts.block.number ||
	       now - w->followed_ms >= FOLLOW_STUCK_MS;
}

static struct voter_wish wish(struct watcher *w, const struct pool_rules *rules,
			      uint64_t now)
{
	struct voter_wish none = {0};

	w->voting[0] = 0;
	if (!w->config->guardian_set)
		return none;
	if (w->sight.known && !is_guardian(w)) {
		snprintf(w->voting, sizeof(w->voting),
			 "guardian: %s is not among the hatch's guardians",
			 address_text(w->config->guardian).s);
		return none;
	}
	memcpy(w->voting, w->voter.trouble, sizeof(w->voting));
	if (!knows_events(w, now))
		return none;
	return voter_wish(&w->voter, &w->pool, rules, &w->verdict, now);
}

/* ---- committing ---- */

struct turn { /* what one turn's transaction holds */
	struct store_txn *txn;
	struct pool_rules rules;
	size_t n_calls;
	struct http_deferred *calls[INTAKE_MAX];
	bool known[INTAKE_MAX];
	struct pool_refusal refusals[INTAKE_MAX]; /* code NULL: taken */
};

static enum err add(struct watcher *w, struct turn *t, const struct bundle *b,
		    bool *ret_known)
{
	size_t n;
	enum err err = pool_add(t->txn, &w->pool, b, &n);

	if (err)
		return err;
	*ret_known = n == 0;
	w->ballots_changed |= n > 0;
	return OK;
}

static enum err add_posted(struct watcher *w, struct turn *t)
{
	struct intake_item item;
	enum err err = OK;

	intake_drained(w->intake);
	while (!err && t->n_calls < INTAKE_MAX &&
	       intake_take(w->intake, &item)) {
		bool known = false;
		/* Judged again: the facts may have moved since. */
		struct pool_refusal r = pool_judge(&t->rules, &item.bundle);
		if (!r.code)
			err = add(w, t, &item.bundle, &known);
		if (!r.code && known)
			r = pool_left_out(&w->pool, &item.bundle);
		t->refusals[t->n_calls] = r;
		t->known[t->n_calls] = known;
		t->calls[t->n_calls++] = item.call;
	}
	return err;
}

static enum err add_found(struct watcher *w, struct turn *t, uint64_t now)
{
	struct bundle own;
	enum err err = OK;
	bool known;

	for (size_t i = 0; !err && i < w->gossip.n_found; i++)
		if (!pool_judge(&t->rules, &w->gossip.found[i]).code)
			err = add(w, t, &w->gossip.found[i], &known);
	w->gossip.n_found = 0;
	while (!err && voter_take(&w->voter, now, &own))
		err = add(w, t, &own, &known);
	return err;
}

static enum err change(struct watcher *w, struct turn *t,
		       struct voter_wish *ret_wish, uint64_t now)
{
	struct evidence_into into = {
		.txn = t->txn, .store = w->store, .evidence = &w->evidence};
	size_t gone = 0;
	enum err err = add_posted(w, t);

	if (!err)
		err = add_found(w, t, now);
	if (!err)
		err = pool_prune(t->txn, &w->pool, &t->rules, &gone);
	if (!err)
		err = tell_kept(w->l1, evidence_keep, &into);
	if (err)
		return err;
	w->ballots_changed |= gone > 0;
	*ret_wish = wish(w, &t->rules, now);
	return voter_choose(t->txn, &w->voter, ret_wish, t->rules.now);
}

static bool anything(struct watcher *w, const struct turn *t, uint64_t now)
{
	struct pollfd p = {.fd = intake_fd(w->intake), .events = POLLIN};

	return w->gossip.n_found || voter_answered(&w->voter) ||
	       l1_evidence_waits(w->l1) || poll(&p, 1, 0) > 0 ||
	       pool_stale(&w->pool, &t->rules) || wish(w, &t->rules, now).n;
}

/* One transaction for everything that this turn changes; what it allows is
 * done after it is durable. */
static void commit_turn(struct watcher *w, uint64_t now)
{
	struct turn t = {0};
	struct voter_wish asked = {0};
	enum err err;

	if (w->sight.known)
		t.rules = pool_rules_of(w->config->shared.chain.id,
					l1_view(w->l1)->head.time,
					&w->sight.facts);
	if (!anything(w, &t, now))
		return;
	err = store_begin(w->store, true, &t.txn);
	if (!err) {
		err = change(w, &t, &asked, now);
		if (!err)
			err = store_commit(t.txn);
		else
			store_abort(t.txn);
	}
	if (err)
		replica_fatal("a turn cannot be committed", err);
	for (size_t i = 0; i < t.n_calls; i++)
		api_answer_ballot(t.calls[i], &t.refusals[i], t.known[i]);
	voter_ask(&w->voter, &asked);
}

/* ---- the step ---- */

static uint64_t gossip_interval(const struct watcher *w)
{
	uint64_t poll = w->config->shared.poll_ms;

	switch (w->verdict.phase) {
	case PHASE_LATE:
		return poll;
	case PHASE_PROMOTED:
	case PHASE_OPEN:
	case PHASE_SETTLING:
		return poll > PEER_BUSY_MS ? poll : PEER_BUSY_MS;
	case PHASE_LIVE:
	case PHASE_UNKNOWN:
		break;
	}
	return PEER_CALM_MS;
}

/* Not before the hatch is known, since nothing could be judged; and what was
 * refused is read again when it may be judged otherwise. */
static uint64_t gossip(struct watcher *w, uint64_t now)
{
	const struct hatch_facts *f = &w->sight.facts;
	struct gossip_of of;

	if (!w->sight.known)
		return UINT64_MAX;
	of = (struct gossip_of){
		.epoch = f->epoch,
		.progress = f->count,
		.round = l1_view(w->l1)->head.time /
			 (f->terms.round ? f->terms.round : 1),
	};
	if (of.epoch != w->gossip_of.epoch ||
	    of.progress != w->gossip_of.progress ||
	    of.round != w->gossip_of.round)
		gossip_again(&w->gossip);
	w->gossip_of = of;
	return gossip_turn(&w->gossip, now, gossip_interval(w));
}

static void publish(struct watcher *w, const struct verdict_input *in,
		    const char *const *standby_why, const char *blind,
		    uint64_t now)
{
	struct report_input r = {
		.now_ms = now,
		.chain_id = w->config->shared.chain.id,
		.sight = &w->sight,
		.l1 = l1_view(w->l1),
		.replica = &w->replica,
		.pool = &w->pool,
		.verdict = &w->verdict,
		.standbys = in,
		.blind = blind,
		.voting = w->voting,
		.behind = w->follow ? follow_behind(w->follow) : 0,
		.pace = progress_pace(&w->progress),
		.following = w->follow != NULL,
		.follow_proofs = w->follow ? follow_proofs(w->follow) : "",
		.follow_trouble = w->follow ? follow_trouble(w->follow) : "",
		.ballots_changed = w->ballots_changed,
		.unsafe = w->windows.unsafe.text,
		.quiet = w->quiet,
		.quiet_after =
			windows_quiet_after(w->config, &w->sight.facts.terms),
	};

	memcpy(r.standby_why, standby_why, sizeof(r.standby_why));
	report_publish(&w->report, &r);
	w->ballots_changed = false;
}

static void keep_house(struct watcher *w, uint64_t now)
{
	w->reaped_ms = now;
	store_reap_readers(w->store);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t watcher_step(struct watcher *w, uint64_t now)
{
	const char *standby_why[HATCH_KEYS_MAX] = {NULL}, *blind;
	struct verdict_input in;
	struct verdict verdict;
	uint64_t next;

	for (size_t i = 0; i < HATCH_KEYS_MAX; i++)
		standby_why[i] = "";
	http_client_turn(w->http);
	next = l1_turn(w->l1, now);
	if (w->signer)
		next = earlier(next, signer_client_turn(w->signer, now));
	check_chain(w);
	next = earlier(next, sight_turn(&w->sight, now));
	if (w->sight.known)
		l1_set_sla(w->l1, w->sight.facts.terms.sla_window);
	next = earlier(next, follow_blocks(w, now));
	show_progress(w, now);
	blind = sight_blind(&w->sight, now);
	in = input(w, blind, standby_why, now);
	verdict = verdict_of(&in);
	watch_windows(w, blind);
	show_phase(w, &verdict);
	w->verdict = verdict;
	commit_turn(w, now);
	tell_providers(&w->tell, w->l1,
		       w->follow ? follow_proofs(w->follow) : "", now);
	next = earlier(next, gossip(w, now));
	next = earlier(next, standbys_turn(&w->standbys, now,
					   verdict.phase == PHASE_LATE
						   ? PROBE_LATE_MS
						   : PROBE_EVERY_MS));
	publish(w, &in, standby_why, blind, now);
	if (now - w->reaped_ms >= REAP_MS)
		keep_house(w, now);
	return next;
}
