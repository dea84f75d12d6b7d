/* What the contracts return, decoded; what they refuse, named. */
#include "unit.h"

#include "abi/contracts_tables.h"
#include "abi/hex.h"
#include "abi/words.h"
#include "l1/account.h"
#include "l1/hatch.h"

static struct slice selector(uint8_t bytes[4], uint32_t value)
{
	put_be(bytes, value, 4);
	return slice_of(bytes, 4);
}

static void test_reverts_have_names(void **state)
{
	char name[64];
	uint8_t bytes[4];
	(void)state;
	assert_string_equal(
		l1_revert_name(selector(bytes, ERR_ESCAPEHATCH_WRONG_PHASE),
			       name, sizeof(name)),
		"WrongPhase");
	assert_string_equal(
		l1_revert_name(selector(bytes, ERR_ESCAPEHATCH_TOO_FEW_VOTES),
			       name, sizeof(name)),
		"TooFewVotes");
	assert_string_equal(
		l1_revert_name(selector(bytes, 0x01020304), name, sizeof(name)),
		"0x01020304");
	assert_string_equal(
		l1_revert_name(slice_of(NULL, 0), name, sizeof(name)),
		"no reason");
	assert_string_equal(
		l1_revert_name(slice_of("abc", 3), name, sizeof(name)),
		"no reason");
}

static void test_soliditys_own_errors_are_read(void **state)
{
	char name[64];
	struct buf b;
	(void)state;
	buf_init(&b, 1000);
	abi_put_selector(&b, 0x08c379a0);
	abi_put_u64(&b, 32);
	abi_put_bytes(&b, slice_str("too late"));
	assert_string_equal(l1_revert_name(buf_slice(&b), name, sizeof(name)),
			    "too late");
	buf_clear(&b);
	abi_put_selector(&b, 0x4e487b71);
	abi_put_u64(&b, 0x11);
	assert_string_equal(l1_revert_name(buf_slice(&b), name, sizeof(name)),
			    "Panic(0x11)");
	buf_done(&b);
}

static void put_withdrawal(struct buf *b, uint64_t fate)
{
	buf_clear(b);
	abi_put_address(b, (struct address){{1}});
	abi_put_u64(b, 7);
	abi_put_u64(b, 1000);
	abi_put_u64(b, 2);
	abi_put_address(b, (struct address){{2}});
	abi_put_u64(b, 500);
	abi_put_address(b, (struct address){{3}});
	abi_put_u64(b, 60);
	abi_put_u64(b, fate);
}

static void test_a_withdrawal_is_decoded(void **state)
{
	struct buf b;
	struct l1_withdrawal w;
	(void)state;
	buf_init(&b, 1000);
	put_withdrawal(&b, 4);
	assert_int_equal(l1_withdrawal_decode(buf_slice(&b), &w), OK);
	assert_int_equal(w.owner.b[0], 1);
	assert_int_equal(w.index, 7);
	assert_int_equal(w.stamp, 1000);
	assert_int_equal(w.opening, 2);
	assert_int_equal(w.recipient.b[0], 2);
	assert_int_equal(u256_u64(w.amount), 500);
	assert_int_equal(w.payer.b[0], 3);
	assert_int_equal(u256_u64(w.bounty), 60);
	assert_int_equal(w.fate, 4);
	buf_add_zeros(&b, 32);
	assert_int_equal(l1_withdrawal_decode(buf_slice(&b), &w), ERR_INVALID);
	put_withdrawal(&b, 6);
	assert_int_equal(l1_withdrawal_decode(buf_slice(&b), &w), ERR_INVALID);
	put_withdrawal(&b, 0);
	b.p[32] = 1; /* dirty high bytes of index */
	assert_int_equal(l1_withdrawal_decode(buf_slice(&b), &w), ERR_INVALID);
	b.len = 0;
	assert_int_equal(l1_withdrawal_decode(buf_slice(&b), &w), ERR_INVALID);
	buf_clear(&b);
	l1_withdrawal_call(&b, 9);
	assert_int_equal(b.len, 36);
	assert_int_equal(get_be(b.p, 4), SEL_SOVEREIGNROLLUP_WITHDRAWAL);
	assert_int_equal(b.p[35], 9);
	buf_done(&b);
}

static void test_what_nodes_say_to_a_transaction(void **state)
{
	static const struct {
		const char *text;
		enum send_verdict verdict;
	} table[] = {
		{"already known", SEND_ACCEPTED},
		{"ALREADY_EXISTS: already known", SEND_ACCEPTED},
		{"transaction already imported", SEND_ACCEPTED},
		{"nonce too low: next nonce 5, tx nonce 4", SEND_NONCE_LOW},
		{"OldNonce, Current nonce: 5", SEND_NONCE_LOW},
		{"replacement transaction underpriced", SEND_UNDERPRICED},
		{"transaction underpriced: tip needed 1", SEND_UNDERPRICED},
		{"max fee per gas less than block base fee: address 0x1",
		 SEND_UNDERPRICED},
		{"FeeTooLow, EffectiveGasPrice too low", SEND_UNDERPRICED},
		{"insufficient funds for gas * price + value", SEND_NO_FUNDS},
		{"Insufficient funds for gas * price + value", SEND_NO_FUNDS},
		{"exceeds block gas limit", SEND_REJECTED},
		{"", SEND_REJECTED},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(send_verdict_of(table[i].text),
				 table[i].verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reverts_have_names),
		cmocka_unit_test(test_soliditys_own_errors_are_read),
		cmocka_unit_test(test_a_withdrawal_is_decoded),
		cmocka_unit_test(test_what_nodes_say_to_a_transaction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
