/* From a document's bytes to its nodes by jansson, the one file that includes
 * it.  Nothing is parsed before its size and depth are known to be bounded. */
#include <jansson.h>
#undef json_is_null

#include "abi/json_tree.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* One document's values: a node and jansson's own take about 150 bytes. */
#define NODES_MAX (1u << 20)
/* A number of 64 bits, written out. */
#define NUMBER_MAX 40

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
	/* jansson overlooks one behind a number or a word */
	if (text.len && memchr(text.p, 0, text.len)) {
		err_text_set(error, "a NUL byte");
		return ERR_INVALID;
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

/* ---- laying out ----------------------------------------------------------
 */

struct layout {
	char *text; /* the next byte of the copies */
	struct json_node *nodes;
	size_t n; /* nodes that are in their places */
};

static const char *copy(struct layout *l, const char *text, size_t len)
{
	char *to = l->text;
	memcpy(to, text, len);
	to[len] = '\0';
	l->text += len + 1;
	return to;
}

static struct json_node number(struct layout *l, const json_t *value)
{
	char text[NUMBER_MAX];
	/* a real keeps its point: it is no whole number to whoever reads it */
	int len = json_is_integer(value) ? snprintf(text, sizeof(text),
						    "%" JSON_INTEGER_FORMAT,
						    json_integer_value(value))
					 : snprintf(text, sizeof(text), "%.17e",
						    json_real_value(value));
	assert(len > 0 && (size_t)len < sizeof(text));
	return (struct json_node){.type = PULL_NUMBER,
				  .text = copy(l, text, (size_t)len),
				  .len = (uint32_t)len};
}

static struct json_node lay_out(struct layout *l, json_t *value);

/* Its children's children first, then they in a row; depth is bounded. */
static struct json_node container(struct layout *l, json_t *value)
{
	bool object = json_is_object(value);
	size_t n = object ? json_object_size(value) : json_array_size(value);
	size_t i = 0;
	struct json_node *row = calloc(n + 1, sizeof(*row));
	if (!row)
		abort();
	for (void *at = json_object_iter(value); at;
	     at = json_object_iter_next(value, at)) {
		const char *key = json_object_iter_key(at);
		row[i] = lay_out(l, json_object_iter_value(at));
		row[i++].key = copy(l, key, strlen(key));
	}
	for (; !object && i < n; i++)
		row[i] = lay_out(l, json_array_get(value, i));
	struct json_node node = {.type = object ? PULL_OBJECT : PULL_ARRAY,
				 .len = (uint32_t)n,
				 .child = (uint32_t)l->n};
	for (i = 0; i < n; i++)
		tree_place(l->nodes, l->n++, row[i]);
	free(row);
	return node;
}

/* A container's child is a place until it is in its own. */
static struct json_node lay_out(struct layout *l, json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return container(l, value);
	case JSON_STRING:
		return (struct json_node){
			.type = PULL_STRING,
			.text = copy(l, json_string_value(value),
				     json_string_length(value)),
			.len = (uint32_t)json_string_length(value)};
	case JSON_INTEGER:
	case JSON_REAL:
		return number(l, value);
	case JSON_TRUE:
	case JSON_FALSE:
		return (struct json_node){.type = PULL_BOOL,
					  .len = json_is_true(value)};
	case JSON_NULL:
		break;
	}
	return (struct json_node){.type = PULL_NULL};
}

/* ---- the public side ------------------------------------------------------
 */

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
	/* strings are no longer than they were written, with their quotes */
	char *copies = malloc(text.len + scan.values * NUMBER_MAX + 1);
	struct json_node *nodes = calloc(scan.values + 1, sizeof(*nodes));
	if (!doc || !copies || !nodes)
		abort();
	struct layout l = {.text = copies, .nodes = nodes};
	/* which lays out all that is in it first */
	struct json_node root = lay_out(&l, tree);
	tree_place(nodes, l.n, root);
	assert(l.n < scan.values + 1);
	*doc = (struct json_doc){copies, nodes, l.n + 1};
	json_decref(tree);
	*ret = doc;
	return OK;
}

void json_free(struct json_doc *doc)
{
	if (!doc)
		return;
	free(doc->nodes);
	free(doc->text);
	free(doc);
}

void json_freep(struct json_doc **doc)
{
	json_free(*doc);
	*doc = NULL;
}

const json_node *json_root(const struct json_doc *doc)
{
	return &doc->nodes[doc->n - 1];
}
