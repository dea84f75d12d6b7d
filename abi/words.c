/* ABI words out and in.  Reading is strict: what solc's own encoder would not
 * have written is refused. */
#include "abi/words.h"

void abi_put_selector(struct buf *b, uint32_t selector)
{
	buf_add_be(b, selector, 4);
}

void abi_put_u64(struct buf *b, uint64_t value)
{
	buf_add_zeros(b, ABI_WORD - 8);
	buf_add_be(b, value, 8);
}

void abi_put_u256(struct buf *b, struct u256 value)
{
	uint8_t *to = buf_extend(b, ABI_WORD);
	if (to)
		u256_to_be(value, to, ABI_WORD);
}

void abi_put_bool(struct buf *b, bool value)
{
	abi_put_u64(b, value);
}

void abi_put_address(struct buf *b, struct address a)
{
	buf_add_zeros(b, ABI_WORD - sizeof(a.b));
	buf_add(b, a.b, sizeof(a.b));
}

void abi_put_hash(struct buf *b, struct hash32 h)
{
	buf_add(b, h.b, sizeof(h.b));
}

static size_t padding(size_t len)
{
	return (ABI_WORD - len % ABI_WORD) % ABI_WORD;
}

void abi_put_bytes(struct buf *b, struct slice s)
{
	abi_put_u64(b, s.len);
	buf_add_slice(b, s);
	buf_add_zeros(b, padding(s.len));
}

size_t abi_bytes_words(size_t len)
{
	return 1 + (len + padding(len)) / ABI_WORD;
}

void abi_put_hashes(struct buf *b, const struct hash32 *h, size_t n)
{
	abi_put_u64(b, n);
	for (size_t i = 0; i < n; i++)
		abi_put_hash(b, h[i]);
}

struct abi_reader abi_reader(struct slice data)
{
	return (struct abi_reader){.data = data};
}

static const uint8_t zero_word[ABI_WORD];

/* The next head word; all zero once failed. */
static const uint8_t *next_word(struct abi_reader *r)
{
	if (r->failed || r->data.len - r->at < ABI_WORD) {
		r->failed = true;
		return zero_word;
	}
	const uint8_t *word = r->data.p + r->at;
	r->at += ABI_WORD;
	return word;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	uint8_t seen = 0;
	for (size_t i = 0; i < len; i++)
		seen |= p[i];
	return !seen;
}

/* A word that must be below 2^bits. */
static uint64_t low_u64(struct abi_reader *r, const uint8_t *word,
			unsigned bits)
{
	uint64_t value = get_be(word + ABI_WORD - 8, 8);
	if (!all_zero(word, ABI_WORD - 8) || (bits < 64 && value >> bits)) {
		r->failed = true;
		return 0;
	}
	return value;
}

uint64_t abi_u64(struct abi_reader *r, unsigned bits)
{
	return low_u64(r, next_word(r), bits);
}

struct u256 abi_u256(struct abi_reader *r)
{
	return u256_from_be(next_word(r), ABI_WORD);
}

bool abi_bool(struct abi_reader *r)
{
	return abi_u64(r, 1) == 1;
}

struct address abi_address(struct abi_reader *r)
{
	struct address a = {{0}};
	const uint8_t *word = next_word(r);
	size_t high = ABI_WORD - sizeof(a.b);
	if (!all_zero(word, high)) {
		r->failed = true;
		return a;
	}
	memcpy(a.b, word + high, sizeof(a.b));
	return a;
}

struct hash32 abi_hash(struct abi_reader *r)
{
	struct hash32 h;
	memcpy(h.b, next_word(r), sizeof(h.b));
	return h;
}

/* Follows a head word to its tail: a word's multiple, inside the data. */
static struct slice follow(struct abi_reader *r)
{
	uint64_t offset = abi_u64(r, 64);
	if (r->failed || offset % ABI_WORD || offset > r->data.len) {
		r->failed = true;
		return (struct slice){0};
	}
	return slice_of(r->data.p + offset, r->data.len - offset);
}

/* As follow(), then past the tail's own length word. */
static struct slice follow_counted(struct abi_reader *r, uint64_t *ret_count)
{
	struct slice tail = follow(r);
	if (r->failed || tail.len < ABI_WORD) {
		r->failed = true;
		return (struct slice){0};
	}
	*ret_count = low_u64(r, tail.p, 64);
	return slice_of(tail.p + ABI_WORD, tail.len - ABI_WORD);
}

struct slice abi_bytes(struct abi_reader *r, size_t max)
{
	uint64_t len = 0;
	struct slice tail = follow_counted(r, &len);
	if (r->failed || len > max || len > tail.len ||
	    padding(len) > tail.len - len ||
	    !all_zero(tail.p + len, padding(len))) {
		r->failed = true;
		return (struct slice){0};
	}
	return slice_of(tail.p, len);
}

struct abi_reader abi_array(struct abi_reader *r, size_t words, size_t max,
			    size_t *ret_count)
{
	uint64_t count = 0;
	struct slice tail = follow_counted(r, &count);
	if (r->failed || !words || count > max ||
	    count > tail.len / ABI_WORD / words) {
		r->failed = true;
		*ret_count = 0;
		return (struct abi_reader){.failed = true};
	}
	*ret_count = count;
	return abi_reader(slice_of(tail.p, count * words * ABI_WORD));
}

struct abi_reader abi_tuple(struct abi_reader *r)
{
	struct slice tail = follow(r);
	return (struct abi_reader){.data = tail, .failed = r->failed};
}
