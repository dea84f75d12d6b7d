/* The open requests: their places, what is kept of them, whose they are.  L1
 * and the watchers are the test's own: it answers what was asked, by hand. */
#include "tests/unit/unit.h"

#include "tests/unit/book_bench.h"

#define THIEF 4

/* ---- places -------------------------------------------------------------- */

static void test_a_smaller_book_carries_all_that_is_stored(void **state)
{
	struct request r = {.kind = REQUEST_EXIT, .state = REQUEST_QUEUED};
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint8_t i = 1; i <= 6; i++) {
		r.id = a_hash(i);
		assert_int_equal(add(&b, &r, true), OK);
	}
	b.config.requests.open = 2;
	restart(&b);
	assert_int_equal(book_open(b.book), 6);
	for (uint8_t i = 1; i <= 6; i++)
		assert_non_null(book_slot(b.book, a_hash(i)));
	r.id = a_hash(9);
	assert_int_equal(add(&b, &r, true), ERR_BUSY);
	for (uint8_t i = 1; i <= 5; i++)
		assert_int_equal(book_fail(b.book, &b.t, a_hash(i), "x"), OK);
	assert_int_equal(add(&b, &r, true), OK);
	bench_done(&b);
}

static void test_what_found_no_place_is_not_written(void **state)
{
	struct request r = {
		.id = a_hash(1), .kind = REQUEST_EXIT, .state = REQUEST_QUEUED};
	struct bench b;

	(void)state;
	bench_init(&b);
	for (size_t i = 0; i < b.book->max; i++)
		b.book->slots[i].asking = 1; /* of requests that ended */
	assert_int_equal(add(&b, &r, true), ERR_BUSY);
	assert_int_equal(requests_get(b.t.txn, &b.parts.requests, r.id, &r),
			 ERR_NOT_FOUND);
	bench_done(&b);
}

/* The bytes that the work on open requests may take are counted from their
 * acceptance to their end, over a restart, too. */
static void test_the_store_is_owed_what_open_requests_need(void **state)
{
	static uint8_t raw[REQUEST_RAW_MAX];
	struct request r = {.id = a_hash(1),
			    .kind = REQUEST_TRANSACTION,
			    .state = REQUEST_QUEUED,
			    .raw = slice_of(raw, sizeof(raw))};
	struct bench b;

	(void)state;
	bench_init(&b);
	book_measure(b.book);
	assert_true(room_for(book_room(b.book), &r));
	assert_int_equal(add(&b, &r, true), OK);
	assert_true(book_room(b.book)->owed >= sizeof(raw));
	assert_true(book_room(b.book)->added >= sizeof(raw));
	restart(&b);
	assert_true(book_room(b.book)->owed >= sizeof(raw));
	assert_int_equal(book_fail(b.book, &b.t, r.id, "x"), OK);
	assert_int_equal(book_room(b.book)->owed, 0);
	bench_done(&b);
}

/* ---- which transaction it was -------------------------------------------- */

static void test_the_mined_versions_hash_outlives_a_crash(void **state)
{
	struct request r = a_withdrawal(OWNER);
	struct task_news news = {.key = r.id,
				 .event = TASK_SIGNED,
				 .nonce = 3,
				 .tx = a_hash(0x21),
				 .why = ""};
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(add(&b, &r, true), OK);
	assert_int_equal(book_news(b.book, &b.t, &news), OK);
	news.tx = a_hash(0x22); /* a replacement, but the first is mined */
	assert_int_equal(book_news(b.book, &b.t, &news), OK);
	news.event = TASK_FINAL;
	news.tx = a_hash(0x21);
	news.block = 90;
	assert_int_equal(book_news(b.book, &b.t, &news), OK);
	assert_int_equal(stored(&b, r.id).block, 90);
	restart(&b);
	b.book->head = b.view.head.number;
	assert_int_equal(book_turn_sent(b.book, &b.t, book_slot(b.book, r.id)),
			 OK);
	assert_int_equal(world.statuses, 1);
	assert_hash_equal(world.status_of, a_hash(0x21));
	bench_done(&b);
}

/* ---- whose it is --------------------------------------------------------- */

/* The watcher proves the one leaf. */
static void answer_proof(struct bench *b)
{
	struct peer_answer answer = {.err = OK};
	struct err_text error;
	struct json_doc *doc;
	struct buf text;

	assert_non_null(world.proof_got);
	buf_init(&text, 1 << 16);
	struct json_writer w = json_writer(&text);
	pack_json(&b->pack, &w, NULL);
	assert_int_equal(
		json_parse(buf_slice(&text), 1 << 20, 32, &doc, &error), OK);
	answer.root = json_root(doc);
	peers_got *got = world.proof_got;
	world.proof_got = NULL;
	got(world.proof_ctx, &answer);
	json_free(doc);
	buf_done(&text);
}

static size_t published(struct bench *b)
{
	struct request list[8];
	size_t n;

	assert_int_equal(
		requests_published(b->t.txn, &b->parts.requests, list, 8, &n),
		OK);
	return n;
}

static void test_a_wish_is_published_once_it_is_proven(void **state)
{
	struct request r = a_wish(OWNER);
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(add(&b, &r, false), OK);
	assert_int_equal(published(&b), 0);
	turn(&b);
	assert_int_equal(world.proofs, 1);
	answer_proof(&b);
	turn(&b);
	assert_int_equal(published(&b), 1);
	assert_int_equal(stored(&b, r.id).state, REQUEST_QUEUED);
	turn(&b);
	assert_int_equal(world.proofs, 1); /* an owner is one for ever */
	bench_done(&b);
}

static void test_a_strangers_wish_does_not_stay(void **state)
{
	struct request r = a_wish(THIEF);
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(add(&b, &r, false), OK);
	turn(&b);
	answer_proof(&b);
	turn(&b);
	assert_int_equal(published(&b), 0);
	assert_int_equal(stored(&b, r.id).state, REQUEST_FAILED);
	assert_int_equal(book_open(b.book), 0);
	bench_done(&b);
}

/* Anybody can make requests that nobody can prove. */
static void test_the_unproven_leave_room_for_the_others(void **state)
{
	struct request r = {.kind = REQUEST_EXIT, .state = REQUEST_QUEUED};
	size_t taken = 0;
	struct bench b;

	(void)state;
	bench_init(&b);
	r.exit_to.count = 7;
	for (uint8_t i = 1; i <= 8; i++) {
		r.id = a_hash(i);
		taken += !add(&b, &r, false);
	}
	assert_int_equal(taken, 8 / UNPROVEN_SHARE);
	for (uint8_t i = 11; i <= 16; i++) {
		r.id = a_hash(i);
		assert_int_equal(add(&b, &r, true), OK);
	}
	turn(&b); /* counted anew */
	assert_int_equal(b.book->unproven, 2);
	bench_done(&b);
}

static void test_an_empty_leafs_wish_ends_when_the_root_stands(void **state)
{
	struct request r = a_wish(OWNER);
	struct bench b;

	(void)state;
	bench_init(&b);
	b.pack.leaves[0].record =
		record_balance(address_of(OWNER), an_address(0), u256_from(0));
	b.pack.root = merkle_root(LEAF, record_leaf(&b.pack.leaves[0].record),
				  b.pack.leaves[0].siblings, MERKLE_DEPTH_MIN);
	b.facts.root = b.pack.root;
	assert_int_equal(add(&b, &r, false), OK);
	turn(&b);
	answer_proof(&b);
	turn(&b); /* a batch may still fill it */
	assert_int_equal(stored(&b, r.id).state, REQUEST_QUEUED);
	b.facts.state = ROLLUP_OPEN;
	turn(&b);
	assert_int_equal(stored(&b, r.id).state, REQUEST_FAILED);
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_smaller_book_carries_all_that_is_stored),
		cmocka_unit_test(test_what_found_no_place_is_not_written),
		cmocka_unit_test(
			test_the_store_is_owed_what_open_requests_need),
		cmocka_unit_test(test_the_mined_versions_hash_outlives_a_crash),
		cmocka_unit_test(test_a_wish_is_published_once_it_is_proven),
		cmocka_unit_test(test_a_strangers_wish_does_not_stay),
		cmocka_unit_test(test_the_unproven_leave_room_for_the_others),
		cmocka_unit_test(
			test_an_empty_leafs_wish_ends_when_the_root_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
