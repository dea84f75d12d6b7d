/* Values that tests of abi/ share: recognisable, never random. */
#ifndef EGRESS_TESTS_VALUES_H
#define EGRESS_TESTS_VALUES_H

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/buf.h"
#include "abi/hex.h"
#include "abi/keccak.h"
#include "abi/key.h"

static inline struct hash32 a_hash(uint8_t byte)
{
	struct hash32 h;

	memset(h.b, byte, sizeof(h.b));
	return h;
}

static inline struct address an_address(uint8_t byte)
{
	struct address a;

	memset(a.b, byte, sizeof(a.b));
	return a;
}

/* Distinct keys, each a hash of its number. */
static inline struct key_secret a_secret(uint8_t number)
{
	struct hash32 h = keccak256(&number, 1);
	struct key_secret ret;

	memcpy(ret.b, h.b, sizeof(ret.b));
	return ret;
}

static inline struct address address_of(uint8_t number)
{
	struct key_secret secret = a_secret(number);
	struct address ret;

	assert_int_equal(key_address(&secret, &ret), OK);
	return ret;
}

static inline struct signature sign_by(uint8_t number, struct hash32 digest)
{
	struct key_secret secret = a_secret(number);
	struct signature ret;

	assert_int_equal(key_sign(&secret, digest, &ret), OK);
	return ret;
}

static inline struct hash32 hash_from(const char *hex)
{
	struct hash32 ret;

	assert_int_equal(hex_decode(slice_str(hex), ret.b, 32), OK);
	return ret;
}

static inline struct address address_from(const char *hex)
{
	struct address ret;

	assert_int_equal(hex_decode(slice_str(hex), ret.b, 20), OK);
	return ret;
}

#define assert_hash_equal(a, b)                                                \
	assert_string_equal(hash_text(a).s, hash_text(b).s)
#define assert_address_equal(a, b)                                             \
	assert_string_equal(address_text(a).s, address_text(b).s)
#define assert_slice_equal(a, b)                                               \
	do {                                                                   \
		struct slice sa_ = (a), sb_ = (b);                             \
		assert_int_equal(sa_.len, sb_.len);                            \
		assert_memory_equal(sa_.p, sb_.p, sa_.len);                    \
	} while (0)

/* Hands every proper prefix of s, in memory of exactly its length so that a
 * sanitizer sees a read past it, to takes(); which returns whether it took. */
static inline void assert_prefixes_refused(struct slice s,
					   bool (*takes)(struct slice))
{
	for (size_t len = 0; len < s.len; len++) {
		uint8_t *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, s.p, len);
		if (takes(slice_of(copy, len)))
			fail_msg("took a prefix of %zu of %zu bytes", len,
				 s.len);
		free(copy);
	}
}

/* Flips every bit in turn.  check() asserts what must hold of the result. */
static inline void for_each_flip(struct slice s, void (*check)(struct slice))
{
	uint8_t *copy = malloc(s.len);

	assert_non_null(copy);
	memcpy(copy, s.p, s.len);
	for (size_t bit = 0; bit < 8 * s.len; bit++) {
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		check(slice_of(copy, s.len));
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(copy);
}

#endif
