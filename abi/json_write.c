/* Writes JSON straight into a buf.  What comes out parses, whatever bytes
 * the strings hold. */
#include "abi/hex.h"
#include "abi/json.h"

#include <assert.h>

struct json_writer json_writer(struct buf *to)
{
	return (struct json_writer){.to = to};
}

/* Bytes of the UTF-8 character at s (RFC 3629), or 0: not one. */
static size_t character_len(struct slice s)
{
	uint8_t first = s.p[0];
	if (first < 0x80)
		return 1;
	size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || len > s.len)
		return 0;
	/* overlong forms, surrogates, beyond U+10FFFF */
	uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	if (s.p[1] < low || s.p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void put_ascii(struct buf *to, uint8_t c)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (size_t i = 0; named[i]; i += 2) {
		if (c == (uint8_t)named[i]) {
			buf_add_byte(to, '\\');
			buf_add_byte(to, (uint8_t)named[i + 1]);
			return;
		}
	}
	if (c < 0x20 || c == 0x7f)
		buf_printf(to, "\\u%04x", c);
	else
		buf_add_byte(to, c);
}

/* How much of it stands in JSON as it is. */
static size_t plain_len(struct slice s)
{
	size_t i = 0;
	while (i < s.len && s.p[i] >= 0x20 && s.p[i] < 0x7f && s.p[i] != '"' &&
	       s.p[i] != '\\')
		i++;
	return i;
}

static void put_quoted(struct buf *to, struct slice s)
{
	buf_add_byte(to, '"');
	while (s.len) {
		size_t plain = plain_len(s);
		buf_add(to, s.p, plain);
		s.p += plain;
		s.len -= plain;
		if (!s.len)
			break;
		size_t len = character_len(s);
		if (!len)
			buf_add_str(to, "\xef\xbf\xbd"); /* U+FFFD */
		else if (len == 1)
			put_ascii(to, s.p[0]);
		else
			buf_add(to, s.p, len);
		s.p += len ? len : 1;
		s.len -= len ? len : 1;
	}
	buf_add_byte(to, '"');
}

/* Everything before a value: comma and key. */
static void put_lead(struct json_writer *w, const char *key)
{
	assert(w->depth < JSON_DEPTH_MAX);
	if (w->comma[w->depth])
		buf_add_byte(w->to, ',');
	w->comma[w->depth] = true;
	if (!key)
		return;
	put_quoted(w->to, slice_str(key));
	buf_add_byte(w->to, ':');
}

static void open_bracket(struct json_writer *w, const char *key, uint8_t c)
{
	put_lead(w, key);
	assert(w->depth + 1 < JSON_DEPTH_MAX);
	buf_add_byte(w->to, c);
	w->comma[++w->depth] = false;
}

static void close_bracket(struct json_writer *w, uint8_t c)
{
	assert(w->depth > 0);
	w->depth--;
	buf_add_byte(w->to, c);
}

void json_begin(struct json_writer *w, const char *key)
{
	open_bracket(w, key, '{');
}

void json_end(struct json_writer *w)
{
	close_bracket(w, '}');
}

void json_begin_array(struct json_writer *w, const char *key)
{
	open_bracket(w, key, '[');
}

void json_end_array(struct json_writer *w)
{
	close_bracket(w, ']');
}

void json_put_slice(struct json_writer *w, const char *key, struct slice s)
{
	put_lead(w, key);
	put_quoted(w->to, s);
}

void json_put_string(struct json_writer *w, const char *key, const char *s)
{
	json_put_slice(w, key, slice_str(s));
}

void json_put_u64(struct json_writer *w, const char *key, uint64_t value)
{
	json_put_raw(w, key, slice_str(u256_text(u256_from(value)).s));
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	json_put_raw(w, key, slice_str(value ? "true" : "false"));
}

void json_put_null(struct json_writer *w, const char *key)
{
	json_put_raw(w, key, slice_str("null"));
}

void json_put_amount(struct json_writer *w, const char *key, struct u256 a)
{
	json_put_string(w, key, u256_text(a).s);
}

void json_put_hex(struct json_writer *w, const char *key, const void *p,
		  size_t len)
{
	put_lead(w, key);
	buf_add_str(w->to, "\"0x");
	buf_add_hex(w->to, p, len);
	buf_add_byte(w->to, '"');
}

void json_put_address(struct json_writer *w, const char *key, struct address a)
{
	json_put_hex(w, key, a.b, sizeof(a.b));
}

void json_put_hash(struct json_writer *w, const char *key, struct hash32 h)
{
	json_put_hex(w, key, h.b, sizeof(h.b));
}

void json_put_quantity(struct json_writer *w, const char *key, uint64_t value)
{
	put_lead(w, key);
	buf_printf(w->to, "\"0x%llx\"", (unsigned long long)value);
}

void json_put_raw(struct json_writer *w, const char *key, struct slice text)
{
	put_lead(w, key);
	buf_add_slice(w->to, text);
}
