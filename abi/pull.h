/* JSON read straight from its bytes, in the order in which they came: for
 * replies of megabytes, where abi/json's tree would cost ten times as much.
 *
 * A cursor with sticky failure over borrowed bytes: read everything, test once
 * at the end.  It allocates nothing.  What is skipped is held to RFC 8259 as
 * strictly as what is read: structure, numbers, escapes, UTF-8, surrogates in
 * pairs, depth, nothing behind the end.
 *
 * The verdict is abi/json's, but for what RFC 8259 allows and jansson does not:
 * numbers of any size where they are skipped, U+0000 as an escape (anvil prints
 * a revert's bytes so), keys twice that nobody asks for, a document that is no
 * container.  Refused here alone are hex written with escapes, which no node
 * writes. */
#ifndef EGRESS_ABI_PULL_H
#define EGRESS_ABI_PULL_H

#include "abi/buf.h"

#define PULL_DEPTH_MAX 64 /* a bit each in struct pull */
#define PULL_NAMES_MAX 32 /* a bit each in seen */
#define PULL_NAME_MAX  32 /* bytes of a key that is asked for */
#define PULL_MIXED     64 /* addresses whose checksum is remembered */
#define PULL_END       (-1)

enum pull_type {
	PULL_NOTHING, /* failed, or not the start of any value */
	PULL_OBJECT,
	PULL_ARRAY,
	PULL_STRING,
	PULL_NUMBER,
	PULL_BOOL,
	PULL_NULL,
};

/* What the bytes at hand have to be. */
enum pull_wants {
	PULL_WANTS_VALUE,
	PULL_WANTS_FIRST, /* a container's first element, or its end */
	PULL_WANTS_MORE,  /* a comma, or the container's end */
};

struct pull { /* may be copied, to go back to where it stood */
	const uint8_t *start, *at, *end;
	enum err err; /* OK; ERR_INVALID; ERR_TOO_LARGE */
	enum pull_wants wants;
	const char *expected; /* static; NULL unless failed */
	size_t failed_at;     /* byte */
	unsigned depth, max_depth;
	uint64_t objects; /* bit 0: the innermost container is an object */
	/* Texts of mixed-case addresses whose checksum was right. */
	const uint8_t *mixed[PULL_MIXED];
};

/* A key that is asked for. */
struct pull_name {
	const char *s;
	size_t len;
};
/* clang-format off */
#define PULL_NAME(text) {(text), sizeof(text) - 1}
/* clang-format on */

struct pull pull_of(struct slice text, unsigned max_depth);
/* The bytes have ended with the value. */
void pull_end(struct pull *p);
/* Lets a caller fail the reader on a rule of its own; expected is static. */
void pull_fail(struct pull *p, enum err err, const char *expected);
/* "byte 812: expected 0x and 64 hex digits" */
void pull_error(const struct pull *p, struct err_text *ret);
/* Of the value that is next. */
enum pull_type pull_peek(struct pull *p);

/* pull_begin_object(), then pull_next_key() until PULL_END; after each key its
 * value has to be read or skipped (asserted). */
void pull_begin_object(struct pull *p);
/* The key's place in names, n when it is none of them.  A bit of *seen, at
 * first 0, for each name that was there; one that comes twice fails. */
int pull_next_key(struct pull *p, const struct pull_name *names, size_t n,
		  uint32_t *seen);
/* Fails unless every name of the bits in needed was seen. */
void pull_need(struct pull *p, const struct pull_name *names, uint32_t needed,
	       uint32_t seen);
/* pull_begin_array(), then pull_next_item() until false. */
void pull_begin_array(struct pull *p);
bool pull_next_item(struct pull *p);

/* Each takes the next value; another shape fails the reader and returns zero;
 * after a failure every call does. */
void pull_skip(struct pull *p); /* anything */
void pull_null(struct pull *p);
bool pull_bool(struct pull *p);
uint64_t pull_u64(struct pull *p);	/* a number, 0 … 2^53 − 1 */
int64_t pull_i64(struct pull *p);	/* a whole number */
uint64_t pull_quantity(struct pull *p); /* "0x0", no leading zero */
struct address pull_address(struct pull *p);
struct hash32 pull_hash(struct pull *p);
/* "0x" + an even number of digits, of at most max bytes; appended to b.
 * Returns how many.  ERR_TOO_LARGE. */
size_t pull_bytes(struct pull *p, struct buf *b, size_t max);
/* A string for humans, cut between characters to size - 1 bytes: a control
 * character, NUL too, becomes a space.  Always terminated. */
void pull_text(struct pull *p, char *to, size_t size);

#endif
