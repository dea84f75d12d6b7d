/* Every provider's own way of saying "too much", in its own words, and what a
 * provider is asked for after it has said so. */
#include "unit.h"

#include "l1/limits.h"
#include "l1/rpc.h"
#include "l1/span.h"
#include "l1/too_much.h"

struct saying {
	const char *text;
	int64_t code;
	uint64_t span;
};

static const struct saying too_much[] = {
	/* Infura */
	{"query returned more than 10000 results", -32005, 0},
	{"query returned more than 10000 results. Try with this block range "
	 "[0x12A05F2, 0x12A0656].",
	 -32005, 101},
	{"range 1000000 exceeds limit of 10000", -32602, 10000},
	{"query timeout exceeded", -32005, 0},
	/* Alchemy */
	{"Log response size exceeded. You can make eth_getLogs requests with "
	 "up to a 2K block range and no limit on the response size, or you can "
	 "request any block range with a cap of 10K logs in the response. "
	 "Based "
	 "on your parameters and the response size limit, this block range "
	 "should work: [0xc5dc00, 0xc614a7]",
	 -32602, 14504},
	{"Log response size exceeded. You can make eth_getLogs requests with "
	 "up to a 2K block range and no limit on the response size, or you can "
	 "request any block range with a cap of 10K logs in the response.",
	 -32602, 2000},
	{"Under the Free tier plan, you can make eth_getLogs requests with up "
	 "to a 10 block range. Based on your parameters, this block range "
	 "should work: [0x1180fca, 0x1180fd3]. Upgrade to PAYG for expanded "
	 "block range.",
	 -32600, 10},
	{"You can make eth_getLogs requests with up to a 500 block range. "
	 "Based "
	 "on your parameters, this block range should work: [0x123c9b2, "
	 "0x123cba5]",
	 -32600, 500},
	{"Query timeout exceeded. Consider reducing your block range. Based on "
	 "your parameters and the response size limit, this block range should "
	 "work: [0x5223c98, 0x5223e80]",
	 -32000, 489},
	{"Log response size exceeded. Please reduce query block range.", -32602,
	 0},
	/* QuickNode */
	{"eth_getLogs is limited to a 10,000 range", -32614, 10000},
	{"eth_getLogs and eth_newFilter are limited to a 10,000 blocks range",
	 -32614, 10000},
	/* Ankr, Moonbeam */
	{"block range is too wide", -32600, 0},
	{"block range is too wide (maximum 1024)", -32603, 1024},
	/* PublicNode, BSC's geth, Scroll's geth */
	{"exceed maximum block range: 50000", -32000, 50000},
	{"block range is bigger than maxBlockRange", -32000, 0},
	{"block range is larger than max block range, block range = 5120, max "
	 "block range = 5000",
	 -32000, 5000},
	/* BSC's public endpoints */
	{"limit exceeded", -32005, 0},
	/* 1RPC, NodeReal; Optimism, Base; Chainstack; Coinbase; BlockPI */
	{"response size should not greater than 10000000 bytes", -32000, 0},
	{"backend response too large", -32020, 0},
	{"Block range is too large", -32602, 0},
	{"Block range limit exceeded. See more details at "
	 "https://docs.chainstack.com/docs/limits#evm-range-limits",
	 -32005, 0},
	{"please limit the query to at most 1000 blocks", -32602, 1000},
	{"eth_getLogs is limited to 1024 block range. Please check the "
	 "parameter requirements",
	 -32602, 1024},
	{"requested too many blocks from 0 to 5000000, maximum is set to 1024",
	 -32000, 1024},
	/* Tenderly; cdk-erigon; Arbitrum */
	{"invalid params", -32602, 0},
	{"range 9009594 is bigger than range limit 2000", -32602, 2000},
	{"block range too large, max range: 30000", -32005, 30000},
	{"logs matched by query exceeds limit of 10000", -32005, 0},
	/* reth; LlamaRPC; Nethermind; Besu; Erigon */
	{"query exceeds max results 20000, retry with the range "
	 "24383075-24383096",
	 -32602, 22},
	{"query exceeds max block range 100000", -32602, 100000},
	{"query exceeds max results", -32602, 0},
	{"Too many logs requested. Max logs per response is 20000.", -32005, 0},
	{"eth_getLogs request was canceled due to enabled timeout.", -32016, 0},
	{"Requested range exceeds maximum RPC range limit", -32005, 0},
	{"context deadline exceeded", -32000, 0},
};

/* Nothing shorter would be answered. */
static const struct saying others[] = {
	{"exceed max topics", -32602, 0},
	{"exceed max addresses or topics per search position", -32602, 0},
	{"invalid block range params", -32602, 0},
	{"block range extends beyond current head block", -32602, 0},
	{"pruned history unavailable", 4444, 0},
	{"missing trie node 2a", -32000, 0},
	{"header not found", -32000, 0},
	{"unknown block", -32000, 0},
	{"the method eth_getLogs does not exist/is not available", -32601, 0},
	{"internal error", -32603, 0},
	{"execution reverted", 3, 0},
};

/* About our rate: splitting would only make it worse.  Read before the rest. */
static const struct saying rates[] = {
	{"project ID request rate exceeded", -32005, 0},
	{"daily request count exceeded, request rate limited", -32005, 0},
	{"Your app has exceeded its compute units per second capacity.", 429,
	 0},
	{"rate limit exceeded", -32005, 0},
	{"Too Many Requests", -32005, 0},
	{"50/second request limit reached - reduce calls per second", -32007,
	 0},
};

static void test_each_providers_way_of_too_much(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(too_much); i++) {
		const struct saying *s = &too_much[i];
		struct too_much found = too_much_read(s->code, s->text);
		if (!found.yes || found.span != s->span)
			print_message("%s: %d %llu\n", s->text, found.yes,
				      (unsigned long long)found.span);
		assert_true(found.yes);
		assert_int_equal(found.span, s->span);
		assert_false(rpc_is_throttled((int)s->code, s->text));
	}
}

static void test_a_crowd_is_told_from_a_width(void **state)
{
	(void)state;
	assert_true(too_much_read(-32005, "query returned more than 10000 "
					  "results. Try with this block range "
					  "[0x1, 0x2].")
			    .crowded);
	assert_true(too_much_read(-32000, "query timeout exceeded").crowded);
	assert_true(too_much_read(-32602, "Log response size exceeded. Please "
					  "reduce query block range.")
			    .crowded);
	assert_false(too_much_read(-32600, "block range is too wide").crowded);
	assert_false(too_much_read(-32614, "eth_getLogs is limited to a 10,000 "
					   "range")
			     .crowded);
	assert_false(too_much_read(-32005, "limit exceeded").crowded);
}

static void test_what_is_not_too_much(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (too_much_read(others[i].code, others[i].text).yes)
			print_message("%s\n", others[i].text);
		assert_false(too_much_read(others[i].code, others[i].text).yes);
	}
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		if (!rpc_is_throttled((int)rates[i].code, rates[i].text))
			print_message("%s\n", rates[i].text);
		assert_true(
			rpc_is_throttled((int)rates[i].code, rates[i].text));
	}
}

static void test_numbers_a_provider_makes_up_do_no_harm(void **state)
{
	static const char *const texts[] = {
		"block range [0x",
		"block range [0x10, 0x",
		"block range [0x10,0x1]",
		"block range [0x0, 0xffffffffffffffff]",
		"limited to a 99999999999999999999999 range",
		"limited to a 0 range",
		"limited to a ,,, range",
		"the range 5-",
		"the range 9-5 block range",
		"maximum ",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(too_much_read(-32005, texts[i]).span, 0);
}

static void test_round_counts_are_cut_lists(void **state)
{
	(void)state;
	assert_true(too_much_is_cut(1000));
	assert_true(too_much_is_cut(10000));
	assert_true(too_much_is_cut(20000));
	assert_true(too_much_is_cut(100000));
	assert_false(too_much_is_cut(0));
	assert_false(too_much_is_cut(999));
	assert_false(too_much_is_cut(1001));
	assert_false(too_much_is_cut(101000));
}

static void test_a_span_halves_and_honours_a_suggestion(void **state)
{
	struct span s = {0};
	(void)state;
	assert_int_equal(span_of(&s), L1_SPAN_FIRST);
	span_refuse(&s, 2000, 0);
	assert_int_equal(span_of(&s), 1000);
	/* asked for before the first was refused */
	span_refuse(&s, 2000, 0);
	assert_int_equal(span_of(&s), 1000);
	span_refuse(&s, 1000, 101);
	assert_int_equal(span_of(&s), 101);
	/* reth once suggested what it had just refused */
	span_refuse(&s, 101, 101);
	assert_int_equal(span_of(&s), 50);
	for (int i = 0; i < 10; i++)
		(void)span_refuse(&s, span_of(&s), 0);
	assert_int_equal(span_of(&s), 1);
	assert_int_equal(span_refuse(&s, 1, 0), 0);
	/* what this one may list is not what the provider may by now */
	assert_int_equal(span_refuse(&s, 800, 0), 400);
	assert_int_equal(span_crowd(&s, 800, 900), 400);
	assert_int_equal(span_crowd(&s, 800, 799), 799);
}

/* One block full of logs does not make all the others slow. */
static void test_a_span_recovers_from_a_crowd(void **state)
{
	struct span s = {0};
	unsigned n = 0;
	(void)state;
	while (span_of(&s) > 4)
		span_crowd(&s, span_of(&s), 0);
	for (; span_of(&s) < L1_SPAN_MAX; n++)
		span_serve(&s, span_of(&s));
	assert_true(n > L1_SPAN_SLOW && n < L1_SPAN_SLOW + 12);
}

static void test_a_span_grows_slowly_to_what_was_refused(void **state)
{
	struct span s = {0};
	(void)state;
	span_serve(&s, 1999); /* the end of a chain */
	assert_int_equal(span_of(&s), 2000);
	span_serve(&s, 2000);
	span_serve(&s, 4000);
	assert_int_equal(span_of(&s), 8000);
	span_serve(&s, 8000);
	assert_int_equal(span_of(&s), L1_SPAN_MAX);
	span_refuse(&s, 10000, 0);
	uint64_t last = span_of(&s), steps = 0;
	for (; span_of(&s) < 9999; steps++) {
		span_serve(&s, span_of(&s));
		assert_true(span_of(&s) <= last + last / 8 + 1);
		last = span_of(&s);
	}
	assert_true(steps >= 5);
	/* not again at once, but in the end */
	for (unsigned i = 0; i < L1_SPAN_FORGET; i++) {
		if (s.refused)
			assert_int_equal(span_of(&s), 9999);
		span_serve(&s, span_of(&s));
	}
	assert_int_equal(span_of(&s), L1_SPAN_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_providers_way_of_too_much),
		cmocka_unit_test(test_a_crowd_is_told_from_a_width),
		cmocka_unit_test(test_what_is_not_too_much),
		cmocka_unit_test(test_numbers_a_provider_makes_up_do_no_harm),
		cmocka_unit_test(test_round_counts_are_cut_lists),
		cmocka_unit_test(test_a_span_halves_and_honours_a_suggestion),
		cmocka_unit_test(test_a_span_recovers_from_a_crowd),
		cmocka_unit_test(test_a_span_grows_slowly_to_what_was_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
