/* Requests that somebody else brought to L1: the citizen may ask several
 * relayers, or go there alone.  What L1's newest block says only starts the
 * search; it is found, or not there, at the block acted on. */
#include <stdlib.h>

#include "abi/contracts_tables.h"
#include "l1/layout.h"
#include "relayer/book.h"
#include "relayer/calls.h"
#include "relayer/limits.h"

/* ---- is the signature used there? ---------------------------------------- */

static void spent_came(void *ctx, enum err err, const char *why,
		       const struct hash32 *words, size_t n)
{
	struct book *b = ctx;

	(void)why;
	(void)n;
	b->spent_asked = false;
	for (size_t i = 0; i < b->n_spent; i++) {
		struct slot *slot = b->spent[i];
		slot->asking--;
		if (!err && slot->used && !hash_is_zero(words[i]))
			slot->spent = true;
	}
}

static bool wants_spent(const struct book *b, const struct slot *slot)
{
	return slot->used && slot->state == REQUEST_QUEUED && slot->taken &&
	       !slot->spent && slot->spent_at != b->acted;
}

/* The mark that L1 keeps of an order that was carried out, at that block. */
static void ask_spent(struct book *b, struct turn *t)
{
	struct hash32 slots[FATES_MAX];
	struct address signer;
	struct request r;
	size_t n = 0;

	if (b->spent_asked)
		return;
	for (size_t i = 0; i < b->top && n < FATES_MAX; i++) {
		struct slot *slot = &b->slots[i];
		if (!wants_spent(b, slot) ||
		    requests_get(t->txn, &b->parts->requests, slot->id, &r) ||
		    request_signer(&r, b->parts->config->shared.chain.id,
				   t->facts->rollup, &signer))
			continue;
		b->spent[n] = slot;
		slots[n++] = layout_used(
			withdraw_digest(b->parts->config->shared.chain.id,
					t->facts->rollup, &r.withdraw),
			signer);
	}
	if (n && !l1_slots(b->parts->l1, t->facts->rollup, slots, n,
			   t->facts->block.hash, spent_came, b)) {
		b->spent_asked = true;
		b->n_spent = n;
		for (size_t i = 0; i < n; i++) {
			b->spent[i]->spent_at = b->acted;
			b->spent[i]->asking++;
		}
	}
}

/* ---- which entry of L1's queue is it? ------------------------------------ */

/* How well an entry fits: 0 not at all.  What has been paid keeps neither
 * recipient nor amount: it counts only where the signature is known to be used
 * and nothing fits better. */
static unsigned fits(const struct request *r, const struct l1_withdrawal *w,
		     bool spent)
{
	bool same = address_eq(w->recipient, r->withdraw.recipient);
	bool made_since = spent || w->stamp >= r->accepted_at;

	if (w->index != r->withdraw.index || !made_since)
		return 0;
	switch (w->fate) {
	case EGRESS_FATE_QUEUED:
	case EGRESS_FATE_UNSERVED:
		return same && !u256_cmp(w->amount, r->withdraw.amount) ? 3 : 0;
	case EGRESS_FATE_EXECUTED:
	case EGRESS_FATE_CANCELLED:
	case EGRESS_FATE_VOID:
		return same && u256_cmp(w->amount, r->withdraw.amount) <= 0 ? 2
									    : 0;
	case EGRESS_FATE_PAID:
		return spent;
	}
	return 0;
}

static bool is_anothers(const struct book *b, const struct slot *slot,
			uint64_t id)
{
	for (size_t i = 0; i < b->top; i++) {
		const struct slot *other = &b->slots[i];
		if (other->used && other != slot &&
		    other->kind == REQUEST_WITHDRAWAL &&
		    other->state == REQUEST_INCLUDED && other->l1_id == id)
			return true;
	}
	return false;
}

static void compare(struct book *b, struct turn *t, struct slot *slot)
{
	struct address signer;
	struct request r;

	if (requests_get(t->txn, &b->parts->requests, slot->id, &r))
		return;
	for (size_t i = 0; i < b->seek.n; i++) { /* newest first */
		const struct l1_withdrawal *w = &b->seek.page[i];
		uint64_t id = b->seek.next - 1 - i;
		unsigned fit = fits(&r, w, slot->spent);
		if (fit <= slot->fit || is_anothers(b, slot, id) ||
		    request_signer(&r, b->parts->config->shared.chain.id,
				   t->facts->rollup, &signer) ||
		    !address_eq(signer, w->owner))
			continue;
		slot->fit = fit;
		slot->l1_id = id;
	}
}

static void page_came(void *ctx, enum err err, const char *why,
		      const struct l1_withdrawal *entries, size_t n)
{
	struct book *b = ctx;
	struct seek *seek = &b->seek;

	(void)why;
	seek->asked = false;
	seek->came = !err;
	for (size_t i = 0; i < n && seek->came; i++) {
		seek->page[i] = entries[i];
		seek->came = entries[i].there;
	}
	seek->broken = !seek->came;
}

static void ask_page(struct book *b, struct turn *t)
{
	struct seek *seek = &b->seek;
	uint64_t ids[SEEK_PAGE];
	size_t n = 0;

	for (; n < SEEK_PAGE && seek->next - n > seek->low; n++)
		ids[n] = seek->next - 1 - n;
	seek->n = n;
	seek->asked = !l1_withdrawals(b->parts->l1, t->facts->rollup, ids, n,
				      seek->block.hash, page_came, b);
}

/* One pass over the queue is for all that are looked for when it begins. */
static void begin(struct book *b, const struct turn *t)
{
	struct seek *seek = &b->seek;
	uint64_t tail = t->facts->withdraw_tail;
	bool any = false;

	for (size_t i = 0; i < b->top; i++) {
		struct slot *slot = &b->slots[i];
		if (!slot->used || slot->seek != SLOT_WANTED ||
		    t->now_ms < slot->seek_ms)
			continue;
		slot->seek = SLOT_SOUGHT;
		slot->fit = 0;
		any = true;
	}
	if (!any)
		return;
	*seek = (struct seek){.running = true,
			      .block = t->facts->block,
			      .next = tail,
			      .low = tail > WITHDRAWALS_BEHIND
					     ? tail - WITHDRAWALS_BEHIND
					     : 0};
}

static void finish(struct book *b, enum slot_seek verdict)
{
	b->seek.running = false;
	for (size_t i = 0; i < b->top; i++)
		if (b->slots[i].used && b->slots[i].seek == SLOT_SOUGHT)
			b->slots[i].seek = verdict;
}

/* ---- is a wish's leaf out? ----------------------------------------------- */

static bool may_be_out(const struct slot *slot, const struct turn *t)
{
	return slot->used && slot->kind == REQUEST_EXIT &&
	       slot->state == REQUEST_QUEUED && !slot->out_at &&
	       slot->count == t->facts->count &&
	       slot->leaf < t->facts->leaf_count;
}

bool book_wishes_wait(const struct book *b, const struct turn *t)
{
	if (!turn_sees(t) || t->facts->state != ROLLUP_OPEN)
		return false;
	for (size_t i = 0; i < b->top; i++)
		if (b->slots[i].used && b->slots[i].kind == REQUEST_EXIT &&
		    b->slots[i].state == REQUEST_QUEUED)
			return true;
	return false;
}

static void exits_came(void *ctx, enum err err, const char *why,
		       const struct hash32 *words, size_t n)
{
	struct book *b = ctx;

	(void)why;
	(void)n;
	b->exits_asked = false;
	for (size_t i = 0; i < b->n_exits; i++) {
		struct slot *slot = b->exits[i];
		slot->asking--;
		if (err || !slot->used)
			continue;
		if (!mask_has(u256_from_be(words[i].b, 32),
			      slot->leaf % BUCKET_LEAVES)) {
			slot->in_at = b->exits_at;
			continue;
		}
		slot->out_at = b->exits_at;
		slot->out_ms = b->now_ms;
	}
}

static void ask_exits(struct book *b, struct turn *t)
{
	struct hash32 slots[FATES_MAX];
	size_t n = 0;

	if (b->exits_asked || t->facts->state != ROLLUP_OPEN)
		return;
	for (size_t i = 0; i < b->top && n < FATES_MAX; i++) {
		struct slot *slot = &b->slots[i];
		if (!may_be_out(slot, t) || slot->exit_at == b->acted)
			continue;
		b->exits[n] = slot;
		slots[n++] = layout_exited(slot->leaf / BUCKET_LEAVES);
	}
	if (n && !l1_slots(b->parts->l1, t->facts->rollup, slots, n,
			   t->facts->block.hash, exits_came, b)) {
		b->exits_asked = true;
		b->exits_at = b->acted;
		b->n_exits = n;
		for (size_t i = 0; i < n; i++) {
			b->exits[i]->exit_at = b->acted;
			b->exits[i]->asking++;
		}
	}
}

void book_look_elsewhere(struct book *b, struct turn *t)
{
	struct seek *seek = &b->seek;

	ask_spent(b, t);
	ask_exits(b, t);
	if (!seek->running)
		begin(b, t);
	if (!seek->running || seek->asked)
		return;
	if (seek->broken) { /* from the start, on newer facts */
		seek->broken = false;
		if (!hash_eq(seek->block.hash, t->facts->block.hash))
			finish(b, SLOT_WANTED);
		else if (seek->head == b->head)
			return;
	}
	if (seek->came) {
		seek->came = false;
		for (size_t i = 0; i < b->top; i++)
			if (b->slots[i].used && b->slots[i].seek == SLOT_SOUGHT)
				compare(b, t, &b->slots[i]);
		seek->next -= seek->n;
	}
	if (!seek->running)
		return;
	seek->head = b->head;
	if (seek->next > seek->low) {
		ask_page(b, t);
		return;
	}
	finish(b, SLOT_LOOKED);
	t->again = true;
}
