#include "l1/deep.h"

#include <stdio.h>
#include <stdlib.h>

#include "l1/deep_leg.h"
#include "l1/follow_impl.h"

struct deep {
	struct follow *follow;
	size_t n; /* in order, without gaps */
	struct leg *legs[L1_RANGES_AHEAD];
	/* The end of a range after which nothing is queued yet. */
	bool end_waits;
	struct block_ref end;
	size_t weight;	   /* bytes that the last range held */
	uint64_t cap;	   /* blocks a range, after trouble */
	uint64_t by_block; /* so many, the next time that ranges fail */
};

struct deep *deep_new(struct follow *f)
{
	struct deep *d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	*d = (struct deep){
		.follow = f, .cap = L1_SPAN_MAX, .by_block = L1_BY_BLOCK_FIRST};
	return d;
}

static void drop_from(struct deep *d, size_t first)
{
	while (d->n > first)
		leg_free(d->legs[--d->n]);
}

void deep_clear(struct deep *d)
{
	drop_from(d, 0);
	d->end_waits = false;
}

void deep_free(struct deep *d)
{
	deep_clear(d);
	free(d);
}

/* ---- what is asked for ---------------------------------------------------
 */

/* Neither committed nor queued, nor before a block that waits for that. */
static uint64_t first_block(const struct deep *d)
{
	return d->end_waits ? d->end.number + 1 : follow_next(d->follow);
}

static uint64_t next_block(const struct deep *d)
{
	return d->n ? d->legs[d->n - 1]->to + 1 : first_block(d);
}

static bool has_room(const struct deep *d)
{
	size_t held = 0;
	for (size_t i = 0; i < d->n; i++)
		held += d->legs[i]->page ? leg_weight(d->legs[i]) : d->weight;
	if (d->n && (held + d->weight > L1_RANGES_HELD_MAX ||
		     d->legs[d->n - 1]->state == LEG_BY_BLOCK))
		return false;
	return d->n < L1_RANGES_AHEAD;
}

static void plan(struct deep *d, uint64_t now)
{
	struct follow *f = d->follow;
	uint64_t acted = f->l1->view.acted.number;
	uint64_t span = range_span(f->l1, now);
	span = span < d->cap ? span : d->cap;
	while (span && has_room(d)) {
		uint64_t from = next_block(d), to = acted - L1_DEEP_NEAR;
		if (from <= f->by_block || acted < from + L1_DEEP_BEHIND)
			return;
		to = to - from < span ? to : from + span - 1;
		d->legs[d->n++] = leg_new(f, from, to);
	}
}

/* A range that cannot be had is asked for in parts; one too short for that is
 * left to be read block by block. */
static void cut(struct deep *d, size_t i)
{
	struct leg *leg = d->legs[i];
	uint64_t from = leg->begun ? first_block(d) : leg->from;
	uint64_t most = leg->to - from + 1, blocks = leg->cut_to;
	bool by_block = blocks < L1_RANGE_MIN;
	drop_from(d, i);
	if (by_block) {
		/* more than the range had, or a range as short fails next */
		uint64_t end = d->follow->l1->view.acted.number - L1_DEEP_NEAR;
		if (end >= from && most < end - from + 1)
			most = end - from + 1;
		blocks = d->by_block;
		if (d->by_block < L1_BY_BLOCK_MAX)
			d->by_block *= 2;
	} else {
		d->cap = blocks;
	}
	if (blocks > most)
		blocks = most;
	d->legs[d->n++] = leg_new(d->follow, from, from + blocks - 1);
	if (by_block)
		d->legs[i]->state = LEG_BY_BLOCK;
}

/* ---- what is queued ------------------------------------------------------
 */

static bool push_end(struct deep *d)
{
	struct item *item =
		d->end_waits ? follow_push(d->follow, &d->end) : NULL;
	d->end_waits &= !item;
	return !d->end_waits;
}

static void add_logs(struct item *item, const struct leg *leg)
{
	const struct log_page *page = leg->page;
	size_t n = 0, first = leg->log_at;
	while (first + n < page->n &&
	       page->logs[first + n].block == item->block.number)
		n++;
	item_reserve(item, n);
	for (size_t i = 0; i < n; i++) {
		const struct page_log *from = &page->logs[first + i];
		struct buf *data = &item->data[i];
		buf_init(data, L1_LOG_DATA_MAX);
		buf_add_slice(data, log_page_data(page, first + i));
		item->inputs[i] = (struct buf){0};
		item->logs[i] = (struct l1_log){.address = from->address,
						.n_topics = from->n_topics,
						.data = buf_slice(data),
						.tx = from->tx,
						.index = from->index};
		memcpy(item->logs[i].topics, from->topics,
		       sizeof(from->topics));
	}
	item->n_logs = n;
}

/* false: no room, or it does not link. */
static bool push_blocks(struct deep *d, struct leg *leg)
{
	struct follow *f = d->follow;
	for (; leg->block_at < leg->n_blocks; leg->block_at++) {
		const struct block_ref *block = &leg->blocks[leg->block_at];
		bool adjoins = !d->end_waits && block->number == follow_next(f);
		if (adjoins && !hash_eq(block->parent, follow_last_hash(f))) {
			leg_cut(leg, 0);
			return false;
		}
		struct item *item = follow_push(f, block);
		if (!item)
			return false;
		d->end_waits = false;
		add_logs(item, leg);
		leg->log_at += item->n_logs;
	}
	return true;
}

/* It is of the chain that was queued before it; else false, and what is queued
 * or the tip itself is of another. */
static bool links(struct deep *d, const struct leg *leg)
{
	struct hash32 last =
		d->end_waits ? d->end.hash : follow_last_hash(d->follow);
	if (hash_eq(leg->before, last))
		return true;
	if (d->end_waits) {
		deep_clear(d);
		follow_set_trouble(d->follow, "blocks", "they do not link");
	} else {
		follow_unlink(d->follow);
	}
	return false;
}

/* false: not all of it. */
static bool deliver_first(struct deep *d)
{
	struct leg *leg = d->legs[0];
	struct follow *f = d->follow;
	if (leg->state == LEG_BY_BLOCK) {
		if (!push_end(d))
			return false;
		f->by_block = leg->to;
	} else {
		if (!leg->begun && !links(d, leg))
			return false;
		leg->begun = true;
		d->weight = leg_weight(leg);
		if (!push_blocks(d, leg))
			return false;
		(void)snprintf(f->proofs, sizeof(f->proofs),
			       "by quorum: deep history");
		d->cap = d->cap < L1_SPAN_MAX / 2 ? 2 * d->cap : L1_SPAN_MAX;
		d->by_block = L1_BY_BLOCK_FIRST;
		d->end_waits = follow_next(f) <= leg->to;
		d->end = leg->end;
	}
	leg_free(leg);
	memmove(d->legs, d->legs + 1, --d->n * sizeof(d->legs[0]));
	return true;
}

static void deliver(struct deep *d)
{
	while (d->n && (d->legs[0]->state == LEG_READY ||
			d->legs[0]->state == LEG_BY_BLOCK)) {
		bool far = d->end_waits &&
			   d->end.number + 1 >=
				   follow_next(d->follow) + L1_DEEP_MARK;
		if ((far && !push_end(d)) || !deliver_first(d))
			return;
	}
}

static void turn_legs(struct deep *d, uint64_t now, uint64_t *next)
{
	plan(d, now);
	for (size_t i = 0; i < d->n; i++) {
		uint64_t at = leg_turn(d->legs[i], now);
		*next = at < *next ? at : *next;
		if (d->legs[i]->state == LEG_CUT) {
			cut(d, i);
			*next = now;
		}
	}
}

bool deep_turn(struct deep *d, uint64_t now, uint64_t *next)
{
	turn_legs(d, now, next);
	deliver(d);
	if (!d->n && !d->follow->back)
		turn_legs(d, now, next);
	if (!d->n)
		(void)push_end(d);
	return d->n || d->end_waits;
}
