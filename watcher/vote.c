#include "watcher/vote.h"

#include <stdio.h>

#include "abi/hex.h"
#include "sys/log.h"

#define KEY_SIZE (8 + 8 + 1 + 32) /* epoch, progress, action, subject */
#define ROUNDS	 3		  /* a ballot lives for so many */

struct choice_key {
	uint8_t b[KEY_SIZE];
};

static struct choice_key choice_key(uint64_t epoch, uint64_t progress,
				    const struct choice *c)
{
	struct choice_key k;

	put_be(k.b, epoch, 8);
	put_be(k.b + 8, progress, 8);
	k.b[16] = (uint8_t)c->action;
	memcpy(k.b + 17, c->subject.b, 32);
	return k;
}

static bool read_choice(void *ctx, struct slice key, struct slice value)
{
	struct voter *v = ctx;
	struct choice *c = &v->choices[v->n];

	if (key.len != KEY_SIZE || value.len != 16 || v->n == CHOICES_MAX)
		return false;
	v->epoch = get_be(key.p, 8);
	v->progress = get_be(key.p + 8, 8);
	c->action = key.p[16];
	memcpy(c->subject.b, key.p + 17, 32);
	c->expiry = get_be(value.p, 8);
	c->since = get_be(value.p + 8, 8);
	v->n++;
	return true;
}

enum err voter_open(struct store_txn *txn, struct address guardian,
		    struct signer_client *signer, struct voter *ret)
{
	enum err err;

	memset(ret, 0, sizeof(*ret));
	ret->guardian = guardian;
	ret->signer = signer;
	for (size_t i = 0; i < ASKS_MAX; i++)
		ret->asks[i].voter = ret;
	err = store_table_open(txn, "choices", false, false, &ret->table);
	if (err)
		return err;
	err = store_walk(txn, &ret->table, (struct slice){0}, false,
			 read_choice, ret);
	if (!err && store_count(txn, &ret->table) != ret->n)
		err = ERR_UNSAFE;
	return err;
}

static bool current(const struct voter *v, uint64_t epoch, uint64_t progress)
{
	return v->n && v->epoch == epoch && v->progress == progress;
}

/* The choice with the latest ballot. */
static const struct choice *latest(const struct voter *v)
{
	const struct choice *last = &v->choices[0];

	for (size_t i = 1; i < v->n; i++)
		if (v->choices[i].expiry > last->expiry)
			last = &v->choices[i];
	return last;
}

struct verdict_prior voter_prior(const struct voter *v,
				 const struct hatch_facts *f, uint64_t now)
{
	struct verdict_prior p = {.act = VERDICT_ABSTAIN};
	const struct choice *c;

	if (!current(v, f->epoch, f->count))
		return p;
	c = latest(v);
	p.act = c->action == VOTE_OPEN ? VERDICT_OPEN : VERDICT_PROMOTE;
	memcpy(p.standby.b, c->subject.b + 12, sizeof(p.standby.b));
	p.young = now <= c->since + (uint64_t)ROUNDS * f->terms.round;
	return p;
}

static bool is_choice(const struct choice *c, const struct vote *v)
{
	return c->action == v->action && hash_eq(c->subject, v->subject);
}

/* The earliest expiry this vote may have beside the other choices. */
static uint64_t earliest(const struct voter *v, const struct vote *vote,
			 uint64_t round)
{
	uint64_t from = 0;

	if (!current(v, vote->epoch, vote->progress))
		return 0;
	for (size_t i = 0; i < v->n; i++)
		if (!is_choice(&v->choices[i], vote) &&
		    v->choices[i].expiry + ROUNDS * round > from)
			from = v->choices[i].expiry + ROUNDS * round;
	return from;
}

static bool in_flight(const struct voter *v, const struct vote *vote)
{
	struct hash32 digest = vote_digest(vote), other;

	for (size_t i = 0; i < ASKS_MAX; i++) {
		if (!v->asks[i].used)
			continue;
		other = vote_digest(&v->asks[i].vote);
		if (hash_eq(other, digest))
			return true;
	}
	return false;
}

static bool due(const struct voter *v, const struct pool *pool,
		const struct vote *vote, uint64_t now_mono_ms)
{
	struct hash32 digest = vote_digest(vote);

	if (pool_has(pool, &digest, v->guardian) || in_flight(v, vote))
		return false;
	return vote->expiry > v->refused_through ||
	       now_mono_ms - v->refused_at_ms >= REFUSED_RETRY_MS;
}

struct voter_wish voter_wish(const struct voter *v, const struct pool *pool,
			     const struct pool_rules *rules,
			     const struct verdict *verdict,
			     uint64_t now_mono_ms)
{
	struct voter_wish wish = {0};
	struct vote vote = {
		.chain_id = rules->chain_id,
		.hatch = rules->hatch,
		.epoch = rules->epoch,
		.progress = rules->progress,
	};

	if (verdict->act == VERDICT_ABSTAIN || !rules->known || !rules->round)
		return wish;
	vote.action = verdict->act == VERDICT_OPEN ? VOTE_OPEN : VOTE_PROMOTE;
	vote.subject = verdict->act == VERDICT_OPEN
			       ? vote_subject_bytes((struct slice){0})
			       : vote_subject_address(verdict->standby);
	vote.expiry = ballot_expiry(rules->now, rules->round);
	for (int i = 0; i < 2; i++, vote.expiry += rules->round)
		if (vote.expiry >= earliest(v, &vote, rules->round) &&
		    due(v, pool, &vote, now_mono_ms))
			wish.votes[wish.n++] = vote;
	return wish;
}

/* Choices of another epoch or progress say nothing any more. */
static enum err forget(struct store_txn *txn, struct voter *v)
{
	for (; v->n; v->n--) {
		struct choice_key key = choice_key(v->epoch, v->progress,
						   &v->choices[v->n - 1]);
		enum err err =
			store_delete(txn, &v->table, slice_of(key.b, KEY_SIZE));
		if (err && err != ERR_NOT_FOUND)
			return err;
	}
	return OK;
}

static struct choice *find_or_add(struct voter *v, const struct vote *vote,
				  uint64_t now)
{
	for (size_t i = 0; i < v->n; i++)
		if (is_choice(&v->choices[i], vote))
			return &v->choices[i];
	if (v->n == CHOICES_MAX)
		return NULL;
	v->choices[v->n] = (struct choice){
		.action = vote->action, .subject = vote->subject, .since = now};
	return &v->choices[v->n++];
}

static enum err choose_one(struct store_txn *txn, struct voter *v,
			   const struct vote *vote, uint64_t now)
{
	struct choice *c = find_or_add(v, vote, now);
	struct choice_key key;
	uint8_t value[16];

	if (!c)
		return ERR_FULL;
	if (c != latest(v))
		c->since = now; /* chosen anew, after another one */
	if (vote->expiry > c->expiry)
		c->expiry = vote->expiry;
	key = choice_key(v->epoch, v->progress, c);
	put_be(value, c->expiry, 8);
	put_be(value + 8, c->since, 8);
	return store_put(txn, &v->table, slice_of(key.b, KEY_SIZE),
			 slice_of(value, sizeof(value)));
}

enum err voter_choose(struct store_txn *txn, struct voter *v,
		      const struct voter_wish *wish, uint64_t now)
{
	enum err err = OK;

	if (!wish->n)
		return OK;
	if (!current(v, wish->votes[0].epoch, wish->votes[0].progress))
		err = forget(txn, v);
	v->epoch = wish->votes[0].epoch;
	v->progress = wish->votes[0].progress;
	for (size_t i = 0; !err && i < wish->n; i++)
		err = choose_one(txn, v, &wish->votes[i], now);
	return err;
}

/* ---- the signer ---- */

static void answered(void *ctx, enum err err, const struct ask_answer *answer)
{
	struct vote_ask *a = ctx;

	a->err = err;
	if (!err)
		a->answer = *answer;
	a->done = true;
}

void voter_ask(struct voter *v, const struct voter_wish *wish)
{
	for (size_t i = 0; i < wish->n; i++) {
		struct ask ask = {.kind = ASK_BALLOT,
				  .key = v->guardian,
				  .vote = wish->votes[i]};
		struct vote_ask *a = v->asks;

		while (a < v->asks + ASKS_MAX && a->used)
			a++;
		if (a == v->asks + ASKS_MAX)
			return; /* asked for again when one is back */
		a->vote = wish->votes[i];
		a->done = false;
		a->used = !signer_client_ask(v->signer, &ask, answered, a);
	}
}

bool voter_answered(const struct voter *v)
{
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (v->asks[i].used && v->asks[i].done)
			return true;
	return false;
}

static void refused(struct voter *v, const struct vote_ask *a, const char *why,
		    uint64_t now_mono_ms)
{
	char trouble[sizeof(v->trouble)];

	snprintf(trouble, sizeof(trouble), "the signer did not sign: %s", why);
	if (strcmp(trouble, v->trouble) != 0)
		log_warn("ballot not signed", "action",
			 vote_action_name(a->vote.action), "expiry",
			 log_u64(a->vote.expiry).s, "why", why);
	memcpy(v->trouble, trouble, sizeof(trouble));
	if (a->vote.expiry > v->refused_through)
		v->refused_through = a->vote.expiry;
	v->refused_at_ms = now_mono_ms;
}

bool voter_take(struct voter *v, uint64_t now_mono_ms, struct bundle *ret)
{
	for (size_t i = 0; i < ASKS_MAX; i++) {
		struct vote_ask *a = &v->asks[i];

		if (!a->used || !a->done)
			continue;
		a->used = false;
		if (a->err) {
			refused(v, a, "it does not answer", now_mono_ms);
			continue;
		}
		if (a->answer.status != ASK_SIGNED) {
			refused(v, a, a->answer.text, now_mono_ms);
			continue;
		}
		memset(ret, 0, sizeof(*ret));
		ret->vote = a->vote;
		if (bundle_add(ret, &a->answer.signature) ||
		    !address_eq(ret->signers[0], v->guardian)) {
			refused(v, a, "it signed with another key",
				now_mono_ms);
			continue;
		}
		v->trouble[0] = 0;
		log_notice("ballot signed", "action",
			   vote_action_name(a->vote.action), "subject",
			   hash_text(a->vote.subject).s, "progress",
			   log_u64(a->vote.progress).s, "expiry",
			   log_u64(a->vote.expiry).s);
		return true;
	}
	return false;
}
