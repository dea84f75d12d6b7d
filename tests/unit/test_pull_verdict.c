/* The pull reader and abi/json's tree beside jansson: one verdict on any text
 * and one value of any field, but where abi/pull.h says so. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/json.h"
#include "abi/pull.h"

#define DEEP 32

static enum err skip_all(struct slice text, struct pull *p)
{
	*p = pull_of(text, DEEP);
	pull_skip(p);
	pull_end(p);
	return p->err;
}

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

/* 1: all took it. */
static int compare_verdicts(struct slice text)
{
	struct json_doc *doc = NULL;
	struct err_text error = {""}, why = {""};
	struct pull p;
	bool theirs = !json_parse(text, JSON_BODY_MAX, DEEP, &doc, &error);
	json_free(doc);
	doc = NULL;
	bool tree = !json_parse_reply(text, JSON_BODY_MAX, DEEP, &doc, &why);
	bool ours = !skip_all(text, &p);
	bool same = theirs == ours;
	json_free(doc);
	if (tree != theirs)
		fail_msg("%.*s: jansson says \"%s\", the tree \"%s\"",
			 (int)text.len, (const char *)text.p, error.text,
			 why.text);
	/* a document is an object or an array to jansson */
	struct pull first = pull_of(text, DEEP);
	enum pull_type type = pull_peek(&first);
	if (!same && ours &&
	    (is_excepted(error.text) ||
	     (type != PULL_OBJECT && type != PULL_ARRAY)))
		return 0;
	if (!same)
		fail_msg("%.*s: jansson says \"%s\", pull expects \"%s\" at "
			 "%zu",
			 (int)text.len, (const char *)text.p, error.text,
			 p.expected ? p.expected : "", p.failed_at);
	return ours;
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

static bool json_takes(struct slice text)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	bool theirs = !json_parse(text, JSON_BODY_MAX, DEEP, &doc, &error);
	json_free(doc);
	doc = NULL;
	bool reply = !json_parse_reply(text, JSON_BODY_MAX, DEEP, &doc, &error);
	assert_int_equal(theirs, reply);
	return theirs;
}

/* Each difference that abi/pull.h names is there, and as it says. */
static void test_the_verdicts_that_differ_are_those_named(void **state)
{
	(void)state;
	static const char *const more[] = {
		"[99999999999999999999]", "[1e999]",	       "[\"\\u0000\"]",
		"{\"\\u0000\":1}",	  "{\"a\":1,\"a\":2}", "7",
	};
	static const char nul[] = "[1\0]", escaped[] = "[\"0x0\\u0031\"]";
	struct pull p;
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		assert_int_equal(skip_all(slice_str(more[i]), &p), OK);
		assert_false(json_takes(slice_str(more[i])));
	}
	assert_int_equal(skip_all(slice_of(nul, 4), &p), ERR_INVALID);
	assert_false(json_takes(slice_of(nul, 4)));
	uint8_t bytes[64];
	assert_false(read_ours(READS_BYTES, slice_str(escaped), bytes));
	assert_true(read_theirs(READS_BYTES, slice_str(escaped), bytes));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated_texts_get_jansson_s_verdict),
		cmocka_unit_test(test_texts_cut_anywhere_are_refused),
		cmocka_unit_test(test_the_verdicts_that_differ_are_those_named),
		cmocka_unit_test(test_values_are_those_of_abi_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
