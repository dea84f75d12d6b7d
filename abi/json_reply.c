/* From a reply's bytes to its nodes, in one pass by abi/pull.  A value waits
 * in `open` until what it is in has ended; then all that are in there move to
 * `done` in a row. */
#include "abi/json_tree.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "abi/pull_impl.h"

/* One document's values, 32 bytes each. */
#define NODES_MAX (1u << 20)
/* A list's first room; most requests have fewer. */
#define ROOM_FIRST 64
/* Keys in one object that are compared each with each. */
#define KEYS_FEW 32

struct list {
	struct json_node *p;
	size_t n, room;
};

struct build {
	struct pull pull;
	char *text;
	struct list open, done;
	size_t container[PULL_DEPTH_MAX]; /* those at hand, in open */
	const char *key;		  /* of the value that comes */
};

static bool reserve(struct build *b, struct list *list, size_t n)
{
	size_t room = list->room ? list->room : ROOM_FIRST;
	if (list->n + n <= list->room)
		return true;
	while (room < list->n + n)
		room *= 2;
	struct json_node *p = reallocarray(list->p, room, sizeof(*p));
	if (!p) {
		pull_fail(&b->pull, ERR_TOO_LARGE, "what fits into memory");
		return false;
	}
	list->p = p;
	list->room = room;
	return true;
}

static void push(struct build *b, struct json_node node)
{
	if (b->pull.err)
		return;
	if (b->open.n + b->done.n >= NODES_MAX) {
		pull_fail(&b->pull, ERR_TOO_LARGE, "fewer values");
		return;
	}
	if (!reserve(b, &b->open, 1))
		return;
	node.key = b->key;
	b->open.p[b->open.n++] = node;
}

/* The copy of these bytes. */
static char *copy_of(const struct build *b, struct slice raw)
{
	return b->text + (raw.p - b->pull.start);
}

/* A string as it stands between its quotes: its characters, in the copy. */
static struct slice unescape(struct build *b, struct slice raw)
{
	char *to = copy_of(b, raw);
	size_t len = raw.len;
	if (memchr(raw.p, '\\', raw.len)) {
		struct pull again = b->pull;
		again.at = raw.p;
		len = pull_string_read(&again, (uint8_t *)to, raw.len);
		assert(again.at == raw.p + raw.len + 1 && len < raw.len);
		if (memchr(to, 0, len))
			pull_fail(&b->pull, ERR_INVALID, "no U+0000");
	}
	to[len] = '\0';
	return slice_of(to, len);
}

static void take_string(struct build *b)
{
	struct pull *p = &b->pull;
	const uint8_t *start = ++p->at;
	pull_string_skip(p);
	if (p->err)
		return;
	struct slice raw = slice_of(start, (size_t)(p->at - 1 - start));
	struct slice text = unescape(b, raw);
	p->wants = PULL_WANTS_MORE;
	push(b, (struct json_node){.type = PULL_STRING,
				   .text = (const char *)text.p,
				   .len = (uint32_t)text.len});
}

/* What is no 64-bit integer or no double would be another number to whoever
 * reads it. */
static void check_number(struct build *b, const char *text, size_t len)
{
	bool real = false;
	for (size_t i = 0; i < len; i++)
		real |= text[i] == '.' || text[i] == 'e' || text[i] == 'E';
	errno = 0;
	if (real ? !isfinite(strtod(text, NULL))
		 : len > 18 && (strtoll(text, NULL, 10), errno))
		pull_fail(&b->pull, ERR_INVALID, "a number of 64 bits");
}

static void take_number(struct build *b)
{
	struct slice raw = pull_number(&b->pull);
	if (b->pull.err)
		return;
	const char *text = copy_of(b, raw);
	check_number(b, text, raw.len);
	push(b, (struct json_node){.type = PULL_NUMBER,
				   .text = text,
				   .len = (uint32_t)raw.len});
}

static void take_container(struct build *b, enum pull_type type)
{
	if (type == PULL_OBJECT)
		pull_begin_object(&b->pull);
	else
		pull_begin_array(&b->pull);
	if (b->pull.err)
		return;
	b->container[b->pull.depth - 1] = b->open.n;
	push(b, (struct json_node){.type = type});
}

static void take_value(struct build *b)
{
	enum pull_type type = pull_peek(&b->pull);
	switch (type) {
	case PULL_OBJECT:
	case PULL_ARRAY:
		take_container(b, type);
		return;
	case PULL_STRING:
		take_string(b);
		return;
	case PULL_NUMBER:
		take_number(b);
		return;
	case PULL_BOOL:
		push(b, (struct json_node){.type = type,
					   .len = pull_bool(&b->pull)});
		return;
	case PULL_NULL:
		pull_null(&b->pull);
		push(b, (struct json_node){.type = type});
		return;
	case PULL_NOTHING:
		pull_fail(&b->pull, ERR_INVALID, "a value");
		return;
	}
}

/* ---- the end of a container ----------------------------------------------
 */

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_twice_many(const struct json_node *nodes, size_t n)
{
	const char **keys = calloc(n, sizeof(*keys));
	bool twice = !keys;
	for (size_t i = 0; keys && i < n; i++)
		keys[i] = nodes[i].key;
	if (keys)
		qsort(keys, n, sizeof(*keys), by_key);
	for (size_t i = 1; keys && i < n; i++)
		twice |= !strcmp(keys[i - 1], keys[i]);
	free(keys);
	return twice;
}

static bool has_twice(const struct json_node *nodes, size_t n)
{
	if (n > KEYS_FEW)
		return has_twice_many(nodes, n);
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(nodes[i].key, nodes[j].key))
				return true;
	return false;
}

/* Moves the last n of open; those in them know now where they are. */
static void settle(struct build *b, size_t n)
{
	struct list *done = &b->done;
	if (!reserve(b, done, n))
		return;
	b->open.n -= n;
	if (n)
		memcpy(done->p + done->n, b->open.p + b->open.n,
		       n * sizeof(*done->p));
	for (size_t i = done->n; i < done->n + n; i++)
		tree_place(done->p, i, done->p[i]);
	done->n += n;
}

static void end_container(struct build *b)
{
	size_t at = b->container[b->pull.depth];
	struct json_node *node = &b->open.p[at];
	size_t n = b->open.n - at - 1;
	if (node->type == PULL_OBJECT && has_twice(node + 1, n)) {
		pull_fail(&b->pull, ERR_INVALID, "no duplicate key");
		return;
	}
	node->len = (uint32_t)n;
	node->child = (uint32_t)b->done.n; /* a place, until it is settled */
	settle(b, n);
}

/* A key or an item, or the container's end. */
static void go_on(struct build *b)
{
	struct pull *p = &b->pull;
	struct slice raw;
	bool object = b->open.p[b->container[p->depth - 1]].type == PULL_OBJECT;
	bool more = object ? pull_raw_key(p, &raw) : pull_next_item(p);
	if (p->err)
		return;
	if (!more)
		end_container(b);
	else
		b->key = object ? (const char *)unescape(b, raw).p : NULL;
}

static void build(struct build *b)
{
	enum pull_type root = pull_peek(&b->pull);
	if (root != PULL_OBJECT && root != PULL_ARRAY)
		pull_fail(&b->pull, ERR_INVALID, "an object or an array");
	do {
		if (b->pull.wants == PULL_WANTS_VALUE)
			take_value(b);
		else
			go_on(b);
	} while (!b->pull.err &&
		 (b->pull.depth || b->pull.wants != PULL_WANTS_MORE));
	pull_end(&b->pull);
	if (!b->pull.err)
		settle(b, 1);
}

/* ---- the public side ------------------------------------------------------
 */

static void explain(const struct build *b, struct slice text, unsigned depth,
		    struct err_text *error)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < b->pull.failed_at && i < text.len; i++) {
		bool end = text.p[i] == '\n';
		line += end;
		column = end ? 1 : column + 1;
	}
	if (b->pull.err == ERR_TOO_LARGE && b->pull.depth == depth)
		err_text_set(error,
			     "line %zu column %zu: nested deeper than %u", line,
			     column, depth);
	else
		err_text_set(error, "line %zu column %zu: expected %s", line,
			     column, b->pull.expected);
}

enum err json_parse_reply(struct slice text, size_t max_bytes,
			  unsigned max_depth, struct json_doc **ret,
			  struct err_text *error)
{
	struct build b = {.pull = pull_of(text, max_depth)};
	if (text.len > max_bytes || text.len >= UINT32_MAX) {
		err_text_set(error, "JSON of %zu bytes, at most %zu allowed",
			     text.len, max_bytes);
		return ERR_TOO_LARGE;
	}
	struct json_doc *doc = calloc(1, sizeof(*doc));
	b.text = malloc(text.len + 1);
	if (!doc || !b.text)
		abort();
	if (text.len)
		memcpy(b.text, text.p, text.len);
	b.text[text.len] = '\0';
	build(&b);
	free(b.open.p);
	*doc = (struct json_doc){b.text, b.done.p, b.done.n};
	if (b.pull.err) {
		explain(&b, text, max_depth, error);
		json_free(doc);
		return b.pull.err;
	}
	*ret = doc;
	return OK;
}
