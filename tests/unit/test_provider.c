/* One endpoint: when it is asked again after a failure. */
#include "unit.h"

#include "l1/provider.h"
#include "l1/rpc.h"

#define NOW 1000000

static struct settings_provider settings = {
	.name = "a", .url = "http://a", .weight = 1, .timeout_ms = 3000};
static struct provider provider;

static int set_up(void **state)
{
	struct err_text error;
	(void)state;
	if (provider_init(&provider, &settings, NULL, &error))
		return -1;
	provider.pinned = true;
	return 0;
}

/* To a batch of n calls; how long it is left alone from now, in ms. */
static uint64_t take(size_t n, const struct http_reply *http)
{
	struct rpc_reply reply;
	if (!provider_take(&provider, http, n, NOW, &reply))
		rpc_reply_done(&reply);
	return provider.backoff_until_ms > NOW ? provider.backoff_until_ms - NOW
					       : 0;
}

static uint64_t take_text(size_t n, const char *text)
{
	return take(n, &(struct http_reply){.status = 200,
					    .body = slice_str(text)});
}

static void test_a_status_of_refusal_is_a_failure(void **state)
{
	static const char good[] = "[{\"id\":0,\"result\":\"0x1\"}]";
	static const long statuses[] = {204, 301, 302, 307, 308, 403, 429, 503};
	struct rpc_reply reply;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		const struct http_reply http = {.status = statuses[i],
						.body = slice_str(good)};
		assert_int_equal(
			provider_take(&provider, &http, 1, NOW, &reply),
			ERR_IO);
		assert_null(reply.answers);
	}
	assert_int_equal(provider.failures, ARRAY_LEN(statuses));
	assert_string_equal(provider.why, "HTTP status 503");
}

static void test_retry_after_is_kept_within_bounds(void **state)
{
	(void)state;
	assert_int_equal(take(1, &(struct http_reply){.status = 429,
						      .retry_after_s = 3}),
			 3000);
	assert_int_equal(take(1, &(struct http_reply){.status = 503,
						      .retry_after_s = 86400}),
			 L1_BACKOFF_MAX_MS);
	/* one that asks for less does not shorten our own */
	provider.failures = 5;
	assert_int_equal(take(1, &(struct http_reply){.status = 429,
						      .retry_after_s = 1}),
			 L1_BACKOFF_FIRST_MS << 5);
}

#define LIMIT                                                                  \
	"{\"id\":0,\"error\":{\"code\":-32005,\"message\":\"request limit "    \
	"reached\"}}"
#define PARAMS(id)                                                             \
	"{\"id\":" id ",\"error\":{\"code\":-32602,\"message\":\"invalid "     \
	"argument 0\"}}"
#define FINE "{\"id\":1,\"result\":\"0x1\"}"

static void test_a_limit_in_one_answer_is_the_providers(void **state)
{
	(void)state;
	assert_int_equal(take_text(2, "[" LIMIT "," FINE "]"),
			 L1_BACKOFF_FIRST_MS);
	assert_string_equal(provider.why, "its rate limit");
}

static void test_a_refused_call_is_that_calls_alone(void **state)
{
	(void)state;
	assert_int_equal(take_text(2, "[" PARAMS("0") "," FINE "]"), 0);
	assert_int_equal(provider.failures, 0);
}

static void test_errors_alone_end_no_backing_off(void **state)
{
	(void)state;
	provider_failed(&provider, NOW, FAULT_REFUSED, "its head is missing");
	provider_failed(&provider, NOW, FAULT_REFUSED, "its head is missing");
	assert_int_equal(take_text(2, "[" PARAMS("0") "," PARAMS("1") "]"),
			 2 * L1_BACKOFF_FIRST_MS);
	assert_int_equal(provider.failures, 2);
	assert_int_equal(take_text(2, "[" PARAMS("0") "," FINE "]"), 0);
	assert_int_equal(provider.failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_status_of_refusal_is_a_failure,
				       set_up),
		cmocka_unit_test_setup(test_retry_after_is_kept_within_bounds,
				       set_up),
		cmocka_unit_test_setup(
			test_a_limit_in_one_answer_is_the_providers, set_up),
		cmocka_unit_test_setup(test_a_refused_call_is_that_calls_alone,
				       set_up),
		cmocka_unit_test_setup(test_errors_alone_end_no_backing_off,
				       set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
