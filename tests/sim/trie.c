#include "tests/sim/trie.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/keccak.h"
#include "abi/rlp.h"
#include "abi/trie.h"

#define NIBBLES (2 * sizeof(struct hash32))
#define WIDTH	16
#define NONE	UINT16_MAX
#define RLP_MAX (256u << 10)

struct sim_trie_node {
	size_t from, to; /* the nibbles of its own path */
	uint16_t entry;	 /* one that stands below it, or it itself */
	bool leaf, branch;
	uint16_t child[WIDTH]; /* an extension's is the first */
	size_t at, len;	       /* its RLP */
	struct hash32 hash;
};

static unsigned nibble(const struct hash32 *path, size_t i)
{
	return i % 2 ? path->b[i / 2] & 0x0f : path->b[i / 2] >> 4;
}

/* Hex prefix: yellow paper, appendix C. */
static void put_path(struct buf *to, const struct sim_trie_node *n,
		     const struct hash32 *path)
{
	uint8_t bytes[1 + sizeof(struct hash32)];
	size_t odd = (n->to - n->from) % 2, len = 1;

	bytes[0] = (uint8_t)((n->leaf ? 0x20 : 0) |
			     (odd ? 0x10 | nibble(path, n->from) : 0));
	for (size_t i = n->from + odd; i < n->to; i += 2)
		bytes[len++] =
			(uint8_t)(nibble(path, i) << 4 | nibble(path, i + 1));
	rlp_put_bytes(to, slice_of(bytes, len));
}

static void put_child(struct sim_trie *t, uint16_t child)
{
	if (child == NONE)
		rlp_put_bytes(&t->rlp, slice_of(NULL, 0));
	else
		rlp_put_bytes(&t->rlp, slice_of(t->nodes[child].hash.b, 32));
}

/* Its children are there already. */
static uint16_t add_node(struct sim_trie *t, struct sim_trie_node n)
{
	const struct sim_entry *e = &t->entries[n.entry];

	n.at = t->rlp.len;
	if (n.branch) {
		for (unsigned i = 0; i < WIDTH; i++)
			put_child(t, n.child[i]);
		rlp_put_bytes(&t->rlp, slice_of(NULL, 0));
	} else {
		put_path(&t->rlp, &n, &e->path);
		if (n.leaf)
			rlp_put_bytes(&t->rlp, slice_of(e->value, e->len));
		else
			put_child(t, n.child[0]);
	}
	rlp_wrap_list(&t->rlp, n.at);
	n.len = t->rlp.len - n.at;
	/* shorter, it would stand inside its parent: no path is so short */
	assert(!t->rlp.failed && n.len >= sizeof(n.hash));
	n.hash = keccak256(t->rlp.p + n.at, n.len);
	t->nodes[t->n_nodes] = n;
	return (uint16_t)t->n_nodes++;
}

static uint16_t build(struct sim_trie *t, size_t first, size_t n, size_t at)
{
	const struct hash32 *a = &t->entries[first].path,
			    *z = &t->entries[first + n - 1].path;
	struct sim_trie_node node = {.entry = (uint16_t)first, .from = at};

	for (node.to = at; node.to < NIBBLES;) {
		if (nibble(a, node.to) != nibble(z, node.to))
			break;
		node.to++;
	}
	memset(node.child, 0xff, sizeof(node.child));
	node.leaf = n == 1;
	if (!node.leaf && node.to > at) {
		node.child[0] = build(t, first, n, node.to);
		return add_node(t, node);
	}
	node.branch = !node.leaf;
	for (size_t i = first; node.branch && i < first + n;) {
		unsigned way = nibble(&t->entries[i].path, at);
		size_t k = i;

		while (i < first + n && nibble(&t->entries[i].path, at) == way)
			i++;
		node.child[way] = build(t, k, i - k, at + 1);
	}
	return add_node(t, node);
}

static int by_path(const void *a, const void *b)
{
	return memcmp(((const struct sim_entry *)a)->path.b,
		      ((const struct sim_entry *)b)->path.b, 32);
}

void sim_trie_build(struct sim_trie *t, const struct sim_entry *entries,
		    size_t n)
{
	*t = (struct sim_trie){.n = n};
	t->entries = malloc(n * sizeof(*entries));
	t->nodes = malloc(2 * n * sizeof(*t->nodes));
	assert(n && t->entries && t->nodes);
	memcpy(t->entries, entries, n * sizeof(*entries));
	qsort(t->entries, n, sizeof(*entries), by_path);
	buf_init(&t->rlp, RLP_MAX);
	t->root = t->nodes[build(t, 0, n, 0)].hash;
}

void sim_trie_done(struct sim_trie *t)
{
	free(t->entries);
	free(t->nodes);
	buf_done(&t->rlp);
}

/* The next node on the way, or NONE. */
static uint16_t step(const struct sim_trie *t, const struct sim_trie_node *n,
		     const struct hash32 *path)
{
	if (n->branch)
		return n->child[nibble(path, n->from)];
	for (size_t i = n->from; i < n->to; i++)
		if (nibble(path, i) != nibble(&t->entries[n->entry].path, i))
			return NONE;
	return n->leaf ? NONE : n->child[0];
}

size_t sim_trie_prove(const struct sim_trie *t, struct hash32 path,
		      struct slice ret[SIM_TRIE_DEPTH])
{
	uint16_t at = (uint16_t)(t->n_nodes - 1);
	size_t n = 0;

	for (; at != NONE; at = step(t, &t->nodes[at], &path)) {
		const struct sim_trie_node *node = &t->nodes[at];

		assert(n < SIM_TRIE_DEPTH);
		ret[n++] = slice_of(t->rlp.p + node->at, node->len);
	}
	return n;
}
