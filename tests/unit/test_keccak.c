/* keccak-256 against published values, at every length around a block. */
#include "tests/unit/unit.h"

#include "abi/hex.h"
#include "abi/keccak.h"

static void assert_hash(struct hash32 got, const char *expected)
{
	assert_string_equal(hash_text(got).s, expected);
}

static void test_keccak_meets_published_values(void **state)
{
	(void)state;
	assert_hash(keccak256(NULL, 0),
		    "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad804"
		    "5d85a470");
	assert_hash(keccak256("", 1),
		    "0xbc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e0"
		    "64bcc98a");
	assert_hash(keccak256("abc", 3),
		    "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58f"
		    "a12d6c45");
	/* Transfer(address,address,uint256), the topic everybody knows */
	const char *transfer = "Transfer(address,address,uint256)";
	assert_hash(keccak256(transfer, strlen(transfer)),
		    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4d"
		    "f523b3ef");
}

static void test_keccak_in_pieces_equals_keccak_at_once(void **state)
{
	(void)state;
	uint8_t bytes[3 * 136 + 2];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct hash32 whole = keccak256(bytes, len);
		for (size_t cut = 0; cut <= len; cut += 17) {
			struct keccak k;
			keccak_init(&k);
			keccak_add(&k, bytes, cut);
			keccak_add(&k, bytes + cut, len - cut);
			assert_true(hash_eq(keccak_end(&k), whole));
		}
	}
}

static void test_pair_is_the_hash_of_both(void **state)
{
	(void)state;
	struct hash32 pair[2];
	for (size_t i = 0; i < sizeof(pair); i++)
		((uint8_t *)pair)[i] = (uint8_t)(i * 5);
	assert_true(hash_eq(keccak256_pair(&pair[0], &pair[1]),
			    keccak256(pair, sizeof(pair))));
	struct hash32 zero = {{0}};
	assert_hash(keccak256_pair(&zero, &zero),
		    "0xad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e5"
		    "97ba5fb5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keccak_meets_published_values),
		cmocka_unit_test(test_keccak_in_pieces_equals_keccak_at_once),
		cmocka_unit_test(test_pair_is_the_hash_of_both),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
