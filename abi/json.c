/* Reads JSON.  jansson parses; what it returns is laid out as one array in
 * which every node knows its parent, so that a failure can name its place.
 * Nothing is parsed before its size and depth are known to be bounded. */
#include <jansson.h>
#undef json_is_null

#include "abi/hex.h"
#include "abi/json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* One document's values: a node and jansson's own take about 150 bytes. */
#define NODES_MAX   (1u << 20)
#define INTEGER_MAX ((UINT64_C(1) << 53) - 1)

struct json_node {
	const json_t *value;
	const struct json_node *parent; /* NULL: the root */
	const char *key;		/* NULL unless in an object */
	const struct json_node *child;	/* n in a row */
	size_t n;
};

struct json_doc {
	json_t *tree;
	struct json_node *nodes; /* nodes[0] is the root */
};

/* What a look at the bytes alone tells. */
struct scan {
	unsigned depth, max_depth;
	size_t values; /* never less than the values there are */
	size_t line, column;
};

/* Stops, false, at the first bracket that goes too deep. */
static bool scan_text(struct slice text, struct scan *scan)
{
	bool in_string = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		scan->column++;
		if (c == '\n') {
			scan->line++;
			scan->column = 0;
		} else if (in_string) {
			if (c == '\\')
				i++, scan->column++;
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			scan->values++;
			if (++scan->depth > scan->max_depth)
				return false;
		} else if (c == '}' || c == ']') {
			scan->depth -= scan->depth > 0;
		} else if (c == ',') {
			scan->values++;
		}
	}
	return true;
}

static enum err check_bounds(struct slice text, size_t max_bytes,
			     struct scan *scan, struct err_text *error)
{
	if (text.len > max_bytes) {
		err_text_set(error, "JSON of %zu bytes, at most %zu allowed",
			     text.len, max_bytes);
		return ERR_TOO_LARGE;
	}
	if (!scan_text(text, scan)) {
		err_text_set(error,
			     "line %zu column %zu: nested deeper than %u",
			     scan->line, scan->column, scan->max_depth);
		return ERR_TOO_LARGE;
	}
	if (scan->values > NODES_MAX) {
		err_text_set(error, "JSON of more than %u values", NODES_MAX);
		return ERR_TOO_LARGE;
	}
	return OK;
}

/* Fills in the nodes breadth first: the array is its own queue. */
static void lay_out(struct json_node *nodes, size_t room, json_t *root)
{
	size_t used = 1;
	nodes[0] = (struct json_node){.value = root};
	for (size_t i = 0; i < used; i++) {
		struct json_node *node = &nodes[i];
		json_t *value = (json_t *)node->value;
		node->child = &nodes[used];
		for (void *at = json_object_iter(value); at;
		     at = json_object_iter_next(value, at)) {
			assert(used < room);
			nodes[used++] = (struct json_node){
				.value = json_object_iter_value(at),
				.key = json_object_iter_key(at),
				.parent = node};
		}
		for (size_t j = 0; j < json_array_size(value); j++) {
			assert(used < room);
			nodes[used++] = (struct json_node){
				.value = json_array_get(value, j),
				.parent = node};
		}
		node->n = (size_t)(&nodes[used] - node->child);
	}
}

enum err json_parse(struct slice text, size_t max_bytes, unsigned max_depth,
		    struct json_doc **ret, struct err_text *error)
{
	struct scan scan = {.max_depth = max_depth, .values = 1, .line = 1};
	enum err err = check_bounds(text, max_bytes, &scan, error);
	if (err)
		return err;
	json_error_t why;
	json_t *tree = json_loadb(text.len ? (const char *)text.p : "",
				  text.len, JSON_REJECT_DUPLICATES, &why);
	if (!tree) {
		err_text_set(error, "line %d column %d: %s", why.line,
			     why.column, why.text);
		return ERR_INVALID;
	}
	struct json_doc *doc = calloc(1, sizeof(*doc));
	struct json_node *nodes = calloc(scan.values + 1, sizeof(*nodes));
	if (!doc || !nodes) {
		free(doc);
		free(nodes);
		json_decref(tree);
		err_text_set(error, "out of memory for %zu values",
			     scan.values);
		return ERR_TOO_LARGE;
	}
	lay_out(nodes, scan.values, tree);
	*doc = (struct json_doc){.tree = tree, .nodes = nodes};
	*ret = doc;
	return OK;
}

void json_free(struct json_doc *doc)
{
	if (!doc)
		return;
	json_decref(doc->tree);
	free(doc->nodes);
	free(doc);
}

void json_freep(struct json_doc **doc)
{
	json_free(*doc);
	*doc = NULL;
}

const json_node *json_root(const struct json_doc *doc)
{
	return doc->nodes;
}

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
	for (; node && node->parent && n < ARRAY_LEN(up); node = node->parent)
		up[n++] = node;
	struct buf path;
	buf_init(&path, 4096);
	while (n-- > 0) {
		if (up[n]->key)
			buf_printf(&path, "%s%.*s", path.len ? "." : "",
				   (int)size, up[n]->key);
		else
			buf_printf(&path, "[%zu]",
				   (size_t)(up[n] - up[n]->parent->child));
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
	for (size_t i = 0; i < o->n; i++)
		if (o->child[i].key && !strcmp(o->child[i].key, key))
			return &o->child[i];
	return NULL;
}

/* The node itself if it has the type; what: "expected …". */
static const json_node *get(struct json_reader *r, const json_node *o,
			    const char *key, json_type type, const char *what)
{
	if (r->failed)
		return NULL;
	const json_node *node = child_of(o, key);
	if (!node)
		fail_at(r, o, key, "missing");
	else if (json_typeof(node->value) != type)
		fail_at(r, node, NULL, what);
	else
		return node;
	return NULL;
}

const json_node *json_object(struct json_reader *r, const json_node *o,
			     const char *key)
{
	return get(r, o, key, JSON_OBJECT, "expected an object");
}

const json_node *json_array(struct json_reader *r, const json_node *o,
			    const char *key)
{
	return get(r, o, key, JSON_ARRAY, "expected an array");
}

bool json_has(const json_node *o, const char *key)
{
	const json_node *node = child_of(o, key);
	return node && json_typeof(node->value) != JSON_NULL;
}

bool json_is_null(const json_node *o, const char *key)
{
	const json_node *node = child_of(o, key);
	return node && json_typeof(node->value) == JSON_NULL;
}

size_t json_len(const json_node *array)
{
	return array ? array->n : 0;
}

const json_node *json_at(const json_node *array, size_t i)
{
	return array && i < array->n ? &array->child[i] : NULL;
}

/* The string whole, or no bytes after failing. */
static struct slice get_text(struct json_reader *r, const json_node *o,
			     const char *key, const char *what)
{
	const json_node *node = get(r, o, key, JSON_STRING, what);
	if (!node)
		return (struct slice){0};
	return slice_of(json_string_value(node->value),
			json_string_length(node->value));
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
	const json_node *node = child_of(o, key);
	if (!r->failed && node && json_is_boolean(node->value))
		return json_is_true(node->value);
	(void)get(r, o, key, JSON_TRUE, "expected true or false");
	return false;
}

uint64_t json_u64(struct json_reader *r, const json_node *o, const char *key)
{
	static const char what[] = "expected a whole number from 0 to 2^53-1";
	const json_node *node = get(r, o, key, JSON_INTEGER, what);
	if (!node)
		return 0;
	json_int_t value = json_integer_value(node->value);
	if (value < 0 || (uint64_t)value > INTEGER_MAX) {
		fail_at(r, node, NULL, what);
		return 0;
	}
	return (uint64_t)value;
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
	for (size_t i = 0; i < o->n; i++) {
		const char *const *name = names;
		while (*name && o->child[i].key &&
		       strcmp(*name, o->child[i].key))
			name++;
		if (!*name || !o->child[i].key) {
			fail_at(r, &o->child[i], NULL, "unknown field");
			return;
		}
	}
}

const json_node *json_get(const json_node *o, const char *key)
{
	return child_of(o, key);
}

static bool same_fields(const json_t *a, const json_t *b,
			const char *const *fields)
{
	for (; *fields; fields++) {
		const json_t *x = json_object_get(a, *fields);
		const json_t *y = json_object_get(b, *fields);
		if ((!x || json_typeof(x) == JSON_NULL) &&
		    (!y || json_typeof(y) == JSON_NULL))
			continue;
		if (!json_equal(x, y))
			return false;
	}
	return true;
}

bool json_same(const json_node *a, const json_node *b,
	       const char *const *fields)
{
	if (!a || !b)
		return a == b;
	json_type type = json_typeof(a->value);
	if (fields && type == json_typeof(b->value)) {
		if (type == JSON_OBJECT)
			return same_fields(a->value, b->value, fields);
		if (type == JSON_ARRAY) {
			bool same = a->n == b->n;
			for (size_t i = 0; same && i < a->n; i++)
				same = json_same(&a->child[i], &b->child[i],
						 fields);
			return same;
		}
	}
	return json_equal(a->value, b->value);
}

static int add_some(const char *text, size_t len, void *ctx)
{
	struct buf *to = ctx;
	size_t room = to->max - to->len;
	buf_add(to, text, len < room ? len : room);
	return to->failed || len > room ? -1 : 0;
}

/* A copy without the members that hold others. */
static json_t *flatten(const json_node *node)
{
	json_t *flat = json_copy((json_t *)node->value);
	for (size_t i = 0; flat && i < node->n; i++)
		if (node->child[i].n && node->child[i].key)
			(void)json_object_del(flat, node->child[i].key);
	return flat;
}

bool json_text(const json_node *node, bool flat, struct buf *to)
{
	json_t *value =
		flat ? flatten(node) : json_incref((json_t *)node->value);
	int failed = json_dump_callback(value, add_some, to,
					JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(value);
	return !failed;
}
