#include "tests/unit/unit.h"

#include "store/requests.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct store_txn *txn;
	struct requests rs;
};

static void setup(struct fixture *f)
{
	struct store_identity id = {.chain_id = 1, .program = "relayer"};
	struct err_text error;

	f->scratch = scratch_new();
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), 16 << 20,
				    &id, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(store_begin(f->store, true, &f->txn), OK);
	assert_int_equal(requests_open(f->txn, &f->rs), OK);
}

static void teardown(struct fixture *f)
{
	store_abort(f->txn);
	store_close(f->store);
	scratch_remove(f->scratch.dir);
}

static struct request request(uint8_t id, enum request_kind kind)
{
	struct request r = {.kind = kind,
			    .state = REQUEST_QUEUED,
			    .accepted_at = 1700000000,
			    .deadline = 1700003600};

	r.id.b[0] = id;
	if (kind == REQUEST_WITHDRAWAL) {
		r.withdraw.index = 7;
		r.withdraw.amount = u256_from(1000);
		r.withdraw.recipient.b[19] = 9;
		r.withdraw.salt.b[31] = 4;
		r.withdraw.expiry = 1800000000;
	}
	if (kind == REQUEST_EXIT) {
		r.exit_to.index = 1ULL << 39;
		r.exit_to.recipient.b[0] = 1;
		r.exit_to.count = 120;
	}
	r.signature.b[64] = 27;
	return r;
}

static void test_each_kind_comes_back_as_it_went(void **state)
{
	struct fixture f;
	struct request in, out;

	(void)state;
	setup(&f);
	for (int kind = REQUEST_WITHDRAWAL; kind <= REQUEST_EXIT; kind++) {
		in = request((uint8_t)kind, (enum request_kind)kind);
		if (kind == REQUEST_TRANSACTION)
			in.raw = slice_str("a raw transaction");
		assert_int_equal(requests_add(f.txn, &f.rs, &in), OK);
		assert_int_equal(requests_get(f.txn, &f.rs, in.id, &out), OK);
		assert_true(slice_eq(in.raw, out.raw));
		in.raw = out.raw = slice_of(NULL, 0);
		assert_memory_equal(&in, &out, sizeof(in));
	}
	teardown(&f);
}

static void test_raw_bytes_stay_until_it_ends(void **state)
{
	struct request r = request(1, REQUEST_TRANSACTION), out;
	struct fixture f;

	(void)state;
	setup(&f);
	r.raw = slice_str("a raw transaction");
	assert_int_equal(requests_add(f.txn, &f.rs, &r), OK);
	r.state = REQUEST_SENT;
	assert_int_equal(requests_update(f.txn, &f.rs, &r), OK);
	assert_int_equal(requests_get(f.txn, &f.rs, r.id, &out), OK);
	assert_true(slice_eq(out.raw, r.raw));
	assert_int_equal(store_count(f.txn, &f.rs.raws), 1);
	out.state = REQUEST_FINAL;
	assert_int_equal(requests_update(f.txn, &f.rs, &out), OK);
	assert_int_equal(store_count(f.txn, &f.rs.raws), 0);
	assert_int_equal(requests_get(f.txn, &f.rs, r.id, &out), OK);
	assert_int_equal(out.raw.len, 0);
	teardown(&f);
}

/* As the version before wrote it: outcome(96), raw bytes at the end. */
static void first_form(struct fixture *f, const struct request *r)
{
	char outcome[96] = "on its way";
	struct buf b;

	buf_init(&b, 4096);
	buf_add_be(&b, 7, 8);
	buf_add_byte(&b, (uint8_t)r->kind);
	buf_add_byte(&b, (uint8_t)r->state);
	buf_add_be(&b, r->accepted_at, 8);
	buf_add_be(&b, r->deadline, 8);
	buf_add_be(&b, r->nonce, 8);
	buf_add(&b, r->tx_hash.b, 32);
	buf_add_be(&b, r->block, 8);
	buf_add_be(&b, r->l1_id, 8);
	buf_add(&b, r->signature.b, sizeof(r->signature.b));
	buf_add(&b, outcome, sizeof(outcome));
	buf_add_slice(&b, r->raw);
	assert_int_equal(store_put(f->txn, &f->rs.requests,
				   slice_of(r->id.b, 32), buf_slice(&b)),
			 OK);
	buf_done(&b);
}

static void test_what_the_version_before_wrote_is_read(void **state)
{
	struct request r = request(1, REQUEST_TRANSACTION), out;
	struct fixture f;

	(void)state;
	setup(&f);
	r.raw = slice_str("a raw transaction");
	first_form(&f, &r);
	for (int i = 0; i < 2; i++) { /* and after its first change, too */
		assert_int_equal(requests_get(f.txn, &f.rs, r.id, &out), OK);
		assert_int_equal(out.kind, REQUEST_TRANSACTION);
		assert_string_equal(out.outcome, "on its way");
		assert_true(slice_eq(out.raw, r.raw));
		assert_int_equal(requests_update(f.txn, &f.rs, &out), OK);
	}
	teardown(&f);
}

static void test_known_request_is_not_written_twice(void **state)
{
	struct fixture f;
	struct request r = request(1, REQUEST_EXIT), out;

	(void)state;
	setup(&f);
	assert_int_equal(requests_add(f.txn, &f.rs, &r), OK);
	r.accepted_at++;
	assert_int_equal(requests_add(f.txn, &f.rs, &r), ERR_CONFLICT);
	assert_int_equal(requests_get(f.txn, &f.rs, r.id, &out), OK);
	assert_int_equal(out.accepted_at, 1700000000);
	assert_int_equal(requests_open_count(f.txn, &f.rs), 1);
	r.id.b[0] = 77;
	assert_int_equal(requests_get(f.txn, &f.rs, r.id, &out), ERR_NOT_FOUND);
	assert_int_equal(requests_update(f.txn, &f.rs, &r), ERR_NOT_FOUND);
	teardown(&f);
}

static void test_open_list_is_oldest_first_without_the_ended(void **state)
{
	struct fixture f;
	struct request r, list[4];
	size_t n;

	(void)state;
	setup(&f);
	for (uint8_t id = 9; id > 3; id--) { /* ids fall, order is of arrival */
		r = request(id, REQUEST_WITHDRAWAL);
		assert_int_equal(requests_add(f.txn, &f.rs, &r), OK);
	}
	r = request(8, REQUEST_WITHDRAWAL);
	r.state = REQUEST_FINAL;
	snprintf(r.outcome, sizeof(r.outcome), "paid");
	assert_int_equal(requests_update(f.txn, &f.rs, &r), OK);
	r = request(6, REQUEST_WITHDRAWAL);
	r.state = REQUEST_FAILED;
	assert_int_equal(requests_update(f.txn, &f.rs, &r), OK);
	r = request(7, REQUEST_WITHDRAWAL);
	r.state = REQUEST_SENT;
	assert_int_equal(requests_update(f.txn, &f.rs, &r), OK);
	assert_int_equal(requests_open_list(f.txn, &f.rs, list, 4, &n), OK);
	assert_int_equal(n, 4);
	const uint8_t expected[] = {9, 7, 5, 4};
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i].id.b[0], expected[i]);
	assert_int_equal(list[1].state, REQUEST_SENT);
	assert_int_equal(requests_open_list(f.txn, &f.rs, list, 2, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(requests_open_count(f.txn, &f.rs), 4);
	r.id.b[0] = 8;
	assert_int_equal(requests_get(f.txn, &f.rs, r.id, &r), OK);
	assert_string_equal(r.outcome, "paid");
	teardown(&f);
}

static void test_a_wish_is_published_until_it_ends(void **state)
{
	struct request list[4], r;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f);
	for (uint8_t id = 1; id <= 3; id++) {
		r = request(id, REQUEST_EXIT);
		assert_int_equal(requests_add(f.txn, &f.rs, &r), OK);
	}
	assert_int_equal(requests_published(f.txn, &f.rs, list, 4, &n), OK);
	assert_int_equal(n, 0); /* nobody has proven whose they are */
	r = request(3, REQUEST_EXIT);
	assert_int_equal(requests_publish(f.txn, &f.rs, r.id), OK);
	assert_int_equal(requests_publish(f.txn, &f.rs, r.id), OK);
	r = request(1, REQUEST_EXIT);
	assert_int_equal(requests_publish(f.txn, &f.rs, r.id), OK);
	assert_int_equal(requests_published(f.txn, &f.rs, list, 4, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].id.b[0], 1);
	r.state = REQUEST_SENT;
	assert_int_equal(requests_update(f.txn, &f.rs, &r), OK);
	assert_int_equal(requests_published(f.txn, &f.rs, list, 4, &n), OK);
	assert_int_equal(n, 2);
	r.state = REQUEST_FAILED;
	assert_int_equal(requests_update(f.txn, &f.rs, &r), OK);
	r.state = REQUEST_QUEUED; /* again, and not proven yet */
	assert_int_equal(requests_update(f.txn, &f.rs, &r), OK);
	assert_int_equal(requests_published(f.txn, &f.rs, list, 4, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].id.b[0], 3);
	r.id.b[0] = 77;
	assert_int_equal(requests_publish(f.txn, &f.rs, r.id), ERR_NOT_FOUND);
	teardown(&f);
}

static struct sent_tx sent(uint64_t nonce, const char *raw)
{
	return (struct sent_tx){.nonce = nonce,
				.hash = {{(uint8_t)nonce}},
				.purpose = 3,
				.task = {{5}},
				.sent_at_ms = 123456789,
				.max_fee = u256_from(100),
				.max_tip = u256_from(2),
				.gas = 21000,
				.raw = slice_str(raw)};
}

static void test_replacement_keeps_its_nonce(void **state)
{
	struct fixture f;
	struct sent_tx tx = sent(5, "first"), out;

	(void)state;
	setup(&f);
	assert_int_equal(requests_put_tx(f.txn, &f.rs, &tx), OK);
	tx = sent(5, "dearer");
	tx.block = 77;
	assert_int_equal(requests_put_tx(f.txn, &f.rs, &tx), OK);
	assert_int_equal(requests_get_tx(f.txn, &f.rs, 5, &out), OK);
	assert_true(slice_eq(out.raw, slice_str("dearer")));
	tx.raw = out.raw = slice_of(NULL, 0);
	assert_memory_equal(&tx, &out, sizeof(tx));
	teardown(&f);
}

static void test_nonce_never_falls_even_when_forgotten(void **state)
{
	struct fixture f;
	struct sent_tx tx, list[4];
	uint64_t nonce;
	size_t n;

	(void)state;
	setup(&f);
	assert_int_equal(requests_next_nonce(f.txn, &f.rs, 3, &nonce), OK);
	assert_int_equal(nonce, 3);
	for (uint64_t i = 3; i < 300; i += 99) {
		tx = sent(i, "raw");
		assert_int_equal(requests_put_tx(f.txn, &f.rs, &tx), OK);
	}
	tx = sent(102, "a replacement");
	assert_int_equal(requests_put_tx(f.txn, &f.rs, &tx), OK);
	assert_int_equal(requests_next_nonce(f.txn, &f.rs, 3, &nonce), OK);
	assert_int_equal(nonce, 202);
	assert_int_equal(requests_tx_list(f.txn, &f.rs, 4, list, 4, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].nonce, 102);
	assert_int_equal(list[1].nonce, 201);
	assert_int_equal(requests_forget_txs(f.txn, &f.rs, 500), OK);
	assert_int_equal(requests_tx_list(f.txn, &f.rs, 0, list, 4, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(requests_next_nonce(f.txn, &f.rs, 3, &nonce), OK);
	assert_int_equal(nonce, 202);
	assert_int_equal(requests_next_nonce(f.txn, &f.rs, 900, &nonce), OK);
	assert_int_equal(nonce, 900);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_comes_back_as_it_went),
		cmocka_unit_test(test_raw_bytes_stay_until_it_ends),
		cmocka_unit_test(test_what_the_version_before_wrote_is_read),
		cmocka_unit_test(test_known_request_is_not_written_twice),
		cmocka_unit_test(
			test_open_list_is_oldest_first_without_the_ended),
		cmocka_unit_test(test_a_wish_is_published_until_it_ends),
		cmocka_unit_test(test_replacement_keeps_its_nonce),
		cmocka_unit_test(test_nonce_never_falls_even_when_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
