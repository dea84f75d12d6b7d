/* Evidence in the store: whole, numbered, bounded whatever a liar does. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/evidence.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

#define MAP (32u << 20)

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct store_txn *txn;
	struct evidence evidence;
};

static void open_store(struct fixture *f, uint64_t map_size)
{
	struct store_identity id = {.chain_id = 1, .program = "watcher"};
	struct err_text error;

	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), map_size,
				    &id, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(store_begin(f->store, true, &f->txn), OK);
	assert_int_equal(evidence_open(f->txn, map_size, &f->evidence), OK);
}

static void set_up(struct fixture *f, uint64_t map_size)
{
	f->scratch = scratch_new();
	open_store(f, map_size);
}

static void commit(struct fixture *f)
{
	assert_int_equal(store_commit(f->txn), OK);
	assert_int_equal(store_begin(f->store, true, &f->txn), OK);
}

static void tear_down(struct fixture *f)
{
	store_abort(f->txn);
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static uint64_t put(struct fixture *f, const char *provider, struct slice said)
{
	struct lie lie = {.kind = LIE_OTHER_ANSWER,
			  .number = 5,
			  .provider = slice_str(provider),
			  .said = {.text = said}};
	struct buf b;
	uint64_t id = 0;

	buf_init(&b, LIE_MAX);
	lie_encode(&lie, &b);
	assert_int_equal(evidence_put(f->txn, &f->evidence, buf_slice(&b), &id),
			 OK);
	buf_done(&b);
	return id;
}

static void test_it_outlives_the_process(void **state)
{
	struct fixture f;
	struct lie lie;

	(void)state;
	set_up(&f, MAP);
	assert_int_equal(put(&f, "a", slice_str("\"no\"")), 1);
	assert_int_equal(put(&f, "b", slice_str("\"nay\"")), 2);
	assert_int_equal(store_commit(f.txn), OK);
	store_close(f.store);
	open_store(&f, MAP);
	assert_int_equal(evidence_get(f.txn, &f.evidence, 2, &lie), OK);
	assert_true(slice_eq(lie.provider, slice_str("b")));
	assert_true(slice_eq(lie.said.text, slice_str("\"nay\"")));
	assert_int_equal(evidence_get(f.txn, &f.evidence, 3, &lie),
			 ERR_NOT_FOUND);
	assert_int_equal(put(&f, "a", slice_str("")), 3);
	tear_down(&f);
}

struct list {
	uint64_t ids[2 * EVIDENCE_KEEP];
	size_t n, own; /* own: of provider "b" */
};

static bool collect(void *ctx, uint64_t id, const struct lie *lie)
{
	struct list *l = ctx;

	l->ids[l->n++] = id;
	l->own += slice_eq(lie->provider, slice_str("b"));
	return true;
}

static struct list list_of(struct fixture *f, uint64_t before)
{
	struct list l = {0};

	assert_int_equal(
		evidence_walk(f->txn, &f->evidence, before, collect, &l), OK);
	return l;
}

static void test_the_newest_are_told_first(void **state)
{
	struct fixture f;
	struct list l;

	(void)state;
	set_up(&f, MAP);
	assert_int_equal(list_of(&f, 0).n, 0);
	for (size_t i = 0; i < 5; i++)
		put(&f, "a", slice_str(""));
	l = list_of(&f, 0);
	assert_int_equal(l.n, 5);
	assert_int_equal(l.ids[0], 5);
	l = list_of(&f, 3);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.ids[0], 2);
	assert_int_equal(list_of(&f, 1).n, 0);
	tear_down(&f);
}

/* A thousand lies of 16 KiB: the store does not grow, and the lie of another is
 * still there. */
static void test_a_liar_for_months_fills_nothing(void **state)
{
	static char words[LIE_SAID_MAX];
	struct fixture f;
	struct lie lie;
	uint64_t used = 0;

	(void)state;
	memset(words, 'w', sizeof(words));
	set_up(&f, MAP);
	assert_int_equal(put(&f, "b", slice_str("once")), 1);
	for (unsigned i = 0; i < 1000; i++) {
		put(&f, "a", slice_of(words, sizeof(words)));
		if (i % 10 == 9)
			commit(&f);
		if (i == 99)
			used = store_space(f.store).used;
	}
	assert_int_equal(list_of(&f, 0).n, EVIDENCE_A_PROVIDER + 1);
	assert_int_equal(evidence_get(f.txn, &f.evidence, 1, &lie), OK);
	assert_int_equal(list_of(&f, 0).ids[0], 1001);
	assert_true(store_space(f.store).used <= used + (1u << 20));
	tear_down(&f);
}

static void test_many_liars_share_the_ring(void **state)
{
	struct fixture f;
	char name[16];

	(void)state;
	set_up(&f, MAP);
	for (unsigned i = 0; i < 3 * EVIDENCE_KEEP; i++) {
		snprintf(name, sizeof(name), "p%u", i % 8);
		put(&f, name, slice_str(""));
	}
	struct list l = list_of(&f, 0);
	assert_int_equal(l.n, EVIDENCE_KEEP);
	assert_int_equal(l.ids[l.n - 1], 2 * EVIDENCE_KEEP + 1);
	tear_down(&f);
}

static void test_a_small_store_keeps_fewer(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 1u << 20);
	for (unsigned i = 0; i < 20; i++)
		put(&f, "a", slice_str(""));
	assert_true(list_of(&f, 0).n <= (1u << 20) / EVIDENCE_SHARE / LIE_MAX);
	assert_true(list_of(&f, 0).n >= 1);
	tear_down(&f);
}

/* What fills a store is never a provider's doing. */
static void test_a_store_nearly_full_keeps_none(void **state)
{
	static const uint8_t junk[8192];
	struct fixture f;
	struct lie lie = {.kind = LIE_OMISSION};
	struct store_table other;
	struct buf b;
	uint64_t id = 9;

	(void)state;
	set_up(&f, 1u << 20);
	struct evidence_into into = {
		.txn = f.txn, .store = f.store, .evidence = &f.evidence};
	buf_init(&b, LIE_MAX);
	lie_encode(&lie, &b);
	assert_int_equal(evidence_keep(&into, buf_slice(&b), &id), OK);
	assert_int_equal(id, 1);
	assert_int_equal(store_table_open(f.txn, "other", true, false, &other),
			 OK);
	for (uint64_t i = 0; store_space(f.store).used <= 7 * (1u << 17); i++) {
		struct store_key key = store_key_u64(i);
		assert_int_equal(store_put(f.txn, &other,
					   slice_of(key.b, sizeof(key.b)),
					   slice_of(junk, sizeof(junk))),
				 OK);
		commit(&f);
	}
	into.txn = f.txn;
	assert_int_equal(evidence_keep(&into, buf_slice(&b), &id), OK);
	assert_int_equal(id, 0);
	assert_int_equal(list_of(&f, 0).n, 1);
	buf_done(&b);
	tear_down(&f);
}

static void test_what_is_no_record_is_refused(void **state)
{
	struct fixture f;
	uint64_t id;

	(void)state;
	set_up(&f, MAP);
	assert_int_equal(evidence_put(f.txn, &f.evidence, slice_str("{}"), &id),
			 ERR_INVALID);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_outlives_the_process),
		cmocka_unit_test(test_the_newest_are_told_first),
		cmocka_unit_test(test_a_liar_for_months_fills_nothing),
		cmocka_unit_test(test_many_liars_share_the_ring),
		cmocka_unit_test(test_a_small_store_keeps_fewer),
		cmocka_unit_test(test_a_store_nearly_full_keeps_none),
		cmocka_unit_test(test_what_is_no_record_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
