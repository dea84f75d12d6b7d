/* What is accepted is carried to its end, however small the map: new requests
 * are refused before the work on the old ones finds no room. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "relayer/limits.h"
#include "relayer/nonce.h"
#include "relayer/room.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"

/* ---- the purse ----------------------------------------------------------- */

static struct account_state purse_of(uint64_t wei)
{
	return (struct account_state){
		.balance = u256_from(wei), .base_fee = 90, .tip = 10};
}

static void test_a_purse_pays_for_one_request_at_least(void **state)
{
	struct account_state purse = purse_of(100 * REQUEST_GAS_LEAST);

	(void)state;
	assert_true(room_in_purse(&purse));
	purse = purse_of(100 * REQUEST_GAS_LEAST - 1);
	assert_false(room_in_purse(&purse));
	purse = (struct account_state){.balance = u256_from(0)};
	assert_false(room_in_purse(&purse)); /* where gas costs nothing, too */
}

/* ---- the store ----------------------------------------------------------- */

#define OPEN_MAX 400
#define STEPS	 3000
#define VERSIONS 3 /* of one transaction: replacements */

struct open {
	struct hash32 id;
	uint64_t nonce, owed;
	unsigned age;
};

struct bench {
	struct scratch scratch;
	struct store *store;
	struct store_txn *txn;
	struct requests rs;
	struct nonces nonces;
	struct room room;
	struct open open[OPEN_MAX];
	size_t n;
	bool shut;    /* nobody asks any more */
	bool signed_; /* in this turn: the signer does one at a time */
	unsigned accepted;
	uint64_t ids, nonce;
	size_t raw_max;
	uint8_t bytes[REQUEST_RAW_MAX + 256];
};

static void open_store(struct bench *b, uint64_t map_size)
{
	struct store_identity id = {.chain_id = 1, .program = "relayer"};
	struct err_text error;

	assert_int_equal(store_open(scratch_path(&b->scratch, "db"), map_size,
				    &id, &b->store, &error),
			 OK);
	store_set_nosync(b->store);
	assert_int_equal(store_begin(b->store, true, &b->txn), OK);
	assert_int_equal(requests_open(b->txn, &b->rs), OK);
	assert_int_equal(nonces_open(b->txn, &b->rs, &b->nonces), OK);
	assert_int_equal(store_commit(b->txn), OK);
}

static struct request a_request(struct bench *b)
{
	struct request r = {.kind = REQUEST_WITHDRAWAL,
			    .state = REQUEST_QUEUED};

	b->ids++;
	r.id = keccak256(&b->ids, sizeof(b->ids));
	if (b->raw_max && rand() % 2) {
		r.kind = REQUEST_TRANSACTION;
		r.raw = slice_of(b->bytes, 1 + (size_t)rand() % b->raw_max);
	}
	return r;
}

/* As the book does. */
static void accept(struct bench *b)
{
	struct request r = a_request(b);

	if (b->shut || b->n == OPEN_MAX || !room_for(&b->room, &r))
		return;
	assert_int_equal(requests_add(b->txn, &b->rs, &r), OK);
	b->room.added += room_takes(&r);
	b->room.owed += room_owes(&r);
	b->open[b->n++] = (struct open){
		.id = r.id, .nonce = ++b->nonce, .owed = room_owes(&r)};
	b->accepted++;
}

static void change(struct bench *b, struct open *o)
{
	struct request r;

	if (o->age < VERSIONS && b->signed_)
		return;
	assert_int_equal(requests_get(b->txn, &b->rs, o->id, &r), OK);
	r.state = o->age < VERSIONS ? REQUEST_SIGNED : REQUEST_INCLUDED;
	memset(r.outcome, 'x', sizeof(r.outcome) - 1);
	if (o->age < VERSIONS) {
		struct sent_tx tx = {
			.nonce = o->nonce,
			.raw = slice_of(b->bytes, r.raw.len + 256)};
		tx.hash = keccak256(&o->age, sizeof(o->age));
		assert_int_equal(nonces_put(b->txn, &b->nonces, &tx), OK);
		b->signed_ = true;
	} else if (o->age > VERSIONS + 2) {
		r.state = REQUEST_FINAL;
		assert_int_equal(nonces_release(b->txn, &b->nonces, o->nonce),
				 OK);
	}
	o->age++;
	assert_int_equal(requests_update(b->txn, &b->rs, &r), OK);
	if (r.state != REQUEST_FINAL)
		return;
	b->room.owed -= o->owed;
	*o = b->open[--b->n];
}

/* Commits turn after turn.  all: everything moves that can, as when a block
 * becomes final; else nearly nothing does. */
static void turns(struct bench *b, unsigned steps, bool all)
{
	for (unsigned i = 0; i < steps; i++) {
		b->room.space = store_space(b->store);
		b->room.added = 0;
		b->signed_ = false;
		assert_int_equal(store_begin(b->store, true, &b->txn), OK);
		for (size_t k = b->n; k-- > 0;)
			if (all || rand() % 16 == 0)
				change(b, &b->open[k]);
		for (unsigned k = 0; k < 8; k++)
			accept(b);
		assert_int_equal(store_commit(b->txn), OK);
	}
}

static void fill(uint64_t map_size, size_t raw_max, unsigned at_least)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	srand(1);
	b->scratch = scratch_new();
	b->raw_max = raw_max;
	open_store(b, map_size);
	turns(b, STEPS, false);
	turns(b, 50, true);
	store_close(b->store); /* a restart goes on with what is there */
	open_store(b, map_size);
	turns(b, 200, false);
	b->shut = true;
	for (unsigned i = 0; b->n && i < 100 * OPEN_MAX; i++)
		turns(b, 1, true);
	assert_int_equal(b->n, 0);
	print_message("%llu KiB: %u accepted\n",
		      (unsigned long long)map_size >> 10, b->accepted);
	assert_true(b->accepted >= at_least);
	store_close(b->store);
	scratch_remove(b->scratch.dir);
	free(b);
}

static void test_large_requests_in_a_small_map(void **state)
{
	(void)state;
	fill(1 << 20, REQUEST_RAW_MAX, 20);
	fill(4 << 20, REQUEST_RAW_MAX, 200);
}

static void test_small_requests_in_a_small_map(void **state)
{
	(void)state;
	fill(1 << 20, 0, 200);
	fill(1 << 20, 2000, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_purse_pays_for_one_request_at_least),
		cmocka_unit_test(test_large_requests_in_a_small_map),
		cmocka_unit_test(test_small_requests_in_a_small_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
