#include "watcher/replica.h"

#include <assert.h>
#include <stdio.h>

#include "abi/family/sovereign.h"
#include "sys/log.h"

#define META_ROLLUP "rollup"
#define PASSES_MAX  8 /* over one block: each finds one more stop */

static struct slice rollup_key(void)
{
	return slice_str(META_ROLLUP);
}

static enum err read_meta(struct store_txn *txn, struct replica *r)
{
	struct slice value;
	enum err err = store_get(txn, &r->meta, rollup_key(), &value);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (err)
		return err;
	if (value.len != sizeof(r->rollup.b))
		return ERR_UNSAFE;
	memcpy(r->rollup.b, value.p, value.len);
	return OK;
}

static enum err read_tip(struct store_txn *txn, struct replica *r)
{
	enum err err = chain_tip(txn, &r->chain, &r->tip);

	if (err != ERR_NOT_FOUND)
		return err;
	r->tip = (struct block_ref){.number = r->from};
	return OK;
}

static enum err open_tables(struct replica *r)
{
	struct store_txn *txn;
	enum err err = store_begin(r->store, true, &txn);

	if (err)
		return err;
	err = store_table_open(txn, "meta", false, false, &r->meta);
	if (!err)
		err = read_meta(txn, r);
	if (!err)
		err = chain_open(txn, &r->chain);
	if (!err)
		err = history_open(txn, &r->history);
	if (!err)
		err = read_tip(txn, r);
	if (!err)
		return store_commit(txn);
	store_abort(txn);
	return err;
}

enum err replica_open(struct store *store, unsigned nodes_from,
		      struct address hatch, uint64_t from, struct replica *ret,
		      struct err_text *error)
{
	enum err err;

	*ret = (struct replica){.store = store, .hatch = hatch, .from = from};
	err = open_tables(ret);
	if (err) {
		err_text_set(error, "store: its tables cannot be read: %s",
			     err_name(err));
		return err;
	}
	return ledger_open(store, nodes_from, &ret->ledger, error);
}

void replica_done(struct replica *r)
{
	ledger_free(r->ledger);
	history_done(&r->history);
	r->ledger = NULL;
}

enum err replica_set_rollup(struct replica *r, struct address rollup)
{
	struct store_txn *txn;
	enum err err;

	if (!address_is_zero(r->rollup))
		return address_eq(r->rollup, rollup) ? OK : ERR_CONFLICT;
	err = store_begin(r->store, true, &txn);
	if (err)
		return err;
	err = store_put(txn, &r->meta, rollup_key(),
			slice_of(rollup.b, sizeof(rollup.b)));
	if (err) {
		store_abort(txn);
		return err;
	}
	err = store_commit(txn);
	if (!err)
		r->rollup = rollup;
	return err;
}

struct follow_config replica_follow_config(const struct replica *r)
{
	return (struct follow_config){
		.addresses = {r->hatch, r->rollup},
		.n_addresses = 2,
		.with_input = {sovereign_topic(SOVEREIGN_COMMITTED)},
		.n_with_input = 1,
		.tip = r->tip,
	};
}

/* ---- what L1 itself changed ---- */

/* The mark with this block's place in it. */
static struct ledger_mark here(const struct replay *p)
{
	struct ledger_mark mark;

	ledger_mark(p->r->ledger, &mark);
	mark.block = p->step->block.number;
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

static enum err executed(struct replay *p, const struct sovereign_log *log)
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

static enum err settled(struct replay *p, const struct sovereign_log *log)
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
static enum err rewound(struct replay *p, const struct sovereign_log *log)
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

/* ---- one block ---- */

static enum err promoted(struct replay *p, const struct sovereign_log *log)
{
	struct promotion promotion = {
		.to = log->promoted.to,
		.progress = log->promoted.progress,
	};

	return history_promoted(p->txn, &p->r->history, p->at,
				log->promoted.epoch, &promotion);
}

/* What changes the ledger; skipped while it stands still. */
static enum err ledger_event(struct replay *p, const struct sovereign_log *log)
{
	if (p->r->history.stop.kind != STOP_NONE)
		return OK;
	if (log->event == SOVEREIGN_COMMITTED)
		return replay_batch(p, log);
	if (log->event == SOVEREIGN_WITHDRAWAL_EXECUTED)
		return executed(p, log);
	return settled(p, log);
}

static enum err epoch_is(struct replay *p, uint64_t epoch)
{
	return history_epoch(p->txn, &p->r->history, p->at, epoch);
}

static enum err one_log(struct replay *p, const struct sovereign_log *log)
{
	switch (log->event) {
	case SOVEREIGN_PROMOTED:
		return promoted(p, log);
	case SOVEREIGN_OPENED:
		return epoch_is(p, log->opened.epoch);
	case SOVEREIGN_RESUMED:
		return epoch_is(p, log->resumed.epoch);
	case SOVEREIGN_AMENDED:
		return epoch_is(p, log->amended.epoch);
	case SOVEREIGN_ENACTED:
		return epoch_is(p, log->enacted.epoch);
	case SOVEREIGN_REWOUND:
		return rewound(p, log);
	case SOVEREIGN_COMMITTED:
	case SOVEREIGN_WITHDRAWAL_EXECUTED:
	case SOVEREIGN_SETTLED:
		return ledger_event(p, log);
	case SOVEREIGN_OTHER:
	case SOVEREIGN_WITHDRAWAL_REQUESTED:
	case SOVEREIGN_WITHDRAWAL_PAID:
	case SOVEREIGN_INBOX_QUEUED:
	case SOVEREIGN_EXITED:
		break;
	}
	return OK;
}

/* An event counts only if the contract that defines it emitted it. */
static bool ours(const struct replica *r, const struct l1_log *log,
		 enum sovereign_event event)
{
	return address_eq(log->address,
			  sovereign_emitter(event) == SOVEREIGN_HATCH
				  ? r->hatch
				  : r->rollup);
}

/* All logs of a block, until one of them stops the ledger. `known`: the stops
 * that earlier passes found, n of them. */
static enum err all_logs(struct replay *p, const struct finding *known,
			 size_t n)
{
	const struct follow_step *step = p->step;
	enum err err = OK;

	for (size_t i = 0; !err && !p->finding->set && i < step->n_logs; i++) {
		const struct l1_log *log = &step->logs[i];
		const struct finding *stop = NULL;
		struct sovereign_log decoded;

		p->log = log;
		p->at = (struct history_at){step->block.number, (uint32_t)i};
		for (size_t k = 0; k < n; k++)
			if (known[k].log == i)
				stop = &known[k];
		if (stop)
			err = history_stop(p->txn, &p->r->history, p->at,
					   &stop->stop);
		else if (sovereign_decode(log->topics, log->n_topics, log->data,
					  &decoded) != SOVEREIGN_OTHER &&
			 ours(p->r, log, decoded.event))
			err = one_log(p, &decoded);
	}
	return err;
}

/* After a pass that was given up, memory is what the store says. */
static enum err give_up(struct replica *r, struct store_txn *txn)
{
	struct store_txn *again;
	enum err err;

	ledger_abort(r->ledger, txn);
	err = store_begin(r->store, false, &again);
	if (err)
		return err;
	err = history_reload(again, &r->history);
	store_abort(again);
	return err;
}

static enum err pass(struct replica *r, const struct follow_step *step,
		     const struct finding *known, size_t n,
		     struct finding *ret_found)
{
	struct replay p = {.r = r, .step = step, .finding = ret_found};
	enum err err = store_begin(r->store, true, &p.txn);

	if (err)
		return err;
	err = chain_push(p.txn, &r->chain, &step->block);
	if (!err)
		err = all_logs(&p, known, n);
	if (!err && !ret_found->set)
		return ledger_commit(r->ledger, p.txn);
	if (err) {
		ledger_abort(r->ledger, p.txn);
		return err;
	}
	return give_up(r, p.txn);
}

void replica_forward(struct replica *r, const struct follow_step *step)
{
	struct finding found[PASSES_MAX] = {{0}};
	size_t n = 0;
	enum err err;

	assert(step->move == FOLLOW_FORWARD);
	do {
		err = pass(r, step, found, n, &found[n]);
		if (err)
			fatal("a block cannot be committed", err_name(err));
	} while (found[n].set && ++n < PASSES_MAX);
	if (n == PASSES_MAX)
		fatal("a block stops the ledger again and again", "replica");
	for (size_t i = 0; i < n; i++) {
		buf_done(&found[i].stop.proof);
		log_error("the ledger stops", "why", found[i].stop.why, "block",
			  log_u64(step->block.number).s);
	}
	r->tip = step->block;
}

static enum err back(struct replica *r, struct store_txn *txn)
{
	uint64_t block = r->tip.number;
	enum err err = ledger_undo_block(txn, r->ledger, block);

	if (!err)
		err = history_undo(txn, &r->history, block);
	if (!err)
		err = chain_pop(txn, &r->chain);
	if (err)
		return err;
	return read_tip(txn, r);
}

void replica_back(struct replica *r)
{
	struct store_txn *txn;
	enum err err = store_begin(r->store, true, &txn);

	if (!err)
		err = back(r, txn);
	if (!err)
		err = ledger_commit(r->ledger, txn);
	if (err)
		fatal("a block cannot be undone", err_name(err));
}
