/* A transaction's way to L1: signed, broadcast, replaced, mined, taken back.
 * L1 and the signer are the test's own. */
#include "tests/unit/unit.h"

#include "abi/contracts_tables.h"
#include "relayer/calls.h"
#include "relayer/flight.h"
#include "tests/unit/fake_l1.h"
#include "tests/unit/relaying.h"
#include "tests/unit/values.h"

#define GWEI 1000000000ULL
#define US   3 /* whose key it is */

/* ---- the signer ---------------------------------------------------------- */

static struct {
	unsigned signs;
	struct tx signing; /* data borrowed from the flight */
	signer_done *signed_done;
	void *sign_ctx;
} signer;

enum err signer_client_ask(struct signer_client *c, const struct ask *ask,
			   signer_done *done, void *ctx)
{
	(void)c;
	signer.signs++;
	signer.signing = ask->tx;
	signer.signed_done = done;
	signer.sign_ctx = ctx;
	return OK;
}

struct bench {
	struct scratch scratch;
	struct parts parts;
	struct relayer_config config;
	struct hatch_facts facts;
	struct l1_view view;
	struct turn t;
	struct submit *submit;
};

static void bench_init(struct bench *b)
{
	world_clear();
	memset(&signer, 0, sizeof(signer));
	*b = (struct bench){0};
	relaying_open(&b->scratch, &b->parts, &b->t.txn);
	b->config.shared.chain.id = 1;
	b->config.account = address_of(US);
	b->config.fees.max_fee = u256_from(300 * GWEI);
	b->config.fees.max_tip = u256_from(5 * GWEI);
	b->config.fees.replace = 1250;
	b->submit = submit_new(NULL, NULL, &b->config, &b->parts.nonces,
			       on_news, NULL);
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
}

static void bench_done(struct bench *b)
{
	submit_free(b->submit);
	relaying_close(&b->scratch, &b->parts, b->t.txn);
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
	assert_int_equal(signer.signs, 1);
	assert_int_equal(signer.signing.gas, 100000);
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
	assert_int_equal(signer.signs, 2);
	bench_done(&b);
}

/* ---- on its way ---------------------------------------------------------- */

static struct ask_answer signed_as_asked(void)
{
	struct ask_answer answer = {.status = ASK_SIGNED};

	answer.signature = sign_by(US, tx_digest(&signer.signing));
	return answer;
}

/* Signed, stored, and broadcast once. */
static struct flight *send_one(struct bench *b, uint8_t name)
{
	assert_int_equal(want_gas(b, name, 100000), WANT_TAKEN);
	assert_int_equal(submit_sign(b->submit, &b->t), OK);
	struct ask_answer answer = signed_as_asked();
	signer.signed_done(signer.sign_ctx, OK, &answer);
	assert_int_equal(submit_write(b->submit, &b->t), OK);
	struct flight *f = flight_find(b->submit, a_hash(name));
	assert_non_null(f);
	assert_int_equal(f->stage, FLIGHT_SENT);
	submit_start(b->submit, &b->t);
	return f;
}

static void answer_broadcast(struct bench *b, enum send_verdict verdict)
{
	world.sent_done(world.send_ctx, verdict, "because");
	assert_int_equal(submit_write(b->submit, &b->t), OK);
}

static void next_block(struct bench *b)
{
	b->view.head.number++;
	b->t.now_ms += REBROADCAST_MS;
}

static struct tx_status in_block(uint64_t block, uint8_t hash)
{
	return (struct tx_status){.fate = TX_SUCCESS,
				  .block = block,
				  .block_hash = a_hash(hash),
				  .gas_used = 50000,
				  .effective_price = GWEI};
}

static void answer_status(struct bench *b, struct tx_status status)
{
	world.status_done(world.status_ctx, OK, "", &status);
	assert_int_equal(submit_write(b->submit, &b->t), OK);
}

static struct flight *mine_one(struct bench *b, uint8_t name)
{
	struct flight *f = send_one(b, name);

	answer_broadcast(b, SEND_ACCEPTED);
	next_block(b);
	b->submit->account.nonce = f->nonce + 1;
	submit_start(b->submit, &b->t);
	answer_broadcast(b, SEND_ACCEPTED); /* it went out again */
	answer_status(b, in_block(101, 0x11));
	assert_int_equal(f->stage, FLIGHT_MINED);
	assert_int_equal(told.event, TASK_MINED);
	return f;
}

/* ---- a reorg ------------------------------------------------------------- */

static void test_what_a_reorg_took_goes_out_at_once(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	struct flight *f = mine_one(&b, 1);
	unsigned asked = world.statuses, sent = world.broadcasts;
	next_block(&b);
	submit_start(b.submit, &b.t);
	assert_int_equal(world.statuses, asked); /* nothing speaks for it */
	/* The account is back where it was, long before anything is final. */
	b.submit->account.nonce = f->nonce;
	next_block(&b);
	submit_start(b.submit, &b.t);
	assert_int_equal(world.statuses, asked + 1);
	answer_status(&b, (struct tx_status){.fate = TX_UNSEEN});
	assert_int_equal(f->stage, FLIGHT_SENT);
	assert_int_equal(told.event, TASK_BACK);
	submit_start(b.submit, &b.t);
	assert_int_equal(world.broadcasts, sent + 1);
	bench_done(&b);
}

static void test_an_answer_from_before_is_not_final(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	struct flight *f = mine_one(&b, 1);
	b.submit->account.nonce = f->nonce; /* a node that lags */
	next_block(&b);
	submit_start(b.submit, &b.t);
	/* The block becomes final while the answer is on its way. */
	b.facts.block.number = 101;
	b.submit->account.nonce = f->nonce + 1;
	answer_status(&b, in_block(101, 0x11));
	assert_int_equal(f->stage, FLIGHT_MINED);
	next_block(&b);
	submit_start(b.submit, &b.t);
	answer_status(&b, in_block(101, 0x11));
	assert_int_equal(told.event, TASK_FINAL);
	bench_done(&b);
}

static void test_a_nonce_seen_used_for_a_moment_is_not_lost(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	struct flight *f = send_one(&b, 1);
	answer_broadcast(&b, SEND_ACCEPTED);
	b.submit->account.nonce = f->nonce + 1;
	next_block(&b);
	submit_start(b.submit, &b.t);
	answer_status(&b, (struct tx_status){.fate = TX_PENDING});
	assert_true(f->passed_at);
	b.submit->account.nonce = f->nonce; /* that block is gone */
	next_block(&b);
	submit_start(b.submit, &b.t);
	b.facts.block.number = b.view.head.number;
	b.submit->account.nonce = f->nonce + 1;
	next_block(&b);
	submit_start(b.submit, &b.t);
	answer_status(&b, (struct tx_status){.fate = TX_PENDING});
	assert_int_not_equal(told.event, TASK_LOST);
	assert_true(submit_flying(b.submit, a_hash(1)));
	bench_done(&b);
}

/* ---- replacements -------------------------------------------------------- */

/* Refused by every node until it counts as shunned. */
static void shun(struct bench *b)
{
	for (unsigned i = 0; i < REJECTED_TRIES; i++) {
		answer_broadcast(b, SEND_REJECTED);
		b->t.now_ms += REBROADCAST_MS;
		submit_start(b->submit, &b->t);
	}
}

static void test_one_that_nodes_shun_is_replaced(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	struct flight *f = send_one(&b, 1);
	struct tx first = signer.signing;
	answer_broadcast(&b, SEND_NO_ANSWER); /* one may have it */
	b.t.now_ms += REBROADCAST_MS;
	submit_start(b.submit, &b.t);
	shun(&b);
	/* Its nonce is not given to anything else: the old bytes may live. */
	assert_int_equal(f->stage, FLIGHT_SENT);
	assert_int_equal(submit_sign(b.submit, &b.t), OK);
	assert_int_equal(signer.signs, 2);
	assert_int_equal(f->replace, REPLACE_ASKED);
	assert_int_equal(signer.signing.nonce, first.nonce);
	assert_true(slice_eq(signer.signing.data, first.data));
	assert_true(u256_cmp(signer.signing.max_fee, first.max_fee) > 0);
	struct ask_answer answer = signed_as_asked();
	signer.signed_done(signer.sign_ctx, OK, &answer);
	answer_broadcast(&b, SEND_REJECTED);
	assert_int_equal(f->n_hashes, 2);
	assert_int_equal(f->rejected, 0); /* new bytes, new count */
	bench_done(&b);
}

static void test_a_replacement_that_came_too_late_blocks_none(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	struct flight *f = send_one(&b, 1);
	answer_broadcast(&b, SEND_UNDERPRICED);
	assert_int_equal(submit_sign(b.submit, &b.t), OK);
	assert_int_equal(f->replace, REPLACE_ASKED);
	struct ask_answer answer = signed_as_asked();
	/* The first version is mined while the signer thinks. */
	b.submit->account.nonce = f->nonce + 1;
	next_block(&b);
	submit_start(b.submit, &b.t);
	answer_status(&b, in_block(101, 0x11));
	assert_int_equal(f->stage, FLIGHT_MINED);
	signer.signed_done(signer.sign_ctx, OK, &answer);
	/* A reorg, and it must be replaced after all. */
	b.submit->account.nonce = f->nonce;
	next_block(&b);
	submit_start(b.submit, &b.t);
	answer_status(&b, (struct tx_status){.fate = TX_UNSEEN});
	assert_int_equal(f->stage, FLIGHT_SENT);
	f->raise = true;
	unsigned before = signer.signs;
	assert_int_equal(submit_sign(b.submit, &b.t), OK);
	assert_int_equal(signer.signs, before + 1);
	bench_done(&b);
}

/* ---- a bounty ------------------------------------------------------------ */

static void want_withdrawal(struct bench *b)
{
	struct withdraw w = {.index = 5, .amount = u256_from(1)};
	struct signature signature = {{0}};
	struct task task = {.key = a_hash(1),
			    .purpose = PURPOSE_CARRY,
			    .gas = 200000,
			    .value = u256_from(77)};

	buf_init(&task.data, TX_DATA_MAX);
	call_request_withdrawal(&task.data, &w, &signature);
	assert_int_equal(submit_want(b->submit, &b->t, &task), WANT_TAKEN);
}

/* Wherever this can be mined, the bounty is there. */
static void assert_bounty_covers(void)
{
	struct u256 most;

	assert_true(
		u256_mul64(signer.signing.max_fee, EGRESS_BOUNTY_GAS, &most));
	assert_true(u256_cmp(signer.signing.value, most) >= 0);
}

static void test_a_bounty_covers_every_block_that_may_take_it(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.submit->account.balance = u256_from(20000000000000000);
	want_withdrawal(&b);
	b.t.head_time = 1000; /* past its deadline: the caps are open */
	struct flight *f = flight_find(b.submit, a_hash(1));
	f->task.urgency = FEE_URGENT;
	assert_int_equal(submit_sign(b.submit, &b.t), OK);
	assert_bounty_covers();
	/* Nor does urgency give the relayer's money away. */
	assert_int_equal(u256_u64(signer.signing.max_fee), 20 * GWEI);
	struct ask_answer answer = signed_as_asked();
	signer.signed_done(signer.sign_ctx, OK, &answer);
	assert_int_equal(submit_write(b.submit, &b.t), OK);
	/* Taken up again after a start, and replaced. */
	submit_free(b.submit);
	b.submit = submit_new(NULL, NULL, &b.config, &b.parts.nonces, on_news,
			      NULL);
	assert_int_equal(submit_load(b.submit, b.t.txn, NULL), OK);
	b.submit->account_known = true;
	b.submit->account =
		(struct account_state){.nonce = 5,
				       .balance = u256_from(UINT64_MAX),
				       .base_fee = 40 * GWEI,
				       .tip = GWEI};
	assert_int_equal(submit_sign(b.submit, &b.t), OK);
	assert_int_equal(signer.signs, 2);
	assert_int_equal(signer.signing.nonce, 5);
	assert_bounty_covers();
	bench_done(&b);
}

static void test_another_accounts_transactions_are_told_as_such(void **state)
{
	struct err_text error = {""};
	struct bench b;

	(void)state;
	bench_init(&b);
	(void)send_one(&b, 1);
	submit_free(b.submit);
	b.config.account = address_of(US + 1);
	b.submit = submit_new(NULL, NULL, &b.config, &b.parts.nonces, on_news,
			      NULL);
	assert_int_equal(submit_load(b.submit, b.t.txn, &error), ERR_CONFLICT);
	assert_non_null(strstr(error.text, "account: "));
	assert_non_null(strstr(error.text, address_text(address_of(US)).s));
	assert_non_null(strstr(error.text, "set it back until"));
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_dear_for_now_comes_again),
		cmocka_unit_test(test_what_a_reorg_took_goes_out_at_once),
		cmocka_unit_test(test_an_answer_from_before_is_not_final),
		cmocka_unit_test(
			test_a_nonce_seen_used_for_a_moment_is_not_lost),
		cmocka_unit_test(test_one_that_nodes_shun_is_replaced),
		cmocka_unit_test(
			test_a_replacement_that_came_too_late_blocks_none),
		cmocka_unit_test(
			test_a_bounty_covers_every_block_that_may_take_it),
		cmocka_unit_test(
			test_another_accounts_transactions_are_told_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
