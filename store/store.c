/* The only file that includes lmdb.h.  Nothing of LMDB leaves it but borrowed
 * bytes. */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store_examine.h"
#include "store/store_file.h"
#include "store/store_identity.h"
#include "store/store_test.h"
#include "store/stored.h"

#define STORE_READERS_MAX 512 /* HTTP connections and some */
#define STORE_VERSION	  1
#define STORE_CHECK	  4

struct store {
	MDB_env *env;
	int lock_fd;
	bool is_new;
	atomic_bool failed; /* a commit failed: what is on disk is not known */
	struct buf scratch; /* the writer's: a value with its wrapping */
	store_hook *hook;
	void *hook_ctx;
};

struct store_txn {
	MDB_txn *txn;
	struct store *store;
	bool write;
};

static enum err from_lmdb(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return OK;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case MDB_KEYEXIST:
		return ERR_CONFLICT;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
		return ERR_FULL;
	case MDB_READERS_FULL:
		return ERR_BUSY;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
	case MDB_CURSOR_FULL:
	case MDB_PAGE_FULL:
		return ERR_UNSAFE;
	default:
		return ERR_IO;
	}
}

static MDB_val val_of(struct slice s)
{
	return (MDB_val){.mv_size = s.len, .mv_data = (void *)s.p};
}

static struct slice slice_of_val(MDB_val v)
{
	return slice_of(v.mv_data, v.mv_size);
}

/* ---- opening ----------------------------------------------------------- */

enum err store_env_open(struct store *s, const char *dir, uint64_t map_size,
			struct err_text *error)
{
	MDB_env *env = NULL;
	int rc = mdb_env_create(&env);

	if (!rc)
		rc = mdb_env_set_maxdbs(env, STORE_TABLES_MAX);
	if (!rc)
		rc = mdb_env_set_maxreaders(env, STORE_READERS_MAX);
	if (!rc)
		rc = mdb_env_set_mapsize(env, map_size);
	/* NOTLS: a snapshot belongs to its request, not to a thread. */
	if (!rc)
		rc = mdb_env_open(env, dir, MDB_NOTLS, 0600);
	if (rc) {
		err_text_set(error, "%s: %s", dir, mdb_strerror(rc));
		mdb_env_close(env);
		return from_lmdb(rc);
	}
	s->env = env;
	return OK;
}

static void store_drop(struct store *s)
{
	if (s->env)
		mdb_env_close(s->env);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	buf_done(&s->scratch);
	free(s);
}

/* A power cut during the first creation would leave a file that LMDB cannot
 * open, so it is made beside and renamed. */
static enum err create(struct store *s, const char *dir, uint64_t map_size,
		       const struct store_identity *id, struct err_text *error)
{
	char fresh[PATH_MAX];
	enum err err;

	snprintf(fresh, sizeof(fresh), "%s/.new", dir);
	err = store_file_begin_new(fresh, error);
	if (!err)
		err = store_env_open(s, fresh, map_size, error);
	if (!err) {
		err = store_identity_write(s, id);
		if (err)
			err_text_set(error, "%s: cannot be written: %s", fresh,
				     err_name(err));
		mdb_env_close(s->env);
		s->env = NULL;
	}
	if (!err)
		err = store_file_end_new(fresh, dir, error);
	return err;
}

/* ---- opening ------------------------------------------------------------ */

/* LMDB maps what the meta page speaks of, so missing pages are added as
 * holes; if anything leads into one, the file was cut, and is left as it was
 * found. */
static enum err open_short(struct store *s, const char *dir, const char *path,
			   const struct store_extent *extent, uint64_t map_size,
			   struct err_text *error)
{
	enum err err = truncate(path, (off_t)extent->want) ? ERR_IO : OK;

	if (!err)
		err = store_examine(s, dir, map_size);
	if (!err)
		return OK;
	err_text_set(error, "%s: it was cut short: " STORE_REMEDY "%s", path,
		     truncate(path, (off_t)extent->have) ? " (padded)" : "");
	return ERR_UNSAFE;
}

static enum err open_there(struct store *s, const char *dir, uint64_t map_size,
			   const struct store_identity *id, bool examined,
			   struct err_text *error)
{
	char path[PATH_MAX];
	struct store_extent extent;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	enum err err = store_file_check(path, &extent, error);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_UNSAFE : err;
	if (extent.have < extent.want) {
		err = open_short(s, dir, path, &extent, map_size, error);
	} else if (examined) {
		err = store_examine(s, dir, map_size);
		if (err)
			err_text_set(error, "%s: damaged: " STORE_REMEDY, path);
	}
	if (!err)
		err = store_env_open(s, dir, map_size, error);
	return err ? err : store_identity_check(s, dir, id, error);
}

bool store_exists(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	return !access(path, F_OK);
}

static enum err open_or_create(const char *dir, uint64_t map_size,
			       const struct store_identity *identity,
			       bool examined, struct store **ret,
			       struct err_text *error)
{
	struct store *s = calloc(1, sizeof(*s));
	enum err err;

	if (!s || strlen(dir) + sizeof("/.new/data.mdb") > PATH_MAX) {
		free(s);
		err_text_set(error, "store: out of memory or path too long");
		return ERR_IO;
	}
	s->lock_fd = -1;
	buf_init(&s->scratch, 1ULL << 30);
	err = store_file_make_dir(dir, error);
	if (!err)
		err = store_file_lock(dir, &s->lock_fd, error);
	if (!err && !store_exists(dir)) {
		err = create(s, dir, map_size, identity, error);
		s->is_new = true;
	}
	if (!err)
		err = open_there(s, dir, map_size, identity, examined, error);
	if (err) {
		store_drop(s);
		return err;
	}
	store_reap_readers(s);
	*ret = s;
	return OK;
}

enum err store_open(const char *dir, uint64_t map_size,
		    const struct store_identity *identity, struct store **ret,
		    struct err_text *error)
{
	return open_or_create(dir, map_size, identity, false, ret, error);
}

enum err store_open_examined(const char *dir, uint64_t map_size,
			     const struct store_identity *identity,
			     struct store **ret, struct err_text *error)
{
	return open_or_create(dir, map_size, identity, true, ret, error);
}

void store_close(struct store *s)
{
	if (s)
		store_drop(s);
}

bool store_is_new(const struct store *s)
{
	return s->is_new;
}

unsigned store_fill_percent(const struct store *s)
{
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(s->env, &info) || mdb_env_stat(s->env, &stat) ||
	    !info.me_mapsize)
		return 0;
	double used = ((double)info.me_last_pgno + 1) * stat.ms_psize;
	unsigned percent = (unsigned)(used * 100 / (double)info.me_mapsize);
	return percent > 100 ? 100 : percent;
}

/* LMDB keeps what is free in its table 0: lists of pages, their number
 * first. */
static uint64_t free_pages(const struct store *s)
{
	uint64_t pages = 0;
	MDB_cursor *cursor;
	MDB_val k, v;
	MDB_txn *txn;
	size_t n;

	if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn))
		return 0;
	if (!mdb_cursor_open(txn, 0, &cursor)) {
		while (!mdb_cursor_get(cursor, &k, &v, MDB_NEXT) &&
		       v.mv_size >= sizeof(n)) {
			memcpy(&n, v.mv_data, sizeof(n));
			pages += n;
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return pages;
}

struct store_space store_space(const struct store *s)
{
	struct store_space space = {0, 0};
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(s->env, &info) || mdb_env_stat(s->env, &stat))
		return space;
	uint64_t pages = info.me_last_pgno + 1, unused = free_pages(s);
	space.size = info.me_mapsize;
	space.used =
		(pages - (unused < pages ? unused : pages)) * stat.ms_psize;
	return space;
}

void store_reap_readers(struct store *s)
{
	int dead;

	(void)mdb_reader_check(s->env, &dead);
}

static void die_unsafe(MDB_env *env, const char *what)
{
	(void)env;
	(void)what;
	_exit(ERR_UNSAFE);
}

void store_die_unsafe(struct store *s)
{
	mdb_env_set_assert(s->env, die_unsafe);
}

void store_set_hook(struct store *s, store_hook *hook, void *ctx)
{
	s->hook = hook;
	s->hook_ctx = ctx;
}

void store_set_nosync(struct store *s)
{
	(void)mdb_env_set_flags(s->env, MDB_NOSYNC, 1);
}

/* ---- transactions ------------------------------------------------------ */

enum err store_begin(struct store *s, bool write, struct store_txn **ret)
{
	if (s->failed)
		return ERR_UNSAFE;
	struct store_txn *t = calloc(1, sizeof(*t));
	if (!t)
		return ERR_FULL;
	t->store = s;
	t->write = write;
	int rc = mdb_txn_begin(s->env, NULL, write ? 0 : MDB_RDONLY, &t->txn);
	if (rc) {
		free(t);
		return from_lmdb(rc);
	}
	*ret = t;
	return OK;
}

enum err store_commit(struct store_txn *txn)
{
	struct store *s = txn->store;
	enum err err = OK;

	if (txn->write && s->hook)
		err = s->hook(s->hook_ctx, STORE_BEFORE_COMMIT);
	if (err) {
		mdb_txn_abort(txn->txn);
	} else {
		err = from_lmdb(mdb_txn_commit(txn->txn));
		if (err && err != ERR_FULL)
			err = ERR_IO;
		if (!err && txn->write && s->hook)
			err = s->hook(s->hook_ctx, STORE_AFTER_COMMIT);
	}
	if (err)
		s->failed = true;
	free(txn);
	return err;
}

void store_abort(struct store_txn *txn)
{
	if (!txn)
		return;
	mdb_txn_abort(txn->txn);
	free(txn);
}

void store_abortp(struct store_txn **txn)
{
	store_abort(*txn);
	*txn = NULL;
}

/* ---- tables ------------------------------------------------------------ */

enum err store_table_open(struct store_txn *txn, const char *name,
			  bool integer_keys, bool raw, struct store_table *ret)
{
	struct store_table t = {.integer_keys = integer_keys, .raw = raw};

	assert(strlen(name) < sizeof(t.name));
	memcpy(t.name, name, strlen(name));
	int rc = mdb_dbi_open(txn->txn, name, txn->write ? MDB_CREATE : 0,
			      &t.dbi);
	if (rc)
		return from_lmdb(rc);
	*ret = t;
	return OK;
}

enum err store_table_of_tables(struct store_txn *txn, struct store_table *ret)
{
	struct store_table t = {.raw = true};
	int rc = mdb_dbi_open(txn->txn, NULL, 0, &t.dbi);

	if (rc)
		return from_lmdb(rc);
	*ret = t;
	return OK;
}

static void check_key(const struct store_table *t, struct slice key)
{
	assert(key.len > 0 && key.len <= STORE_KEY_MAX);
	assert(!t->integer_keys || key.len == sizeof(struct store_key));
}

static enum err put(struct store_txn *txn, const struct store_table *t,
		    struct slice key, struct slice value, unsigned flags)
{
	struct buf *b = &txn->store->scratch;

	check_key(t, key);
	assert(txn->write);
	if (!t->raw) {
		stored_wrap(t->name, key, value, b);
		if (b->failed)
			return ERR_FULL;
		value = buf_slice(b);
	}
	MDB_val k = val_of(key), v = val_of(value);
	return from_lmdb(mdb_put(txn->txn, t->dbi, &k, &v, flags));
}

enum err store_put(struct store_txn *txn, const struct store_table *t,
		   struct slice key, struct slice value)
{
	return put(txn, t, key, value, 0);
}

enum err store_append(struct store_txn *txn, const struct store_table *t,
		      struct slice key, struct slice value)
{
	return put(txn, t, key, value, MDB_APPEND);
}

static enum err unwrap(const struct store_table *t, struct slice key,
		       struct slice stored, struct slice *ret)
{
	if (!t->raw)
		return stored_unwrap(t->name, key, stored, ret);
	*ret = stored;
	return OK;
}

enum err store_get(struct store_txn *txn, const struct store_table *t,
		   struct slice key, struct slice *ret)
{
	check_key(t, key);
	MDB_val k = val_of(key), v;
	int rc = mdb_get(txn->txn, t->dbi, &k, &v);
	if (rc)
		return from_lmdb(rc);
	return unwrap(t, key, slice_of_val(v), ret);
}

enum err store_delete(struct store_txn *txn, const struct store_table *t,
		      struct slice key)
{
	check_key(t, key);
	assert(txn->write);
	MDB_val k = val_of(key);
	return from_lmdb(mdb_del(txn->txn, t->dbi, &k, NULL));
}

/* The first key of a walk. */
static int seek(MDB_cursor *cursor, struct slice from, bool reverse,
		MDB_val *key, MDB_val *value)
{
	if (!from.len)
		return mdb_cursor_get(cursor, key, value,
				      reverse ? MDB_LAST : MDB_FIRST);
	*key = val_of(from);
	int rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (!reverse)
		return rc;
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(cursor, key, value, MDB_LAST);
	if (rc || slice_eq(slice_of_val(*key), from))
		return rc;
	return mdb_cursor_get(cursor, key, value, MDB_PREV);
}

enum err store_walk(struct store_txn *txn, const struct store_table *t,
		    struct slice from, bool reverse, store_visit *visit,
		    void *ctx)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	enum err err = OK;
	int rc = mdb_cursor_open(txn->txn, t->dbi, &cursor);

	if (rc)
		return from_lmdb(rc);
	rc = seek(cursor, from, reverse, &key, &value);
	while (!rc) {
		struct slice inside;
		err = unwrap(t, slice_of_val(key), slice_of_val(value),
			     &inside);
		if (err || !visit(ctx, slice_of_val(key), inside))
			break;
		rc = mdb_cursor_get(cursor, &key, &value,
				    reverse ? MDB_PREV : MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (err)
		return err;
	return rc == MDB_NOTFOUND ? OK : from_lmdb(rc);
}

uint64_t store_count(struct store_txn *txn, const struct store_table *t)
{
	MDB_stat stat;

	return mdb_stat(txn->txn, t->dbi, &stat) ? 0 : stat.ms_entries;
}
