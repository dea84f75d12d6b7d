#include "tests/unit/values.h"

#include "abi/ask.h"

static const uint8_t calldata[] = {1, 2, 3, 4, 5};

static struct ask ballot_ask(void)
{
	return (struct ask){
		.kind = ASK_BALLOT,
		.key = an_address(0xaa),
		.vote = {1, {{0x11}}, VOTE_OPEN, 3, 120, {{0x22}}, 1800000000},
	};
}

static struct ask statement_ask(void)
{
	const struct exit_to e = {7, {{0x33}}, 120};

	return (struct ask){
		.kind = ASK_STATEMENT,
		.key = an_address(0xaa),
		.statement = statement_exit_to(1, an_address(9), &e),
	};
}

static struct ask transaction_ask(void)
{
	return (struct ask){
		.kind = ASK_TRANSACTION,
		.key = an_address(0xaa),
		.purpose = PURPOSE_EVACUATE,
		.tx = {.chain_id = 1,
		       .nonce = 2,
		       .gas = 21000,
		       .to = an_address(0x42),
		       .data = slice_of(calldata, sizeof(calldata))},
	};
}

static void encode(const struct ask *ask, struct buf *b)
{
	buf_init(b, ASK_MAX);
	ask_encode(ask, b);
	assert_false(b->failed);
}

static bool takes(struct slice s)
{
	struct ask ask;

	return ask_decode(s, &ask) == OK;
}

static struct hash32 digest_of(const struct ask *ask)
{
	struct hash32 ret;

	assert_int_equal(ask_digest(ask, &ret), OK);
	return ret;
}

static void comes_back(struct ask ask)
{
	struct ask got;
	struct buf b;

	encode(&ask, &b);
	assert_int_equal(ask_decode(buf_slice(&b), &got), OK);
	assert_int_equal(got.kind, ask.kind);
	assert_int_equal(got.purpose, ask.purpose);
	assert_address_equal(got.key, ask.key);
	assert_hash_equal(digest_of(&got), digest_of(&ask));
	assert_prefixes_refused(buf_slice(&b), takes);
	buf_add_byte(&b, 0);
	assert_false(takes(buf_slice(&b)));
	buf_done(&b);
}

static void test_ballot_comes_back(void **state)
{
	(void)state;
	comes_back(ballot_ask());
}

static void test_statement_comes_back(void **state)
{
	(void)state;
	comes_back(statement_ask());
}

static void test_transaction_comes_back(void **state)
{
	(void)state;
	comes_back(transaction_ask());
}

static void test_digest_is_what_the_contracts_check(void **state)
{
	struct ask ask = ballot_ask();

	(void)state;
	assert_hash_equal(digest_of(&ask), vote_digest(&ask.vote));
	ask = transaction_ask();
	assert_hash_equal(digest_of(&ask), tx_digest(&ask.tx));
}

/* A flip is refused or is another ask, said the same way. */
static void flip_is_canonical(struct slice s)
{
	struct ask ask;
	struct buf again;

	if (ask_decode(s, &ask))
		return;
	encode(&ask, &again);
	assert_slice_equal(buf_slice(&again), s);
	buf_done(&again);
}

static void test_flipped_bits_stay_canonical(void **state)
{
	const struct ask asks[] = {ballot_ask(), statement_ask(),
				   transaction_ask()};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		encode(&asks[i], &b);
		for_each_flip(buf_slice(&b), flip_is_canonical);
		buf_done(&b);
	}
}

static void test_decode_refuses_unknown_version_kind_purpose(void **state)
{
	struct ask ask = transaction_ask();
	struct buf b;

	(void)state;
	encode(&ask, &b);
	b.p[0] = 2;
	assert_false(takes(buf_slice(&b)));
	b.p[0] = 1;
	for (unsigned kind = 0; kind < 256; kind++) {
		b.p[1] = (uint8_t)kind;
		assert_int_equal(takes(buf_slice(&b)), kind == ASK_TRANSACTION);
	}
	b.p[1] = ASK_TRANSACTION;
	for (unsigned purpose = 0; purpose < 256; purpose++) {
		b.p[b.len - 1] = (uint8_t)purpose;
		assert_int_equal(takes(buf_slice(&b)),
				 purpose >= PURPOSE_CARRY &&
					 purpose <= PURPOSE_DEPLOY);
	}
	buf_done(&b);
}

static void test_largest_transaction_fits_one_ask(void **state)
{
	struct ask ask = transaction_ask(), got;
	uint8_t *data = calloc(1, TX_DATA_MAX);
	struct buf b;

	(void)state;
	assert_non_null(data);
	memset(data, 0xee, TX_DATA_MAX);
	ask.tx.data = slice_of(data, TX_DATA_MAX);
	encode(&ask, &b);
	assert_int_equal(ask_decode(buf_slice(&b), &got), OK);
	assert_slice_equal(got.tx.data, ask.tx.data);
	buf_done(&b);
	free(data);
}

static bool takes_answer(struct slice s)
{
	struct ask_answer answer;

	return ask_answer_decode(s, &answer) == OK;
}

static void test_signed_answer_comes_back_whole_or_not(void **state)
{
	struct ask_answer answer = {.status = ASK_SIGNED}, got;
	struct buf b;

	(void)state;
	answer.signature = sign_by(1, a_hash(1));
	buf_init(&b, 256);
	ask_answer_encode(&answer, &b);
	assert_int_equal(b.len, 66);
	assert_int_equal(ask_answer_decode(buf_slice(&b), &got), OK);
	assert_int_equal(got.status, ASK_SIGNED);
	assert_memory_equal(got.signature.b, answer.signature.b, 65);
	assert_prefixes_refused(buf_slice(&b), takes_answer);
	buf_add_byte(&b, 0);
	assert_false(takes_answer(buf_slice(&b)));
	buf_done(&b);
}

static void test_refusal_keeps_its_reason(void **state)
{
	struct ask_answer answer = {.status = ASK_REFUSED,
				    .text = "this key may not promote"},
			  got;
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	ask_answer_encode(&answer, &b);
	assert_int_equal(ask_answer_decode(buf_slice(&b), &got), OK);
	assert_int_equal(got.status, ASK_REFUSED);
	assert_string_equal(got.text, answer.text);
	buf_done(&b);
}

static void test_answer_refuses_long_or_many_lined_text(void **state)
{
	uint8_t bytes[2 + ASK_ANSWER_TEXT];

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	bytes[0] = ASK_CONFLICT;
	assert_true(takes_answer(slice_of(bytes, 1 + ASK_ANSWER_TEXT)));
	assert_false(takes_answer(slice_of(bytes, 2 + ASK_ANSWER_TEXT)));
	bytes[5] = '\n';
	assert_false(takes_answer(slice_of(bytes, 20)));
	bytes[5] = 0;
	assert_false(takes_answer(slice_of(bytes, 20)));
	bytes[5] = 0x1b;
	assert_false(takes_answer(slice_of(bytes, 20)));
	bytes[0] = ASK_STORE_UNSAFE + 1;
	assert_false(takes_answer(slice_of(bytes, 3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ballot_comes_back),
		cmocka_unit_test(test_statement_comes_back),
		cmocka_unit_test(test_transaction_comes_back),
		cmocka_unit_test(test_digest_is_what_the_contracts_check),
		cmocka_unit_test(test_flipped_bits_stay_canonical),
		cmocka_unit_test(
			test_decode_refuses_unknown_version_kind_purpose),
		cmocka_unit_test(test_largest_transaction_fits_one_ask),
		cmocka_unit_test(test_signed_answer_comes_back_whole_or_not),
		cmocka_unit_test(test_refusal_keeps_its_reason),
		cmocka_unit_test(test_answer_refuses_long_or_many_lined_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
