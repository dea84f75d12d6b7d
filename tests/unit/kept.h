/* The evidence of an expulsion, as a test reads it: one at a time. */
#ifndef EGRESS_TESTS_UNIT_KEPT_H
#define EGRESS_TESTS_UNIT_KEPT_H

#include <stdio.h>

#include "abi/lie.h"

struct kept {
	struct lie lie; /* numbers and flags */
	char provider[64], why[300], method[64], against[64];
	char asked[600], said[2000], stands[2000];
};

static inline void kept_text(struct slice text, char *to, size_t size)
{
	(void)snprintf(to, size, "%.*s", (int)text.len, (const char *)text.p);
}

/* Frees the bytes. */
static inline struct kept kept_read(struct buf *bytes)
{
	struct kept k = {0};

	assert_int_equal(lie_decode(buf_slice(bytes), &k.lie), OK);
	kept_text(k.lie.provider, k.provider, sizeof(k.provider));
	kept_text(k.lie.why, k.why, sizeof(k.why));
	kept_text(k.lie.method, k.method, sizeof(k.method));
	kept_text(k.lie.against, k.against, sizeof(k.against));
	kept_text(k.lie.asked.text, k.asked, sizeof(k.asked));
	kept_text(k.lie.said.text, k.said, sizeof(k.said));
	kept_text(k.lie.stands.text, k.stands, sizeof(k.stands));
	buf_done(bytes);
	return k;
}

#endif
