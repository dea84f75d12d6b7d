/* The open requests, from "accepted" to their end.  L1 and the watchers are the
 * test's own: it answers what was asked, by hand. */
#include "tests/unit/unit.h"

#include "abi/contracts_tables.h"
#include "abi/merkle.h"
#include "abi/pack.h"
#include "l1/account.h"
#include "relayer/book.h"
#include "relayer/calls.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"

#define OWNER 3
#define THIEF 4
#define LEAF  5
#define NOW   1000

/* ---- the world ----------------------------------------------------------- */

#define ASKS 8

struct asked { /* a batch of calls that waits for its answer */
	bool open;
	uint32_t selector;
	size_t n;
	uint64_t ids[FATES_MAX]; /* of withdrawals */
	struct hash32 at;
	l1_calls_done *done;
	void *ctx;
};

static struct {
	unsigned proofs, statuses, events;
	struct asked asks[ASKS];
	peers_got *proof_got;
	void *proof_ctx;
	bool no_peer; /* peers_ask says ERR_BUSY */
	struct hash32 status_of;
	enum witnessed witnessed;
	enum witnessed payment_seen;
	struct payment payment;
	events_got *event_got;
	void *event_ctx;
} world;

static void world_clear(void)
{
	memset(&world, 0, sizeof(world));
}

enum err l1_calls(struct l1 *l1, struct address from,
		  const struct l1_call *calls, size_t n,
		  struct hash32 block_hash, l1_calls_done *done, void *ctx)
{
	(void)l1;
	(void)from;
	for (size_t i = 0; i < ASKS; i++) {
		struct asked *a = &world.asks[i];
		if (a->open)
			continue;
		*a = (struct asked){.open = true,
				    .n = n,
				    .at = block_hash,
				    .done = done,
				    .ctx = ctx};
		a->selector = (uint32_t)get_be(calls[0].data.p, 4);
		for (size_t k = 0; k < n && k < FATES_MAX; k++)
			if (calls[k].data.len == 12)
				a->ids[k] = get_be(calls[k].data.p + 4, 8);
		return OK;
	}
	return ERR_BUSY;
}

static struct asked *ask_of(uint32_t selector)
{
	for (size_t i = 0; i < ASKS; i++)
		if (world.asks[i].open && world.asks[i].selector == selector)
			return &world.asks[i];
	return NULL;
}

static void answer_calls(uint32_t selector,
			 const struct l1_call_result *results)
{
	struct asked *a = ask_of(selector), copy;

	assert_non_null(a);
	copy = *a;
	a->open = false;
	copy.done(copy.ctx, results, copy.n);
}

#define SEL_A_WITHDRAWAL UINT32_C(0x77777777)

/* A withdrawal is answered as it stands in memory. */
void l1_withdrawal_call(struct buf *data, uint64_t id)
{
	buf_add_be(data, SEL_A_WITHDRAWAL, 4);
	buf_add_be(data, id, 8);
}

enum err l1_withdrawal_decode(struct slice data, struct l1_withdrawal *ret)
{
	if (data.len != sizeof(*ret))
		return ERR_INVALID;
	memcpy(ret, data.p, sizeof(*ret));
	return OK;
}

const char *l1_revert_name(struct slice data, char *to, size_t size)
{
	(void)data;
	(void)size;
	*to = 0;
	return to;
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
	(void)done;
	(void)ctx;
	world.statuses++;
	world.status_of = tx;
	return OK;
}

enum err tx_broadcast(struct l1 *l1, struct slice signed_bytes, send_done *done,
		      void *ctx)
{
	(void)l1;
	(void)signed_bytes;
	(void)done;
	(void)ctx;
	return ERR_BUSY;
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

struct peers *peers_new(struct http_client *http, const char *what,
			const struct config_list *urls)
{
	(void)http;
	(void)what;
	(void)urls;
	return NULL;
}

void peers_free(struct peers *p)
{
	(void)p;
}

size_t peers_count(const struct peers *p)
{
	(void)p;
	return 0;
}

const char *peers_url(const struct peers *p, size_t peer)
{
	(void)p;
	(void)peer;
	return "";
}

enum err peers_ask(struct peers *p, const char *path, uint64_t now_ms,
		   peers_got *got, void *ctx)
{
	(void)p;
	(void)path;
	(void)now_ms;
	if (world.no_peer)
		return ERR_BUSY;
	world.proofs++;
	world.proof_got = got;
	world.proof_ctx = ctx;
	return OK;
}

enum err peers_ask_one(struct peers *p, size_t peer, const char *path,
		       uint64_t now_ms, peers_got *got, void *ctx)
{
	(void)peer;
	return peers_ask(p, path, now_ms, got, ctx);
}

void peers_blame(struct peers *p, size_t peer, uint64_t now_ms, const char *why)
{
	(void)p;
	(void)peer;
	(void)now_ms;
	(void)why;
}

size_t peers_usable(const struct peers *p, uint64_t now_ms)
{
	(void)p;
	(void)now_ms;
	return 1;
}

enum err events_read(struct events *e, struct address emitter,
		     struct hash32 block_hash, struct hash32 tx,
		     enum sovereign_event event, events_got *got, void *ctx)
{
	(void)e;
	(void)emitter;
	(void)block_hash;
	(void)tx;
	(void)event;
	world.events++;
	world.event_got = got;
	world.event_ctx = ctx;
	return OK;
}

struct events *events_new(struct l1 *l1)
{
	(void)l1;
	return NULL;
}

void events_free(struct events *e)
{
	(void)e;
}

enum witnessed witness_of(const struct witness *w, const struct exit_to *wish,
			  uint64_t in, uint64_t out)
{
	(void)w;
	(void)wish;
	assert_true(in < out);
	return world.witnessed;
}

enum witnessed witness_payment(const struct witness *w, uint64_t id,
			       uint64_t at, struct payment *ret)
{
	(void)w;
	(void)id;
	assert_true(at);
	*ret = world.payment;
	return world.payment_seen;
}

/* ---- the bench ----------------------------------------------------------- */

static enum err no_news(void *ctx, struct turn *t, const struct task_news *news)
{
	(void)ctx;
	(void)t;
	(void)news;
	return OK;
}

struct bench {
	struct scratch scratch;
	struct relayer_config config;
	struct parts parts;
	struct book *book;
	struct l1_view view;
	struct hatch_facts facts;
	struct pack pack; /* the one leaf, and the root in facts */
	struct turn t;
};

/* A ledger of leaves of which ours is the only one that is not empty. */
static void make_ledger(struct bench *b)
{
	struct pack_leaf *leaf = &b->pack.leaves[0];

	b->pack.leaf_count = 100;
	b->pack.n = 1;
	leaf->index = LEAF;
	leaf->record =
		record_balance(address_of(OWNER), an_address(0), u256_from(50));
	for (unsigned h = 0; h < MERKLE_DEPTH_MIN; h++)
		leaf->siblings[h] = merkle_zero(h);
	b->pack.root = merkle_root(LEAF, record_leaf(&leaf->record),
				   leaf->siblings, MERKLE_DEPTH_MIN);
	b->facts.root = b->pack.root;
	b->facts.leaf_count = 100;
}

static void bench_init(struct bench *b)
{
	struct store_identity id = {.chain_id = 1, .program = "relayer"};
	struct err_text error;

	world_clear();
	*b = (struct bench){.scratch = scratch_new()};
	b->config.requests.open = 8;
	b->config.shared.chain.id = 1;
	b->parts.config = &b->config;
	assert_int_equal(store_open(scratch_path(&b->scratch, "db"), 1 << 24,
				    &id, &b->parts.store, &error),
			 OK);
	store_set_nosync(b->parts.store);
	assert_int_equal(store_begin(b->parts.store, true, &b->t.txn), OK);
	assert_int_equal(requests_open(b->t.txn, &b->parts.requests), OK);
	assert_int_equal(
		nonces_open(b->t.txn, &b->parts.requests, &b->parts.nonces),
		OK);
	b->parts.submit = submit_new(NULL, NULL, &b->config, &b->parts.nonces,
				     no_news, NULL);
	b->book = book_new(&b->parts);
	b->view.healthy = true;
	b->view.head.number = 110;
	b->facts.rollup = an_address(0xaa);
	b->facts.block.number = 100;
	b->facts.block.hash = a_hash(0x64);
	b->facts.block.time = NOW;
	b->facts.count = 7;
	make_ledger(b);
	b->t.now_ms = 100000;
	b->t.head_time = NOW;
	b->t.view = &b->view;
	b->t.facts = &b->facts;
}

static void bench_done(struct bench *b)
{
	book_free(b->book);
	submit_free(b->parts.submit);
	store_abort(b->t.txn);
	store_close(b->parts.store);
	scratch_remove(b->scratch.dir);
	world_clear();
}

/* The relayer is started anew on what is stored. */
static void restart(struct bench *b)
{
	book_free(b->book);
	b->book = book_new(&b->parts);
	assert_int_equal(book_load(b->book, b->t.txn), OK);
}

static struct request a_withdrawal(uint8_t by)
{
	struct request r = {.kind = REQUEST_WITHDRAWAL,
			    .state = REQUEST_QUEUED,
			    .accepted_at = NOW,
			    .deadline = NOW + 600};

	r.withdraw = (struct withdraw){.index = LEAF,
				       .amount = u256_from(9),
				       .recipient = an_address(0xbb),
				       .salt = a_hash(1),
				       .expiry = NOW + 5000};
	r.id = request_id_withdrawal(1, an_address(0xaa), &r.withdraw);
	r.signature =
		sign_by(by, withdraw_digest(1, an_address(0xaa), &r.withdraw));
	return r;
}

static struct request stored(struct bench *b, struct hash32 id)
{
	struct request r;

	assert_int_equal(requests_get(b->t.txn, &b->parts.requests, id, &r),
			 OK);
	return r;
}

static enum err add(struct bench *b, const struct request *r, bool proven)
{
	struct request known;

	return book_add(b->book, &b->t, r, proven, &known);
}

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

static struct request a_wish(uint8_t by)
{
	struct request r = {.kind = REQUEST_EXIT,
			    .state = REQUEST_QUEUED,
			    .accepted_at = NOW};

	r.exit_to = (struct exit_to){
		.index = LEAF, .recipient = an_address(0xbb), .count = 7};
	r.id = request_id_exit(1, an_address(0xaa), &r.exit_to);
	r.signature =
		sign_by(by, exit_to_digest(1, an_address(0xaa), &r.exit_to));
	return r;
}

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

static void turn(struct bench *b)
{
	b->view.head.number++;
	assert_int_equal(book_turn(b->book, &b->t), OK);
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

static void answer_spent(const char *name)
{
	struct l1_call_result result = {.err = ERR_REFUSED};

	snprintf(result.text, sizeof(result.text), "%s", name);
	answer_calls(SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL_FOR, &result);
}

/* L1's queue, ids 0 … 2. */
static struct l1_withdrawal queue[3];

static void fill_queue(struct bench *b, const struct request *ours)
{
	struct l1_withdrawal w = {.owner = address_of(OWNER),
				  .recipient = ours->withdraw.recipient,
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
	struct l1_call_result results[FATES_MAX] = {{0}};
	struct asked *a = ask_of(SEL_A_WITHDRAWAL);

	assert_non_null(a);
	for (size_t i = 0; i < a->n; i++)
		results[i].data = slice_of(&queue[a->ids[i]], sizeof(queue[0]));
	answer_calls(SEL_A_WITHDRAWAL, results);
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
	answer_spent("BountyTooSmall"); /* the other's block is not final */
	turn(&b);
	assert_null(ask_of(SEL_A_WITHDRAWAL));
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
	assert_hash_equal(
		ask_of(SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL_FOR)->at,
		b.facts.block.hash);
	answer_spent("SignatureUsed");
	turn(&b);
	turn(&b);
	assert_hash_equal(ask_of(SEL_A_WITHDRAWAL)->at, b.facts.block.hash);
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
	answer_spent("SignatureUsed"); /* but the queue is empty */
	for (unsigned i = 0; i < 4; i++)
		acted_moves(&b);
	assert_int_equal(stored(&b, r.id).state, REQUEST_QUEUED);
	fill_queue(&b, &r);
	acted_moves(&b);
	assert_null(ask_of(SEL_A_WITHDRAWAL));
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
	assert_null(ask_of(SEL_A_WITHDRAWAL));
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
	struct l1_call_result result = {.err = OK};
	struct u256 mask = out ? mask_with(u256_from(0), LEAF) : u256_from(0);
	uint8_t word[32];

	u256_to_be(mask, word, sizeof(word));
	result.data = slice_of(word, sizeof(word));
	answer_calls(SEL_SOVEREIGNROLLUP_EXITED, &result);
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
	assert_hash_equal(ask_of(SEL_SOVEREIGNROLLUP_EXITED)->at,
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
		cmocka_unit_test(
			test_an_empty_leafs_wish_ends_when_the_root_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
