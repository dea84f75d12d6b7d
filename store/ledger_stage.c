/* The writer's side: changes go to LMDB inside the write transaction and to
 * the overlay of staged nodes; nothing of it is seen before ledger_commit(). */
#include <assert.h>
#include <stdlib.h>

#include "abi/keccak.h"
#include "store/journal.h"
#include "store/ledger_stage.h"

/* ---- one record --------------------------------------------------------- */

enum err ledger_record(struct store_txn *txn, struct ledger *l, uint64_t index,
		       struct record *ret)
{
	struct store_key key = store_key_u64(index);
	struct slice value;

	if (index >= l->staged.leaf_count)
		return ERR_NOT_FOUND;
	enum err err = store_get(txn, &l->records,
				 slice_of(key.b, sizeof(key.b)), &value);
	if (err == ERR_NOT_FOUND) {
		*ret = (struct record){{0}};
		return OK;
	}
	if (err)
		return err;
	if (value.len != RECORD_SIZE)
		return ERR_UNSAFE;
	memcpy(ret->b, value.p, RECORD_SIZE);
	return OK;
}

/* As ledger_record(), but any index: beyond the end it is empty. */
static enum err record_before(struct store_txn *txn, struct ledger *l,
			      uint64_t index, struct record *ret)
{
	enum err err = ledger_record(txn, l, index, ret);

	if (err == ERR_NOT_FOUND) {
		*ret = (struct record){{0}};
		return OK;
	}
	return err;
}

/* Sums of one asset at a time: neighbours mostly share theirs. */
struct sums {
	bool loaded;
	struct address asset;
	struct u256 sum;
};

static enum err sums_flush(struct store_txn *txn, struct ledger *l,
			   struct sums *s)
{
	uint8_t bytes[32];

	if (!s->loaded)
		return OK;
	s->loaded = false;
	u256_to_be(s->sum, bytes, sizeof(bytes));
	return store_put(txn, &l->sums, slice_of(s->asset.b, 20),
			 slice_of(bytes, sizeof(bytes)));
}

static enum err sums_load(struct store_txn *txn, struct ledger *l,
			  struct sums *s, struct address asset)
{
	struct slice bytes;
	enum err err;

	if (s->loaded && address_eq(s->asset, asset))
		return OK;
	err = sums_flush(txn, l, s);
	if (err)
		return err;
	err = store_get(txn, &l->sums, slice_of(asset.b, 20), &bytes);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!err && bytes.len != 32)
		return ERR_UNSAFE;
	s->sum = err ? u256_from(0) : u256_from_be(bytes.p, 32);
	s->asset = asset;
	s->loaded = true;
	return OK;
}

static enum err sums_move(struct store_txn *txn, struct ledger *l,
			  struct sums *s, const struct record *before,
			  const struct record *after)
{
	enum err err = OK;

	if (record_kind(before) == RECORD_BALANCE) {
		err = sums_load(txn, l, s, record_asset(before));
		if (!err && !u256_sub(s->sum, record_amount(before), &s->sum))
			err = ERR_UNSAFE; /* less than its parts */
	}
	if (!err && record_kind(after) == RECORD_BALANCE) {
		err = sums_load(txn, l, s, record_asset(after));
		if (!err && !u256_add(s->sum, record_amount(after), &s->sum))
			err = ERR_UNSAFE;
	}
	return err;
}

static enum err owner_move(struct store_txn *txn, struct ledger *l,
			   uint64_t index, const struct record *before,
			   const struct record *after)
{
	uint8_t key[28];
	enum err err = OK;
	struct address old = record_owner(before), new = record_owner(after);

	if (address_eq(old, new))
		return OK;
	put_be(key + 20, index, 8);
	if (!record_is_empty(before)) {
		memcpy(key, old.b, 20);
		err = store_delete(txn, &l->owners, slice_of(key, sizeof(key)));
		err = err == ERR_NOT_FOUND ? OK : err;
	}
	if (!err && !record_is_empty(after)) {
		memcpy(key, new.b, 20);
		err = store_put(txn, &l->owners, slice_of(key, sizeof(key)),
				slice_of(key, 0));
	}
	return err;
}

static enum err record_write(struct store_txn *txn, struct ledger *l,
			     uint64_t index, const struct record *before,
			     const struct record *after)
{
	struct store_key bytes = store_key_u64(index);
	struct slice key = slice_of(bytes.b, sizeof(bytes.b));
	struct slice value = slice_of(after->b, RECORD_SIZE);
	enum err err = ERR_CONFLICT;

	if (record_is_empty(after)) {
		err = store_delete(txn, &l->records, key);
		return err == ERR_NOT_FOUND ? OK : err;
	}
	if (record_is_empty(before))
		err = store_append(txn, &l->records, key, value);
	return err == ERR_CONFLICT ? store_put(txn, &l->records, key, value)
				   : err;
}

static enum err record_set(struct store_txn *txn, struct ledger *l,
			   struct sums *s, uint64_t index,
			   const struct record *before,
			   const struct record *after)
{
	enum err err = record_write(txn, l, index, before, after);

	if (!err)
		err = owner_move(txn, l, index, before, after);
	return err ? err : sums_move(txn, l, s, before, after);
}

/* ---- staged nodes ------------------------------------------------------- */

static struct hash32 staged_node(const struct ledger *l, unsigned height,
				 uint64_t at)
{
	const struct hash32 *staged = overlay_get(&l->overlay, height, at);
	const struct tree *t = &l->tree;

	if (staged)
		return *staged;
	if (height > t->depth)
		return at ? merkle_zero(height)
			  : merkle_lift(tree_root(t), t->depth, height);
	if (at >> (t->depth - height))
		return merkle_zero(height);
	return tree_node(t, height, at);
}

static size_t unique(uint64_t *at, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept || at[kept - 1] != at[i])
			at[kept++] = at[i];
	return kept;
}

/* Hashes upward from ascending indices whose records were written, to the
 * higher of both depths: a tree that shrinks and grows again within one
 * transaction must not meet nodes from before. */
static enum err rehash(struct store_txn *txn, struct ledger *l, uint64_t *at,
		       size_t n, unsigned top)
{
	const unsigned from = l->tree.nodes_from;
	struct record block[BUCKET_LEAVES];
	enum err err = OK;

	for (size_t i = 0; i < n; i++)
		at[i] >>= from;
	n = unique(at, n);
	for (size_t i = 0; i < n && !err; i++) {
		err = ledger_read_block(txn, l, at[i] << from, 1ULL << from,
					block);
		if (!err)
			err = overlay_put(
				&l->overlay, from, at[i],
				ledger_block_root(block, 1ULL << from, from));
	}
	for (unsigned h = from; h < top && !err; h++) {
		for (size_t i = 0; i < n; i++)
			at[i] >>= 1;
		n = unique(at, n);
		for (size_t i = 0; i < n && !err; i++) {
			struct hash32 left = staged_node(l, h, at[i] * 2);
			struct hash32 right = staged_node(l, h, at[i] * 2 + 1);
			err = overlay_put(&l->overlay, h + 1, at[i],
					  keccak256_pair(&left, &right));
		}
	}
	return err;
}

enum err ledger_stage_nodes(struct store_txn *txn, struct ledger *l,
			    uint64_t *at, size_t n, uint64_t leaf_count)
{
	unsigned before = merkle_depth(l->staged.leaf_count);
	unsigned after = merkle_depth(leaf_count);

	/* A new height is above the first leaf, whoever else changed. */
	if (after != before && (!n || at[0] != 0)) {
		memmove(at + 1, at, n * sizeof(*at));
		at[0] = 0;
		n++;
	}
	enum err err = rehash(txn, l, at, n, before > after ? before : after);
	if (err)
		return err;
	l->staged.leaf_count = leaf_count;
	l->staged.root = staged_node(l, after, 0);
	return OK;
}

/* ---- applying ----------------------------------------------------------- */

enum err ledger_stage_journal(struct store_txn *txn, struct ledger *l,
			      uint64_t change, const struct buf *b)
{
	struct store_key key = store_key_u64(change);

	if (b->failed)
		return ERR_TOO_LARGE;
	return store_put(txn, &l->journal, slice_of(key.b, sizeof(key.b)),
			 buf_slice(b));
}

static enum err check_entries(const struct ledger *l,
			      const struct ledger_mark *next,
			      const struct diff_entry *entries, size_t n)
{
	if (n > DIFF_ENTRIES_MAX || next->leaf_count < l->staged.leaf_count ||
	    next->leaf_count > 1ULL << MERKLE_DEPTH_MAX)
		return ERR_INVALID;
	for (size_t i = 0; i < n; i++)
		if (entries[i].index >= next->leaf_count ||
		    (i && entries[i].index <= entries[i - 1].index))
			return ERR_INVALID;
	return OK;
}

enum err ledger_stage_entries(struct store_txn *txn, struct ledger *l,
			      const struct diff_entry *entries, size_t n,
			      uint64_t *at, struct buf *journal)
{
	struct sums sums = {.loaded = false};
	enum err err = OK;

	for (size_t i = 0; i < n && !err; i++) {
		const struct diff_entry *e = &entries[i];
		struct record before;
		err = record_before(txn, l, e->index, &before);
		if (err)
			break;
		if (journal)
			diff_put(journal, e->index, &before);
		err = record_set(txn, l, &sums, e->index, &before, &e->record);
		at[i] = e->index;
	}
	return err ? err : sums_flush(txn, l, &sums);
}

enum err ledger_apply(struct store_txn *txn, struct ledger *l,
		      enum ledger_change kind, const struct ledger_mark *next,
		      const struct diff_entry *entries, size_t n,
		      struct hash32 *ret_root)
{
	uint64_t at[DIFF_ENTRIES_MAX + 1];
	struct buf journal;
	enum err err = check_entries(l, next, entries, n);

	if (err)
		return err;
	buf_init(&journal, JOURNAL_BYTES_MAX);
	journal_begin(&journal, kind, next, &l->staged);
	err = ledger_stage_entries(txn, l, entries, n, at, &journal);
	if (!err)
		err = ledger_stage_journal(txn, l, l->staged.change + 1,
					   &journal);
	if (!err)
		err = ledger_stage_nodes(txn, l, at, n, next->leaf_count);
	buf_done(&journal);
	l->is_staged = true;
	l->broken |= err != OK;
	if (err)
		return err;
	l->staged.change++;
	l->staged.batch = next->batch;
	l->staged.inbox_through = next->inbox_through;
	l->staged.block = next->block;
	l->staged.time = next->time;
	l->staged.block_hash = next->block_hash;
	*ret_root = l->staged.root;
	return OK;
}

/* ---- what a fraud proof needs ------------------------------------------- */

struct siblings {
	struct store_txn *txn;
	struct ledger *l;
	struct hash32 *to;
	size_t n, max;
	enum err err;
};

static void visit_sibling(void *ctx, unsigned height, uint64_t at)
{
	struct siblings *s = ctx;
	struct record block[BUCKET_LEAVES];

	if (s->err)
		return;
	if (s->n == s->max) {
		s->err = ERR_TOO_LARGE;
		return;
	}
	if (height >= s->l->tree.nodes_from) {
		s->to[s->n++] = staged_node(s->l, height, at);
		return;
	}
	s->err = ledger_read_block(s->txn, s->l, at << height, 1ULL << height,
				   block);
	if (!s->err)
		s->to[s->n++] =
			ledger_block_root(block, 1ULL << height, height);
}

enum err ledger_step_proof(struct store_txn *txn, struct ledger *l,
			   const uint64_t *indices, size_t n,
			   uint64_t leaf_count, struct record *ret_old,
			   struct hash32 *ret_siblings,
			   size_t *ret_sibling_count,
			   struct hash32 *ret_root_lifted)
{
	unsigned depth = merkle_depth(leaf_count);
	struct siblings s = {.txn = txn,
			     .l = l,
			     .to = ret_siblings,
			     .max = n * MERKLE_DEPTH_MAX};
	enum err err = OK;

	if (leaf_count < l->staged.leaf_count)
		return ERR_INVALID;
	for (size_t i = 0; i < n && !err; i++) {
		if (indices[i] >> depth)
			return ERR_INVALID;
		err = record_before(txn, l, indices[i], &ret_old[i]);
	}
	if (err)
		return err;
	multiproof_walk(indices, n, depth, visit_sibling, &s);
	if (s.err)
		return s.err;
	*ret_sibling_count = s.n;
	*ret_root_lifted = merkle_lift(
		l->staged.root, merkle_depth(l->staged.leaf_count), depth);
	return OK;
}
