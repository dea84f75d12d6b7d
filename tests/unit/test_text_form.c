#include "tests/unit/values.h"

#include "abi/text_form.h"

static struct err_text why;

static bool takes_sealed(struct slice s)
{
	struct slice got;

	return text_form_open(s, &got, &why) == OK;
}

static bool takes_text(struct slice s)
{
	struct buf b;
	bool ret;

	buf_init(&b, 256);
	ret = text_form_decode("egress-test", s, &b, &why) == OK;
	buf_done(&b);
	return ret;
}

static void refuses_sealed(struct slice s)
{
	assert_false(takes_sealed(s));
}

static void test_seal_is_first_four_of_hash(void **state)
{
	struct hash32 hash = keccak256("abc", 3);
	struct slice got;
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	buf_add_str(&b, "xyabc");
	text_form_seal(&b, 2);
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.p + 5, hash.b, 4);
	assert_int_equal(text_form_open(slice_of(b.p + 2, 7), &got, &why), OK);
	assert_slice_equal(got, slice_str("abc"));
	buf_done(&b);
}

static void test_open_refuses_prefixes_and_flips(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	buf_add_str(&b, "a short thing");
	text_form_seal(&b, 0);
	assert_true(takes_sealed(buf_slice(&b)));
	assert_prefixes_refused(buf_slice(&b), takes_sealed);
	for_each_flip(buf_slice(&b), refuses_sealed);
	buf_done(&b);
}

static void test_text_comes_back_through_a_mail(void **state)
{
	struct buf b, mailed, got;

	(void)state;
	buf_init(&b, 256);
	text_form_encode("egress-test", slice_str("some bytes"), &b);
	assert_memory_equal(b.p, "egress-test1:", 13);
	buf_init(&mailed, 256);
	buf_printf(&mailed, " \r\n%s\n\t ", buf_cstr(&b));
	buf_init(&got, 256);
	assert_int_equal(
		text_form_decode("egress-test", buf_slice(&mailed), &got, &why),
		OK);
	assert_slice_equal(buf_slice(&got), slice_str("some bytes"));
	buf_done(&b);
	buf_done(&mailed);
	buf_done(&got);
}

static void test_text_refuses_prefixes_and_other_names(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	text_form_encode("egress-test", slice_str("some bytes"), &b);
	assert_true(takes_text(buf_slice(&b)));
	assert_prefixes_refused(buf_slice(&b), takes_text);
	buf_clear(&b);
	text_form_encode("egress-other", slice_str("some bytes"), &b);
	assert_false(takes_text(buf_slice(&b)));
	buf_clear(&b);
	text_form_encode("egress-test", slice_str("some bytes"), &b);
	b.p[11] = '2'; /* a version from the future */
	assert_false(takes_text(buf_slice(&b)));
	buf_done(&b);
}

static void test_decode_respects_the_buffers_maximum(void **state)
{
	struct buf b, small;

	(void)state;
	buf_init(&b, 256);
	text_form_encode("egress-test", slice_str("some bytes"), &b);
	buf_init(&small, 9);
	assert_int_equal(
		text_form_decode("egress-test", buf_slice(&b), &small, &why),
		ERR_TOO_LARGE);
	buf_done(&small);
	buf_done(&b);
}

static void test_line_breaks_of_a_mail_are_ignored(void **state)
{
	struct buf text, broken, got;

	(void)state;
	buf_init(&text, 256);
	buf_init(&broken, 512);
	buf_init(&got, 256);
	text_form_encode("egress-test", slice_str("a pack that was mailed"),
			 &text);
	buf_add_str(&broken, " \n");
	for (size_t i = 0; i < text.len; i++) {
		buf_add_byte(&broken, text.p[i]);
		if (i > 12 && i % 7 == 0)
			buf_add_str(&broken, "\r\n\t");
	}
	buf_add_str(&broken, " \n");
	assert_int_equal(
		text_form_decode("egress-test", buf_slice(&broken), &got, &why),
		OK);
	assert_slice_equal(buf_slice(&got),
			   slice_str("a pack that was mailed"));
	broken.len -= 6; /* cut short */
	assert_false(takes_text(buf_slice(&broken)));
	buf_done(&text);
	buf_done(&broken);
	buf_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_breaks_of_a_mail_are_ignored),
		cmocka_unit_test(test_seal_is_first_four_of_hash),
		cmocka_unit_test(test_open_refuses_prefixes_and_flips),
		cmocka_unit_test(test_text_comes_back_through_a_mail),
		cmocka_unit_test(test_text_refuses_prefixes_and_other_names),
		cmocka_unit_test(test_decode_respects_the_buffers_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
