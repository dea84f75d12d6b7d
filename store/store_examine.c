#include "store/store_examine.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct names {
	char name[STORE_TABLES_MAX][16];
	size_t n;
	bool damaged;
};

static bool visit_name(void *ctx, struct slice key, struct slice value)
{
	struct names *names = ctx;

	(void)value;
	if (!key.len || key.len >= sizeof(names->name[0]) ||
	    names->n == STORE_TABLES_MAX) {
		names->damaged = true;
		return false;
	}
	memcpy(names->name[names->n++], key.p, key.len);
	return true;
}

static bool count_one(void *ctx, struct slice key, struct slice value)
{
	(void)value;
	*(uint64_t *)ctx += key.len > 0; /* a hole reads as an empty key */
	return true;
}

/* Which tables carry checksums is their owners' business: here only that
 * every record can be reached. */
static enum err examine_table(struct store_txn *txn, const char *name)
{
	struct store_table t;
	uint64_t n = 0;
	enum err err = store_table_open(txn, name, false, true, &t);

	if (!err)
		err = store_walk(txn, &t, slice_of(NULL, 0), false, count_one,
				 &n);
	if (err)
		return err;
	return n == store_count(txn, &t) ? OK : ERR_UNSAFE;
}

static enum err examine_all(struct store_txn *txn)
{
	struct store_table all, identity;
	struct names names = {.n = 0};
	enum err err = store_table_of_tables(txn, &all);

	if (!err)
		err = store_walk(txn, &all, slice_of(NULL, 0), false,
				 visit_name, &names);
	if (!err && names.damaged)
		err = ERR_UNSAFE;
	for (size_t i = 0; i < names.n && !err; i++)
		err = examine_table(txn, names.name[i]);
	if (!err)
		err = store_table_open(txn, "identity", false, false,
				       &identity);
	/* A write reads the list of free pages; it is never committed. */
	return err ? err
		   : store_put(txn, &identity, slice_str("probe"),
			       slice_str("probe"));
}

static enum err examine_in_child(struct store *s, const char *dir,
				 uint64_t map_size)
{
	struct err_text error;
	struct store_txn *txn;
	struct rlimit no_core = {0, 0};
	enum err err;

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGSEGV, SIG_DFL); /* a death here is an answer */
	signal(SIGBUS, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	err = store_env_open(s, dir, map_size, &error);
	if (!err) {
		store_die_unsafe(s);
		err = store_begin(s, true, &txn);
	}
	return err ? err : examine_all(txn);
}

enum err store_examine(struct store *s, const char *dir, uint64_t map_size)
{
	int state = 0;
	pid_t child = fork();

	if (!child)
		_exit((int)examine_in_child(s, dir, map_size));
	if (child < 0 || waitpid(child, &state, 0) != child)
		return ERR_IO;
	return state ? ERR_UNSAFE : OK;
}
