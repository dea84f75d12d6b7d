/* The arguments of a command, read in order. */
#ifndef EGRESS_TESTS_VECTORS_WORDS_H
#define EGRESS_TESTS_VECTORS_WORDS_H

#include "tests/vectors/vectors.h"

#include "abi/key.h"
#include "abi/typed.h"

/* Failure is sticky. */
struct words {
	const struct slice *at;
	size_t n;
	bool failed;
};

static inline struct slice next(struct words *w)
{
	if (!w->n) {
		w->failed = true;
		return slice_of("", 0);
	}
	w->n--;
	return *w->at++;
}

static inline struct u256 number(struct words *w)
{
	struct u256 ret = u256_from(0);

	w->failed |= u256_parse(next(w), &ret) != OK;
	return ret;
}

static inline uint64_t small(struct words *w)
{
	struct u256 a = number(w);

	w->failed |= !u256_fits(a, 64);
	return u256_u64(a);
}

static inline struct hash32 hash(struct words *w)
{
	struct hash32 ret = {{0}};

	w->failed |= hex_decode(next(w), ret.b, sizeof(ret.b)) != OK;
	return ret;
}

static inline struct address address(struct words *w)
{
	struct address ret = {{0}};

	w->failed |= hex_decode(next(w), ret.b, sizeof(ret.b)) != OK;
	return ret;
}

static inline struct signature signature(struct words *w)
{
	struct signature ret = {{0}};

	w->failed |= hex_decode(next(w), ret.b, sizeof(ret.b)) != OK;
	return ret;
}

static inline struct key_secret secret(struct words *w)
{
	struct key_secret ret;
	struct hash32 h = hash(w);

	memcpy(ret.b, h.b, sizeof(ret.b));
	return ret;
}

/* The caller ends it with buf_done. */
static inline void bytes(struct words *w, struct buf *to)
{
	struct slice text = next(w);

	buf_init(to, VECTORS_OUT_MAX);
	if (text.len)
		w->failed |= hex_decode_buf(text, to) != OK;
}

static inline void put_hex(struct buf *out, const void *p, size_t len)
{
	buf_add_str(out, "0x");
	buf_add_hex(out, p, len);
}

static inline struct words words(const struct slice *args, size_t n)
{
	return (struct words){.at = args, .n = n};
}

static inline bool all_read(const struct words *w)
{
	return !w->failed && !w->n;
}

static inline struct vote vote(struct words *w)
{
	struct vote v;

	v.chain_id = small(w);
	v.hatch = address(w);
	v.action = (enum vote_action)small(w);
	v.epoch = small(w);
	v.progress = small(w);
	v.subject = hash(w);
	v.expiry = small(w);
	return v;
}

static inline struct batch batch(struct words *w)
{
	struct batch b;

	b.number = small(w);
	b.prev_root = hash(w);
	b.root = hash(w);
	b.leaf_count = small(w);
	b.inbox_through = small(w);
	b.inbox_acc = hash(w);
	b.diff_hash = hash(w);
	return b;
}

static inline struct batch_before before(struct words *w)
{
	struct batch_before b;

	b.committed_at = small(w);
	b.leaf_count = small(w);
	b.inbox_through = small(w);
	b.withdraw_head = small(w);
	return b;
}

#endif
