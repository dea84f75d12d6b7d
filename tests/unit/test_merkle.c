#include "tests/unit/values.h"

#include "abi/merkle.h"

#define LEAVES_MAX 2048

/* The slow and obvious tree: every leaf, every node. */
static struct hash32 plain_root(const struct hash32 *leaves, size_t n,
				unsigned depth)
{
	size_t width = (size_t)1 << depth;
	struct hash32 *node = calloc(width, sizeof(*node)), ret;

	assert_non_null(node);
	memcpy(node, leaves, n * sizeof(*node));
	for (; width > 1; width /= 2)
		for (size_t i = 0; i < width / 2; i++)
			node[i] =
				keccak256_pair(&node[2 * i], &node[2 * i + 1]);
	ret = node[0];
	free(node);
	return ret;
}

static struct record a_record(uint64_t i)
{
	return record_balance(an_address((uint8_t)(i + 1)), an_address(0),
			      u256_from(1000 + i));
}

static void fill(struct hash32 *leaves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct record r = a_record(i);

		leaves[i] = record_leaf(&r);
	}
}

static void test_record_keeps_its_fields(void **state)
{
	struct u256 amount = {{UINT64_MAX, 0xffffffff}};
	struct record r = record_balance(an_address(1), an_address(2), amount);
	struct record c = record_credential(an_address(1), a_hash(7));
	struct record none = {{0}};

	(void)state;
	assert_int_equal(record_kind(&r), RECORD_BALANCE);
	assert_address_equal(record_owner(&r), an_address(1));
	assert_address_equal(record_asset(&r), an_address(2));
	assert_int_equal(u256_cmp(record_amount(&r), amount), 0);
	assert_int_equal(record_kind(&c), RECORD_CREDENTIAL);
	assert_address_equal(record_owner(&c), an_address(1));
	assert_memory_equal(c.b + 21, a_hash(7).b, 32);
	assert_true(address_is_zero(record_asset(&c)));
	assert_true(u256_is_zero(record_amount(&c)));
	assert_true(record_is_empty(&none));
	assert_false(record_is_empty(&r));
	assert_hash_equal(record_leaf(&none), a_hash(0));
	assert_hash_equal(record_leaf(&r), keccak256(r.b, 53));
	r = record_with_amount(&r, u256_from(3));
	assert_int_equal(u256_u64(record_amount(&r)), 3);
	assert_address_equal(record_owner(&r), an_address(1));
}

static void test_record_keeps_kind_owner_and_asset_for_ever(void **state)
{
	struct record none = {{0}}, strange = {{3, 1}};
	struct record r = a_record(1), other;
	struct record c = record_credential(an_address(1), a_hash(7));
	struct record revoked = record_credential(an_address(1), a_hash(0));

	(void)state;
	other = record_with_amount(&r, u256_from(0));
	assert_true(record_may_become(&none, &r));
	assert_true(record_may_become(&r, &r));
	assert_true(record_may_become(&r, &other));
	assert_true(record_may_become(&c, &revoked));
	assert_true(record_may_become(&revoked, &c));
	assert_false(record_may_become(&r, &none));
	assert_false(record_may_become(&r, &c));
	assert_false(record_may_become(&c, &r));
	assert_false(record_may_become(&none, &strange));
	other = record_balance(an_address(9), an_address(0), u256_from(1));
	assert_false(record_may_become(&r, &other));
	other = record_balance(record_owner(&r), an_address(9), u256_from(1));
	assert_false(record_may_become(&r, &other));
	other = record_credential(an_address(2), a_hash(7));
	assert_false(record_may_become(&c, &other));
}

static void test_depth_is_smallest_that_holds(void **state)
{
	(void)state;
	assert_int_equal(merkle_depth(0), 8);
	assert_int_equal(merkle_depth(1), 8);
	assert_int_equal(merkle_depth(256), 8);
	assert_int_equal(merkle_depth(257), 9);
	assert_int_equal(merkle_depth(512), 9);
	assert_int_equal(merkle_depth(513), 10);
	assert_int_equal(merkle_depth(50000000), 26);
	assert_int_equal(merkle_depth(UINT64_C(1) << 40), 40);
}

static void test_zero_of_each_height_pairs_the_one_below(void **state)
{
	(void)state;
	assert_hash_equal(merkle_zero(0), a_hash(0));
	for (unsigned h = 1; h <= MERKLE_DEPTH_MAX; h++) {
		struct hash32 below = merkle_zero(h - 1);

		assert_hash_equal(merkle_zero(h),
				  keccak256_pair(&below, &below));
	}
}

static void test_bucket_root_is_the_plain_tree(void **state)
{
	const size_t sizes[] = {0, 1, 2, 3, 7, 128, 129, 255, 256};
	struct record records[256];
	struct hash32 leaves[256];

	(void)state;
	for (size_t i = 0; i < 256; i++)
		records[i] = a_record(i);
	fill(leaves, 256);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		assert_hash_equal(merkle_bucket_root(records, sizes[i]),
				  plain_root(leaves, sizes[i], 8));
}

static void test_lift_adds_empty_right_halves(void **state)
{
	struct hash32 leaves[3];
	struct hash32 root;

	(void)state;
	fill(leaves, 3);
	root = plain_root(leaves, 3, 8);
	assert_hash_equal(merkle_lift(root, 8, 11), plain_root(leaves, 3, 11));
	assert_hash_equal(merkle_lift(root, 8, 8), root);
	assert_hash_equal(merkle_lift(merkle_zero(8), 8, 40), merkle_zero(40));
}

/* The bottom of t for these leaves, whatever nodes_from is. */
static void set_all(struct tree *t, const struct hash32 *leaves, size_t n)
{
	uint64_t at[LEAVES_MAX];
	size_t width = (size_t)1 << t->nodes_from, count = 0;

	for (size_t i = 0; i * width < n; i++) {
		size_t from = i * width;
		size_t len = n - from < width ? n - from : width;

		tree_set(t, i, plain_root(leaves + from, len, t->nodes_from));
		at[count++] = i;
	}
	tree_rehash(t, at, count);
}

static void test_tree_root_is_the_plain_one_from_any_height(void **state)
{
	const size_t sizes[] = {1, 2, 255, 256, 257, 512, 513, 2000, 2048};
	static struct hash32 leaves[LEAVES_MAX];

	(void)state;
	fill(leaves, LEAVES_MAX);
	for (unsigned from = 0; from <= 8; from++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			size_t n = sizes[i];
			struct tree t;

			assert_int_equal(tree_init(&t, from), OK);
			assert_hash_equal(tree_root(&t), merkle_zero(8));
			assert_int_equal(tree_resize(&t, n), OK);
			assert_int_equal(t.depth, merkle_depth(n));
			set_all(&t, leaves, n);
			assert_hash_equal(tree_root(&t),
					  plain_root(leaves, n, t.depth));
			tree_done(&t);
		}
}

static void test_tree_grows_by_lifting(void **state)
{
	static struct hash32 leaves[LEAVES_MAX];
	struct tree t;

	(void)state;
	fill(leaves, LEAVES_MAX);
	assert_int_equal(tree_init(&t, 0), OK);
	for (size_t n = 1; n <= 1100; n++) {
		uint64_t at = n - 1;
		struct hash32 before = tree_root(&t);
		unsigned depth = t.depth;

		assert_int_equal(tree_resize(&t, n), OK);
		assert_hash_equal(tree_root(&t),
				  merkle_lift(before, depth, t.depth));
		tree_set(&t, at, leaves[at]);
		tree_rehash(&t, &at, 1);
		if (n % 100 == 1 || n == 256 || n == 257)
			assert_hash_equal(tree_root(&t),
					  plain_root(leaves, n, t.depth));
	}
	tree_done(&t);
}

static void test_tree_shrinks_to_what_it_was(void **state)
{
	const size_t sizes[] = {2000, 1025, 1024, 513, 300, 257, 256, 3, 1};
	static struct hash32 leaves[LEAVES_MAX];
	struct tree t;

	(void)state;
	fill(leaves, LEAVES_MAX);
	assert_int_equal(tree_init(&t, 0), OK);
	assert_int_equal(tree_resize(&t, LEAVES_MAX), OK);
	set_all(&t, leaves, LEAVES_MAX);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(tree_resize(&t, sizes[i]), OK);
		assert_int_equal(t.depth, merkle_depth(sizes[i]));
		assert_hash_equal(tree_root(&t),
				  plain_root(leaves, sizes[i], t.depth));
	}
	assert_int_equal(tree_resize(&t, 0), OK);
	assert_hash_equal(tree_root(&t), merkle_zero(8));
	assert_int_equal(tree_resize(&t, 600), OK);
	assert_hash_equal(tree_root(&t), merkle_zero(10));
	tree_done(&t);
}

static void test_rehash_of_scattered_positions(void **state)
{
	const uint64_t at[] = {0, 5, 6, 7, 250, 256, 999};
	static struct hash32 leaves[LEAVES_MAX];
	struct tree t;

	(void)state;
	fill(leaves, 1000);
	assert_int_equal(tree_init(&t, 0), OK);
	assert_int_equal(tree_resize(&t, 1000), OK);
	set_all(&t, leaves, 1000);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		leaves[at[i]] = a_hash((uint8_t)(0xa0 + i));
		tree_set(&t, at[i], leaves[at[i]]);
	}
	tree_rehash(&t, at, ARRAY_LEN(at));
	assert_hash_equal(tree_root(&t), plain_root(leaves, 1000, 10));
	tree_done(&t);
}

static void test_tree_nodes_prove_every_leaf(void **state)
{
	static struct hash32 leaves[LEAVES_MAX];
	struct hash32 siblings[MERKLE_DEPTH_MAX];
	struct tree t;

	(void)state;
	fill(leaves, 300);
	assert_int_equal(tree_init(&t, 0), OK);
	assert_int_equal(tree_resize(&t, 300), OK);
	set_all(&t, leaves, 300);
	for (uint64_t i = 0; i < 512; i++) {
		struct hash32 leaf = i < 300 ? leaves[i] : a_hash(0);

		for (unsigned h = 0; h < t.depth; h++)
			siblings[h] = tree_node(&t, h, (i >> h) ^ 1);
		assert_hash_equal(merkle_root(i, leaf, siblings, t.depth),
				  tree_root(&t));
		leaf.b[31] ^= 1;
		assert_false(hash_eq(merkle_root(i, leaf, siblings, t.depth),
				     tree_root(&t)));
	}
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_keeps_its_fields),
		cmocka_unit_test(
			test_record_keeps_kind_owner_and_asset_for_ever),
		cmocka_unit_test(test_depth_is_smallest_that_holds),
		cmocka_unit_test(test_zero_of_each_height_pairs_the_one_below),
		cmocka_unit_test(test_bucket_root_is_the_plain_tree),
		cmocka_unit_test(test_lift_adds_empty_right_halves),
		cmocka_unit_test(
			test_tree_root_is_the_plain_one_from_any_height),
		cmocka_unit_test(test_tree_grows_by_lifting),
		cmocka_unit_test(test_tree_shrinks_to_what_it_was),
		cmocka_unit_test(test_rehash_of_scattered_positions),
		cmocka_unit_test(test_tree_nodes_prove_every_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
