/* json_loadb() of the simulator: an endpoint tells the same block, or the same
 * proof, in many batches.  Each result in a batch of answers is read once; a
 * text of any other form goes to the library whole.  The linker sends calls
 * here (--wrap). */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "tests/sim/memo.h"

#define KEPT	   2048
#define LENGTH_MIN 64 /* shorter is as soon read as found */

struct kept {
	uint64_t sum;
	struct slice text; /* owned */
	size_t flags;
	json_t *tree;
};

struct cursor {
	const char *at, *end;
};

json_t *__real_json_loadb(const char *text, size_t len, size_t flags,
			  json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags,
			  json_error_t *error);

static bool skip(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len))
		return false;
	c->at += len;
	return true;
}

/* Past the closing quote; false: it has none, or an escape. */
static bool skip_string(struct cursor *c)
{
	const char *end = memchr(c->at + 1, '"', (size_t)(c->end - c->at - 1));

	if (!end || memchr(c->at, '\\', (size_t)(end - c->at)))
		return false;
	c->at = end + 1;
	return true;
}

/* Up to the bracket that closes what a value stands in. */
static bool skip_value(struct cursor *c)
{
	unsigned depth = 0;

	while (c->at < c->end) {
		if (*c->at == '"') {
			if (!skip_string(c))
				return false;
			continue;
		}
		if (*c->at == '{' || *c->at == '[')
			depth++;
		else if (*c->at == '}' || *c->at == ']')
			if (!depth--)
				return true;
		c->at++;
	}
	return false;
}

/* A new reference, or NULL. */
static json_t *value(struct slice text, size_t flags)
{
	static struct kept table[KEPT];
	uint64_t sum = bytes_sum(text);
	struct kept *k = &table[sum % KEPT];
	json_error_t error;
	json_t *tree;
	uint8_t *copy;

	flags |= JSON_DECODE_ANY;
	if (k->tree && k->sum == sum && k->flags == flags &&
	    slice_eq(k->text, text))
		return json_incref(k->tree);
	tree = __real_json_loadb((const char *)text.p, text.len, flags, &error);
	if (!tree || text.len < LENGTH_MIN)
		return tree;
	copy = malloc(text.len);
	assert(copy);
	memcpy(copy, text.p, text.len);
	free((void *)k->text.p);
	json_decref(k->tree);
	*k = (struct kept){sum, slice_of(copy, text.len), flags, tree};
	return json_incref(tree);
}

/* One answer of a batch, as the simulated endpoints write it. */
static json_t *answer(struct cursor *c, size_t flags)
{
	static const char *const keys[] = {"result", "error"};
	json_t *object, *inner = NULL;
	const char *start;
	json_int_t id = 0;
	bool error;

	if (!skip(c, "{\"jsonrpc\":\"2.0\",\"id\":"))
		return NULL;
	start = c->at;
	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' &&
	       c->at - start < 6)
		id = 10 * id + *c->at++ - '0';
	error = skip(c, ",\"error\":");
	if (c->at == start || (!error && !skip(c, ",\"result\":")))
		return NULL;
	start = c->at;
	if (skip_value(c))
		inner = value(slice_of(start, (size_t)(c->at - start)), flags);
	if (!inner || !skip(c, "}")) {
		json_decref(inner);
		return NULL;
	}
	object = json_object();
	json_object_set_new_nocheck(object, "jsonrpc", json_string("2.0"));
	json_object_set_new_nocheck(object, "id", json_integer(id));
	json_object_set_new_nocheck(object, keys[error], inner);
	return object;
}

/* NULL: of another form. */
static json_t *batch(struct cursor c, size_t flags)
{
	json_t *list, *one;

	if (!skip(&c, "["))
		return NULL;
	list = json_array();
	do {
		one = answer(&c, flags);
		if (one)
			json_array_append_new(list, one);
	} while (one && skip(&c, ","));
	if (one && skip(&c, "]") && c.at == c.end)
		return list;
	json_decref(list);
	return NULL;
}

json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags,
			  json_error_t *error)
{
	json_t *list = batch((struct cursor){text, text + len}, flags);

	return list ? list : __real_json_loadb(text, len, flags, error);
}
