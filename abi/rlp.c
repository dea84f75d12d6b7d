/* RLP out and in.  Reading accepts exactly one encoding of every value. */
#include "abi/rlp.h"

#include <assert.h>

#define SHORT_MAX   55	 /* longest payload whose length fits the first byte */
#define STRING_BASE 0x80 /* first byte of a string of no bytes */
#define LIST_BASE   0xc0 /* first byte of a list of no bytes */
#define HEADER_MAX  9

static size_t put_header(uint8_t *to, uint8_t base, size_t len)
{
	if (len <= SHORT_MAX) {
		to[0] = (uint8_t)(base + len);
		return 1;
	}
	size_t bytes = 0;
	for (size_t rest = len; rest; rest >>= 8)
		bytes++;
	to[0] = (uint8_t)(base + SHORT_MAX + bytes);
	put_be(to + 1, len, bytes);
	return 1 + bytes;
}

void rlp_put_bytes(struct buf *b, struct slice s)
{
	if (s.len != 1 || s.p[0] >= STRING_BASE) {
		uint8_t header[HEADER_MAX];
		buf_add(b, header, put_header(header, STRING_BASE, s.len));
	}
	buf_add_slice(b, s);
}

void rlp_put_u256(struct buf *b, struct u256 value)
{
	uint8_t be[32];
	u256_to_be(value, be, sizeof(be));
	size_t zeros = 0;
	while (zeros < sizeof(be) && !be[zeros])
		zeros++;
	rlp_put_bytes(b, slice_of(be + zeros, sizeof(be) - zeros));
}

void rlp_put_u64(struct buf *b, uint64_t value)
{
	rlp_put_u256(b, u256_from(value));
}

void rlp_wrap_list(struct buf *b, size_t start)
{
	if (b->failed)
		return;
	assert(start <= b->len);
	uint8_t header[HEADER_MAX];
	size_t len = b->len - start;
	size_t n = put_header(header, LIST_BASE, len);
	if (!buf_extend(b, n))
		return;
	memmove(b->p + start + n, b->p + start, len);
	memcpy(b->p + start, header, n);
}

struct rlp_reader rlp_reader(struct slice s)
{
	return (struct rlp_reader){.rest = s};
}

bool rlp_is_list(const struct rlp_reader *r)
{
	return !r->failed && r->rest.len && r->rest.p[0] >= LIST_BASE;
}

bool rlp_end(const struct rlp_reader *r)
{
	return !r->failed && !r->rest.len;
}

/* Where the payload of the next item lies. */
struct extent {
	size_t header, len;
	bool list;
};

/* Length of the long form, or false: "0x… ‖ BE(length)" with no leading zero
 * and only for what the short form cannot say. */
static bool long_length(struct slice s, size_t bytes, size_t *ret)
{
	if (bytes > sizeof(size_t) || s.len < 1 + bytes || !s.p[1])
		return false;
	uint64_t len = get_be(s.p + 1, bytes);
	if (len <= SHORT_MAX)
		return false;
	*ret = len;
	return true;
}

static bool next_extent(struct slice s, struct extent *ret)
{
	if (!s.len)
		return false;
	uint8_t first = s.p[0];
	if (first < STRING_BASE) {
		*ret = (struct extent){.header = 0, .len = 1};
		return true;
	}
	struct extent e = {.header = 1, .list = first >= LIST_BASE};
	e.len = first - (e.list ? LIST_BASE : STRING_BASE);
	if (e.len > SHORT_MAX) {
		size_t bytes = e.len - SHORT_MAX;
		if (!long_length(s, bytes, &e.len))
			return false;
		e.header = 1 + bytes;
	}
	if (e.len > s.len - e.header)
		return false;
	/* a byte below 0x80 is its own encoding */
	if (!e.list && e.len == 1 && s.p[e.header] < STRING_BASE)
		return false;
	*ret = e;
	return true;
}

static bool take(struct rlp_reader *r, bool list, struct slice *ret)
{
	struct extent e;
	if (r->failed || !next_extent(r->rest, &e) || e.list != list) {
		r->failed = true;
		return false;
	}
	*ret = slice_of(r->rest.p + e.header, e.len);
	r->rest.p += e.header + e.len;
	r->rest.len -= e.header + e.len;
	return true;
}

struct slice rlp_bytes(struct rlp_reader *r)
{
	struct slice s = {0};
	(void)take(r, false, &s);
	return s;
}

static struct slice take_integer(struct rlp_reader *r, size_t max)
{
	struct slice s = rlp_bytes(r);
	if (s.len > max || (s.len && !s.p[0])) {
		r->failed = true;
		return (struct slice){0};
	}
	return s;
}

uint64_t rlp_u64(struct rlp_reader *r)
{
	struct slice s = take_integer(r, 8);
	return get_be(s.p, s.len);
}

struct u256 rlp_u256(struct rlp_reader *r)
{
	struct slice s = take_integer(r, 32);
	return u256_from_be(s.p, s.len);
}

struct rlp_reader rlp_list(struct rlp_reader *r)
{
	struct slice s = {0};
	bool taken = take(r, true, &s);
	return (struct rlp_reader){.rest = s, .failed = !taken};
}

struct slice rlp_item(struct rlp_reader *r)
{
	struct extent e;
	if (r->failed || !next_extent(r->rest, &e)) {
		r->failed = true;
		return (struct slice){0};
	}
	struct slice s = slice_of(r->rest.p, e.header + e.len);
	r->rest.p += s.len;
	r->rest.len -= s.len;
	return s;
}
