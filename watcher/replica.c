#include "watcher/replica.h"

#include <assert.h>
#include <stdio.h>

#include "abi/family/sovereign.h"
#include "sys/log.h"

#define META_ROLLUP  "rollup"
#define RETRY_BLOCKS 512 /* kept ones, read again at a start: seconds */
#define PASSES_MAX   8	 /* over one block: each finds one more stop */
#define FILL_PERCENT 50	 /* of the store: from here on the log says so */

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

/* The events of one_log(); what anybody can add for a little ether (bonds,
 * requests, deposits) is not read. */
struct follow_config replica_follow_config(const struct replica *r)
{
	return (struct follow_config){
		.addresses = {r->hatch, r->rollup},
		.n_addresses = 2,
		.topics = {sovereign_topic(SOVEREIGN_PROMOTED),
			   sovereign_topic(SOVEREIGN_OPENED),
			   sovereign_topic(SOVEREIGN_RESUMED),
			   sovereign_topic(SOVEREIGN_AMENDED),
			   sovereign_topic(SOVEREIGN_ENACTED),
			   sovereign_topic(SOVEREIGN_REWOUND),
			   sovereign_topic(SOVEREIGN_COMMITTED),
			   sovereign_topic(SOVEREIGN_WITHDRAWAL_EXECUTED),
			   sovereign_topic(SOVEREIGN_SETTLED)},
		.n_topics = 9,
		.with_input = {sovereign_topic(SOVEREIGN_COMMITTED)},
		.n_with_input = 1,
		.tip = r->tip,
		.by_block = r->by_block,
	};
}

/* ---- one block ---- */

static enum err promoted(struct replay *p, const struct sovereign_log *log)
{
	struct promotion promotion = {
		.from = log->promoted.from,
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
		return replay_executed(p, log);
	return replay_settled(p, log);
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
		return replay_rewound(p, log);
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

/* No reorg reaches below the blocks that are kept, and L1 rewinds no batch that
 * is final: how to undo older changes is not needed any more. */
static enum err forget_final(struct replay *p)
{
	const struct block_ref *at = &p->step->block;
	struct block_ref oldest;
	enum err err;

	if (!p->r->finality || at->time < p->r->finality)
		return OK;
	err = chain_oldest(p->txn, &p->r->chain, &oldest);
	if (err || !oldest.number)
		return err;
	return ledger_prune(p->txn, p->r->ledger, oldest.number - 1,
			    at->time - p->r->finality);
}

static enum err pass(struct replica *r, const struct follow_step *step,
		     const struct finding *known, size_t n,
		     struct finding *ret_found)
{
	struct replay p = {.r = r, .step = step, .finding = ret_found};
	struct ledger_mark before, after;
	enum err err = store_begin(r->store, true, &p.txn);

	if (err)
		return err;
	ledger_mark(r->ledger, &before);
	err = step->jumps ? chain_jump(p.txn, &r->chain, &step->block)
			  : chain_push(p.txn, &r->chain, &step->block);
	if (!err)
		err = all_logs(&p, known, n);
	ledger_mark(r->ledger, &after);
	if (!err && !ret_found->set && after.change != before.change)
		err = forget_final(&p);
	if (!err && !ret_found->set)
		return ledger_commit(r->ledger, p.txn);
	if (err) {
		ledger_abort(r->ledger, p.txn);
		return err;
	}
	return give_up(r, p.txn);
}

static void say_findings(struct replica *r, const struct follow_step *step,
			 struct finding *found, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_done(&found[i].stop.proof);
		log_error("the ledger stops", "why", found[i].stop.why, "block",
			  log_u64(step->block.number).s);
	}
	if (r->history.gap && !r->gap_said)
		log_error("chain.from is later than the hatch's first epoch: "
			  "which standbys were promoted is not known",
			  "block", log_u64(step->block.number).s);
	r->gap_said = r->history.gap;
}

/* After each block: whoever catches up fills a store in seconds. */
static void say_fill(struct replica *r)
{
	unsigned fill = store_fill_percent(r->store);

	if (fill >= FILL_PERCENT && !r->fill_said)
		log_warn("the store is filling up: raise store.map_size",
			 "percent", log_u64(fill).s);
	r->fill_said = fill >= FILL_PERCENT;
}

/* What does not fit may be what providers left out.  That a batch is bad is not
 * believed of a range's list either, for whoever makes up the list can make up
 * such a batch. */
static bool is_doubtful(const struct follow_step *step,
			const struct finding *found)
{
	return found->stop.kind == STOP_UNVERIFIABLE ||
	       (found->set && step->jumps);
}

bool replica_forward(struct replica *r, const struct follow_step *step,
		     bool anyway)
{
	struct finding found[PASSES_MAX] = {{0}};
	size_t n = 0;
	enum err err;

	assert(step->move == FOLLOW_FORWARD);
	do {
		err = pass(r, step, found, n, &found[n]);
		if (err)
			replica_fatal("a block cannot be committed", err);
		if (!anyway && is_doubtful(step, &found[n])) {
			log_warn("a block stops the ledger: it is read again",
				 "why", found[n].stop.why, "block",
				 log_u64(step->block.number).s);
			for (size_t i = 0; i <= n; i++)
				buf_done(&found[i].stop.proof);
			return false;
		}
	} while (found[n].set && ++n < PASSES_MAX);
	if (n == PASSES_MAX)
		fatal("a block stops the ledger again and again", "replica");
	say_findings(r, step, found, n);
	r->tip = step->block;
	say_fill(r);
	return true;
}

void replica_fatal(const char *what, enum err err)
{
	char text[160];

	snprintf(text, sizeof(text), "%s%s", what,
		 err == ERR_FULL ? ": the store is full: raise store.map_size "
				   "in the config, or free its disk"
				 : "");
	fatal(text, err_name(err));
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
	err = read_tip(txn, r);
	/* Older blocks were followed and forgotten: from here on nobody knows
	 * what they left. */
	if (!err && hash_is_zero(r->tip.hash) && block > r->from)
		return ERR_REORG;
	return err;
}

void replica_back(struct replica *r)
{
	struct store_txn *txn;
	enum err err = store_begin(r->store, true, &txn);

	if (!err)
		err = back(r, txn);
	if (!err)
		err = ledger_commit(r->ledger, txn);
	if (err == ERR_REORG)
		fatal("L1 took back more blocks than are kept: empty the store "
		      "and follow anew",
		      "replica");
	if (err)
		replica_fatal("a block cannot be undone", err);
}

static bool knows_before(struct replica *r)
{
	struct block_ref oldest;
	struct store_txn *txn;
	bool known;

	if (store_begin(r->store, false, &txn))
		return false;
	known = !chain_oldest(txn, &r->chain, &oldest) &&
		oldest.number < r->tip.number;
	store_abort(txn);
	return known;
}

bool replica_reread(struct replica *r)
{
	if (!knows_before(r))
		return false;
	replica_back(r);
	return true;
}

static size_t kept_from(struct replica *r, uint64_t block)
{
	struct store_txn *txn;
	size_t n = 0;

	if (store_begin(r->store, false, &txn))
		return 0;
	if (chain_count_from(txn, &r->chain, block, &n))
		n = 0;
	store_abort(txn);
	return n;
}

size_t replica_since_change(struct replica *r)
{
	struct ledger_mark mark;

	ledger_mark(r->ledger, &mark);
	return kept_from(r, mark.block);
}

void replica_retry(struct replica *r)
{
	const struct stop *stop = &r->history.stop;
	size_t back;

	if (stop->kind != STOP_UNVERIFIABLE)
		return;
	back = kept_from(r, stop->block);
	if (back > RETRY_BLOCKS)
		return;
	r->by_block = stop->block;
	while (back && replica_reread(r))
		back--;
}
