/* Taking changes back: a rewind that L1 itself made (journalled, so that it
 * can be taken back too) and a reorg (forgotten). */
#include <assert.h>
#include <stdlib.h>

#include "store/journal.h"
#include "store/ledger_inside.h"
#include "store/ledger_stage.h"

/* Decides, newest change first, whether one more is undone. */
struct undo {
	bool by_block;
	uint64_t limit; /* block ≥ limit, or mark.batch ≥ limit */
};

static bool wants(const struct undo *u, const struct ledger_mark *at)
{
	return (u->by_block ? at->block : at->batch) >= u->limit;
}

static enum err journal_get(struct store_txn *txn, struct ledger *l,
			    uint64_t change, struct journal_entry *ret)
{
	struct store_key key = store_key_u64(change);
	struct slice bytes;
	enum err err = store_get(txn, &l->journal,
				 slice_of(key.b, sizeof(key.b)), &bytes);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_UNSAFE : err;
	return journal_decode(bytes, ret);
}

#define RESTORED_MAX  (JOURNAL_BYTES_MAX / DIFF_ENTRY)
#define RESTORED_SORT 4096 /* fewer are not worth sorting before the end */

/* Ascending, distinct indices and the records that stand again at each. */
struct restored {
	struct diff_entry *entries;
	size_t n, cap;
};

/* Of one index the record that was read last, the oldest, is what stands
 * again: a stable order by index, the last of equals kept. */
static void merge(struct diff_entry *to, const struct diff_entry *a, size_t na,
		  const struct diff_entry *b, size_t nb)
{
	while (na || nb) {
		bool first = !nb || (na && a->index <= b->index);
		*to++ = first ? *a++ : *b++;
		if (first)
			na--;
		else
			nb--;
	}
}

static enum err restored_sort(struct restored *r)
{
	struct diff_entry *other =
		malloc((r->cap ? r->cap : 1) * sizeof(*other));
	struct diff_entry *from = r->entries, *to = other;

	if (!other)
		return ERR_FULL;
	for (size_t width = 1; width < r->n; width *= 2) {
		for (size_t i = 0; i < r->n; i += 2 * width) {
			size_t mid = i + width < r->n ? i + width : r->n;
			size_t end =
				i + 2 * width < r->n ? i + 2 * width : r->n;
			merge(to + i, from + i, mid - i, from + mid, end - mid);
		}
		struct diff_entry *swap = from;
		from = to;
		to = swap;
	}
	r->entries = from;
	free(to);
	size_t kept = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (kept && r->entries[kept - 1].index == r->entries[i].index)
			kept--;
		r->entries[kept++] = r->entries[i];
	}
	r->n = kept;
	return OK;
}

/* Makes room for n more.  Busy leaves come up in every batch: once each is
 * enough, so what is there is sorted before it may grow. */
static enum err restored_room(struct restored *r, size_t n)
{
	enum err err = OK;

	if (r->n + n <= r->cap)
		return OK;
	if (r->n > RESTORED_SORT)
		err = restored_sort(r);
	if (!err && r->n + n > RESTORED_MAX)
		err = ERR_TOO_LARGE;
	if (err || (r->n + n) * 2 <= r->cap)
		return err;
	size_t cap = (r->n + n) * 2;
	void *p = realloc(r->entries, cap * sizeof(*r->entries));
	if (!p)
		return ERR_FULL;
	r->entries = p;
	r->cap = cap;
	return OK;
}

static enum err restored_add(struct restored *r, const struct journal_entry *e)
{
	enum err err = restored_room(r, e->n);

	for (size_t i = 0; !err && i < e->n; i++)
		r->entries[r->n++] = diff_entry_at(e->old, i);
	return err;
}

/* Walks the journal back; ret_mark is what stands again. */
static enum err collect(struct store_txn *txn, struct ledger *l,
			const struct undo *u, struct restored *r,
			struct ledger_mark *ret_mark, uint64_t *ret_change)
{
	struct ledger_mark at = l->staged;
	uint64_t change = at.change;

	while (change > 0 && wants(u, &at)) {
		struct journal_entry e;
		enum err err = journal_get(txn, l, change, &e);
		if (err)
			return err;
		err = restored_add(r, &e);
		if (err)
			return err;
		at = e.before;
		change--;
	}
	*ret_mark = at;
	*ret_change = change;
	return restored_sort(r);
}

static enum err write_restored(struct store_txn *txn, struct ledger *l,
			       const struct restored *r,
			       const struct ledger_mark *mark,
			       struct buf *journal)
{
	uint64_t *at = malloc((r->n + 1) * sizeof(*at));
	enum err err =
		at ? ledger_stage_entries(txn, l, r->entries, r->n, at, journal)
		   : ERR_FULL;

	if (!err)
		err = ledger_stage_nodes(txn, l, at, r->n, mark->leaf_count);
	free(at);
	/* The journal must lead back to the very root that stood there. */
	if (!err && !hash_eq(l->staged.root, mark->root))
		err = ERR_UNSAFE;
	return err;
}

static enum err forget_changes(struct store_txn *txn, struct ledger *l,
			       uint64_t after)
{
	for (uint64_t c = l->staged.change; c > after; c--) {
		struct store_key key = store_key_u64(c);
		enum err err = store_delete(txn, &l->journal,
					    slice_of(key.b, sizeof(key.b)));
		if (err)
			return err;
	}
	return OK;
}

/* The work of both; journal NULL: the undone changes are forgotten. */
static enum err undo_changes(struct store_txn *txn, struct ledger *l,
			     const struct undo *u, struct buf *journal,
			     const struct ledger_mark *next)
{
	struct restored r = {0};
	struct ledger_mark mark;
	uint64_t change, last = l->staged.change;
	enum err err = collect(txn, l, u, &r, &mark, &change);

	if (!err && change == last) {
		free(r.entries);
		return OK; /* nothing to undo */
	}
	l->is_staged = true;
	if (!err)
		err = write_restored(txn, l, &r, &mark, journal);
	if (!err && !journal)
		err = forget_changes(txn, l, change);
	free(r.entries);
	l->broken |= err != OK;
	if (err)
		return err;
	l->staged = mark;
	if (!journal)
		return OK;
	l->staged.change = last + 1;
	l->staged.block = next->block;
	l->staged.time = next->time;
	l->staged.block_hash = next->block_hash;
	err = ledger_stage_journal(txn, l, last + 1, journal);
	l->broken |= err != OK;
	return err;
}

enum err ledger_undo_batch(struct store_txn *txn, struct ledger *l,
			   uint64_t batch, const struct ledger_mark *next)
{
	struct undo u = {.by_block = false, .limit = batch};
	struct buf journal;

	buf_init(&journal, JOURNAL_BYTES_MAX);
	journal_begin(&journal, LEDGER_REWOUND, next, &l->staged);
	enum err err = undo_changes(txn, l, &u, &journal, next);
	buf_done(&journal);
	return err;
}

enum err ledger_undo_block(struct store_txn *txn, struct ledger *l,
			   uint64_t block)
{
	struct undo u = {.by_block = true, .limit = block};

	return undo_changes(txn, l, &u, NULL, NULL);
}

/* ---- forgetting ---------------------------------------------------------- */

struct old_changes {
	uint64_t block, time;
	size_t n;
	struct store_key keys[LEDGER_PRUNE_MAX];
	bool damaged;
};

static bool visit_old(void *ctx, struct slice key, struct slice value)
{
	struct old_changes *o = ctx;
	struct journal_entry e;

	o->damaged = key.len != sizeof(o->keys[0].b) ||
		     journal_decode(value, &e) != OK;
	if (o->damaged || e.block >= o->block || e.time >= o->time)
		return false;
	memcpy(o->keys[o->n++].b, key.p, key.len);
	return o->n < LEDGER_PRUNE_MAX;
}

enum err ledger_prune(struct store_txn *txn, struct ledger *l, uint64_t block,
		      uint64_t time)
{
	struct old_changes o = {.block = block, .time = time};
	enum err err = store_walk(txn, &l->journal, slice_of(NULL, 0), false,
				  visit_old, &o);

	if (!err && o.damaged)
		err = ERR_UNSAFE;
	for (size_t i = 0; !err && i < o.n; i++)
		err = store_delete(txn, &l->journal,
				   slice_of(o.keys[i].b, sizeof(o.keys[i].b)));
	return err;
}
