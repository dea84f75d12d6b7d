/* eth_getLogs' replies: every field is read and checked, whoever wrote them. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "l1/limits.h"
#include "l1/log_page.h"

#define ADDR  "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
#define HASH1 "0x" H1
#define HASH2 "0x" H2
#define HASH3 "0x" H3
#define H1    "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
#define H2    "1111111111111111111111111111111111111111111111111111111111111111"
#define H3    "2222222222222222222222222222222222222222222222222222222222222222"

/* A log's fields as text; what a test does not set is as in plain. */
struct fields {
	const char *address, *topics, *data, *block, *block_hash, *tx,
		*tx_index, *index, *removed, *more;
};

static const struct fields plain = {
	.address = "\"" ADDR "\"",
	.topics = "[\"" HASH1 "\",\"" HASH2 "\"]",
	.data = "\"0x00ff10\"",
	.block = "\"0x1b4\"",
	.block_hash = "\"" HASH3 "\"",
	.tx = "\"" HASH2 "\"",
	.tx_index = "\"0x1\"",
	.index = "\"0x2\"",
	.removed = "false",
};

static void add_log(struct buf *b, struct fields f)
{
	buf_printf(b,
		   "{\"address\":%s,\"topics\":%s,\"data\":%s,"
		   "\"blockNumber\":%s,\"transactionHash\":%s,"
		   "\"transactionIndex\":%s,\"blockHash\":%s,\"logIndex\":%s,"
		   "\"removed\":%s%s}",
		   f.address, f.topics, f.data, f.block, f.tx, f.tx_index,
		   f.block_hash, f.index, f.removed, f.more ? f.more : "");
}

/* Logs in a response of id 7. */
static void reply_of(struct buf *b, const struct fields *f, size_t n)
{
	buf_init(b, 1u << 20);
	buf_add_str(b, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_byte(b, ',');
		add_log(b, f[i]);
	}
	buf_add_str(b, "]}");
}

static enum err read_text(const char *text, struct page_reply *ret,
			  struct err_text *error)
{
	*ret = (struct page_reply){0};
	*error = (struct err_text){""};
	return log_page_read(slice_str(text), 7, ret, error);
}

static enum err read_fields(const struct fields *f, size_t n,
			    struct page_reply *ret, struct err_text *error)
{
	CLEANUP(buf_done) struct buf b;
	reply_of(&b, f, n);
	return read_text(buf_cstr(&b), ret, error);
}

static struct log_page page_of(const char *text)
{
	struct page_reply reply;
	struct err_text error;
	if (read_text(text, &reply, &error))
		fail_msg("%s: %s", text, error.text);
	assert_int_equal(reply.says, PAGE_LOGS);
	return reply.page;
}

static void test_every_field_of_a_log_is_read(void **state)
{
	(void)state;
	struct page_reply reply;
	struct err_text error;
	struct fields two[] = {plain, plain};
	two[1].index = "\"0xa\"";
	two[1].topics = "[]";
	two[1].data = "\"0xAb\"";
	assert_int_equal(read_fields(two, 2, &reply, &error), OK);
	assert_int_equal(reply.says, PAGE_LOGS);
	assert_int_equal(reply.page.n, 2);
	const struct page_log *log = reply.page.logs;
	struct hash32 h1, h2, h3;
	struct address address;
	assert_false(hash_parse(slice_str(HASH1), &h1));
	assert_false(hash_parse(slice_str(HASH2), &h2));
	assert_false(hash_parse(slice_str(HASH3), &h3));
	assert_false(address_parse(slice_str(ADDR), &address));
	assert_true(address_eq(log->address, address));
	assert_int_equal(log->n_topics, 2);
	assert_true(hash_eq(log->topics[0], h1));
	assert_true(hash_eq(log->topics[1], h2));
	assert_true(hash_is_zero(log->topics[2]));
	assert_int_equal(log->block, 0x1b4);
	assert_int_equal(log->tx_index, 1);
	assert_int_equal(log->index, 2);
	assert_true(hash_eq(log->block_hash, h3));
	assert_true(hash_eq(log->tx, h2));
	assert_true(slice_eq(log_page_data(&reply.page, 0),
			     slice_of("\0\xff\x10", 3)));
	assert_int_equal(log[1].n_topics, 0);
	assert_int_equal(log[1].index, 10);
	assert_true(
		slice_eq(log_page_data(&reply.page, 1), slice_of("\xab", 1)));
	log_page_done(&reply.page);
	assert_int_equal(reply.page.n, 0);
}

static void test_no_logs_is_an_answer(void **state)
{
	(void)state;
	struct log_page page =
		page_of("{\"result\":[],\"id\":7,\"error\":null}");
	struct log_page none = {0};
	assert_int_equal(page.n, 0);
	assert_true(log_page_same(&page, &none));
	log_page_done(&page);
}

/* Order of keys, white space, case, escaped keys, further fields. */
static void test_the_same_facts_in_another_hand_are_the_same(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	reply_of(&b, &plain, 1);
	struct log_page a = page_of(buf_cstr(&b));
	struct log_page other = page_of(
		" [ { \"id\" : 6 , \"result\" : { \"x\" : [ ] } } ,\n"
		"{ \"result\" : [ { "
		"\"logIndex\":\"0x2\",\r\n\t\"removed\":false,"
		"\"blockTimestamp\":\"0x0\",\"type\":{\"mined\":[null,1e3]},"
		"\"transactionIndex\":\"0x1\",\"transactionH\\u0061sh\":\"0x" H2
		"\",\"d\\u0061ta\":\"0x00FF10\",\"topics\" : [ \"" HASH1
		"\" , \"" HASH2 "\" ],"
		"\"address\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\","
		"\"blockNumber\":\"0x1B4\",\"blockHash\":\"" HASH3
		"\" } ] , \"jsonrpc\" : \"2.0\" , \"id\" : 7 } ]");
	assert_true(log_page_same(&a, &other));
	other.logs[0].index++;
	assert_false(log_page_same(&a, &other));
	other.logs[0].index--;
	other.bytes.p[0]++;
	assert_false(log_page_same(&a, &other));
	log_page_done(&a);
	log_page_done(&other);
}

static void assert_refused(struct fields f, const char *expected)
{
	struct page_reply reply;
	struct err_text error;
	if (read_fields(&f, 1, &reply, &error) != ERR_INVALID)
		fail_msg("taken; should have expected %s", expected);
	if (!strstr(error.text, expected))
		fail_msg("\"%s\" does not tell \"%s\"", error.text, expected);
}

#define REFUSED(field, text, expected)                                         \
	do {                                                                   \
		struct fields f = plain;                                       \
		f.field = (text);                                              \
		assert_refused(f, expected);                                   \
	} while (0)

static void test_every_field_is_checked(void **state)
{
	(void)state;
	REFUSED(address, "null", "an address");
	REFUSED(address, "\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea\"",
		"an address");
	REFUSED(address, "\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAEd\"",
		"right checksum");
	REFUSED(topics, "null", "an array");
	REFUSED(topics, "[\"0x12\"]", "64 hex digits");
	REFUSED(topics,
		"[\"" HASH1 "\",\"" HASH1 "\",\"" HASH1 "\",\"" HASH1
		"\",\"" HASH1 "\"]",
		"at most 4 topics");
	REFUSED(data, "\"0x123\"", "even number");
	REFUSED(data, "\"0x1g\"", "even number");
	REFUSED(data, "\"\"", "even number");
	REFUSED(data, "[]", "even number");
	REFUSED(block, "null", "a leading zero");
	REFUSED(block, "\"0x01\"", "a leading zero");
	REFUSED(block, "436", "a leading zero");
	REFUSED(block_hash, "null", "64 hex digits");
	REFUSED(tx, "\"" H2 "\"", "64 hex digits");
	REFUSED(tx_index, "\"0x10000000000000000\"", "a leading zero");
	REFUSED(index, "\"2\"", "a leading zero");
	REFUSED(removed, "true", "no log that was removed");
	REFUSED(removed, "\"false\"", "true or false");
	REFUSED(more, ",\"data\":\"0x\"", "no key twice");
	REFUSED(more, ",\"else\":\"\x80\"", "UTF-8");
	REFUSED(more, ",\"else\":[1,]", "a value");
}

static void test_a_log_without_a_field_is_refused(void **state)
{
	(void)state;
	static const char *const fields[] = {
		"address",	    "topics",	 "data",
		"blockNumber",	    "blockHash", "transactionHash",
		"transactionIndex", "logIndex"};
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct page_reply reply;
		struct err_text error;
		CLEANUP(buf_done) struct buf b;
		char quoted[32];
		reply_of(&b, &plain, 1);
		(void)snprintf(quoted, sizeof(quoted), "\"%s\"", fields[i]);
		char *at = strstr((char *)(uintptr_t)buf_cstr(&b), quoted);
		assert_non_null(at);
		at[1] = '_';
		assert_int_equal(read_text(buf_cstr(&b), &reply, &error),
				 ERR_INVALID);
		assert_non_null(strstr(error.text, fields[i]));
	}
	CLEANUP(buf_done) struct buf b;
	reply_of(&b, &plain, 1);
	strstr((char *)(uintptr_t)buf_cstr(&b), "removed")[0] = '_';
	struct log_page page = page_of(buf_cstr(&b));
	log_page_done(&page);
}

static void assert_pair(struct fields second, const char *expected)
{
	struct page_reply reply;
	struct err_text error;
	struct fields two[] = {plain, second};
	enum err err = read_fields(two, 2, &reply, &error);
	assert_int_equal(err, expected ? ERR_INVALID : OK);
	if (expected && !strstr(error.text, expected))
		fail_msg("\"%s\" does not tell \"%s\"", error.text, expected);
	if (!err)
		log_page_done(&reply.page);
}

#define PAIR(expected, ...)                                                    \
	do {                                                                   \
		struct fields f = plain;                                       \
		__VA_ARGS__;                                                   \
		assert_pair(f, expected);                                      \
	} while (0)

static void test_logs_come_in_order_and_once(void **state)
{
	(void)state;
	static const char h1[] = "\"" HASH1 "\"";
	PAIR(NULL, f.index = "\"0x3\"");
	PAIR(NULL, f.index = "\"0x3\"", f.tx_index = "\"0x2\"", f.tx = h1);
	PAIR(NULL, f.index = "\"0x0\"", f.block = "\"0x1b5\"",
	     f.block_hash = h1, f.tx_index = "\"0x0\"", f.tx = h1);
	PAIR("none twice", f.index = "\"0x2\"");
	PAIR("none twice", f.index = "\"0x1\"");
	PAIR("order of blocks", f.index = "\"0x3\"", f.block = "\"0x1b3\"");
	PAIR("one hash for a block", f.index = "\"0x3\"", f.block_hash = h1);
	PAIR("order of transactions", f.index = "\"0x3\"",
	     f.tx_index = "\"0x0\"", f.tx = h1);
	PAIR("one hash for a transaction", f.index = "\"0x3\"", f.tx = h1);
	PAIR("one hash for a transaction", f.index = "\"0x3\"",
	     f.tx_index = "\"0x2\"");
}

static void assert_says(const char *text, int64_t code, const char *words)
{
	struct page_reply reply;
	struct err_text error;
	if (read_text(text, &reply, &error))
		fail_msg("%s: %s", text, error.text);
	assert_int_equal(reply.says, PAGE_ERROR);
	assert_true(reply.code == code);
	assert_string_equal(reply.text, words);
	assert_null(reply.page.logs);
}

static void test_a_node_s_error_is_its_code_and_its_words(void **state)
{
	(void)state;
	assert_says("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32005,"
		    "\"message\":\"query returned more than 10000 results\","
		    "\"data\":{\"from\":\"0x1\",\"to\":\"0x2\"}}}",
		    -32005, "query returned more than 10000 results");
	assert_says("{\"error\":{\"message\":\"a\\u0000b\\nc\"},\"id\":null}",
		    0, "a b c");
	assert_says("{\"error\":\"Too many requests\"}", 0,
		    "Too many requests");
	assert_says("{\"id\":7,\"error\":{\"code\":429}}", 429,
		    "an error without a message");
	assert_says("{\"id\":7,\"result\":null,\"error\":{\"code\":\"x\","
		    "\"message\":7}}",
		    0, "an error without a message");
	assert_says("[{\"id\":6,\"result\":[]},{\"id\":7,\"error\":{\"code\":3,"
		    "\"message\":\"no\"}}]",
		    3, "no");
	/* an error beside logs is an error */
	CLEANUP(buf_done) struct buf b;
	reply_of(&b, &plain, 1);
	b.len--;
	buf_add_str(&b, ",\"error\":{\"code\":1,\"message\":\"late\"}}");
	assert_says(buf_cstr(&b), 1, "late");
}

static void test_what_is_no_response_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"<html><body>502 Bad Gateway</body></html>",
		"null",
		"7",
		"[]",
		"{}",
		"{\"id\":7}",
		"{\"id\":7,\"result\":null}",
		"{\"id\":7,\"result\":{}}",
		"{\"id\":7,\"result\":\"0x\"}",
		"{\"id\":7,\"result\":[null]}",
		"{\"id\":7,\"result\":[[]]}",
		"{\"id\":7,\"result\":[{}]}",
		"{\"result\":[]}",
		"{\"id\":null,\"result\":[]}",
		"{\"id\":8,\"result\":[]}",
		"{\"id\":\"7\",\"result\":[]}",
		"{\"id\":7.0,\"result\":[]}",
		"{\"id\":8,\"error\":{\"code\":1,\"message\":\"\"}}",
		"{\"id\":7,\"result\":[],\"error\":7}",
		"{\"jsonrpc\":\"1.0\",\"id\":7,\"result\":[]}",
		"{\"jsonrpc\":2.0,\"id\":7,\"result\":[]}",
		"{\"id\":7,\"id\":7,\"result\":[]}",
		"{\"id\":7,\"result\":[],\"result\":[]}",
		"{\"id\":7,\"result\":[]} {}",
		"{\"id\":7,\"result\":[]",
		"[{\"id\":6,\"result\":[]}]",
		"[{\"id\":null,\"error\":{\"code\":1,\"message\":\"\"}}]",
		"[{\"id\":7,\"result\":[]},{\"id\":7,\"result\":[]}]",
		"[{\"id\":7,\"result\":[]},{\"id\":6,\"result\":[}]",
		"[{\"id\":7,\"result\":[]},{\"id\":6,\"id\":\"\xff\"}]",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct page_reply reply;
		struct err_text error;
		if (read_text(bad[i], &reply, &error) != ERR_INVALID)
			fail_msg("%s was taken", bad[i]);
		assert_string_not_equal(error.text, "");
	}
}

static void test_a_reply_cut_anywhere_is_refused(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	struct page_reply reply;
	struct err_text error;
	struct fields two[] = {plain, plain};
	two[1].index = "\"0x3\"";
	reply_of(&b, two, 2);
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *exact = malloc(len + 1);
		assert_non_null(exact);
		memcpy(exact + 1, b.p, len);
		assert_int_equal(log_page_read(slice_of(exact + 1, len), 7,
					       &reply, &error),
				 ERR_INVALID);
		free(exact);
	}
}

static void test_what_is_too_much_is_too_large(void **state)
{
	(void)state;
	struct page_reply reply;
	struct err_text error;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, L1_REPLY_MAX + 1);
	/* one log's data */
	struct fields f = plain;
	f.data = "\"0x";
	f.more = NULL;
	buf_add_str(&b, "{\"id\":7,\"result\":[{\"data\":\"0x");
	uint8_t *digits = buf_extend(&b, 2 * (L1_LOG_DATA_MAX + 1));
	memset(digits, '0', 2 * (L1_LOG_DATA_MAX + 1));
	buf_add_str(&b, "\"}]}");
	assert_int_equal(log_page_read(buf_slice(&b), 7, &reply, &error),
			 ERR_TOO_LARGE);
	/* the logs of one reply */
	char index[24];
	for (size_t more = 0; more <= 1; more++) {
		buf_clear(&b);
		buf_add_str(&b, "{\"id\":7,\"result\":[");
		for (size_t i = 0; i < L1_PAGE_LOGS_MAX + more; i++) {
			(void)snprintf(index, sizeof(index), "\"0x%zx\"", i);
			f = plain;
			f.topics = "[]";
			f.index = index;
			if (i)
				buf_add_byte(&b, ',');
			add_log(&b, f);
		}
		buf_add_str(&b, "]}");
		assert_false(b.failed);
		assert_int_equal(
			log_page_read(buf_slice(&b), 7, &reply, &error),
			more ? ERR_TOO_LARGE : OK);
		if (!more) {
			assert_int_equal(reply.page.n, L1_PAGE_LOGS_MAX);
			log_page_done(&reply.page);
		}
	}
	/* the whole */
	buf_clear(&b);
	memset(buf_extend(&b, L1_REPLY_MAX + 1), ' ', L1_REPLY_MAX + 1);
	memcpy(b.p, "{\"id\":7,\"result\":[]}", 20);
	assert_int_equal(log_page_read(buf_slice(&b), 7, &reply, &error),
			 ERR_TOO_LARGE);
	/* nesting */
	buf_clear(&b);
	buf_add_str(&b, "{\"id\":7,\"result\":[],\"x\":");
	memset(buf_extend(&b, L1_REPLY_DEEP), '[', L1_REPLY_DEEP);
	memset(buf_extend(&b, L1_REPLY_DEEP), ']', L1_REPLY_DEEP);
	buf_add_str(&b, "}");
	assert_int_equal(log_page_read(buf_slice(&b), 7, &reply, &error),
			 ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_of_a_log_is_read),
		cmocka_unit_test(test_no_logs_is_an_answer),
		cmocka_unit_test(
			test_the_same_facts_in_another_hand_are_the_same),
		cmocka_unit_test(test_every_field_is_checked),
		cmocka_unit_test(test_a_log_without_a_field_is_refused),
		cmocka_unit_test(test_logs_come_in_order_and_once),
		cmocka_unit_test(test_a_node_s_error_is_its_code_and_its_words),
		cmocka_unit_test(test_what_is_no_response_is_refused),
		cmocka_unit_test(test_a_reply_cut_anywhere_is_refused),
		cmocka_unit_test(test_what_is_too_much_is_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
