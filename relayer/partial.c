#include "relayer/partial.h"

#include <assert.h>

#include "abi/keccak.h"

void partial_init(struct partial *p, unsigned levels, struct hash32 root)
{
	assert(levels <= PARTIAL_LEVELS);
	p->levels = levels;
	p->root = root;
	p->n = 0;
}

static struct partial_node *find(const struct partial *p, unsigned height,
				 uint64_t at)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->nodes[i].height == height && p->nodes[i].at == at)
			return (struct partial_node *)&p->nodes[i];
	return NULL;
}

static void keep(struct partial *p, unsigned height, uint64_t at,
		 struct hash32 hash)
{
	struct partial_node *node = find(p, height, at);

	if (!node) {
		assert(p->n < PARTIAL_NODES);
		node = &p->nodes[p->n++];
	}
	*node = (struct partial_node){height, at, hash};
}

enum err partial_add(struct partial *p, uint64_t bucket, struct hash32 node,
		     const struct hash32 *siblings)
{
	if (bucket >> p->levels)
		return ERR_INVALID;
	if (p->n + 2 * p->levels + 1 > PARTIAL_NODES)
		return ERR_TOO_LARGE;
	if (!hash_eq(merkle_root(bucket, node, siblings, p->levels), p->root))
		return ERR_INVALID;
	for (unsigned height = 0; height < p->levels; height++) {
		uint64_t at = bucket >> height;
		keep(p, height, at, node);
		keep(p, height, at ^ 1, siblings[height]);
		node = at & 1 ? keccak256_pair(&siblings[height], &node)
			      : keccak256_pair(&node, &siblings[height]);
	}
	keep(p, p->levels, 0, node);
	return OK;
}

void partial_path(const struct partial *p, uint64_t bucket, struct hash32 *ret)
{
	for (unsigned height = 0; height < p->levels; height++) {
		const struct partial_node *node =
			find(p, height, bucket >> height ^ 1);
		assert(node);
		ret[height] = node->hash;
	}
}

void partial_set(struct partial *p, uint64_t bucket, struct hash32 node)
{
	assert(find(p, 0, bucket));
	for (unsigned height = 0; height < p->levels; height++) {
		uint64_t at = bucket >> height;
		const struct partial_node *other = find(p, height, at ^ 1);
		assert(other);
		keep(p, height, at, node);
		node = at & 1 ? keccak256_pair(&other->hash, &node)
			      : keccak256_pair(&node, &other->hash);
	}
	keep(p, p->levels, 0, node);
	p->root = node;
}
