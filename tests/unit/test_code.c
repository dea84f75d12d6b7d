/* Deployed code: ours in every release-exact byte, or not ours. */
#include "tests/unit/deployed.h"
#include "tests/unit/values.h"

#define CODE_MAX 24576 /* EIP-170 */

static const struct contract_code *const all[] = {&egress_escapehatch_code,
						  &egress_sovereignrollup_code,
						  &egress_badbatch_code};

static struct code_immutables some(void)
{
	struct code_immutables i = {.words = {a_hash(1), a_hash(2), a_hash(3)}};
	return i;
}

static void deployed(const struct contract_code *c, struct buf *to)
{
	struct code_immutables i = some();
	buf_init(to, CODE_MAX + 1);
	put_deployed(c, &i, to);
	assert_int_equal(to->len, c->size);
	assert_false(to->failed);
}

static void test_our_code_is_known_and_its_immutables_read(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		CLEANUP(buf_done) struct buf code;
		struct code_immutables found = {0}, real = some();
		deployed(all[k], &code);
		assert_true(code_is(all[k], buf_slice(&code), &found));
		assert_memory_equal(found.words, real.words,
				    all[k]->n_immutables *
					    sizeof(found.words[0]));
		for (size_t other = 0; other < ARRAY_LEN(all); other++)
			if (other != k)
				assert_false(code_is(all[other],
						     buf_slice(&code), &found));
	}
}

static bool is_rollup(struct slice code)
{
	struct code_immutables found;
	return code_is(&egress_sovereignrollup_code, code, &found);
}

static void test_cut_or_lengthened_code_is_not_ours(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf code;
	deployed(&egress_sovereignrollup_code, &code);
	assert_prefixes_refused(buf_slice(&code), is_rollup);
	buf_add_byte(&code, 0);
	assert_false(is_rollup(buf_slice(&code)));
}

/* The one place that may change alone is that of an immutable with one. */
static void test_any_other_byte_is_other_code(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf code;
	const struct contract_code *c = &egress_sovereignrollup_code;
	size_t alone = 0;
	deployed(c, &code);
	for (size_t at = 0; at < code.len; at++) {
		code.p[at] ^= (uint8_t)(1u << at % 8);
		alone += is_rollup(buf_slice(&code));
		code.p[at] ^= (uint8_t)(1u << at % 8);
	}
	assert_int_equal(alone, 32); /* badBatch, which is read once */
}

static void test_a_word_is_an_address_or_not(void **state)
{
	(void)state;
	struct address a = an_address(7), found;
	struct hash32 word = address_word(a);
	assert_true(code_address(word, &found));
	assert_address_equal(found, a);
	word.b[11] = 1;
	assert_false(code_address(word, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_our_code_is_known_and_its_immutables_read),
		cmocka_unit_test(test_cut_or_lengthened_code_is_not_ours),
		cmocka_unit_test(test_any_other_byte_is_other_code),
		cmocka_unit_test(test_a_word_is_an_address_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
