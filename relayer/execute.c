#include "relayer/execute.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/contracts_tables.h"
#include "abi/pack.h"
#include "l1/withdrawals.h"
#include "relayer/calls.h"
#include "relayer/carry.h"
#include "relayer/limits.h"
#include "sys/log.h"

#define READ_AT_ONCE 64

struct entry { /* of L1's queue, as it stood at the block last read */
	uint64_t id;
	bool known, ended;
	struct l1_withdrawal w;
	uint64_t ready_ms; /* since when it could be acted on */
	unsigned refused;  /* payments of it that L1 does not take */
};

struct execute {
	struct parts *parts;
	uint64_t now_ms, next_ms;
	bool began;
	struct entry head; /* the next to be executed; read every time */
	bool has_head;
	uint64_t from; /* all below that are unpaid are in the list */
	uint64_t queued;
	size_t n; /* executed and not paid yet, oldest first */
	struct entry entries[WITHDRAWALS_OPEN_MAX];
	bool asked;
	uint64_t asked_ids[READ_AT_ONCE];
	size_t read_at;
	bool reading; /* this block's round is not through */
	/* the head's leaf under the root of the facts */
	struct hash32 root;
	bool proof_asked, has_proof;
	uint64_t proof_index; /* the leaf that was asked for */
	uint64_t proof_ms;    /* when it was last asked for */
	struct pack_leaf leaf;
	unsigned depth;
};

struct execute *execute_new(struct parts *parts)
{
	struct execute *e = calloc(1, sizeof(*e));

	if (!e)
		fatal("out of memory", "execute");
	e->parts = parts;
	return e;
}

void execute_free(struct execute *e)
{
	free(e);
}

size_t execute_open(const struct execute *e)
{
	size_t n = (size_t)e->queued;

	for (size_t i = 0; i < e->n; i++)
		n += !e->entries[i].ended;
	return n;
}

/* ---- the queue ---------------------------------------------------------- */

static void learn(struct entry *entry, const struct l1_withdrawal *w)
{
	if (!entry->known || entry->w.fate != w->fate)
		entry->ready_ms = 0;
	entry->known = true;
	entry->w = *w;
	entry->ended = w->fate != EGRESS_FATE_QUEUED &&
		       w->fate != EGRESS_FATE_EXECUTED;
}

static void entries_came(void *ctx, enum err err, const char *why,
			 const struct l1_withdrawal *entries, size_t n)
{
	struct execute *e = ctx;

	(void)err;
	(void)why;
	e->asked = false;
	for (size_t i = 0; i < n; i++) {
		uint64_t id = e->asked_ids[i];
		if (!entries[i].there)
			continue;
		if (e->has_head && e->head.id == id)
			learn(&e->head, &entries[i]);
		for (size_t k = 0; k < e->n; k++)
			if (e->entries[k].id == id)
				learn(&e->entries[k], &entries[i]);
	}
}

/* The head first, whatever waits behind it to be paid. */
static size_t choose(struct execute *e, uint64_t *ids, size_t *ret_at)
{
	size_t n = 0, at = e->read_at;

	if (!at && e->has_head)
		ids[n++] = e->head.id;
	for (; at < e->n && n < READ_AT_ONCE; at++)
		if (!e->entries[at].ended)
			ids[n++] = e->entries[at].id;
	*ret_at = at ? at : 1; /* the head is read once a round */
	return n;
}

static void read_some(struct execute *e, const struct turn *t)
{
	size_t at, n = choose(e, e->asked_ids, &at);

	if (n && !l1_withdrawals(e->parts->l1, t->facts->rollup, e->asked_ids,
				 n, t->facts->block.hash, entries_came, e)) {
		e->asked = true;
		e->read_at = at;
	}
	e->reading = n > 0;
}

/* Takes the queue's head, drops what was paid, takes up what was executed
 * since.  An id whose payment L1 never takes leaves its place: it is looked at
 * again after the next start. */
static void slide(struct execute *e, const struct hatch_facts *facts)
{
	size_t left = 0;

	if (!e->began) {
		e->began = true;
		e->from = facts->withdraw_head > WITHDRAWALS_BEHIND
				  ? facts->withdraw_head - WITHDRAWALS_BEHIND
				  : 0;
	}
	e->queued = facts->withdraw_tail - facts->withdraw_head;
	e->has_head = facts->withdraw_head < facts->withdraw_tail;
	if (e->has_head && e->head.id != facts->withdraw_head)
		e->head = (struct entry){0};
	e->head.id = facts->withdraw_head;
	for (size_t i = 0; i < e->n; i++)
		if (!e->entries[i].ended && e->entries[i].refused < PAY_TRIES)
			e->entries[left++] = e->entries[i];
	e->n = left;
	for (; e->n < WITHDRAWALS_OPEN_MAX && e->from < facts->withdraw_head;
	     e->from++)
		e->entries[e->n++] = (struct entry){.id = e->from};
}

/* ---- the head's proof --------------------------------------------------- */

static void proof_came(void *ctx, const struct peer_answer *answer)
{
	struct execute *e = ctx;
	struct err_text error;
	struct pack pack;

	e->proof_asked = false;
	if (answer->err)
		return;
	if (pack_parse_json(answer->root, &pack, &error) ||
	    pack_verify(&pack, &error) || pack.n != 1) {
		peers_blame(e->parts->peers, answer->peer, e->now_ms,
			    "its proof does not lead to its root");
		return;
	}
	if (pack.leaves[0].index != e->proof_index) {
		peers_blame(e->parts->peers, answer->peer, e->now_ms,
			    "it proves another leaf than was asked for");
		return;
	}
	if (!hash_eq(pack.root, e->root))
		return; /* a block apart: asked again */
	e->leaf = pack.leaves[0];
	e->depth = merkle_depth(pack.leaf_count);
	e->has_proof = true;
}

static bool has_proof(struct execute *e, const struct turn *t, uint64_t index)
{
	char path[64];

	if (!hash_eq(e->root, t->facts->root)) {
		e->root = t->facts->root;
		e->has_proof = false;
	}
	if (e->has_proof && e->leaf.index == index)
		return true;
	if (e->proof_asked)
		return false;
	if (t->now_ms < e->proof_ms + PROOF_RETRY_MS) {
		if (e->proof_ms + PROOF_RETRY_MS < e->next_ms)
			e->next_ms = e->proof_ms + PROOF_RETRY_MS;
		return false;
	}
	snprintf(path, sizeof(path), "/v1/proof/%llu",
		 (unsigned long long)index);
	e->has_proof = false;
	e->proof_index = index;
	e->proof_ms = t->now_ms;
	if (!peers_ask(e->parts->peers, path, t->now_ms, proof_came, e))
		e->proof_asked = true;
	return false;
}

/* ---- acts --------------------------------------------------------------- */

static bool waited(struct execute *e, const struct turn *t, struct entry *entry)
{
	if (!entry->ready_ms)
		entry->ready_ms = t->now_ms;
	struct hash32 seed = {{0}};
	put_be(seed.b, entry->id, 8);
	unsigned rank = stagger_rank(e->parts->config->account, seed);
	uint64_t until_ms = entry->ready_ms + rank * STAGGER_STEP_MS;
	if (t->now_ms >= until_ms)
		return true;
	if (until_ms < e->next_ms)
		e->next_ms = until_ms;
	return false;
}

static void want(struct execute *e, struct turn *t, struct task *task)
{
	task->purpose = PURPOSE_EXECUTE;
	task->to = t->facts->rollup;
	task->urgency = FEE_URGENT / 2;
	if (submit_want(e->parts->submit, t, task) == WANT_TAKEN)
		t->again = true;
}

static struct hash32 key_of(const char *name, uint64_t id)
{
	return task_key(name, id, 0, (struct hash32){{0}});
}

static void execute_head(struct execute *e, struct turn *t, struct entry *entry)
{
	const struct hatch_facts *facts = t->facts;
	bool beyond = entry->w.index >= facts->leaf_count;
	struct task task = {.key = key_of("execute", entry->id)};

	/* Ask for the proof a little before it is needed. */
	if (t->head_time + 2 < entry->w.stamp + facts->terms.inclusion_window)
		return;
	if (!beyond && !has_proof(e, t, entry->w.index))
		return;
	if (t->head_time <= entry->w.stamp + facts->terms.inclusion_window)
		return;
	if (!waited(e, t, entry) ||
	    submit_waits(e->parts->submit, t->now_ms, task.key))
		return;
	buf_init(&task.data, TX_DATA_MAX);
	if (beyond)
		call_execute_withdrawal(&task.data, entry->id,
					(struct slice){0}, (struct path){0});
	else
		call_execute_withdrawal(
			&task.data, entry->id,
			slice_of(e->leaf.record.b, RECORD_SIZE),
			(struct path){e->leaf.siblings, e->depth});
	want(e, t, &task);
}

static void pay_one(struct execute *e, struct turn *t, struct entry *entry)
{
	struct task task = {.key = key_of("pay", entry->id)};

	if (t->head_time <= entry->w.stamp + t->facts->terms.finality ||
	    !waited(e, t, entry) ||
	    submit_waits(e->parts->submit, t->now_ms, task.key))
		return;
	buf_init(&task.data, TX_DATA_MAX);
	call_pay(&task.data, entry->id);
	want(e, t, &task);
}

void execute_turn(struct execute *e, struct turn *t)
{
	e->now_ms = t->now_ms;
	e->next_ms = UINT64_MAX;
	if (!turn_sees(t))
		return;
	if (t->facts_moved) {
		slide(e, t->facts);
		e->read_at = 0;
		e->reading = true;
	}
	if (e->reading && !e->asked)
		read_some(e, t);
	if (e->has_head && e->head.known && !e->head.ended &&
	    e->head.w.fate == EGRESS_FATE_QUEUED &&
	    e->head.id == t->facts->withdraw_head &&
	    t->facts->state == ROLLUP_RUNNING)
		execute_head(e, t, &e->head);
	for (size_t i = 0; i < e->n; i++) {
		struct entry *entry = &e->entries[i];
		if (entry->known && !entry->ended &&
		    entry->w.fate == EGRESS_FATE_EXECUTED)
			pay_one(e, t, entry);
	}
}

void execute_news(struct execute *e, const struct task_news *news)
{
	bool refused = (news->event == TASK_REFUSED && !news->for_now) ||
		       (news->event == TASK_FINAL && news->reverted);

	for (size_t i = 0; i < e->n && refused; i++)
		if (hash_eq(news->key, key_of("pay", e->entries[i].id)))
			e->entries[i].refused++;
}

uint64_t execute_next(const struct execute *e)
{
	return e->next_ms;
}
