#include "tests/unit/values.h"

#include "abi/statement.h"

static const struct withdraw withdraw = {
	.index = 7,
	.amount = {{1000}},
	.recipient = {{0x33}},
	.salt = {{0x44}},
	.expiry = 1800000000,
};
static const struct exit_to exit_to = {7, {{0x33}}, 120};
static const struct claim_to claim_to = {{{1}}, {{2}}, {{3}}, 4};

static void assert_digest(const struct statement *s, struct hash32 want)
{
	struct hash32 got;

	assert_int_equal(statement_digest(s, &got), OK);
	assert_hash_equal(got, want);
}

static void test_citizens_statements_have_the_contracts_digests(void **state)
{
	struct address rollup = an_address(9);
	struct statement s;

	(void)state;
	s = statement_withdraw(5, rollup, &withdraw);
	assert_digest(&s, withdraw_digest(5, rollup, &withdraw));
	s = statement_exit_to(5, rollup, &exit_to);
	assert_digest(&s, exit_to_digest(5, rollup, &exit_to));
	s = statement_claim_to(5, rollup, &claim_to);
	assert_digest(&s, claim_to_digest(5, rollup, &claim_to));
}

/* Fields that fit every type: a one in the lowest byte. */
static struct statement a_statement(char letter, unsigned type, size_t n)
{
	struct statement s = {
		.domain = {(enum typed_domain)letter, 1, {{1}}},
		.type = (enum statement_type)type,
		.n = n,
	};

	for (size_t i = 0; i < STATEMENT_FIELDS_MAX; i++)
		s.fields[i].b[31] = 1;
	return s;
}

static const struct {
	char letter;
	unsigned type;
	size_t n;
	unsigned bits[STATEMENT_FIELDS_MAX];
} known[] = {
	{'B', STATEMENT_WITHDRAW, 5, {40, 96, 160, 256, 64}},
	{'B', STATEMENT_EXIT_TO, 3, {40, 160, 64}},
	{'B', STATEMENT_CLAIM_TO, 4, {160, 160, 256, 64}},
	{'C', STATEMENT_RECEIPTS, 2, {256, 64}},
	{'C', STATEMENT_HEARTBEAT, 6, {64, 256, 8, 64, 256, 64}},
	{'C', STATEMENT_READY, 4, {160, 64, 256, 64}},
	{'C', STATEMENT_INCIDENT, 1, {256}},
};

static void test_digest_takes_the_known_types_only(void **state)
{
	struct hash32 digest;

	(void)state;
	for (unsigned letter = 0; letter < 256; letter++)
		for (unsigned type = 0; type < 8; type++)
			for (size_t n = 0; n <= STATEMENT_FIELDS_MAX; n++) {
				struct statement s =
					a_statement((char)letter, type, n);
				bool want = false;

				for (size_t i = 0; i < ARRAY_LEN(known); i++)
					want |= known[i].letter ==
							(char)letter &&
						known[i].type == type &&
						known[i].n == n;
				assert_int_equal(statement_digest(&s, &digest),
						 want ? OK : ERR_INVALID);
			}
}

static void test_digest_refuses_dirty_high_bytes(void **state)
{
	struct hash32 digest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		for (size_t f = 0; f < known[i].n; f++)
			for (unsigned bit = 0; bit < 256; bit += 8) {
				struct statement s =
					a_statement(known[i].letter,
						    known[i].type, known[i].n);
				bool fits = bit < known[i].bits[f];

				s.fields[f].b[31 - bit / 8] |= 1;
				assert_int_equal(statement_digest(&s, &digest),
						 fits ? OK : ERR_INVALID);
			}
}

static void test_digest_binds_every_field(void **state)
{
	struct hash32 base, digest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct statement s =
			a_statement(known[i].letter, known[i].type, known[i].n);

		assert_int_equal(statement_digest(&s, &base), OK);
		for (size_t f = 0; f < known[i].n; f++) {
			s.fields[f].b[31] ^= 2;
			assert_int_equal(statement_digest(&s, &digest), OK);
			assert_false(hash_eq(base, digest));
			s.fields[f].b[31] ^= 2;
		}
	}
}

static void test_request_id_is_hash_of_the_body(void **state)
{
	/* kind ‖ chain ‖ rollup ‖ index ‖ recipient ‖ count, by hand */
	static const char bytes[] = "0x03"
				    "0000000000000005"
				    "0909090909090909090909090909090909090909"
				    "0000000007"
				    "3300000000000000000000000000000000000000"
				    "0000000000000078";
	uint8_t raw[62];

	(void)state;
	assert_int_equal(hex_decode(slice_str(bytes), raw, sizeof(raw)), OK);
	assert_hash_equal(request_id_exit(5, an_address(9), &exit_to),
			  keccak256(raw, sizeof(raw)));
}

static void test_request_ids_differ_by_chain_rollup_and_kind(void **state)
{
	struct address rollup = an_address(9), other = an_address(8);
	struct hash32 id = request_id_withdrawal(5, rollup, &withdraw);
	struct withdraw w = withdraw;
	struct slice raw = slice_str("raw");

	(void)state;
	assert_false(hash_eq(id, request_id_withdrawal(6, rollup, &withdraw)));
	assert_false(hash_eq(id, request_id_withdrawal(5, other, &withdraw)));
	w.salt.b[31]++;
	assert_false(hash_eq(id, request_id_withdrawal(5, rollup, &w)));
	w = withdraw;
	w.amount = u256_from(1001);
	assert_false(hash_eq(id, request_id_withdrawal(5, rollup, &w)));
	assert_false(
		hash_eq(request_id_transaction(5, rollup, raw),
			request_id_transaction(5, rollup, slice_str("rax"))));
	/* the same body under another kind is another wish */
	assert_false(hash_eq(
		request_id_exit(5, rollup, &exit_to),
		request_id_transaction(5, rollup, slice_of("\0\0\0\0\7", 5))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_citizens_statements_have_the_contracts_digests),
		cmocka_unit_test(test_digest_takes_the_known_types_only),
		cmocka_unit_test(test_digest_refuses_dirty_high_bytes),
		cmocka_unit_test(test_digest_binds_every_field),
		cmocka_unit_test(test_request_id_is_hash_of_the_body),
		cmocka_unit_test(
			test_request_ids_differ_by_chain_rollup_and_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
