/* Owned, bounded bytes.  Never holds more than its maximum, never throws
 * away an error: the first append that does not fit sets `failed`. */
#include "abi/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST 64 /* bytes of the first allocation */

void buf_init(struct buf *b, size_t max)
{
	assert(max < SIZE_MAX / 2);
	*b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* One byte more than asked is kept for buf_cstr()'s NUL. */
static bool reserve(struct buf *b, size_t more)
{
	if (b->failed)
		return false;
	if (more > b->max - b->len) {
		b->failed = true;
		return false;
	}
	size_t need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap * 2 : BUF_FIRST;
	if (cap < need)
		cap = need;
	if (cap > b->max + 1)
		cap = b->max + 1;
	uint8_t *p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
	if (!reserve(b, len))
		return NULL;
	uint8_t *p = b->p + b->len;
	b->len += len;
	return p;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
	uint8_t *to = buf_extend(b, len);
	if (to && len)
		memcpy(to, p, len);
}

void buf_add_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.len);
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_byte(struct buf *b, uint8_t byte)
{
	buf_add(b, &byte, 1);
}

void buf_add_be(struct buf *b, uint64_t value, size_t bytes)
{
	uint8_t *to = buf_extend(b, bytes);
	if (to)
		put_be(to, value, bytes);
}

void buf_add_zeros(struct buf *b, size_t len)
{
	uint8_t *to = buf_extend(b, len);
	if (to && len)
		memset(to, 0, len);
}

void buf_add_hex(struct buf *b, const void *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	if (len > SIZE_MAX / 4) {
		b->failed = true;
		return;
	}
	uint8_t *to = buf_extend(b, 2 * len);
	if (!to)
		return;
	const uint8_t *from = p;
	for (size_t i = 0; i < len; i++) {
		to[2 * i] = (uint8_t)digits[from[i] >> 4];
		to[2 * i + 1] = (uint8_t)digits[from[i] & 15];
	}
}

void buf_printf(struct buf *b, const char *format, ...)
{
	if (b->failed)
		return;
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		b->failed = true;
	else if (reserve(b, (size_t)n)) {
		/* reserve() left room for the NUL */
		(void)vsnprintf((char *)b->p + b->len, (size_t)n + 1, format,
				again);
		b->len += (size_t)n;
	}
	va_end(again);
}

struct slice buf_slice(const struct buf *b)
{
	return slice_of(b->p, b->len);
}

const char *buf_cstr(struct buf *b)
{
	if (!reserve(b, 0))
		return "";
	b->p[b->len] = '\0';
	return (const char *)b->p;
}
