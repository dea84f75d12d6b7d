#include "tests/unit/values.h"

#include "abi/rlp.h"
#include "abi/tx.h"

static const uint8_t calldata[] = {0xde, 0xad, 0x00, 0xbe, 0xef};

static struct tx a_tx(void)
{
	return (struct tx){
		.chain_id = 1,
		.nonce = 7,
		.max_tip = {{2000000000}},
		.max_fee = {{30000000000}},
		.gas = 100000,
		.to = an_address(0x42),
		.value = {{5, 1}},
		.data = slice_of(calldata, sizeof(calldata)),
	};
}

static void encode(const struct tx *tx, struct buf *b)
{
	buf_init(b, TX_DATA_MAX + 1024);
	tx_encode_unsigned(tx, b);
	assert_false(b->failed);
}

static void encode_signed(const struct tx *tx, uint8_t by, struct buf *b)
{
	struct signature s = sign_by(by, tx_digest(tx));

	buf_init(b, TX_DATA_MAX + 1024);
	tx_encode_signed(tx, &s, b);
	assert_false(b->failed);
}

static bool takes_unsigned(struct slice s)
{
	struct tx tx;

	return tx_decode_unsigned(s, &tx) == OK;
}

static bool takes_signed(struct slice s)
{
	struct signature signature;
	struct address sender;
	struct tx tx;

	return tx_decode_signed(s, &tx, &signature, &sender) == OK;
}

/* What decodes, encodes to the same bytes: nobody can be shown one thing and
 * made to sign another. */
static void flip_is_canonical(struct slice s)
{
	struct buf again;
	struct tx tx;

	if (tx_decode_unsigned(s, &tx))
		return;
	encode(&tx, &again);
	assert_slice_equal(buf_slice(&again), s);
	buf_done(&again);
}

static void flip_changes_sender(struct slice s)
{
	struct signature signature;
	struct address sender;
	struct tx tx;

	if (tx_decode_signed(s, &tx, &signature, &sender) == OK)
		assert_false(address_eq(sender, address_of(1)));
}

static void test_unsigned_decodes_back(void **state)
{
	struct tx tx = a_tx(), got;
	struct buf b;

	(void)state;
	encode(&tx, &b);
	assert_int_equal(b.p[0], 2);
	assert_int_equal(tx_decode_unsigned(buf_slice(&b), &got), OK);
	assert_int_equal(got.chain_id, 1);
	assert_int_equal(got.nonce, 7);
	assert_int_equal(u256_cmp(got.max_tip, tx.max_tip), 0);
	assert_int_equal(u256_cmp(got.max_fee, tx.max_fee), 0);
	assert_int_equal(got.gas, 100000);
	assert_false(got.create);
	assert_address_equal(got.to, tx.to);
	assert_int_equal(u256_cmp(got.value, tx.value), 0);
	assert_slice_equal(got.data, tx.data);
	buf_done(&b);
}

static void test_create_has_no_to(void **state)
{
	struct tx tx = a_tx(), got;
	struct buf b;

	(void)state;
	tx.create = true;
	encode(&tx, &b);
	assert_int_equal(tx_decode_unsigned(buf_slice(&b), &got), OK);
	assert_true(got.create);
	assert_true(address_is_zero(got.to));
	buf_done(&b);
}

static void test_signed_recovers_sender(void **state)
{
	struct signature signature;
	struct tx tx = a_tx(), got;
	struct address sender;
	struct buf b;

	(void)state;
	encode_signed(&tx, 1, &b);
	assert_int_equal(
		tx_decode_signed(buf_slice(&b), &got, &signature, &sender), OK);
	assert_address_equal(sender, address_of(1));
	assert_hash_equal(tx_digest(&got), tx_digest(&tx));
	assert_hash_equal(tx_hash(buf_slice(&b)), keccak256(b.p, b.len));
	buf_done(&b);
}

static void test_decoders_refuse_prefixes_and_tails(void **state)
{
	struct tx tx = a_tx();
	struct buf b;

	(void)state;
	encode(&tx, &b);
	assert_true(takes_unsigned(buf_slice(&b)));
	assert_false(takes_signed(buf_slice(&b)));
	assert_prefixes_refused(buf_slice(&b), takes_unsigned);
	buf_add_byte(&b, 0);
	assert_false(takes_unsigned(buf_slice(&b)));
	buf_done(&b);

	encode_signed(&tx, 1, &b);
	assert_true(takes_signed(buf_slice(&b)));
	assert_false(takes_unsigned(buf_slice(&b)));
	assert_prefixes_refused(buf_slice(&b), takes_signed);
	buf_add_byte(&b, 0);
	assert_false(takes_signed(buf_slice(&b)));
	buf_done(&b);
}

static void test_flipped_bits_stay_canonical(void **state)
{
	struct tx tx = a_tx();
	struct buf b;

	(void)state;
	encode(&tx, &b);
	for_each_flip(buf_slice(&b), flip_is_canonical);
	buf_done(&b);
	encode_signed(&tx, 1, &b);
	for_each_flip(buf_slice(&b), flip_changes_sender);
	buf_done(&b);
}

/* The fields of an unsigned transaction as they stand, then `more` in the same
 * list. */
static void rebuilt(const struct tx *tx, const void *more, size_t len,
		    struct buf *to)
{
	struct rlp_reader outer, list;
	struct buf b;

	encode(tx, &b);
	outer = rlp_reader(slice_of(b.p + 1, b.len - 1));
	list = rlp_list(&outer);
	buf_init(to, TX_DATA_MAX + 1024);
	buf_add_byte(to, 2);
	/* all but the access list, one byte at the end */
	buf_add(to, list.rest.p, list.rest.len - 1);
	buf_add(to, more, len);
	rlp_wrap_list(to, 1);
	buf_done(&b);
}

static void test_decode_refuses_access_list(void **state)
{
	static const uint8_t empty_list[] = {0xc0};
	uint8_t one_entry[24] = {0xd7, 0xd6, 0x94};
	struct tx tx = a_tx();
	struct buf b;

	(void)state;
	one_entry[23] = 0xc0; /* an address, no keys */
	rebuilt(&tx, empty_list, 1, &b);
	assert_true(takes_unsigned(buf_slice(&b)));
	buf_done(&b);
	rebuilt(&tx, one_entry, sizeof(one_entry), &b);
	assert_false(takes_unsigned(buf_slice(&b)));
	buf_done(&b);
}

static void test_decode_refuses_one_field_more(void **state)
{
	uint8_t more[1 + 1 + 33 + 33 + 1] = {0xc0};
	struct tx tx = a_tx();
	struct signature s = sign_by(1, tx_digest(&tx));
	struct buf b;

	(void)state;
	more[1] = s.b[64] == 27 ? 0x80 : 1;
	more[2] = more[35] = 0xa0;
	memcpy(more + 3, s.b, 32);
	memcpy(more + 36, s.b + 32, 32);
	more[68] = 0x80;
	rebuilt(&tx, more, 68, &b);
	assert_true(takes_signed(buf_slice(&b)));
	buf_done(&b);
	rebuilt(&tx, more, 69, &b);
	assert_false(takes_signed(buf_slice(&b)));
	buf_done(&b);
}

static void test_decode_refuses_other_types(void **state)
{
	struct tx tx = a_tx();
	struct buf b;

	(void)state;
	encode(&tx, &b);
	for (unsigned type = 0; type < 256; type++) {
		b.p[0] = (uint8_t)type;
		assert_int_equal(takes_unsigned(buf_slice(&b)), type == 2);
	}
	buf_done(&b);
}

static void test_create_address_of_known_accounts(void **state)
{
	struct address first =
		address_from("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");

	(void)state;
	/* what every development chain gives to its first deployment */
	assert_string_equal(address_text(tx_create_address(first, 0)).s,
			    "0x5fbdb2315678afecb367f032d93f642f64180aa3");
	assert_string_equal(address_text(tx_create_address(first, 1)).s,
			    "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512");
}

static void test_intrinsic_gas_is_the_higher_price(void **state)
{
	uint8_t bytes[64];

	(void)state;
	assert_int_equal(tx_intrinsic_gas(slice_of(bytes, 0), false), 21000);
	memset(bytes, 1, sizeof(bytes));
	/* 64 × 40 floor against 64 × 16 */
	assert_int_equal(tx_intrinsic_gas(slice_of(bytes, 64), false),
			 21000 + 64 * 40);
	/* creation: 32000 + 2 words × 2 + 64 × 16 is above the floor */
	assert_int_equal(tx_intrinsic_gas(slice_of(bytes, 64), true),
			 21000 + 32000 + 4 + 64 * 16);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(tx_intrinsic_gas(slice_of(bytes, 64), false),
			 21000 + 64 * 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsigned_decodes_back),
		cmocka_unit_test(test_create_has_no_to),
		cmocka_unit_test(test_signed_recovers_sender),
		cmocka_unit_test(test_decoders_refuse_prefixes_and_tails),
		cmocka_unit_test(test_flipped_bits_stay_canonical),
		cmocka_unit_test(test_decode_refuses_access_list),
		cmocka_unit_test(test_decode_refuses_one_field_more),
		cmocka_unit_test(test_decode_refuses_other_types),
		cmocka_unit_test(test_create_address_of_known_accounts),
		cmocka_unit_test(test_intrinsic_gas_is_the_higher_price),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
