/* Builds roots.  A node is written into one scratch buffer behind its
 * ancestors' beginnings; once done it shrinks to its hash, so that what is
 * held is one path and never the trie. */
#include "abi/trie.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/keccak.h"
#include "abi/rlp.h"

#define WIDTH 16 /* children of a branch */
/* A path of branches in the making: 64 × (16 × 33 + header). */
#define PATH_MAX_BYTES (64u * 1024)

const struct hash32 trie_empty_root = {
	{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
	 0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
	 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}};

/* Entries that share all nibbles before `at`. */
struct span {
	const struct trie_entry *e;
	size_t n, at;
};

static size_t nibbles(struct slice key)
{
	return 2 * key.len;
}

static unsigned nibble(struct slice key, size_t i)
{
	return i % 2 ? key.p[i / 2] & 0x0f : key.p[i / 2] >> 4;
}

/* Yellow paper, (200): hex-prefix encoding of nibbles from … to. */
static void put_path(struct buf *out, struct slice key, size_t from, size_t to,
		     bool leaf)
{
	uint8_t path[1 + TRIE_KEY_MAX];
	size_t len = 0, odd = (to - from) % 2;
	path[len++] = (uint8_t)((leaf ? 0x20 : 0) |
				(odd ? 0x10 | nibble(key, from) : 0));
	for (size_t i = from + odd; i < to; i += 2)
		path[len++] =
			(uint8_t)(nibble(key, i) << 4 | nibble(key, i + 1));
	rlp_put_bytes(out, slice_of(path, len));
}

static void put_node(struct buf *out, struct span span);

/* "c(J, i)": the node itself when it is shorter than a hash. */
static void put_reference(struct buf *out, struct span span)
{
	size_t start = out->len;
	put_node(out, span);
	if (out->failed || out->len - start < sizeof(struct hash32))
		return;
	struct hash32 hash = keccak256(out->p + start, out->len - start);
	out->len = start;
	rlp_put_bytes(out, slice_of(hash.b, sizeof(hash.b)));
}

static void put_branch(struct buf *out, struct span span)
{
	struct slice value = {0};
	if (nibbles(span.e->key) == span.at) { /* sorts before the others */
		value = span.e->value;
		span.e++;
		span.n--;
	}
	for (unsigned i = 0; i < WIDTH; i++) {
		struct span child = {.e = span.e, .at = span.at + 1};
		while (span.n && nibble(span.e->key, span.at) == i) {
			child.n++;
			span.e++;
			span.n--;
		}
		if (child.n)
			put_reference(out, child);
		else
			rlp_put_bytes(out, (struct slice){0});
	}
	assert(!span.n);
	rlp_put_bytes(out, value);
}

/* Nibbles that the first and the last share, and so all between them. */
static size_t shared_nibbles(struct span span)
{
	struct slice a = span.e[0].key, b = span.e[span.n - 1].key;
	size_t most = nibbles(a.len < b.len ? a : b), i = span.at;
	while (i < most && nibble(a, i) == nibble(b, i))
		i++;
	return i;
}

/* As deep as a key is long: each level takes a nibble. */
static void put_node(struct buf *out, struct span span)
{
	size_t start = out->len, shared = shared_nibbles(span);
	struct slice key = span.e->key;
	if (span.n == 1) {
		put_path(out, key, span.at, nibbles(key), true);
		rlp_put_bytes(out, span.e->value);
	} else if (shared > span.at) {
		put_path(out, key, span.at, shared, false);
		span.at = shared;
		put_reference(out, span);
	} else {
		put_branch(out, span);
	}
	rlp_wrap_list(out, start);
}

static int compare(const void *a, const void *b)
{
	const struct trie_entry *x = a, *y = b;
	size_t both = x->key.len < y->key.len ? x->key.len : y->key.len;
	int order = both ? memcmp(x->key.p, y->key.p, both) : 0;
	if (order)
		return order;
	return (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

enum err trie_root(struct trie_entry *entries, size_t n, struct hash32 *ret)
{
	size_t longest = 0;
	if (!n) {
		*ret = trie_empty_root;
		return OK;
	}
	qsort(entries, n, sizeof(*entries), compare);
	for (size_t i = 0; i < n; i++) {
		const struct trie_entry *e = &entries[i];
		if (e->key.len > TRIE_KEY_MAX || !e->value.len ||
		    (i && !compare(e - 1, e)))
			return ERR_INVALID;
		if (e->value.len > longest)
			longest = e->value.len;
	}
	CLEANUP(buf_done) struct buf out;
	buf_init(&out, longest + PATH_MAX_BYTES);
	put_node(&out, (struct span){.e = entries, .n = n});
	if (out.failed)
		return ERR_FULL;
	*ret = keccak256(out.p, out.len);
	return OK;
}

struct trie_index trie_index(uint64_t i)
{
	struct trie_index key = {.len = 1};
	if (i && i < 0x80) {
		key.b[0] = (uint8_t)i;
		return key;
	}
	for (uint64_t rest = i; rest; rest >>= 8)
		key.len++;
	key.b[0] = (uint8_t)(0x80 + key.len - 1);
	put_be(key.b + 1, i, key.len - 1);
	return key;
}

void trie_list_init(struct trie_list *l, size_t max_bytes)
{
	buf_init(&l->bytes, max_bytes);
	buf_init(&l->ends, TRIE_LIST_MAX * sizeof(size_t));
}

void trie_list_done(struct trie_list *l)
{
	buf_done(&l->bytes);
	buf_done(&l->ends);
}

void trie_list_clear(struct trie_list *l)
{
	buf_clear(&l->bytes);
	buf_clear(&l->ends);
}

void trie_list_close(struct trie_list *l)
{
	buf_add(&l->ends, &l->bytes.len, sizeof(l->bytes.len));
}

size_t trie_list_len(const struct trie_list *l)
{
	return l->ends.len / sizeof(size_t);
}

static size_t end_of(const struct trie_list *l, size_t i)
{
	size_t end;
	memcpy(&end, l->ends.p + i * sizeof(end), sizeof(end));
	return end;
}

struct slice trie_list_at(const struct trie_list *l, size_t i)
{
	assert(i < trie_list_len(l));
	size_t start = i ? end_of(l, i - 1) : 0, end = end_of(l, i);
	if (start == end)
		return (struct slice){0};
	return slice_of(l->bytes.p + start, end - start);
}

enum err trie_list_root(const struct trie_list *l, struct hash32 *ret)
{
	size_t n = trie_list_len(l);
	if (l->bytes.failed || l->ends.failed)
		return ERR_TOO_LARGE;
	struct trie_entry *entries = calloc(n + 1, sizeof(*entries));
	struct trie_index *keys = calloc(n + 1, sizeof(*keys));
	enum err err = ERR_FULL;
	if (entries && keys) {
		for (size_t i = 0; i < n; i++) {
			keys[i] = trie_index(i);
			entries[i].key = slice_of(keys[i].b, keys[i].len);
			entries[i].value = trie_list_at(l, i);
		}
		err = trie_root(entries, n, ret);
	}
	free(entries);
	free(keys);
	return err;
}
