/* What a watcher shows of its providers. */
#include "unit.h"

#include <stdlib.h>

#include "watcher/status.h"

static struct l1_view view;
static struct buf text;

static void show(void (*write)(const struct status_input *, struct buf *))
{
	static struct pool pool;
	static const struct verdict verdict = {.phase = PHASE_UNKNOWN};
	static const struct ledger_mark mark;
	const struct status_input in = {.verdict = &verdict,
					.l1 = &view,
					.mark = &mark,
					.pool = &pool,
					.trouble = "",
					.follow_proofs = ""};

	buf_init(&text, 1u << 20);
	write(&in, &text);
	assert_false(text.failed);
}

static int set_up(void **state)
{
	(void)state;
	view = (struct l1_view){.n = 2};
	view.providers[0] = (struct l1_provider_view){
		.name = "a\"\\\nb",
		.state = "lying",
		.lying = true,
		.expulsions = 2,
		.expelled_at = 1000,
		.expelled_until = 1030,
		.expelled_for = "forged_header",
		.evidence = 7,
		.faults = {[FAULT_HTML] = 3},
	};
	view.providers[1] = (struct l1_provider_view){
		.name = "c", .state = "good", .expelled_for = ""};
	return 0;
}

static void has(const char *words)
{
	if (!strstr(buf_cstr(&text), words))
		fail_msg("no %s in %s", words, buf_cstr(&text));
}

/* A name may hold anything: it ends no label and no line. */
static void test_metrics_count_by_provider_and_kind(void **state)
{
	(void)state;
	show(status_metrics);
	has("\negress_provider_failures_total{provider=\"a\\\"\\\\\\nb\","
	    "kind=\"html\"} 3\n");
	has("\negress_provider_failures_total{provider=\"c\",kind=\"html\"} "
	    "0\n");
	has("\negress_provider_expulsions_total{provider=\"a\\\"\\\\\\nb\"} "
	    "2\n");
	has("\negress_provider_lying{provider=\"c\"} 0\n");
	buf_done(&text);
}

static void test_status_says_who_is_expelled_and_why(void **state)
{
	(void)state;
	show(status_json);
	has("\"failures\":{\"html\":3},\"expulsions\":2,\"expelled\":{"
	    "\"since\":1000,\"until\":1030,\"kind\":\"forged_header\","
	    "\"evidence\":7}}");
	has("\"failures\":{},\"expulsions\":0}");
	buf_done(&text);
}

#define TEST(t) cmocka_unit_test_setup(t, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_metrics_count_by_provider_and_kind),
		TEST(test_status_says_who_is_expelled_and_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
