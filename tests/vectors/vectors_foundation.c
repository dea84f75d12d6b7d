/* Commands over bytes, numbers, hashes and RLP. */
#include "tests/vectors/vectors.h"

#include "abi/keccak.h"
#include "abi/rlp.h"

static bool read_hex(struct slice text, struct buf *b)
{
	buf_init(b, VECTORS_OUT_MAX);
	return !hex_decode_buf(text, b);
}

static void put_hex(struct buf *out, struct slice bytes)
{
	buf_add_str(out, "0x");
	buf_add_hex(out, bytes.p, bytes.len);
}

static bool run_hex(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	CLEANUP(buf_done) struct buf b = {0};
	if (!read_hex(args[0], &b))
		return false;
	put_hex(out, buf_slice(&b));
	return true;
}

static bool run_address(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	struct address a;
	if (address_parse(args[0], &a))
		return false;
	buf_add_str(out, address_text(a).s);
	return true;
}

static bool run_base64url(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	CLEANUP(buf_done) struct buf b = {0};
	if (!read_hex(args[0], &b))
		return false;
	base64url_encode(buf_slice(&b), out);
	return true;
}

static bool run_unbase64url(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, VECTORS_OUT_MAX);
	if (base64url_decode(args[0], &b))
		return false;
	put_hex(out, buf_slice(&b));
	return true;
}

static bool run_keccak(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	CLEANUP(buf_done) struct buf b = {0};
	if (!read_hex(args[0], &b))
		return false;
	buf_add_str(out, hash_text(keccak256(b.p, b.len)).s);
	return true;
}

static bool run_keccak_pair(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	struct hash32 left, right;
	if (hash_parse(args[0], &left) || hash_parse(args[1], &right))
		return false;
	buf_add_str(out, hash_text(keccak256_pair(&left, &right)).s);
	return true;
}

/* u256 OP a b: b is a 64-bit number for mul and div. */
static bool run_u256(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	struct u256 a, b, c;
	uint64_t rest;
	if (u256_parse(args[1], &a) || u256_parse(args[2], &b))
		return false;
	bool small = u256_fits(b, 64);
	switch (args[0].p[0]) {
	case '+':
		if (!u256_add(a, b, &c))
			return false;
		break;
	case '-':
		if (!u256_sub(a, b, &c))
			return false;
		break;
	case '*':
		if (!small || !u256_mul64(a, b.w[0], &c))
			return false;
		break;
	case '/':
		if (!small || u256_is_zero(b))
			return false;
		c = u256_div64(a, b.w[0], &rest);
		buf_printf(out, "%s ", u256_text(u256_from(rest)).s);
		break;
	case '?':
		buf_printf(out, "%d", u256_cmp(a, b));
		return true;
	default:
		return false;
	}
	buf_add_str(out, u256_text(c).s);
	return true;
}

/* Lists as "[a,b,[c]]", strings as hex. */
static bool print_items(struct rlp_reader *r, unsigned depth, struct buf *out)
{
	bool first = true;
	for (; !r->failed && !rlp_end(r); first = false) {
		if (!first)
			buf_add_byte(out, ',');
		if (!rlp_is_list(r)) {
			put_hex(out, rlp_bytes(r));
			continue;
		}
		struct rlp_reader list = rlp_list(r);
		buf_add_byte(out, '[');
		if (depth == RLP_DEPTH_MAX ||
		    !print_items(&list, depth + 1, out))
			return false;
		buf_add_byte(out, ']');
	}
	return !r->failed;
}

static bool run_rlp_decode(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	CLEANUP(buf_done) struct buf b = {0};
	if (!read_hex(args[0], &b))
		return false;
	struct rlp_reader r = rlp_reader(buf_slice(&b));
	struct slice item = rlp_item(&r);
	if (!rlp_end(&r))
		return false; /* trailing bytes */
	r = rlp_reader(item);
	return print_items(&r, 0, out);
}

/* Reads what print_items() writes; returns what is left of the text. */
static struct slice put_items(struct slice text, struct buf *b)
{
	while (text.len && !b->failed) {
		uint8_t c = text.p[0];
		size_t len = 1;
		if (c == '[') {
			size_t at = b->len;
			text = put_items(slice_of(text.p + 1, text.len - 1), b);
			rlp_wrap_list(b, at);
			continue;
		}
		if (c == '0') {
			CLEANUP(buf_done) struct buf s = {0};
			while (len < text.len && !strchr(",]", text.p[len]))
				len++;
			b->failed |= !read_hex(slice_of(text.p, len), &s);
			rlp_put_bytes(b, buf_slice(&s));
		}
		text = slice_of(text.p + len, text.len - len);
		if (c == ']')
			return text;
	}
	return text;
}

static bool run_rlp_encode(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, VECTORS_OUT_MAX);
	(void)put_items(args[0], &b);
	put_hex(out, buf_slice(&b));
	return !b.failed;
}

static bool run_rlp_number(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	struct u256 a;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 100);
	if (u256_parse(args[0], &a))
		return false;
	rlp_put_u256(&b, a);
	put_hex(out, buf_slice(&b));
	if (!u256_fits(a, 64))
		return true;
	size_t len = b.len;
	rlp_put_u64(&b, a.w[0]);
	return b.len == 2 * len && !memcmp(b.p, b.p + len, len);
}

/* Both readers of numbers, which must agree where both can. */
static bool run_rlp_to_number(const struct slice *args, size_t n,
			      struct buf *out)
{
	(void)n;
	CLEANUP(buf_done) struct buf b = {0};
	if (!read_hex(args[0], &b))
		return false;
	struct rlp_reader r = rlp_reader(buf_slice(&b));
	struct rlp_reader small = r;
	struct u256 a = rlp_u256(&r);
	uint64_t low = rlp_u64(&small);
	bool both = u256_fits(a, 64) && !r.failed;
	if (!rlp_end(&r) || both == small.failed || (both && low != a.w[0]))
		return false;
	buf_add_str(out, u256_text(a).s);
	return true;
}

const struct vectors_command vectors_foundation[] = {
	{"hex", 1, run_hex},
	{"address", 1, run_address},
	{"base64url", 1, run_base64url},
	{"unbase64url", 1, run_unbase64url},
	{"keccak", 1, run_keccak},
	{"keccak.pair", 2, run_keccak_pair},
	{"u256", 3, run_u256},
	{"rlp.decode", 1, run_rlp_decode},
	{"rlp.encode", 1, run_rlp_encode},
	{"rlp.number", 1, run_rlp_number},
	{"rlp.to_number", 1, run_rlp_to_number},
	{NULL},
};
