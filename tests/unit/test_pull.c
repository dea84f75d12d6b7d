/* The pull reader: the same verdict as jansson's on any text, but where
 * abi/pull.h says so; hostile text is refused with its place. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/hex_digits.h"
#include "abi/json.h"
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

/* ---- against jansson ----------------------------------------------------- */

static const char *const corpus[] = {
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[{\"address\":"
	"\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\",\"topics\":[\"0x64\"],"
	"\"data\":\"0x00ff\",\"blockNumber\":\"0x1b4\",\"removed\":false}]}",
	"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,"
	"\"message\":\"query returned more than 10000 results\"}}",
	"[\"\\u00e9\\ud83d\\ude00\\n\\\\\\/"
	"\\\"\",\"\xc3\xa9\xf0\x9f\x98\x80\"]",
	"[0,-0,1.5,1e3,-2E-2,0.25e+1,true,false,null,{},[],\"\"]",
	" { \"a\" : [ 1 , { \"b\" : [ [ ] , [ { } ] ] } ] , \"c\" : \"d\" } ",
	"[[[[[[[[[[\"deep\"]]]]]]]]]]",
	"{\"\":{\"\":{\"\":[]}},\"k\\u0065y\":\"\xe2\x82\xac\xef\xbf\xbf\"}",
	"[\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80"
	"\x80"
	"\xf4\x8f\xbf\xbf\x7f\"]",
};

/* Whether jansson's verdict is one of those that abi/pull.h excepts. */
static bool is_excepted(const char *why)
{
	return strstr(why, "duplicate object key") || strstr(why, "too big") ||
	       strstr(why, "real number overflow") ||
	       strstr(why, "\\u0000 is not allowed") ||
	       strstr(why, "NUL byte in object key");
}

/* 1: both took it. */
static int compare_verdicts(struct slice text)
{
	struct json_doc *doc = NULL;
	struct err_text error = {""};
	struct pull p;
	enum err theirs = json_parse(text, JSON_BODY_MAX, DEEP, &doc, &error);
	enum err ours = skip_all(text, &p);
	bool same = !theirs == !ours;
	json_free(doc);
	/* a document is an object or an array to jansson */
	struct pull first = pull_of(text, DEEP);
	enum pull_type type = pull_peek(&first);
	if (!same && theirs && !ours &&
	    (is_excepted(error.text) ||
	     (type != PULL_OBJECT && type != PULL_ARRAY)))
		return 0;
	/* jansson overlooks a NUL behind a number or a word */
	if (!same && !theirs && p.failed_at < text.len && !text.p[p.failed_at])
		return 0;
	if (!same)
		fail_msg("%.*s: jansson says \"%s\", pull expects \"%s\" at "
			 "%zu",
			 (int)text.len, (const char *)text.p, error.text,
			 p.expected ? p.expected : "", p.failed_at);
	return !ours;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* One change of one byte, or of a piece. */
static void mutate(struct buf *b, uint64_t *seed)
{
	static const char odd[] =
		"\"\\{}[]:,0-.eE+tfnu \t\n\x01\x7f\x80\xbf\xc2"
		"\xe0\xed\xf0\xf4\xff\0";
	static const char *const pieces[] = {"\\ud800",
					     "\\udc00",
					     "\\u0000",
					     "\\u12",
					     "\\",
					     "\"\"",
					     "[[",
					     "]]",
					     "{\"",
					     "\":",
					     ",,",
					     "1e999",
					     "00",
					     "-",
					     "nul",
					     "\xed\xa0\x80",
					     "\xc0\x80",
					     "\xe2\x82",
					     "99999999999999999999"};
	size_t at = next_random(seed) % (b->len + 1);
	CLEANUP(buf_done) struct buf tail;
	buf_init(&tail, b->max);
	buf_add(&tail, b->p + at, b->len - at);
	size_t drop = next_random(seed) % 3;
	if (drop > tail.len)
		drop = tail.len;
	b->len = at;
	switch (next_random(seed) % 4) {
	case 0:
		break;
	case 1:
		buf_add_byte(b, (uint8_t)next_random(seed));
		break;
	case 2:
		buf_add_byte(
			b, (uint8_t)odd[next_random(seed) % (sizeof(odd) - 1)]);
		break;
	case 3:
		buf_add_str(b, pieces[next_random(seed) % ARRAY_LEN(pieces)]);
		break;
	}
	buf_add(b, tail.p + drop, tail.len - drop);
}

static void test_mutated_texts_get_jansson_s_verdict(void **state)
{
	(void)state;
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	size_t taken = 0, tried = 40000;
	for (size_t i = 0; i < ARRAY_LEN(corpus); i++)
		assert_int_equal(compare_verdicts(slice_str(corpus[i])), 1);
	for (size_t i = 0; i < tried; i++) {
		CLEANUP(buf_done) struct buf b;
		buf_init(&b, 4096);
		buf_add_str(&b, corpus[i % ARRAY_LEN(corpus)]);
		for (uint64_t n = next_random(&seed) % 3; n < 3; n++)
			mutate(&b, &seed);
		/* exactly as long: a byte read behind it is seen by ASan */
		uint8_t *exact = malloc(b.len + 1);
		assert_non_null(exact);
		memcpy(exact + 1, b.p, b.len);
		taken += (size_t)compare_verdicts(slice_of(exact + 1, b.len));
		free(exact);
	}
	/* the corpus is worth something when both verdicts are frequent */
	assert_in_range(taken, tried / 50, tried / 2);
}

static void test_texts_cut_anywhere_are_refused(void **state)
{
	(void)state;
	struct pull p;
	for (size_t i = 0; i < ARRAY_LEN(corpus); i++) {
		struct slice text = slice_str(corpus[i]);
		while (text.len && text.p[text.len - 1] == ' ')
			text.len--;
		for (size_t len = 0; len < text.len; len++)
			assert_int_equal(skip_all(slice_of(text.p, len), &p),
					 ERR_INVALID);
	}
}

/* ---- values, each against abi/json's --------------------------------------
 */

enum reads {
	READS_QUANTITY,
	READS_HASH,
	READS_ADDRESS,
	READS_BYTES,
	READS_U64,
	READS_BOOL,
	READS_KINDS,
};

static bool read_ours(enum reads what, struct slice text, uint8_t ret[64])
{
	struct pull p = pull_of(text, DEEP);
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 64);
	struct hash32 hash;
	struct address address;
	pull_begin_array(&p);
	if (!pull_next_item(&p))
		return false;
	switch (what) {
	case READS_QUANTITY:
		put_be(ret, pull_quantity(&p), 8);
		break;
	case READS_HASH:
		hash = pull_hash(&p);
		memcpy(ret, hash.b, sizeof(hash.b));
		break;
	case READS_ADDRESS:
		address = pull_address(&p);
		memcpy(ret, address.b, sizeof(address.b));
		break;
	case READS_BYTES:
		ret[0] = (uint8_t)pull_bytes(&p, &b, 63);
		if (b.len)
			memcpy(ret + 1, b.p, b.len);
		break;
	case READS_U64:
		put_be(ret, pull_u64(&p), 8);
		break;
	case READS_BOOL:
		ret[0] = pull_bool(&p);
		break;
	case READS_KINDS:
		break;
	}
	if (pull_next_item(&p))
		return false;
	pull_end(&p);
	return !p.err;
}

static bool read_theirs(enum reads what, struct slice text, uint8_t ret[64])
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	CLEANUP(buf_done) struct buf b;
	struct err_text error;
	struct json_reader r = {0};
	buf_init(&b, 63);
	if (json_parse(text, JSON_BODY_MAX, DEEP, &doc, &error))
		return false;
	const json_node *list = json_array(&r, json_root(doc), NULL);
	const json_node *node = json_at(list, 0);
	struct hash32 hash;
	struct address address;
	switch (what) {
	case READS_QUANTITY:
		put_be(ret, json_quantity(&r, node, NULL), 8);
		break;
	case READS_HASH:
		hash = json_hash(&r, node, NULL);
		memcpy(ret, hash.b, sizeof(hash.b));
		break;
	case READS_ADDRESS:
		address = json_address(&r, node, NULL);
		memcpy(ret, address.b, sizeof(address.b));
		break;
	case READS_BYTES:
		json_bytes(&r, node, NULL, &b);
		ret[0] = (uint8_t)b.len;
		if (b.len)
			memcpy(ret + 1, b.p, b.len);
		break;
	case READS_U64:
		put_be(ret, json_u64(&r, node, NULL), 8);
		break;
	case READS_BOOL:
		ret[0] = json_bool(&r, node, NULL);
		break;
	case READS_KINDS:
		break;
	}
	return !r.failed && json_len(list) == 1;
}

static const char *const values[] = {
	"[\"0x0\"]",
	"[\"0x00\"]",
	"[\"0x01\"]",
	"[\"0x\"]",
	"[\"0x1f\"]",
	"[\"0xFfFfFfFfFfFfFfFf\"]",
	"[\"0x1ffffffffffffffff\"]",
	"[\"1f\"]",
	"[\"0X1f\"]",
	"[\"0x1g\"]",
	"[\"0x1f \"]",
	"[0]",
	"[-0]",
	"[-1]",
	"[1.0]",
	"[9007199254740991]",
	"[9007199254740992]",
	"[true]",
	"[false]",
	"[null]",
	"[\"0x1234\"]",
	"[\"0x123\"]",
	"[\"0xAbCd\"]",
	"[\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"]",
	"[\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAEd\"]",
	"[\"0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED\"]",
	"[\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\"]",
	"[\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae\"]",
	"[\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed00\"]",
	"[\"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
	"\""
	"]",
	"[\"0xDDF252AD1BE2C89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
	"\""
	"]",
	"[\"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3eg"
	"\""
	"]",
	"[\"0xgdf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
	"\""
	"]",
};

static void compare_values(enum reads what, struct slice text)
{
	uint8_t ours[64] = {0}, theirs[64] = {0};
	bool fine = read_ours(what, text, ours);
	if (fine != read_theirs(what, text, theirs))
		fail_msg("%.*s read as %d: %s by pull alone", (int)text.len,
			 (const char *)text.p, (int)what,
			 fine ? "taken" : "refused");
	if (fine)
		assert_memory_equal(ours, theirs, sizeof(ours));
}

/* Without escapes: those abi/pull.h excepts in hex. */
static void test_values_are_those_of_abi_json(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (int what = 0; what < READS_KINDS; what++)
		for (size_t i = 0; i < ARRAY_LEN(values); i++)
			compare_values((enum reads)what, slice_str(values[i]));
	for (size_t i = 0; i < 60000; i++) {
		static const char bytes[] =
			"0123456789abcdefABCDEFxX\",[] gG:-";
		const char *text = values[i % ARRAY_LEN(values)];
		char copy[128];
		size_t len = strlen(text);
		memcpy(copy, text, len);
		for (uint64_t n = next_random(&seed) % 2; n < 2; n++)
			copy[next_random(&seed) % len] =
				bytes[next_random(&seed) % (sizeof(bytes) - 1)];
		compare_values((enum reads)(i % READS_KINDS),
			       slice_of(copy, len));
	}
}

static void test_hex_with_and_without_vectors_gives_one_verdict(void **state)
{
	(void)state;
	static const char digits[] = "0123456789abcdefABCDEF";
	uint64_t seed = 11;
	for (size_t i = 0; i < 20000; i++) {
		uint8_t text[160], a[80] = {0}, b[80] = {0};
		size_t len = next_random(&seed) % (sizeof(a) + 1);
		for (size_t k = 0; k < 2 * len; k++)
			text[k] = (uint8_t)digits[next_random(&seed) %
						  (sizeof(digits) - 1)];
		if (len && i % 2)
			text[next_random(&seed) % (2 * len)] =
				(uint8_t)next_random(&seed);
		bool fine = hex_digits_decode(text, a, len);
		assert_int_equal(fine, hex_digits_decode_scalar(text, b, len));
		if (fine)
			assert_memory_equal(a, b, sizeof(a));
	}
}

static void test_every_byte_is_a_digit_or_none_in_every_place(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < 34; at++) {
			uint8_t text[34], ret[17];
			memset(text, '7', sizeof(text));
			text[at] = (uint8_t)c;
			bool digit = (c >= '0' && c <= '9') ||
				     (c >= 'a' && c <= 'f') ||
				     (c >= 'A' && c <= 'F');
			assert_int_equal(hex_digits_decode(text, ret, 17),
					 digit);
			assert_int_equal(
				hex_digits_decode_scalar(text, ret, 17), digit);
		}
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
		cmocka_unit_test(test_mutated_texts_get_jansson_s_verdict),
		cmocka_unit_test(test_texts_cut_anywhere_are_refused),
		cmocka_unit_test(test_values_are_those_of_abi_json),
		cmocka_unit_test(
			test_hex_with_and_without_vectors_gives_one_verdict),
		cmocka_unit_test(
			test_every_byte_is_a_digit_or_none_in_every_place),
		cmocka_unit_test(test_bytes_over_the_bound_are_too_large),
		cmocka_unit_test(test_a_text_is_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
