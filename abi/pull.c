/* The structure of a document: containers, keys, what is skipped. */
#include "abi/pull_impl.h"

struct pull pull_of(struct slice text, unsigned max_depth)
{
	static const uint8_t none[1];
	const uint8_t *start = text.len ? text.p : none;
	assert(max_depth <= PULL_DEPTH_MAX);
	return (struct pull){.start = start,
			     .at = start,
			     .end = start + text.len,
			     .max_depth = max_depth};
}

void pull_fail(struct pull *p, enum err err, const char *expected)
{
	if (p->err)
		return;
	p->err = err;
	p->expected = expected;
	p->failed_at = (size_t)(p->at - p->start);
	p->at = p->end; /* whatever is asked next finds nothing */
}

void pull_error(const struct pull *p, struct err_text *ret)
{
	err_text_set(ret, "byte %zu: expected %s", p->failed_at,
		     p->expected ? p->expected : "nothing else");
}

void pull_end(struct pull *p)
{
	assert(p->err || (!p->depth && p->wants == PULL_WANTS_MORE));
	(void)pull_byte(p);
	if (p->at < p->end)
		pull_fail(p, ERR_INVALID, "nothing behind the value");
}

enum pull_type pull_peek(struct pull *p)
{
	uint8_t c = pull_value(p);
	if (c == '-' || (c >= '0' && c <= '9'))
		return PULL_NUMBER;
	switch (c) {
	case '{':
		return PULL_OBJECT;
	case '[':
		return PULL_ARRAY;
	case '"':
		return PULL_STRING;
	case 't':
	case 'f':
		return PULL_BOOL;
	case 'n':
		return PULL_NULL;
	}
	return PULL_NOTHING;
}

static bool in_object(const struct pull *p)
{
	return p->objects & 1;
}

static void begin(struct pull *p, uint8_t bracket, const char *expected)
{
	if (pull_value(p) != bracket) {
		pull_fail(p, ERR_INVALID, expected);
		return;
	}
	if (p->depth == p->max_depth) {
		pull_fail(p, ERR_TOO_LARGE, "nothing nested deeper");
		return;
	}
	p->at++;
	p->objects <<= 1;
	p->objects |= bracket == '{';
	p->depth++;
	p->wants = PULL_WANTS_FIRST;
}

/* Takes the comma before another element, or the container's end: false. */
static bool another(struct pull *p, uint8_t bracket, const char *expected)
{
	assert(p->err || (p->wants != PULL_WANTS_VALUE && p->depth));
	uint8_t c = pull_byte(p);
	if (c == bracket && p->depth) {
		p->objects >>= 1;
		p->depth--;
		pull_took(p, 1);
		return false;
	}
	if (p->wants == PULL_WANTS_MORE) {
		if (c != ',') {
			pull_fail(p, ERR_INVALID, expected);
			return false;
		}
		p->at++;
	}
	p->wants = PULL_WANTS_VALUE;
	return !p->err;
}

void pull_begin_object(struct pull *p)
{
	begin(p, '{', "an object");
}

void pull_begin_array(struct pull *p)
{
	begin(p, '[', "an array");
}

bool pull_next_item(struct pull *p)
{
	assert(p->err || !in_object(p));
	return another(p, ']', "a comma or the end of an array");
}

static size_t find_name(struct slice key, const struct pull_name *names,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].len == key.len &&
		    !memcmp(names[i].s, key.p, key.len))
			return i;
	return n;
}

bool pull_raw_key(struct pull *p, struct slice *ret)
{
	if (!another(p, '}', "a comma or the end of an object"))
		return false;
	if (pull_byte(p) != '"') {
		pull_fail(p, ERR_INVALID, "a key");
		return false;
	}
	const uint8_t *start = ++p->at;
	pull_string_skip(p);
	if (p->err)
		return false;
	*ret = slice_of(start, (size_t)(p->at - 1 - start));
	if (pull_byte(p) != ':') {
		pull_fail(p, ERR_INVALID, "a colon");
		return false;
	}
	p->at++;
	return true;
}

/* A key as it is written: its place in names. */
static size_t find_key(const struct pull *p, struct slice raw,
		       const struct pull_name *names, size_t n)
{
	if (!n || !memchr(raw.p, '\\', raw.len))
		return find_name(raw, names, n);
	uint8_t plain[PULL_NAME_MAX];
	struct pull again = *p;
	again.at = raw.p;
	size_t len = pull_string_read(&again, plain, sizeof(plain));
	return len > sizeof(plain) ? n
				   : find_name(slice_of(plain, len), names, n);
}

int pull_next_key(struct pull *p, const struct pull_name *names, size_t n,
		  uint32_t *seen)
{
	struct slice raw;
	assert(n <= PULL_NAMES_MAX && (p->err || in_object(p)));
	if (!pull_raw_key(p, &raw))
		return PULL_END;
	size_t found = find_key(p, raw, names, n);
	if (found < n && *seen >> found & 1) {
		pull_fail(p, ERR_INVALID, "no key twice");
		return PULL_END;
	}
	if (found < n)
		*seen |= UINT32_C(1) << found;
	return (int)found;
}

void pull_need(struct pull *p, const struct pull_name *names, uint32_t needed,
	       uint32_t seen)
{
	uint32_t missing = needed & ~seen;
	if (missing)
		pull_fail(p, ERR_INVALID, names[__builtin_ctz(missing)].s);
}

static void skip_scalar(struct pull *p, enum pull_type type)
{
	switch (type) {
	case PULL_STRING:
		p->at++;
		pull_string_skip(p);
		p->wants = PULL_WANTS_MORE;
		return;
	case PULL_NUMBER:
		(void)pull_number(p);
		return;
	case PULL_BOOL:
		(void)pull_bool(p);
		return;
	case PULL_NULL:
		pull_null(p);
		return;
	case PULL_OBJECT:
	case PULL_ARRAY:
	case PULL_NOTHING:
		break;
	}
	pull_fail(p, ERR_INVALID, "a value");
}

void pull_skip(struct pull *p)
{
	const unsigned depth = p->depth;
	do {
		if (p->wants == PULL_WANTS_VALUE) {
			enum pull_type type = pull_peek(p);
			if (type == PULL_OBJECT)
				pull_begin_object(p);
			else if (type == PULL_ARRAY)
				pull_begin_array(p);
			else
				skip_scalar(p, type);
		} else if (in_object(p)) {
			(void)pull_next_key(p, NULL, 0, NULL);
		} else {
			(void)pull_next_item(p);
		}
	} while (!p->err && (p->depth > depth || p->wants != PULL_WANTS_MORE));
}
