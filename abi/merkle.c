/* The ledger's tree.  Owns hashing and the kept nodes; never the records. */
#include "abi/merkle.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "abi/keccak.h"

enum {
	OWNER_AT = 1,
	PAYLOAD_AT = 21,
	ASSET_AT = 21,
	AMOUNT_AT = 41,
	AMOUNT_SIZE = 12,
};

struct record record_balance(struct address owner, struct address asset,
			     struct u256 amount)
{
	struct record ret = {{RECORD_BALANCE}};

	assert(u256_fits(amount, 8 * AMOUNT_SIZE));
	memcpy(ret.b + OWNER_AT, owner.b, 20);
	memcpy(ret.b + ASSET_AT, asset.b, 20);
	u256_to_be(amount, ret.b + AMOUNT_AT, AMOUNT_SIZE);
	return ret;
}

struct record record_credential(struct address owner, struct hash32 commitment)
{
	struct record ret = {{RECORD_CREDENTIAL}};

	memcpy(ret.b + OWNER_AT, owner.b, 20);
	memcpy(ret.b + PAYLOAD_AT, commitment.b, 32);
	return ret;
}

enum record_kind record_kind(const struct record *r)
{
	if (r->b[0] == RECORD_BALANCE)
		return RECORD_BALANCE;
	if (r->b[0] == RECORD_CREDENTIAL)
		return RECORD_CREDENTIAL;
	return RECORD_EMPTY;
}

bool record_is_empty(const struct record *r)
{
	static const struct record empty;

	return !memcmp(r->b, empty.b, RECORD_SIZE);
}

struct address record_owner(const struct record *r)
{
	struct address ret;

	memcpy(ret.b, r->b + OWNER_AT, 20);
	return ret;
}

struct address record_asset(const struct record *r)
{
	struct address ret = {{0}};

	if (record_kind(r) == RECORD_BALANCE)
		memcpy(ret.b, r->b + ASSET_AT, 20);
	return ret;
}

struct u256 record_amount(const struct record *r)
{
	if (record_kind(r) != RECORD_BALANCE)
		return u256_from(0);
	return u256_from_be(r->b + AMOUNT_AT, AMOUNT_SIZE);
}

struct record record_with_amount(const struct record *r, struct u256 amount)
{
	assert(record_kind(r) == RECORD_BALANCE);
	return record_balance(record_owner(r), record_asset(r), amount);
}

bool record_may_become(const struct record *before, const struct record *after)
{
	if (record_kind(after) == RECORD_EMPTY)
		return false;
	if (record_is_empty(before))
		return true;
	/* kind, owner and, of a balance, the asset */
	return !memcmp(before->b, after->b,
		       record_kind(before) == RECORD_BALANCE ? AMOUNT_AT
							     : PAYLOAD_AT);
}

struct hash32 record_leaf(const struct record *r)
{
	if (record_is_empty(r))
		return merkle_zero(0);
	return keccak256(r->b, RECORD_SIZE);
}

static pthread_once_t zeros_once = PTHREAD_ONCE_INIT;
static struct hash32 zeros[MERKLE_DEPTH_MAX + 1];

static void zeros_make(void)
{
	for (unsigned h = 1; h <= MERKLE_DEPTH_MAX; h++)
		zeros[h] = keccak256_pair(&zeros[h - 1], &zeros[h - 1]);
}

struct hash32 merkle_zero(unsigned height)
{
	int failed = pthread_once(&zeros_once, zeros_make);

	assert(!failed && height <= MERKLE_DEPTH_MAX);
	return zeros[height];
}

unsigned merkle_depth(uint64_t leaf_count)
{
	unsigned depth = MERKLE_DEPTH_MIN;

	assert(leaf_count <= UINT64_C(1) << MERKLE_DEPTH_MAX);
	while (UINT64_C(1) << depth < leaf_count)
		depth++;
	return depth;
}

struct hash32 merkle_root(uint64_t index, struct hash32 leaf,
			  const struct hash32 *siblings, unsigned depth)
{
	assert(depth <= MERKLE_DEPTH_MAX && index >> depth == 0);
	for (unsigned h = 0; h < depth; h++)
		leaf = index >> h & 1 ? keccak256_pair(&siblings[h], &leaf)
				      : keccak256_pair(&leaf, &siblings[h]);
	return leaf;
}

struct hash32 merkle_bucket_root(const struct record *records, size_t n)
{
	struct hash32 node[BUCKET_LEAVES + 1];

	assert(n <= BUCKET_LEAVES);
	for (size_t i = 0; i < n; i++)
		node[i] = record_leaf(&records[i]);
	for (unsigned h = 0; h < MERKLE_DEPTH_MIN; h++) {
		/* what is beyond n is empty: pad by one, never by all */
		if (n % 2)
			node[n++] = merkle_zero(h);
		n /= 2;
		for (size_t i = 0; i < n; i++)
			node[i] =
				keccak256_pair(&node[2 * i], &node[2 * i + 1]);
	}
	return n ? node[0] : merkle_zero(MERKLE_DEPTH_MIN);
}

struct hash32 merkle_lift(struct hash32 root, unsigned from, unsigned to)
{
	for (unsigned h = from; h < to; h++) {
		struct hash32 zero = merkle_zero(h);

		root = keccak256_pair(&root, &zero);
	}
	return root;
}

/* Memory for n nodes: in chunks, so that a growing ledger does not copy its
 * levels with every batch. */
static size_t room(size_t n)
{
	const size_t chunk = 4096;

	return n < 64 ? n : (n + chunk - 1) / chunk * chunk;
}

/* Nodes of a height that cover leaf_count leaves. */
static size_t nodes_at(uint64_t leaf_count, unsigned height)
{
	uint64_t width = UINT64_C(1) << height;

	return (size_t)((leaf_count + width - 1) >> height);
}

static enum err level_reserve(struct tree *t, unsigned height, size_t n)
{
	size_t old = t->nodes[height];
	struct hash32 zero = merkle_zero(height), *level;

	if (n <= old)
		return OK;
	if (room(n) != room(old) || !t->level[height]) {
		level = reallocarray(t->level[height], room(n), sizeof(*level));
		if (!level)
			return ERR_FULL;
		t->level[height] = level;
	}
	for (size_t i = old; i < n; i++)
		t->level[height][i] = zero;
	t->nodes[height] = n;
	return OK;
}

static void level_cut(struct tree *t, unsigned height, size_t n)
{
	struct hash32 *level;

	if (n >= t->nodes[height])
		return;
	if (!n) {
		free(t->level[height]);
		t->level[height] = NULL;
	} else if (room(n) != room(t->nodes[height])) {
		level = reallocarray(t->level[height], room(n), sizeof(*level));
		/* a shrink that fails leaves more room than is needed, and a
		 * later growth asks again */
		if (level)
			t->level[height] = level;
	}
	t->nodes[height] = n;
}

static void rehash_one(struct tree *t, unsigned height, uint64_t at)
{
	struct hash32 left = tree_node(t, height - 1, 2 * at);
	struct hash32 right = tree_node(t, height - 1, 2 * at + 1);

	t->level[height][at] = keccak256_pair(&left, &right);
}

enum err tree_init(struct tree *t, unsigned nodes_from)
{
	assert(nodes_from <= MERKLE_DEPTH_MIN);
	*t = (struct tree){
		.nodes_from = nodes_from,
		.depth = MERKLE_DEPTH_MIN,
	};
	return OK;
}

void tree_done(struct tree *t)
{
	for (unsigned h = 0; h <= MERKLE_DEPTH_MAX; h++)
		free(t->level[h]);
	*t = (struct tree){0};
}

enum err tree_resize(struct tree *t, uint64_t leaf_count)
{
	unsigned depth = merkle_depth(leaf_count), old = t->depth;
	bool shrinks = leaf_count < t->leaf_count;
	uint64_t last;
	enum err err;

	for (unsigned h = t->nodes_from; h <= depth; h++) {
		err = level_reserve(t, h, nodes_at(leaf_count, h));
		if (err)
			goto undo;
	}
	for (unsigned h = t->nodes_from; h <= MERKLE_DEPTH_MAX; h++)
		level_cut(t, h, h <= depth ? nodes_at(leaf_count, h) : 0);
	t->depth = depth;
	t->leaf_count = leaf_count;
	for (unsigned h = old + 1; h <= depth; h++)
		rehash_one(t, h, 0); /* lifts the old root */
	if (shrinks && leaf_count) {
		last = t->nodes[t->nodes_from] - 1;
		tree_rehash(t, &last, 1);
	}
	return OK;

undo:
	for (unsigned h = t->nodes_from; h <= depth; h++)
		level_cut(t, h, h <= old ? nodes_at(t->leaf_count, h) : 0);
	return err;
}

void tree_set(struct tree *t, uint64_t at, struct hash32 node)
{
	assert(at < t->nodes[t->nodes_from]);
	t->level[t->nodes_from][at] = node;
}

void tree_rehash(struct tree *t, const uint64_t *at, size_t n)
{
	for (unsigned h = t->nodes_from + 1; h <= t->depth; h++) {
		unsigned up = h - t->nodes_from;
		uint64_t done = UINT64_MAX;

		for (size_t i = 0; i < n; i++) {
			uint64_t node = at[i] >> up;

			assert(!i || at[i - 1] < at[i]);
			if (node != done)
				rehash_one(t, h, node);
			done = node;
		}
	}
}

struct hash32 tree_node(const struct tree *t, unsigned height, uint64_t at)
{
	assert(height >= t->nodes_from && height <= t->depth);
	assert(at >> (t->depth - height) == 0);
	if (at >= t->nodes[height])
		return merkle_zero(height);
	return t->level[height][at];
}

struct hash32 tree_root(const struct tree *t)
{
	return tree_node(t, t->depth, 0);
}
