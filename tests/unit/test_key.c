#include "tests/unit/values.h"

#include <pthread.h>

/* The first account of every development chain ("test … junk"). */
static const char known_key[] =
	"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

static struct key_secret known(void)
{
	struct key_secret ret;

	memcpy(ret.b, hash_from(known_key).b, 32);
	return ret;
}

/* r stays, s becomes order − s, v flips: recovers to the same point. */
static struct signature malleated(struct signature s)
{
	uint8_t n[32];
	int borrow = 0;

	assert_int_equal(
		hex_decode(slice_str("0xfffffffffffffffffffffffffffffffebaaedce"
				     "6af48a03bbfd25e8cd0364141"),
			   n, 32),
		OK);
	for (int i = 31; i >= 0; i--) {
		int d = n[i] - s.b[32 + i] - borrow;

		borrow = d < 0;
		s.b[32 + i] = (uint8_t)d;
	}
	s.b[64] ^= 27 ^ 28;
	return s;
}

static void test_address_of_known_key(void **state)
{
	struct key_secret secret = known();
	struct address got;

	(void)state;
	assert_int_equal(key_address(&secret, &got), OK);
	assert_string_equal(address_text(got).s,
			    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
}

static void test_address_refuses_zero_and_order(void **state)
{
	struct key_secret secret = {{0}};
	struct signature signature;
	struct address got;

	(void)state;
	assert_int_equal(key_address(&secret, &got), ERR_INVALID);
	assert_int_equal(key_sign(&secret, a_hash(1), &signature), ERR_INVALID);
	memset(secret.b, 0xff, sizeof(secret.b));
	assert_int_equal(key_address(&secret, &got), ERR_INVALID);
	assert_int_equal(key_sign(&secret, a_hash(1), &signature), ERR_INVALID);
}

static void test_signature_recovers_signer_and_is_low_s(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 32; i++) {
		struct hash32 digest = keccak256(&i, 1);
		struct signature s = sign_by(i, digest);
		struct address got;

		assert_in_range(s.b[64], 27, 28);
		assert_in_range(s.b[32], 0, 0x7f);
		assert_int_equal(key_recover(digest, &s, &got), OK);
		assert_address_equal(got, address_of(i));
	}
}

static void test_recover_refuses_high_s(void **state)
{
	struct hash32 digest = a_hash(7);
	struct signature s = sign_by(1, digest);
	struct signature high = malleated(s), back = malleated(high);
	struct address got;

	(void)state;
	assert_in_range(high.b[32], 0x7f, 0xff);
	assert_int_equal(key_recover(digest, &high, &got), ERR_INVALID);
	/* the helper itself is right: twice gives the first one back */
	assert_memory_equal(back.b, s.b, sizeof(s.b));
}

static void test_recover_takes_half_order_as_low(void **state)
{
	struct signature s = {{0}};
	struct address got;
	uint8_t *half = s.b + 32;

	(void)state;
	/* r = 1 is the x of a point; s exactly half the order, then one more */
	s.b[31] = 1;
	s.b[64] = 27;
	assert_int_equal(
		hex_decode(slice_str("0x7fffffffffffffffffffffffffffffff5d576e7"
				     "357a4501ddfe92f46681b20a0"),
			   half, 32),
		OK);
	assert_int_equal(key_recover(a_hash(3), &s, &got), OK);
	half[31]++;
	assert_int_equal(key_recover(a_hash(3), &s, &got), ERR_INVALID);
}

static void test_recover_refuses_foreign_v(void **state)
{
	struct signature s = sign_by(1, a_hash(7));
	struct address got;

	(void)state;
	for (unsigned v = 0; v < 256; v++) {
		s.b[64] = (uint8_t)v;
		if (v == 27 || v == 28)
			continue;
		assert_int_equal(key_recover(a_hash(7), &s, &got), ERR_INVALID);
	}
}

static void test_recover_refuses_zero_and_overflow(void **state)
{
	struct signature s = sign_by(1, a_hash(7)), bad;
	struct address got;

	(void)state;
	bad = s;
	memset(bad.b, 0, 32);
	assert_int_equal(key_recover(a_hash(7), &bad, &got), ERR_INVALID);
	bad = s;
	memset(bad.b + 32, 0, 32);
	assert_int_equal(key_recover(a_hash(7), &bad, &got), ERR_INVALID);
	bad = s;
	memset(bad.b, 0xff, 32);
	assert_int_equal(key_recover(a_hash(7), &bad, &got), ERR_INVALID);
}

static void test_flipped_bit_never_recovers_signer(void **state)
{
	struct signature s = sign_by(1, a_hash(7));

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(s.b); bit++) {
		struct address got = {{0}};

		s.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (key_recover(a_hash(7), &s, &got) == OK)
			assert_false(address_eq(got, address_of(1)));
		s.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void test_erase_leaves_zeros(void **state)
{
	struct key_secret secret = known(), zero = {{0}};

	(void)state;
	key_erase(&secret);
	assert_memory_equal(secret.b, zero.b, sizeof(zero.b));
}

static void *sign_many(void *arg)
{
	uint8_t number = *(uint8_t *)arg;
	struct key_secret secret = a_secret(number);
	struct signature first, s;

	if (key_sign(&secret, a_hash(number), &first))
		return NULL;
	for (int i = 0; i < 20; i++)
		if (key_sign(&secret, a_hash(number), &s) ||
		    memcmp(s.b, first.b, sizeof(s.b)))
			return NULL;
	return arg;
}

static void test_threads_sign_the_same(void **state)
{
	pthread_t threads[4];
	uint8_t numbers[4] = {1, 2, 3, 4};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_many,
						&numbers[i]),
				 0);
	for (int i = 0; i < 4; i++) {
		void *ret;

		assert_int_equal(pthread_join(threads[i], &ret), 0);
		assert_ptr_equal(ret, &numbers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_of_known_key),
		cmocka_unit_test(test_address_refuses_zero_and_order),
		cmocka_unit_test(test_signature_recovers_signer_and_is_low_s),
		cmocka_unit_test(test_recover_refuses_high_s),
		cmocka_unit_test(test_recover_takes_half_order_as_low),
		cmocka_unit_test(test_recover_refuses_foreign_v),
		cmocka_unit_test(test_recover_refuses_zero_and_overflow),
		cmocka_unit_test(test_flipped_bit_never_recovers_signer),
		cmocka_unit_test(test_erase_leaves_zeros),
		cmocka_unit_test(test_threads_sign_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
