/* Whether two values say the same, and a value as text. */
#include "abi/json_tree.h"

#include <stdlib.h>

/* Keys in one object that are looked for one by one. */
#define KEYS_FEW 32

static bool is_real(const json_node *number)
{
	for (uint32_t i = 0; i < number->len; i++)
		if (strchr(".eE", number->text[i]))
			return true;
	return false;
}

/* 1 and 1.0 differ, as what reads them takes one and refuses the other. */
static bool same_number(const json_node *a, const json_node *b)
{
	if (is_real(a) != is_real(b))
		return false;
	if (is_real(a))
		return strtod(a->text, NULL) == strtod(b->text, NULL);
	return strtoll(a->text, NULL, 10) == strtoll(b->text, NULL, 10);
}

static bool same_value(const json_node *a, const json_node *b);

static int by_key(const void *a, const void *b)
{
	const json_node *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static const json_node **sorted(const json_node *object)
{
	const json_node **list = calloc(object->len, sizeof(const void *));
	if (!list)
		abort();
	for (uint32_t i = 0; i < object->len; i++)
		list[i] = tree_child(object, i);
	qsort(list, object->len, sizeof(const void *), by_key);
	return list;
}

static bool same_sorted(const json_node *a, const json_node *b)
{
	const json_node **x = sorted(a), **y = sorted(b);
	bool same = true;
	for (uint32_t i = 0; same && i < a->len; i++)
		same = !by_key(&x[i], &y[i]) && same_value(x[i], y[i]);
	free(x);
	free(y);
	return same;
}

static bool in_same_order(const json_node *a, const json_node *b)
{
	uint32_t i = 0;
	while (i < a->len &&
	       !strcmp(tree_child(a, i)->key, tree_child(b, i)->key))
		i++;
	return i == a->len;
}

static bool same_object(const json_node *a, const json_node *b)
{
	/* two of a million keys each, by liars, must not stop us for an hour */
	if (a->len > KEYS_FEW && !in_same_order(a, b))
		return same_sorted(a, b);
	for (uint32_t i = 0; i < a->len; i++) {
		const json_node *x = tree_child(a, i);
		/* most often in the same order */
		const json_node *y = tree_child(b, i);
		if (strcmp(x->key, y->key))
			y = json_get(b, x->key);
		if (!y || !same_value(x, y))
			return false;
	}
	return true;
}

static bool same_array(const json_node *a, const json_node *b)
{
	for (uint32_t i = 0; i < a->len; i++)
		if (!same_value(tree_child(a, i), tree_child(b, i)))
			return false;
	return true;
}

static bool same_value(const json_node *a, const json_node *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case PULL_OBJECT:
		return a->len == b->len && same_object(a, b);
	case PULL_ARRAY:
		return a->len == b->len && same_array(a, b);
	case PULL_STRING:
		return slice_eq(tree_text(a), tree_text(b));
	case PULL_NUMBER:
		return same_number(a, b);
	case PULL_BOOL:
		return a->len == b->len;
	case PULL_NULL:
	case PULL_NOTHING:
		break;
	}
	return true;
}

static bool same_fields(const json_node *a, const json_node *b,
			const char *const *fields)
{
	for (; *fields; fields++) {
		const json_node *x = json_get(a, *fields);
		const json_node *y = json_get(b, *fields);
		bool no_x = !x || x->type == PULL_NULL;
		bool no_y = !y || y->type == PULL_NULL;
		if (no_x != no_y || (!no_x && !same_value(x, y)))
			return false;
	}
	return true;
}

bool json_same(const json_node *a, const json_node *b,
	       const char *const *fields)
{
	if (!a || !b)
		return a == b;
	if (!fields || a->type != b->type || !tree_is_container(a))
		return same_value(a, b);
	if (a->type == PULL_OBJECT)
		return same_fields(a, b, fields);
	bool same = a->len == b->len;
	for (uint32_t i = 0; same && i < a->len; i++)
		same = json_same(tree_child(a, i), tree_child(b, i), fields);
	return same;
}

/* ---- as text --------------------------------------------------------------
 */

/* As far as there is room. */
static bool add_some(struct buf *to, struct slice text)
{
	size_t room = to->max - to->len;
	buf_add(to, text.p, text.len < room ? text.len : room);
	return !to->failed && text.len <= room;
}

static bool add_string(struct buf *to, struct slice text)
{
	struct buf quoted;
	buf_init(&quoted, 6 * text.len + 2);
	struct json_writer w = json_writer(&quoted);
	json_put_slice(&w, NULL, text);
	bool fits = add_some(to, buf_slice(&quoted));
	buf_done(&quoted);
	return fits;
}

static bool add_value(const json_node *node, bool flat, struct buf *to);

static bool add_container(const json_node *node, bool flat, struct buf *to)
{
	bool object = node->type == PULL_OBJECT, first = true;
	if (!add_some(to, slice_str(object ? "{" : "[")))
		return false;
	for (uint32_t i = 0; i < node->len; i++) {
		const json_node *child = tree_child(node, i);
		if (flat && object && json_len(child))
			continue;
		if (!first && !add_some(to, slice_str(",")))
			return false;
		first = false;
		if (object && (!add_string(to, slice_str(child->key)) ||
			       !add_some(to, slice_str(":"))))
			return false;
		if (!add_value(child, false, to))
			return false;
	}
	return add_some(to, slice_str(object ? "}" : "]"));
}

static bool add_value(const json_node *node, bool flat, struct buf *to)
{
	switch (node->type) {
	case PULL_OBJECT:
	case PULL_ARRAY:
		return add_container(node, flat, to);
	case PULL_STRING:
		return add_string(to, tree_text(node));
	case PULL_NUMBER:
		return add_some(to, tree_text(node));
	case PULL_BOOL:
		return add_some(to, slice_str(node->len ? "true" : "false"));
	case PULL_NULL:
	case PULL_NOTHING:
		break;
	}
	return add_some(to, slice_str("null"));
}

bool json_text(const json_node *node, bool flat, struct buf *to)
{
	return add_value(node, flat, to);
}
