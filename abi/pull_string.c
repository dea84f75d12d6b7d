/* Strings of abi/pull: every byte of every one of them is looked at. */
#include "abi/pull_impl.h"

#include "abi/hex_digits.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CHARACTER_MAX 4 /* bytes of UTF-8 */
#define STEP	      16

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The first byte that needs a closer look: quote, escape, control, UTF-8. */
static const uint8_t *plain_end(const uint8_t *at, const uint8_t *end)
{
#ifdef __SSE2__
	for (; end - at >= STEP; at += STEP) {
		__m128i c = _mm_loadu_si128((const __m128i *)at);
		/* signed: what is not ASCII is below the space as well */
		__m128i odd = _mm_or_si128(
			_mm_cmplt_epi8(c, _mm_set1_epi8(' ')),
			_mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('"')),
				     _mm_cmpeq_epi8(c, _mm_set1_epi8('\\'))));
		unsigned mask = (unsigned)_mm_movemask_epi8(odd);
		if (mask)
			return at + __builtin_ctz(mask);
	}
#endif
	while (at < end && is_plain(*at))
		at++;
	return at;
}

/* Unicode 3.9, table 3-7: "Well-Formed UTF-8 Byte Sequences".  How many bytes
 * the character at hand has; 0: it is none. */
static size_t utf8_len(const uint8_t *at, size_t left)
{
	uint8_t first = at[0], least = 0x80, most = 0xbf;
	size_t len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first < 0xc2 || first > 0xf4 || left < len)
		return 0;
	if (first == 0xe0)
		least = 0xa0; /* no overlong form */
	else if (first == 0xed)
		most = 0x9f; /* no surrogates */
	else if (first == 0xf0)
		least = 0x90;
	else if (first == 0xf4)
		most = 0x8f; /* nothing above U+10FFFF */
	if (at[1] < least || at[1] > most)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static size_t utf8_put(uint32_t c, uint8_t to[CHARACTER_MAX])
{
	static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = len; i-- > 1; c >>= 6)
		to[i] = (uint8_t)(0x80 | (c & 0x3f));
	to[0] = (uint8_t)(first[len] | c);
	return len;
}

/* \uXXXX at hand: what it names, or -1. */
static int32_t unicode_unit(const uint8_t *at, size_t left)
{
	uint8_t b[2];
	if (left < 6 || at[0] != '\\' || at[1] != 'u' ||
	    !hex_digits_decode_scalar(at + 2, b, 2))
		return -1;
	return b[0] << 8 | b[1];
}

/* An escape at hand: its character in `to`; how many bytes, 0 after failing. */
static size_t read_escape(struct pull *p, uint8_t to[CHARACTER_MAX])
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	size_t left = (size_t)(p->end - p->at);
	const char *name =
		left > 1 && p->at[1] ? strchr(names, p->at[1]) : NULL;
	if (name) {
		p->at += 2;
		to[0] = (uint8_t)meant[name - names];
		return 1;
	}
	int32_t unit = unicode_unit(p->at, left);
	if (unit < 0) {
		pull_fail(p, ERR_INVALID, "an escape of JSON");
		return 0;
	}
	if (unit < 0xd800 || unit > 0xdfff) {
		p->at += 6;
		return utf8_put((uint32_t)unit, to);
	}
	int32_t low = unit > 0xdbff ? -1 : unicode_unit(p->at + 6, left - 6);
	if (low < 0xdc00 || low > 0xdfff) {
		pull_fail(p, ERR_INVALID, "surrogates in pairs");
		return 0;
	}
	p->at += 12;
	return utf8_put(0x10000 + ((uint32_t)(unit - 0xd800) << 10) +
				(uint32_t)(low - 0xdc00),
			to);
}

/* One character of a string, in UTF-8: how many bytes, 0 at the closing quote
 * (not taken) or after failing. */
static size_t read_character(struct pull *p, uint8_t to[CHARACTER_MAX])
{
	if (p->at == p->end) {
		pull_fail(p, ERR_INVALID, "the end of a string");
		return 0;
	}
	if (*p->at == '"')
		return 0;
	if (*p->at == '\\')
		return read_escape(p, to);
	size_t len = is_plain(*p->at) ? 1 : 0;
	if (*p->at >= 0x80)
		len = utf8_len(p->at, (size_t)(p->end - p->at));
	if (!len) {
		pull_fail(p, ERR_INVALID, "UTF-8 without control characters");
		return 0;
	}
	memcpy(to, p->at, len);
	p->at += len;
	return len;
}

void pull_string_skip(struct pull *p)
{
	uint8_t character[CHARACTER_MAX];
	do {
		p->at = plain_end(p->at, p->end);
		if (p->at < p->end && *p->at == '"') {
			p->at++;
			return;
		}
	} while (read_character(p, character));
}

size_t pull_string_read(struct pull *p, uint8_t *to, size_t size)
{
	uint8_t character[CHARACTER_MAX];
	size_t len, used = 0;
	while ((len = read_character(p, character))) {
		if (used > size || len > size - used) {
			used = size + 1;
			continue;
		}
		memcpy(to + used, character, len);
		used += len;
	}
	p->at += !p->err;
	return used;
}

void pull_text(struct pull *p, char *to, size_t size)
{
	uint8_t character[CHARACTER_MAX];
	size_t len, used = 0;
	bool cut = false;
	assert(size > 0);
	to[0] = '\0';
	if (pull_value(p) != '"') {
		pull_fail(p, ERR_INVALID, "a string");
		return;
	}
	p->at++;
	while ((len = read_character(p, character))) {
		cut |= len > size - 1 - used;
		if (cut)
			continue;
		if (character[0] < ' ' || character[0] == 0x7f)
			character[0] = ' ';
		memcpy(to + used, character, len);
		used += len;
	}
	to[p->err ? 0 : used] = '\0';
	if (!p->err)
		pull_took(p, 1);
}
