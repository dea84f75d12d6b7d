/* A book of open requests over a store of its own, and what may stand in it:
 * a withdrawal from, and a wish for, the one leaf that is not empty. */
#ifndef EGRESS_TESTS_BOOK_BENCH_H
#define EGRESS_TESTS_BOOK_BENCH_H

#include "tests/unit/unit.h"

#include "abi/merkle.h"
#include "abi/pack.h"
#include "relayer/book.h"
#include "tests/unit/fake_l1.h"
#include "tests/unit/relaying.h"
#include "tests/unit/values.h"

#define OWNER 3
#define LEAF  5
#define NOW   1000

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
static inline void make_ledger(struct bench *b)
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

static inline void bench_init(struct bench *b)
{
	world_clear();
	*b = (struct bench){0};
	b->config.requests.open = 8;
	b->config.shared.chain.id = 1;
	b->parts.config = &b->config;
	relaying_open(&b->scratch, &b->parts, &b->t.txn);
	b->parts.submit = submit_new(NULL, NULL, &b->config, &b->parts.nonces,
				     on_news, NULL);
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

static inline void bench_done(struct bench *b)
{
	book_free(b->book);
	submit_free(b->parts.submit);
	relaying_close(&b->scratch, &b->parts, b->t.txn);
	world_clear();
}

/* The relayer is started anew on what is stored. */
static inline void restart(struct bench *b)
{
	book_free(b->book);
	b->book = book_new(&b->parts);
	assert_int_equal(book_load(b->book, b->t.txn), OK);
}

static inline struct request a_withdrawal(uint8_t by)
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

static inline struct request stored(struct bench *b, struct hash32 id)
{
	struct request r;

	assert_int_equal(requests_get(b->t.txn, &b->parts.requests, id, &r),
			 OK);
	return r;
}

static inline enum err add(struct bench *b, const struct request *r,
			   bool proven)
{
	struct request known;

	return book_add(b->book, &b->t, r, proven, &known);
}

static inline struct request a_wish(uint8_t by)
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

static inline void turn(struct bench *b)
{
	b->view.head.number++;
	assert_int_equal(book_turn(b->book, &b->t), OK);
}

#endif
