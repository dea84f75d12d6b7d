/* The ledger against a model: a plain array of records, hashed whole. */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "abi/keccak.h"
#include "store/ledger.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

#define MODEL_MAX 4096

struct model {
	struct record records[MODEL_MAX];
	uint64_t leaf_count;
};

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct ledger *ledger;
	unsigned nodes_from;
	struct model model;
	struct ledger_mark next; /* what the next change carries */
	uint64_t seed;
};

static uint64_t random_u64(struct fixture *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return f->seed;
}

static struct address address_of(uint64_t n)
{
	struct address a = {{0xaa}};

	put_be(a.b + 12, n, 8);
	return a;
}

/* Independent of abi/merkle: every leaf, every level. */
static struct hash32 model_root(const struct model *m)
{
	static struct hash32 node[MODEL_MAX];
	size_t width = 256;
	struct hash32 zero = {{0}};

	while (width < m->leaf_count)
		width *= 2;
	assert_true(width <= MODEL_MAX);
	for (size_t i = 0; i < width; i++)
		node[i] = m->records[i].b[0]
				  ? keccak256(m->records[i].b, RECORD_SIZE)
				  : zero;
	for (; width > 1; width /= 2)
		for (size_t i = 0; i < width / 2; i++)
			node[i] =
				keccak256_pair(&node[2 * i], &node[2 * i + 1]);
	return node[0];
}

static void reopen(struct fixture *f)
{
	struct store_identity id = {.chain_id = 1, .program = "watcher"};
	struct err_text error;

	ledger_free(f->ledger);
	store_close(f->store);
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), 64 << 20,
				    &id, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(
		ledger_open(f->store, f->nodes_from, &f->ledger, &error), OK);
}

static void setup(struct fixture *f, unsigned nodes_from)
{
	memset(f, 0, sizeof(*f));
	f->scratch = scratch_new();
	f->nodes_from = nodes_from;
	f->seed = 0x9e3779b97f4a7c15ULL;
	reopen(f);
}

static void teardown(struct fixture *f)
{
	ledger_free(f->ledger);
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static struct store_txn *begin(struct fixture *f)
{
	struct store_txn *txn;

	assert_int_equal(store_begin(f->store, true, &txn), OK);
	return txn;
}

static void check_view(struct fixture *f)
{
	struct ledger_view *v;
	struct hash32 siblings[MERKLE_DEPTH_MAX], root = model_root(&f->model);
	struct record record, bucket[BUCKET_LEAVES];
	unsigned depth, count;

	assert_int_equal(ledger_view_begin(f->ledger, &v), OK);
	const struct ledger_mark *mark = ledger_view_mark(v);
	assert_int_equal(mark->leaf_count, f->model.leaf_count);
	assert_memory_equal(mark->root.b, root.b, 32);
	for (uint64_t i = 0; i < f->model.leaf_count; i += 1 + i / 7) {
		assert_int_equal(
			ledger_view_proof(v, i, &record, siblings, &depth), OK);
		assert_memory_equal(record.b, f->model.records[i].b,
				    RECORD_SIZE);
		struct hash32 got =
			merkle_root(i, record_leaf(&record), siblings, depth);
		assert_memory_equal(got.b, root.b, 32);
	}
	assert_int_equal(ledger_view_proof(v, f->model.leaf_count, &record,
					   siblings, &depth),
			 ERR_NOT_FOUND);
	for (uint64_t b = 0; b * 256 < f->model.leaf_count; b++) {
		assert_int_equal(
			ledger_view_bucket(v, b, bucket, siblings, &count), OK);
		struct hash32 got = merkle_root(
			b, merkle_bucket_root(bucket, 256), siblings, count);
		assert_memory_equal(got.b, root.b, 32);
	}
	ledger_view_end(v);
}

/* n random entries: old ones spent or refilled, new ones appended. */
static size_t random_entries(struct fixture *f, struct model *m,
			     struct diff_entry *entries, size_t n)
{
	size_t kept = 0;
	uint64_t at = 0;

	for (size_t i = 0; i < n && at < MODEL_MAX; i++) {
		uint64_t old = m->leaf_count;
		uint64_t index = at < old ? at + random_u64(f) % 40 : at;
		index = index > old ? old : index;
		if (index >= MODEL_MAX)
			break;
		struct address owner = address_of(index % 13);
		struct u256 amount = u256_from(random_u64(f) % 1000);
		entries[kept].index = index;
		entries[kept].record =
			index % 17 == 3
				? record_credential(owner, model_root(m))
				: record_balance(owner, address_of(index % 3),
						 amount);
		m->records[index] = entries[kept++].record;
		if (index >= m->leaf_count)
			m->leaf_count = index + 1;
		at = index + 1;
	}
	return kept;
}

static void apply(struct fixture *f, struct store_txn *txn,
		  const struct diff_entry *entries, size_t n,
		  uint64_t leaf_count)
{
	struct hash32 root, expected = model_root(&f->model);

	f->next.leaf_count = leaf_count;
	f->next.batch++;
	f->next.block++;
	assert_int_equal(ledger_apply(txn, f->ledger, LEDGER_BATCH, &f->next,
				      entries, n, &root),
			 OK);
	assert_memory_equal(root.b, expected.b, 32);
}

static void grow_randomly(struct fixture *f, int batches, size_t size)
{
	static struct diff_entry entries[DIFF_ENTRIES_MAX];

	for (int i = 0; i < batches; i++) {
		struct store_txn *txn = begin(f);
		size_t n = random_entries(f, &f->model, entries, size);
		apply(f, txn, entries, n, f->model.leaf_count);
		assert_int_equal(ledger_commit(f->ledger, txn), OK);
	}
}

static void test_roots_and_proofs_are_those_of_the_model(void **state)
{
	(void)state;
	for (unsigned from = 0; from <= 8; from += 4) {
		static struct fixture f;
		setup(&f, from);
		check_view(&f);
		for (int i = 0; i < 6; i++) {
			grow_randomly(&f, 2, 190);
			check_view(&f);
		}
		assert_true(f.model.leaf_count > 512); /* the depth grew */
		reopen(&f);
		check_view(&f);
		teardown(&f);
	}
}

static void test_steps_of_one_batch_share_its_depth(void **state)
{
	static struct fixture f;
	static struct diff_entry entries[700];

	(void)state;
	setup(&f, 8);
	grow_randomly(&f, 1, 100);
	struct store_txn *txn = begin(&f);
	uint64_t first = f.model.leaf_count, last = first + 700;
	f.model.leaf_count = last;
	for (uint64_t i = first; i < last; i++) {
		entries[i - first].index = i;
		entries[i - first].record = record_balance(
			address_of(i), address_of(0), u256_from(i));
	}
	/* After the first step the tree is as deep as the whole batch makes
	 * it, though most of its leaves are still empty. */
	for (size_t at = 0; at < 700; at += 64) {
		size_t n = at + 64 < 700 ? 64 : 700 - at;
		for (size_t i = at; i < at + n; i++)
			f.model.records[entries[i].index] = entries[i].record;
		apply(&f, txn, entries + at, n, last);
	}
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	check_view(&f);
	teardown(&f);
}

static void test_growing_without_entries_lifts_the_root(void **state)
{
	static struct fixture f;

	(void)state;
	setup(&f, 8);
	grow_randomly(&f, 1, 50);
	struct store_txn *txn = begin(&f);
	f.model.leaf_count = 600;
	apply(&f, txn, NULL, 0, 600);
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	check_view(&f);
	teardown(&f);
}

static void test_readers_see_nothing_staged(void **state)
{
	static struct fixture f;
	static struct diff_entry entries[300];
	static struct model before;

	(void)state;
	setup(&f, 3);
	grow_randomly(&f, 3, 120);
	before = f.model;
	struct store_txn *txn = begin(&f);
	size_t n = random_entries(&f, &f.model, entries, 300);
	apply(&f, txn, entries, n, f.model.leaf_count);
	static struct model after;
	after = f.model;
	f.model = before;
	check_view(&f);
	f.model = after;
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	check_view(&f);
	teardown(&f);
}

static void test_abort_restores_everything(void **state)
{
	static struct fixture f;
	static struct diff_entry entries[300];
	static struct model before;
	struct ledger_mark mark, again;

	(void)state;
	setup(&f, 4);
	grow_randomly(&f, 3, 120);
	ledger_mark(f.ledger, &mark);
	before = f.model;
	struct store_txn *txn = begin(&f);
	size_t n = random_entries(&f, &f.model, entries, 300);
	apply(&f, txn, entries, n, f.model.leaf_count);
	ledger_abort(f.ledger, txn);
	f.model = before;
	ledger_mark(f.ledger, &again);
	assert_memory_equal(&mark, &again, sizeof(mark));
	check_view(&f);
	grow_randomly(&f, 1, 300);
	check_view(&f);
	teardown(&f);
}

static enum err refuse_commit(void *ctx, enum store_moment moment)
{
	(void)ctx;
	return moment == STORE_BEFORE_COMMIT ? ERR_FULL : OK;
}

static void test_failed_commit_changes_nothing_in_memory(void **state)
{
	static struct fixture f;
	static struct diff_entry entries[300];
	static struct model before;

	(void)state;
	setup(&f, 4);
	grow_randomly(&f, 2, 120);
	before = f.model;
	struct store_txn *txn = begin(&f);
	size_t n = random_entries(&f, &f.model, entries, 300);
	apply(&f, txn, entries, n, f.model.leaf_count);
	store_set_hook(f.store, refuse_commit, NULL);
	assert_int_equal(ledger_commit(f.ledger, txn), ERR_FULL);
	f.model = before;
	/* The store refuses from now on; a restart finds what was. */
	assert_int_equal(store_begin(f.store, true, &txn), ERR_UNSAFE);
	reopen(&f);
	check_view(&f);
	teardown(&f);
}

static uint64_t sum_of(const struct model *m, struct address asset)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->leaf_count; i++)
		if (record_kind(&m->records[i]) == RECORD_BALANCE &&
		    address_eq(record_asset(&m->records[i]), asset))
			sum += u256_u64(record_amount(&m->records[i]));
	return sum;
}

static void check_sums_and_owners(struct fixture *f)
{
	struct ledger_view *v;
	struct u256 sum;
	uint64_t got[7], after = UINT64_MAX, found = 0, expected = 0;
	size_t n;
	bool more = true;

	assert_int_equal(ledger_view_begin(f->ledger, &v), OK);
	for (uint64_t a = 0; a < 4; a++) {
		assert_int_equal(ledger_view_sum(v, address_of(a), &sum), OK);
		assert_int_equal(u256_u64(sum),
				 sum_of(&f->model, address_of(a)));
	}
	for (uint64_t i = 0; i < f->model.leaf_count; i++)
		expected += i % 13 == 5 && f->model.records[i].b[0];
	while (more) {
		assert_int_equal(ledger_view_owner(v, address_of(5), after, got,
						   7, &n, &more),
				 OK);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(got[i] % 13, 5);
			assert_true(after == UINT64_MAX || got[i] > after);
			after = got[i];
		}
		found += n;
	}
	assert_int_equal(found, expected);
	ledger_view_end(v);
}

static void test_undo_by_block_restores_each_earlier_state(void **state)
{
	static struct fixture f;
	static struct model past[8];
	struct ledger_mark marks[8];

	(void)state;
	for (unsigned from = 0; from <= 8; from += 8) {
		setup(&f, from);
		for (int i = 0; i < 8; i++) {
			past[i] = f.model;
			ledger_mark(f.ledger, &marks[i]);
			grow_randomly(&f, 1, 200);
		}
		assert_true(f.model.leaf_count > 1024);
		for (int i = 7; i >= 0; i -= 2) {
			struct store_txn *txn = begin(&f);
			struct ledger_mark mark;
			assert_int_equal(ledger_undo_block(txn, f.ledger,
							   marks[i].block + 1),
					 OK);
			assert_int_equal(ledger_commit(f.ledger, txn), OK);
			f.model = past[i];
			ledger_mark(f.ledger, &mark);
			assert_memory_equal(&mark, &marks[i], sizeof(mark));
			check_view(&f);
			check_sums_and_owners(&f);
		}
		teardown(&f);
	}
}

static void test_reorg_in_one_transaction(void **state)
{
	static struct fixture f;
	static struct model past;
	static struct diff_entry entries[900];
	struct ledger_mark mark;

	(void)state;
	setup(&f, 8);
	grow_randomly(&f, 1, 200); /* depth 8 */
	past = f.model;
	ledger_mark(f.ledger, &mark);
	grow_randomly(&f, 6, 300); /* depth 10 or 11 */
	struct store_txn *txn = begin(&f);
	assert_int_equal(ledger_undo_block(txn, f.ledger, mark.block + 1), OK);
	f.model = past;
	/* Shrunk and grown again before anybody commits. */
	size_t n = random_entries(&f, &f.model, entries, 20);
	apply(&f, txn, entries, n, f.model.leaf_count);
	f.model.leaf_count = 1500;
	apply(&f, txn, NULL, 0, 1500);
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	check_view(&f);
	reopen(&f);
	check_view(&f);
	check_sums_and_owners(&f);
	teardown(&f);
}

static void test_rewind_drops_batches_and_can_itself_be_undone(void **state)
{
	static struct fixture f;
	static struct model good, bad;
	struct ledger_mark before, rewound, now;

	(void)state;
	setup(&f, 8);
	grow_randomly(&f, 3, 150);
	good = f.model;
	ledger_mark(f.ledger, &before);
	grow_randomly(&f, 4, 250);
	bad = f.model;
	f.next.block++;
	struct store_txn *txn = begin(&f);
	assert_int_equal(
		ledger_undo_batch(txn, f.ledger, before.batch + 1, &f.next),
		OK);
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	f.model = good;
	check_view(&f);
	check_sums_and_owners(&f);
	ledger_mark(f.ledger, &rewound);
	assert_int_equal(rewound.batch, before.batch);
	assert_int_equal(rewound.block, f.next.block);
	/* A new batch lands on the old root … */
	grow_randomly(&f, 1, 90);
	check_view(&f);
	/* … and a reorg takes both back: the bad batches stand again. */
	txn = begin(&f);
	assert_int_equal(ledger_undo_block(txn, f.ledger, rewound.block), OK);
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	f.model = bad;
	ledger_mark(f.ledger, &now);
	assert_int_equal(now.batch, before.batch + 4);
	check_view(&f);
	check_sums_and_owners(&f);
	teardown(&f);
}

/* Far more records than leaves: each leaf's oldest is what stands again. */
static void test_a_long_rewind_meets_each_leaf_often(void **state)
{
	static struct fixture f;
	static struct model good;
	struct ledger_mark before;

	(void)state;
	setup(&f, 8);
	grow_randomly(&f, 3, 150);
	good = f.model;
	ledger_mark(f.ledger, &before);
	grow_randomly(&f, 60, 250);
	f.next.block++;
	struct store_txn *txn = begin(&f);
	assert_int_equal(
		ledger_undo_batch(txn, f.ledger, before.batch + 1, &f.next),
		OK);
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	f.model = good;
	check_view(&f);
	check_sums_and_owners(&f);
	teardown(&f);
}

/* What is forgotten cannot be undone, and what is kept can. */
static void test_pruning_forgets_the_oldest_only(void **state)
{
	static struct fixture f;
	static struct model good;
	struct ledger_mark before;
	struct store_txn *txn;

	(void)state;
	setup(&f, 8);
	f.next.time = 100;
	grow_randomly(&f, 4, 50);
	f.next.time = 200;
	grow_randomly(&f, 1, 50);
	good = f.model;
	ledger_mark(f.ledger, &before);
	grow_randomly(&f, 3, 50);
	txn = begin(&f);
	assert_int_equal(ledger_prune(txn, f.ledger, before.block + 9, 200),
			 OK); /* the four of time 100 */
	assert_int_equal(ledger_prune(txn, f.ledger, before.block, 999), OK);
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	txn = begin(&f);
	assert_int_equal(ledger_undo_block(txn, f.ledger, before.block + 1),
			 OK);
	assert_int_equal(ledger_commit(f.ledger, txn), OK);
	f.model = good;
	check_view(&f);
	txn = begin(&f);
	assert_int_equal(ledger_undo_block(txn, f.ledger, before.block), OK);
	assert_int_equal(ledger_undo_block(txn, f.ledger, 1), ERR_UNSAFE);
	ledger_abort(f.ledger, txn);
	check_view(&f);
	teardown(&f);
}

struct multiproof {
	const struct hash32 *siblings;
	size_t at;
};

/* The order of siblings as the contracts' README states it, written anew. */
static struct hash32 fold_multiproof(uint64_t *at, struct hash32 *node,
				     size_t n, unsigned depth,
				     struct multiproof *p)
{
	for (unsigned h = 0; h < depth; h++) {
		size_t up = 0;
		for (size_t i = 0; i < n; i++) {
			bool pair = i + 1 < n && at[i + 1] == (at[i] ^ 1);
			struct hash32 other =
				pair ? node[i + 1] : p->siblings[p->at++];
			node[up] = at[i] & 1 ? keccak256_pair(&other, &node[i])
					     : keccak256_pair(&node[i], &other);
			at[up++] = at[i] >> 1;
			i += pair;
		}
		n = up;
	}
	return node[0];
}

static void test_step_proof_opens_the_lifted_root(void **state)
{
	static struct fixture f;
	struct hash32 siblings[8 * 40], lifted, node[8];
	struct record old[8];
	size_t count;

	(void)state;
	for (unsigned from = 0; from <= 8; from += 2) {
		setup(&f, from);
		grow_randomly(&f, 2, 180);
		uint64_t indices[8] = {0, 1, 3, 130, 255, 256, 700, 1023};
		struct store_txn *txn = begin(&f);
		assert_int_equal(ledger_step_proof(txn, f.ledger, indices, 8,
						   1024, old, siblings, &count,
						   &lifted),
				 OK);
		ledger_abort(f.ledger, txn);
		for (int i = 0; i < 8; i++) {
			assert_memory_equal(old[i].b,
					    f.model.records[indices[i]].b,
					    RECORD_SIZE);
			node[i] = record_leaf(&old[i]);
		}
		struct multiproof p = {siblings, 0};
		struct hash32 got = fold_multiproof(indices, node, 8, 10, &p);
		assert_int_equal(p.at, count);
		assert_memory_equal(got.b, lifted.b, 32);
		f.model.leaf_count = 1024;
		struct hash32 expected = model_root(&f.model);
		assert_memory_equal(lifted.b, expected.b, 32);
		teardown(&f);
	}
}

static void test_apply_refuses_entries_out_of_order_or_range(void **state)
{
	static struct fixture f;
	struct diff_entry e[2] = {{.index = 1}, {.index = 1}};
	struct hash32 root;

	(void)state;
	setup(&f, 8);
	e[0].record = e[1].record =
		record_balance(address_of(1), address_of(0), u256_from(1));
	struct store_txn *txn = begin(&f);
	f.next.leaf_count = 2;
	assert_int_equal(
		ledger_apply(txn, f.ledger, LEDGER_BATCH, &f.next, e, 2, &root),
		ERR_INVALID);
	e[1].index = 2;
	assert_int_equal(
		ledger_apply(txn, f.ledger, LEDGER_BATCH, &f.next, e, 2, &root),
		ERR_INVALID);
	ledger_abort(f.ledger, txn);
	teardown(&f);
}

static void test_open_refuses_records_that_do_not_give_the_root(void **state)
{
	static struct fixture f;
	struct store_table t;
	struct err_text error;
	struct store_key key = store_key_u64(5);

	(void)state;
	setup(&f, 8);
	grow_randomly(&f, 1, 100);
	struct store_txn *txn = begin(&f);
	struct record r = f.model.records[5];
	r.b[RECORD_SIZE - 1] ^= 1;
	assert_int_equal(store_table_open(txn, "records", true, true, &t), OK);
	assert_int_equal(store_put(txn, &t, slice_of(key.b, 8),
				   slice_of(r.b, RECORD_SIZE)),
			 OK);
	assert_int_equal(store_commit(txn), OK);
	ledger_free(f.ledger);
	f.ledger = NULL;
	assert_int_equal(ledger_open(f.store, 8, &f.ledger, &error),
			 ERR_UNSAFE);
	assert_non_null(strstr(error.text, "root"));
	teardown(&f);
}

static void test_change_that_failed_half_way_is_never_committed(void **state)
{
	static struct fixture f;
	struct store_table t;
	struct store_key key = store_key_u64(2);

	(void)state;
	setup(&f, 8);
	grow_randomly(&f, 3, 50);
	struct store_txn *txn = begin(&f);
	assert_int_equal(store_table_open(txn, "journal", true, true, &t), OK);
	assert_int_equal(
		store_put(txn, &t, slice_of(key.b, 8), slice_str("damaged")),
		OK);
	assert_int_equal(store_commit(txn), OK);
	txn = begin(&f);
	assert_int_equal(ledger_undo_block(txn, f.ledger, 1), ERR_UNSAFE);
	assert_int_equal(ledger_commit(f.ledger, txn), ERR_UNSAFE);
	check_view(&f);
	teardown(&f);
}

struct reading {
	struct fixture *f;
	_Atomic int views;
	_Atomic bool stop;
	_Atomic int wrong;
};

static void *read_on(void *arg)
{
	struct reading *r = arg;

	while (!r->stop) {
		struct ledger_view *v;
		struct record record;
		struct hash32 siblings[MERKLE_DEPTH_MAX];
		unsigned depth;
		if (ledger_view_begin(r->f->ledger, &v))
			continue;
		const struct ledger_mark *m = ledger_view_mark(v);
		uint64_t index = m->leaf_count ? m->leaf_count - 1 : 0;
		if (m->leaf_count) {
			if (ledger_view_proof(v, index, &record, siblings,
					      &depth))
				r->wrong++;
			struct hash32 root = merkle_root(
				index, record_leaf(&record), siblings, depth);
			r->wrong += !hash_eq(root, m->root);
		}
		ledger_view_end(v);
		r->views++;
	}
	return NULL;
}

static void test_readers_always_see_one_change(void **state)
{
	static struct fixture f;
	static struct reading r;
	pthread_t threads[3];

	(void)state;
	setup(&f, 6);
	r = (struct reading){.f = &f};
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r),
				 0);
	grow_randomly(&f, 25, 60);
	while (r.views < 50)
		usleep(1000);
	r.stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(r.wrong, 0);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots_and_proofs_are_those_of_the_model),
		cmocka_unit_test(test_steps_of_one_batch_share_its_depth),
		cmocka_unit_test(test_growing_without_entries_lifts_the_root),
		cmocka_unit_test(test_readers_see_nothing_staged),
		cmocka_unit_test(test_abort_restores_everything),
		cmocka_unit_test(test_failed_commit_changes_nothing_in_memory),
		cmocka_unit_test(
			test_undo_by_block_restores_each_earlier_state),
		cmocka_unit_test(test_reorg_in_one_transaction),
		cmocka_unit_test(
			test_rewind_drops_batches_and_can_itself_be_undone),
		cmocka_unit_test(test_a_long_rewind_meets_each_leaf_often),
		cmocka_unit_test(test_pruning_forgets_the_oldest_only),
		cmocka_unit_test(test_step_proof_opens_the_lifted_root),
		cmocka_unit_test(
			test_apply_refuses_entries_out_of_order_or_range),
		cmocka_unit_test(
			test_open_refuses_records_that_do_not_give_the_root),
		cmocka_unit_test(
			test_change_that_failed_half_way_is_never_committed),
		cmocka_unit_test(test_readers_always_see_one_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
