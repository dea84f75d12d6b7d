#include "watcher/pool.h"

#include <stdarg.h>
#include <stdio.h>

#define KEY_SIZE   52 /* digest, signer */
#define VALUE_SIZE (8 + 20 + 1 + 8 + 8 + 32 + 8 + 65)
#define SLOW_LIFE  (30ULL * 24 * 3600) /* of RESUME and AMEND ballots */
/* An honest watcher signs for E + round, E below its head + 2 rounds; one
 * more for a head that is behind. */
#define ROUNDS_AHEAD 4

struct pool_rules pool_rules_of(uint64_t chain_id, uint64_t now,
				const struct hatch_facts *f)
{
	struct pool_rules r = {
		.known = true,
		.chain_id = chain_id,
		.epoch = f->epoch,
		.progress = f->count,
		.round = f->terms.round,
		.now = now,
		.hatch = f->hatch,
		.n_guardians = f->n_guardians,
		.thresholds = f->thresholds,
	};

	memcpy(r.guardians, f->guardians, sizeof(r.guardians));
	return r;
}

static bool quick(enum vote_action action)
{
	return action == VOTE_PROMOTE || action == VOTE_OPEN;
}

static bool is_guardian(const struct pool_rules *rules, struct address a)
{
	for (size_t i = 0; i < rules->n_guardians; i++)
		if (address_eq(rules->guardians[i], a))
			return true;
	return false;
}

static struct pool_refusal PRINTF_LIKE(3, 4)
	refuse(const char *code, const char *field, const char *format, ...)
{
	struct pool_refusal r = {.code = code, .field = field};
	va_list args;

	va_start(args, format);
	vsnprintf(r.message, sizeof(r.message), format, args);
	va_end(args);
	return r;
}

static struct pool_refusal judge_expiry(const struct pool_rules *rules,
					const struct vote *v)
{
	uint64_t ahead =
		quick(v->action) ? ROUNDS_AHEAD * rules->round : SLOW_LIFE;

	if (quick(v->action) && rules->round && v->expiry % rules->round)
		return refuse("bad_field", "expiry",
			      "not a multiple of the round, %llu s",
			      (unsigned long long)rules->round);
	if (v->expiry < rules->now)
		return refuse("certain_to_fail", "expiry",
			      "it expired %llu s ago by L1's clock",
			      (unsigned long long)(rules->now - v->expiry));
	if (v->expiry - rules->now > ahead)
		return refuse("bad_field", "expiry",
			      "%llu s ahead of L1's clock, %llu at most",
			      (unsigned long long)(v->expiry - rules->now),
			      (unsigned long long)ahead);
	return (struct pool_refusal){0};
}

static struct pool_refusal judge_vote(const struct pool_rules *rules,
				      const struct vote *v)
{
	if (v->chain_id != rules->chain_id)
		return refuse("wrong_chain", "chain_id", "this is chain %llu",
			      (unsigned long long)rules->chain_id);
	if (!address_eq(v->hatch, rules->hatch))
		return refuse("wrong_hatch", "hatch",
			      "this watcher follows another hatch");
	if (v->epoch != rules->epoch)
		return refuse("certain_to_fail", "epoch",
			      "the hatch is in epoch %llu",
			      (unsigned long long)rules->epoch);
	if (!quick(v->action) && v->progress)
		return refuse("bad_field", "progress",
			      "must be 0 in a %s ballot",
			      vote_action_name(v->action));
	if (quick(v->action) && v->progress < rules->progress)
		return refuse("certain_to_fail", "progress",
			      "batch %llu has landed since",
			      (unsigned long long)rules->progress);
	return judge_expiry(rules, v);
}

struct pool_refusal pool_judge(const struct pool_rules *rules,
			       const struct bundle *b)
{
	struct pool_refusal r;

	if (!rules->known)
		return refuse("not_ready", "", "the hatch was not read yet");
	r = judge_vote(rules, &b->vote);
	if (r.code)
		return r;
	if (!b->n)
		return refuse("bad_field", "signatures", "there is none");
	for (size_t i = 0; i < b->n; i++)
		if (!is_guardian(rules, b->signers[i]))
			return refuse("bad_signature", "signatures",
				      "number %zu is not of a current guardian",
				      i);
	return r;
}

/* ---- the list ---- */

static int order(const struct pool_ballot *b, const struct hash32 *digest,
		 struct address signer)
{
	int c = memcmp(b->digest.b, digest->b, sizeof(digest->b));

	return c ? c : address_cmp(b->signer, signer);
}

/* The first position not below (digest, signer). */
static size_t place(const struct pool *p, const struct hash32 *digest,
		    struct address signer)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (order(&p->ballots[middle], digest, signer) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool pool_has(const struct pool *p, const struct hash32 *digest,
	      struct address signer)
{
	size_t at = place(p, digest, signer);

	return at < p->n && !order(&p->ballots[at], digest, signer);
}

static void insert(struct pool *p, const struct pool_ballot *b)
{
	size_t at = place(p, &b->digest, b->signer);

	memmove(p->ballots + at + 1, p->ballots + at, (p->n - at) * sizeof(*b));
	p->ballots[at] = *b;
	p->n++;
}

static struct slice key_of(const struct pool_ballot *b, uint8_t to[KEY_SIZE])
{
	memcpy(to, b->digest.b, 32);
	memcpy(to + 32, b->signer.b, 20);
	return slice_of(to, KEY_SIZE);
}

static enum err drop(struct store_txn *txn, struct pool *p, size_t at)
{
	uint8_t key[KEY_SIZE];
	enum err err =
		store_delete(txn, &p->table, key_of(&p->ballots[at], key));

	if (err && err != ERR_NOT_FOUND)
		return err;
	p->n--;
	memmove(p->ballots + at, p->ballots + at + 1,
		(p->n - at) * sizeof(p->ballots[0]));
	return OK;
}

/* ---- on disk ---- */

static enum err write_one(struct store_txn *txn, struct pool *p,
			  const struct pool_ballot *b)
{
	uint8_t key[KEY_SIZE];
	struct buf v;
	enum err err;

	buf_init(&v, VALUE_SIZE);
	buf_add_be(&v, b->vote.chain_id, 8);
	buf_add(&v, b->vote.hatch.b, 20);
	buf_add_byte(&v, (uint8_t)b->vote.action);
	buf_add_be(&v, b->vote.epoch, 8);
	buf_add_be(&v, b->vote.progress, 8);
	buf_add(&v, b->vote.subject.b, 32);
	buf_add_be(&v, b->vote.expiry, 8);
	buf_add(&v, b->signature.b, 65);
	err = v.failed ? ERR_FULL
		       : store_put(txn, &p->table, key_of(b, key),
				   buf_slice(&v));
	buf_done(&v);
	return err;
}

static bool read_one(void *ctx, struct slice key, struct slice v)
{
	struct pool *p = ctx;
	struct pool_ballot b;

	if (key.len != KEY_SIZE || v.len != VALUE_SIZE || p->n == POOL_MAX)
		return false;
	memcpy(b.digest.b, key.p, 32);
	memcpy(b.signer.b, key.p + 32, 20);
	b.vote.chain_id = get_be(v.p, 8);
	memcpy(b.vote.hatch.b, v.p + 8, 20);
	b.vote.action = v.p[28];
	b.vote.epoch = get_be(v.p + 29, 8);
	b.vote.progress = get_be(v.p + 37, 8);
	memcpy(b.vote.subject.b, v.p + 45, 32);
	b.vote.expiry = get_be(v.p + 77, 8);
	memcpy(b.signature.b, v.p + 85, 65);
	insert(p, &b);
	return true;
}

enum err pool_open(struct store_txn *txn, struct pool *ret)
{
	enum err err;

	memset(ret, 0, sizeof(*ret));
	err = store_table_open(txn, "pool", false, false, &ret->table);
	if (err)
		return err;
	err = store_walk(txn, &ret->table, (struct slice){0}, false, read_one,
			 ret);
	if (!err && store_count(txn, &ret->table) != ret->n)
		err = ERR_UNSAFE;
	return err;
}

/* Makes room for one more of a signer: its earliest to expire goes. ERR_FULL:
 * the new one would be that, and peers who keep it would bring it again. */
static enum err make_room(struct store_txn *txn, struct pool *p,
			  const struct pool_ballot *new)
{
	const bool is_quick = quick(new->vote.action);
	size_t n = 0, oldest = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct pool_ballot *b = &p->ballots[i];
		if (!address_eq(b->signer, new->signer) ||
		    quick(b->vote.action) != is_quick)
			continue;
		if (!n++ || b->vote.expiry < p->ballots[oldest].vote.expiry)
			oldest = i;
	}
	if (n < BALLOTS_A_LIFE) /* former guardians fill it: pruned soon */
		return p->n < POOL_MAX ? OK : ERR_FULL;
	if (new->vote.expiry <= p->ballots[oldest].vote.expiry)
		return ERR_FULL;
	return drop(txn, p, oldest);
}

enum err pool_add(struct store_txn *txn, struct pool *p, const struct bundle *b,
		  size_t *ret_new)
{
	struct pool_ballot one = {.digest = vote_digest(&b->vote),
				  .vote = b->vote};

	*ret_new = 0;
	for (size_t i = 0; i < b->n; i++) {
		enum err err;

		one.signer = b->signers[i];
		one.signature = b->signatures[i];
		if (pool_has(p, &one.digest, one.signer))
			continue;
		err = make_room(txn, p, &one);
		if (err == ERR_FULL)
			continue;
		if (!err)
			err = write_one(txn, p, &one);
		if (err)
			return err;
		insert(p, &one);
		++*ret_new;
	}
	return OK;
}

struct pool_refusal pool_left_out(const struct pool *p, const struct bundle *b)
{
	struct hash32 digest = vote_digest(&b->vote);

	for (size_t i = 0; i < b->n; i++)
		if (!pool_has(p, &digest, b->signers[i]))
			return refuse("busy", "expiry",
				      "%d ballots of signer number %zu that "
				      "expire later are held already",
				      BALLOTS_A_LIFE, i);
	return (struct pool_refusal){0};
}

static bool dead(const struct pool_rules *rules, const struct pool_ballot *b)
{
	return b->vote.epoch != rules->epoch || b->vote.expiry < rules->now ||
	       !is_guardian(rules, b->signer) ||
	       (quick(b->vote.action) && b->vote.progress < rules->progress);
}

bool pool_stale(const struct pool *p, const struct pool_rules *rules)
{
	for (size_t i = 0; rules->known && i < p->n; i++)
		if (dead(rules, &p->ballots[i]))
			return true;
	return false;
}

enum err pool_prune(struct store_txn *txn, struct pool *p,
		    const struct pool_rules *rules, size_t *ret_gone)
{
	*ret_gone = 0;
	for (size_t i = p->n; rules->known && i-- > 0;) {
		if (!dead(rules, &p->ballots[i]))
			continue;
		enum err err = drop(txn, p, i);
		if (err)
			return err;
		++*ret_gone;
	}
	return OK;
}

/* ---- for others ---- */

bool pool_next(const struct pool *p, size_t *at, struct bundle *ret)
{
	const struct pool_ballot *first = &p->ballots[*at];

	if (*at >= p->n)
		return false;
	ret->vote = first->vote;
	ret->n = 0;
	for (; *at < p->n && ret->n < BUNDLE_MAX; ++*at) {
		const struct pool_ballot *b = &p->ballots[*at];
		if (!hash_eq(b->digest, first->digest))
			break;
		ret->signatures[ret->n] = b->signature;
		ret->signers[ret->n++] = b->signer;
	}
	return true;
}

uint8_t pool_needed(const struct hatch_thresholds *t, enum vote_action action)
{
	switch (action) {
	case VOTE_PROMOTE:
		return t->promote;
	case VOTE_OPEN:
		return t->open;
	case VOTE_RESUME:
		return t->resume;
	case VOTE_AMEND:
		return t->amend;
	}
	return 0;
}

void pool_json(const struct pool *p, struct buf *to)
{
	struct json_writer w = json_writer(to);
	struct bundle b;
	size_t at = 0;

	json_begin(&w, NULL);
	json_begin_array(&w, "ballots");
	while (pool_next(p, &at, &b))
		bundle_json(&b, &w, NULL);
	json_end_array(&w);
	json_end(&w);
}
