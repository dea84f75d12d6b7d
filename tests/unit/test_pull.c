/* The pull reader: what it reads, and the place of what it refuses.  Its
 * verdict beside jansson's is test_pull_verdict's. */
#include "tests/unit/unit.h"

#include "abi/pull.h"

#define DEEP 32

static struct pull pull_str(const char *text)
{
	return pull_of(slice_str(text), DEEP);
}

static enum err skip_all(struct slice text, struct pull *p)
{
	*p = pull_of(text, DEEP);
	pull_skip(p);
	pull_end(p);
	return p->err;
}

static void test_every_value_is_read_in_any_order(void **state)
{
	(void)state;
	static const struct pull_name names[] = {
		PULL_NAME("a"), PULL_NAME("b"), PULL_NAME("c"),
		PULL_NAME("d"), PULL_NAME("e"), PULL_NAME("f"),
		PULL_NAME("g"), PULL_NAME("h"), PULL_NAME("list")};
	CLEANUP(buf_done) struct buf bytes;
	buf_init(&bytes, 4);
	char text[8];
	uint32_t seen = 0;
	int key, n = 0;
	struct pull p =
		pull_str(" {\"list\" : [ 1,2 , [ ] ] "
			 ",\"x\\u0000\":[{}],\"h\":\"h\\u00e9\\n\","
			 "\"\\u0067\":\"0xABcd\",\"f\":-9223372036854775808,"
			 "\"e\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\","
			 "\"d\":9007199254740991,\"c\":\"0x1f\",\n\"b\":false,"
			 "\t\"a\":null}\r\n");
	pull_begin_object(&p);
	while ((key = pull_next_key(&p, names, ARRAY_LEN(names), &seen)) !=
	       PULL_END) {
		n++;
		switch (key) {
		case 0:
			assert_int_equal(pull_peek(&p), PULL_NULL);
			pull_null(&p);
			break;
		case 1:
			assert_int_equal(pull_peek(&p), PULL_BOOL);
			assert_false(pull_bool(&p));
			break;
		case 2:
			assert_int_equal(pull_quantity(&p), 0x1f);
			break;
		case 3:
			assert_true(pull_u64(&p) == (UINT64_C(1) << 53) - 1);
			break;
		case 4:
			assert_int_equal(pull_address(&p).b[19], 0xed);
			break;
		case 5:
			assert_true(pull_i64(&p) == INT64_MIN);
			break;
		case 6:
			assert_int_equal(pull_bytes(&p, &bytes, 2), 2);
			break;
		case 7:
			pull_text(&p, text, sizeof(text));
			assert_string_equal(text, "h\xc3\xa9 ");
			break;
		case 8:
			pull_begin_array(&p);
			assert_true(pull_next_item(&p));
			assert_int_equal(pull_u64(&p), 1);
			assert_true(pull_next_item(&p));
			pull_skip(&p);
			assert_true(pull_next_item(&p));
			assert_int_equal(pull_peek(&p), PULL_ARRAY);
			pull_skip(&p);
			assert_false(pull_next_item(&p));
			break;
		default:
			assert_int_equal(key, ARRAY_LEN(names));
			pull_skip(&p);
		}
	}
	pull_need(&p, names, 0x1ff, seen);
	pull_end(&p);
	assert_int_equal(p.err, OK);
	assert_int_equal(n, 10);
	assert_memory_equal(bytes.p, "\xab\xcd", 2);
}

/* What was expected, and at which byte. */
static void assert_refused(const char *text, size_t at, const char *expected)
{
	struct pull p;
	if (skip_all(slice_str(text), &p) == OK)
		fail_msg("%s was taken", text);
	assert_string_equal(p.expected, expected);
	assert_int_equal(p.failed_at, at);
}

static void test_what_is_skipped_is_held_to_the_grammar(void **state)
{
	(void)state;
	assert_refused("", 0, "a value");
	assert_refused("  ", 2, "a value");
	assert_refused("[1,]", 3, "a value");
	assert_refused("[1 2]", 3, "a comma or the end of an array");
	assert_refused("[1}", 2, "a comma or the end of an array");
	assert_refused("[", 1, "a value");
	assert_refused("{\"a\":1,}", 7, "a key");
	assert_refused("{\"a\" 1}", 5, "a colon");
	assert_refused("{a:1}", 1, "a key");
	assert_refused("[] []", 3, "nothing behind the value");
	assert_refused("[nul]", 1, "null");
	assert_refused("[tru", 1, "true or false");
	assert_refused("[01]", 1, "a number");
	assert_refused("[1.]", 1, "a number");
	assert_refused("[1e+]", 1, "a number");
	assert_refused("[-]", 1, "a number");
	assert_refused("[+1]", 1, "a value");
	assert_refused("[\"a", 3, "the end of a string");
	assert_refused("[\"\\x\"]", 2, "an escape of JSON");
	assert_refused("[\"\\u12g4\"]", 2, "an escape of JSON");
	assert_refused("[\"\\ud800\"]", 2, "surrogates in pairs");
	assert_refused("[\"\\udc00\\ud800\"]", 2, "surrogates in pairs");
	assert_refused("[\"a\tb\"]", 3, "UTF-8 without control characters");
	assert_refused("[\"\xc0\x80\"]", 2, "UTF-8 without control characters");
	assert_refused("[\"\xed\xa0\x80\"]", 2,
		       "UTF-8 without control characters");
	assert_refused("[\"\xf4\x90\x80\x80\"]", 2,
		       "UTF-8 without control characters");
	assert_refused("\xef\xbb\xbf[]", 0, "a value");
}

static void test_the_place_of_a_failure_is_told_once(void **state)
{
	(void)state;
	struct err_text error;
	struct pull p = pull_str("{\"a\":\"0xzz\"}");
	uint32_t seen = 0;
	static const struct pull_name name = PULL_NAME("a");
	pull_begin_object(&p);
	assert_int_equal(pull_next_key(&p, &name, 1, &seen), 0);
	(void)pull_hash(&p);
	(void)pull_address(&p);
	assert_int_equal(pull_next_key(&p, &name, 1, &seen), PULL_END);
	assert_false(pull_next_item(&p));
	pull_end(&p);
	pull_error(&p, &error);
	assert_string_equal(error.text,
			    "byte 8: expected 0x and 64 hex digits");
	assert_int_equal(p.err, ERR_INVALID);
}

static void test_a_key_that_is_asked_for_comes_once(void **state)
{
	(void)state;
	static const struct pull_name name = PULL_NAME("removed");
	/* the second one in disguise */
	struct pull p = pull_str("{\"removed\":false,\"r\\u0065moved\":true}");
	uint32_t seen = 0;
	pull_begin_object(&p);
	assert_int_equal(pull_next_key(&p, &name, 1, &seen), 0);
	assert_false(pull_bool(&p));
	assert_int_equal(pull_next_key(&p, &name, 1, &seen), PULL_END);
	assert_string_equal(p.expected, "no key twice");
}

static void test_depth_is_bounded(void **state)
{
	(void)state;
	char text[2 * (DEEP + 1) + 1];
	struct pull p;
	for (unsigned deep = DEEP; deep <= DEEP + 1; deep++) {
		memset(text, '[', deep);
		memset(text + deep, ']', deep);
		assert_int_equal(skip_all(slice_of(text, 2 * (size_t)deep), &p),
				 deep > DEEP ? ERR_TOO_LARGE : OK);
	}
}

/* The same last digits: what is remembered of the first is no word for it. */
static void test_a_right_checksum_speaks_for_its_own_text(void **state)
{
	(void)state;
	struct pull p =
		pull_str("[\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\","
			 "\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\","
			 "\"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"]");
	pull_begin_array(&p);
	for (size_t i = 0; i < 3; i++) {
		assert_true(pull_next_item(&p));
		struct address a = pull_address(&p);
		assert_int_equal(a.b[0], i < 2 ? 0x5a : 0);
		assert_int_equal(p.err, i < 2 ? OK : ERR_INVALID);
	}
}

static void test_whole_numbers_end_where_int64_does(void **state)
{
	(void)state;
	struct pull p = pull_str("9223372036854775807");
	assert_true(pull_i64(&p) == INT64_MAX);
	static const char *const over[] = {
		"9223372036854775808", "-9223372036854775809",
		"18446744073709551616", "1.0", "1e2"};
	for (size_t i = 0; i < ARRAY_LEN(over); i++) {
		p = pull_str(over[i]);
		assert_true(pull_i64(&p) == 0);
		assert_int_equal(p.err, ERR_INVALID);
		assert_int_equal(p.failed_at, 0);
	}
}

static void test_bytes_over_the_bound_are_too_large(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 3);
	struct pull p = pull_str("[\"0x0102\",\"0x0304\"]");
	pull_begin_array(&p);
	assert_true(pull_next_item(&p));
	assert_int_equal(pull_bytes(&p, &b, 2), 2);
	assert_true(pull_next_item(&p));
	assert_int_equal(pull_bytes(&p, &b, 2), 0);
	assert_int_equal(p.err, ERR_TOO_LARGE);
	assert_int_equal(b.len, 2);
	p = pull_str("\"0x0102\"");
	assert_int_equal(pull_bytes(&p, &b, 1), 0);
	assert_int_equal(p.err, ERR_TOO_LARGE);
}

static void test_a_text_is_cut_between_characters(void **state)
{
	(void)state;
	char text[5];
	struct pull p = pull_str("\"abc\xe2\x82\xac\"");
	pull_text(&p, text, sizeof(text));
	pull_end(&p);
	assert_int_equal(p.err, OK);
	assert_string_equal(text, "abc");
	p = pull_str("\"a\\u0000\\ud83d\"");
	pull_text(&p, text, sizeof(text));
	assert_int_equal(p.err, ERR_INVALID);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value_is_read_in_any_order),
		cmocka_unit_test(test_what_is_skipped_is_held_to_the_grammar),
		cmocka_unit_test(test_the_place_of_a_failure_is_told_once),
		cmocka_unit_test(test_a_key_that_is_asked_for_comes_once),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_a_right_checksum_speaks_for_its_own_text),
		cmocka_unit_test(test_whole_numbers_end_where_int64_does),
		cmocka_unit_test(test_bytes_over_the_bound_are_too_large),
		cmocka_unit_test(test_a_text_is_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
