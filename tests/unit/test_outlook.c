/* What is told of L1, and that each change is told once. */
#include "tests/unit/values.h"

#include "l1/outlook.h"

static struct l1_view view;
static struct outlook told;

static int set_up(void **state)
{
	(void)state;
	told = (struct outlook){0};
	view = (struct l1_view){
		.healthy = true,
		.head = {.number = 100, .hash = a_hash(1), .time = 5100},
		.finalized = {.number = 90, .hash = a_hash(2), .time = 5000},
		.acted = {.number = 90, .hash = a_hash(2), .time = 5000},
		.depth = "finalized",
		.depth_why = "chain.act_on",
		.headers = "proved",
		.proofs = "proved",
		.unix_s = 5112,
		.base_fee = 7,
		.agree = 2,
		.quorum = 2,
		.n = 2,
		.providers = {{.name = "a",
			       .state = "good",
			       .agrees = true,
			       .heard = true},
			      {.name = "b",
			       .state = "down",
			       .why = "timed out",
			       .lacks = "finalized"}}};
	return 0;
}

static void test_the_json_tells_ages_depths_and_agreement(void **state)
{
	CLEANUP(buf_done) struct buf b;
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	struct json_reader r = {0};
	(void)state;
	buf_init(&b, 8192);
	struct json_writer w = json_writer(&b);
	json_begin(&w, NULL);
	l1_view_json(&view, "by quorum: no", &w);
	json_end(&w);
	assert_int_equal(json_parse(buf_slice(&b), 8192, 8, &doc, &error), OK);
	const json_node *o = json_object(&r, json_root(doc), "l1");
	const json_node *head = json_object(&r, o, "head");
	const json_node *acted = json_object(&r, o, "acted");
	const json_node *agree = json_object(&r, o, "agree");
	const json_node *b_is = json_at(json_array(&r, o, "providers"), 1);
	assert_int_equal(json_u64(&r, head, "age"), 12);
	assert_int_equal(json_u64(&r, head, "lag"), 0);
	assert_int_equal(json_u64(&r, acted, "lag"), 100);
	assert_int_equal(json_u64(&r, acted, "number"), 90);
	assert_true(json_is_null(o, "safe"));
	assert_int_equal(json_u64(&r, agree, "weight"), 2);
	assert_string_equal(
		json_string(&r, json_at(json_array(&r, agree, "without"), 0),
			    NULL, 9),
		"b");
	assert_string_equal(json_string(&r, o, "base_fee", 9), "7");
	assert_string_equal(json_string(&r, o, "follow_proofs", 99),
			    "by quorum: no");
	assert_string_equal(json_string(&r, b_is, "lacks", 99), "finalized");
	assert_false(json_bool(&r, b_is, "agrees"));
	assert_false(r.failed);
	/* a head of the future is no age */
	view.unix_s = 5000;
	buf_clear(&b);
	w = json_writer(&b);
	json_begin(&w, NULL);
	l1_view_json(&view, "", &w);
	json_end(&w);
	assert_non_null(strstr(buf_cstr(&b), "\"time\":5100,\"age\":0"));
}

static struct outlook_news next(const char *follow)
{
	struct outlook_news n;
	assert_true(outlook_news(&told, &view, follow, &n));
	return n;
}

static void assert_no_news(const char *follow)
{
	struct outlook_news n;
	if (outlook_news(&told, &view, follow, &n))
		fail_msg("news: %s is %s", n.event, n.is);
}

static void test_what_stands_is_told_once(void **state)
{
	(void)state;
	assert_string_equal(next("").event, "L1's headers are");
	assert_string_equal(next("").event, "L1's facts are");
	assert_no_news("");
	view.head.number++; /* as time goes by */
	view.unix_s++;
	memcpy(view.providers[1].why, "cut", 4);
	assert_no_news("");
}

static void drain(void)
{
	struct outlook_news n;
	while (outlook_news(&told, &view, "proved", &n))
		;
}

static void test_every_change_is_told_with_what_was(void **state)
{
	struct outlook_news n;
	(void)state;
	drain();
	memcpy(view.depth, "safe", 5);
	n = next("proved");
	assert_string_equal(n.is, "safe");
	assert_string_equal(n.was, "finalized");
	memcpy(view.proofs, "by quorum: a: no", 17);
	n = next("proved");
	assert_string_equal(n.is, "by quorum: a: no");
	assert_string_equal(n.was, "proved");
	memcpy(view.proofs, "by quorum: b: no", 17); /* why may change */
	assert_no_news("proved");
	n = next("by quorum: lacks");
	assert_string_equal(n.event, "L1's logs are");
	memcpy(view.clock, "off", 4);
	assert_string_equal(next("by quorum").is, "differ");
	view.clock[0] = '\0';
	assert_string_equal(next("by quorum").is, "agree");
	assert_no_news("by quorum");
}

static void test_who_leaves_the_quorums_branch_is_told(void **state)
{
	(void)state;
	drain();
	view.providers[0].state = "forked";
	struct outlook_news n = next("proved");
	assert_true(n.bad);
	assert_string_equal(n.of, "a");
	assert_string_equal(n.is, "on another branch");
	assert_no_news("proved");
	view.providers[0].state = "down"; /* for a moment */
	view.providers[0].heard = false;
	assert_no_news("proved");
	view.providers[0].state = "good";
	view.providers[0].heard = true;
	assert_false(next("proved").bad);
	assert_no_news("proved");
}

#define TEST(t) cmocka_unit_test_setup(t, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_json_tells_ages_depths_and_agreement),
		TEST(test_what_stands_is_told_once),
		TEST(test_every_change_is_told_with_what_was),
		TEST(test_who_leaves_the_quorums_branch_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
