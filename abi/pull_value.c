/* The values that abi/pull takes. */
#include "abi/pull_impl.h"

#include "abi/hex.h"
#include "abi/hex_digits.h"

#define INTEGER_MAX	((UINT64_C(1) << 53) - 1)
#define QUANTITY_DIGITS 16
#define ADDRESS_LEN	sizeof(struct address)

static bool take_word(struct pull *p, const char *word, size_t len)
{
	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len))
		return false;
	pull_took(p, len);
	return true;
}

void pull_null(struct pull *p)
{
	(void)pull_value(p);
	if (!take_word(p, "null", 4))
		pull_fail(p, ERR_INVALID, "null");
}

bool pull_bool(struct pull *p)
{
	(void)pull_value(p);
	if (take_word(p, "true", 4))
		return true;
	if (!take_word(p, "false", 5))
		pull_fail(p, ERR_INVALID, "true or false");
	return false;
}

static const uint8_t *digits_end(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* RFC 8259: number = [ minus ] int [ frac ] [ exp ].  NULL: none. */
static const uint8_t *number_end(const uint8_t *at, const uint8_t *end)
{
	at += at < end && *at == '-';
	const uint8_t *whole = at;
	at = digits_end(at, end);
	if (at == whole || (*whole == '0' && at - whole > 1))
		return NULL;
	if (at < end && *at == '.') {
		const uint8_t *part = ++at;
		at = digits_end(at, end);
		if (at == part)
			return NULL;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < end && (*at == '+' || *at == '-');
		const uint8_t *power = at;
		at = digits_end(at, end);
		if (at == power)
			return NULL;
	}
	return at;
}

struct slice pull_number(struct pull *p)
{
	(void)pull_value(p);
	const uint8_t *start = p->at, *end = number_end(start, p->end);
	if (!end) {
		pull_fail(p, ERR_INVALID, "a number");
		return slice_of(NULL, 0);
	}
	pull_took(p, (size_t)(end - start));
	return slice_of(start, (size_t)(end - start));
}

int64_t pull_i64(struct pull *p)
{
	struct slice text = pull_number(p);
	bool minus = text.len && text.p[0] == '-';
	int64_t value = 0;
	for (size_t i = minus; i < text.len; i++) {
		int digit = text.p[i] - '0';
		/* '.', 'e' and signs are no digits either */
		if (digit < 0 || digit > 9 ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value)) {
			p->at = text.p;
			pull_fail(p, ERR_INVALID, "a whole number");
			return 0;
		}
	}
	if (!minus && value == INT64_MIN) {
		p->at = text.p;
		pull_fail(p, ERR_INVALID, "a whole number");
		return 0;
	}
	return minus ? value : -value;
}

uint64_t pull_u64(struct pull *p)
{
	(void)pull_value(p);
	const uint8_t *start = p->at;
	int64_t value = pull_i64(p);
	if (value < 0 || (uint64_t)value > INTEGER_MAX) {
		p->at = start;
		pull_fail(p, ERR_INVALID, "a whole number from 0 to 2^53-1");
		return 0;
	}
	return (uint64_t)value;
}

/* "0x at hand: goes behind it; false: something else is there. */
static bool take_prefix(struct pull *p)
{
	if (pull_value(p) != '"' || p->end - p->at < 4 || p->at[1] != '0' ||
	    p->at[2] != 'x')
		return false;
	p->at += 3;
	return true;
}

uint64_t pull_quantity(struct pull *p)
{
	static const char expected[] = "0x and 1 to 16 hex digits, "
				       "none of them a leading zero";
	if (!take_prefix(p)) {
		pull_fail(p, ERR_INVALID, expected);
		return 0;
	}
	const uint8_t *start = p->at, *at = start;
	uint64_t value = 0;
	unsigned digit;
	while (at < p->end && (digit = hex_digits_value[*at])) {
		value = value << 4 | (digit - 1);
		at++;
	}
	size_t len = (size_t)(at - start);
	if (!len || len > QUANTITY_DIGITS || (*start == '0' && len > 1) ||
	    at == p->end || *at != '"') {
		pull_fail(p, ERR_INVALID, expected);
		return 0;
	}
	pull_took(p, len + 1);
	return value;
}

/* "0x and exactly 2 × len digits" */
static bool take_hex(struct pull *p, uint8_t *ret, size_t len)
{
	if (!take_prefix(p) || (size_t)(p->end - p->at) <= 2 * len ||
	    p->at[2 * len] != '"' || !hex_digits_decode(p->at, ret, len))
		return false;
	pull_took(p, 2 * len + 1);
	return true;
}

struct hash32 pull_hash(struct pull *p)
{
	struct hash32 hash;
	if (take_hex(p, hash.b, sizeof(hash.b)))
		return hash;
	pull_fail(p, ERR_INVALID, "0x and 64 hex digits");
	return (struct hash32){{0}};
}

/* Eight hex digits at a time: bit 6 is set in letters, bit 5 in the small. */
static bool is_mixed(const uint8_t digits[2 * ADDRESS_LEN])
{
	const uint64_t bit6 = UINT64_C(0x4040404040404040);
	uint64_t upper = 0, lower = 0, eight;
	for (size_t i = 0; i < 2 * ADDRESS_LEN; i += sizeof(eight)) {
		memcpy(&eight, digits + i, sizeof(eight));
		upper |= eight & ~(eight << 1);
		lower |= eight & eight << 1;
	}
	return (upper & bit6) && (lower & bit6);
}

/* EIP-55 costs a hash: replies name the same few contracts over and over.
 * text: with its "0x". */
static bool checksum_right(struct pull *p, const uint8_t *text)
{
	const size_t len = 2 + 2 * ADDRESS_LEN;
	struct address address;
	uint64_t last;
	memcpy(&last, text + len - sizeof(last), sizeof(last));
	/* Fibonacci hashing */
	size_t slot = last * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	const uint8_t **known = &p->mixed[slot % PULL_MIXED];
	if (*known && !memcmp(*known, text, len))
		return true;
	if (address_parse(slice_of(text, len), &address))
		return false;
	*known = text;
	return true;
}

struct address pull_address(struct pull *p)
{
	struct address address;
	if (take_hex(p, address.b, sizeof(address.b))) {
		const uint8_t *digits = p->at - 1 - 2 * ADDRESS_LEN;
		if (!is_mixed(digits) || checksum_right(p, digits - 2))
			return address;
	}
	pull_fail(p, ERR_INVALID,
		  "an address: 0x and 40 hex digits (mixed case only with a "
		  "right checksum)");
	return (struct address){{0}};
}

size_t pull_bytes(struct pull *p, struct buf *b, size_t max)
{
	static const char expected[] = "0x and an even number of hex digits";
	const uint8_t *end = NULL;
	if (take_prefix(p))
		end = memchr(p->at, '"', (size_t)(p->end - p->at));
	size_t digits = end ? (size_t)(end - p->at) : 1;
	if (digits % 2) {
		pull_fail(p, ERR_INVALID, expected);
		return 0;
	}
	if (digits / 2 > max || digits / 2 > b->max - b->len) {
		pull_fail(p, ERR_TOO_LARGE, "fewer bytes");
		return 0;
	}
	uint8_t *to = buf_extend(b, digits / 2);
	if (!to) {
		pull_fail(p, ERR_TOO_LARGE, "fewer bytes");
		return 0;
	}
	if (!hex_digits_decode(p->at, to, digits / 2)) {
		b->len -= digits / 2;
		pull_fail(p, ERR_INVALID, expected);
		return 0;
	}
	pull_took(p, digits + 1);
	return digits / 2;
}
