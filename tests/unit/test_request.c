/* A citizen's request: what is taken, what is refused, what may follow. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "abi/merkle.h"
#include "relayer/book.h"
#include "relayer/flight.h"
#include "relayer/intake.c"
#include "relayer/outcome.h"
#include "tests/unit/relaying.h"
#include "tests/unit/values.h"

#define NOW   1000
#define OWNER 3

static struct board_facts world(void)
{
	return (struct board_facts){.known = true,
				    .chain_id = 1,
				    .rollup = an_address(0xaa),
				    .hatch = an_address(0xab),
				    .state = ROLLUP_RUNNING,
				    .leaf_count = 100,
				    .count = 7,
				    .evacuates = true,
				    .exits_from = NOW + 9000,
				    .head_time = NOW,
				    .inclusion_window = 600};
}

static struct withdraw a_withdraw(void)
{
	return (struct withdraw){.index = 5,
				 .amount = u256_from(77),
				 .recipient = an_address(0xbb),
				 .salt = a_hash(4),
				 .expiry = NOW + 5000};
}

static void put_signature(struct json_writer *w, struct signature s)
{
	json_put_hex(w, "signature", s.b, sizeof(s.b));
}

static void write_withdrawal(struct buf *b, const struct withdraw *wish)
{
	struct board_facts facts = world();
	struct json_writer w = json_writer(b);

	json_begin(&w, NULL);
	json_put_string(&w, "kind", "withdrawal");
	json_put_u64(&w, "index", wish->index);
	json_put_amount(&w, "amount", wish->amount);
	json_put_address(&w, "recipient", wish->recipient);
	json_put_hash(&w, "salt", wish->salt);
	json_put_u64(&w, "expiry", wish->expiry);
	put_signature(&w,
		      sign_by(OWNER, withdraw_digest(1, facts.rollup, wish)));
	json_end(&w);
}

static void write_exit(struct buf *b, const struct exit_to *wish)
{
	struct board_facts facts = world();
	struct json_writer w = json_writer(b);

	json_begin(&w, NULL);
	json_put_string(&w, "kind", "exit");
	json_put_u64(&w, "index", wish->index);
	json_put_address(&w, "recipient", wish->recipient);
	json_put_u64(&w, "count", wish->count);
	put_signature(&w,
		      sign_by(OWNER, exit_to_digest(1, facts.rollup, wish)));
	json_end(&w);
}

/* "" when taken, else "STATUS code field"; the request in ret. */
static const char *judge(const struct board_facts *facts, struct slice body,
			 struct board_item *ret)
{
	static char text[128];
	struct http_answer answer = {0};
	struct json_reader r = {0};
	struct json_doc *doc;
	struct err_text error;

	*ret = (struct board_item){0};
	buf_init(&ret->raw, JSON_BODY_MAX);
	if (intake_parse(facts, body, ret, &answer))
		return "";
	assert_int_equal(json_parse(buf_slice(&answer.body), JSON_BODY_MAX, 8,
				    &doc, &error),
			 OK);
	const json_node *e = json_object(&r, json_root(doc), "error");
	snprintf(text, sizeof(text), "%u %s %s", answer.status,
		 json_string(&r, e, "code", 32),
		 json_string(&r, e, "field", 32));
	assert_true(!r.failed && *json_string(&r, e, "message", 256));
	json_free(doc);
	buf_done(&answer.body);
	buf_done(&ret->raw);
	return text;
}

static const char *judge_withdrawal(const struct board_facts *facts,
				    const struct withdraw *wish,
				    struct board_item *ret)
{
	struct buf b;

	buf_init(&b, 4096);
	write_withdrawal(&b, wish);
	const char *text = judge(facts, buf_slice(&b), ret);
	buf_done(&b);
	return text;
}

static void test_a_withdrawal_is_taken_with_its_id_and_deadline(void **state)
{
	struct board_facts facts = world();
	struct withdraw wish = a_withdraw();
	struct board_item item;
	struct address signer;

	(void)state;
	assert_string_equal(judge_withdrawal(&facts, &wish, &item), "");
	assert_hash_equal(item.request.id,
			  request_id_withdrawal(1, facts.rollup, &wish));
	assert_int_equal(item.request.state, REQUEST_QUEUED);
	assert_int_equal(item.request.accepted_at, NOW);
	assert_int_equal(item.request.deadline, NOW + 600);
	assert_int_equal(
		request_signer(&item.request, 1, facts.rollup, &signer), OK);
	assert_address_equal(signer, address_of(OWNER));
	buf_done(&item.raw);
}

static void test_what_is_certain_to_fail_is_refused(void **state)
{
	struct board_facts facts = world();
	struct board_item item;
	struct withdraw w;

	(void)state;
	w = a_withdraw();
	w.amount = u256_from(0);
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "422 certain_to_fail amount");
	w = a_withdraw();
	w.expiry = NOW;
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "422 certain_to_fail expiry");
	w = a_withdraw();
	w.index = 100;
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "422 certain_to_fail index");
	w = a_withdraw();
	w.recipient = facts.rollup;
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "422 certain_to_fail recipient");
	w = a_withdraw();
	w.recipient = facts.hatch;
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "422 certain_to_fail recipient");
	w.recipient = (struct address){{0}};
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "422 certain_to_fail recipient");
	w = a_withdraw();
	facts.state = ROLLUP_OPEN;
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "422 certain_to_fail kind");
	facts.known = false;
	memcpy(facts.not_ready, "L1", 3);
	assert_string_equal(judge_withdrawal(&facts, &w, &item),
			    "503 not_ready ");
}

static void test_an_exit_of_a_past_count_is_refused(void **state)
{
	struct board_facts facts = world();
	struct exit_to wish = {.index = 5,
			       .recipient = an_address(0xbb),
			       .count = facts.count - 1};
	struct board_item item;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	write_exit(&b, &wish);
	assert_string_equal(judge(&facts, buf_slice(&b), &item),
			    "422 certain_to_fail count");
	buf_clear(&b);
	wish.count++;
	facts.state = ROLLUP_OPEN; /* that is what it is for */
	write_exit(&b, &wish);
	assert_string_equal(judge(&facts, buf_slice(&b), &item), "");
	assert_hash_equal(item.request.id,
			  request_id_exit(1, facts.rollup, &wish));
	assert_int_equal(item.request.deadline, NOW + 9600);
	buf_done(&item.raw);
	buf_done(&b);
}

static const char *judge_exit_of(const struct board_facts *facts,
				 uint64_t count)
{
	struct exit_to wish = {
		.index = 5, .recipient = an_address(0xbb), .count = count};
	struct board_item item;
	struct buf b;

	buf_init(&b, 4096);
	write_exit(&b, &wish);
	const char *text = judge(facts, buf_slice(&b), &item);
	if (!*text)
		buf_done(&item.raw);
	buf_done(&b);
	return text;
}

static void test_a_wish_that_nobody_keeps_is_refused(void **state)
{
	struct board_facts facts = world();
	uint64_t far = facts.count + WISH_COUNT_AHEAD;

	(void)state;
	assert_string_equal(judge_exit_of(&facts, far), "");
	assert_string_equal(judge_exit_of(&facts, far + 1),
			    "422 certain_to_fail count");
	facts.evacuates = false;
	assert_string_equal(judge_exit_of(&facts, facts.count),
			    "422 certain_to_fail kind");
}

static void test_nonsense_is_refused_by_its_field(void **state)
{
	static const struct {
		const char *body, *verdict;
	} cases[] = {
		{"", "400 bad_json "},
		{"{", "400 bad_json "},
		{"[]", "400 bad_field kind"},
		{"{}", "400 bad_field kind"},
		{"{\"kind\":\"gift\"}", "400 bad_field kind"},
		{"{\"kind\":\"transaction\",\"raw\":\"0x\"}",
		 "422 certain_to_fail raw"},
		{"{\"kind\":\"transaction\",\"raw\":\"0x1\"}",
		 "400 bad_field raw"},
		{"{\"kind\":\"transaction\",\"raw\":\"0x12\",\"x\":1}",
		 "400 bad_field x"},
		{"{\"kind\":\"transaction\"}", "400 bad_field raw"},
		{"{\"kind\":\"exit\",\"index\":-1}", "400 bad_field index"},
	};
	struct board_facts facts = world();
	struct board_item item;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
			judge(&facts, slice_str(cases[i].body), &item),
			cases[i].verdict);
	assert_string_equal(
		judge(&facts,
		      slice_str("{\"kind\":\"transaction\",\"raw\":\"0x12\"}"),
		      &item),
		"");
	assert_int_equal(item.request.raw.len, 1);
	buf_done(&item.raw);
}

static bool takes(struct slice body)
{
	struct board_facts facts = world();
	struct board_item item;
	bool taken = !*judge(&facts, body, &item);

	if (taken)
		buf_done(&item.raw);
	return taken;
}

static void test_no_prefix_of_a_request_is_taken(void **state)
{
	struct withdraw wish = a_withdraw();
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	write_withdrawal(&b, &wish);
	assert_true(takes(buf_slice(&b)));
	assert_prefixes_refused(buf_slice(&b), takes);
	buf_done(&b);
}

static void test_the_deadline_is_never_after_the_signature_expires(void **state)
{
	struct request_times times = {.now = NOW, .inclusion_window = 600};
	struct request r = {.kind = REQUEST_WITHDRAWAL};

	(void)state;
	r.withdraw.expiry = NOW + 10;
	assert_int_equal(request_deadline(&r, &times), NOW + 10);
	r.withdraw.expiry = NOW + 10000;
	assert_int_equal(request_deadline(&r, &times), NOW + 600);
	/* A window of days is no promise to wait days. */
	r.withdraw.expiry = NOW + 1000000;
	times.inclusion_window = 86400;
	assert_int_equal(request_deadline(&r, &times), NOW + 3600);
}

static void test_a_wish_is_promised_from_the_exits_on(void **state)
{
	struct request_times times = {.now = NOW, .inclusion_window = 600};
	struct request r = {.kind = REQUEST_EXIT};

	(void)state;
	assert_int_equal(request_deadline(&r, &times), 0); /* no clock runs */
	times.exits_from = NOW + 9000; /* the hatch is closed */
	assert_int_equal(request_deadline(&r, &times), NOW + 9600);
	times.exits_from = NOW - 5; /* it is open */
	assert_int_equal(request_deadline(&r, &times), NOW + 600);
}

static void test_nothing_follows_an_end(void **state)
{
	(void)state;
	for (int to = REQUEST_QUEUED; to <= REQUEST_FAILED; to++) {
		assert_false(request_may_become(REQUEST_FINAL, to));
		if (to != REQUEST_QUEUED) /* asked for again, proven */
			assert_false(request_may_become(REQUEST_FAILED, to));
	}
	/* What was signed is never failed without L1's word. */
	assert_false(request_may_become(REQUEST_SIGNED, REQUEST_FAILED));
	assert_false(request_may_become(REQUEST_SENT, REQUEST_FAILED));
	/* Somebody else brought it to L1. */
	assert_true(request_may_become(REQUEST_QUEUED, REQUEST_INCLUDED));
	assert_true(request_may_become(REQUEST_QUEUED, REQUEST_SIGNED));
	assert_true(request_may_become(REQUEST_INCLUDED, REQUEST_SENT));
	assert_true(request_may_become(REQUEST_SENT, REQUEST_QUEUED));
}

static void test_a_proof_of_another_leaf_proves_no_owner(void **state)
{
	static char *urls[] = {"http://liar"};
	struct relayer_config config = {0};
	struct parts parts = {.config = &config};
	struct record records[2];
	struct pack pack = {.leaf_count = 2, .n = 1};
	struct peer_answer answer = {.err = OK};
	struct err_text error;
	struct json_doc *doc;
	struct buf text;

	(void)state;
	config.shared.peers = (struct config_list){.items = urls, .n = 1};
	parts.peers = peers_new(NULL, "watcher", &config.shared.peers);
	struct intake *in = intake_new(&parts, NULL);
	for (uint8_t i = 0; i < 2; i++)
		records[i] = record_balance(an_address((uint8_t)(i + 1)),
					    an_address(0), u256_from(5));
	pack.leaves[0].index = 1;
	pack.leaves[0].record = records[1];
	pack.leaves[0].siblings[0] = record_leaf(&records[0]);
	for (unsigned h = 1; h < MERKLE_DEPTH_MIN; h++)
		pack.leaves[0].siblings[h] = merkle_zero(h);
	pack.root = merkle_root(1, record_leaf(&records[1]),
				pack.leaves[0].siblings, MERKLE_DEPTH_MIN);
	buf_init(&text, 1 << 16);
	struct json_writer w = json_writer(&text);
	pack_json(&pack, &w, NULL);
	assert_int_equal(
		json_parse(buf_slice(&text), 1 << 20, 32, &doc, &error), OK);
	answer.root = json_root(doc);
	struct board_item *item = calloc(1, sizeof(*item));
	assert_non_null(item);
	item->request.kind = REQUEST_WITHDRAWAL;
	item->request.id = a_hash(9);
	in->waiting[in->n++] = item;
	in->root = pack.root;
	for (uint64_t index = 0; index < 2; index++) {
		struct owner_ask *ask = &in->asks[0];
		*ask = (struct owner_ask){in, true, item->request.id};
		item->request.withdraw.index = index;
		owner_came(ask, &answer);
		assert_int_equal(item->owner_known, index == 1);
	}
	assert_true(item->payable);
	/* Another signature of the same request waits beside it. */
	struct board_item *twin = calloc(1, sizeof(*twin));
	assert_non_null(twin);
	twin->request = item->request;
	in->waiting[in->n++] = twin;
	owner_came(&in->asks[0], &answer);
	assert_true(twin->owner_known && twin->answered);
	json_free(doc);
	buf_done(&text);
	intake_free(in);
	peers_free(parts.peers);
}

/* All the places for proofs are taken: it waits for one, and is told so. */
static void test_what_cannot_be_proven_in_time_is_not_kept(void **state)
{
	struct hatch_facts facts = {.count = 7};
	struct l1_view view = {.healthy = true};
	struct turn t = {.now_ms = 5000, .view = &view, .facts = &facts};
	struct board_item *item = calloc(1, sizeof(*item));
	struct parts parts = {0};

	(void)state;
	assert_non_null(item);
	item->request.kind = REQUEST_EXIT;
	struct board *board = board_new();
	struct intake *in = intake_new(&parts, board);
	for (size_t i = 0; i < PEER_ASKS_MAX; i++)
		in->asks[i].used = true;
	assert_true(board_push(board, item));
	assert_int_equal(intake_turn(in, NULL, &t), OK);
	assert_false(item->done);
	t.now_ms += OWNER_WAIT_MS;
	assert_int_equal(intake_turn(in, NULL, &t), OK);
	assert_true(item->done);
	assert_int_equal(item->answer.status, 503);
	buf_done(&item->answer.body);
	intake_free(in);
	board_free(board);
}

/* ---- the book, with a store --------------------------------------------- */

struct bench {
	struct scratch scratch;
	struct relayer_config config;
	struct parts parts;
	struct store_txn *txn;
	struct book *book;
	struct l1_view view;
	struct hatch_facts facts;
	struct turn t;
};

static void bench_init(struct bench *b)
{
	*b = (struct bench){0};
	b->config.requests.open = 8;
	b->parts.config = &b->config;
	relaying_open(&b->scratch, &b->parts, &b->txn);
	b->parts.submit = submit_new(NULL, NULL, &b->config, &b->parts.nonces,
				     on_news, NULL);
	b->book = book_new(&b->parts);
	b->view.healthy = true;
	b->facts.count = 1;
	b->t = (struct turn){
		.txn = b->txn, .view = &b->view, .facts = &b->facts};
}

static void bench_done(struct bench *b)
{
	book_free(b->book);
	submit_free(b->parts.submit);
	relaying_close(&b->scratch, &b->parts, b->txn);
}

/* A forced transaction of one byte is handed in; "202", or "503 code". */
static const char *hands_in(struct bench *b, uint8_t byte)
{
	static char said[64];
	struct board_item *item = calloc(1, sizeof(*item));
	struct board *board = board_new();
	struct intake *in = intake_new(&b->parts, board);

	assert_non_null(item);
	buf_init(&item->raw, 64);
	buf_add_byte(&item->raw, byte);
	item->request = (struct request){.id = a_hash(byte),
					 .kind = REQUEST_TRANSACTION,
					 .state = REQUEST_QUEUED,
					 .raw = buf_slice(&item->raw)};
	assert_true(board_push(board, item));
	assert_int_equal(intake_turn(in, b->book, &b->t), OK);
	assert_true(item->done);
	buf_add_byte(&item->answer.body, 0);
	const char *code = strstr((char *)item->answer.body.p, "\"code\":\"");
	snprintf(said, sizeof(said), "%u%s%.9s", item->answer.status,
		 code ? " " : "", code ? code + 8 : "");
	buf_done(&item->answer.body);
	intake_free(in);
	board_free(board);
	return said;
}

static void test_what_cannot_be_carried_is_not_accepted(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	book_measure(b.book);
	assert_string_equal(hands_in(&b, 1), "202");
	b.book->room.space.used = b.book->room.space.size;
	assert_string_equal(hands_in(&b, 2), "503 disk_full");
	assert_string_equal(hands_in(&b, 1), "202"); /* known: as before */
	assert_int_equal(book_fail(b.book, &b.t, a_hash(1), "x"), OK);
	assert_string_equal(hands_in(&b, 1), "503 disk_full");
	book_measure(b.book);
	b.parts.submit->account_known = true;
	b.parts.submit->account.base_fee = 1;
	assert_string_equal(hands_in(&b, 2), "503 no_funds\"");
	b.parts.submit->account.balance = u256_from(REQUEST_GAS_LEAST);
	for (uint8_t i = 2; i < 10; i++)
		assert_string_equal(hands_in(&b, i), "202");
	assert_string_equal(hands_in(&b, 10), "503 too_many\"");
	bench_done(&b);
}

static void test_included_is_proven_again_after_a_start(void **state)
{
	struct request r = {.id = a_hash(3),
			    .kind = REQUEST_EXIT,
			    .state = REQUEST_INCLUDED};
	struct task_news news = {.key = a_hash(3),
				 .event = TASK_MINED,
				 .reverted = true,
				 .why = ""};
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(requests_add(b.txn, &b.parts.requests, &r), OK);
	assert_int_equal(book_load(b.book, b.txn), OK);
	assert_int_equal(book_news(b.book, &b.t, &news), OK);
	news.event = TASK_FINAL;
	assert_int_equal(book_news(b.book, &b.t, &news), OK);
	assert_int_equal(requests_get(b.txn, &b.parts.requests, r.id, &r), OK);
	assert_int_equal(r.state, REQUEST_QUEUED);
	bench_done(&b);
}

static void test_a_wish_that_l1_refuses_ends(void **state)
{
	struct request r = {
		.id = a_hash(3), .kind = REQUEST_EXIT, .state = REQUEST_QUEUED};
	struct task_news news = {.key = a_hash(3),
				 .event = TASK_REFUSED,
				 .for_now = true,
				 .why = "TooMuchGas: its fees"};
	struct request known;
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(book_add(b.book, &b.t, &r, true, &known), OK);
	for (unsigned i = 0; i < WISH_TRIES; i++)
		assert_int_equal(book_news(b.book, &b.t, &news), OK);
	assert_int_equal(requests_get(b.txn, &b.parts.requests, r.id, &r), OK);
	assert_int_equal(r.state, REQUEST_QUEUED);
	news.why = "ItsOwnReason";
	news.for_now = false;
	for (unsigned i = 0; i < WISH_TRIES; i++)
		assert_int_equal(book_news(b.book, &b.t, &news), OK);
	assert_int_equal(requests_get(b.txn, &b.parts.requests, r.id, &r), OK);
	assert_int_equal(r.state, REQUEST_FAILED);
	bench_done(&b);
}

static void test_the_owners_signature_takes_the_place(void **state)
{
	struct request r = {.id = a_hash(3),
			    .kind = REQUEST_WITHDRAWAL,
			    .state = REQUEST_QUEUED};
	struct request known;
	struct bench b;

	(void)state;
	bench_init(&b);
	r.signature.b[0] = 1; /* somebody's */
	assert_int_equal(book_add(b.book, &b.t, &r, false, &known), OK);
	assert_int_equal(book_add(b.book, &b.t, &r, false, &known),
			 ERR_CONFLICT);
	r.signature.b[0] = 2; /* unproven too: not kept, and not said to be */
	assert_int_equal(book_add(b.book, &b.t, &r, false, &known),
			 ERR_INVALID);
	assert_int_equal(known.signature.b[0], 1);
	r.signature.b[0] = 3; /* proven */
	assert_int_equal(book_add(b.book, &b.t, &r, true, &known),
			 ERR_CONFLICT);
	assert_int_equal(requests_get(b.txn, &b.parts.requests, r.id, &known),
			 OK);
	assert_int_equal(known.signature.b[0], 3);
	assert_int_equal(book_fail(b.book, &b.t, r.id, "for a test"), OK);
	assert_int_equal(book_add(b.book, &b.t, &r, false, &known),
			 ERR_REFUSED);
	assert_string_equal(known.outcome, "for a test");
	r.signature.b[0] = 4; /* that one failed, this one did not */
	assert_int_equal(book_add(b.book, &b.t, &r, false, &known),
			 ERR_INVALID);
	assert_int_equal(book_add(b.book, &b.t, &r, true, &known),
			 ERR_CONFLICT);
	assert_int_equal(requests_get(b.txn, &b.parts.requests, r.id, &known),
			 OK);
	assert_int_equal(known.state, REQUEST_QUEUED);
	assert_int_equal(book_open(b.book), 1);
	bench_done(&b);
}

/* What is known of a wish's deadline moves with each batch. */
static void test_a_wishs_eta_follows_the_exits(void **state)
{
	struct request r = {.kind = REQUEST_EXIT,
			    .state = REQUEST_QUEUED,
			    .accepted_at = NOW,
			    .deadline = NOW + 9600};
	struct request_times times = {.now = NOW + 50, .inclusion_window = 600};

	(void)state;
	times.exits_from = NOW + 9000;
	assert_int_equal(request_eta(&r, &times), NOW + 9600);
	times.exits_from = NOW + 9050; /* a batch has landed */
	assert_int_equal(request_eta(&r, &times), NOW + 9650);
	times.exits_from = NOW - 100; /* they ran when it came */
	assert_int_equal(request_eta(&r, &times), NOW + 600);
	times.exits_from = 0; /* no clock runs */
	assert_int_equal(request_eta(&r, &times), 0);
	r.kind = REQUEST_WITHDRAWAL;
	assert_int_equal(request_eta(&r, &times), NOW + 9600);
	r.state = REQUEST_FINAL;
	assert_int_equal(request_eta(&r, &times), 0);
}

static void test_an_outcome_is_never_cut(void **state)
{
	struct withdraw asked = {.recipient = an_address(0xbb)};
	struct payment p = {.to = an_address(0xbb),
			    .asset = an_address(0xcc),
			    .credited = true};

	(void)state;
	memset(asked.amount.w, 0xff, 12); /* 2^96 - 1 */
	memset(p.amount.w, 0xff, 12);
	p.amount.w[0]--;
	struct outcome o = outcome_paid(UINT64_MAX, &asked, &p);
	assert_non_null(strstr(o.text, "79228162514264337593543950334 of "));
	assert_non_null(strstr(o.text, "on L1, to be claimed"));
	assert_non_null(strstr(o.text, "; 79228162514264337593543950335 were "
				       "asked for)"));
	p.asset = (struct address){{0}};
	p.credited = false;
	p.amount = asked.amount = u256_from(123);
	o = outcome_paid(0, &asked, &p);
	assert_string_equal(o.text,
			    "123 wei paid to 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
			    "bbbbbbbb (withdrawal 0)");
	(void)outcome_unseen(UINT64_MAX, &asked, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_cannot_be_carried_is_not_accepted),
		cmocka_unit_test(test_a_wishs_eta_follows_the_exits),
		cmocka_unit_test(test_an_outcome_is_never_cut),
		cmocka_unit_test(
			test_a_withdrawal_is_taken_with_its_id_and_deadline),
		cmocka_unit_test(test_what_is_certain_to_fail_is_refused),
		cmocka_unit_test(test_an_exit_of_a_past_count_is_refused),
		cmocka_unit_test(test_nonsense_is_refused_by_its_field),
		cmocka_unit_test(test_no_prefix_of_a_request_is_taken),
		cmocka_unit_test(
			test_the_deadline_is_never_after_the_signature_expires),
		cmocka_unit_test(test_a_wish_is_promised_from_the_exits_on),
		cmocka_unit_test(test_a_wish_that_nobody_keeps_is_refused),
		cmocka_unit_test(
			test_what_cannot_be_proven_in_time_is_not_kept),
		cmocka_unit_test(test_nothing_follows_an_end),
		cmocka_unit_test(test_a_proof_of_another_leaf_proves_no_owner),
		cmocka_unit_test(test_included_is_proven_again_after_a_start),
		cmocka_unit_test(test_a_wish_that_l1_refuses_ends),
		cmocka_unit_test(test_the_owners_signature_takes_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
