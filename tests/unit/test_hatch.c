/* What the contracts return, decoded; what they refuse, named. */
#include "unit.h"

#include "abi/contracts_tables.h"
#include "abi/hex.h"
#include "abi/words.h"
#include "l1/account.h"
#include "l1/facts.h"
#include "l1/hatch.h"
#include "l1/revert.h"
#include "l1/withdrawals.h"

static struct hash32 key_of(const char *text)
{
	struct hash32 key;
	assert_int_equal(hash_parse(slice_str(text), &key), OK);
	return key;
}

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

/* ---- the withdrawal queue's entries -------------------------------------- */

static void test_a_withdrawal_is_decoded(void **state)
{
	struct hash32 words[WITHDRAWAL_WORDS];
	struct l1_withdrawal w;
	(void)state;
	/* opening 2, stamp 1000, index 7 above the owner's 20 bytes */
	words[0] = key_of("0x000200000003e80000000007"
			  "0100000000000000000000000000000000000000");
	words[1] = key_of("0x0000000000000000000001f4"
			  "0200000000000000000000000000000000000000");
	words[2] = key_of("0x00000000000000000000003c"
			  "0300000000000000000000000000000000000000");
	w = withdrawal_decode(words);
	assert_true(w.there);
	assert_int_equal(w.owner.b[0], 1);
	assert_int_equal(w.index, 7);
	assert_int_equal(w.stamp, 1000);
	assert_int_equal(w.opening, 2);
	assert_int_equal(w.recipient.b[0], 2);
	assert_int_equal(u256_u64(w.amount), 500);
	assert_int_equal(w.payer.b[0], 3);
	assert_int_equal(u256_u64(w.bounty), 60);
}

/* The order of SovereignRollup._fate(). */
static void test_a_withdrawal_has_the_contracts_fate(void **state)
{
	const struct withdrawal_queue q = {.head = 5, .tail = 9, .openings = 2};
	struct l1_withdrawal w = {.there = true,
				  .opening = 2,
				  .recipient = {{1}},
				  .amount = u256_from(4)};
	/* cancelledFrom 3, unservedFrom 7, inboxFrom 1 */
	const struct hash32 opening = key_of("0x0000000000000000"
					     "0000000000000003"
					     "0000000000000007"
					     "0000000000000001");
	(void)state;
	/* in the life that goes on, nothing of an opening counts */
	assert_int_equal(withdrawal_fate(&q, 8, &w, opening),
			 EGRESS_FATE_QUEUED);
	assert_int_equal(withdrawal_fate(&q, 5, &w, opening),
			 EGRESS_FATE_QUEUED);
	assert_int_equal(withdrawal_fate(&q, 4, &w, opening),
			 EGRESS_FATE_EXECUTED);
	w.opening = 1; /* one that ended */
	assert_int_equal(withdrawal_fate(&q, 7, &w, opening),
			 EGRESS_FATE_UNSERVED);
	assert_int_equal(withdrawal_fate(&q, 6, &w, opening),
			 EGRESS_FATE_QUEUED);
	assert_int_equal(withdrawal_fate(&q, 3, &w, opening),
			 EGRESS_FATE_CANCELLED);
	assert_int_equal(withdrawal_fate(&q, 2, &w, opening),
			 EGRESS_FATE_EXECUTED);
	w.amount = u256_from(0);
	assert_int_equal(withdrawal_fate(&q, 3, &w, opening), EGRESS_FATE_VOID);
	w.recipient = (struct address){{0}};
	assert_int_equal(withdrawal_fate(&q, 3, &w, opening), EGRESS_FATE_PAID);
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

/* ---- facts from proved words ---------------------------------------------
 */

/* What a contract holds, by key; all else is zero. */
static struct {
	size_t n;
	struct hash32 keys[16];
	struct u256 values[16];
} storage[2];

static void hold(unsigned contract, struct hash32 key, const char *word)
{
	uint8_t bytes[32];
	size_t n = storage[contract].n++;
	assert_int_equal(hex_decode(slice_str(word), bytes, 32), OK);
	storage[contract].keys[n] = key;
	storage[contract].values[n] = u256_from_be(bytes, 32);
}

static void look_up(unsigned contract, struct facts_keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		k->values[i] = u256_from(0);
		for (size_t j = 0; j < storage[contract].n; j++)
			if (hash_eq(k->keys[i], storage[contract].keys[j]))
				k->values[i] = storage[contract].values[j];
	}
}

static enum facts_outcome take(struct facts_guess *guess, struct hatch_facts *f)
{
	static struct facts_keys hatch, rollup;
	facts_hatch_keys(guess, &hatch);
	facts_rollup_keys(guess, &rollup);
	look_up(0, &hatch);
	look_up(1, &rollup);
	return facts_take(&hatch, &rollup, guess, f);
}

#define ZEROS8 "0000000000000000"
#define ZEROS  "0x" ZEROS8 ZEROS8 ZEROS8

/* keccak256(uint256(4)), the published first element of a list at slot 4. */
static void test_facts_come_from_proved_words(void **state)
{
	struct facts_guess guess = {0};
	struct hatch_facts f = {.block = {.time = 1060}};
	(void)state;
	memset(storage, 0, sizeof(storage));
	hold(0, key_of(ZEROS "0000000000000004"), ZEROS "0000000000000002");
	hold(0,
	     key_of("0x8a35acfbc15ff81a39ae7d344fd709f28e8600b4aa8c65c6b64bfe7f"
		    "e36bd19b"),
	     ZEROS "00000000000000a1");
	hold(0,
	     key_of("0x8a35acfbc15ff81a39ae7d344fd709f28e8600b4aa8c65c6b64bfe7f"
		    "e36bd19c"),
	     ZEROS "00000000000000a2");
	/* inboxThrough 9; inboxTail 10, withdrawTail 8, withdrawHead 7 */
	hold(1, key_of(ZEROS "0000000000000001"),
	     "0x0000000000000009" ZEROS8 ZEROS8 "0000000000000005");
	hold(1, key_of(ZEROS "0000000000000003"),
	     "0x" ZEROS8 "000000000000000a"
	     "0000000000000008"
	     "0000000000000007");
	/* inclusionWindow 50, behind t and minBounty */
	hold(1, key_of(ZEROS "000000000000000d"),
	     "0x000000000000000000000000000000"
	     "00000032"
	     "00000000000000000000000000");
	struct facts_keys entries;
	facts_rollup_keys(
		&(struct facts_guess){.withdraw_head = 7, .inbox_through = 9},
		&entries);
	/* stamp 1000 at byte 25 of the first; queuedAt 1005 */
	hold(1, entries.keys[entries.n - 2],
	     "0x0000"
	     "00000003e8"
	     "0000000000"
	     "0000000000000000000000000000000000000000");
	hold(1, entries.keys[entries.n - 1], ZEROS "00000000000003ed");
	assert_int_equal(take(&guess, &f), FACTS_WRONG_GUESS);
	assert_int_equal(take(&guess, &f), FACTS_FINE);
	assert_int_equal(f.n_guardians, 2);
	assert_int_equal(f.guardians[0].b[19], 0xa1);
	assert_int_equal(f.guardians[1].b[19], 0xa2);
	assert_int_equal(f.n_standbys, 0);
	assert_int_equal(f.count, 5);
	assert_int_equal(f.overdue, 1050);
	f.block.time = 1050; /* exceeded strictly */
	assert_int_equal(take(&guess, &f), FACTS_FINE);
	assert_int_equal(f.overdue, 0);
	/* the withdrawals are served: the inbox alone */
	storage[1].values[1] = u256_from_be(
		(const uint8_t[]){[15] = 10, [23] = 8, [31] = 8}, 32);
	f.block.time = 1060;
	assert_int_equal(take(&guess, &f), FACTS_FINE);
	assert_int_equal(f.overdue, 1055);
}

static void test_a_list_of_another_contract_is_refused(void **state)
{
	struct facts_guess guess = facts_first_guess;
	struct hatch_facts f = {0};
	(void)state;
	memset(storage, 0, sizeof(storage));
	assert_int_equal(take(&guess, &f), FACTS_FINE);
	hold(0, key_of(ZEROS "0000000000000005"), ZEROS "0000000000000021");
	assert_int_equal(take(&guess, &f), FACTS_NO_HATCH);
	storage[0].values[0] = u256_from(32);
	assert_int_equal(take(&guess, &f), FACTS_WRONG_GUESS);
	assert_int_equal(take(&guess, &f), FACTS_FINE);
	assert_int_equal(f.n_standbys, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reverts_have_names),
		cmocka_unit_test(test_soliditys_own_errors_are_read),
		cmocka_unit_test(test_a_withdrawal_is_decoded),
		cmocka_unit_test(test_a_withdrawal_has_the_contracts_fate),
		cmocka_unit_test(test_facts_come_from_proved_words),
		cmocka_unit_test(test_a_list_of_another_contract_is_refused),
		cmocka_unit_test(test_what_nodes_say_to_a_transaction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
