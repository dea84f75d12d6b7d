/* What the parts of abi/pull share, and abi/json_parse: nobody else includes
 * this. */
#ifndef EGRESS_ABI_PULL_IMPL_H
#define EGRESS_ABI_PULL_IMPL_H

#include "abi/pull.h"

#include <assert.h>

/* Skips white space; the byte that follows, or 0 at the end. */
static inline uint8_t pull_byte(struct pull *p)
{
	const uint8_t *at = p->at;
	while (at < p->end &&
	       (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	p->at = at;
	return at < p->end ? *at : 0;
}

/* As pull_byte(), where a value must stand. */
static inline uint8_t pull_value(struct pull *p)
{
	assert(p->wants == PULL_WANTS_VALUE || p->err);
	return pull_byte(p);
}

/* The value, size bytes from at, has been read. */
static inline void pull_took(struct pull *p, size_t size)
{
	p->at += size;
	p->wants = PULL_WANTS_MORE;
}

/* The next key, as it stands between its quotes, and the colon; false: the
 * object's end, or failed. */
bool pull_raw_key(struct pull *p, struct slice *ret);
/* A number of any size, as it is written; no bytes after failing. */
struct slice pull_number(struct pull *p);
/* The opening quote is read: goes behind the closing one. */
void pull_string_skip(struct pull *p);
/* The same; its characters to `to`, as many as fit whole: how many bytes, and
 * size + 1 when it is longer. */
size_t pull_string_read(struct pull *p, uint8_t *to, size_t size);

#endif
