/* JSON in C: ' stands for ". */
#ifndef EGRESS_TESTS_QUOTED_H
#define EGRESS_TESTS_QUOTED_H

#include "tests/unit/unit.h"

#include "abi/json.h"

/* Parsed, or the test fails.  json_free() is the caller's. */
static inline struct json_doc *quoted(const char *text)
{
	CLEANUP(buf_done) struct buf b;
	struct json_doc *doc = NULL;
	struct err_text error;
	buf_init(&b, 1 << 20);
	for (; *text; text++)
		buf_add_byte(&b, (uint8_t)(*text == '\'' ? '"' : *text));
	assert_int_equal(json_parse(buf_slice(&b), 1 << 20, JSON_DEPTH_MAX,
				    &doc, &error),
			 OK);
	return doc;
}

/* text with the first `from` made `to`; buf_done() is the caller's. */
static inline const char *changed(const char *text, const char *from,
				  const char *to, struct buf *b)
{
	const char *at = strstr(text, from);
	assert_non_null(at);
	buf_init(b, 1 << 20);
	buf_add(b, text, (size_t)(at - text));
	buf_add_str(b, to);
	buf_add_str(b, at + strlen(from));
	return buf_cstr(b);
}

#endif
