/* JSON in and out, by RFC 8259 and no more lenient; jansson parses what people
 * and peers send, abi/pull the megabytes that L1's endpoints answer.
 *
 * Reading is a cursor with sticky failure: read every field, test once at the
 * end; the first failure names its field and says what was expected.
 * Writing is a bounded writer straight into a buf: no tree, no printf. */
#ifndef EGRESS_ABI_JSON_H
#define EGRESS_ABI_JSON_H

#include "abi/buf.h"
#include "abi/u256.h"

/* jansson exports functions of these names; a program that defined them again
 * would slip its own under the library's calls. */
#define json_object json_read_object
#define json_array  json_read_array
#define json_string json_read_string

#define JSON_BODY_MAX  65536 /* what a citizen may send: formats.md LIMITS */
#define JSON_DEPTH_MAX 32
#define JSON_FIELD_MAX 96

struct json_doc;		    /* owns the parsed tree */
typedef struct json_node json_node; /* opaque, borrowed from the doc */

struct json_reader {
	bool failed;
	char field[JSON_FIELD_MAX]; /* "leaves[2].index" of the first failure */
	char what[128];		    /* "expected 0x and 40 hex digits" */
};

/* Duplicate keys, NUL in strings, numbers beyond 64 bits and trailing bytes are
 * refused.  ERR_INVALID (why in error, with line and column) or ERR_TOO_LARGE
 * (over max_bytes or max_depth).  The text is copied. */
MUST_CHECK enum err json_parse(struct slice text, size_t max_bytes,
			       unsigned max_depth, struct json_doc **ret,
			       struct err_text *error);
/* The same for replies of megabytes, in one pass that allocates two arrays: far
 * quicker than a library's tree (./bench P10 rests on it). */
MUST_CHECK enum err json_parse_reply(struct slice text, size_t max_bytes,
				     unsigned max_depth, struct json_doc **ret,
				     struct err_text *error);
void json_free(struct json_doc *doc); /* NULL is legal */
void json_freep(struct json_doc **doc);
const json_node *json_root(const struct json_doc *doc);

/* All take (reader, object, key).  A NULL object, a missing key or a wrong
 * shape fails the reader and returns zero / NULL / ""; after a failure every
 * call does.  `key` NULL means the node itself. */
const json_node *json_object(struct json_reader *r, const json_node *o,
			     const char *key);
const json_node *json_array(struct json_reader *r, const json_node *o,
			    const char *key);
bool json_has(const json_node *o, const char *key);	/* present, not null */
bool json_is_null(const json_node *o, const char *key); /* present and null */
/* The child itself, a JSON null included; NULL when it is missing. */
const json_node *json_get(const json_node *o, const char *key);
/* Equal values, in whatever order their keys stand.  fields (NULL-terminated,
 * or NULL: all): of objects, and of objects in an array, only these count; a
 * missing one equals null. */
bool json_same(const json_node *a, const json_node *b,
	       const char *const *fields);
/* Appends a value as compact JSON text, as far as to->max allows: false when
 * that cut it.  flat: of an object only what holds no others. */
bool json_text(const json_node *node, bool flat, struct buf *to);
size_t json_len(const json_node *array); /* 0 for NULL */
const json_node *json_at(const json_node *array, size_t i);
/* A string, NUL-terminated, valid as long as the doc; len ≤ max or fail. */
const char *json_string(struct json_reader *r, const json_node *o,
			const char *key, size_t max);
bool json_bool(struct json_reader *r, const json_node *o, const char *key);
uint64_t json_u64(struct json_reader *r, const json_node *o,
		  const char *key); /* a number, 0 … 2^53 − 1 */
struct u256 json_amount(struct json_reader *r, const json_node *o,
			const char *key); /* a decimal string */
/* JSON-RPC quantities: "0x0", no leading zero. */
uint64_t json_quantity(struct json_reader *r, const json_node *o,
		       const char *key);
struct u256 json_quantity256(struct json_reader *r, const json_node *o,
			     const char *key);
/* "0x" + exactly 2 × len digits. */
void json_hex(struct json_reader *r, const json_node *o, const char *key,
	      uint8_t *ret, size_t len);
struct address json_address(struct json_reader *r, const json_node *o,
			    const char *key);
struct hash32 json_hash(struct json_reader *r, const json_node *o,
			const char *key);
/* "0x" + any even number of digits, appended to b. */
void json_bytes(struct json_reader *r, const json_node *o, const char *key,
		struct buf *b);
/* Requests refuse fields they do not know: names is NULL-terminated. */
void json_only(struct json_reader *r, const json_node *o,
	       const char *const *names);
/* Lets a caller fail the reader on a rule of its own. */
void json_fail(struct json_reader *r, const char *field, const char *what);

/* The writer.  Commas and quotes are its own business; the caller pairs begin
 * and end (asserted).  key NULL inside arrays. */
struct json_writer {
	struct buf *to;
	unsigned depth;
	bool comma[JSON_DEPTH_MAX];
};

struct json_writer json_writer(struct buf *to);
void json_begin(struct json_writer *w, const char *key);       /* { */
void json_end(struct json_writer *w);			       /* } */
void json_begin_array(struct json_writer *w, const char *key); /* [ */
void json_end_array(struct json_writer *w);		       /* ] */
void json_put_string(struct json_writer *w, const char *key, const char *s);
void json_put_slice(struct json_writer *w, const char *key, struct slice s);
void json_put_u64(struct json_writer *w, const char *key, uint64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_put_amount(struct json_writer *w, const char *key, struct u256 a);
void json_put_hex(struct json_writer *w, const char *key, const void *p,
		  size_t len);
void json_put_address(struct json_writer *w, const char *key, struct address a);
void json_put_hash(struct json_writer *w, const char *key, struct hash32 h);
void json_put_quantity(struct json_writer *w, const char *key,
		       uint64_t value); /* "0x1f" */
/* text is JSON already; used to nest a document that was built elsewhere. */
void json_put_raw(struct json_writer *w, const char *key, struct slice text);

#endif
