/* A transaction's way to L1: signed, broadcast, replaced, mined, taken back.
 * L1 and the signer are the test's own. */
#include "tests/unit/unit.h"

#include "l1/account.h"
#include "relayer/calls.h"
#include "relayer/flight.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"

#define GWEI 1000000000ULL
#define US   3 /* whose key it is */

/* ---- the world ----------------------------------------------------------- */

static struct {
	unsigned signs, statuses, broadcasts;
	struct tx signing; /* data borrowed from the flight */
	signer_done *signed_done;
	tx_status_done *status_done;
	send_done *sent_done;
	void *sign_ctx, *status_ctx, *send_ctx;
	struct hash32 asked; /* whose status */
} world;

enum err signer_client_ask(struct signer_client *c, const struct ask *ask,
			   signer_done *done, void *ctx)
{
	(void)c;
	world.signs++;
	world.signing = ask->tx;
	world.signed_done = done;
	world.sign_ctx = ctx;
	return OK;
}

enum err account_read(struct l1 *l1, struct address account, account_done *done,
		      void *ctx)
{
	(void)l1;
	(void)account;
	(void)done;
	(void)ctx;
	return ERR_BUSY;
}

enum err tx_status_read(struct l1 *l1, struct hash32 tx, tx_status_done *done,
			void *ctx)
{
	(void)l1;
	world.statuses++;
	world.asked = tx;
	world.status_done = done;
	world.status_ctx = ctx;
	return OK;
}

enum err tx_broadcast(struct l1 *l1, struct slice signed_bytes, send_done *done,
		      void *ctx)
{
	(void)l1;
	(void)signed_bytes;
	world.broadcasts++;
	world.sent_done = done;
	world.send_ctx = ctx;
	return OK;
}

enum err tx_estimate(struct l1 *l1, struct address from, bool create,
		     struct address to, struct u256 value, struct slice data,
		     estimate_done *done, void *ctx)
{
	(void)l1;
	(void)from;
	(void)create;
	(void)to;
	(void)value;
	(void)data;
	(void)done;
	(void)ctx;
	return ERR_BUSY;
}

/* ---- what was told ------------------------------------------------------- */

static struct task_news told;
static unsigned told_times;

static enum err on_news(void *ctx, struct turn *t, const struct task_news *news)
{
	(void)ctx;
	(void)t;
	told = *news;
	told_times++;
	return OK;
}

struct bench {
	struct scratch scratch;
	struct store *store;
	struct requests rs;
	struct nonces nonces;
	struct relayer_config config;
	struct hatch_facts facts;
	struct l1_view view;
	struct turn t;
	struct submit *submit;
};

static void bench_init(struct bench *b)
{
	struct store_identity id = {.chain_id = 1, .program = "relayer"};
	struct err_text error;

	memset(&world, 0, sizeof(world));
	*b = (struct bench){.scratch = scratch_new()};
	assert_int_equal(store_open(scratch_path(&b->scratch, "db"), 16 << 20,
				    &id, &b->store, &error),
			 OK);
	store_set_nosync(b->store);
	assert_int_equal(store_begin(b->store, true, &b->t.txn), OK);
	assert_int_equal(requests_open(b->t.txn, &b->rs), OK);
	assert_int_equal(nonces_open(b->t.txn, &b->rs, &b->nonces), OK);
	b->config.shared.chain.id = 1;
	b->config.account = address_of(US);
	b->config.fees.max_fee = u256_from(300 * GWEI);
	b->config.fees.max_tip = u256_from(5 * GWEI);
	b->config.fees.replace = 1250;
	b->submit =
		submit_new(NULL, NULL, &b->config, &b->nonces, on_news, NULL);
	b->submit->account_known = true;
	b->submit->account =
		(struct account_state){.nonce = 5,
				       .balance = u256_from(UINT64_MAX),
				       .base_fee = 10 * GWEI,
				       .tip = GWEI};
	b->view.healthy = true;
	b->view.head.number = 100;
	b->t.now_ms = 100000;
	b->t.view = &b->view;
	b->t.facts = &b->facts;
	told_times = 0;
}

static void bench_done(struct bench *b)
{
	submit_free(b->submit);
	store_abort(b->t.txn);
	store_close(b->store);
	scratch_remove(b->scratch.dir);
}

static enum want want_gas(struct bench *b, uint8_t name, uint64_t gas)
{
	struct task task = {
		.key = a_hash(name), .purpose = PURPOSE_CARRY, .gas = gas};

	buf_init(&task.data, 100);
	return submit_want(b->submit, &b->t, &task);
}

/* ---- a price that no node takes ------------------------------------------ */

static void test_too_dear_for_now_comes_again(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.submit->account.base_fee = 100 * GWEI; /* × 16M gas: 1.6 ETH */
	assert_int_equal(want_gas(&b, 1, TX_GAS_MAX), WANT_TAKEN);
	assert_int_equal(want_gas(&b, 2, 100000), WANT_TAKEN);
	assert_int_equal(submit_sign(b.submit, &b.t), OK);
	/* The one behind it is not held back. */
	assert_int_equal(world.signs, 1);
	assert_int_equal(world.signing.gas, 100000);
	assert_string_equal(submit_trouble(b.submit), "");
	assert_int_equal(submit_write(b.submit, &b.t), OK);
	assert_int_equal(told_times, 1);
	assert_int_equal(told.event, TASK_REFUSED);
	assert_true(told.for_now);
	assert_hash_equal(told.key, a_hash(1));
	assert_false(submit_flying(b.submit, a_hash(1)));
	/* Not at once: the same again waits. */
	assert_int_equal(want_gas(&b, 1, TX_GAS_MAX), WANT_HELD);
	b.t.now_ms += REFUSED_LAST_MS;
	b.submit->account.base_fee = 10 * GWEI;
	assert_int_equal(want_gas(&b, 1, TX_GAS_MAX), WANT_TAKEN);
	b.submit->signing = false;
	assert_int_equal(submit_sign(b.submit, &b.t), OK);
	assert_int_equal(world.signs, 2);
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_dear_for_now_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
