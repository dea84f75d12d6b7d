/* The record of an expulsion: whole in the store, bounded, and text for people
 * whatever a provider wrote. */
#include "unit.h"

#include <stdlib.h>

#include "abi/lie.h"

static const struct lie sample = {
	.kind = LIE_OTHER_BLOCK,
	.at = 1700000000,
	.until = 1700000030,
	.l1_time = 1699999990,
	.number = 77,
	.hash = {{0xab}},
	.provider = {(const uint8_t *)"b", 1},
	.why = {(const uint8_t *)"it says", 7},
	.method = {(const uint8_t *)"eth_call", 8},
	.against = {(const uint8_t *)"a, c", 4},
	.asked = {.text = {(const uint8_t *)"[]", 2}},
	.said = {.text = {(const uint8_t *)"\"0x\"", 4}},
	.stands = {.text = {(const uint8_t *)"null", 4}, .cut = true},
};

static struct buf encoded(const struct lie *lie)
{
	struct buf b;

	buf_init(&b, LIE_MAX);
	lie_encode(lie, &b);
	assert_false(b.failed);
	return b;
}

static void assert_text(struct slice got, const char *want)
{
	assert_true(slice_eq(got, slice_str(want)));
}

static void test_a_record_comes_back_whole(void **state)
{
	struct buf b = encoded(&sample);
	struct lie lie;

	(void)state;
	assert_int_equal(lie_decode(buf_slice(&b), &lie), OK);
	assert_int_equal(lie.kind, LIE_OTHER_BLOCK);
	assert_int_equal(lie.at, sample.at);
	assert_int_equal(lie.until, sample.until);
	assert_int_equal(lie.l1_time, sample.l1_time);
	assert_int_equal(lie.number, 77);
	assert_true(hash_eq(lie.hash, sample.hash));
	assert_text(lie.provider, "b");
	assert_text(lie.why, "it says");
	assert_text(lie.method, "eth_call");
	assert_text(lie.against, "a, c");
	assert_text(lie.asked.text, "[]");
	assert_text(lie.said.text, "\"0x\"");
	assert_text(lie.stands.text, "null");
	assert_false(lie.said.cut);
	assert_true(lie.stands.cut);
	buf_done(&b);
}

static void test_words_are_cut_at_their_limit(void **state)
{
	struct lie lie = sample;
	char *flood = malloc(1u << 20);
	struct buf b;

	(void)state;
	memset(flood, 'x', 1u << 20);
	lie.said.text = lie.asked.text = lie.stands.text = lie.why =
		lie.provider = lie.method = lie.against =
			slice_of(flood, 1u << 20);
	b = encoded(&lie);
	assert_true(b.len <= LIE_MAX);
	assert_int_equal(lie_decode(buf_slice(&b), &lie), OK);
	assert_int_equal(lie.said.text.len, LIE_SAID_MAX);
	assert_true(lie.said.cut && lie.asked.cut);
	free(flood);
	buf_done(&b);
}

static void test_no_other_bytes_are_a_record(void **state)
{
	struct buf b = encoded(&sample);
	struct lie lie;

	(void)state;
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(lie_decode(slice_of(b.p, len), &lie),
				 ERR_INVALID);
	buf_add_byte(&b, 0);
	assert_int_equal(lie_decode(buf_slice(&b), &lie), ERR_INVALID);
	buf_done(&b);
}

/* What a provider writes can neither end the JSON nor smuggle fields in. */
static void test_its_words_are_text_in_the_json(void **state)
{
	struct lie lie = sample;
	struct json_doc *doc;
	struct json_reader r = {0};
	struct err_text error;
	struct buf b;

	(void)state;
	lie.said.text = slice_str("\"},\"id\":9,\"x\":\"\xff\x01");
	buf_init(&b, 8192);
	struct json_writer w = json_writer(&b);
	lie_json(&lie, 5, true, &w);
	assert_int_equal(json_parse(buf_slice(&b), 8192, 8, &doc, &error), OK);
	const json_node *o = json_root(doc);
	assert_int_equal(json_u64(&r, o, "id"), 5);
	assert_string_equal(json_string(&r, o, "kind", 32), "other_block");
	const json_node *said = json_object(&r, o, "said");
	assert_non_null(strstr(json_string(&r, said, "text", 99), "\"id\":9"));
	assert_false(json_bool(&r, said, "cut"));
	const json_node *block = json_object(&r, o, "block");
	assert_int_equal(json_u64(&r, block, "number"), 77);
	assert_true(hash_eq(json_hash(&r, block, "hash"), sample.hash));
	assert_false(r.failed);
	json_free(doc);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_comes_back_whole),
		cmocka_unit_test(test_words_are_cut_at_their_limit),
		cmocka_unit_test(test_no_other_bytes_are_a_record),
		cmocka_unit_test(test_its_words_are_text_in_the_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
