/* The values that every folder passes by value.  Big-endian, as on L1. */
#ifndef EGRESS_ABI_TYPES_H
#define EGRESS_ABI_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct address {
	uint8_t b[20];
};

struct hash32 {
	uint8_t b[32];
};

/* r(32) s(32) v(1), v 27 or 28, s in the lower half. */
struct signature {
	uint8_t b[65];
};

/* Borrows: whoever made it keeps the bytes alive. */
struct slice {
	const uint8_t *p;
	size_t len;
};

static inline struct slice slice_of(const void *p, size_t len)
{
	return (struct slice){p, len};
}

static inline struct slice slice_str(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

static inline bool address_eq(struct address a, struct address b)
{
	return !memcmp(a.b, b.b, sizeof(a.b));
}

/* < 0, 0, > 0 as memcmp: the ascending order of a bundle's signers. */
static inline int address_cmp(struct address a, struct address b)
{
	return memcmp(a.b, b.b, sizeof(a.b));
}

static inline bool address_is_zero(struct address a)
{
	static const struct address zero;
	return address_eq(a, zero);
}

static inline bool hash_eq(struct hash32 a, struct hash32 b)
{
	return !memcmp(a.b, b.b, sizeof(a.b));
}

static inline bool hash_is_zero(struct hash32 a)
{
	static const struct hash32 zero;
	return hash_eq(a, zero);
}

/* Big-endian integers in bytes. */
static inline void put_be(uint8_t *to, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i-- > 0; value >>= 8)
		to[i] = (uint8_t)value;
}

static inline uint64_t get_be(const uint8_t *from, size_t bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | from[i];
	return value;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
