#include "watcher/history.h"

#include <stdio.h>

#define KEY_SIZE     12
#define PROOF_MAX    (256u << 10) /* a BadStep is below 120 KB */
#define STOP_FIXED   (1 + 1 + 8 + 8 + 8 + 1)
#define UNDO_AT_ONCE 256

enum note_kind { /* on disk: append only */
		 NOTE_STOP = 1,
		 NOTE_PROMOTED = 2,
		 NOTE_EPOCH = 3,
};

struct note_key {
	uint8_t b[KEY_SIZE];
};

static struct note_key note_key(struct history_at at)
{
	struct note_key k;

	put_be(k.b, at.block, 8);
	put_be(k.b + 8, at.log, 4);
	return k;
}

static void clear(struct history *h)
{
	h->stop.kind = STOP_NONE;
	h->stop.batch = h->stop.step = h->stop.block = h->stop.time = 0;
	h->stop.why[0] = 0;
	buf_clear(&h->stop.proof);
	h->epoch = 0;
	h->gap = false;
	h->n_promotions = 0;
}

/* A list that is full forgets its oldest: it is of a progress long gone. */
static void remember(struct history *h, const struct promotion *p)
{
	if (h->n_promotions && h->promotions[0].progress < p->progress)
		h->n_promotions = 0;
	if (h->n_promotions == PROMOTIONS_MAX) {
		h->n_promotions--;
		memmove(h->promotions, h->promotions + 1,
			h->n_promotions * sizeof(h->promotions[0]));
	}
	h->promotions[h->n_promotions++] = *p;
}

static bool take_stop(struct history *h, uint64_t block, struct slice v)
{
	size_t why;

	if (v.len < STOP_FIXED)
		return false;
	why = v.p[STOP_FIXED - 1];
	if (v.p[1] > STOP_UNVERIFIABLE || why >= sizeof(h->stop.why) ||
	    v.len < STOP_FIXED + why)
		return false;
	h->stop.kind = v.p[1];
	h->stop.batch = get_be(v.p + 2, 8);
	h->stop.step = get_be(v.p + 10, 8);
	h->stop.time = get_be(v.p + 18, 8);
	h->stop.block = block;
	memcpy(h->stop.why, v.p + STOP_FIXED, why);
	h->stop.why[why] = 0;
	buf_clear(&h->stop.proof);
	buf_add(&h->stop.proof, v.p + STOP_FIXED + why,
		v.len - STOP_FIXED - why);
	return !h->stop.proof.failed;
}

/* The hatch counts its epochs one by one, from 0. */
static void epoch_is(struct history *h, uint64_t epoch)
{
	h->gap |= epoch > h->epoch + 1;
	h->epoch = epoch;
}

static bool take_promoted(struct history *h, uint64_t block, struct slice v)
{
	struct promotion p = {.block = block};
	uint64_t epoch;

	if (v.len != 1 + 8 + 8 + 20 + 20)
		return false;
	epoch = get_be(v.p + 1, 8);
	p.progress = get_be(v.p + 9, 8);
	memcpy(p.from.b, v.p + 17, sizeof(p.from.b));
	memcpy(p.to.b, v.p + 37, sizeof(p.to.b));
	if (epoch != h->epoch)
		remember(h, &p);
	epoch_is(h, epoch);
	return true;
}

static bool take(struct history *h, uint64_t block, struct slice v)
{
	if (!v.len)
		return false;
	switch ((enum note_kind)v.p[0]) {
	case NOTE_STOP:
		return take_stop(h, block, v);
	case NOTE_PROMOTED:
		return take_promoted(h, block, v);
	case NOTE_EPOCH:
		if (v.len == 9)
			epoch_is(h, get_be(v.p + 1, 8));
		return v.len == 9;
	}
	return false;
}

struct reload {
	struct history *h;
	bool damaged;
};

static bool visit_reload(void *ctx, struct slice key, struct slice value)
{
	struct reload *r = ctx;

	if (key.len != KEY_SIZE || !take(r->h, get_be(key.p, 8), value))
		r->damaged = true;
	return !r->damaged;
}

enum err history_reload(struct store_txn *txn, struct history *h)
{
	struct reload r = {.h = h};
	enum err err;

	clear(h);
	err = store_walk(txn, &h->table, (struct slice){0}, false, visit_reload,
			 &r);
	if (err)
		return err;
	return r.damaged ? ERR_UNSAFE : OK;
}

enum err history_open(struct store_txn *txn, struct history *ret)
{
	enum err err;

	*ret = (struct history){0};
	buf_init(&ret->stop.proof, PROOF_MAX);
	err = store_table_open(txn, "history", false, false, &ret->table);
	return err ? err : history_reload(txn, ret);
}

void history_done(struct history *h)
{
	buf_done(&h->stop.proof);
}

static enum err put(struct store_txn *txn, struct history *h,
		    struct history_at at, struct buf *value)
{
	struct note_key key = note_key(at);
	enum err err = ERR_TOO_LARGE;

	if (!value->failed)
		err = store_put(txn, &h->table, slice_of(key.b, KEY_SIZE),
				buf_slice(value));
	if (!err && !take(h, at.block, buf_slice(value)))
		err = ERR_INVALID;
	buf_done(value);
	return err;
}

enum err history_stop(struct store_txn *txn, struct history *h,
		      struct history_at at, const struct stop *stop)
{
	size_t why = strnlen(stop->why, sizeof(stop->why) - 1);
	struct buf b;

	buf_init(&b, PROOF_MAX + STOP_FIXED + sizeof(stop->why));
	buf_add_byte(&b, NOTE_STOP);
	buf_add_byte(&b, (uint8_t)stop->kind);
	buf_add_be(&b, stop->batch, 8);
	buf_add_be(&b, stop->step, 8);
	buf_add_be(&b, stop->time, 8);
	buf_add_byte(&b, (uint8_t)why);
	buf_add(&b, stop->why, why);
	buf_add_slice(&b, buf_slice(&stop->proof));
	return put(txn, h, at, &b);
}

enum err history_promoted(struct store_txn *txn, struct history *h,
			  struct history_at at, uint64_t epoch,
			  const struct promotion *promotion)
{
	struct buf b;

	buf_init(&b, 64);
	buf_add_byte(&b, NOTE_PROMOTED);
	buf_add_be(&b, epoch, 8);
	buf_add_be(&b, promotion->progress, 8);
	buf_add(&b, promotion->from.b, sizeof(promotion->from.b));
	buf_add(&b, promotion->to.b, sizeof(promotion->to.b));
	return put(txn, h, at, &b);
}

enum err history_epoch(struct store_txn *txn, struct history *h,
		       struct history_at at, uint64_t epoch)
{
	struct buf b;

	buf_init(&b, 16);
	buf_add_byte(&b, NOTE_EPOCH);
	buf_add_be(&b, epoch, 8);
	return put(txn, h, at, &b);
}

struct undo {
	size_t n;
	struct note_key keys[UNDO_AT_ONCE];
};

static bool visit_undo(void *ctx, struct slice key, struct slice value)
{
	struct undo *u = ctx;

	(void)value;
	if (key.len != KEY_SIZE)
		return false;
	memcpy(u->keys[u->n++].b, key.p, KEY_SIZE);
	return u->n < UNDO_AT_ONCE;
}

enum err history_undo(struct store_txn *txn, struct history *h, uint64_t block)
{
	struct note_key from = note_key((struct history_at){.block = block});
	struct undo u;

	do { /* ends: each round deletes what it found */
		u.n = 0;
		enum err err =
			store_walk(txn, &h->table, slice_of(from.b, KEY_SIZE),
				   false, visit_undo, &u);
		for (size_t i = 0; !err && i < u.n; i++)
			err = store_delete(txn, &h->table,
					   slice_of(u.keys[i].b, KEY_SIZE));
		if (err)
			return err;
	} while (u.n == UNDO_AT_ONCE);
	return history_reload(txn, h);
}

static bool is_known(const struct promotion *p, struct history_when when)
{
	return p->progress == when.progress && p->block <= when.block;
}

bool history_was_promoted(const struct history *h, struct address standby,
			  struct history_when when)
{
	for (size_t i = 0; i < h->n_promotions; i++)
		if (is_known(&h->promotions[i], when) &&
		    address_eq(h->promotions[i].to, standby))
			return true;
	return false;
}

bool history_was_replaced(const struct history *h, struct address sequencer,
			  struct history_when when)
{
	for (size_t i = 0; i < h->n_promotions; i++)
		if (is_known(&h->promotions[i], when) &&
		    address_eq(h->promotions[i].from, sequencer))
			return true;
	return false;
}
