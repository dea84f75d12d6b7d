#include "relayer/carry.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "abi/keccak.h"
#include "relayer/calls.h"
#include "relayer/limits.h"
#include "sys/log.h"

#define PROOF_MAX (PEER_REPLY_MAX / 2)

struct pull { /* one watcher's page; its address is the ask's ctx */
	struct carry *carry;
	bool asked;
	uint64_t next_ms;
};

/* What one watcher says about a bad batch.  Each has its own: whatever one of
 * them tells, the others' proofs are sent. */
struct claimed {
	struct buf proof; /* empty: none */
	struct hash32 key;
	uint64_t batch;	   /* as it says: for the log only */
	uint64_t since_ms; /* when it came */
	unsigned refused;  /* by L1, in a row: this watcher waits longer */
	uint64_t until_ms; /* not sent before */
};

struct carried {
	struct bundle bundle;
	uint64_t ready_ms; /* since when it could be sent; 0: not yet */
	bool told;
};

struct carry {
	struct parts *parts;
	const struct hatch_facts *facts; /* of this turn; NULL before */
	uint64_t now_ms, next_ms;
	struct pull ballots[SETTINGS_PEERS_MAX];
	struct pull bad[SETTINGS_PEERS_MAX];
	size_t n;
	struct carried pool[BUNDLES_MAX];
	struct hash32 flying[VOTE_AMEND + 1];	   /* key by action */
	struct claimed claims[SETTINGS_PEERS_MAX]; /* by watcher */
	uint64_t openable_ms;
	bool told_open;
};

struct carry *carry_new(struct parts *parts)
{
	struct carry *c = calloc(1, sizeof(*c));

	if (!c)
		fatal("out of memory", "carry");
	c->parts = parts;
	for (size_t i = 0; i < SETTINGS_PEERS_MAX; i++) {
		c->ballots[i].carry = c;
		c->bad[i].carry = c;
	}
	return c;
}

void carry_free(struct carry *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SETTINGS_PEERS_MAX; i++)
		buf_done(&c->claims[i].proof);
	free(c);
}

size_t carry_bundles(const struct carry *c)
{
	return c->n;
}

/* ---- ballots ------------------------------------------------------------ */

static bool is_guardian(const struct hatch_facts *facts, struct address a)
{
	for (size_t i = 0; i < facts->n_guardians; i++)
		if (address_eq(facts->guardians[i], a))
			return true;
	return false;
}

static bool same_choice(const struct vote *a, const struct vote *b)
{
	return a->action == b->action && hash_eq(a->subject, b->subject) &&
	       a->expiry == b->expiry;
}

static unsigned held_by(const struct carry *c, struct address signer)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct bundle *b = &c->pool[i].bundle;
		for (size_t j = 0; j < b->n; j++)
			n += address_eq(b->signers[j], signer);
	}
	return n;
}

static void merge(struct carry *c, const struct bundle *news)
{
	struct bundle *into = NULL;

	for (size_t i = 0; i < c->n && !into; i++)
		if (same_choice(&c->pool[i].bundle.vote, &news->vote))
			into = &c->pool[i].bundle;
	if (!into) {
		if (c->n == BUNDLES_MAX)
			return;
		c->pool[c->n] =
			(struct carried){.bundle = {.vote = news->vote}};
		into = &c->pool[c->n++].bundle;
	}
	for (size_t i = 0; i < news->n; i++) {
		if (!is_guardian(c->facts, news->signers[i]) ||
		    held_by(c, news->signers[i]) >= BALLOTS_PER_SIGNER)
			continue;
		if (bundle_add(into, &news->signatures[i]) == ERR_INVALID)
			return;
	}
}

static void ballots_came(void *ctx, const struct peer_answer *answer)
{
	struct pull *pull = ctx;
	struct carry *c = pull->carry;
	struct json_reader r = {0};
	struct err_text error;
	struct bundle bundle;

	pull->asked = false;
	if (answer->err || !c->facts)
		return;
	const json_node *list = json_array(&r, answer->root, "ballots");
	if (r.failed) {
		peers_blame(c->parts->peers, answer->peer, c->now_ms, r.what);
		return;
	}
	for (size_t i = 0; i < json_len(list); i++) {
		bundle = (struct bundle){0};
		if (bundle_parse_json(json_at(list, i), &bundle, &error)) {
			peers_blame(c->parts->peers, answer->peer, c->now_ms,
				    error.text);
			return;
		}
		if (carry_fits(c->facts, c->parts->config->shared.chain.id,
			       &bundle.vote))
			merge(c, &bundle);
	}
}

static void prune(struct carry *c, const struct turn *t)
{
	size_t left = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct vote *vote = &c->pool[i].bundle.vote;
		if (!carry_fits(t->facts, vote->chain_id, vote) ||
		    vote->expiry < t->head_time || !c->pool[i].bundle.n)
			continue;
		if (left != i)
			c->pool[left] = c->pool[i];
		left++;
	}
	c->n = left;
}

static bool waited(struct carry *c, const struct turn *t, uint64_t *since_ms)
{
	if (!*since_ms)
		*since_ms = t->now_ms;
	unsigned rank = stagger_rank(c->parts->config->account, t->facts->root);
	uint64_t until_ms = *since_ms + rank * STAGGER_STEP_MS;
	if (t->now_ms >= until_ms)
		return true;
	if (until_ms < c->next_ms)
		c->next_ms = until_ms;
	return false;
}

static struct hash32 bundle_key(const struct vote *vote)
{
	return task_key(vote_action_name(vote->action), vote->epoch,
			vote->expiry, vote->subject);
}

static bool may_send(const struct turn *t, const struct carried *carried)
{
	return carry_ready(t->facts, &carried->bundle, t->head_time) &&
	       carry_lasts(t->facts, &carried->bundle.vote, t->head_time);
}

static void send_bundle(struct carry *c, struct turn *t,
			struct carried *carried)
{
	const struct vote *vote = &carried->bundle.vote;
	struct task task = {
		.key = bundle_key(vote),
		.purpose = PURPOSE_CARRY,
		.to = t->facts->hatch,
		.urgency = FEE_URGENT,
	};

	buf_init(&task.data, TX_DATA_MAX);
	call_bundle(&task.data, &carried->bundle);
	if (submit_want(c->parts->submit, t, &task) != WANT_TAKEN)
		return;
	c->flying[vote->action] = task.key;
	t->again = true;
	if (carried->told)
		return;
	carried->told = true;
	log_notice("carrying a bundle", "action",
		   vote_action_name(vote->action), "signatures",
		   log_u64(carried->bundle.n).s, "expiry",
		   log_u64(vote->expiry).s);
}

/* One that waits for its signature may have died meanwhile. */
static void take_back(struct carry *c, const struct turn *t,
		      enum vote_action action)
{
	for (size_t i = 0; i < c->n; i++)
		if (hash_eq(bundle_key(&c->pool[i].bundle.vote),
			    c->flying[action]) &&
		    may_send(t, &c->pool[i]))
			return;
	submit_forget(c->parts->submit, c->flying[action]);
}

/* Of those that are complete, the one that lives longest. */
static struct carried *choose(struct carry *c, const struct turn *t,
			      enum vote_action action)
{
	struct carried *best = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct carried *carried = &c->pool[i];
		const struct vote *vote = &carried->bundle.vote;
		if (vote->action != action || !may_send(t, carried) ||
		    !waited(c, t, &carried->ready_ms) ||
		    submit_waits(c->parts->submit, t->now_ms, bundle_key(vote)))
			continue;
		if (!best || vote->expiry > best->bundle.vote.expiry)
			best = carried;
	}
	return best;
}

static void carry_bundle(struct carry *c, struct turn *t,
			 enum vote_action action)
{
	struct hash32 flying = c->flying[action];
	struct carried *best;

	take_back(c, t, action);
	/* One that reverted is no reason for the next to wait. */
	if (submit_flying(c->parts->submit, flying) &&
	    !submit_reverted(c->parts->submit, flying))
		return;
	best = choose(c, t, action);
	if (best)
		send_bundle(c, t, best);
}

static void pull_page(struct carry *c, const struct turn *t, struct pull *pulls,
		      const char *path, uint64_t every_ms, peers_got *got)
{
	size_t n = peers_count(c->parts->peers);

	for (size_t i = 0; i < n; i++) {
		struct pull *pull = &pulls[i];
		if (!pull->asked && t->now_ms >= pull->next_ms &&
		    !peers_ask_one(c->parts->peers, i, path, t->now_ms, got,
				   pull)) {
			pull->asked = true;
			pull->next_ms = t->now_ms + every_ms;
		}
		if (pull->next_ms > t->now_ms && pull->next_ms < c->next_ms)
			c->next_ms = pull->next_ms;
	}
}

/* ---- a bad batch -------------------------------------------------------- */

static void drop_claim(struct claimed *claim)
{
	buf_done(&claim->proof);
	claim->proof = (struct buf){0};
}

static void take_claim(struct carry *c, struct claimed *claim,
		       struct buf *proof, uint64_t batch)
{
	struct hash32 key =
		task_key("bad batch", 0, 0, keccak256(proof->p, proof->len));

	/* One at a time: it may not fill the places with new ones. */
	if (claim->proof.len && (hash_eq(claim->key, key) ||
				 submit_flying(c->parts->submit, claim->key))) {
		buf_done(proof);
		return;
	}
	drop_claim(claim);
	claim->proof = *proof;
	claim->key = key;
	claim->batch = batch;
	claim->since_ms = 0;
	log_notice("a watcher proves a batch bad", "watcher",
		   peers_url(c->parts->peers, (size_t)(claim - c->claims)),
		   "batch", log_u64(batch).s);
}

static void bad_batch_came(void *ctx, const struct peer_answer *answer)
{
	struct pull *pull = ctx;
	struct carry *c = pull->carry;
	struct json_reader r = {0};
	struct buf proof;

	pull->asked = false;
	if (answer->err)
		return;
	buf_init(&proof, PROOF_MAX);
	uint64_t batch = json_u64(&r, answer->root, "batch");
	json_bytes(&r, answer->root, "proof", &proof);
	if (r.failed || proof.failed || !proof.len) {
		peers_blame(c->parts->peers, answer->peer, c->now_ms, r.what);
		buf_done(&proof);
		return;
	}
	take_claim(c, &c->claims[pull - c->bad], &proof, batch);
}

static void send_claim(struct carry *c, struct turn *t, struct claimed *claim)
{
	struct task task = {.key = claim->key,
			    .purpose = PURPOSE_OPEN,
			    .to = t->facts->hatch,
			    .urgency = FEE_URGENT};

	if (t->now_ms < claim->until_ms) {
		if (claim->until_ms < c->next_ms)
			c->next_ms = claim->until_ms;
		return;
	}
	if (!waited(c, t, &claim->since_ms) ||
	    submit_waits(c->parts->submit, t->now_ms, claim->key))
		return;
	buf_init(&task.data, TX_DATA_MAX);
	call_open_on_bad_batch(&task.data, buf_slice(&claim->proof));
	if (task.data.failed) { /* larger than any transaction may be */
		buf_done(&task.data);
		drop_claim(claim);
		return;
	}
	if (submit_want(c->parts->submit, t, &task) == WANT_TAKEN)
		t->again = true;
}

static void send_proof(struct carry *c, struct turn *t)
{
	for (size_t i = 0; i < SETTINGS_PEERS_MAX; i++)
		if (c->claims[i].proof.len)
			send_claim(c, t, &c->claims[i]);
}

/* ---- no vote needed ----------------------------------------------------- */

static void send_opening(struct carry *c, struct turn *t)
{
	struct task task = {.key = task_key("open", t->facts->epoch, 0,
					    (struct hash32){{0}}),
			    .purpose = PURPOSE_OPEN,
			    .to = t->facts->hatch,
			    .urgency = FEE_URGENT};

	if (!phase_openable(t->facts, t->head_time)) {
		c->openable_ms = 0;
		c->told_open = false;
		submit_forget(c->parts->submit, task.key);
		return;
	}
	if (!waited(c, t, &c->openable_ms) ||
	    submit_waits(c->parts->submit, t->now_ms, task.key))
		return;
	buf_init(&task.data, TX_DATA_MAX);
	call_open_after_deadline(&task.data);
	if (submit_want(c->parts->submit, t, &task) != WANT_TAKEN)
		return;
	t->again = true;
	if (!c->told_open)
		log_notice("the deadline has passed: opening the hatch");
	c->told_open = true;
}

/* ---- the turn ----------------------------------------------------------- */

void carry_turn(struct carry *c, struct turn *t)
{
	bool quiet = t->phase == PHASE_LIVE;
	uint64_t poll_ms = c->parts->config->shared.poll_ms;

	c->now_ms = t->now_ms;
	c->next_ms = UINT64_MAX;
	if (!turn_sees(t))
		return;
	c->facts = t->facts;
	pull_page(c, t, c->ballots, "/v1/ballots",
		  quiet ? QUIET_BALLOTS_MS : poll_ms, ballots_came);
	if (t->facts->state != ROLLUP_SETTLING)
		pull_page(c, t, c->bad, "/v1/bad-batch",
			  quiet && poll_ms < QUIET_BAD_BATCH_MS
				  ? QUIET_BAD_BATCH_MS
				  : poll_ms,
			  bad_batch_came);
	prune(c, t);
	carry_bundle(c, t, VOTE_PROMOTE);
	carry_bundle(c, t, VOTE_OPEN);
	carry_bundle(c, t, VOTE_RESUME);
	send_opening(c, t);
	if (t->facts->state != ROLLUP_SETTLING)
		send_proof(c, t);
}

/* L1 does not take it: this watcher waits, the longer the more often.  It is
 * tried again, for the batch may not have been there yet; and lies cost the
 * others nothing. */
static void claim_refused(struct carry *c, const struct turn *t, size_t peer,
			  const char *why)
{
	static const char *const wrong[] = {"NotProven", "StepIsGood"};
	struct claimed *claim = &c->claims[peer];
	uint64_t wait_ms = REFUSED_FIRST_MS;

	for (unsigned i = 0; i < claim->refused && wait_ms < REFUSED_LAST_MS;
	     i++)
		wait_ms *= 2;
	claim->refused++;
	claim->until_ms = t->now_ms + wait_ms;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (strstr(why, wrong[i]))
			peers_blame(c->parts->peers, peer, t->now_ms,
				    "its proof of a bad batch proves nothing");
}

void carry_news(struct carry *c, struct turn *t, const struct task_news *news)
{
	for (size_t i = 0; i < SETTINGS_PEERS_MAX; i++) {
		struct claimed *claim = &c->claims[i];
		if (!claim->proof.len || !hash_eq(news->key, claim->key))
			continue;
		if (news->event == TASK_FINAL && !news->reverted) {
			drop_claim(claim);
			claim->refused = 0;
		} else if (news->event == TASK_FINAL ||
			   news->event == TASK_REFUSED) {
			claim_refused(c, t, i, news->why);
		}
	}
}

uint64_t carry_next(const struct carry *c)
{
	return c->next_ms;
}
