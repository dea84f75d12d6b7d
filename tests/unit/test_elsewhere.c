/* Open requests that others brought to L1, and how they end there.  L1 and the
 * watchers are the test's own: it answers what was asked, by hand. */
#include "tests/unit/unit.h"

#include "l1/layout.h"
#include "tests/unit/book_bench.h"

/* ---- what others brought to L1 ------------------------------------------- */

static void acted_moves(struct bench *b)
{
	b->facts.block.number++;
	b->facts.block.time++;
	b->facts.block.hash = a_hash((uint8_t)b->facts.block.number);
	b->t.facts_moved = true;
	b->t.now_ms += 1000;
	turn(b);
	b->t.facts_moved = false;
}

static void refused(struct bench *b, struct hash32 id, const char *why)
{
	struct task_news news = {.key = id, .event = TASK_REFUSED, .why = why};

	assert_int_equal(book_news(b->book, &b->t, &news), OK);
}

/* Where L1 marks the order as carried out. */
static struct hash32 mark_of(const struct bench *b, const struct request *r)
{
	uint64_t chain_id = b->config.shared.chain.id;

	return layout_used(
		withdraw_digest(chain_id, b->facts.rollup, &r->withdraw),
		address_of(OWNER));
}

static void answer_spent(const struct bench *b, const struct request *r,
			 bool spent)
{
	struct hash32 word = typed_u64(spent);

	answer_words(mark_of(b, r), &word);
}

/* L1's queue, ids 0 … 2. */
static struct l1_withdrawal queue[3];

static void fill_queue(struct bench *b, const struct request *ours)
{
	struct l1_withdrawal w = {.owner = address_of(OWNER),
				  .recipient = ours->withdraw.recipient,
				  .there = true,
				  .index = LEAF,
				  .stamp = NOW - 100,
				  .amount = ours->withdraw.amount,
				  .fate = EGRESS_FATE_QUEUED};

	b->facts.withdraw_tail = 3;
	for (size_t i = 0; i < 3; i++)
		queue[i] = w;
	queue[0].fate = EGRESS_FATE_PAID; /* an old one of the same owner */
	queue[0].recipient = an_address(0);
	queue[2].amount = u256_from(1000); /* another order */
}

static void answer_queue(void)
{
	answer_entries(queue);
}

static void test_a_used_signature_is_hearsay_until_it_is_final(void **state)
{
	struct request r = a_withdrawal(OWNER);
	struct bench b;

	(void)state;
	bench_init(&b);
	fill_queue(&b, &r);
	assert_int_equal(add(&b, &r, true), OK);
	refused(&b, r.id, "SignatureUsed");
	assert_int_equal(stored(&b, r.id).state, REQUEST_QUEUED);
	acted_moves(&b);
	answer_spent(&b, &r, false); /* the other's block is not final */
	turn(&b);
	assert_null(ask_of_entries());
	/* A reorg takes it away: L1 is asked anew, and it is carried. */
	b.t.now_ms += REFUSED_LAST_MS;
	b.book->bounty_known = true;
	turn(&b);
	assert_true(submit_flying(b.parts.submit, r.id));
	bench_done(&b);
}

static void test_what_another_brought_to_l1_is_followed_there(void **state)
{
	struct request r = a_withdrawal(OWNER);
	struct bench b;

	(void)state;
	bench_init(&b);
	fill_queue(&b, &r);
	assert_int_equal(add(&b, &r, true), OK);
	refused(&b, r.id, "SignatureUsed");
	acted_moves(&b);
	assert_hash_equal(ask_of(mark_of(&b, &r))->at, b.facts.block.hash);
	answer_spent(&b, &r, true);
	turn(&b);
	turn(&b);
	assert_hash_equal(ask_of_entries()->at, b.facts.block.hash);
	answer_queue();
	turn(&b);
	turn(&b);
	struct request now = stored(&b, r.id);
	assert_int_equal(now.state, REQUEST_INCLUDED);
	assert_int_equal(now.l1_id, 1);
	/* From here on the contract's own state decides. */
	world.payment_seen = WITNESS_PAID;
	acted_moves(&b);
	queue[1].fate = EGRESS_FATE_PAID;
	answer_queue();
	turn(&b);
	assert_int_equal(stored(&b, r.id).state, REQUEST_FINAL);
	bench_done(&b);
}

/* On L1 as id 1, executed for less than was asked for, then over. */
static struct request is_over(struct bench *b, enum witnessed seen,
			      bool credited)
{
	struct request r = a_withdrawal(OWNER);

	bench_init(b);
	fill_queue(b, &r);
	assert_int_equal(add(b, &r, true), OK);
	struct slot *slot = book_slot(b->book, r.id);
	slot->l1_id = 1;
	slot->block = 100;
	assert_int_equal(book_set_plain(b->book, &b->t, slot, REQUEST_INCLUDED,
					"withdrawal 1 on L1"),
			 OK);
	queue[1].fate = EGRESS_FATE_EXECUTED;
	queue[1].amount = u256_from(7);
	queue[1].payer = an_address(0); /* the asset */
	acted_moves(b);
	assert_false(book_payments_due(b->book, &b->t));
	answer_queue();
	turn(b);
	assert_non_null(strstr(stored(b, r.id).outcome, "7 wei to be paid"));
	assert_true(book_payments_due(b->book, &b->t));
	queue[1].fate = EGRESS_FATE_PAID;
	queue[1].amount = u256_from(0);
	queue[1].recipient = an_address(0);
	world.payment_seen = WITNESS_WAITS;
	world.payment = (struct payment){.to = r.withdraw.recipient,
					 .amount = u256_from(7),
					 .credited = credited};
	acted_moves(b);
	answer_queue();
	turn(b);
	assert_int_equal(stored(b, r.id).state, REQUEST_INCLUDED);
	acted_moves(b); /* the same again: it still waits */
	answer_queue();
	world.payment_seen = seen;
	turn(b);
	return stored(b, r.id);
}

static void test_what_was_paid_is_told_to_the_wei(void **state)
{
	struct bench b;

	(void)state;
	struct request r = is_over(&b, WITNESS_PAID, false);
	assert_int_equal(r.state, REQUEST_FINAL);
	assert_non_null(strstr(r.outcome, "7 wei paid to 0x"));
	assert_non_null(strstr(r.outcome, "(withdrawal 1; 9 were asked for)"));
	bench_done(&b);
}

static void test_what_is_owed_is_not_told_as_paid(void **state)
{
	struct bench b;

	(void)state;
	struct request r = is_over(&b, WITNESS_PAID, true);
	assert_int_equal(r.state, REQUEST_FINAL);
	assert_non_null(strstr(r.outcome, "7 wei credited to 0x"));
	assert_non_null(strstr(r.outcome, "to be claimed"));
	assert_null(strstr(r.outcome, "paid"));
	bench_done(&b);
	r = is_over(&b, WITNESS_UNSEEN, true);
	assert_int_equal(r.state, REQUEST_FINAL);
	assert_non_null(strstr(r.outcome, "not seen from here"));
	bench_done(&b);
	r = is_over(&b, WITNESS_WAITS, true);
	assert_int_equal(r.state, REQUEST_INCLUDED);
	b.t.now_ms += WITNESS_WAIT_MS;
	turn(&b);
	assert_non_null(strstr(stored(&b, r.id).outcome, "not seen from here"));
	bench_done(&b);
}

static void test_what_is_not_found_is_looked_for_again(void **state)
{
	struct request r = a_withdrawal(OWNER);
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(add(&b, &r, true), OK);
	refused(&b, r.id, "SignatureUsed");
	acted_moves(&b);
	answer_spent(&b, &r, true); /* but the queue is empty */
	for (unsigned i = 0; i < 4; i++)
		acted_moves(&b);
	assert_int_equal(stored(&b, r.id).state, REQUEST_QUEUED);
	fill_queue(&b, &r);
	acted_moves(&b);
	assert_null(ask_of_entries());
	b.t.now_ms += SEEK_RETRY_MS;
	turn(&b);
	answer_queue();
	turn(&b);
	turn(&b);
	assert_int_equal(stored(&b, r.id).state, REQUEST_INCLUDED);
	bench_done(&b);
}

static enum request_state expires(struct bench *b, uint64_t stamp)
{
	struct request r = a_withdrawal(OWNER);

	bench_init(b);
	fill_queue(b, &r);
	queue[1].stamp = stamp;
	assert_int_equal(add(b, &r, true), OK);
	b->t.head_time = r.withdraw.expiry + 1;
	turn(b); /* the block acted on is older: nothing is certain yet */
	assert_null(ask_of_entries());
	assert_int_equal(stored(b, r.id).state, REQUEST_QUEUED);
	b->facts.block.time = r.withdraw.expiry;
	acted_moves(b);
	answer_queue();
	turn(b);
	turn(b);
	enum request_state ret = stored(b, r.id).state;
	bench_done(b);
	return ret;
}

static void test_an_expired_one_may_stand_on_l1(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(expires(&b, NOW + 10), REQUEST_INCLUDED);
	assert_int_equal(expires(&b, NOW - 10), REQUEST_FAILED);
}

static void test_a_wish_does_not_end_by_hearsay(void **state)
{
	static const char *const names[] = {"AlreadyExited", "NotOwner",
					    "NotBalance"};
	struct request r = a_wish(OWNER);
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(add(&b, &r, true), OK);
	for (unsigned i = 0; i < 2 * WISH_TRIES; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			refused(&b, r.id, names[k]);
	assert_int_equal(stored(&b, r.id).state, REQUEST_QUEUED);
	bench_done(&b);
}

/* ---- a wish whose leaf is out -------------------------------------------- */

static void answer_exits(bool out)
{
	struct u256 mask = out ? mask_with(u256_from(0), LEAF) : u256_from(0);
	struct hash32 word = typed_u256(mask);

	answer_words(layout_exited(LEAF / BUCKET_LEAVES), &word);
}

static struct request wish_is_out(struct bench *b, enum witnessed witnessed)
{
	struct request r = a_wish(OWNER);

	bench_init(b);
	world.witnessed = witnessed;
	b->facts.state = ROLLUP_OPEN;
	assert_int_equal(add(b, &r, true), OK);
	assert_true(book_wishes_wait(b->book, &b->t));
	acted_moves(b);
	assert_hash_equal(ask_of(layout_exited(LEAF / BUCKET_LEAVES))->at,
			  b->facts.block.hash);
	answer_exits(false);
	turn(b);
	assert_int_equal(stored(b, r.id).state, REQUEST_QUEUED);
	acted_moves(b);
	answer_exits(true);
	turn(b);
	return stored(b, r.id);
}

static void test_somebody_else_was_faster_is_success(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(wish_is_out(&b, WITNESS_PAID).state, REQUEST_FINAL);
	bench_done(&b);
}

static void test_a_leaf_paid_elsewhere_is_told_as_such(void **state)
{
	struct bench b;

	(void)state;
	struct request r = wish_is_out(&b, WITNESS_OTHER);
	assert_int_equal(r.state, REQUEST_FAILED);
	assert_non_null(strstr(r.outcome, "by another exit"));
	bench_done(&b);
	r = wish_is_out(&b, WITNESS_UNSEEN);
	assert_int_equal(r.state, REQUEST_FAILED);
	assert_non_null(strstr(r.outcome, "not seen"));
	bench_done(&b);
	r = wish_is_out(&b, WITNESS_WAITS);
	assert_int_equal(r.state, REQUEST_QUEUED);
	b.t.now_ms += WITNESS_WAIT_MS;
	turn(&b);
	assert_int_equal(stored(&b, r.id).state, REQUEST_FAILED);
	bench_done(&b);
}

/* Its own transaction: the event says whether L1 paid, or owes. */
static void test_a_wish_that_is_owed_is_not_told_as_paid(void **state)
{
	struct request r = a_wish(OWNER);
	struct sovereign_log log = {.event = SOVEREIGN_EXITED};
	struct task_news news = {.key = r.id, .why = ""};
	struct bench b;

	(void)state;
	u256_to_be(mask_with(u256_from(0), LEAF), log.exited.credited.b, 32);
	for (int credited = 0; credited < 2; credited++) {
		bench_init(&b);
		assert_int_equal(add(&b, &r, true), OK);
		news.event = TASK_SIGNED;
		assert_int_equal(book_news(b.book, &b.t, &news), OK);
		news.event = TASK_MINED;
		news.block = 100;
		assert_int_equal(book_news(b.book, &b.t, &news), OK);
		turn(&b);
		if (!credited)
			log.exited.credited = (struct hash32){{0}};
		else
			u256_to_be(mask_with(u256_from(0), LEAF),
				   log.exited.credited.b, 32);
		world.event_got(world.event_ctx, OK, &log);
		turn(&b); /* included; nothing of it flies: final */
		turn(&b);
		assert_int_equal(stored(&b, r.id).state, REQUEST_FINAL);
		const char *outcome = stored(&b, r.id).outcome;
		assert_int_equal(!strstr(outcome, "credited"), !credited);
		assert_int_equal(!strstr(outcome, "paid"), credited);
		bench_done(&b);
	}
	r = wish_is_out(&b, WITNESS_CREDITED);
	assert_int_equal(r.state, REQUEST_FINAL);
	assert_non_null(strstr(r.outcome, "to be claimed"));
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_used_signature_is_hearsay_until_it_is_final),
		cmocka_unit_test(
			test_what_another_brought_to_l1_is_followed_there),
		cmocka_unit_test(test_what_was_paid_is_told_to_the_wei),
		cmocka_unit_test(test_what_is_owed_is_not_told_as_paid),
		cmocka_unit_test(test_what_is_not_found_is_looked_for_again),
		cmocka_unit_test(test_a_wish_that_is_owed_is_not_told_as_paid),
		cmocka_unit_test(test_an_expired_one_may_stand_on_l1),
		cmocka_unit_test(test_a_wish_does_not_end_by_hearsay),
		cmocka_unit_test(test_somebody_else_was_faster_is_success),
		cmocka_unit_test(test_a_leaf_paid_elsewhere_is_told_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
