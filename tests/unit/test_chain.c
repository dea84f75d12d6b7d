#include "tests/unit/unit.h"

#include "store/chain.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct store_txn *txn;
	struct chain chain;
};

static void setup(struct fixture *f)
{
	struct store_identity id = {.chain_id = 1, .program = "watcher"};
	struct err_text error;

	f->scratch = scratch_new();
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), 16 << 20,
				    &id, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(store_begin(f->store, true, &f->txn), OK);
	assert_int_equal(chain_open(f->txn, &f->chain), OK);
}

static void teardown(struct fixture *f)
{
	store_abort(f->txn);
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static struct block_ref block(uint64_t number, uint8_t hash, uint8_t parent)
{
	struct block_ref b = {.number = number, .time = 1000 + number};

	memset(b.hash.b, hash, 32);
	memset(b.parent.b, parent, 32);
	return b;
}

static enum err push(struct fixture *f, struct block_ref b)
{
	return chain_push(f->txn, &f->chain, &b);
}

static void test_tip_is_the_block_pushed_last(void **state)
{
	struct fixture f;
	struct block_ref tip, b = block(300, 2, 1);

	(void)state;
	setup(&f);
	assert_int_equal(chain_tip(f.txn, &f.chain, &tip), ERR_NOT_FOUND);
	assert_int_equal(push(&f, block(299, 1, 77)), OK);
	assert_int_equal(push(&f, b), OK);
	assert_int_equal(chain_tip(f.txn, &f.chain, &tip), OK);
	assert_memory_equal(&tip, &b, sizeof(b));
	assert_int_equal(chain_at(f.txn, &f.chain, 299, &tip), OK);
	assert_int_equal(tip.time, 1299);
	assert_int_equal(chain_at(f.txn, &f.chain, 301, &tip), ERR_NOT_FOUND);
	teardown(&f);
}

static void test_push_rejects_wrong_parent(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(push(&f, block(10, 1, 0)), OK);
	assert_int_equal(push(&f, block(11, 2, 9)), ERR_REORG);
	assert_int_equal(push(&f, block(12, 2, 1)), ERR_REORG);
	assert_int_equal(push(&f, block(11, 2, 1)), OK);
	teardown(&f);
}

static void test_a_jump_goes_up_and_over_nothing_of_ours(void **state)
{
	struct fixture f;
	struct block_ref tip, b = block(5000, 2, 8);
	size_t n;

	(void)state;
	setup(&f);
	assert_int_equal(push(&f, block(10, 1, 0)), OK);
	assert_int_equal(push(&f, b), ERR_REORG);
	assert_int_equal(chain_jump(f.txn, &f.chain, &b), OK);
	b = block(5000, 3, 2);
	assert_int_equal(chain_jump(f.txn, &f.chain, &b), ERR_REORG);
	b = block(4000, 3, 2);
	assert_int_equal(chain_jump(f.txn, &f.chain, &b), ERR_REORG);
	/* no gap: then it must link */
	b = block(5001, 3, 9);
	assert_int_equal(chain_jump(f.txn, &f.chain, &b), ERR_REORG);
	b = block(5001, 3, 2);
	assert_int_equal(chain_jump(f.txn, &f.chain, &b), OK);
	assert_int_equal(chain_count_from(f.txn, &f.chain, 5000, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(chain_count_from(f.txn, &f.chain, 0, &n), OK);
	assert_int_equal(n, 3);
	/* back to what is kept, and on from there */
	assert_int_equal(chain_pop(f.txn, &f.chain), OK);
	assert_int_equal(chain_pop(f.txn, &f.chain), OK);
	assert_int_equal(chain_tip(f.txn, &f.chain, &tip), OK);
	assert_int_equal(tip.number, 10);
	assert_int_equal(push(&f, block(11, 4, 1)), OK);
	assert_int_equal(chain_oldest(f.txn, &f.chain, &tip), OK);
	assert_int_equal(tip.number, 10);
	teardown(&f);
}

static void test_pop_steps_one_block_back(void **state)
{
	struct fixture f;
	struct block_ref tip;

	(void)state;
	setup(&f);
	assert_int_equal(chain_pop(f.txn, &f.chain), ERR_NOT_FOUND);
	assert_int_equal(push(&f, block(10, 1, 0)), OK);
	assert_int_equal(push(&f, block(11, 2, 1)), OK);
	assert_int_equal(chain_pop(f.txn, &f.chain), OK);
	assert_int_equal(chain_tip(f.txn, &f.chain, &tip), OK);
	assert_int_equal(tip.number, 10);
	assert_int_equal(push(&f, block(11, 3, 1)), OK);
	teardown(&f);
}

static void test_only_the_newest_are_kept(void **state)
{
	struct fixture f;
	struct block_ref b;

	(void)state;
	setup(&f);
	for (uint64_t i = 0; i < CHAIN_KEEP + 300; i++)
		assert_int_equal(
			push(&f, block(250 + i, (uint8_t)i, (uint8_t)(i - 1))),
			OK);
	assert_int_equal(store_count(f.txn, &f.chain.blocks), CHAIN_KEEP);
	assert_int_equal(chain_at(f.txn, &f.chain, 250 + 299, &b),
			 ERR_NOT_FOUND);
	assert_int_equal(chain_at(f.txn, &f.chain, 250 + 300, &b), OK);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tip_is_the_block_pushed_last),
		cmocka_unit_test(test_push_rejects_wrong_parent),
		cmocka_unit_test(test_a_jump_goes_up_and_over_nothing_of_ours),
		cmocka_unit_test(test_pop_steps_one_block_back),
		cmocka_unit_test(test_only_the_newest_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
