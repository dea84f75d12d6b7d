/* A parsed document, as the files json*.c share it; nobody
 * else includes this.
 *
 * The nodes are one array: those in a container stand in a row, before it, and
 * the root is the last.  Their texts are a copy of the document's, in which
 * strings are without escapes and end with a NUL. */
#ifndef EGRESS_ABI_JSON_TREE_H
#define EGRESS_ABI_JSON_TREE_H

#include "abi/json.h"
#include "abi/pull.h"

struct json_node {
	const char *key;  /* NULL unless in an object */
	const char *text; /* a string; a number, as it is written */
	uint32_t len;	  /* of text; how many a container holds; of a bool: 1
			   * when true */
	uint32_t child;	  /* the first in it stands so far before it */
	uint32_t up;	  /* what it is in stands so far behind it; 0: root */
	enum pull_type type;
};

struct json_doc {
	char *text;
	struct json_node *nodes;
	size_t n;
};

static inline const json_node *tree_child(const json_node *node, size_t i)
{
	return node - node->child + i;
}

static inline const json_node *tree_parent(const json_node *node)
{
	return node->up ? node + node->up : NULL;
}

static inline bool tree_is_container(const json_node *node)
{
	return node->type == PULL_OBJECT || node->type == PULL_ARRAY;
}

/* Into its place.  Until then a container's child is a place in nodes, and
 * those in it do not know where it is. */
static inline void tree_place(struct json_node *nodes, size_t at,
			      struct json_node node)
{
	nodes[at] = node;
	if (!tree_is_container(&node))
		return;
	for (uint32_t k = 0; k < node.len; k++)
		nodes[node.child + k].up = (uint32_t)at - node.child - k;
	nodes[at].child = (uint32_t)at - node.child;
}

static inline struct slice tree_text(const json_node *node)
{
	return slice_of(node->text, node->len);
}

#endif
