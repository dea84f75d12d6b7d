/* A provider's headers, from a file of its own. */
#include "unit.h"

#include "l1/provider.h"
#include "scratch.h"

static struct err_text error;

static enum err read_headers(const char *text, struct provider *p)
{
	struct scratch s = scratch_new();
	char file[128];
	const struct settings_provider settings = {
		.name = "a", .rate = 1, .headers_file = file};

	snprintf(file, sizeof(file), "%s/headers", s.dir);
	if (text)
		scratch_secret(file, text, strlen(text));
	enum err err = provider_init(p, &settings, NULL, &error);
	scratch_remove(s.dir);
	return err;
}

static void test_headers_are_lines_of_a_file(void **state)
{
	struct provider p;

	(void)state;
	assert_int_equal(
		read_headers("Authorization: Bearer x\r\n\nX-Key: y", &p), OK);
	assert_string_equal(p.headers[0], "Authorization: Bearer x");
	assert_string_equal(p.headers[1], "X-Key: y");
	assert_null(p.headers[2]);
	provider_done(&p);
}

static void refused(const char *text, const char *words)
{
	struct provider p;

	assert_int_equal(read_headers(text, &p), ERR_IO);
	if (!strstr(error.text, words))
		fail_msg("%s", error.text);
	provider_done(&p);
}

/* The complaint names the line, and never shows it: it may be a key. */
static void test_bad_headers_are_refused_by_their_line(void **state)
{
	CLEANUP(buf_done) struct buf many;
	static char long_one[L1_HEADERS_FILE_MAX + 100];

	(void)state;
	refused(NULL, "cannot read the headers of provider a");
	refused("X: 1\nsecret\n", "headers:2: not a header: write \"Name: ");
	assert_null(strstr(error.text, "secret"));
	buf_init(&many, L1_HEADERS_FILE_MAX);
	for (unsigned i = 0; i <= L1_HEADERS_MAX; i++)
		buf_add_str(&many, "X: 1\n");
	refused(buf_cstr(&many), "more than 16 headers");
	memset(long_one, 'x', sizeof(long_one) - 1);
	refused(long_one, "not a text of at most");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_are_lines_of_a_file),
		cmocka_unit_test(test_bad_headers_are_refused_by_their_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
