#include "abi/hex_digits.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define STEP 16 /* bytes made at once, of twice as many digits */

const uint8_t hex_digits_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool hex_digits_decode_scalar(const uint8_t *digits, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned high = hex_digits_value[digits[2 * i]];
		unsigned low = hex_digits_value[digits[2 * i + 1]];
		if (!high || !low)
			return false;
		ret[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return true;
}

#ifdef __SSE2__
/* all ones where a <= b, unsigned */
static inline __m128i at_most(__m128i a, __m128i b)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(a, b), a);
}

/* The values of 16 digits; good: cleared where one is none. */
static inline __m128i values(const uint8_t *digits, __m128i *good)
{
	__m128i c = _mm_loadu_si128((const __m128i *)digits);
	__m128i lower = _mm_or_si128(c, _mm_set1_epi8(0x20));
	__m128i number = _mm_sub_epi8(c, _mm_set1_epi8('0'));
	__m128i letter = _mm_sub_epi8(lower, _mm_set1_epi8('a'));
	__m128i is_number = at_most(number, _mm_set1_epi8(9));
	__m128i is_letter = at_most(letter, _mm_set1_epi8(5));
	letter = _mm_add_epi8(letter, _mm_set1_epi8(10));
	*good = _mm_and_si128(*good, _mm_or_si128(is_number, is_letter));
	return _mm_or_si128(_mm_and_si128(number, is_number),
			    _mm_and_si128(letter, is_letter));
}

/* Two digits stand in each 16-bit lane, the higher one first. */
static inline __m128i pairs(__m128i values)
{
	__m128i joined = _mm_or_si128(_mm_slli_epi16(values, 4),
				      _mm_srli_epi16(values, 8));
	return _mm_and_si128(joined, _mm_set1_epi16(0xff));
}

static inline void decode_step(const uint8_t *digits, uint8_t *ret,
			       __m128i *good)
{
	__m128i first = pairs(values(digits, good));
	__m128i second = pairs(values(digits + STEP, good));
	_mm_storeu_si128((__m128i *)ret, _mm_packus_epi16(first, second));
}

bool hex_digits_decode(const uint8_t *digits, uint8_t *ret, size_t len)
{
	if (len < STEP)
		return hex_digits_decode_scalar(digits, ret, len);
	__m128i good = _mm_set1_epi8(-1);
	size_t i = 0;
	for (; i + STEP <= len; i += STEP)
		decode_step(digits + 2 * i, ret + i, &good);
	/* the rest once more with what stands before it */
	if (i < len)
		decode_step(digits + 2 * (len - STEP), ret + len - STEP, &good);
	return _mm_movemask_epi8(good) == 0xffff;
}
#else
bool hex_digits_decode(const uint8_t *digits, uint8_t *ret, size_t len)
{
	return hex_digits_decode_scalar(digits, ret, len);
}
#endif
