/* Owned bytes with a maximum from birth.  Failure is sticky: append as often
 * as you like, test `failed` once at the end. */
#ifndef EGRESS_ABI_BUF_H
#define EGRESS_ABI_BUF_H

#include "abi/err.h"
#include "abi/types.h"

struct buf {
	uint8_t *p;
	size_t len, cap, max;
	bool failed; /* over max, or out of memory: nothing more is added */
};

/* max: bytes this one may ever hold. */
void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* frees; safe twice and on a zeroed struct */
void buf_clear(struct buf *b); /* len 0, keeps the memory, failed = false */
void buf_add(struct buf *b, const void *p, size_t len);
void buf_add_slice(struct buf *b, struct slice s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_byte(struct buf *b, uint8_t byte);
void buf_add_be(struct buf *b, uint64_t value, size_t bytes);
void buf_add_zeros(struct buf *b, size_t len);
void buf_add_hex(struct buf *b, const void *p, size_t len); /* no "0x" */
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for len bytes to be filled by the caller; NULL once failed. */
uint8_t *buf_extend(struct buf *b, size_t len);
struct slice buf_slice(const struct buf *b);
/* NUL-terminated view (the NUL is not counted in len); "" once failed. */
const char *buf_cstr(struct buf *b);

#endif
