#include "store/chain.h"

#define BLOCK_SIZE (32 + 32 + 8)

enum err chain_open(struct store_txn *txn, struct chain *ret)
{
	return store_table_open(txn, "blocks", true, false, &ret->blocks);
}

static enum err block_decode(struct slice key, struct slice value,
			     struct block_ref *ret)
{
	if (key.len != sizeof(struct store_key) || value.len != BLOCK_SIZE)
		return ERR_UNSAFE;
	ret->number = get_be(key.p, key.len);
	memcpy(ret->hash.b, value.p, 32);
	memcpy(ret->parent.b, value.p + 32, 32);
	ret->time = get_be(value.p + 64, 8);
	return OK;
}

/* The first block of a walk. */
struct one_block {
	struct block_ref block;
	enum err err;
};

static bool visit_one(void *ctx, struct slice key, struct slice value)
{
	struct one_block *one = ctx;

	one->err = block_decode(key, value, &one->block);
	return false;
}

static enum err end_of(struct store_txn *txn, const struct chain *c,
		       bool newest, struct block_ref *ret)
{
	struct one_block one = {.err = ERR_NOT_FOUND};
	enum err err = store_walk(txn, &c->blocks, slice_of(NULL, 0), newest,
				  visit_one, &one);

	if (err)
		return err;
	if (one.err)
		return one.err;
	*ret = one.block;
	return OK;
}

enum err chain_tip(struct store_txn *txn, const struct chain *c,
		   struct block_ref *ret)
{
	return end_of(txn, c, true, ret);
}

enum err chain_oldest(struct store_txn *txn, const struct chain *c,
		      struct block_ref *ret)
{
	return end_of(txn, c, false, ret);
}

static bool visit_count(void *ctx, struct slice key, struct slice value)
{
	size_t *n = ctx;

	(void)key;
	(void)value;
	++*n;
	return true;
}

enum err chain_count_from(struct store_txn *txn, const struct chain *c,
			  uint64_t number, size_t *ret)
{
	struct store_key key = store_key_u64(number);
	size_t n = 0;
	enum err err =
		store_walk(txn, &c->blocks, slice_of(key.b, sizeof(key.b)),
			   false, visit_count, &n);

	if (!err)
		*ret = n;
	return err;
}

enum err chain_at(struct store_txn *txn, const struct chain *c, uint64_t number,
		  struct block_ref *ret)
{
	struct store_key key = store_key_u64(number);
	struct slice k = slice_of(key.b, sizeof(key.b)), value;
	enum err err = store_get(txn, &c->blocks, k, &value);

	return err ? err : block_decode(k, value, ret);
}

static enum err forget_oldest(struct store_txn *txn, const struct chain *c)
{
	struct block_ref oldest;

	if (store_count(txn, &c->blocks) <= CHAIN_KEEP)
		return OK;
	enum err err = end_of(txn, c, false, &oldest);
	if (err)
		return err;
	struct store_key key = store_key_u64(oldest.number);
	return store_delete(txn, &c->blocks, slice_of(key.b, sizeof(key.b)));
}

static enum err put(struct store_txn *txn, const struct chain *c,
		    const struct block_ref *next)
{
	uint8_t value[BLOCK_SIZE];
	struct store_key key = store_key_u64(next->number);

	memcpy(value, next->hash.b, 32);
	memcpy(value + 32, next->parent.b, 32);
	put_be(value + 64, next->time, 8);
	enum err err =
		store_put(txn, &c->blocks, slice_of(key.b, sizeof(key.b)),
			  slice_of(value, sizeof(value)));
	return err ? err : forget_oldest(txn, c);
}

static enum err append(struct store_txn *txn, const struct chain *c,
		       const struct block_ref *next, bool jumps)
{
	struct block_ref tip;
	enum err err = chain_tip(txn, c, &tip);

	if (err == ERR_NOT_FOUND)
		return put(txn, c, next);
	if (err)
		return err;
	bool above = next->number == tip.number + 1 &&
		     hash_eq(tip.hash, next->parent);
	if (!above && !(jumps && next->number > tip.number + 1))
		return ERR_REORG;
	return put(txn, c, next);
}

enum err chain_push(struct store_txn *txn, const struct chain *c,
		    const struct block_ref *next)
{
	return append(txn, c, next, false);
}

enum err chain_jump(struct store_txn *txn, const struct chain *c,
		    const struct block_ref *next)
{
	return append(txn, c, next, true);
}

enum err chain_pop(struct store_txn *txn, const struct chain *c)
{
	struct block_ref tip;
	enum err err = chain_tip(txn, c, &tip);

	if (err)
		return err;
	struct store_key key = store_key_u64(tip.number);
	return store_delete(txn, &c->blocks, slice_of(key.b, sizeof(key.b)));
}
