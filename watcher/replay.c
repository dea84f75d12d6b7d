/* Replays one batch on the ledger, and proves it bad when it is; and what L1
 * itself changed. */
#include "watcher/replica.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/family/sovereign.h"

#define SIBLINGS_MAX (DIFF_STEP * MERKLE_DEPTH_MAX)
#define PROOF_MAX    (256u << 10)

struct step_proof { /* the state before a step: 64 × 40 siblings, 80 KB */
	size_t n;
	uint64_t indices[DIFF_STEP];
	struct diff_entry entries[DIFF_STEP];
	struct record old[DIFF_STEP];
	struct hash32 siblings[SIBLINGS_MAX];
	size_t sibling_count;
	struct hash32 root; /* lifted */
};

void replay_stop(struct replay *p, enum stop_kind kind, uint64_t batch,
		 const char *format, ...)
{
	struct finding *f = p->finding;
	va_list args;

	f->set = true;
	f->log = p->at.log;
	f->stop.kind = kind;
	f->stop.batch = batch;
	f->stop.block = p->step->block.number;
	f->stop.time = p->step->block.time;
	va_start(args, format);
	vsnprintf(f->stop.why, sizeof(f->stop.why), format, args);
	va_end(args);
}

static bool same_batch(const struct batch *a, const struct batch *b)
{
	return a->number == b->number && hash_eq(a->prev_root, b->prev_root) &&
	       hash_eq(a->root, b->root) && a->leaf_count == b->leaf_count &&
	       a->inbox_through == b->inbox_through &&
	       hash_eq(a->inbox_acc, b->inbox_acc) &&
	       hash_eq(a->diff_hash, b->diff_hash);
}

/* The transaction's input against the event; the contract has checked both,
 * so a difference means that a provider gave us something else. */
static bool understood(struct replay *p, const struct sovereign_log *event,
		       struct commit_call *call)
{
	uint64_t number = event->committed.batch.number;
	struct err_text why;

	if (commit_decode(p->log->input, call)) {
		replay_stop(p, STOP_UNVERIFIABLE, number,
			    "batch %llu: its transaction is not a commit call",
			    (unsigned long long)number);
		return false;
	}
	if (!same_batch(&call->batch, &event->committed.batch) ||
	    diff_check(call->diff, &why) ||
	    call->steps != diff_steps(call->diff) ||
	    !hash_eq(diff_hash(call->diff, call->roots, call->steps),
		     event->committed.batch.diff_hash)) {
		replay_stop(p, STOP_UNVERIFIABLE, number,
			    "batch %llu: its data are not those it commits to",
			    (unsigned long long)number);
		return false;
	}
	return true;
}

static bool follows(struct replay *p, const struct sovereign_log *event)
{
	struct ledger_mark mark;
	uint64_t number = event->committed.batch.number;

	ledger_mark(p->r->ledger, &mark);
	if (hash_eq(mark.root, event->committed.batch.prev_root) &&
	    mark.leaf_count == event->committed.before.leaf_count)
		return true;
	replay_stop(p, STOP_UNVERIFIABLE, number,
		    "batch %llu is built on a root that is not ours",
		    (unsigned long long)number);
	return false;
}

static enum err read_step(struct replay *p, const struct commit_call *call,
			  size_t step, struct step_proof *s)
{
	struct slice chunk = diff_step(call->diff, step);

	s->n = chunk.len / DIFF_ENTRY;
	assert(s->n <= DIFF_STEP);
	for (size_t i = 0; i < s->n; i++) {
		s->entries[i] = diff_entry_at(chunk, i);
		s->indices[i] = s->entries[i].index;
	}
	return ledger_step_proof(p->txn, p->r->ledger, s->indices, s->n,
				 call->batch.leaf_count, s->old, s->siblings,
				 &s->sibling_count, &s->root);
}

/* "an entry whose old record is not empty changes kind or owner, or (kind 1)
 * the asset": the first such, or -1. */
static int reowned(const struct step_proof *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!record_is_empty(&s->old[i]) &&
		    !record_may_become(&s->old[i], &s->entries[i].record))
			return (int)i;
	return -1;
}

static void prove(struct replay *p, const struct sovereign_log *event,
		  const struct commit_call *call, size_t step,
		  const struct step_proof *s)
{
	struct bad_step bad = {
		.batch = &event->committed.batch,
		.before = &event->committed.before,
		.step = step,
		.diff = call->diff,
		.roots = call->roots,
		.steps = call->steps,
		.root_before = step ? call->roots[step - 1]
				    : event->committed.batch.prev_root,
		.old_records = s->old,
		.siblings = s->siblings,
		.sibling_count = s->sibling_count,
	};
	struct stop *stop = &p->finding->stop;

	buf_done(&stop->proof);
	buf_init(&stop->proof, PROOF_MAX);
	bad_step_encode(&bad, &stop->proof);
	stop->step = step;
	if (!stop->proof.failed)
		return;
	stop->kind = STOP_UNVERIFIABLE;
	buf_clear(&stop->proof);
}

/* Applies one step; true: it is good. */
static enum err one_step(struct replay *p, const struct sovereign_log *event,
			 const struct commit_call *call, size_t step,
			 const struct ledger_mark *next, struct step_proof *s,
			 bool *ret_good)
{
	unsigned long long number = event->committed.batch.number;
	struct hash32 root;
	enum err err = read_step(p, call, step, s);
	int bad;

	if (err)
		return err;
	bad = reowned(s);
	if (bad >= 0) {
		replay_stop(p, STOP_BAD_BATCH, event->committed.batch.number,
			    "batch %llu, step %zu gives leaf %llu to another "
			    "owner",
			    number, step, (unsigned long long)s->indices[bad]);
		prove(p, event, call, step, s);
		*ret_good = false;
		return OK;
	}
	err = ledger_apply(p->txn, p->r->ledger, LEDGER_BATCH, next, s->entries,
			   s->n, &root);
	if (err)
		return err;
	*ret_good = hash_eq(root, call->roots[step]);
	if (*ret_good)
		return OK;
	replay_stop(p, STOP_BAD_BATCH, event->committed.batch.number,
		    "batch %llu, step %zu does not give its root", number,
		    step);
	prove(p, event, call, step, s);
	return OK;
}

static enum err all_steps(struct replay *p, const struct sovereign_log *event,
			  const struct commit_call *call)
{
	struct ledger_mark next = {
		.batch = event->committed.batch.number,
		.leaf_count = event->committed.batch.leaf_count,
		.inbox_through = event->committed.batch.inbox_through,
		.block = p->step->block.number,
		.time = p->step->block.time,
		.block_hash = p->step->block.hash,
	};
	struct step_proof *s = calloc(1, sizeof(*s));
	bool good = true;
	enum err err = s ? OK : ERR_FULL;
	struct hash32 root;

	if (!err && !call->steps) /* an empty batch is progress too */
		err = ledger_apply(p->txn, p->r->ledger, LEDGER_BATCH, &next,
				   NULL, 0, &root);
	for (size_t k = 0; !err && good && k < call->steps; k++)
		err = one_step(p, event, call, k, &next, s, &good);
	free(s);
	return err;
}

enum err replay_batch(struct replay *p, const struct sovereign_log *event)
{
	struct commit_call *call = calloc(1, sizeof(*call));
	enum err err = call ? OK : ERR_FULL;

	if (!err && understood(p, event, call) && follows(p, event))
		err = all_steps(p, event, call);
	free(call);
	return err;
}

/* ---- what L1 itself changed ---- */

/* The mark with this block's place in it. */
static struct ledger_mark here(const struct replay *p)
{
	struct ledger_mark mark;

	ledger_mark(p->r->ledger, &mark);
	mark.block = p->step->block.number;
	mark.time = p->step->block.time;
	mark.block_hash = p->step->block.hash;
	return mark;
}

/* L1 writes other amounts: entries must lead to the root that it computed. */
static enum err l1_wrote(struct replay *p, enum ledger_change kind,
			 const struct diff_entry *entries, size_t n,
			 struct hash32 expected, const char *what)
{
	struct ledger_mark next = here(p);
	struct hash32 root;
	enum err err = ledger_apply(p->txn, p->r->ledger, kind, &next, entries,
				    n, &root);

	if (err == ERR_INVALID || (!err && !hash_eq(root, expected))) {
		replay_stop(p, STOP_UNVERIFIABLE, next.batch,
			    "%s after batch %llu leads to a root that is not "
			    "ours",
			    what, (unsigned long long)next.batch);
		return OK;
	}
	return err;
}

enum err replay_executed(struct replay *p, const struct sovereign_log *log)
{
	struct diff_entry entry = {.index = log->withdrawal_executed.index};
	struct u256 debited = log->withdrawal_executed.debited;
	struct u256 left;
	struct record old;
	enum err err;

	if (u256_is_zero(debited)) /* void: the root stays */
		return OK;
	err = ledger_record(p->txn, p->r->ledger, entry.index, &old);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (err || !u256_sub(record_amount(&old), debited, &left)) {
		replay_stop(p, STOP_UNVERIFIABLE, here(p).batch,
			    "withdrawal %llu takes more than leaf %llu has",
			    (unsigned long long)log->withdrawal_executed.id,
			    (unsigned long long)entry.index);
		return OK;
	}
	entry.record = record_with_amount(&old, left);
	return l1_wrote(p, LEDGER_EXECUTED, &entry, 1,
			log->withdrawal_executed.new_root,
			"a forced withdrawal");
}

enum err replay_settled(struct replay *p, const struct sovereign_log *log)
{
	struct diff_entry entries[BUCKET_LEAVES];
	const uint8_t *mask = log->settled.mask.b;
	uint64_t bucket = u256_u64(log->settled.bucket);
	size_t n = 0;

	for (unsigned i = 0; i < BUCKET_LEAVES; i++) {
		uint64_t index = (bucket << 8) + i;
		struct record old;
		enum err err;

		if (!(mask[31 - i / 8] >> i % 8 & 1))
			continue;
		err = ledger_record(p->txn, p->r->ledger, index, &old);
		if (err && err != ERR_NOT_FOUND)
			return err;
		if (err || record_kind(&old) != RECORD_BALANCE)
			continue; /* the root will tell */
		entries[n].index = index;
		entries[n++].record = record_with_amount(&old, u256_from(0));
	}
	return l1_wrote(p, LEDGER_SETTLED, entries, n, log->settled.new_root,
			"settling");
}

/* Drops batches from bad_batch on. A ledger that stopped there, or later, can
 * go on: what it could not follow is gone. */
enum err replay_rewound(struct replay *p, const struct sovereign_log *log)
{
	uint64_t bad_batch = log->rewound.bad_batch;
	struct history *h = &p->r->history;
	struct stop none = {.kind = STOP_NONE};
	struct ledger_mark next = here(p), after;
	enum err err = OK;

	if (h->stop.kind != STOP_NONE && h->stop.batch < bad_batch)
		return OK;
	if (next.batch >= bad_batch)
		err = ledger_undo_batch(p->txn, p->r->ledger, bad_batch, &next);
	if (err)
		return err;
	ledger_mark(p->r->ledger, &after);
	if (!hash_eq(after.root, log->rewound.root) ||
	    after.leaf_count != log->rewound.leaf_count) {
		replay_stop(p, STOP_UNVERIFIABLE, bad_batch,
			    "without batch %llu L1's root is not ours",
			    (unsigned long long)bad_batch);
		return OK;
	}
	if (h->stop.kind == STOP_NONE)
		return OK;
	return history_stop(p->txn, h, p->at, &none);
}
