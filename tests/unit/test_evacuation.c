/* Buckets, their paths, their order, and the part of the tree that settling
 * writes in. */
#include "tests/unit/unit.h"

#include "relayer/bucket.h"
#include "relayer/evacuate.c"
#include "relayer/execute.c"
#include "relayer/partial.h"
#include "tests/unit/values.h"

#define LEAVES 1500 /* six buckets, three levels above them */

struct world {
	struct tree tree;
	struct record records[LEAVES];
};

static struct record leaf(size_t i)
{
	if (i % 3 == 1)
		return record_credential(an_address(7), a_hash((uint8_t)i));
	return record_balance(an_address((uint8_t)(i + 1)), an_address(0),
			      u256_from(i % 5 ? 1000 + i : 0));
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(tree_init(&w->tree, 0), OK);
	assert_int_equal(tree_resize(&w->tree, LEAVES), OK);
	for (uint64_t i = 0; i < LEAVES; i++) {
		w->records[i] = leaf(i);
		tree_set(&w->tree, i, record_leaf(&w->records[i]));
		tree_rehash(&w->tree, &i, 1);
	}
	return w;
}

static void world_free(struct world *w)
{
	tree_done(&w->tree);
	free(w);
}

/* GET /v1/bucket/{n} as a watcher writes it. */
static void write_bucket(const struct world *w, uint64_t n, struct buf *b)
{
	struct json_writer j = json_writer(b);
	size_t first = n * BUCKET_LEAVES;
	size_t count =
		first + BUCKET_LEAVES > LEAVES ? LEAVES - first : BUCKET_LEAVES;

	json_begin(&j, NULL);
	json_put_u64(&j, "bucket", n);
	json_put_u64(&j, "batch", 3);
	json_put_hash(&j, "root", tree_root(&w->tree));
	json_put_hex(&j, "records", &w->records[first], count * RECORD_SIZE);
	json_begin_array(&j, "proof");
	for (unsigned h = 8; h < w->tree.depth; h++)
		json_put_hash(&j, NULL,
			      tree_node(&w->tree, h, (n >> (h - 8)) ^ 1));
	json_end_array(&j);
	json_end(&j);
}

static enum err parse(struct slice text, uint64_t n, struct hash32 root,
		      struct bucket *ret)
{
	struct json_doc *doc;
	struct err_text error;

	assert_int_equal(json_parse(text, 1 << 20, 8, &doc, &error), OK);
	enum err err = bucket_parse(json_root(doc), n, LEAVES, root, ret);
	json_free(doc);
	return err;
}

static void take(const struct world *w, uint64_t n, struct bucket *ret)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	write_bucket(w, n, &b);
	assert_int_equal(parse(buf_slice(&b), n, tree_root(&w->tree), ret), OK);
	buf_done(&b);
}

static void test_a_bucket_is_taken_only_under_the_root(void **state)
{
	struct world *w = world_new();
	struct bucket bucket;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	write_bucket(w, 5, &b);
	assert_int_equal(parse(buf_slice(&b), 5, tree_root(&w->tree), &bucket),
			 OK);
	assert_int_equal(bucket.n, LEAVES - 5 * BUCKET_LEAVES);
	assert_int_equal(parse(buf_slice(&b), 5, a_hash(1), &bucket),
			 ERR_CONFLICT);
	assert_int_equal(parse(buf_slice(&b), 4, tree_root(&w->tree), &bucket),
			 ERR_INVALID);
	/* One digit of a record. */
	char *at = strstr((char *)b.p, "\"records\":\"0x") + 40;
	*at = *at == '0' ? '1' : '0';
	assert_int_equal(parse(buf_slice(&b), 5, tree_root(&w->tree), &bucket),
			 ERR_INVALID);
	buf_done(&b);
	world_free(w);
}

static void test_payable_are_balances_above_zero(void **state)
{
	struct world *w = world_new();
	struct bucket bucket;

	(void)state;
	take(w, 1, &bucket);
	struct u256 mask = bucket_payable(&bucket);
	unsigned n = 0;
	for (unsigned i = 0; i < BUCKET_LEAVES; i++) {
		size_t index = BUCKET_LEAVES + i;
		bool pays = index % 3 != 1 && index % 5;
		assert_int_equal(mask_has(mask, i), pays);
		n += pays;
	}
	assert_int_equal(mask_count(mask), n);
	struct u256 cut = bucket_cut(&bucket, mask, 10);
	assert_int_equal(mask_count(cut), 10);
	assert_true(u256_is_zero(mask_without(cut, mask)));
	assert_int_equal(mask_count(mask_without(mask, cut)), n - 10);
	world_free(w);
}

static void test_a_leaf_path_leads_to_the_root(void **state)
{
	struct world *w = world_new();
	struct hash32 path[MERKLE_DEPTH_MAX];
	struct bucket bucket;

	(void)state;
	take(w, 5, &bucket);
	for (unsigned i = 0; i < bucket.n; i += 31) {
		bucket_leaf_path(&bucket, i, path);
		assert_hash_equal(merkle_root(5 * BUCKET_LEAVES + i,
					      record_leaf(&bucket.records[i]),
					      path, w->tree.depth),
				  tree_root(&w->tree));
	}
	world_free(w);
}

static void test_the_short_form_wants_one_asset(void **state)
{
	struct bucket b = {.n = 3};
	struct address asset = an_address(9);

	(void)state;
	assert_false(bucket_uniform(&b, &asset)); /* nothing in it */
	b.records[0] =
		record_balance(an_address(1), an_address(2), u256_from(5));
	b.records[2] =
		record_balance(an_address(3), an_address(2), u256_from(0));
	assert_true(bucket_uniform(&b, &asset));
	assert_address_equal(asset, an_address(2));
	b.records[1] =
		record_balance(an_address(3), an_address(4), u256_from(1));
	assert_false(bucket_uniform(&b, &asset));
	b.records[1] = record_credential(an_address(3), a_hash(1));
	assert_false(bucket_uniform(&b, &asset));
}

/* What the contract does with each settled bucket, done twice: in the whole
 * tree, and in the part that a chain of transactions is built on. */
static void test_a_chain_of_settlings_follows_the_whole_tree(void **state)
{
	static const uint64_t order[] = {4, 0, 5, 1};
	struct world *w = world_new();
	struct hash32 path[PARTIAL_LEVELS];
	static struct partial part;
	static struct bucket buckets[ARRAY_LEN(order)];
	unsigned levels = w->tree.depth - MERKLE_DEPTH_MIN;

	(void)state;
	partial_init(&part, levels, tree_root(&w->tree));
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct bucket *b = &buckets[i];
		take(w, order[i], b);
		assert_int_equal(
			partial_add(&part, order[i],
				    merkle_bucket_root(b->records, b->n),
				    b->siblings),
			OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct bucket *b = &buckets[i];
		struct u256 mask = bucket_cut(b, bucket_payable(b), 50);
		partial_path(&part, order[i], path);
		assert_hash_equal(
			merkle_root(order[i],
				    merkle_bucket_root(b->records, b->n), path,
				    levels),
			part.root);
		bucket_settle(b, mask);
		partial_set(&part, order[i],
			    merkle_bucket_root(b->records, b->n));
		for (unsigned k = 0; k < b->n; k++) {
			uint64_t at = order[i] * BUCKET_LEAVES + k;
			struct record r = w->records[at];
			if (mask_has(mask, k))
				r = record_with_amount(&r, u256_from(0));
			tree_set(&w->tree, at, record_leaf(&r));
			tree_rehash(&w->tree, &at, 1);
		}
		assert_hash_equal(part.root, tree_root(&w->tree));
	}
	world_free(w);
}

static void test_a_wrong_bucket_is_not_added(void **state)
{
	struct world *w = world_new();
	static struct partial part;
	struct bucket b;

	(void)state;
	partial_init(&part, w->tree.depth - MERKLE_DEPTH_MIN,
		     tree_root(&w->tree));
	take(w, 2, &b);
	assert_int_equal(partial_add(&part, 3,
				     merkle_bucket_root(b.records, b.n),
				     b.siblings),
			 ERR_INVALID);
	assert_int_equal(partial_add(&part, 2, a_hash(1), b.siblings),
			 ERR_INVALID);
	assert_int_equal(partial_add(&part, 1ULL << 32, a_hash(1), b.siblings),
			 ERR_INVALID);
	world_free(w);
}

static void test_the_order_visits_every_bucket_once(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, 16, 17, 255, 1000};
	static bool seen[1000];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		memset(seen, 0, sizeof(seen));
		for (uint64_t i = 0; i < sizes[s]; i++) {
			uint64_t at = evacuate_order(a_hash(3), sizes[s], i);
			assert_true(at < sizes[s]);
			assert_false(seen[at]);
			seen[at] = true;
		}
	}
	/* Two relayers start elsewhere. */
	unsigned same = 0;
	for (uint64_t i = 0; i < 1000; i++)
		same += evacuate_order(a_hash(3), 1000, i) ==
			evacuate_order(a_hash(4), 1000, i);
	assert_true(same < 20);
}

static void test_the_head_is_seen_behind_the_unpaid(void **state)
{
	struct relayer_config config = {0};
	struct parts parts = {.config = &config};
	struct execute *e = execute_new(&parts);
	struct hatch_facts f = {.withdraw_head = 256, .withdraw_tail = 300};
	struct task_news news = {.event = TASK_REFUSED, .why = "NotPayable"};
	uint64_t ids[READ_AT_ONCE];
	size_t at;

	(void)state;
	slide(e, &f);
	assert_int_equal(e->n, WITHDRAWALS_OPEN_MAX);
	for (size_t i = 0; i < e->n; i++) {
		e->entries[i].known = true;
		e->entries[i].w.fate = EGRESS_FATE_EXECUTED;
	}
	f.withdraw_head = 280;
	slide(e, &f);
	assert_true(choose(e, ids, &at) > 1);
	assert_int_equal(ids[0], 280);
	/* One that is never paid leaves its place. */
	news.key = key_of("pay", 3);
	for (unsigned i = 0; i < PAY_TRIES; i++)
		execute_news(e, &news);
	slide(e, &f);
	assert_int_equal(e->n, WITHDRAWALS_OPEN_MAX);
	assert_int_equal(e->entries[3].id, 4);
	assert_int_equal(e->entries[e->n - 1].id, 256);
	execute_free(e);
}

static void test_a_refused_bucket_is_put_off(void **state)
{
	struct relayer_config config = {0};
	struct parts parts = {.config = &config};
	struct evacuate *e = evacuate_new(&parts, NULL);
	struct work *work = &e->works[0];
	struct turn t = {0};
	struct task_news news = {
		.key = a_hash(1), .event = TASK_REFUSED, .why = "NotBalance"};

	(void)state;
	e->n = 2;
	e->state = calloc(e->n, sizeof(*e->state));
	assert_non_null(e->state);
	e->state[1] = BUCKET_WORKING;
	*work = (struct work){.owner = e, .key = a_hash(1), .most = 256};
	work->bucket.number = 1;
	for (unsigned i = 0; i < BUCKET_TRIES; i++) {
		assert_int_not_equal(e->state[1], BUCKET_PARKED);
		work->stage = WORK_FLY;
		evacuate_news(e, &t, &news);
	}
	assert_int_equal(e->state[1], BUCKET_PARKED);
	assert_int_equal(work->stage, WORK_FREE);
	/* A revert in a block: half of it, with more gas, later. */
	news = (struct task_news){.key = a_hash(1),
				  .event = TASK_MINED,
				  .reverted = true,
				  .why = ""};
	work->refused = 0;
	work->stage = WORK_FLY;
	evacuate_news(e, &t, &news);
	assert_int_equal(work->most, 128);
	assert_true(work->reverted && work->retry_ms);
	/* Dropped before it was sent: read again, nothing counted. */
	news.event = TASK_DROPPED;
	news.reverted = false;
	work->refused = 0;
	work->stage = WORK_FLY;
	evacuate_news(e, &t, &news);
	assert_int_equal(work->stage, WORK_READ);
	assert_int_equal(work->refused, 0);
	evacuate_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bucket_is_taken_only_under_the_root),
		cmocka_unit_test(test_payable_are_balances_above_zero),
		cmocka_unit_test(test_a_leaf_path_leads_to_the_root),
		cmocka_unit_test(test_the_short_form_wants_one_asset),
		cmocka_unit_test(
			test_a_chain_of_settlings_follows_the_whole_tree),
		cmocka_unit_test(test_a_wrong_bucket_is_not_added),
		cmocka_unit_test(test_the_order_visits_every_bucket_once),
		cmocka_unit_test(test_the_head_is_seen_behind_the_unpaid),
		cmocka_unit_test(test_a_refused_bucket_is_put_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
