/* Text forms: one text for one value, in both directions.  err and buf, which
 * have nothing else to hide in, are held here too. */
#include "tests/unit/unit.h"

#include "abi/hex.h"
#include "abi/hex_digits.h"

static void test_hex_round_trips_in_lower_case(void **state)
{
	(void)state;
	uint8_t bytes[4];
	char text[2 + 8 + 1];
	assert_int_equal(hex_decode(slice_str("0x00fFA9b1"), bytes, 4), OK);
	assert_memory_equal(bytes, "\x00\xff\xa9\xb1", 4);
	assert_string_equal(hex_encode(bytes, 4, text), "0x00ffa9b1");
	assert_int_equal(hex_decode(slice_str("0x"), bytes, 0), OK);
}

static void test_hex_refuses_any_other_form_and_writes_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",	    "0",	"0x",	   "0x0",     "0x000",
		"0X0001",   "0x0g00",	"0x00000", "0x0001 ", " 0x0001",
		"00010203", "0x000102", "0x-001",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t bytes[2] = {7, 7};
		assert_int_equal(hex_decode(slice_str(bad[i]), bytes, 2),
				 ERR_INVALID);
		assert_memory_equal(bytes, "\7\7", 2);
	}
}

static void test_hex_into_buf_respects_its_maximum(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 3);
	assert_int_equal(hex_decode_buf(slice_str("0x0102"), &b), OK);
	assert_int_equal(hex_decode_buf(slice_str("0x3"), &b), ERR_INVALID);
	assert_int_equal(hex_decode_buf(slice_str("0x3z"), &b), ERR_INVALID);
	assert_int_equal(b.len, 2);
	assert_int_equal(hex_decode_buf(slice_str("0x"), &b), OK);
	assert_int_equal(hex_decode_buf(slice_str("0x03"), &b), OK);
	assert_memory_equal(b.p, "\1\2\3", 3);
	assert_int_equal(hex_decode_buf(slice_str("0x04"), &b), ERR_TOO_LARGE);
	assert_true(b.failed);
}

/* EIP-55: the specification's own test cases. */
static void test_address_checksum_is_required_of_mixed_case(void **state)
{
	(void)state;
	static const char *const good[] = {
		"0x52908400098527886E0F7030069857D2E4169EE7",
		"0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77",
		"0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
		"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	};
	struct address a, lower;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(address_parse(slice_str(good[i]), &a), OK);
		struct address_text text = address_text(a);
		assert_int_equal(address_parse(slice_str(text.s), &lower), OK);
		assert_true(address_eq(a, lower));
	}
	assert_int_equal(
		address_parse(slice_str("0xd1220A0cf47c7B9Be7A2E6BA89F429762e7b"
					"9aDb"),
			      &a),
		ERR_INVALID);
	assert_int_equal(
		address_parse(slice_str("0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b"
					"9adb"),
			      &a),
		ERR_INVALID);
	assert_int_equal(
		address_parse(slice_str("0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b"
					"9a"),
			      &a),
		ERR_INVALID);
}

static void test_hash_parses_exactly_32_bytes(void **state)
{
	(void)state;
	struct hash32 h = {{1, 2, [31] = 0xee}}, again;
	struct hash_text text = hash_text(h);
	assert_int_equal(strlen(text.s), 66);
	assert_int_equal(hash_parse(slice_str(text.s), &again), OK);
	assert_true(hash_eq(h, again));
	text.s[64] = '\0';
	assert_int_equal(hash_parse(slice_str(text.s), &again), ERR_INVALID);
}

/* RFC 4648, 10. Test Vectors, without the padding. */
static void test_base64url_meets_the_rfc(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{"", ""},
		{"f", "Zg"},
		{"fo", "Zm8"},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xbf", "-_-_"},
	};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 100);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		buf_clear(&b);
		base64url_encode(slice_str(pairs[i][0]), &b);
		assert_string_equal(buf_cstr(&b), pairs[i][1]);
		buf_clear(&b);
		assert_int_equal(base64url_decode(slice_str(pairs[i][1]), &b),
				 OK);
		assert_string_equal(buf_cstr(&b), pairs[i][0]);
	}
}

static void test_base64url_refuses_a_second_spelling(void **state)
{
	(void)state;
	static const char *const bad[] = {"Z",	   "A",	    "Zg==", "Zh",
					  "Zm9=",  "Zm9+",  "Zm 9", "Zm9/",
					  "Zm9vY", "Zm9vA", "Zm9"};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 100);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(base64url_decode(slice_str(bad[i]), &b),
				 ERR_INVALID);
		assert_int_equal(b.len, 0);
	}
	buf_done(&b);
	buf_init(&b, 2);
	assert_int_equal(base64url_decode(slice_str("Zm9v"), &b),
			 ERR_TOO_LARGE);
}

static void test_buf_failure_is_sticky_and_bounded(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 5);
	buf_add_str(&b, "abc");
	buf_printf(&b, "%d", 42);
	assert_string_equal(buf_cstr(&b), "abc42");
	assert_false(b.failed);
	buf_add_byte(&b, '!');
	assert_true(b.failed);
	assert_string_equal(buf_cstr(&b), "");
	buf_add(&b, "", 0);
	assert_int_equal(b.len, 5);
	assert_null(buf_extend(&b, 0));
	buf_clear(&b);
	buf_printf(&b, "%s", "sixsix");
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	buf_add_be(&b, 0x0102, 3);
	buf_add_zeros(&b, 2);
	assert_memory_equal(b.p, "\0\1\2\0\0", 5);
	buf_done(&b);
	buf_done(&b);
}

static void test_buf_grows_to_what_it_was_promised(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 100000);
	for (unsigned i = 0; i < 100000; i++)
		buf_add_byte(&b, (uint8_t)i);
	assert_false(b.failed);
	assert_int_equal(buf_slice(&b).len, 100000);
	assert_int_equal(b.p[99999], (uint8_t)99999);
	assert_int_equal(strlen(buf_cstr(&b)), 0); /* begins with a NUL */
}

static void test_err_text_is_cut_between_characters(void **state)
{
	(void)state;
	struct err_text e;
	err_text_set(&e, "block %d", 7);
	assert_string_equal(e.text, "block 7");
	err_text_set(&e, "%s of %s", e.text, "9");
	assert_string_equal(e.text, "block 7 of 9");
	char name[400];
	memset(name, 'a', 254);
	memcpy(name + 254, "\xe2\x80\xa6tail", 8);
	err_text_set(&e, "%s", name);
	assert_int_equal(strlen(e.text), 254);
	memcpy(name + 252, "\xe2\x80\xa6tail", 8);
	err_text_set(&e, "%s", name);
	assert_int_equal(strlen(e.text), 255);
	assert_string_equal(err_name(ERR_UNSAFE), "store not safe");
	assert_string_equal(err_name((enum err)99), "unknown");
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void test_hex_with_and_without_vectors_gives_one_verdict(void **state)
{
	(void)state;
	static const char digits[] = "0123456789abcdefABCDEF";
	uint64_t seed = 11;
	for (size_t i = 0; i < 20000; i++) {
		uint8_t text[160], a[80] = {0}, b[80] = {0};
		size_t len = next_random(&seed) % (sizeof(a) + 1);
		for (size_t k = 0; k < 2 * len; k++)
			text[k] = (uint8_t)digits[next_random(&seed) %
						  (sizeof(digits) - 1)];
		if (len && i % 2)
			text[next_random(&seed) % (2 * len)] =
				(uint8_t)next_random(&seed);
		bool fine = hex_digits_decode(text, a, len);
		assert_int_equal(fine, hex_digits_decode_scalar(text, b, len));
		if (fine)
			assert_memory_equal(a, b, sizeof(a));
	}
}

static void test_every_byte_is_a_digit_or_none_in_every_place(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < 34; at++) {
			uint8_t text[34], ret[17];
			memset(text, '7', sizeof(text));
			text[at] = (uint8_t)c;
			bool digit = (c >= '0' && c <= '9') ||
				     (c >= 'a' && c <= 'f') ||
				     (c >= 'A' && c <= 'F');
			assert_int_equal(hex_digits_decode(text, ret, 17),
					 digit);
			assert_int_equal(
				hex_digits_decode_scalar(text, ret, 17), digit);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_round_trips_in_lower_case),
		cmocka_unit_test(
			test_hex_refuses_any_other_form_and_writes_nothing),
		cmocka_unit_test(test_hex_into_buf_respects_its_maximum),
		cmocka_unit_test(
			test_address_checksum_is_required_of_mixed_case),
		cmocka_unit_test(test_hash_parses_exactly_32_bytes),
		cmocka_unit_test(test_base64url_meets_the_rfc),
		cmocka_unit_test(test_base64url_refuses_a_second_spelling),
		cmocka_unit_test(test_buf_failure_is_sticky_and_bounded),
		cmocka_unit_test(test_buf_grows_to_what_it_was_promised),
		cmocka_unit_test(test_err_text_is_cut_between_characters),
		cmocka_unit_test(
			test_hex_with_and_without_vectors_gives_one_verdict),
		cmocka_unit_test(
			test_every_byte_is_a_digit_or_none_in_every_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
