/* Text forms of bytes: hex as Ethereum writes it, base64url as RFC 4648. */
#include "abi/hex.h"

#include "abi/hex_digits.h"
#include "abi/keccak.h"

static bool has_prefix(struct slice text)
{
	return text.len >= 2 && text.p[0] == '0' && text.p[1] == 'x';
}

static bool all_digits(struct slice text)
{
	for (size_t i = 2; i < text.len; i++)
		if (!hex_digits_value[text.p[i]])
			return false;
	return true;
}

enum err hex_decode(struct slice text, uint8_t *ret, size_t len)
{
	/* Looked at before anything is written. */
	if (!has_prefix(text) || (text.len - 2) % 2 ||
	    (text.len - 2) / 2 != len || !all_digits(text))
		return ERR_INVALID;
	return hex_digits_decode(text.p + 2, ret, len) ? OK : ERR_INVALID;
}

enum err hex_decode_buf(struct slice text, struct buf *b)
{
	if (!has_prefix(text) || text.len % 2 || !all_digits(text))
		return ERR_INVALID;
	size_t len = (text.len - 2) / 2;
	uint8_t *to = buf_extend(b, len);
	if (!to)
		return ERR_TOO_LARGE;
	return hex_digits_decode(text.p + 2, to, len) ? OK : ERR_INVALID;
}

char *hex_encode(const uint8_t *p, size_t len, char *to)
{
	static const char digits[] = "0123456789abcdef";
	to[0] = '0';
	to[1] = 'x';
	for (size_t i = 0; i < len; i++) {
		to[2 + 2 * i] = digits[p[i] >> 4];
		to[3 + 2 * i] = digits[p[i] & 15];
	}
	to[2 + 2 * len] = '\0';
	return to;
}

struct address_text address_text(struct address a)
{
	struct address_text ret;
	hex_encode(a.b, sizeof(a.b), ret.s);
	return ret;
}

struct hash_text hash_text(struct hash32 h)
{
	struct hash_text ret;
	hex_encode(h.b, sizeof(h.b), ret.s);
	return ret;
}

/* EIP-55: a letter is upper case exactly when the same nibble of the hash of
 * the lower-case digits is 8 or more. */
static bool checksum_right(const uint8_t *digits, struct address a)
{
	struct address_text lower = address_text(a);
	struct hash32 hash = keccak256(lower.s + 2, 40);
	for (size_t i = 0; i < 40; i++) {
		uint8_t nibble = hash.b[i / 2] >> (i % 2 ? 0 : 4) & 15;
		bool upper = digits[i] >= 'A' && digits[i] <= 'F';
		bool lower_case = digits[i] >= 'a' && digits[i] <= 'f';
		if ((upper && nibble < 8) || (lower_case && nibble >= 8))
			return false;
	}
	return true;
}

enum err address_parse(struct slice text, struct address *ret)
{
	struct address a;
	enum err err = hex_decode(text, a.b, sizeof(a.b));
	if (err)
		return err;
	bool upper = false, lower = false;
	for (size_t i = 2; i < text.len; i++) {
		upper |= text.p[i] >= 'A' && text.p[i] <= 'F';
		lower |= text.p[i] >= 'a' && text.p[i] <= 'f';
	}
	if (upper && lower && !checksum_right(text.p + 2, a))
		return ERR_INVALID;
	*ret = a;
	return OK;
}

enum err hash_parse(struct slice text, struct hash32 *ret)
{
	return hex_decode(text, ret->b, sizeof(ret->b));
}

void base64url_encode(struct slice bytes, struct buf *to)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		bits = (bits << 8 | bytes.p[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			buf_add_byte(to,
				     (uint8_t)digits[bits >> (have - 6) & 63]);
	}
	if (have)
		buf_add_byte(to, (uint8_t)digits[bits << (6 - have) & 63]);
}

static int digit64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	return -1;
}

enum err base64url_decode(struct slice text, struct buf *to)
{
	if (text.len % 4 == 1)
		return ERR_INVALID;
	size_t start = to->len;
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < text.len; i++) {
		int value = digit64_value(text.p[i]);
		if (value < 0) {
			to->len = start;
			return ERR_INVALID;
		}
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_add_byte(to, (uint8_t)(bits >> have));
		}
	}
	/* Bits that no byte holds must be zero: one text for one value. */
	if (bits & ((1u << have) - 1)) {
		to->len = start;
		return ERR_INVALID;
	}
	return to->failed ? ERR_TOO_LARGE : OK;
}
