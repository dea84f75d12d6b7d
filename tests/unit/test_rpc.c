/* JSON-RPC batches: strict in shape, lenient in words. */
#include "unit.h"

#include "l1/limits.h"
#include "l1/rpc.h"

static enum err parse(const char *text, size_t n, struct rpc_reply *reply,
		      struct err_text *error)
{
	return rpc_parse(slice_str(text), n, reply, error);
}

static void test_body_is_a_batch(void **state)
{
	struct buf b;
	const struct rpc_call calls[] = {
		{.method = "eth_chainId", .params = slice_str("[]")},
		{.method = "eth_getBlockByNumber",
		 .params = slice_str("[\"latest\",false]")}};
	(void)state;
	buf_init(&b, 1000);
	rpc_body(&b, calls, 2);
	assert_string_equal(
		buf_cstr(&b),
		"[{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"eth_chainId\","
		"\"params\":[]},{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
		"\"eth_getBlockByNumber\",\"params\":[\"latest\",false]}]");
	buf_done(&b);
}

static void test_answers_in_any_order(void **state)
{
	struct rpc_reply reply;
	struct err_text error;
	(void)state;
	assert_int_equal(parse("[{\"id\":1,\"result\":null},"
			       "{\"id\":0,\"result\":\"0x1\"}]",
			       2, &reply, &error),
			 OK);
	struct json_reader r = {0};
	assert_int_equal(json_quantity(&r, reply.answers[0].result, NULL), 1);
	assert_true(json_is_null(reply.answers[1].result, NULL));
	assert_false(r.failed);
	rpc_reply_done(&reply);
}

static void test_wrong_shapes_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"[{\"id\":0,\"result\":1}]",
		"[{\"id\":0,\"result\":1},{\"id\":0,\"result\":1}]",
		"[{\"id\":0,\"result\":1},{\"id\":2,\"result\":1}]",
		"[{\"id\":0,\"result\":1},{\"id\":-1,\"result\":1}]",
		"[{\"id\":0,\"result\":1},{\"id\":\"1\",\"result\":1}]",
		"[{\"id\":0,\"result\":1},{\"id\":1}]",
		"[{\"id\":0,\"result\":1},7]",
		"{\"id\":0,\"result\":1}",
		"<html>502 Bad Gateway</html>"};
	struct rpc_reply reply;
	struct err_text error;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		error.text[0] = '\0';
		assert_int_equal(parse(texts[i], 2, &reply, &error),
				 ERR_INVALID);
		assert_true(error.text[0] != '\0');
		assert_null(reply.answers);
	}
}

static void test_a_refused_batch_says_why(void **state)
{
	struct rpc_reply reply;
	struct err_text error;
	(void)state;
	assert_int_equal(parse("{\"id\":null,\"error\":{\"code\":-32005,"
			       "\"message\":\"daily request rate exceeded\"}}",
			       2, &reply, &error),
			 ERR_INVALID);
	assert_string_equal(error.text, "daily request rate exceeded");
	assert_true(reply.throttled);
	rpc_reply_done(&reply);
}

static void test_reverts_are_answers_with_data(void **state)
{
	struct rpc_reply reply;
	struct err_text error;
	(void)state;
	assert_int_equal(
		parse("[{\"id\":0,\"error\":{\"code\":3,\"message\":"
		      "\"execution "
		      "reverted\",\"data\":\"0x82b42900\"}},"
		      "{\"id\":1,\"error\":{\"code\":-32015,\"message\":\"VM "
		      "execution reverted\",\"data\":\"Reverted 0x82b42900\"}},"
		      "{\"id\":2,\"error\":{\"code\":-32000,\"message\":"
		      "\"missing trie node\"}}]",
		      3, &reply, &error),
		OK);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(reply.answers[i].kind, RPC_REVERT);
		assert_int_equal(reply.answers[i].data.len, 4);
		assert_int_equal(reply.answers[i].data.p[0], 0x82);
	}
	assert_int_equal(reply.answers[2].kind, RPC_FAILED);
	assert_string_equal(reply.answers[2].text, "missing trie node");
	assert_false(reply.throttled);
	rpc_reply_done(&reply);
}

static void test_words_of_the_nodes(void **state)
{
	(void)state;
	assert_true(rpc_is_known("already known"));
	assert_true(rpc_is_known("ALREADY_EXISTS: already known"));
	assert_true(rpc_is_known("Known transaction"));
	assert_false(rpc_is_known("nonce too low"));
	assert_true(rpc_is_throttled(-1, "Too Many Requests"));
	assert_true(rpc_is_throttled(429, "no"));
	assert_true(rpc_is_throttled(-1, "50/second request limit reached"));
	assert_false(rpc_is_throttled(-1, "execution reverted"));
}

/* What a provider can make us hold by one answer. */
static void test_an_answers_cap_is_by_what_was_asked(void **state)
{
	struct buf whole, header;
	(void)state;
	buf_init(&whole, 256);
	buf_init(&header, 256);
	rpc_params_hash(&whole, (struct hash32){{1}}, true);
	rpc_params_hash(&header, (struct hash32){{1}}, false);
	const struct rpc_call calls[] = {
		{.method = "eth_getBlockByHash", .params = buf_slice(&header)},
		{.method = "eth_getProof", .params = slice_str("[]")},
		{.method = "eth_getBlockByHash", .params = buf_slice(&whole)}};
	assert_int_equal(rpc_reply_max(calls, 1), L1_BLOCK_REPLY_MAX);
	assert_int_equal(rpc_reply_max(calls, 2),
			 L1_BLOCK_REPLY_MAX + L1_PROOF_REPLY_MAX);
	assert_int_equal(rpc_reply_max(calls, 3), L1_REPLY_MAX);
	buf_done(&whole);
	buf_done(&header);
}

static void test_a_block_without_base_fee_is_read(void **state)
{
	static const char text[] =
		"{\"number\":\"0x10\",\"timestamp\":\"0x20\",\"hash\":\"0x"
		"1111111111111111111111111111111111111111111111111111111111111"
		"111\",\"parentHash\":\"0x2222222222222222222222222222222222222"
		"222222222222222222222222222\"}";
	struct json_doc *doc;
	struct err_text error;
	struct rpc_block block;
	(void)state;
	assert_int_equal(json_parse(slice_str(text), 1000, 4, &doc, &error),
			 OK);
	assert_true(rpc_block_read(json_root(doc), &block, &error));
	assert_int_equal(block.ref.number, 16);
	assert_int_equal(block.ref.time, 32);
	assert_int_equal(block.base_fee, 0);
	json_free(doc);
	assert_int_equal(json_parse(slice_str("[null]"), 9, 4, &doc, &error),
			 OK);
	assert_false(
		rpc_block_read(json_at(json_root(doc), 0), &block, &error));
	json_free(doc);
}

static void test_a_nul_in_the_node_s_words_is_no_failure(void **state)
{
	struct rpc_reply reply;
	struct err_text error;
	(void)state;
	assert_int_equal(parse("[{\"id\":0,\"error\":{\"code\":3,\"message\":"
			       "\"reverted: \\u0000\\u0000 no\"}}]",
			       1, &reply, &error),
			 OK);
	assert_int_equal(reply.answers[0].kind, RPC_REVERT);
	assert_string_equal(reply.answers[0].text, "reverted:    no");
	rpc_reply_done(&reply);
	assert_int_equal(
		parse("[{\"id\":0,\"result\":\"\\u0000\"", 1, &reply, &error),
		ERR_INVALID);
}

static enum err parse_again(struct rpc_memo *memo, const char *text, size_t n)
{
	struct err_text error;
	return rpc_parse_again(slice_str(text), n, memo, &error);
}

static uint64_t memo_value(const struct rpc_memo *memo)
{
	struct json_reader r = {0};
	uint64_t value = json_quantity(&r, memo->reply.answers[0].result, NULL);
	assert_false(r.failed);
	return value;
}

static void test_the_same_bytes_are_not_read_again(void **state)
{
	static const char one[] = "[{\"id\":0,\"result\":\"0x1\"}]",
			  two[] = "[{\"id\":0,\"result\":\"0x2\"}]";
	struct rpc_memo memo = {0};
	const struct json_doc *doc;
	(void)state;
	assert_int_equal(parse_again(&memo, one, 1), OK);
	assert_int_equal(memo_value(&memo), 1);
	doc = memo.reply.doc;
	assert_int_equal(parse_again(&memo, one, 1), OK);
	assert_ptr_equal(memo.reply.doc, doc);
	assert_int_equal(parse_again(&memo, two, 1), OK);
	assert_int_equal(memo_value(&memo), 2);
	/* to two calls it is no answer, and nothing of it is kept */
	assert_int_equal(parse_again(&memo, two, 2), ERR_INVALID);
	assert_null(memo.reply.doc);
	assert_int_equal(parse_again(&memo, "", 1), ERR_INVALID);
	assert_int_equal(parse_again(&memo, "", 1), ERR_INVALID);
	assert_int_equal(parse_again(&memo, one, 1), OK);
	assert_int_equal(memo_value(&memo), 1);
	rpc_memo_done(&memo);
	rpc_memo_done(&memo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body_is_a_batch),
		cmocka_unit_test(test_answers_in_any_order),
		cmocka_unit_test(test_wrong_shapes_are_refused),
		cmocka_unit_test(test_a_refused_batch_says_why),
		cmocka_unit_test(test_reverts_are_answers_with_data),
		cmocka_unit_test(test_words_of_the_nodes),
		cmocka_unit_test(test_an_answers_cap_is_by_what_was_asked),
		cmocka_unit_test(test_a_block_without_base_fee_is_read),
		cmocka_unit_test(test_a_nul_in_the_node_s_words_is_no_failure),
		cmocka_unit_test(test_the_same_bytes_are_not_read_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
