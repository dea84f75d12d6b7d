#include "tests/unit/values.h"

#include "abi/typed.h"

static const struct vote vote = {
	.chain_id = 1,
	.hatch = {{0x11}},
	.action = VOTE_PROMOTE,
	.epoch = 3,
	.progress = 120,
	.subject = {{0x22}},
	.expiry = 1800000000,
};

static void test_domain_separator_differs_by_everything(void **state)
{
	const struct domain base = {DOMAIN_HATCH, 1, {{1}}};
	struct domain other = base;
	struct hash32 separator = typed_domain_separator(&base);

	(void)state;
	other.letter = DOMAIN_ROLLUP;
	assert_false(hash_eq(separator, typed_domain_separator(&other)));
	other.letter = DOMAIN_EGRESS;
	assert_false(hash_eq(separator, typed_domain_separator(&other)));
	other = base;
	other.chain_id = 2;
	assert_false(hash_eq(separator, typed_domain_separator(&other)));
	other = base;
	other.contract.b[19] = 1;
	assert_false(hash_eq(separator, typed_domain_separator(&other)));
}

static void test_type_hash_is_of_the_text(void **state)
{
	(void)state;
	/* cast keccak "Incident(bytes32 documentHash)" is what anybody else
	 * would compute: the hash of the text and nothing around it */
	for (int i = 0; i < TYPED_TYPES; i++) {
		const char *text = typed_type_text((enum typed_type)i);

		assert_hash_equal(typed_type_hash((enum typed_type)i),
				  keccak256(text, strlen(text)));
	}
}

static void test_vote_digest_binds_every_field(void **state)
{
	struct hash32 digest = vote_digest(&vote);
	struct vote other;

	(void)state;
#define DIFFERS(change)                                                        \
	do {                                                                   \
		other = vote;                                                  \
		other.change;                                                  \
		assert_false(hash_eq(digest, vote_digest(&other)));            \
	} while (0)
	DIFFERS(chain_id++);
	DIFFERS(hatch.b[0]++);
	DIFFERS(action = VOTE_OPEN);
	DIFFERS(epoch++);
	DIFFERS(progress++);
	DIFFERS(subject.b[31]++);
	DIFFERS(expiry++);
#undef DIFFERS
}

static void test_action_names_parse_back(void **state)
{
	(void)state;
	for (unsigned i = VOTE_PROMOTE; i <= VOTE_AMEND; i++)
		assert_int_equal(vote_action_parse(vote_action_name(i)), i);
	assert_int_equal(vote_action_parse(""), 0);
	assert_int_equal(vote_action_parse("Promote"), 0);
	assert_int_equal(vote_action_parse("promotee"), 0);
}

static void test_subject_of_no_args_is_hash_of_nothing(void **state)
{
	(void)state;
	assert_string_equal(
		hash_text(vote_subject_bytes(slice_of(NULL, 0))).s,
		"0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85"
		"a470");
	assert_string_equal(hash_text(vote_subject_address(an_address(0xab))).s,
			    "0x000000000000000000000000abababababababababababab"
			    "abababababababab");
}

static void test_batch_digest_binds_sequencer(void **state)
{
	const struct batch batch = {.number = 1, .leaf_count = 2};

	(void)state;
	assert_false(
		hash_eq(batch_digest(1, an_address(1), &batch, an_address(2)),
			batch_digest(1, an_address(1), &batch, an_address(3))));
}

static void test_batch_hash_binds_before(void **state)
{
	const struct batch batch = {.number = 1, .leaf_count = 2};
	struct batch_before before = {1, 2, 3, 4}, other = before;

	(void)state;
	other.withdraw_head++;
	assert_false(hash_eq(batch_hash(&batch, &before),
			     batch_hash(&batch, &other)));
	other = before;
	other.committed_at++;
	assert_false(hash_eq(batch_hash(&batch, &before),
			     batch_hash(&batch, &other)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain_separator_differs_by_everything),
		cmocka_unit_test(test_type_hash_is_of_the_text),
		cmocka_unit_test(test_vote_digest_binds_every_field),
		cmocka_unit_test(test_action_names_parse_back),
		cmocka_unit_test(test_subject_of_no_args_is_hash_of_nothing),
		cmocka_unit_test(test_batch_digest_binds_sequencer),
		cmocka_unit_test(test_batch_hash_binds_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
