/* Reading records and nodes, for the writer and for snapshots. */
#include <assert.h>

#include "abi/keccak.h"
#include "store/ledger_inside.h"

struct block_read {
	struct record *to;
	uint64_t first;
	size_t n;
	bool damaged;
};

static bool visit_record(void *ctx, struct slice key, struct slice value)
{
	struct block_read *b = ctx;
	uint64_t index = get_be(key.p, sizeof(struct store_key));

	if (index >= b->first + b->n)
		return false;
	if (value.len != RECORD_SIZE) {
		b->damaged = true;
		return false;
	}
	memcpy(b->to[index - b->first].b, value.p, RECORD_SIZE);
	return true;
}

enum err ledger_read_block(struct store_txn *txn, const struct ledger *l,
			   uint64_t first, size_t n, struct record *ret)
{
	struct store_key key = store_key_u64(first);
	struct block_read b = {.to = ret, .first = first, .n = n};

	memset(ret, 0, n * sizeof(*ret));
	enum err err =
		store_walk(txn, &l->records, slice_of(key.b, sizeof(key.b)),
			   false, visit_record, &b);
	if (err)
		return err;
	return b.damaged ? ERR_UNSAFE : OK;
}

/* Hashes one level into the next, in place; n nodes, the rest zero. Returns
 * how many there are above. */
static size_t fold(struct hash32 *node, size_t n, unsigned height)
{
	if (n % 2)
		node[n++] = merkle_zero(height);
	for (size_t i = 0; i < n / 2; i++)
		node[i] = keccak256_pair(&node[2 * i], &node[2 * i + 1]);
	return n / 2;
}

struct hash32 ledger_block_root(const struct record *records, size_t n,
				unsigned height)
{
	struct hash32 node[BUCKET_LEAVES + 1];

	assert(height <= MERKLE_DEPTH_MIN && n <= 1ULL << height);
	for (size_t i = 0; i < n; i++)
		node[i] = record_leaf(&records[i]);
	for (unsigned h = 0; h < height && n; h++)
		n = fold(node, n, h);
	return n ? node[0] : merkle_zero(height);
}

/* The siblings below the kept nodes, from the records around the leaf. */
static void siblings_in_block(const struct record *records, size_t within,
			      unsigned height, struct hash32 *ret)
{
	struct hash32 node[BUCKET_LEAVES + 1];
	size_t n = 1ULL << height;

	for (size_t i = 0; i < n; i++)
		node[i] = record_leaf(&records[i]);
	for (unsigned h = 0; h < height; h++) {
		ret[h] = node[(within >> h) ^ 1];
		n = fold(node, n, h);
	}
}

enum err ledger_view_record(struct ledger_view *v, uint64_t index,
			    struct record *ret)
{
	const struct ledger *l = v->ledger;

	if (index >= l->mark.leaf_count)
		return ERR_NOT_FOUND;
	return ledger_read_block(v->txn, l, index, 1, ret);
}

enum err ledger_view_proof(struct ledger_view *v, uint64_t index,
			   struct record *ret_record,
			   struct hash32 *ret_siblings, unsigned *ret_depth)
{
	const struct ledger *l = v->ledger;
	const unsigned from = l->tree.nodes_from;
	struct record block[BUCKET_LEAVES];
	const size_t width = 1ULL << from;

	if (index >= l->mark.leaf_count)
		return ERR_NOT_FOUND;
	enum err err = ledger_read_block(v->txn, l, index & ~(width - 1), width,
					 block);
	if (err)
		return err;
	size_t within = (size_t)(index & (width - 1));
	siblings_in_block(block, within, from, ret_siblings);
	for (unsigned h = from; h < l->tree.depth; h++)
		ret_siblings[h] = tree_node(&l->tree, h, (index >> h) ^ 1);
	*ret_record = block[within];
	*ret_depth = l->tree.depth;
	return OK;
}

enum err ledger_view_bucket(struct ledger_view *v, uint64_t bucket,
			    struct record ret_records[BUCKET_LEAVES],
			    struct hash32 *ret_siblings,
			    unsigned *ret_siblings_count)
{
	const struct ledger *l = v->ledger;
	uint64_t first = bucket * BUCKET_LEAVES;

	if (bucket >> MERKLE_DEPTH_MAX || first >= l->mark.leaf_count)
		return ERR_NOT_FOUND;
	enum err err =
		ledger_read_block(v->txn, l, first, BUCKET_LEAVES, ret_records);
	if (err)
		return err;
	for (unsigned h = MERKLE_DEPTH_MIN; h < l->tree.depth; h++)
		ret_siblings[h - MERKLE_DEPTH_MIN] =
			tree_node(&l->tree, h, (first >> h) ^ 1);
	*ret_siblings_count = l->tree.depth - MERKLE_DEPTH_MIN;
	return OK;
}

struct owner_read {
	struct address owner;
	uint64_t *to;
	size_t max, n;
	bool more;
};

static bool visit_owner(void *ctx, struct slice key, struct slice value)
{
	struct owner_read *o = ctx;

	(void)value;
	if (key.len != 28 || memcmp(key.p, o->owner.b, 20) != 0)
		return false;
	if (o->n == o->max) {
		o->more = true;
		return false;
	}
	o->to[o->n++] = get_be(key.p + 20, 8);
	return true;
}

enum err ledger_view_owner(struct ledger_view *v, struct address owner,
			   uint64_t after, uint64_t *ret_indices, size_t max,
			   size_t *ret_count, bool *ret_more)
{
	struct owner_read o = {.owner = owner, .to = ret_indices, .max = max};
	uint8_t from[28];

	memcpy(from, owner.b, 20);
	put_be(from + 20, after + 1, 8); /* UINT64_MAX + 1: from 0 */
	enum err err = store_walk(v->txn, &v->ledger->owners,
				  slice_of(from, sizeof(from)), false,
				  visit_owner, &o);
	if (err)
		return err;
	*ret_count = o.n;
	*ret_more = o.more;
	return OK;
}

enum err ledger_view_sum(struct ledger_view *v, struct address asset,
			 struct u256 *ret)
{
	struct slice bytes;
	enum err err = store_get(v->txn, &v->ledger->sums,
				 slice_of(asset.b, 20), &bytes);

	if (err == ERR_NOT_FOUND) {
		*ret = u256_from(0);
		return OK;
	}
	if (err)
		return err;
	if (bytes.len != 32)
		return ERR_UNSAFE;
	*ret = u256_from_be(bytes.p, 32);
	return OK;
}
