#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/store.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

#define MAP	 (16ULL << 20)
#define DATA_MAX (1 << 20)

struct fixture {
	struct scratch scratch;
	char dir[128];
	struct store_identity id;
	struct store *store;
	struct store_table table;
	struct err_text error;
};

static void open_tables(struct fixture *f)
{
	struct store_txn *txn;

	assert_int_equal(store_begin(f->store, true, &txn), OK);
	assert_int_equal(
		store_table_open(txn, "things", false, false, &f->table), OK);
	assert_int_equal(store_commit(txn), OK);
}

static enum err try_open(struct fixture *f)
{
	return store_open(f->dir, MAP, &f->id, &f->store, &f->error);
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->scratch = scratch_new();
	snprintf(f->dir, sizeof(f->dir), "%s/db", f->scratch.dir);
	f->id = (struct store_identity){.chain_id = 56, .program = "watcher"};
	assert_int_equal(try_open(f), OK);
	open_tables(f);
}

static void teardown(struct fixture *f)
{
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static enum err put(struct fixture *f, const char *key, const char *value)
{
	struct store_txn *txn;
	enum err err = store_begin(f->store, true, &txn);

	if (err)
		return err;
	err = store_put(txn, &f->table, slice_str(key), slice_str(value));
	if (err) {
		store_abort(txn);
		return err;
	}
	return store_commit(txn);
}

static enum err get(struct fixture *f, const char *key, char *ret)
{
	CLEANUP(store_abortp) struct store_txn *txn = NULL;
	struct slice value;
	enum err err = store_begin(f->store, false, &txn);

	if (!err)
		err = store_get(txn, &f->table, slice_str(key), &value);
	if (err)
		return err;
	memcpy(ret, value.p, value.len);
	ret[value.len] = 0;
	return OK;
}

static void reopen(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(try_open(f), OK);
	open_tables(f);
}

static void test_what_was_committed_is_there_after_reopening(void **state)
{
	struct fixture f;
	char value[64];

	(void)state;
	setup(&f);
	assert_true(store_is_new(f.store));
	assert_int_equal(put(&f, "a", "one"), OK);
	assert_int_equal(put(&f, "b", ""), OK);
	reopen(&f);
	assert_false(store_is_new(f.store));
	assert_int_equal(get(&f, "a", value), OK);
	assert_string_equal(value, "one");
	assert_int_equal(get(&f, "b", value), OK);
	assert_string_equal(value, "");
	assert_int_equal(get(&f, "c", value), ERR_NOT_FOUND);
	teardown(&f);
}

static void test_aborted_writes_leave_nothing(void **state)
{
	struct fixture f;
	struct store_txn *txn;
	char value[64];

	(void)state;
	setup(&f);
	assert_int_equal(store_begin(f.store, true, &txn), OK);
	assert_int_equal(
		store_put(txn, &f.table, slice_str("a"), slice_str("x")), OK);
	store_abort(txn);
	assert_int_equal(get(&f, "a", value), ERR_NOT_FOUND);
	teardown(&f);
}

static void test_second_process_is_refused(void **state)
{
	struct fixture f;
	int status;

	(void)state;
	setup(&f);
	pid_t child = fork();
	if (!child) {
		struct store *s;
		enum err err = store_open(f.dir, MAP, &f.id, &s, &f.error);
		_exit(err == ERR_BUSY && strstr(f.error.text, "held") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	teardown(&f);
}

static void refused_as_foreign(struct fixture *f, const char *why)
{
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(try_open(f), ERR_UNSAFE);
	assert_non_null(strstr(f->error.text, why));
}

static void test_foreign_store_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	f.id.chain_id = 57;
	refused_as_foreign(&f, "another chain");
	f.id.chain_id = 56;
	f.id.hatch.b[3] = 1;
	refused_as_foreign(&f, "another hatch");
	f.id.hatch.b[3] = 0;
	memcpy(f.id.program, "relayer", 8);
	refused_as_foreign(&f, "another program");
	teardown(&f);
}

static size_t read_file(const char *path, uint8_t *to, size_t max)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t n = fread(to, 1, max, file);
	fclose(file);
	return n;
}

/* Closes the store; where its data lies, and what it is. */
static size_t close_and_read(struct fixture *f, char path[256],
			     uint8_t bytes[DATA_MAX])
{
	store_close(f->store);
	f->store = NULL;
	snprintf(path, 256, "%s/data.mdb", f->dir);
	return read_file(path, bytes, DATA_MAX);
}

/* In a child, for the answer to a damaged file must never be a signal. */
static int open_and_read_in_child(struct fixture *f)
{
	int status;
	pid_t child = fork();

	if (!child) {
		char value[4096];
		/* cmocka would jump out of the test here */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		if (try_open(f))
			_exit(10);
		open_tables(f);
		_exit(get(f, "k7", value) ? 12 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_cut_file_is_refused_never_a_signal(void **state)
{
	static uint8_t bytes[DATA_MAX];
	struct fixture f;
	char key[8], path[256], value[2001];

	(void)state;
	setup(&f);
	memset(value, 'v', 2000);
	value[2000] = 0;
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(put(&f, key, value), OK);
	}
	size_t len = close_and_read(&f, path, bytes);
	assert_true(len > 100000 && len < sizeof(bytes));
	for (size_t cut = 0; cut < len; cut += 4096 + cut / 8) {
		scratch_write(path, bytes, cut);
		assert_int_equal(open_and_read_in_child(&f), 10);
		/* and it was left as it was found */
		assert_int_equal(
			read_file(path, bytes + len, sizeof(bytes) - len), cut);
	}
	scratch_write(path, bytes, len);
	assert_int_equal(open_and_read_in_child(&f), 0);
	teardown(&f);
}

/* The words with which it is refused; a signal would be one's end. */
static const char *refusal(struct fixture *f, char words[sizeof(f->error.text)])
{
	int fds[2], status;

	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		bool refused = try_open(f) == ERR_UNSAFE;
		ssize_t n = write(fds[1], f->error.text, sizeof(f->error.text));
		_exit(!refused || n != sizeof(f->error.text));
	}
	close(fds[1]);
	memset(words, 0, sizeof(f->error.text));
	(void)!read(fds[0], words, sizeof(f->error.text));
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("status %x: %s", (unsigned)status, words);
	return words;
}

static void test_damaged_pages_are_called_damaged(void **state)
{
	static uint8_t bytes[DATA_MAX];
	struct fixture f;
	char key[8], path[256], words[sizeof(f.error.text)];
	uint32_t dice = 1;

	(void)state;
	setup(&f);
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(put(&f, key, "value"), OK);
	}
	size_t len = close_and_read(&f, path, bytes);
	for (int round = 0; round < 40; round++) {
		/* Noise, zeros, a text, from behind the meta pages on. */
		for (size_t i = 8192; i < len; i++) {
			dice = dice * 1664525 + 1013904223;
			bytes[i] = round == 0	? 0
				   : round == 1 ? 'x'
						: (uint8_t)(dice >> 24);
		}
		scratch_write(path, bytes, len);
		refusal(&f, words);
		if (!strstr(words, "damaged: restore it from a copy, or empty"))
			fail_msg("round %d: %s", round, words);
		assert_null(strstr(words, "foreign"));
	}
	teardown(&f);
}

static void test_damaged_identity_is_called_damaged(void **state)
{
	static uint8_t bytes[DATA_MAX];
	struct fixture f;
	char path[256], words[sizeof(f.error.text)];
	unsigned found = 0;

	(void)state;
	setup(&f);
	size_t len = close_and_read(&f, path, bytes);
	for (size_t i = 8192; i + 8 < len; i++) {
		if (memcmp(bytes + i, "watcher", 8) != 0)
			continue;
		bytes[i] ^= 1;
		found++;
	}
	assert_true(found > 0);
	scratch_write(path, bytes, len);
	refusal(&f, words);
	assert_non_null(strstr(words, "damaged: its identity does not read"));
	teardown(&f);
}

static void test_sound_store_of_something_else_is_called_foreign(void **state)
{
	static uint8_t bytes[DATA_MAX];
	struct fixture f;
	char path[256], words[sizeof(f.error.text)];

	(void)state;
	setup(&f);
	size_t len = close_and_read(&f, path, bytes);
	/* Its table has another name, which stands in the same order. */
	for (size_t i = 8192; i + 8 < len; i++)
		if (!memcmp(bytes + i, "identity", 8))
			memcpy(bytes + i, "inventry", 8);
	scratch_write(path, bytes, len);
	refusal(&f, words);
	assert_non_null(strstr(words, "foreign: it carries no identity"));
	assert_null(strstr(words, "damaged"));
	teardown(&f);
}

/* No sound store is refused: as many tables and records as there may be, and
 * pages taken and given back. */
static void test_sound_pages_are_never_called_damaged(void **state)
{
	static const size_t sizes[] = {0, 10, 300, 1900, 2100, 9000};
	static char value[9001];
	struct fixture f;
	struct store_txn *txn;
	char name[16];

	(void)state;
	setup(&f);
	for (size_t round = 0; round < 60; round++) {
		size_t size = sizes[round % ARRAY_LEN(sizes)];
		struct store_table t;
		assert_int_equal(store_begin(f.store, true, &txn), OK);
		snprintf(name, sizeof(name), "table%zu", round % 20);
		assert_int_equal(store_table_open(txn, name, false, false, &t),
				 OK);
		for (size_t i = 0; i < 30; i++) {
			char key[24];
			snprintf(key, sizeof(key), "%zu", i);
			memset(value, 'v', size);
			assert_int_equal(store_put(txn, &t, slice_str(key),
						   slice_of(value, size)),
					 OK);
			if ((round + i) % 3 == 0)
				(void)store_delete(txn, &t, slice_str(key));
		}
		for (size_t i = 0; round % 5 == 4 && i < 30; i++) {
			char key[24];
			snprintf(key, sizeof(key), "%zu", i);
			(void)store_delete(txn, &t, slice_str(key));
		}
		assert_int_equal(store_commit(txn), OK);
		store_close(f.store);
		f.store = NULL;
		assert_int_equal(try_open(&f), OK);
	}
	teardown(&f);
}

static void test_file_that_is_not_lmdb_is_refused(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	setup(&f);
	store_close(f.store);
	f.store = NULL;
	snprintf(path, sizeof(path), "%s/data.mdb", f.dir);
	scratch_write(path, "SQLite format 3", 16);
	assert_int_equal(try_open(&f), ERR_UNSAFE);
	assert_non_null(strstr(f.error.text, "not LMDB"));
	scratch_write(path, "", 0);
	assert_int_equal(try_open(&f), ERR_UNSAFE);
	teardown(&f);
}

static void test_flipped_bit_in_a_record_is_noticed(void **state)
{
	static uint8_t bytes[DATA_MAX];
	struct fixture f;
	char path[256], value[64];
	unsigned flips = 0;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, "k", "a value to be damaged"), OK);
	size_t len = close_and_read(&f, path, bytes);
	for (size_t i = 0; i + 21 < len; i++) {
		if (memcmp(bytes + i, "a value to be damaged", 21) != 0)
			continue;
		/* version, value and check: each of their bits */
		for (size_t bit = 0; bit < 8 * (1 + 21 + 4); bit += 5) {
			bytes[i - 1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
			scratch_write(path, bytes, len);
			assert_int_equal(try_open(&f), OK);
			open_tables(&f);
			assert_int_equal(get(&f, "k", value), ERR_UNSAFE);
			store_close(f.store);
			f.store = NULL;
			bytes[i - 1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
			flips++;
		}
	}
	assert_true(flips > 0);
	teardown(&f);
}

static void test_record_moved_to_another_key_is_noticed(void **state)
{
	struct fixture f;
	struct store_table raw;
	struct slice value;
	struct store_txn *txn;
	char copy[64];

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, "k", "mine"), OK);
	raw = f.table;
	raw.raw = true; /* as an attacker of the file would see it */
	assert_int_equal(store_begin(f.store, true, &txn), OK);
	assert_int_equal(store_get(txn, &raw, slice_str("k"), &value), OK);
	memcpy(copy, value.p, value.len);
	assert_int_equal(store_put(txn, &raw, slice_str("other"),
				   slice_of(copy, value.len)),
			 OK);
	assert_int_equal(store_commit(txn), OK);
	assert_int_equal(get(&f, "k", copy), OK);
	assert_int_equal(get(&f, "other", copy), ERR_UNSAFE);
	teardown(&f);
}

struct seen {
	char keys[64];
	size_t stop_after;
};

static bool visit(void *ctx, struct slice key, struct slice value)
{
	struct seen *s = ctx;

	(void)value;
	memcpy(s->keys + strlen(s->keys), key.p, key.len);
	return --s->stop_after > 0;
}

static const char *walk(struct fixture *f, struct seen *s, const char *from,
			bool reverse, size_t max)
{
	CLEANUP(store_abortp) struct store_txn *txn = NULL;

	*s = (struct seen){.stop_after = max};
	assert_int_equal(store_begin(f->store, false, &txn), OK);
	assert_int_equal(
		store_walk(txn, &f->table, slice_str(from), reverse, visit, s),
		OK);
	return s->keys;
}

static void test_walk_goes_both_ways_from_any_place(void **state)
{
	struct fixture f;
	struct seen s;

	(void)state;
	setup(&f);
	assert_string_equal(walk(&f, &s, "", false, 9), "");
	assert_string_equal(walk(&f, &s, "x", true, 9), "");
	for (const char *k = "dbfh"; *k; k++)
		assert_int_equal(put(&f, (const char[2]){*k, 0}, "v"), OK);
	assert_string_equal(walk(&f, &s, "", false, 9), "bdfh");
	assert_string_equal(walk(&f, &s, "d", false, 9), "dfh");
	assert_string_equal(walk(&f, &s, "e", false, 9), "fh");
	assert_string_equal(walk(&f, &s, "", true, 9), "hfdb");
	assert_string_equal(walk(&f, &s, "f", true, 9), "fdb");
	assert_string_equal(walk(&f, &s, "e", true, 9), "db");
	assert_string_equal(walk(&f, &s, "z", true, 9), "hfdb");
	assert_string_equal(walk(&f, &s, "a", true, 9), "");
	assert_string_equal(walk(&f, &s, "", false, 2), "bd");
	teardown(&f);
}

static void test_append_wants_the_highest_key(void **state)
{
	struct fixture f;
	struct store_txn *txn;

	(void)state;
	setup(&f);
	assert_int_equal(store_begin(f.store, true, &txn), OK);
	assert_int_equal(
		store_append(txn, &f.table, slice_str("b"), slice_str("")), OK);
	assert_int_equal(
		store_append(txn, &f.table, slice_str("a"), slice_str("")),
		ERR_CONFLICT);
	assert_int_equal(
		store_append(txn, &f.table, slice_str("c"), slice_str("")), OK);
	assert_int_equal(store_count(txn, &f.table), 2);
	assert_int_equal(store_delete(txn, &f.table, slice_str("b")), OK);
	assert_int_equal(store_delete(txn, &f.table, slice_str("b")),
			 ERR_NOT_FOUND);
	assert_int_equal(store_commit(txn), OK);
	teardown(&f);
}

static enum err fail_after(void *ctx, enum store_moment moment)
{
	(void)ctx;
	return moment == STORE_AFTER_COMMIT ? ERR_IO : OK;
}

static void test_store_serves_nothing_after_a_failed_commit(void **state)
{
	struct fixture f;
	char value[64];

	(void)state;
	setup(&f);
	store_set_hook(f.store, fail_after, NULL);
	assert_int_equal(put(&f, "a", "one"), ERR_IO);
	assert_int_equal(put(&f, "a", "two"), ERR_UNSAFE);
	assert_int_equal(get(&f, "a", value), ERR_UNSAFE);
	reopen(&f);
	assert_int_equal(get(&f, "a", value), OK);
	assert_string_equal(value, "one");
	teardown(&f);
}

static void test_full_map_is_an_error_not_a_loss(void **state)
{
	struct fixture f;
	static char big[1 << 20];
	char value[64];
	enum err err = OK;

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, "a", "one"), OK);
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 0; i < 40 && !err; i++)
		err = put(&f, (const char[3]){'b', (char)('0' + i), 0}, big);
	assert_int_equal(err, ERR_FULL);
	assert_true(store_fill_percent(f.store) > 50);
	reopen(&f);
	assert_int_equal(get(&f, "a", value), OK);
	teardown(&f);
}

static void test_what_was_freed_is_space_again(void **state)
{
	struct store_space empty, full, after;
	struct fixture f;
	static char big[1 << 20];

	(void)state;
	setup(&f);
	assert_int_equal(put(&f, "b", ""), OK);
	empty = store_space(f.store);
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(put(&f, "b", big), OK);
	full = store_space(f.store);
	assert_true(full.used >= empty.used + sizeof(big));
	assert_true(full.used < full.size && full.size == empty.size);
	assert_int_equal(put(&f, "b", ""), OK);
	after = store_space(f.store);
	assert_true(after.used < empty.used + sizeof(big) / 8);
	teardown(&f);
}

/* A child writes numbers 1, 2, 3 … one commit each, and tells each number
 * after its commit; it is killed at some moment. */
static void write_until_killed(struct fixture *f, int to)
{
	uint64_t n = 0;

	store_close(f->store);
	if (try_open(f))
		_exit(1);
	open_tables(f);
	for (;;) {
		char text[32];
		snprintf(text, sizeof(text), "%llu", (unsigned long long)++n);
		if (put(f, "n", text) || write(to, &n, sizeof(n)) < 0)
			_exit(1);
	}
}

static void test_kill_loses_nothing_that_was_committed(void **state)
{
	(void)state;
	for (useconds_t after = 2000; after < 30000; after += 7000) {
		struct fixture f;
		int fds[2], status;
		uint64_t told = 0, n;
		char value[64];

		setup(&f);
		store_close(f.store);
		f.store = NULL;
		assert_int_equal(pipe(fds), 0);
		pid_t child = fork();
		if (!child)
			write_until_killed(&f, fds[1]);
		close(fds[1]);
		assert_int_equal(read(fds[0], &n, sizeof(n)), sizeof(n));
		usleep(after);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		for (told = n; read(fds[0], &n, sizeof(n)) == sizeof(n);)
			told = n;
		close(fds[0]);
		assert_int_equal(try_open(&f), OK);
		open_tables(&f);
		assert_int_equal(get(&f, "n", value), OK);
		assert_true(strtoull(value, NULL, 10) >= told);
		assert_true(strtoull(value, NULL, 10) <= told + 1);
		teardown(&f);
	}
}

static enum err fail_first(struct store_txn *txn, void *ctx)
{
	struct store_table t;
	enum err err = store_table_open(txn, "keys", false, false, &t);

	if (!err)
		err = store_put(txn, &t, slice_str("a"), slice_str("1"));
	return err ? err : *(enum err *)ctx;
}

/* What a store has from the first moment on is there, or there is no store. */
static void test_first_records_are_made_with_the_store(void **state)
{
	struct fixture f = {.scratch = scratch_new()};
	enum err first = ERR_IO;
	struct store_table t;
	struct store_txn *txn;
	struct slice value;

	(void)state;
	snprintf(f.dir, sizeof(f.dir), "%s/db", f.scratch.dir);
	f.id = (struct store_identity){.chain_id = 56,
				       .program = "signer",
				       .first = fail_first,
				       .ctx = &first};
	assert_int_equal(try_open(&f), ERR_IO);
	assert_false(store_exists(f.dir));
	first = OK;
	assert_int_equal(try_open(&f), OK);
	store_close(f.store);
	first = ERR_IO; /* not called for one that stands */
	assert_int_equal(try_open(&f), OK);
	assert_int_equal(store_begin(f.store, false, &txn), OK);
	assert_int_equal(store_table_open(txn, "keys", false, false, &t), OK);
	assert_int_equal(store_get(txn, &t, slice_str("a"), &value), OK);
	store_abort(txn);
	teardown(&f);
}

static void test_half_made_creation_is_made_anew(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	setup(&f);
	store_close(f.store);
	f.store = NULL;
	snprintf(path, sizeof(path), "%s/data.mdb", f.dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/.new", f.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.new/data.mdb", f.dir);
	scratch_write(path, "half", 4);
	assert_int_equal(try_open(&f), OK);
	assert_true(store_is_new(f.store));
	assert_int_not_equal(access(path, F_OK), 0);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_was_committed_is_there_after_reopening),
		cmocka_unit_test(test_aborted_writes_leave_nothing),
		cmocka_unit_test(test_second_process_is_refused),
		cmocka_unit_test(test_foreign_store_is_refused),
		cmocka_unit_test(test_cut_file_is_refused_never_a_signal),
		cmocka_unit_test(test_damaged_pages_are_called_damaged),
		cmocka_unit_test(test_damaged_identity_is_called_damaged),
		cmocka_unit_test(
			test_sound_store_of_something_else_is_called_foreign),
		cmocka_unit_test(test_sound_pages_are_never_called_damaged),
		cmocka_unit_test(test_file_that_is_not_lmdb_is_refused),
		cmocka_unit_test(test_flipped_bit_in_a_record_is_noticed),
		cmocka_unit_test(test_record_moved_to_another_key_is_noticed),
		cmocka_unit_test(test_walk_goes_both_ways_from_any_place),
		cmocka_unit_test(test_append_wants_the_highest_key),
		cmocka_unit_test(
			test_store_serves_nothing_after_a_failed_commit),
		cmocka_unit_test(test_full_map_is_an_error_not_a_loss),
		cmocka_unit_test(test_what_was_freed_is_space_again),
		cmocka_unit_test(test_kill_loses_nothing_that_was_committed),
		cmocka_unit_test(test_first_records_are_made_with_the_store),
		cmocka_unit_test(test_half_made_creation_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
