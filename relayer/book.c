/* The open requests: a place in memory for each, its truth in the store. */
#include "relayer/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "l1/layout.h"
#include "relayer/book.h"
#include "relayer/calls.h"
#include "relayer/limits.h"
#include "sys/log.h"

struct book *book_new(struct parts *parts)
{
	struct book *b = calloc(1, sizeof(*b));

	if (!b)
		fatal("out of memory", "book");
	b->parts = parts;
	b->max = b->limit = parts->config->requests.open;
	b->slots = calloc(b->max, sizeof(*b->slots));
	if (!b->slots)
		fatal("out of memory", "book");
	return b;
}

void book_free(struct book *b)
{
	if (!b)
		return;
	free(b->slots);
	free(b);
}

size_t book_open(const struct book *b)
{
	return b->open;
}

void book_measure(struct book *b)
{
	b->room.space = store_space(b->parts->store);
	b->room.added = 0;
}

const struct room *book_room(const struct book *b)
{
	return &b->room;
}

static struct slot *slot_any(struct book *b)
{
	for (size_t i = 0; i < b->max; i++) {
		struct slot *slot = &b->slots[(b->next + i) % b->max];
		if (slot->used || slot->asking)
			continue;
		b->next = (b->next + i + 1) % b->max;
		*slot = (struct slot){.book = b, .used = true};
		b->open++;
		if (slot >= b->slots + b->top)
			b->top = (size_t)(slot - b->slots) + 1;
		return slot;
	}
	return NULL;
}

/* For a new request: NULL when the config's number is reached, or the places
 * still wait for answers. */
static struct slot *slot_new(struct book *b)
{
	return b->open < b->limit ? slot_any(b) : NULL;
}

static void slot_take(struct slot *slot, const struct request *r)
{
	struct room *room = &slot->book->room;

	room->owed += room_owes(r) - slot->owed;
	slot->owed = room_owes(r);
	slot->id = r->id;
	slot->kind = r->kind;
	slot->state = r->state;
	slot->l1_id = r->l1_id;
	slot->tx = r->tx_hash;
	slot->leaf = r->exit_to.index;
	slot->count = r->exit_to.count;
}

static void slot_end(struct slot *slot)
{
	slot->used = false;
	slot->book->open--;
	slot->book->room.owed -= slot->owed;
}

struct slot *book_slot(struct book *b, struct hash32 id)
{
	for (size_t i = 0; i < b->top; i++)
		if (b->slots[i].used && hash_eq(b->slots[i].id, id))
			return &b->slots[i];
	return NULL;
}

/* What was accepted is carried, also when requests.open is lower now. */
static void make_room(struct book *b, size_t stored)
{
	if (stored <= b->max)
		return;
	free(b->slots);
	b->max = stored;
	b->slots = calloc(b->max, sizeof(*b->slots));
	if (!b->slots)
		fatal("out of memory", "book");
	log_notice("more requests are stored than requests.open allows",
		   "stored", log_u64(stored).s, "open", log_u64(b->limit).s);
}

enum err book_load(struct book *b, struct store_txn *txn)
{
	make_room(b, requests_open_count(txn, &b->parts->requests));
	struct request *list = calloc(b->max, sizeof(*list));
	size_t n;

	if (!list)
		fatal("out of memory", "book");
	enum err err =
		requests_open_list(txn, &b->parts->requests, list, b->max, &n);
	for (size_t i = 0; i < n && !err; i++) {
		struct slot *slot = slot_any(b);
		if (list[i].state == REQUEST_INCLUDED &&
		    list[i].kind != REQUEST_WITHDRAWAL) {
			/* Its block is not proven any more: read again. */
			list[i].state = REQUEST_SENT;
			err = requests_update(txn, &b->parts->requests,
					      &list[i]);
		}
		slot_take(slot, &list[i]);
		/* Signed, but no transaction of it is on its way any more. */
		slot->want_status = (slot->state == REQUEST_SIGNED ||
				     slot->state == REQUEST_SENT) &&
				    !submit_flying(b->parts->submit, slot->id);
	}
	if (!err && n)
		log_notice("requests taken up again", "open", log_u64(n).s);
	free(list);
	return err;
}

enum err book_prove(struct book *b, struct turn *t, struct slot *slot)
{
	slot->owner_ok = true;
	return slot->kind == REQUEST_EXIT
		       ? requests_publish(t->txn, &b->parts->requests, slot->id)
		       : OK;
}

/* An id says nothing about its signature.  While the one that is kept is not
 * proven, or has failed for it, another one may be the true one: whoever brings
 * it is not told that it is kept. */
static enum err add_unproven(const struct slot *slot,
			     const struct request *request,
			     const struct request *known)
{
	bool same = !memcmp(&request->signature, &known->signature,
			    sizeof(known->signature));

	switch (known->state) {
	case REQUEST_QUEUED:
		return same || (slot && slot->owner_ok) ? ERR_CONFLICT
							: ERR_INVALID;
	case REQUEST_FAILED:
		return same ? ERR_REFUSED : ERR_INVALID;
	case REQUEST_SIGNED:
	case REQUEST_SENT:
	case REQUEST_INCLUDED:
	case REQUEST_FINAL:
		break;
	}
	return ERR_CONFLICT;
}

/* It has been here before: a signature that is proven to be the owner's takes
 * the place of one that was not, and opens again what failed. */
static enum err add_known(struct book *b, struct turn *t,
			  const struct request *request, bool proven,
			  struct request *known)
{
	struct request again = *request;
	struct slot *slot = book_slot(b, request->id);

	if (!proven)
		return add_unproven(slot, request, known);
	if (known->state != REQUEST_FAILED &&
	    (known->state != REQUEST_QUEUED || !slot || slot->owner_ok))
		return ERR_CONFLICT;
	if (!slot && !(slot = slot_new(b)))
		return ERR_BUSY;
	if (known->state == REQUEST_QUEUED) { /* its promise stands */
		again.accepted_at = known->accepted_at;
		again.deadline = known->deadline;
	}
	assert(known->state == REQUEST_QUEUED ||
	       request_may_become(known->state, REQUEST_QUEUED));
	slot_take(slot, &again);
	slot->payable = true;
	b->room.added += room_takes(&again);
	enum err err = requests_update(t->txn, &b->parts->requests, &again);
	if (!err)
		err = book_prove(b, t, slot);
	*known = again;
	return err ? err : ERR_CONFLICT;
}

static enum err add_new(struct book *b, struct turn *t,
			const struct request *request, bool proven)
{
	/* The place first: what is written is answered with 202. */
	bool room = proven || b->unproven * UNPROVEN_SHARE < b->limit;
	struct slot *slot = room ? slot_new(b) : NULL;

	if (!slot)
		return ERR_BUSY;
	enum err err = requests_add(t->txn, &b->parts->requests, request);
	if (err) {
		slot_end(slot);
		return err;
	}
	slot_take(slot, request);
	b->room.added += room_takes(request);
	slot->payable = proven; /* the intake has seen it */
	b->unproven += !proven;
	return proven ? book_prove(b, t, slot) : OK;
}

enum err book_add(struct book *b, struct turn *t, const struct request *request,
		  bool owner_known, struct request *ret_known)
{
	enum err err = requests_get(t->txn, &b->parts->requests, request->id,
				    ret_known);

	if (!err)
		return add_known(b, t, request, owner_known, ret_known);
	if (err == ERR_NOT_FOUND)
		err = add_new(b, t, request, owner_known);
	if (err)
		return err;
	log_info("request accepted", "request", hash_text(request->id).s,
		 "kind",
		 request->kind == REQUEST_WITHDRAWAL	? "withdrawal"
		 : request->kind == REQUEST_TRANSACTION ? "transaction"
							: "exit",
		 "deadline", log_u64(request->deadline).s);
	return OK;
}

/* ---- the one function that changes a state ------------------------------ */

enum err book_set(struct book *b, struct turn *t, struct slot *slot,
		  const struct change *change)
{
	struct request r;
	enum err err = requests_get(t->txn, &b->parts->requests, slot->id, &r);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_UNSAFE : err;
	if (r.state != change->state) {
		assert(request_may_become(r.state, change->state));
		log_info("request", "request", hash_text(r.id).s, "was",
			 request_state_name(r.state), "is",
			 request_state_name(change->state), "why",
			 *change->outcome ? change->outcome
			 : change->news	  ? task_event_name(change->news->event)
					  : r.outcome);
	}
	r.state = change->state;
	if (*change->outcome)
		snprintf(r.outcome, sizeof(r.outcome), "%s", change->outcome);
	if (change->news) {
		r.nonce = change->news->nonce;
		r.tx_hash = change->news->tx;
		r.block = change->news->block;
	}
	if (change->state == REQUEST_QUEUED)
		r.block = 0;
	if (change->state == REQUEST_INCLUDED) {
		r.l1_id = slot->l1_id;
		r.block = slot->block;
		r.tx_hash = slot->tx;
	}
	slot->state = r.state;
	slot->tx = r.tx_hash;
	err = requests_update(t->txn, &b->parts->requests, &r);
	if (r.state == REQUEST_FINAL || r.state == REQUEST_FAILED)
		slot_end(slot);
	return err;
}

enum err book_set_plain(struct book *b, struct turn *t, struct slot *slot,
			enum request_state state, const char *outcome)
{
	struct change change = {.state = state, .outcome = outcome};

	return book_set(b, t, slot, &change);
}

enum err book_fail(struct book *b, struct turn *t, struct hash32 id,
		   const char *why)
{
	struct slot *slot = book_slot(b, id);

	if (!slot || slot->state != REQUEST_QUEUED)
		return OK;
	return book_set_plain(b, t, slot, REQUEST_FAILED, why);
}

bool book_next_wish(struct book *b, struct turn *t, size_t *at,
		    struct request *ret)
{
	for (; *at < b->top; ++*at) {
		const struct slot *slot = &b->slots[*at];
		if (!slot->used || slot->kind != REQUEST_EXIT)
			continue;
		if (requests_get(t->txn, &b->parts->requests, slot->id, ret))
			continue;
		++*at;
		return true;
	}
	return false;
}

/* ---- the turn ----------------------------------------------------------- */

/* SovereignRollup.bounty(), in the block that was asked about. */
static void bounty_came(void *ctx, enum err err, const char *why,
			const struct hash32 *words, size_t n)
{
	struct book *b = ctx;
	struct u256 least, cost;

	(void)why;
	(void)n;
	b->bounty_asked = false;
	if (err ||
	    !u256_mul64(u256_from(b->bounty_fee), EGRESS_BOUNTY_GAS, &cost))
		return;
	least = LAYOUT_U256(words[0], SOVEREIGNROLLUP_MIN_BOUNTY);
	b->bounty = u256_cmp(cost, least) > 0 ? cost : least;
	b->bounty_known = true;
}

static void ask_bounty(struct book *b, struct turn *t)
{
	const struct hash32 slot = typed_u64(SLOT_SOVEREIGNROLLUP_MIN_BOUNTY);

	if (b->bounty_asked || b->bounty_head == b->head)
		return;
	if (!l1_slots(b->parts->l1, t->facts->rollup, &slot, 1,
		      t->view->head.hash, bounty_came, b)) {
		b->bounty_asked = true;
		b->bounty_head = b->head;
		b->bounty_fee = t->view->base_fee;
	}
}

/* A transaction stays in flight until its block is final. */
static enum err turn_included(struct book *b, struct turn *t, struct slot *slot)
{
	if (slot->kind == REQUEST_WITHDRAWAL)
		return slot->has_fate ? book_turn_fate(b, t, slot) : OK;
	if (submit_flying(b->parts->submit, slot->id))
		return OK;
	return slot->kind == REQUEST_EXIT
		       ? book_wish_paid(b, t, slot, REQUEST_FINAL, "")
		       : book_set_plain(b, t, slot, REQUEST_FINAL, "");
}

static enum err turn_slot(struct book *b, struct turn *t, struct slot *slot,
			  bool *full)
{
	enum err err;

	switch (slot->state) {
	case REQUEST_QUEUED:
		if (*full)
			return OK;
		err = book_turn_queued(b, t, slot);
		*full = err == ERR_BUSY;
		return *full ? OK : err;
	case REQUEST_SIGNED:
	case REQUEST_SENT:
		return book_turn_sent(b, t, slot);
	case REQUEST_INCLUDED:
		return turn_included(b, t, slot);
	case REQUEST_FINAL:
	case REQUEST_FAILED:
		break;
	}
	return OK;
}

static bool is_unproven(const struct slot *slot)
{
	return slot->state == REQUEST_QUEUED && !slot->owner_ok &&
	       slot->kind != REQUEST_TRANSACTION;
}

enum err book_turn(struct book *b, struct turn *t)
{
	enum err err = OK;
	bool full = false;

	if (!turn_sees(t))
		return OK;
	b->now_ms = t->now_ms;
	b->head = t->view->head.number;
	b->root = t->facts->root;
	b->acted = t->facts->block.number;
	if (b->open)
		ask_bounty(b, t);
	b->unproven = 0;
	for (size_t i = 0; i < b->top && !err; i++) {
		struct slot *slot = &b->slots[i];
		if (!slot->used)
			continue;
		err = turn_slot(b, t, slot, &full);
		b->unproven += slot->used && is_unproven(slot);
	}
	if (!err)
		book_look_elsewhere(b, t);
	if (!err && t->facts_moved)
		book_ask_fates(b, t);
	return err;
}
