/* What a provider said lately, and the queue of what it is accused of: both
 * bounded, both in its own words. */
#include "unit.h"

#include "kept.h"
#include "l1/accuse.h"

static struct hash32 hash_of(uint64_t n)
{
	struct hash32 h = {{0x10}};

	put_be(h.b + 24, n, 8);
	return h;
}

static struct rpc_block block(uint64_t n)
{
	return (struct rpc_block){.ref = {.number = n,
					  .hash = hash_of(n),
					  .parent = hash_of(n - 1)}};
}

static void say(struct spoken_ring *ring, const struct rpc_block *b,
		const char *text)
{
	struct json_doc *doc;
	struct err_text error;

	assert_int_equal(json_parse(slice_str(text), 1u << 20, 8, &doc, &error),
			 OK);
	spoken_add(ring, b, json_root(doc));
	json_free(doc);
}

static void finds(const struct spoken_ring *ring, uint64_t n, const char *text,
		  bool cut)
{
	struct buf spare;
	struct lie_words w = spoken_find(ring, n, hash_of(n), &spare);

	if (w.text.len != strlen(text) || memcmp(w.text.p, text, w.text.len))
		fail_msg("%.*s, not %s", (int)w.text.len,
			 (const char *)w.text.p, text);
	assert_int_equal(w.cut, cut);
	buf_done(&spare);
}

static void test_a_block_is_found_in_its_own_words(void **state)
{
	struct spoken_ring ring = {0};
	struct rpc_block b = block(7), twin = block(7);

	(void)state;
	/* the header's fields; what holds others is left out */
	say(&ring, &b,
	    "{\"number\":\"0x7\",\"transactions\":[\"0x1\"],\"x\":null}");
	finds(&ring, 7, "{\"number\":\"0x7\",\"x\":null}", false);
	/* its child names it as its parent */
	finds(&ring, 6, "{\"number\":\"0x7\",\"x\":null}", false);
	/* said twice is kept once; other contents are other words */
	say(&ring, &b, "{\"again\":1}");
	assert_int_equal(ring.at, 1);
	twin.ref.time = 9;
	say(&ring, &twin, "{\"time\":9}");
	assert_int_equal(ring.at, 2);
	/* else what is known of it */
	finds(&ring, 5,
	      "{\"number\":\"0x5\",\"hash\":"
	      "\"0x1000000000000000000000000000000000"
	      "000000000000000000000000000005\"}",
	      true);
	spoken_clear(&ring);
}

static void test_what_it_says_for_hours_takes_little(void **state)
{
	static char text[1u << 16];
	struct spoken_ring ring = {0};
	size_t held = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "{\"extra\":\"", 10);
	memcpy(text + sizeof(text) - 3, "\"}", 3);
	for (uint64_t n = 1; n <= 1000; n++) {
		struct rpc_block b = block(n);
		say(&ring, &b, text);
	}
	for (size_t i = 0; i < L1_SPOKEN_MAX; i++)
		held += ring.blocks[i].text.cap;
	assert_true(held <= L1_SPOKEN_MAX * (L1_HEADER_TEXT_MAX + 1));
	struct buf spare;
	assert_true(spoken_find(&ring, 1000, hash_of(1000), &spare).cut);
	buf_done(&spare);
	spoken_clear(&ring);
}

static void test_records_that_nobody_takes_are_bounded(void **state)
{
	struct accuse_queue q = {0};
	const struct accusation what = {.kind = LIE_OMISSION, .method = ""};
	struct accuse_record r;
	char why[8];

	(void)state;
	for (unsigned i = 0; i < 3 * L1_RECORDS_MAX; i++) {
		(void)snprintf(why, sizeof(why), "%u", i);
		accuse_record(&q, NULL, "a", why, &what, 1000);
	}
	assert_int_equal(q.n, L1_RECORDS_MAX);
	assert_true(accuse_take(&q, &r)); /* the oldest that is left */
	(void)snprintf(why, sizeof(why), "%d", 2 * L1_RECORDS_MAX);
	assert_string_equal(kept_read(&r.bytes).why, why);
	accuse_done(&q);
	assert_false(accuse_take(&q, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_block_is_found_in_its_own_words),
		cmocka_unit_test(test_what_it_says_for_hours_takes_little),
		cmocka_unit_test(test_records_that_nobody_takes_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
