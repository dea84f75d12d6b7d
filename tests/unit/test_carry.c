/* When a bundle is worth a transaction, and which nonce carries it. */
#include "tests/unit/unit.h"

#include "abi/contracts_tables.h"
#include "relayer/book.h"
#include "relayer/carry.c"
#include "relayer/flight.h"
#include "relayer/nonce.h"
#include "tests/unit/relaying.h"
#include "tests/unit/values.h"

#define LAST_AT 1000

static struct hatch_facts world(void)
{
	struct hatch_facts f = {
		.hatch = an_address(0xaa),
		.epoch = 4,
		.count = 9,
		.last_at = LAST_AT,
		.terms = {.sla_window = 8,
			  .failover_window = 8,
			  .inclusion_window = 6,
			  .hard_deadline = 20,
			  .notice = 36,
			  .finality = 8,
			  .round = 2},
		.thresholds = {2, 3, 3, 3},
		.state = ROLLUP_RUNNING,
	};

	return f;
}

static struct bundle a_bundle(enum vote_action action, uint64_t expiry,
			      size_t n)
{
	struct bundle b = {.vote = {.chain_id = 1,
				    .hatch = an_address(0xaa),
				    .action = action,
				    .epoch = 4,
				    .progress = action <= VOTE_OPEN ? 9 : 0,
				    .expiry = expiry},
			   .n = n};

	b.vote.subject = action == VOTE_OPEN
				 ? vote_subject_bytes((struct slice){0})
				 : vote_subject_address(an_address(5));
	return b;
}

static void test_only_ballots_of_this_moment_fit(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_PROMOTE, 1012, 2);

	(void)state;
	assert_true(carry_fits(&f, 1, &b.vote));
	assert_false(carry_fits(&f, 2, &b.vote));
	b.vote.epoch++;
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_PROMOTE, 1012, 2);
	b.vote.progress--;
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_PROMOTE, 1012, 2);
	b.vote.hatch = an_address(1);
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_RESUME, 5000, 3);
	assert_true(carry_fits(&f, 1, &b.vote));
	b.vote.progress = 9;
	assert_false(carry_fits(&f, 1, &b.vote));
	b = a_bundle(VOTE_AMEND, 5000, 3);
	assert_false(carry_fits(&f, 1, &b.vote));
}

static void test_a_promotion_waits_for_late_and_enough(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_PROMOTE, 1012, 2);

	(void)state;
	assert_false(carry_ready(&f, &b, LAST_AT + 8));
	assert_true(carry_ready(&f, &b, LAST_AT + 9));
	b.n = 1;
	assert_false(carry_ready(&f, &b, LAST_AT + 9));
	b.n = 2;
	assert_true(carry_ready(&f, &b, 1012));
	assert_false(carry_ready(&f, &b, 1013)); /* dead */
	b.vote.expiry = 1016;
	assert_false(carry_ready(&f, &b, 1010)); /* not alive yet */
	f.promoted_at = LAST_AT + 9;
	assert_false(carry_ready(&f, &b, 1012)); /* PROMOTED */
}

static void test_an_opening_carries_no_arguments(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_OPEN, 1012, 3);

	(void)state;
	assert_true(carry_ready(&f, &b, LAST_AT + 9));
	b.vote.subject = a_hash(1);
	assert_false(carry_ready(&f, &b, LAST_AT + 9));
	b = a_bundle(VOTE_OPEN, 1012, 2);
	assert_false(carry_ready(&f, &b, LAST_AT + 9));
}

static void test_a_resume_waits_for_the_exits(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_RESUME, 2000, 3);

	(void)state;
	assert_false(carry_ready(&f, &b, 1050)); /* not open */
	f.state = ROLLUP_OPEN;
	f.opened_at = 1021;
	assert_false(carry_ready(&f, &b, 1027));
	assert_true(carry_ready(&f, &b, 1028));
	assert_false(carry_ready(&f, &b, 2001));
}

static void test_a_gap_is_filled_before_the_end(void **state)
{
	static const uint64_t used[] = {9, 7, 5, 6};

	(void)state;
	assert_int_equal(nonce_pick(5, used, 4), 8);
	assert_int_equal(nonce_pick(4, used, 4), 4);
	assert_int_equal(nonce_pick(9, used, 4), 10);
	assert_int_equal(nonce_pick(0, NULL, 0), 0);
}

struct fixture {
	struct scratch scratch;
	struct parts parts;
	struct store_txn *txn;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){0};
	relaying_open(&f->scratch, &f->parts, &f->txn);
}

static void teardown(struct fixture *f)
{
	relaying_close(&f->scratch, &f->parts, f->txn);
}

static void put(struct fixture *f, uint64_t nonce, uint8_t hash)
{
	struct sent_tx tx = {.nonce = nonce,
			     .hash = a_hash(hash),
			     .raw = slice_str("bytes")};

	assert_int_equal(nonces_put(f->txn, &f->parts.nonces, &tx), OK);
}

static void test_versions_of_a_nonce_stay_known_until_it_is_final(void **state)
{
	struct hash32 older[FLIGHT_HASHES_MAX];
	struct sent_tx tx;
	struct fixture f;
	size_t n;

	(void)state;
	setup(&f);
	put(&f, 3, 1);
	put(&f, 4, 9);
	assert_int_equal(nonces_older(f.txn, &f.parts.nonces, 3, older, &n),
			 OK);
	assert_int_equal(n, 0);
	put(&f, 3, 2);
	put(&f, 3, 2); /* the same again is no new version */
	put(&f, 3, 3);
	assert_int_equal(nonces_older(f.txn, &f.parts.nonces, 3, older, &n),
			 OK);
	assert_int_equal(n, 2);
	assert_hash_equal(older[0], a_hash(1));
	assert_hash_equal(older[1], a_hash(2));
	assert_int_equal(requests_get_tx(f.txn, &f.parts.requests, 3, &tx), OK);
	assert_hash_equal(tx.hash, a_hash(3));
	assert_int_equal(nonces_forget(f.txn, &f.parts.nonces, 4), OK);
	assert_int_equal(nonces_older(f.txn, &f.parts.nonces, 3, older, &n),
			 OK);
	assert_int_equal(n, 0);
	assert_int_equal(requests_get_tx(f.txn, &f.parts.requests, 3, &tx),
			 ERR_NOT_FOUND);
	assert_int_equal(requests_get_tx(f.txn, &f.parts.requests, 4, &tx), OK);
	teardown(&f);
}

static void test_what_was_spent_adds_up(void **state)
{
	struct u256 sum;
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(spent_get(f.txn, &f.parts.nonces, SPENT_HOUR, 5, &sum),
			 OK);
	assert_true(u256_is_zero(sum));
	assert_int_equal(
		spent_add(f.txn, &f.parts.nonces, SPENT_HOUR, 5, u256_from(40)),
		OK);
	assert_int_equal(
		spent_add(f.txn, &f.parts.nonces, SPENT_HOUR, 5, u256_from(2)),
		OK);
	assert_int_equal(
		spent_add(f.txn, &f.parts.nonces, SPENT_LIFE, 5, u256_from(7)),
		OK);
	assert_int_equal(spent_get(f.txn, &f.parts.nonces, SPENT_HOUR, 5, &sum),
			 OK);
	assert_int_equal(u256_u64(sum), 42);
	teardown(&f);
}

/* ---- with the transactions on their way --------------------------------- */

struct bench {
	struct relayer_config config;
	struct nonces nonces;
	struct parts parts;
	struct hatch_facts facts;
	struct l1_view view;
	struct turn t;
};

static void bench_init(struct bench *b)
{
	static char *urls[] = {"http://liar", "http://honest"};

	*b = (struct bench){.facts = world()};
	b->config.shared.chain.id = 1;
	b->config.shared.peers = (struct config_list){.items = urls, .n = 2};
	b->config.fees.max_fee = u256_from(300000000000);
	b->config.fees.max_tip = u256_from(5000000000);
	b->config.fees.replace = 1250;
	b->parts.config = &b->config;
	b->parts.peers = peers_new(NULL, "watcher", &b->config.shared.peers);
	b->parts.submit =
		submit_new(NULL, NULL, &b->config, &b->nonces, on_news, NULL);
	b->view.healthy = true;
	b->t = (struct turn){
		.now_ms = 100000, .view = &b->view, .facts = &b->facts};
	told_times = 0;
}

static void bench_done(struct bench *b)
{
	submit_free(b->parts.submit);
	peers_free(b->parts.peers);
}

static enum want want_one(struct bench *b, uint8_t name, struct task task)
{
	task.key = a_hash(name);
	buf_init(&task.data, 100);
	return submit_want(b->parts.submit, &b->t, &task);
}

static void tell_proof(struct pull *pull, size_t peer, const char *text)
{
	struct peer_answer answer = {.err = OK, .peer = peer};
	struct json_doc *doc;
	struct err_text error;

	assert_int_equal(json_parse(slice_str(text), 1 << 20, 32, &doc, &error),
			 OK);
	answer.root = json_root(doc);
	bad_batch_came(pull, &answer);
	json_free(doc);
}

static void test_a_liar_holds_no_proof_back(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	struct carry *c = carry_new(&b.parts);
	c->facts = &b.facts;
	/* A batch that is not there, then an empty promise at every poll. */
	tell_proof(&c->bad[0], 0,
		   "{\"batch\":9007199254740000,\"proof\":\"0x01\"}");
	tell_proof(&c->bad[1], 1, "{\"batch\":9,\"proof\":\"0x0102\"}");
	send_proof(c, &b.t);
	tell_proof(&c->bad[0], 0, "{\"batch\":9,\"proof\":\"0x03\"}");
	b.t.now_ms += 10000;
	send_proof(c, &b.t);
	assert_true(submit_flying(b.parts.submit, c->claims[1].key));
	assert_true(c->claims[0].proof.len);
	/* L1 refuses the liar's: only he waits. */
	struct task_news news = {.key = c->claims[0].key,
				 .event = TASK_REFUSED,
				 .why = "StepIsGood"};
	carry_news(c, &b.t, &news);
	assert_true(c->claims[0].until_ms > b.t.now_ms);
	assert_int_equal(c->claims[1].until_ms, 0);
	assert_int_equal(c->claims[1].proof.len, 2);
	carry_free(c);
	bench_done(&b);
}

static void test_a_dropped_task_is_told(void **state)
{
	struct task task = {.purpose = PURPOSE_EVACUATE, .gas = 1000000};
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(want_one(&b, 7, task), WANT_TAKEN);
	b.t.now_ms += FLIGHT_STALE_MS;
	assert_int_equal(submit_write(b.parts.submit, &b.t), OK);
	assert_int_equal(told_times, 0);
	b.t.now_ms++;
	assert_int_equal(submit_write(b.parts.submit, &b.t), OK);
	assert_false(submit_flying(b.parts.submit, a_hash(7)));
	assert_int_equal(told_times, 1);
	assert_int_equal(told.event, TASK_DROPPED);
	assert_true(hash_eq(told.key, a_hash(7)));
	bench_done(&b);
}

static void test_urgent_acts_find_a_place(void **state)
{
	struct task ordinary = {.purpose = PURPOSE_CARRY, .gas = 1};
	struct task execute = {.purpose = PURPOSE_EXECUTE, .gas = 1};
	struct task open = {.purpose = PURPOSE_OPEN, .urgency = FEE_URGENT};
	unsigned taken = 0;
	struct bench b;

	(void)state;
	bench_init(&b);
	for (uint8_t i = 0; i < 100; i++)
		taken += want_one(&b, i, ordinary) == WANT_TAKEN;
	assert_int_equal(taken, FLIGHTS_MAX - FLIGHTS_URGENT - FLIGHTS_EXECUTE);
	taken = 0;
	for (uint8_t i = 100; i < 150; i++)
		taken += want_one(&b, i, execute) == WANT_TAKEN;
	assert_int_equal(taken, FLIGHTS_EXECUTE);
	assert_int_equal(want_one(&b, 200, open), WANT_TAKEN);
	/* What is in a block takes none of these places. */
	for (size_t i = 0; i < FLIGHTS_MAX - FLIGHTS_URGENT; i++)
		b.parts.submit->flights[i].stage = FLIGHT_MINED;
	assert_int_equal(want_one(&b, 201, ordinary), WANT_TAKEN);
	bench_done(&b);
}

static void test_what_nobody_takes_frees_its_nonce(void **state)
{
	struct task task = {.purpose = PURPOSE_CARRY, .gas = 21000};
	struct sent_tx stored;
	struct fixture f;
	struct bench b;

	(void)state;
	setup(&f);
	bench_init(&b);
	b.nonces = f.parts.nonces;
	b.t.txn = f.txn;
	assert_int_equal(want_one(&b, 7, task), WANT_TAKEN);
	struct flight *flight = flight_find(b.parts.submit, a_hash(7));
	flight->stage = FLIGHT_SIGNED;
	flight->nonce = 5;
	flight->signature.b[31] = flight->signature.b[63] = 1;
	flight->signature.b[64] = 27;
	assert_int_equal(submit_write(b.parts.submit, &b.t), OK);
	assert_int_equal(requests_get_tx(f.txn, &f.parts.requests, 5, &stored),
			 OK);
	flight->rejected = REJECTED_TRIES;
	flight->maybe_held = true; /* by some node: it may still be mined */
	assert_int_equal(submit_write(b.parts.submit, &b.t), OK);
	assert_true(submit_flying(b.parts.submit, a_hash(7)));
	flight->maybe_held = false;
	assert_int_equal(submit_write(b.parts.submit, &b.t), OK);
	assert_false(submit_flying(b.parts.submit, a_hash(7)));
	assert_int_equal(told.event, TASK_DROPPED);
	assert_int_equal(requests_get_tx(f.txn, &f.parts.requests, 5, &stored),
			 ERR_NOT_FOUND);
	bench_done(&b);
	teardown(&f);
}

static void test_the_balance_covers_what_waits_in_front(void **state)
{
	struct task task = {.purpose = PURPOSE_CARRY, .gas = 1};
	const char *why;
	struct bench b;

	(void)state;
	bench_init(&b);
	struct submit *s = b.parts.submit;
	assert_int_equal(want_one(&b, 1, task), WANT_TAKEN);
	assert_int_equal(want_one(&b, 2, task), WANT_TAKEN);
	struct flight *first = flight_find(s, a_hash(1));
	struct flight *second = flight_find(s, a_hash(2));
	first->stage = FLIGHT_SENT;
	first->nonce = 5;
	first->cost = u256_from(60);
	second->cost = u256_from(50);
	s->account =
		(struct account_state){.nonce = 5, .balance = u256_from(100)};
	assert_int_equal(afford_check(s, &b.t, second, &why), OK);
	assert_string_not_equal(why, "");
	s->account.nonce = 6; /* in a block: paid from it already */
	assert_int_equal(afford_check(s, &b.t, second, &why), OK);
	assert_string_equal(why, "");
	bench_done(&b);
}

static void test_an_id_of_anothers_withdrawal_is_looked_up_again(void **state)
{
	struct request r = {.id = a_hash(3),
			    .kind = REQUEST_WITHDRAWAL,
			    .state = REQUEST_INCLUDED,
			    .tx_hash = a_hash(8),
			    .withdraw = {.index = 4,
					 .amount = u256_from(9),
					 .recipient = an_address(6)}};
	struct fixture f;
	struct bench b;

	(void)state;
	setup(&f);
	bench_init(&b);
	b.parts.requests = f.parts.requests;
	b.t.txn = f.txn;
	b.config.requests.open = 4;
	struct book *book = book_new(&b.parts);
	assert_int_equal(requests_add(f.txn, &f.parts.requests, &r), OK);
	assert_int_equal(book_load(book, f.txn), OK);
	struct slot *slot = book_slot(book, r.id);
	slot->fate = EGRESS_FATE_QUEUED;
	slot->l1_index = 4;
	slot->l1_amount = u256_from(9);
	slot->l1_recipient = an_address(6);
	assert_int_equal(book_turn_fate(book, &b.t, slot), OK);
	assert_int_equal(slot->state, REQUEST_INCLUDED);
	slot->l1_recipient = an_address(7);
	assert_int_equal(book_turn_fate(book, &b.t, slot), OK);
	assert_int_equal(slot->state, REQUEST_SENT);
	assert_true(slot->want_status);
	book_free(book);
	bench_done(&b);
	teardown(&f);
}

static void test_a_bundle_lives_through_the_next_block(void **state)
{
	struct hatch_facts f = world();
	struct bundle b = a_bundle(VOTE_PROMOTE, 1012, 2);

	(void)state;
	assert_true(carry_lasts(&f, &b.vote, 1010)); /* a round is 2 s */
	assert_false(carry_lasts(&f, &b.vote, 1011));
	f.terms.round = 600;
	assert_true(carry_lasts(&f, &b.vote, 1012 - BUNDLE_MARGIN_S));
	assert_false(carry_lasts(&f, &b.vote, 1013 - BUNDLE_MARGIN_S));
}

/* A carry that knows these bundles, and asks no watcher. */
static struct carry *carry_with(struct bench *b, const uint64_t *expiries,
				size_t n)
{
	struct carry *c = carry_new(&b->parts);

	for (size_t i = 0; i < SETTINGS_PEERS_MAX; i++)
		c->ballots[i].next_ms = c->bad[i].next_ms = UINT64_MAX;
	for (size_t i = 0; i < n; i++)
		c->pool[c->n++].bundle = a_bundle(VOTE_PROMOTE, expiries[i], 2);
	return c;
}

static void carry_turns(struct carry *c, struct bench *b)
{
	for (unsigned i = 0; i < 3; i++) { /* stagger */
		carry_turn(c, &b->t);
		b->t.now_ms += STAGGER_STEPS * STAGGER_STEP_MS;
	}
}

static struct flight *bundle_flight(struct bench *b, uint64_t expiry)
{
	struct bundle bundle = a_bundle(VOTE_PROMOTE, expiry, 2);

	return flight_find(b->parts.submit, bundle_key(&bundle.vote));
}

static void test_the_bundle_that_lives_longest_goes(void **state)
{
	static const uint64_t expiries[] = {1010, 1012, 1014};
	struct bench b;

	(void)state;
	bench_init(&b);
	struct carry *c = carry_with(&b, expiries, 3);
	b.t.head_time = LAST_AT + 9; /* 1010 ends with this block */
	carry_turns(c, &b);
	assert_non_null(bundle_flight(&b, 1014));
	assert_null(bundle_flight(&b, 1012));
	assert_null(bundle_flight(&b, 1010));
	carry_free(c);
	bench_done(&b);
}

static void test_a_bundle_that_dies_unsigned_makes_way(void **state)
{
	static const uint64_t expiries[] = {1012, 1016};
	struct bench b;

	(void)state;
	bench_init(&b);
	struct carry *c = carry_with(&b, expiries, 2);
	b.t.head_time = LAST_AT + 9; /* 1016 does not live yet */
	carry_turns(c, &b);
	struct flight *f = bundle_flight(&b, 1012);
	assert_non_null(f);
	flight_set_stage(f, FLIGHT_READY);
	b.t.head_time = 1011;
	carry_turns(c, &b);
	assert_null(bundle_flight(&b, 1012));
	assert_non_null(bundle_flight(&b, 1016));
	carry_free(c);
	bench_done(&b);
}

static void test_a_revert_does_not_hold_the_next_bundle(void **state)
{
	static const uint64_t expiries[] = {1012, 1016};
	struct bench b;

	(void)state;
	bench_init(&b);
	struct carry *c = carry_with(&b, expiries, 2);
	b.t.head_time = LAST_AT + 9;
	carry_turns(c, &b);
	struct flight *f = bundle_flight(&b, 1012);
	f->stage = FLIGHT_MINED;
	f->mined.fate = TX_SUCCESS;
	b.t.head_time = 1011;
	carry_turns(c, &b);
	assert_null(bundle_flight(&b, 1016)); /* it has done its work */
	f->mined.fate = TX_REVERTED;
	carry_turns(c, &b);
	assert_non_null(bundle_flight(&b, 1016));
	assert_non_null(bundle_flight(&b, 1012)); /* it keeps its nonce */
	carry_free(c);
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_ballots_of_this_moment_fit),
		cmocka_unit_test(test_a_promotion_waits_for_late_and_enough),
		cmocka_unit_test(test_an_opening_carries_no_arguments),
		cmocka_unit_test(test_a_resume_waits_for_the_exits),
		cmocka_unit_test(test_a_gap_is_filled_before_the_end),
		cmocka_unit_test(
			test_versions_of_a_nonce_stay_known_until_it_is_final),
		cmocka_unit_test(test_what_was_spent_adds_up),
		cmocka_unit_test(test_a_liar_holds_no_proof_back),
		cmocka_unit_test(test_a_dropped_task_is_told),
		cmocka_unit_test(test_urgent_acts_find_a_place),
		cmocka_unit_test(test_what_nobody_takes_frees_its_nonce),
		cmocka_unit_test(test_the_balance_covers_what_waits_in_front),
		cmocka_unit_test(
			test_an_id_of_anothers_withdrawal_is_looked_up_again),
		cmocka_unit_test(test_a_bundle_lives_through_the_next_block),
		cmocka_unit_test(test_the_bundle_that_lives_longest_goes),
		cmocka_unit_test(test_a_bundle_that_dies_unsigned_makes_way),
		cmocka_unit_test(test_a_revert_does_not_hold_the_next_bundle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
