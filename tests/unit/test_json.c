/* JSON: hostile text is refused with its place; what is written parses. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "abi/json.h"

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc = NULL;
	struct err_text error = {""};
	enum err err = json_parse(slice_str(text), JSON_BODY_MAX,
				  JSON_DEPTH_MAX, &doc, &error);
	if (err)
		fail_msg("%s: %s", text, error.text);
	return doc;
}

static void test_every_field_is_read(void **state)
{
	(void)state;
	CLEANUP(json_freep)
	struct json_doc *doc = parse(
		"{\"n\":9007199254740991,\"t\":true,\"f\":false,\"z\":null,"
		"\"s\":\"h\xc3\xa9\",\"a\":\"1000\",\"q\":\"0x1f\","
		"\"x\":\"0xabcd\",\"list\":[1,2,{\"deep\":[3]}],"
		"\"who\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"}");
	struct json_reader r = {0};
	const json_node *o = json_object(&r, json_root(doc), NULL);
	assert_true(json_u64(&r, o, "n") == (UINT64_C(1) << 53) - 1);
	assert_true(json_bool(&r, o, "t"));
	assert_false(json_bool(&r, o, "f"));
	assert_true(json_is_null(o, "z"));
	assert_false(json_has(o, "z"));
	assert_false(json_is_null(o, "absent"));
	assert_true(json_has(o, "n"));
	assert_string_equal(json_string(&r, o, "s", 3), "h\xc3\xa9");
	assert_int_equal(u256_u64(json_amount(&r, o, "a")), 1000);
	assert_int_equal(json_quantity(&r, o, "q"), 0x1f);
	assert_int_equal(u256_u64(json_quantity256(&r, o, "q")), 0x1f);
	uint8_t x[2];
	json_hex(&r, o, "x", x, 2);
	assert_memory_equal(x, "\xab\xcd", 2);
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 2);
	json_bytes(&r, o, "x", &b);
	assert_memory_equal(b.p, "\xab\xcd", 2);
	const json_node *list = json_array(&r, o, "list");
	assert_int_equal(json_len(list), 3);
	assert_int_equal(json_u64(&r, json_at(list, 1), NULL), 2);
	const json_node *deep = json_array(&r, json_at(list, 2), "deep");
	assert_int_equal(json_u64(&r, json_at(deep, 0), NULL), 3);
	assert_int_equal(json_address(&r, o, "who").b[0], 0x5a);
	assert_null(json_at(list, 3));
	assert_null(json_at(NULL, 0));
	assert_int_equal(json_len(NULL), 0);
	assert_false(r.failed);
}

static enum err parse_error(struct slice text, struct err_text *error)
{
	struct json_doc *doc = NULL;
	enum err err = json_parse(text, 100, 4, &doc, error);
	assert_null(doc);
	return err;
}

static void test_parse_refuses_hostile_text_and_says_where(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
		enum err err;
	} cases[] = {
		{"{\"a\":1,\"a\":2}", "duplicate", ERR_INVALID},
		{"{\"a\":\"x\\u0000y\"}", "line 1", ERR_INVALID},
		{"{}x", "line 1 column 3", ERR_INVALID},
		{"{} {}", "line 1", ERR_INVALID},
		{"{\n\"a\":\n}", "line 3 column 1", ERR_INVALID},
		{"", "line 1", ERR_INVALID},
		{"1", "line 1", ERR_INVALID},
		{"[\"\xff\"]", "line 1", ERR_INVALID},
		{"[1e999]", "line 1", ERR_INVALID},
		{"[99999999999999999999]", "line 1", ERR_INVALID},
		{"[[[[[]]]]]", "line 1 column 5: nested deeper than 4",
		 ERR_TOO_LARGE},
		{"[\n{\"a\":[[[", "line 2 column 8: nested deeper than 4",
		 ERR_TOO_LARGE},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err_text error = {""};
		assert_int_equal(parse_error(slice_str(cases[i].text), &error),
				 cases[i].err);
		if (!strstr(error.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, error.text);
	}
	struct err_text error;
	assert_int_equal(parse_error(slice_of("[\0]", 3), &error), ERR_INVALID);
	char long_text[101];
	memset(long_text, ' ', sizeof(long_text));
	assert_int_equal(parse_error(slice_of(long_text, 101), &error),
			 ERR_TOO_LARGE);
	assert_non_null(strstr(error.text, "101"));
}

static void test_depth_ignores_brackets_in_strings(void **state)
{
	(void)state;
	struct json_doc *doc = NULL;
	struct err_text error;
	assert_int_equal(json_parse(slice_str("[[\"[[[[\\\"[[[[\\\\\"],[[]]]"),
				    100, 3, &doc, &error),
			 OK);
	assert_int_equal(json_len(json_root(doc)), 2);
	json_free(doc);
	json_free(NULL);
}

/* Each field of one object, read with the wrong expectation. */
static void test_first_failure_names_its_field(void **state)
{
	(void)state;
	CLEANUP(json_freep)
	struct json_doc *doc = parse(
		"{\"leaves\":[{},{},{\"index\":-1,\"proof\":[\"0x12\",7]}]}");
	struct json_reader r = {0};
	const json_node *o = json_root(doc);
	const json_node *leaf = json_at(json_array(&r, o, "leaves"), 2);
	struct json_reader first = r;
	assert_int_equal(json_u64(&r, leaf, "index"), 0);
	assert_true(r.failed);
	assert_string_equal(r.field, "leaves[2].index");
	assert_string_equal(r.what, "expected a whole number from 0 to 2^53-1");
	(void)json_u64(&r, leaf, "else"); /* the first one stays */
	assert_string_equal(r.field, "leaves[2].index");
	r = first;
	const json_node *proof = json_array(&r, leaf, "proof");
	assert_true(hash_is_zero(json_hash(&r, json_at(proof, 1), NULL)));
	assert_string_equal(r.field, "leaves[2].proof[1]");
	r = first;
	assert_null(json_object(&r, leaf, "owner"));
	assert_string_equal(r.field, "leaves[2].owner");
	assert_string_equal(r.what, "missing");
	r = first;
	(void)json_u64(&r, json_at(proof, 9), NULL);
	assert_true(r.failed);
	r = first;
	json_fail(&r, "expiry", "already passed");
	assert_string_equal(r.field, "expiry");
	assert_string_equal(r.what, "already passed");
}

static void test_long_field_names_are_cut(void **state)
{
	(void)state;
	char text[1000] = "{\"";
	memset(text + 2, 'k', 900);
	memcpy(text + 902, "\":1}", 5);
	CLEANUP(json_freep) struct json_doc *doc = parse(text);
	struct json_reader r = {0};
	static const char *const names[] = {"known", NULL};
	json_only(&r, json_root(doc), names);
	assert_true(r.failed);
	assert_int_equal(strlen(r.field), JSON_FIELD_MAX - 1);
}

static void test_wrong_shapes_fail(void **state)
{
	(void)state;
	CLEANUP(json_freep)
	struct json_doc *doc = parse(
		"{\"v\":[\"0x01\",\"0x\",\"0xg\",\"1\",\"-1\",\"01\",1.0,true,"
		"null,{},[],9007199254740992,"
		"\"0x10000000000000000\",\"0x123\","
		"\"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"]}");
	struct json_reader none = {0}, r;
	const json_node *v = json_array(&none, json_root(doc), "v");
	for (size_t i = 0; i < json_len(v); i++) {
		const json_node *at = json_at(v, i);
		uint8_t two[2] = {9, 9};
		r = none;
		json_hex(&r, at, NULL, two, 2);
		assert_true(r.failed);
		assert_memory_equal(two, "\0\0", 2);
		r = none;
		assert_true(address_is_zero(json_address(&r, at, NULL)));
		assert_true(r.failed);
		r = none;
		assert_int_equal(json_u64(&r, at, NULL), 0);
		assert_true(r.failed);
		r = none;
		assert_int_equal(json_quantity(&r, at, NULL),
				 i == 13 ? 0x123 : 0);
		assert_int_equal(r.failed, i != 13);
		r = none;
		(void)json_quantity256(&r, at, NULL);
		assert_int_equal(r.failed, i < 12);
		r = none;
		(void)json_amount(&r, at, NULL);
		assert_int_equal(r.failed, i != 3);
		r = none;
		(void)json_bool(&r, at, NULL);
		assert_int_equal(r.failed, i != 7);
		r = none;
		assert_string_equal(json_string(&r, at, NULL, 1),
				    i == 3 ? "1" : "");
		assert_int_equal(r.failed, i != 3);
	}
	assert_false(none.failed);
}

static void test_only_refuses_unknown_fields(void **state)
{
	(void)state;
	CLEANUP(json_freep)
	struct json_doc *doc = parse("{\"in\":{\"kind\":1,\"extra\":2}}");
	static const char *const few[] = {"kind", NULL};
	static const char *const all[] = {"extra", "kind", "more", NULL};
	struct json_reader r = {0};
	const json_node *in = json_object(&r, json_root(doc), "in");
	json_only(&r, in, all);
	assert_false(r.failed);
	json_only(&r, in, few);
	assert_true(r.failed);
	assert_string_equal(r.field, "in.extra");
	assert_string_equal(r.what, "unknown field");
}

static void test_bytes_respect_the_buffer(void **state)
{
	(void)state;
	CLEANUP(json_freep) struct json_doc *doc = parse("[\"0x010203\"]");
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 2);
	struct json_reader r = {0};
	json_bytes(&r, json_at(json_root(doc), 0), NULL, &b);
	assert_true(r.failed);
	assert_string_equal(r.field, "[0]");
	assert_string_equal(r.what, "too long");
}

static void test_writer_places_commas_and_escapes(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 10000);
	struct json_writer w = json_writer(&b);
	json_begin(&w, NULL);
	json_put_string(&w, "s", "q\" b\\ n\n \x01 \x7f h\xc3\xa9 \xff\xc3");
	json_put_u64(&w, "n", UINT64_MAX);
	json_begin_array(&w, "a");
	json_put_bool(&w, NULL, true);
	json_put_null(&w, NULL);
	json_begin(&w, NULL);
	json_end(&w);
	json_put_quantity(&w, NULL, 0);
	json_put_quantity(&w, NULL, 0x1f);
	json_end_array(&w);
	json_put_hex(&w, "h", "\xab\x01", 2);
	json_put_amount(&w, "m", u256_from(10));
	json_put_raw(&w, "r", slice_str("[1]"));
	json_end(&w);
	assert_int_equal(w.depth, 0);
	assert_string_equal(
		buf_cstr(&b),
		"{\"s\":\"q\\\" b\\\\ n\\n \\u0001 \\u007f h\xc3\xa9 "
		"\xef\xbf\xbd\xef\xbf\xbd\",\"n\":18446744073709551615,"
		"\"a\":[true,null,{},\"0x0\",\"0x1f\"],\"h\":\"0xab01\","
		"\"m\":\"10\",\"r\":[1]}");
}

/* Whatever two bytes a string begins with, what is written is JSON. */
static void test_whatever_is_written_parses(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1000);
	for (unsigned i = 0; i < 0x10000; i++) {
		uint8_t bytes[4] = {(uint8_t)(i >> 8), (uint8_t)i, 0x80, 0x80};
		bool has_nul = !bytes[0] || !bytes[1];
		buf_clear(&b);
		struct json_writer w = json_writer(&b);
		json_begin_array(&w, NULL);
		json_put_slice(&w, NULL, slice_of(bytes, sizeof(bytes)));
		json_end_array(&w);
		struct json_doc *doc = NULL;
		struct err_text error = {""};
		enum err err = json_parse(buf_slice(&b), 1000, 2, &doc, &error);
		if (err != (has_nul ? ERR_INVALID : OK))
			fail_msg("%04x: %s", i, error.text);
		json_free(doc);
	}
}

static bool same(const char *a, const char *b, const char *const *fields)
{
	CLEANUP(json_freep) struct json_doc *x = parse(a);
	CLEANUP(json_freep) struct json_doc *y = parse(b);
	bool same = json_same(json_root(x), json_root(y), fields);
	assert_int_equal(same, json_same(json_root(y), json_root(x), fields));
	return same;
}

static void test_same_compares_values_not_texts(void **state)
{
	(void)state;
	static const char *const fields[] = {"a", "c", NULL};
	assert_true(same("{\"a\":1,\"b\":[2,{}]}",
			 " { \"b\" : [ 2 , { } ] , \"\\u0061\" : 1 }", NULL));
	assert_true(same("[\"\\u00e9\",1.50,-0,true]",
			 "[\"\xc3\xa9\",15e-1,0,true]", NULL));
	assert_false(same("[1]", "[1.0]", NULL));
	assert_false(same("[1]", "[\"1\"]", NULL));
	assert_false(same("[true]", "[false]", NULL));
	assert_false(same("[1,2]", "[2,1]", NULL));
	assert_false(same("[1,2]", "[1]", NULL));
	assert_false(same("{\"a\":null}", "{}", NULL));
	assert_false(same("{\"a\":null}", "{\"b\":null}", NULL));
	assert_false(
		same("[9223372036854775807]", "[9223372036854775806]", NULL));
	assert_true(same("{\"a\":1,\"b\":2,\"c\":null}", "{\"a\":1,\"b\":3}",
			 fields));
	assert_false(same("{\"a\":1}", "{\"a\":2}", fields));
	assert_true(same("[{\"a\":1,\"b\":2}]", "[{\"a\":1}]", fields));
	assert_false(same("[{\"a\":1}]", "[{\"a\":1},{}]", fields));
	assert_false(same("[{\"a\":1}]", "{\"a\":1}", fields));
}

/* {"k0":0,"k1":1,…}, or from the last to the first. */
static struct json_doc *many_keys(unsigned n, bool backwards, unsigned last)
{
	CLEANUP(buf_done) struct buf b;
	struct json_doc *doc = NULL;
	struct err_text error = {""};
	buf_init(&b, 32 * n);
	for (unsigned i = 0; i < n; i++) {
		unsigned k = backwards ? n - 1 - i : i;
		buf_printf(&b, "%s\"k%u\":%u", i ? "," : "{", k,
			   k == n - 1 ? last : k);
	}
	buf_add_byte(&b, '}');
	assert_int_equal(
		json_parse_reply(buf_slice(&b), 32 * n, 2, &doc, &error), OK);
	return doc;
}

/* Looked for one by one they take ten seconds, and two liars have twenty times
 * as many. */
static void test_many_keys_in_another_order_are_soon_compared(void **state)
{
	(void)state;
	CLEANUP(json_freep) struct json_doc *a = many_keys(50000, false, 1);
	CLEANUP(json_freep) struct json_doc *b = many_keys(50000, true, 1);
	CLEANUP(json_freep) struct json_doc *c = many_keys(50000, true, 2);
	clock_t start = clock();
	assert_true(json_same(json_root(a), json_root(b), NULL));
	assert_false(json_same(json_root(a), json_root(c), NULL));
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
}

static void test_text_is_compact_and_cut_at_the_buffer_s_end(void **state)
{
	(void)state;
	static const char *const whole =
		"{\"s\":\"h\xc3\xa9\\\"\\\\\\n\",\"n\":-1.50e3,\"l\":[1,[],{}],"
		"\"z\":null,\"t\":true,\"f\":false,\"o\":{\"k\":[{}]},\"e\":{}"
		"}";
	static const char *const flat =
		"{\"s\":\"h\xc3\xa9\\\"\\\\\\n\",\"n\":-1.50e3,\"z\":null,"
		"\"t\":true,\"f\":false,\"e\":{}}";
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	assert_int_equal(json_parse_reply(slice_str(whole), JSON_BODY_MAX, 4,
					  &doc, &error),
			 OK);
	for (size_t max = 0; max <= strlen(whole); max++) {
		CLEANUP(buf_done) struct buf b;
		buf_init(&b, max);
		assert_int_equal(json_text(json_root(doc), false, &b),
				 max == strlen(whole));
		assert_int_equal(b.len, max);
		assert_memory_equal(b.len ? b.p : (void *)whole, whole, max);
	}
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 4096);
	assert_true(json_text(json_root(doc), true, &b));
	assert_string_equal(buf_cstr(&b), flat);
}

static void add_keys(struct buf *b, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		buf_printf(b, "%s\"k%u\":[%u]", i ? "," : "", i, i);
}

static void test_many_keys_are_all_found_and_none_twice(void **state)
{
	(void)state;
	const unsigned n = 5000;
	struct err_text error = {""};
	struct json_doc *doc = NULL;
	struct json_reader r = {0};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 1 << 20);
	buf_add_str(&b, "{");
	add_keys(&b, 0, n);
	size_t len = b.len;
	buf_add_str(&b, "}");
	assert_int_equal(json_parse(buf_slice(&b), 1 << 20, 4, &doc, &error),
			 OK);
	for (unsigned i = 0; i < n; i += 499) {
		char key[16];
		(void)snprintf(key, sizeof(key), "k%u", i);
		const json_node *list = json_array(&r, json_root(doc), key);
		assert_int_equal(json_u64(&r, json_at(list, 0), NULL), i);
	}
	assert_false(r.failed);
	json_free(doc);
	b.len = len;
	add_keys(&b, 2500, 1);
	buf_add_str(&b, "}");
	assert_int_equal(json_parse(buf_slice(&b), 1 << 20, 4, &doc, &error),
			 ERR_INVALID);
	assert_non_null(strstr(error.text, "duplicate"));
}

static void test_values_are_bounded(void **state)
{
	(void)state;
	const size_t most = 1u << 20;
	struct err_text error = {""};
	struct json_doc *doc = NULL;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 4 * most);
	buf_add_str(&b, "[0");
	for (size_t i = 2; i < most; i++) /* the list is a value too */
		buf_add_str(&b, ",0");
	buf_add_str(&b, "]");
	assert_int_equal(json_parse(buf_slice(&b), 4 * most, 4, &doc, &error),
			 OK);
	assert_int_equal(json_len(json_root(doc)), most - 1);
	json_free(doc);
	b.len--;
	buf_add_str(&b, ",0]");
	assert_int_equal(json_parse(buf_slice(&b), 4 * most, 4, &doc, &error),
			 ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_is_read),
		cmocka_unit_test(
			test_parse_refuses_hostile_text_and_says_where),
		cmocka_unit_test(test_depth_ignores_brackets_in_strings),
		cmocka_unit_test(test_first_failure_names_its_field),
		cmocka_unit_test(test_long_field_names_are_cut),
		cmocka_unit_test(test_wrong_shapes_fail),
		cmocka_unit_test(test_only_refuses_unknown_fields),
		cmocka_unit_test(test_bytes_respect_the_buffer),
		cmocka_unit_test(test_writer_places_commas_and_escapes),
		cmocka_unit_test(test_whatever_is_written_parses),
		cmocka_unit_test(test_same_compares_values_not_texts),
		cmocka_unit_test(
			test_many_keys_in_another_order_are_soon_compared),
		cmocka_unit_test(
			test_text_is_compact_and_cut_at_the_buffer_s_end),
		cmocka_unit_test(test_many_keys_are_all_found_and_none_twice),
		cmocka_unit_test(test_values_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
