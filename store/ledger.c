/* Opening, committing and snapshots.  The rwlock lives here and nowhere else:
 * a reader holds it for as long as its snapshot, the writer while it merges
 * the staged nodes of what it has committed. */
#include "store/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "store/journal.h"
#include "store/ledger_inside.h"

#define BUILD_CHUNK 4096 /* nodes set between two rehashes */

/* How long a reader waits for a commit to arrive in memory: a second, though
 * a memory copy takes milliseconds. */
#define VIEW_TRIES    2000
#define VIEW_PAUSE_NS 500000

/* ---- opening ------------------------------------------------------------ */

static enum err tables_open(struct store_txn *txn, struct ledger *l)
{
	enum err err =
		store_table_open(txn, "records", true, true, &l->records);

	if (!err)
		err = store_table_open(txn, "owners", false, true, &l->owners);
	if (!err)
		err = store_table_open(txn, "journal", true, false,
				       &l->journal);
	if (!err)
		err = store_table_open(txn, "sums", false, false, &l->sums);
	if (!err)
		err = store_table_open(txn, "ledger", false, false, &l->state);
	return err;
}

static enum err mark_read(struct store_txn *txn, const struct ledger *l,
			  struct ledger_mark *ret)
{
	struct slice bytes;
	enum err err = store_get(txn, &l->state, slice_str("mark"), &bytes);

	if (err == ERR_NOT_FOUND) {
		*ret = (struct ledger_mark){
			.root = merkle_zero(MERKLE_DEPTH_MIN)};
		return OK;
	}
	if (err)
		return err;
	if (bytes.len != MARK_SIZE)
		return ERR_UNSAFE;
	mark_decode(bytes.p, ret);
	return ret->leaf_count >> MERKLE_DEPTH_MAX ? ERR_UNSAFE : OK;
}

/* The bottom level as the records give it, one block of 2^nodes_from at a
 * time, in order. */
struct build {
	struct ledger *l;
	struct record block[BUCKET_LEAVES];
	uint64_t at; /* which block is being filled */
	size_t filled;
	uint64_t set[BUILD_CHUNK];
	size_t n_set;
	bool damaged;
};

static void build_rehash(struct build *b)
{
	tree_rehash(&b->l->tree, b->set, b->n_set);
	b->n_set = 0;
}

static void build_flush(struct build *b)
{
	unsigned height = b->l->tree.nodes_from;

	if (!b->filled)
		return;
	tree_set(&b->l->tree, b->at,
		 ledger_block_root(b->block, b->filled, height));
	b->set[b->n_set++] = b->at;
	if (b->n_set == BUILD_CHUNK)
		build_rehash(b);
	memset(b->block, 0, sizeof(b->block));
	b->filled = 0;
}

static bool build_visit(void *ctx, struct slice key, struct slice value)
{
	struct build *b = ctx;
	unsigned height = b->l->tree.nodes_from;

	if (key.len != sizeof(struct store_key) || value.len != RECORD_SIZE ||
	    get_be(key.p, key.len) >= b->l->mark.leaf_count) {
		b->damaged = true;
		return false;
	}
	uint64_t index = get_be(key.p, key.len);
	if (index >> height != b->at)
		build_flush(b);
	b->at = index >> height;
	size_t within = (size_t)(index & ((1ULL << height) - 1));
	memcpy(b->block[within].b, value.p, RECORD_SIZE);
	b->filled = within + 1;
	return true;
}

static enum err build_nodes(struct store_txn *txn, struct ledger *l)
{
	struct build *b = calloc(1, sizeof(*b));
	enum err err = b ? tree_resize(&l->tree, l->mark.leaf_count) : ERR_FULL;

	if (!err) {
		b->l = l;
		err = store_walk(txn, &l->records, slice_of(NULL, 0), false,
				 build_visit, b);
	}
	if (!err && b->damaged)
		err = ERR_UNSAFE;
	if (!err) {
		build_flush(b);
		build_rehash(b);
	}
	free(b);
	if (err)
		return err;
	return hash_eq(tree_root(&l->tree), l->mark.root) ? OK : ERR_UNSAFE;
}

static enum err load(struct ledger *l)
{
	struct store_txn *txn;
	enum err err = store_begin(l->store, true, &txn);

	if (err)
		return err;
	err = tables_open(txn, l);
	if (!err)
		err = mark_read(txn, l, &l->mark);
	if (!err)
		err = build_nodes(txn, l);
	if (err) {
		store_abort(txn);
		return err;
	}
	return store_commit(txn);
}

static void lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	/* glibc's default lets a stream of readers starve the writer. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	int failed = pthread_rwlock_init(lock, &attr);
	assert(!failed);
	pthread_rwlockattr_destroy(&attr);
}

enum err ledger_open(struct store *s, unsigned nodes_from, struct ledger **ret,
		     struct err_text *error)
{
	struct ledger *l = calloc(1, sizeof(*l));
	enum err err = l ? OK : ERR_FULL;

	assert(nodes_from <= MERKLE_DEPTH_MIN);
	if (!err) {
		l->store = s;
		lock_init(&l->lock);
		err = tree_init(&l->tree, nodes_from);
	}
	if (!err)
		err = load(l);
	if (err) {
		err_text_set(error,
			     err == ERR_UNSAFE
				     ? "ledger: the records do not give the "
				       "root: empty its store and follow anew"
				     : "ledger: %s",
			     err_name(err));
		ledger_free(l);
		return err;
	}
	l->staged = l->mark;
	*ret = l;
	return OK;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	overlay_done(&l->overlay);
	tree_done(&l->tree);
	pthread_rwlock_destroy(&l->lock);
	free(l);
}

/* ---- committing --------------------------------------------------------- */

static void lock_write(struct ledger *l)
{
	int failed = pthread_rwlock_wrlock(&l->lock);

	assert(!failed);
}

static void unlock(struct ledger *l)
{
	int failed = pthread_rwlock_unlock(&l->lock);

	assert(!failed);
}

static void unstage(struct ledger *l)
{
	overlay_clear(&l->overlay);
	l->staged = l->mark;
	l->is_staged = false;
	l->broken = false;
}

/* Staged nodes beyond the tree are zero there already. */
static void merge_nodes(struct ledger *l)
{
	const struct overlay *o = &l->overlay;

	for (size_t i = 0; i < o->cap; i++) {
		const struct overlay_entry *e = &o->entries[i];
		if (e->used && e->height <= l->tree.depth &&
		    e->at < l->tree.nodes[e->height])
			l->tree.level[e->height][e->at] = e->node;
	}
}

static enum err mark_write(struct store_txn *txn, struct ledger *l)
{
	uint8_t bytes[MARK_SIZE];

	mark_encode(&l->staged, bytes);
	return store_put(txn, &l->state, slice_str("mark"),
			 slice_of(bytes, sizeof(bytes)));
}

/* Only a memory copy is done under the lock; the disk was waited for
 * before.  A reader that begins in between sees records of a change whose
 * nodes are not there yet, notices, and begins again. */
static enum err merge(struct ledger *l)
{
	enum err err;

	lock_write(l);
	err = tree_resize(&l->tree, l->staged.leaf_count);
	if (!err) {
		merge_nodes(l);
		l->mark = l->staged;
		assert(hash_eq(tree_root(&l->tree), l->mark.root));
	}
	l->is_stale |= err != OK;
	unlock(l);
	return err;
}

enum err ledger_commit(struct ledger *l, struct store_txn *txn)
{
	enum err err = l->broken || l->is_stale ? ERR_UNSAFE : OK;

	if (!err && !l->is_staged)
		return store_commit(txn);
	if (!err)
		err = mark_write(txn, l);
	if (err)
		store_abort(txn);
	else
		err = store_commit(txn);
	if (!err)
		err = merge(l);
	unstage(l);
	return err;
}

void ledger_abort(struct ledger *l, struct store_txn *txn)
{
	store_abort(txn);
	unstage(l);
}

void ledger_mark(struct ledger *l, struct ledger_mark *ret)
{
	*ret = l->staged;
}

/* ---- snapshots ---------------------------------------------------------- */

/* Records and nodes are of one change: the marks on disk and in memory. */
static enum err compare_marks(struct store_txn *txn, const struct ledger *l)
{
	struct ledger_mark on_disk;
	uint8_t a[MARK_SIZE], b[MARK_SIZE];
	enum err err = mark_read(txn, l, &on_disk);

	if (err)
		return err;
	mark_encode(&on_disk, a);
	mark_encode(&l->mark, b);
	return memcmp(a, b, sizeof(a)) != 0 ? ERR_BUSY : OK;
}

/* Locked when it returns OK. ERR_BUSY: a commit is between disk and memory. */
static enum err view_try(struct ledger *l, struct store_txn **ret)
{
	struct store_txn *txn;
	enum err err;

	if (pthread_rwlock_rdlock(&l->lock))
		return ERR_BUSY;
	err = l->is_stale ? ERR_UNSAFE : store_begin(l->store, false, &txn);
	if (!err) {
		err = compare_marks(txn, l);
		if (err)
			store_abort(txn);
	}
	if (err)
		unlock(l);
	else
		*ret = txn;
	return err;
}

enum err ledger_view_begin(struct ledger *l, struct ledger_view **ret)
{
	const struct timespec pause = {.tv_nsec = VIEW_PAUSE_NS};
	struct ledger_view *v = calloc(1, sizeof(*v));
	enum err err = v ? ERR_BUSY : ERR_FULL;

	for (int i = 0; i < VIEW_TRIES && err == ERR_BUSY; i++) {
		err = view_try(l, &v->txn);
		if (err == ERR_BUSY)
			nanosleep(&pause, NULL);
	}
	if (err) {
		free(v);
		return err;
	}
	v->ledger = l;
	*ret = v;
	return OK;
}

void ledger_view_end(struct ledger_view *v)
{
	if (!v)
		return;
	store_abort(v->txn);
	unlock(v->ledger);
	free(v);
}

void ledger_view_endp(struct ledger_view **v)
{
	ledger_view_end(*v);
	*v = NULL;
}

const struct ledger_mark *ledger_view_mark(const struct ledger_view *v)
{
	return &v->ledger->mark;
}
