/* 256-bit arithmetic on four 64-bit words; every overflow is reported. */
#include "abi/u256.h"

#include <assert.h>

#define DIGITS_MAX 78 /* decimal digits of 2^256 − 1 */

__extension__ typedef unsigned __int128 wide;

struct u256 u256_from(uint64_t value)
{
	return (struct u256){{value, 0, 0, 0}};
}

struct u256 u256_from_be(const uint8_t *p, size_t len)
{
	assert(len <= 32);
	struct u256 a = {{0}};
	for (size_t i = 0; i < len; i++)
		a.w[i / 8] |= (uint64_t)p[len - 1 - i] << 8 * (i % 8);
	return a;
}

void u256_to_be(struct u256 a, uint8_t *to, size_t len)
{
	assert(len > 32 || u256_fits(a, (unsigned)len * 8));
	for (size_t i = 0; i < len; i++)
		to[len - 1 - i] =
			i < 32 ? (uint8_t)(a.w[i / 8] >> 8 * (i % 8)) : 0;
}

bool u256_fits(struct u256 a, unsigned bits)
{
	for (unsigned i = 0; i < 4; i++) {
		if (bits >= 64 * (i + 1))
			continue;
		uint64_t above =
			bits <= 64 * i ? a.w[i] : a.w[i] >> (bits - 64 * i);
		if (above)
			return false;
	}
	return true;
}

bool u256_is_zero(struct u256 a)
{
	return !(a.w[0] | a.w[1] | a.w[2] | a.w[3]);
}

int u256_cmp(struct u256 a, struct u256 b)
{
	for (size_t i = 4; i-- > 0;)
		if (a.w[i] != b.w[i])
			return a.w[i] < b.w[i] ? -1 : 1;
	return 0;
}

bool u256_add(struct u256 a, struct u256 b, struct u256 *ret)
{
	struct u256 sum;
	wide carry = 0;
	for (size_t i = 0; i < 4; i++) {
		carry += (wide)a.w[i] + b.w[i];
		sum.w[i] = (uint64_t)carry;
		carry >>= 64;
	}
	if (carry)
		return false;
	*ret = sum;
	return true;
}

bool u256_sub(struct u256 a, struct u256 b, struct u256 *ret)
{
	if (u256_cmp(a, b) < 0)
		return false;
	struct u256 rest;
	uint64_t borrow = 0;
	for (size_t i = 0; i < 4; i++) {
		wide x = (wide)a.w[i] - b.w[i] - borrow;
		rest.w[i] = (uint64_t)x;
		borrow = (uint64_t)(x >> 64) & 1;
	}
	*ret = rest;
	return true;
}

bool u256_mul64(struct u256 a, uint64_t b, struct u256 *ret)
{
	struct u256 product;
	wide carry = 0;
	for (size_t i = 0; i < 4; i++) {
		carry += (wide)a.w[i] * b;
		product.w[i] = (uint64_t)carry;
		carry >>= 64;
	}
	if (carry)
		return false;
	*ret = product;
	return true;
}

struct u256 u256_div64(struct u256 a, uint64_t b, uint64_t *ret_rest)
{
	assert(b > 0);
	wide rest = 0;
	for (size_t i = 4; i-- > 0;) {
		rest = rest << 64 | a.w[i];
		a.w[i] = (uint64_t)(rest / b);
		rest %= b;
	}
	if (ret_rest)
		*ret_rest = (uint64_t)rest;
	return a;
}

uint64_t u256_u64(struct u256 a)
{
	return u256_fits(a, 64) ? a.w[0] : UINT64_MAX;
}

enum err u256_parse(struct slice text, struct u256 *ret)
{
	if (!text.len || (text.p[0] == '0' && text.len > 1))
		return ERR_INVALID;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return ERR_INVALID;
	if (text.len > DIGITS_MAX)
		return ERR_TOO_LARGE;
	struct u256 a = u256_from(0);
	for (size_t i = 0; i < text.len; i++) {
		struct u256 digit = u256_from((uint64_t)(text.p[i] - '0'));
		if (!u256_mul64(a, 10, &a) || !u256_add(a, digit, &a))
			return ERR_TOO_LARGE;
	}
	*ret = a;
	return OK;
}

struct u256_text u256_text(struct u256 a)
{
	char reversed[DIGITS_MAX];
	size_t n = 0;
	do {
		uint64_t digit;
		a = u256_div64(a, 10, &digit);
		assert(n < sizeof(reversed));
		reversed[n++] = (char)('0' + digit);
	} while (!u256_is_zero(a));
	struct u256_text ret;
	for (size_t i = 0; i < n; i++)
		ret.s[i] = reversed[n - 1 - i];
	ret.s[n] = '\0';
	return ret;
}
