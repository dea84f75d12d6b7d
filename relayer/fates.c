/* What the contract says became of a withdrawal that L1 has: INCLUDED until it
 * is over. */
#include <stdio.h>

#include "abi/contracts_tables.h"
#include "relayer/book.h"
#include "relayer/limits.h"
#include "relayer/outcome.h"

/* The withdrawal at this id is the one that was asked for.  Its recipient and
 * amount are what was signed only as long as nothing became of it. */
static bool is_this(struct book *b, struct turn *t, const struct slot *slot)
{
	struct request r;

	if (requests_get(t->txn, &b->parts->requests, slot->id, &r))
		return true; /* nothing is known against it */
	return slot->l1_index == r.withdraw.index &&
	       (slot->fate != EGRESS_FATE_QUEUED ||
		(address_eq(slot->l1_recipient, r.withdraw.recipient) &&
		 u256_cmp(slot->l1_amount, r.withdraw.amount) == 0));
}

/* Over: paid, or owed to its recipient?  The payment's event says so. */
static enum err was_paid(struct book *b, struct turn *t, struct slot *slot)
{
	bool waits = t->now_ms < slot->fate_ms + WITNESS_WAIT_MS;
	struct outcome o, due = outcome_amount(slot->due, slot->asset);
	struct payment payment;
	struct request r;
	enum err err = requests_get(t->txn, &b->parts->requests, slot->id, &r);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_UNSAFE : err;
	switch (witness_payment(b->parts->witness, slot->l1_id,
				slot->fate_block, &payment)) {
	case WITNESS_WAITS:
		if (waits) {
			slot->has_fate = true; /* looked at again */
			return OK;
		}
		break;
	case WITNESS_PAID:
		o = outcome_paid(slot->l1_id, &r.withdraw, &payment);
		return book_set_plain(b, t, slot, REQUEST_FINAL, o.text);
	case WITNESS_CREDITED:
	case WITNESS_OTHER:
	case WITNESS_UNSEEN:
		break;
	}
	o = outcome_unseen(slot->l1_id, &r.withdraw,
			   slot->due_known ? &due : NULL);
	return book_set_plain(b, t, slot, REQUEST_FINAL, o.text);
}

bool book_payments_due(const struct book *b, const struct turn *t)
{
	for (size_t i = 0; turn_sees(t) && i < b->top; i++) {
		const struct slot *slot = &b->slots[i];
		if (!slot->used || slot->state != REQUEST_INCLUDED ||
		    slot->kind != REQUEST_WITHDRAWAL || !slot->seen_fate)
			continue;
		if (slot->fate == EGRESS_FATE_PAID ||
		    (slot->fate == EGRESS_FATE_EXECUTED &&
		     t->head_time + WITNESS_BEFORE_S >=
			     slot->stamp + t->facts->terms.finality))
			return true;
	}
	return false;
}

enum err book_turn_fate(struct book *b, struct turn *t, struct slot *slot)
{
	unsigned long long id = slot->l1_id;
	char text[REQUEST_OUTCOME_MAX];

	slot->has_fate = false;
	if (!is_this(b, t, slot)) { /* another's: our block is gone */
		slot->seen_fate = false;
		if (hash_is_zero(slot->tx))
			return book_set_plain(b, t, slot, REQUEST_QUEUED,
					      "looked up on L1 again");
		slot->want_status = !submit_flying(b->parts->submit, slot->id);
		return book_set_plain(b, t, slot, REQUEST_SENT,
				      "looked up on L1 again");
	}
	switch (slot->fate) {
	case EGRESS_FATE_QUEUED:
		snprintf(
			text, sizeof(text),
			"withdrawal %llu on L1, to be executed by %llu", id,
			(unsigned long long)(slot->stamp +
					     t->facts->terms.inclusion_window));
		return book_set_plain(b, t, slot, REQUEST_INCLUDED, text);
	case EGRESS_FATE_EXECUTED:
		snprintf(text, sizeof(text),
			 "withdrawal %llu executed: %.90s to be paid after "
			 "%llu",
			 id, outcome_amount(slot->due, slot->asset).text,
			 (unsigned long long)(slot->stamp +
					      t->facts->terms.finality));
		return book_set_plain(b, t, slot, REQUEST_INCLUDED, text);
	case EGRESS_FATE_PAID:
		return was_paid(b, t, slot);
	case EGRESS_FATE_VOID:
		snprintf(text, sizeof(text),
			 "withdrawal %llu is void: nothing to debit", id);
		break;
	case EGRESS_FATE_CANCELLED:
		snprintf(text, sizeof(text),
			 "withdrawal %llu fell with a bad batch: the leaf "
			 "is paid out",
			 id);
		break;
	default:
		snprintf(text, sizeof(text),
			 "withdrawal %llu unserved, the hatch opened: the "
			 "leaf is paid out",
			 id);
		break;
	}
	return book_set_plain(b, t, slot, REQUEST_FAILED, text);
}

static void fates_came(void *ctx, enum err err, const char *why,
		       const struct l1_withdrawal *entries, size_t n)
{
	struct book *b = ctx;

	(void)why;
	(void)n;
	b->fates_asked = false;
	for (size_t i = 0; i < b->n_fates; i++) {
		struct slot *slot = b->fates[i];
		slot->asking--;
		if (err || !slot->used || slot->state != REQUEST_INCLUDED ||
		    !entries[i].there)
			continue;
		struct l1_withdrawal w = entries[i];
		slot->changed = !slot->seen_fate || slot->fate != w.fate;
		if (slot->changed) {
			slot->fate_block = b->fates_at;
			slot->fate_ms = b->now_ms;
		}
		if (w.fate == EGRESS_FATE_EXECUTED) {
			slot->due_known = true;
			slot->due = w.amount;
			slot->asset = w.payer; /* stands there from then on */
		}
		slot->seen_fate = true;
		slot->fate = w.fate;
		slot->stamp = w.stamp;
		slot->l1_index = w.index;
		slot->l1_recipient = w.recipient;
		slot->l1_amount = w.amount;
		slot->has_fate = slot->has_fate || slot->changed;
	}
}

/* Up to FATES_MAX included withdrawals, in turn, at the block acted on. */
void book_ask_fates(struct book *b, struct turn *t)
{
	uint64_t ids[FATES_MAX];
	size_t n = 0;

	if (b->fates_asked || !b->top)
		return;
	for (size_t i = 0; i < b->top && n < FATES_MAX; i++) {
		struct slot *slot = &b->slots[(b->fate_at + i) % b->top];
		if (!slot->used || slot->state != REQUEST_INCLUDED ||
		    slot->kind != REQUEST_WITHDRAWAL ||
		    slot->block > t->facts->block.number)
			continue;
		b->fates[n] = slot;
		ids[n++] = slot->l1_id;
	}
	b->n_fates = n;
	b->fate_at += n;
	if (n && !l1_withdrawals(b->parts->l1, t->facts->rollup, ids, n,
				 t->facts->block.hash, fates_came, b)) {
		b->fates_asked = true;
		b->fates_at = t->facts->block.number;
		for (size_t i = 0; i < n; i++)
			b->fates[i]->asking++;
	}
}
