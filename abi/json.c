/* Reads fields of a parsed document. */
#include "abi/json_tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"

#define INTEGER_MAX ((UINT64_C(1) << 53) - 1)

void json_fail(struct json_reader *r, const char *field, const char *what)
{
	if (r->failed)
		return;
	r->failed = true;
	(void)snprintf(r->field, sizeof(r->field), "%s", field);
	(void)snprintf(r->what, sizeof(r->what), "%s", what);
}

/* "leaves[2].index" of a node and, when it lacks one, the key asked for. */
static void path_text(const json_node *node, const char *key, char *to,
		      size_t size)
{
	const json_node *up[JSON_DEPTH_MAX];
	size_t n = 0;
	for (; node && node->up && n < ARRAY_LEN(up); node = tree_parent(node))
		up[n++] = node;
	struct buf path;
	buf_init(&path, 4096);
	while (n-- > 0) {
		if (up[n]->key)
			buf_printf(&path, "%s%.*s", path.len ? "." : "",
				   (int)size, up[n]->key);
		else
			buf_printf(&path, "[%zu]",
				   (size_t)(up[n] -
					    tree_child(tree_parent(up[n]), 0)));
	}
	if (key)
		buf_printf(&path, "%s%s", path.len ? "." : "", key);
	(void)snprintf(to, size, "%s", buf_cstr(&path));
	buf_done(&path);
}

static void fail_at(struct json_reader *r, const json_node *o, const char *key,
		    const char *what)
{
	char path[JSON_FIELD_MAX];
	path_text(o, key, path, sizeof(path));
	json_fail(r, path, what);
}

static const json_node *child_of(const json_node *o, const char *key)
{
	if (!key || !o)
		return o;
	for (size_t i = 0; o->type == PULL_OBJECT && i < o->len; i++)
		if (!strcmp(tree_child(o, i)->key, key))
			return tree_child(o, i);
	return NULL;
}

/* The node itself if it has the type; what: "expected …". */
static const json_node *get(struct json_reader *r, const json_node *o,
			    const char *key, enum pull_type type,
			    const char *what)
{
	if (r->failed)
		return NULL;
	const json_node *node = child_of(o, key);
	if (!node)
		fail_at(r, o, key, "missing");
	else if (node->type != type)
		fail_at(r, node, NULL, what);
	else
		return node;
	return NULL;
}

const json_node *json_object(struct json_reader *r, const json_node *o,
			     const char *key)
{
	return get(r, o, key, PULL_OBJECT, "expected an object");
}

const json_node *json_array(struct json_reader *r, const json_node *o,
			    const char *key)
{
	return get(r, o, key, PULL_ARRAY, "expected an array");
}

bool json_has(const json_node *o, const char *key)
{
	const json_node *node = child_of(o, key);
	return node && node->type != PULL_NULL;
}

bool json_is_null(const json_node *o, const char *key)
{
	const json_node *node = child_of(o, key);
	return node && node->type == PULL_NULL;
}

size_t json_len(const json_node *array)
{
	return array && tree_is_container(array) ? array->len : 0;
}

const json_node *json_at(const json_node *array, size_t i)
{
	return i < json_len(array) ? tree_child(array, i) : NULL;
}

/* The string whole, or no bytes after failing. */
static struct slice get_text(struct json_reader *r, const json_node *o,
			     const char *key, const char *what)
{
	const json_node *node = get(r, o, key, PULL_STRING, what);
	return node ? tree_text(node) : (struct slice){0};
}

const char *json_string(struct json_reader *r, const json_node *o,
			const char *key, size_t max)
{
	struct slice text = get_text(r, o, key, "expected a string");
	if (r->failed)
		return "";
	if (text.len > max) {
		char what[64];
		(void)snprintf(what, sizeof(what),
			       "expected a string of at most %zu bytes", max);
		fail_at(r, child_of(o, key), NULL, what);
		return "";
	}
	return (const char *)text.p;
}

bool json_bool(struct json_reader *r, const json_node *o, const char *key)
{
	const json_node *node =
		get(r, o, key, PULL_BOOL, "expected true or false");
	return node && node->len;
}

uint64_t json_u64(struct json_reader *r, const json_node *o, const char *key)
{
	static const char what[] = "expected a whole number from 0 to 2^53-1";
	const json_node *node = get(r, o, key, PULL_NUMBER, what);
	uint64_t value = 0;
	if (!node)
		return 0;
	if (slice_eq(tree_text(node), slice_str("-0")))
		return 0;
	for (uint32_t i = 0; i < node->len && !r->failed; i++) {
		char c = node->text[i];
		value = 10 * value + (uint64_t)(c - '0');
		if (c < '0' || c > '9' || value > INTEGER_MAX)
			fail_at(r, node, NULL, what);
	}
	return r->failed ? 0 : value;
}

struct u256 json_amount(struct json_reader *r, const json_node *o,
			const char *key)
{
	static const char what[] = "expected a decimal string below 2^256";
	struct u256 value = u256_from(0);
	struct slice text = get_text(r, o, key, what);
	if (!r->failed && u256_parse(text, &value))
		fail_at(r, child_of(o, key), NULL, what);
	return value;
}

/* ceil(digits / 2) bytes big-endian at the end of be; false: not canonical. */
static bool parse_quantity(struct slice text, uint8_t be[32], size_t max_digits)
{
	char padded[2 + 64];
	if (text.len < 3 || text.len - 2 > max_digits ||
	    (text.p[2] == '0' && text.len > 3) || memcmp(text.p, "0x", 2))
		return false;
	memset(padded, '0', sizeof(padded));
	padded[1] = 'x';
	memcpy(padded + sizeof(padded) - (text.len - 2), text.p + 2,
	       text.len - 2);
	return !hex_decode(slice_of(padded, sizeof(padded)), be, 32);
}

struct u256 json_quantity256(struct json_reader *r, const json_node *o,
			     const char *key)
{
	static const char what[] = "expected 0x and 1 to 64 hex digits, "
				   "none of them a leading zero";
	uint8_t be[32] = {0};
	struct slice text = get_text(r, o, key, what);
	if (!r->failed && !parse_quantity(text, be, 64))
		fail_at(r, child_of(o, key), NULL, what);
	return r->failed ? u256_from(0) : u256_from_be(be, sizeof(be));
}

uint64_t json_quantity(struct json_reader *r, const json_node *o,
		       const char *key)
{
	static const char what[] = "expected 0x and 1 to 16 hex digits, "
				   "none of them a leading zero";
	uint8_t be[32] = {0};
	struct slice text = get_text(r, o, key, what);
	if (!r->failed && !parse_quantity(text, be, 16))
		fail_at(r, child_of(o, key), NULL, what);
	return r->failed ? 0 : get_be(be + 24, 8);
}

void json_hex(struct json_reader *r, const json_node *o, const char *key,
	      uint8_t *ret, size_t len)
{
	char what[64];
	(void)snprintf(what, sizeof(what), "expected 0x and %zu hex digits",
		       2 * len);
	struct slice text = get_text(r, o, key, what);
	if (!r->failed && !hex_decode(text, ret, len))
		return;
	memset(ret, 0, len);
	fail_at(r, child_of(o, key), NULL, what);
}

struct address json_address(struct json_reader *r, const json_node *o,
			    const char *key)
{
	static const char what[] = "expected an address: 0x and 40 hex digits "
				   "(mixed case only with a right checksum)";
	struct address a = {{0}};
	struct slice text = get_text(r, o, key, what);
	if (!r->failed && address_parse(text, &a))
		fail_at(r, child_of(o, key), NULL, what);
	return a;
}

struct hash32 json_hash(struct json_reader *r, const json_node *o,
			const char *key)
{
	struct hash32 h;
	json_hex(r, o, key, h.b, sizeof(h.b));
	return h;
}

void json_bytes(struct json_reader *r, const json_node *o, const char *key,
		struct buf *b)
{
	static const char what[] =
		"expected 0x and an even number of hex digits";
	struct slice text = get_text(r, o, key, what);
	if (r->failed)
		return;
	enum err err = hex_decode_buf(text, b);
	if (err)
		fail_at(r, child_of(o, key), NULL,
			err == ERR_TOO_LARGE ? "too long" : what);
}

void json_only(struct json_reader *r, const json_node *o,
	       const char *const *names)
{
	if (r->failed || !o)
		return;
	for (size_t i = 0; i < json_len(o); i++) {
		const json_node *child = tree_child(o, i);
		const char *const *name = names;
		while (*name && child->key && strcmp(*name, child->key))
			name++;
		if (!*name || !child->key) {
			fail_at(r, child, NULL, "unknown field");
			return;
		}
	}
}

const json_node *json_get(const json_node *o, const char *key)
{
	return child_of(o, key);
}
