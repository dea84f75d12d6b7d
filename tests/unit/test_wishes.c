/* What other relayers publish: each fills its own places and no more. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "relayer/wishes.c"
#include "tests/unit/values.h"

#define COUNT 7

struct bench {
	struct relayer_config config;
	struct parts parts;
	struct book *book;
	struct wishes *w;
	struct hatch_facts facts;
	struct l1_view view;
	struct turn t;
};

static void bench_init(struct bench *b)
{
	static char *urls[] = {"http://liar", "http://honest"};

	*b = (struct bench){.facts = {.rollup = an_address(0xaa),
				      .count = COUNT,
				      .leaf_count = 1u << 20}};
	b->config.requests.open = 1;
	b->config.shared.chain.id = 1;
	b->config.relayers = (struct config_list){.items = urls, .n = 2};
	b->parts.config = &b->config;
	b->book = book_new(&b->parts);
	b->w = wishes_new(&b->parts, NULL, b->book);
	b->w->known = true;
	b->w->rollup = b->facts.rollup;
	b->w->count = COUNT;
	b->t = (struct turn){
		.now_ms = 1000, .facts = &b->facts, .view = &b->view};
}

static void bench_done(struct bench *b)
{
	wishes_free(b->w);
	book_free(b->book);
}

struct page {
	size_t from, n;
	uint64_t count;
	uint8_t signature;
};

/* Wishes of the leaves from … from + n - 1. */
static void tell(struct bench *b, size_t peer, const struct page *page)
{
	struct peer_answer answer = {.err = OK, .peer = peer};
	struct signature signature;
	struct err_text error;
	struct json_doc *doc;
	struct buf text;

	memset(signature.b, page->signature, sizeof(signature.b));
	buf_init(&text, 1u << 22);
	struct json_writer w = json_writer(&text);
	json_begin(&w, NULL);
	json_begin_array(&w, "exits");
	for (size_t i = 0; i < page->n; i++) {
		json_begin(&w, NULL);
		json_put_u64(&w, "index", page->from + i);
		json_put_address(&w, "recipient", an_address(0xbb));
		json_put_u64(&w, "count", page->count);
		json_put_hex(&w, "signature", signature.b, sizeof(signature.b));
		json_end(&w);
	}
	json_end_array(&w);
	json_end(&w);
	assert_int_equal(
		json_parse(buf_slice(&text), 1u << 22, 32, &doc, &error), OK);
	answer.root = json_root(doc);
	exits_came(&b->w->shares[peer], &answer);
	json_free(doc);
	buf_done(&text);
}

static size_t walk(struct bench *b, uint8_t signature)
{
	struct wish_walk at = {0, 0};
	struct wish wish;
	size_t n = 0;

	while (wishes_walk(b->w, &b->t, &at, &wish))
		n += wish.request.signature.b[0] == signature;
	return n;
}

static void test_a_liar_fills_its_own_places_alone(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	tell(&b, 0,
	     &(struct page){.n = EXITS_LISTED_MAX + 5,
			    .count = COUNT,
			    .signature = 1});
	tell(&b, 1, &(struct page){.n = 3, .count = COUNT, .signature = 2});
	assert_int_equal(walk(&b, 1), EXITS_LISTED_MAX);
	/* The same wishes, but with their owners' signatures. */
	assert_int_equal(walk(&b, 2), 3);
	bench_done(&b);
}

static void test_a_far_count_is_not_kept(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	tell(&b, 0,
	     &(struct page){.n = 3, .count = COUNT + WISH_COUNT_AHEAD + 1});
	assert_int_equal(b.w->shares[0].n, 0);
	tell(&b, 0, &(struct page){.n = 3, .count = COUNT + WISH_COUNT_AHEAD});
	assert_int_equal(b.w->shares[0].n, 3);
	assert_int_equal(walk(&b, 0), 0); /* not this count's */
	bench_done(&b);
}

static void test_what_left_the_page_makes_room(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	tell(&b, 0,
	     &(struct page){
		     .n = EXITS_LISTED_MAX, .count = COUNT, .signature = 1});
	tell(&b, 0,
	     &(struct page){
		     .from = 9000, .n = 2, .count = COUNT, .signature = 2});
	assert_int_equal(walk(&b, 2), 2);
	assert_int_equal(walk(&b, 1), EXITS_LISTED_MAX - 2);
	bench_done(&b);
}

static void test_a_wish_that_fails_is_only_its_relayers(void **state)
{
	struct wish_walk at = {0, 0};
	struct wish wish;
	struct bench b;

	(void)state;
	bench_init(&b);
	tell(&b, 0, &(struct page){.n = 1, .count = COUNT, .signature = 1});
	tell(&b, 1, &(struct page){.n = 1, .count = COUNT, .signature = 2});
	assert_true(wishes_walk(b.w, &b.t, &at, &wish));
	assert_false(wishes_due(b.w, &b.t, &wish));
	b.t.now_ms += FOREIGN_WISH_MS;
	assert_true(wishes_due(b.w, &b.t, &wish));
	assert_int_equal(wishes_fail(b.w, &b.t, &wish, "not the owner's"), OK);
	assert_int_equal(walk(&b, 1), 0);
	assert_int_equal(walk(&b, 2), 1);
	bench_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_liar_fills_its_own_places_alone),
		cmocka_unit_test(test_a_far_count_is_not_kept),
		cmocka_unit_test(test_what_left_the_page_makes_room),
		cmocka_unit_test(test_a_wish_that_fails_is_only_its_relayers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
