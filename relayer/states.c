/* One function a state: what an open request waits for, and what ends it. */
#include <stdio.h>

#include "abi/contracts_tables.h"
#include "abi/pack.h"
#include "relayer/book.h"
#include "relayer/calls.h"
#include "relayer/limits.h"
#include "relayer/outcome.h"

/* ---- QUEUED ------------------------------------------------------------- */

static void owner_came(void *ctx, const struct peer_answer *answer)
{
	struct slot *slot = ctx;
	struct peers *peers = slot->book->parts->peers;
	struct err_text error;
	struct pack pack;

	slot->asking--;
	slot->owner_asked = false;
	if (answer->err || !slot->used)
		return;
	if (pack_parse_json(answer->root, &pack, &error) ||
	    pack_verify(&pack, &error) || pack.n != 1) {
		peers_blame(peers, answer->peer, slot->book->now_ms,
			    "its proof does not lead to its root");
		return;
	}
	if (pack.leaves[0].index != slot->owner_leaf) {
		peers_blame(peers, answer->peer, slot->book->now_ms,
			    "it proves another leaf than was asked for");
		return;
	}
	if (!hash_eq(pack.root, slot->book->root))
		return; /* a block apart: asked again */
	slot->owner = record_owner(&pack.leaves[0].record);
	slot->proven = pack.leaves[0].index;
	slot->payable = record_kind(&pack.leaves[0].record) == RECORD_BALANCE &&
			!u256_is_zero(record_amount(&pack.leaves[0].record));
	slot->proof_root = pack.root;
	slot->owner_known = true;
}

static void ask_owner(struct book *b, struct slot *slot, uint64_t index)
{
	char path[64];

	if (slot->owner_asked || slot->owner_head == b->head)
		return;
	snprintf(path, sizeof(path), "/v1/proof/%llu",
		 (unsigned long long)index);
	if (peers_ask(b->parts->peers, path, b->now_ms, owner_came, slot))
		return;
	slot->asking++;
	slot->owner_asked = true;
	slot->owner_head = b->head;
	slot->owner_leaf = index;
}

/* What requestWithdrawalFor is estimated with, and sent with at least: the
 * contract's minimum, and room for two blocks of rising base fee.  What it is
 * sent with covers any block that can take it: flight_value(). */
static struct u256 bounty_value(const struct book *b)
{
	const struct account_state *account = submit_account(b->parts->submit);
	struct u256 value = b->bounty, gas;

	if (account &&
	    u256_mul64(u256_from(account->base_fee), EGRESS_BOUNTY_GAS, &gas) &&
	    u256_cmp(gas, value) > 0)
		value = gas;
	uint64_t rest;
	struct u256 more = u256_div64(value, 4, &rest);
	return u256_add(value, more, &value) ? value : b->bounty;
}

static enum err want(struct book *b, struct turn *t, const struct request *r,
		     struct task *task)
{
	task->key = r->id;
	task->purpose = PURPOSE_CARRY;
	task->to = t->facts->rollup;
	task->accepted_at = r->accepted_at;
	task->deadline = r->deadline;
	switch (submit_want(b->parts->submit, t, task)) {
	case WANT_TAKEN:
		t->again = true;
		return OK;
	case WANT_FULL:
		return ERR_BUSY;
	case WANT_FLYING:
	case WANT_HELD:
		return OK;
	}
	return OK;
}

/* ret_ends: it is not the owner's, and has failed. */
static enum err prove(struct book *b, struct turn *t, struct slot *slot,
		      const struct request *r, uint64_t index, bool *ret_ends)
{
	struct address signer;

	*ret_ends = false;
	if (slot->owner_ok)
		return OK;
	if (!slot->owner_known || slot->proven != index) {
		ask_owner(b, slot, index);
		return OK;
	}
	if (!request_signer(r, b->parts->config->shared.chain.id,
			    t->facts->rollup, &signer) &&
	    address_eq(signer, slot->owner))
		return book_prove(b, t, slot);
	*ret_ends = true;
	return book_set_plain(b, t, slot, REQUEST_FAILED,
			      "not signed by the leaf's owner");
}

/* NULL, or why nobody can bring it to L1 after the block acted on. */
static const char *too_late(const struct turn *t, const struct request *r)
{
	if (t->facts->state != ROLLUP_RUNNING)
		return "the hatch is open: everybody is paid out without "
		       "asking";
	if (r->withdraw.expiry < t->facts->block.time)
		return "expired before it reached L1";
	return NULL;
}

/* Its signature is used, or it is too late for it: is it in L1's queue?  over:
 * why it has failed when it is not; NULL: it must be there, and is looked for
 * again. */
static enum err elsewhere(struct book *b, struct turn *t, struct slot *slot,
			  const char *over)
{
	char text[96];

	if (slot->seek == SLOT_IDLE) {
		slot->seek = SLOT_WANTED;
		slot->seek_ms = 0;
	}
	if (slot->seek != SLOT_LOOKED)
		return OK;
	slot->seek = SLOT_IDLE;
	submit_forget(b->parts->submit, slot->id);
	if (slot->fit) {
		slot->block = 0; /* whose transaction it was is not known */
		slot->tx = (struct hash32){{0}};
		slot->taken = slot->spent = slot->seen_fate = false;
		snprintf(text, sizeof(text),
			 "withdrawal %llu on L1, by another transaction",
			 (unsigned long long)slot->l1_id);
		return book_set_plain(b, t, slot, REQUEST_INCLUDED, text);
	}
	if (!slot->spent)
		return book_set_plain(b, t, slot, REQUEST_FAILED, over);
	slot->seek = SLOT_WANTED;
	slot->seek_ms = t->now_ms + SEEK_RETRY_MS;
	return OK;
}

static enum err queued_withdrawal(struct book *b, struct turn *t,
				  struct slot *slot, const struct request *r)
{
	const char *over = too_late(t, r);
	struct task task = {0};
	bool ends;

	enum err err = prove(b, t, slot, r, r->withdraw.index, &ends);
	if (err || ends || !slot->owner_ok)
		return err;
	if (slot->spent || over)
		return elsewhere(b, t, slot, over);
	if (r->withdraw.expiry < t->head_time)
		return OK; /* over, but the block acted on does not know yet */
	if (slot->taken && t->now_ms < slot->taken_ms)
		return OK;
	if (!b->bounty_known ||
	    submit_waits(b->parts->submit, t->now_ms, r->id))
		return OK;
	buf_init(&task.data, TX_DATA_MAX);
	call_request_withdrawal(&task.data, &r->withdraw, &r->signature);
	task.value = bounty_value(b);
	return want(b, t, r, &task);
}

static enum err queued_transaction(struct book *b, struct turn *t,
				   struct slot *slot, const struct request *r)
{
	struct task task = {0};

	if (t->facts->state != ROLLUP_RUNNING)
		return book_set_plain(b, t, slot, REQUEST_FAILED,
				      "the hatch is open: forced transactions "
				      "are dropped");
	if (submit_waits(b->parts->submit, t->now_ms, r->id))
		return OK;
	buf_init(&task.data, TX_DATA_MAX);
	call_request_transaction(&task.data, r->raw);
	return want(b, t, r, &task);
}

enum err book_wish_paid(struct book *b, struct turn *t, struct slot *slot,
			enum request_state state, const char *more)
{
	struct request r;
	enum err err = requests_get(t->txn, &b->parts->requests, slot->id, &r);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_UNSAFE : err;
	struct outcome o =
		outcome_wish(r.exit_to.recipient, slot->credited, more);
	return book_set_plain(b, t, slot, state, o.text);
}

/* Its leaf is out: by whom, and to whom? */
static enum err wish_is_out(struct book *b, struct turn *t, struct slot *slot,
			    const struct request *r)
{
	bool waits = t->now_ms < slot->out_ms + WITNESS_WAIT_MS;

	switch (witness_of(b->parts->witness, &r->exit_to, slot->in_at,
			   slot->out_at)) {
	case WITNESS_WAITS:
		if (waits)
			return OK;
		break;
	case WITNESS_CREDITED:
		slot->credited = true;
		/* fall through */
	case WITNESS_PAID:
		return book_wish_paid(b, t, slot, REQUEST_FINAL,
				      ", by another transaction");
	case WITNESS_OTHER:
		return book_set_plain(b, t, slot, REQUEST_FAILED,
				      "the leaf was paid out already, by "
				      "another exit than this wish");
	case WITNESS_UNSEEN:
		break;
	}
	return book_set_plain(b, t, slot, REQUEST_FAILED,
			      "the leaf was paid out already; to whom was not "
			      "seen from here");
}

/* The root is frozen: what it gives to the leaf is all there is. */
static enum err wish_is_empty(struct book *b, struct turn *t, struct slot *slot,
			      const struct request *r)
{
	if (hash_eq(slot->proof_root, t->facts->root))
		return book_set_plain(b, t, slot, REQUEST_FAILED,
				      "there is no balance in this leaf");
	ask_owner(b, slot, r->exit_to.index);
	return OK;
}

/* Carried by the evacuation; here only what can never be, and whose it is:
 * before that nobody else hears of it. */
static enum err queued_exit(struct book *b, struct turn *t, struct slot *slot,
			    const struct request *r)
{
	bool ends;

	if (t->facts->count > r->exit_to.count)
		return book_set_plain(b, t, slot, REQUEST_FAILED,
				      "the ledger moved on: sign for the new "
				      "count");
	enum err err = prove(b, t, slot, r, r->exit_to.index, &ends);
	if (err || ends || !slot->owner_ok)
		return err;
	if (slot->out_at)
		return wish_is_out(b, t, slot, r);
	return slot->payable || t->facts->state != ROLLUP_OPEN
		       ? OK
		       : wish_is_empty(b, t, slot, r);
}

enum err book_turn_queued(struct book *b, struct turn *t, struct slot *slot)
{
	struct request r;
	enum err err = requests_get(t->txn, &b->parts->requests, slot->id, &r);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_UNSAFE : err;
	switch (r.kind) {
	case REQUEST_WITHDRAWAL:
		return queued_withdrawal(b, t, slot, &r);
	case REQUEST_TRANSACTION:
		return queued_transaction(b, t, slot, &r);
	case REQUEST_EXIT:
		return queued_exit(b, t, slot, &r);
	}
	return OK;
}

/* ---- SIGNED, SENT: waiting for the block, then for the id --------------- */

static void status_came(void *ctx, enum err err, const char *why,
			const struct tx_status *status)
{
	struct slot *slot = ctx;

	(void)why;
	slot->asking--;
	slot->status_asked = false;
	if (err || !slot->used)
		return;
	/* No receipt proves nothing: asked again at the next block. */
	if (status->fate != TX_SUCCESS && status->fate != TX_REVERTED)
		return;
	if (status->block > slot->book->acted)
		return;
	slot->want_status = false;
	slot->lost = status->fate == TX_REVERTED;
	slot->block = status->block;
	slot->block_hash = status->block_hash;
	slot->want_event = !slot->lost;
}

static void event_came(void *ctx, enum err err, const struct sovereign_log *log)
{
	struct slot *slot = ctx;

	slot->asking--;
	slot->event_asked = false;
	if (err || !log || !slot->used || !slot->want_event)
		return;
	if (log->event == SOVEREIGN_EXITED)
		slot->credited =
			mask_has(u256_from_be(log->exited.credited.b, 32),
				 slot->leaf % BUCKET_LEAVES);
	else
		slot->l1_id = log->event == SOVEREIGN_INBOX_QUEUED
				      ? log->inbox_queued.id
				      : log->withdrawal_requested.id;
	slot->want_event = false;
	slot->id_known = true;
}

static void ask_event(struct book *b, struct turn *t, struct slot *slot)
{
	static const enum sovereign_event events[] = {
		[REQUEST_WITHDRAWAL] = SOVEREIGN_WITHDRAWAL_REQUESTED,
		[REQUEST_TRANSACTION] = SOVEREIGN_INBOX_QUEUED,
		[REQUEST_EXIT] = SOVEREIGN_EXITED};
	enum sovereign_event event = events[slot->kind];

	if (slot->event_asked || slot->event_head == b->head)
		return;
	if (events_read(b->parts->events, t->facts->rollup, slot->block_hash,
			slot->tx, event, event_came, slot))
		return;
	slot->event_asked = true;
	slot->event_head = b->head;
	slot->asking++;
}

enum err book_turn_sent(struct book *b, struct turn *t, struct slot *slot)
{
	char text[96];

	if (slot->lost) {
		slot->lost = false;
		return book_set_plain(b, t, slot, REQUEST_QUEUED,
				      "its transaction reverted: sending anew");
	}
	if (slot->want_status && !slot->status_asked &&
	    slot->status_head != b->head &&
	    !tx_status_read(b->parts->l1, slot->tx, status_came, slot)) {
		slot->status_asked = true;
		slot->status_head = b->head;
		slot->asking++;
	}
	if (slot->want_event)
		ask_event(b, t, slot);
	if (!slot->id_known)
		return OK;
	slot->id_known = false;
	if (slot->kind == REQUEST_EXIT)
		return book_wish_paid(b, t, slot, REQUEST_INCLUDED,
				      ", not final yet");
	snprintf(text, sizeof(text), "%s %llu on L1",
		 slot->kind == REQUEST_TRANSACTION ? "inbox item"
						   : "withdrawal",
		 (unsigned long long)slot->l1_id);
	return book_set_plain(b, t, slot, REQUEST_INCLUDED, text);
}
