/* 256-bit unsigned integers: amounts in the smallest unit. */
#ifndef EGRESS_ABI_U256_H
#define EGRESS_ABI_U256_H

#include "abi/buf.h"

struct u256 {
	uint64_t w[4]; /* least significant first */
};

#define U256_TEXT 79 /* 78 decimal digits + NUL */

struct u256 u256_from(uint64_t value);
struct u256 u256_from_be(const uint8_t *p, size_t len);	 /* len ≤ 32 */
void u256_to_be(struct u256 a, uint8_t *to, size_t len); /* must fit: assert */
bool u256_fits(struct u256 a, unsigned bits);
bool u256_is_zero(struct u256 a);
int u256_cmp(struct u256 a, struct u256 b);
/* false on overflow, underflow; *ret is then untouched. */
MUST_CHECK bool u256_add(struct u256 a, struct u256 b, struct u256 *ret);
MUST_CHECK bool u256_sub(struct u256 a, struct u256 b, struct u256 *ret);
MUST_CHECK bool u256_mul64(struct u256 a, uint64_t b, struct u256 *ret);
struct u256 u256_div64(struct u256 a, uint64_t b, uint64_t *ret_rest); /* b>0 */
/* The value, saturated at UINT64_MAX. */
uint64_t u256_u64(struct u256 a);
/* Decimal digits only, no sign, no leading zero but "0" itself. */
MUST_CHECK enum err u256_parse(struct slice text, struct u256 *ret);
struct u256_text {
	char s[U256_TEXT];
};
struct u256_text u256_text(struct u256 a);

#endif
