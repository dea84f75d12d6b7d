#include "relayer/evacuate.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/keccak.h"
#include "l1/layout.h"
#include "l1/slots.h"
#include "relayer/calls.h"
#include "relayer/limits.h"
#include "relayer/work.h"
#include "sys/log.h"

struct evacuate *evacuate_new(struct parts *parts, struct wishes *wishes)
{
	struct evacuate *e = calloc(1, sizeof(*e));

	if (!e)
		fatal("out of memory", "evacuate");
	e->parts = parts;
	e->wishes = wishes;
	for (size_t i = 0; i < EVACUATE_WORKS; i++)
		e->works[i].owner = e;
	return e;
}

void evacuate_free(struct evacuate *e)
{
	if (!e)
		return;
	free(e->state);
	free(e->payable);
	free(e);
}

struct evacuate_progress evacuate_progress(const struct evacuate *e)
{
	return (struct evacuate_progress){e->running, e->done, e->n,
					  e->finished, e->refunded};
}

/* ---- the order ---------------------------------------------------------- */

/* Four Feistel rounds over the next even power of two, walked until the value
 * falls below n: a permutation of 0 … n − 1. */
static uint64_t mix(struct hash32 seed, unsigned half, uint64_t x)
{
	uint64_t low = x & (((uint64_t)1 << half) - 1), high = x >> half;

	for (uint8_t round = 0; round < 4; round++) {
		uint8_t in[41];
		memcpy(in, seed.b, 32);
		in[32] = round;
		put_be(in + 33, low, 8);
		uint64_t f = get_be(keccak256(in, sizeof(in)).b, 8);
		uint64_t next = (high ^ f) & (((uint64_t)1 << half) - 1);
		high = low;
		low = next;
	}
	return high << half | low;
}

uint64_t evacuate_order(struct hash32 seed, uint64_t n, uint64_t i)
{
	unsigned half = 1;

	assert(i < n);
	while (half < 31 && (uint64_t)1 << 2 * half < n)
		half++;
	do
		i = mix(seed, half, i);
	while (i >= n);
	return i;
}

/* ---- the start and the end ---------------------------------------------- */

static void stop(struct evacuate *e)
{
	for (size_t i = 0; i < EVACUATE_WORKS; i++)
		e->works[i].stage = WORK_FREE;
	free(e->state);
	free(e->payable);
	e->state = NULL;
	e->payable = NULL;
	e->running = e->done = e->checking = false;
	e->n = e->finished = e->at = e->parked = e->park_at = 0;
}

static void begin(struct evacuate *e, const struct turn *t)
{
	struct address us = e->parts->config->account;

	stop(e);
	e->running = true;
	e->life = t->facts->openings;
	e->root = t->facts->root;
	e->rollup = t->facts->rollup;
	e->leaf_count = t->facts->leaf_count;
	e->seed = keccak256(us.b, sizeof(us.b));
	e->n = (e->leaf_count + BUCKET_LEAVES - 1) / BUCKET_LEAVES;
	e->state = calloc(e->n ? e->n : 1, sizeof(*e->state));
	e->payable = calloc(e->n ? e->n : 1, sizeof(*e->payable));
	if (!e->state || !e->payable)
		fatal("out of memory", "evacuate");
	e->started_ms = t->now_ms;
	log_notice("evacuation begins", "buckets", log_u64(e->n).s, "leaves",
		   log_u64(e->leaf_count).s);
}

/* ---- which bucket next -------------------------------------------------- */

static bool next_bucket(struct evacuate *e, struct turn *t, uint64_t *ret)
{
	struct wish_walk at = {0, 0};
	struct wish wish;

	while (wishes_walk(e->wishes, t, &at, &wish)) {
		uint64_t n = wish.request.exit_to.index / BUCKET_LEAVES;
		if (e->state[n] == BUCKET_TO_DO) {
			*ret = n;
			return true;
		}
	}
	for (; e->at < e->n; e->at++) {
		uint64_t n = evacuate_order(e->seed, e->n, e->at);
		if (e->state[n] == BUCKET_TO_DO) {
			*ret = n;
			return true;
		}
	}
	for (; e->parked && e->park_at < e->n; e->park_at++)
		if (e->state[e->park_at] == BUCKET_PARKED) {
			*ret = e->park_at;
			return true;
		}
	e->park_at = 0; /* round again, next turn */
	return false;
}

static void take_work(struct evacuate *e, struct turn *t)
{
	size_t share = e->n / EVACUATE_SHARE + 1;
	uint64_t number;

	for (size_t i = 0; i < EVACUATE_WORKS && i < share; i++) {
		struct work *work = &e->works[i];
		if (work->stage != WORK_FREE || work->asked)
			continue;
		if (!next_bucket(e, t, &number))
			return;
		if (e->state[number] == BUCKET_PARKED)
			e->parked--;
		work->stage = WORK_FETCH;
		work->refused = 0;
		work->reverted = false;
		work->bucket.number = number;
		work->retry_ms = 0;
		work->root = e->root;
		work->most = BUCKET_LEAVES;
		e->state[number] = BUCKET_WORKING;
	}
}

static void refund_came(void *ctx, enum err err,
			const struct sovereign_log *log)
{
	struct evacuate *e = ctx;

	if (!err && log &&
	    !u256_add(e->refunded, log->exited.refund, &e->refunded))
		e->refunded = u256_from(0);
}

/* Tried again smaller and later; and when it is of no use, after all others. */
static void set_back(struct evacuate *e, struct work *work,
		     const struct task_news *news)
{
	bool large = strstr(news->why, "TooMuchGas") != NULL;

	work->stage = WORK_READ;
	if ((large || news->reverted) && work->most > 1)
		work->most /= 2;
	if (news->event != TASK_REFUSED && news->event != TASK_UNSIGNED &&
	    !news->reverted)
		return;
	work->reverted = work->reverted || news->reverted;
	if (large && work->most > 1)
		return;
	work->retry_ms =
		e->now_ms + ((uint64_t)REFUSED_FIRST_MS << work->refused);
	if (++work->refused < BUCKET_TRIES)
		return;
	log_warn("a bucket is put off: L1 does not take it", "bucket",
		 log_u64(work->bucket.number).s, "why",
		 news->reverted ? "reverted" : news->why);
	e->state[work->bucket.number] = BUCKET_PARKED;
	e->parked++;
	work->stage = WORK_FREE;
}

void evacuate_news(struct evacuate *e, struct turn *t,
		   const struct task_news *news)
{
	if (e->running && news->event == TASK_FINAL && !news->reverted &&
	    news->purpose == PURPOSE_EVACUATE &&
	    events_read(e->parts->events, e->rollup, news->block_hash, news->tx,
			SOVEREIGN_EXITED, refund_came, e))
		log_debug("a refund goes uncounted: too many reads");
	for (size_t i = 0; i < EVACUATE_WORKS; i++) {
		struct work *work = &e->works[i];
		if (work->stage != WORK_FLY || !hash_eq(work->key, news->key))
			continue;
		if (news->event == TASK_SIGNED || news->event == TASK_SENT)
			continue;
		set_back(e, work, news);
		t->again = true;
	}
}

/* ---- the last pass, at the block acted on ------------------------------- */

static void check_came(void *ctx, enum err err, const char *why,
		       const struct hash32 *words, size_t n)
{
	struct evacuate *e = ctx;

	(void)why;
	e->check_asked = false;
	if (err || !e->checking || n < e->check_n)
		return; /* read again */
	for (size_t i = 0; i < e->check_n; i++) {
		uint64_t number = e->check_at + i;
		if (u256_is_zero(mask_without(
			    e->payable[number],
			    u256_from_be(words[i].b, sizeof(words[i].b)))))
			continue;
		log_warn("a bucket is not out after all", "bucket",
			 log_u64(number).s);
		e->state[number] = BUCKET_TO_DO;
		e->finished--;
		e->at = 0;
	}
	e->check_at += e->check_n;
}

static void check_all(struct evacuate *e, const struct turn *t)
{
	struct hash32 slots[EVACUATE_READS];
	size_t n = 0;

	if (e->check_asked)
		return;
	if ((e->checking && e->check_at >= e->n) || !e->n) {
		e->checking = false;
		e->done = e->finished == e->n;
		if (e->done)
			log_notice("evacuation is final", "buckets",
				   log_u64(e->n).s);
		return;
	}
	if (!e->checking) {
		e->checking = true;
		e->check_at = 0;
	}
	for (; n < EVACUATE_READS && e->check_at + n < e->n; n++)
		slots[n] = layout_exited(e->check_at + n);
	e->check_n = n;
	if (!l1_slots(e->parts->l1, t->facts->rollup, slots, n,
		      t->facts->block.hash, check_came, e))
		e->check_asked = true;
}

/* ---- the turn ----------------------------------------------------------- */

enum err evacuate_turn(struct evacuate *e, struct turn *t)
{
	enum err err = OK;

	e->now_ms = t->now_ms;
	e->next_ms = UINT64_MAX;
	if (!turn_sees(t) || !e->parts->config->evacuate.enabled)
		return OK;
	if (!phase_exits_open(t->facts, t->head_time)) {
		if (e->running)
			stop(e);
		return OK;
	}
	if (!e->running || e->life != t->facts->openings ||
	    !hash_eq(e->root, t->facts->root))
		begin(e, t);
	if (e->done && e->finished == e->n)
		return OK; /* late wishes: the book looks at their leaves */
	take_work(e, t);
	for (size_t i = 0; i < EVACUATE_WORKS && !err; i++)
		err = work_turn(e, t, &e->works[i]);
	work_read_bitmaps(e, t);
	if (!err && e->finished == e->n &&
	    t->facts->block.number >= e->done_head)
		check_all(e, t);
	return err;
}

uint64_t evacuate_next(const struct evacuate *e)
{
	return e->next_ms;
}
