/* To whom an exit was paid, from the blocks that are read while wishes wait. */
#include "tests/unit/unit.h"

#include "relayer/witness.c"
#include "tests/unit/values.h"

#define LEAF 300 /* bucket 1, leaf 44 */

/* ---- l1/follow, by hand -------------------------------------------------- */

static struct {
	unsigned made, freed;
	struct follow_config config;
	struct follow_step next;
} blocks;

struct follow *follow_new(struct l1 *l1, const struct follow_config *config)
{
	(void)l1;
	blocks.made++;
	blocks.config = *config;
	return (struct follow *)&blocks;
}

void follow_free(struct follow *f)
{
	blocks.freed += f != NULL;
}

uint64_t follow_turn(struct follow *f, uint64_t now_mono_ms)
{
	(void)f;
	return now_mono_ms + 100;
}

struct follow_step follow_peek(const struct follow *f)
{
	(void)f;
	return blocks.next;
}

void follow_ack(struct follow *f, const struct block_ref *tip)
{
	(void)f;
	(void)tip;
	blocks.next = (struct follow_step){.move = FOLLOW_NONE};
}

/* ---- the bench ----------------------------------------------------------- */

struct bench {
	struct witness *w;
	struct hatch_facts facts;
	struct l1_view view;
	struct turn t;
	bool credited; /* the exit to come */
	struct buf input, data;
	struct l1_log log;
};

static void bench_init(struct bench *b)
{
	memset(&blocks, 0, sizeof(blocks));
	*b = (struct bench){.w = witness_new(NULL)};
	b->view.healthy = true;
	b->facts.rollup = an_address(0xaa);
	b->facts.block.number = 100;
	b->t = (struct turn){
		.now_ms = 1000, .view = &b->view, .facts = &b->facts};
	buf_init(&b->input, 4096);
	buf_init(&b->data, 4096);
	witness_turn(b->w, &b->t, true);
	assert_int_equal(blocks.made, 1);
}

static void bench_done(struct bench *b)
{
	witness_free(b->w);
	buf_done(&b->input);
	buf_done(&b->data);
}

/* An exit of the leaf in block 101, called with this. */
static void exit_with(struct bench *b, bool as_wished, struct address recipient,
		      uint64_t index)
{
	struct exit_to wish = {.index = index, .recipient = recipient};
	struct signature signature = {{0}};
	struct record record =
		record_balance(an_address(1), an_address(0), u256_from(5));
	struct path path = {0};
	struct u256 mask = mask_with(u256_from(0), LEAF % BUCKET_LEAVES);

	if (as_wished)
		call_exit_to(&b->input, &wish, &record, path, &signature);
	else
		call_exit_bucket(&b->input, LEAF / BUCKET_LEAVES, mask, &record,
				 1, path);
	abi_put_u256(&b->data, mask);
	abi_put_u256(&b->data, b->credited ? mask : u256_from(0));
	abi_put_u64(&b->data, 0);
	b->log.n_topics = 2;
	b->log.topics[0] = sovereign_topic(SOVEREIGN_EXITED);
	b->log.topics[1] = (struct hash32){{0}};
	b->log.topics[1].b[31] = LEAF / BUCKET_LEAVES;
	b->log.data = buf_slice(&b->data);
	b->log.input = buf_slice(&b->input);
	blocks.next = (struct follow_step){.move = FOLLOW_FORWARD,
					   .block = {.number = 101},
					   .n_logs = 1,
					   .logs = &b->log};
	witness_turn(b->w, &b->t, true);
}

static enum witnessed ask_leaf(const struct bench *b, uint64_t leaf)
{
	struct exit_to wish = {.index = leaf, .recipient = an_address(0xbb)};

	return witness_of(b->w, &wish, 100, 101);
}

static enum witnessed ask(const struct bench *b, uint64_t in, uint64_t out)
{
	struct exit_to wish = {.index = LEAF, .recipient = an_address(0xbb)};

	return witness_of(b->w, &wish, in, out);
}

static void test_the_wished_recipient_was_paid(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(ask(&b, 100, 101), WITNESS_WAITS);
	exit_with(&b, true, an_address(0xbb), LEAF);
	assert_int_equal(ask(&b, 100, 101), WITNESS_PAID);
	assert_int_equal(ask(&b, 100, 102), WITNESS_WAITS);
	bench_done(&b);
}

static void test_what_is_owed_to_the_recipient_is_not_paid(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.credited = true;
	exit_with(&b, true, an_address(0xbb), LEAF);
	assert_int_equal(ask(&b, 100, 101), WITNESS_CREDITED);
	bench_done(&b);
}

/* ---- withdrawals ----------------------------------------------------------
 */

/* Paid in block 101. */
static void pays(struct bench *b, uint64_t id, bool credited)
{
	abi_put_address(&b->data, an_address(0xdd));
	abi_put_u64(&b->data, 123);
	abi_put_u64(&b->data, credited);
	b->log.n_topics = 3;
	b->log.topics[0] = sovereign_topic(SOVEREIGN_WITHDRAWAL_PAID);
	b->log.topics[1] = b->log.topics[2] = (struct hash32){{0}};
	b->log.topics[1].b[31] = (uint8_t)id;
	b->log.topics[2].b[31] = 0xbb;
	b->log.data = buf_slice(&b->data);
	blocks.next = (struct follow_step){.move = FOLLOW_FORWARD,
					   .block = {.number = 101},
					   .n_logs = 1,
					   .logs = &b->log};
	witness_turn(b->w, &b->t, true);
}

static void test_how_a_withdrawal_was_paid_is_seen(void **state)
{
	struct payment p = {.credited = false};
	struct bench b;

	(void)state;
	for (int credited = 0; credited < 2; credited++) {
		bench_init(&b);
		assert_int_equal(witness_payment(b.w, 7, 101, &p),
				 WITNESS_WAITS);
		pays(&b, 7, credited);
		assert_int_equal(witness_payment(b.w, 7, 101, &p),
				 WITNESS_PAID);
		assert_int_equal(p.credited, credited);
		assert_int_equal(u256_u64(p.amount), 123);
		assert_int_equal(p.to.b[19], 0xbb);
		assert_true(address_eq(p.asset, an_address(0xdd)));
		assert_int_equal(witness_payment(b.w, 8, 101, &p),
				 WITNESS_UNSEEN);
		bench_done(&b);
	}
}

static void test_somebody_else_was_paid(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	exit_with(&b, true, an_address(0xcc), LEAF);
	assert_int_equal(ask(&b, 100, 101), WITNESS_OTHER);
	bench_done(&b);
	bench_init(&b);
	exit_with(&b, false, an_address(0xbb), LEAF);
	assert_int_equal(ask(&b, 100, 101), WITNESS_OTHER);
	bench_done(&b);
	/* Calldata that is not what the event tells. */
	bench_init(&b);
	exit_with(&b, true, an_address(0xbb), LEAF + 1);
	assert_int_equal(ask_leaf(&b, LEAF + 1), WITNESS_OTHER);
	bench_done(&b);
}

static void test_what_was_before_is_not_claimed(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(ask(&b, 0, 100), WITNESS_UNSEEN);
	assert_int_equal(ask(&b, 99, 100), WITNESS_UNSEEN);
	/* What was final is not: nothing read before counts. */
	exit_with(&b, true, an_address(0xbb), LEAF);
	blocks.next.move = FOLLOW_BACK;
	witness_turn(b.w, &b.t, true);
	assert_int_equal(ask(&b, 100, 101), WITNESS_WAITS);
	bench_done(&b);
}

static void test_nothing_is_read_when_nobody_waits(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(blocks.config.n_with_input, 1);
	witness_turn(b.w, &b.t, false);
	assert_int_equal(blocks.freed, 1);
	assert_int_equal(witness_next(b.w), UINT64_MAX);
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_wished_recipient_was_paid),
		cmocka_unit_test(
			test_what_is_owed_to_the_recipient_is_not_paid),
		cmocka_unit_test(test_how_a_withdrawal_was_paid_is_seen),
		cmocka_unit_test(test_somebody_else_was_paid),
		cmocka_unit_test(test_what_was_before_is_not_claimed),
		cmocka_unit_test(test_nothing_is_read_when_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
