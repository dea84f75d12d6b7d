#include "relayer/nonce.h"

#define OLDER_KEY (8 + 32)

enum err nonces_open(struct store_txn *txn, const struct requests *requests,
		     struct nonces *ret)
{
	struct nonces n = {.requests = requests};
	enum err err =
		store_table_open(txn, "older_txs", false, false, &n.older);

	if (!err)
		err = store_table_open(txn, "spent", false, false, &n.spent);
	if (!err)
		*ret = n;
	return err;
}

static void older_key(uint64_t nonce, struct hash32 hash, uint8_t *key)
{
	put_be(key, nonce, 8);
	memcpy(key + 8, hash.b, sizeof(hash.b));
}

enum err nonces_put(struct store_txn *txn, const struct nonces *n,
		    const struct sent_tx *tx)
{
	struct sent_tx before;
	uint8_t key[OLDER_KEY];
	enum err err = requests_get_tx(txn, n->requests, tx->nonce, &before);

	if (!err && !hash_eq(before.hash, tx->hash)) {
		older_key(tx->nonce, before.hash, key);
		err = store_put(txn, &n->older, slice_of(key, sizeof(key)),
				slice_of(NULL, 0));
	} else if (err == ERR_NOT_FOUND) {
		err = OK;
	}
	return err ? err : requests_put_tx(txn, n->requests, tx);
}

struct older_list {
	uint64_t nonce;
	struct hash32 *hashes;
	size_t n;
};

static bool visit_older(void *ctx, struct slice key, struct slice value)
{
	struct older_list *l = ctx;

	(void)value;
	if (key.len != OLDER_KEY || get_be(key.p, 8) != l->nonce ||
	    l->n == FLIGHT_HASHES_MAX - 1)
		return false;
	memcpy(l->hashes[l->n++].b, key.p + 8, 32);
	return true;
}

enum err nonces_older(struct store_txn *txn, const struct nonces *n,
		      uint64_t nonce, struct hash32 *ret, size_t *ret_count)
{
	struct older_list l = {nonce, ret, 0};
	uint8_t from[8];

	put_be(from, nonce, sizeof(from));
	enum err err = store_walk(txn, &n->older, slice_of(from, sizeof(from)),
				  false, visit_older, &l);
	if (!err)
		*ret_count = l.n;
	return err;
}

struct doomed {
	uint64_t below;
	uint8_t keys[64][OLDER_KEY];
	size_t n;
};

static bool visit_doomed(void *ctx, struct slice key, struct slice value)
{
	struct doomed *d = ctx;

	(void)value;
	if (key.len != OLDER_KEY || get_be(key.p, 8) >= d->below ||
	    d->n == ARRAY_LEN(d->keys))
		return false;
	memcpy(d->keys[d->n++], key.p, OLDER_KEY);
	return true;
}

enum err nonces_forget(struct store_txn *txn, const struct nonces *n,
		       uint64_t below)
{
	struct doomed d = {.below = below};
	enum err err = store_walk(txn, &n->older, slice_of(NULL, 0), false,
				  visit_doomed, &d);

	for (size_t i = 0; i < d.n && !err; i++)
		err = store_delete(txn, &n->older,
				   slice_of(d.keys[i], OLDER_KEY));
	return err ? err : requests_forget_txs(txn, n->requests, below);
}

enum err nonces_release(struct store_txn *txn, const struct nonces *n,
			uint64_t nonce)
{
	struct hash32 hashes[FLIGHT_HASHES_MAX];
	uint8_t key[OLDER_KEY];
	size_t count = 0;
	enum err err = nonces_older(txn, n, nonce, hashes, &count);

	for (size_t i = 0; i < count && !err; i++) {
		older_key(nonce, hashes[i], key);
		err = store_delete(txn, &n->older, slice_of(key, sizeof(key)));
	}
	return err ? err : requests_forget_tx(txn, n->requests, nonce);
}

static bool is_used(uint64_t nonce, const uint64_t *used, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (used[i] == nonce)
			return true;
	return false;
}

uint64_t nonce_pick(uint64_t chain, const uint64_t *used, size_t n)
{
	uint64_t nonce = chain;

	while (is_used(nonce, used, n))
		nonce++;
	return nonce;
}

static void spent_key(enum spent_on what, uint64_t number, uint8_t *key)
{
	key[0] = (uint8_t)what;
	put_be(key + 1, number, 8);
}

enum err spent_get(struct store_txn *txn, const struct nonces *n,
		   enum spent_on what, uint64_t number, struct u256 *ret)
{
	struct slice value;
	uint8_t key[9];

	spent_key(what, number, key);
	enum err err =
		store_get(txn, &n->spent, slice_of(key, sizeof(key)), &value);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!err && value.len != 32)
		return ERR_UNSAFE;
	*ret = err ? u256_from(0) : u256_from_be(value.p, 32);
	return OK;
}

enum err spent_add(struct store_txn *txn, const struct nonces *n,
		   enum spent_on what, uint64_t number, struct u256 wei)
{
	struct u256 sum;
	uint8_t key[9], bytes[32];
	enum err err = spent_get(txn, n, what, number, &sum);

	if (err)
		return err;
	if (!u256_add(sum, wei, &sum))
		return ERR_TOO_LARGE;
	spent_key(what, number, key);
	u256_to_be(sum, bytes, sizeof(bytes));
	return store_put(txn, &n->spent, slice_of(key, sizeof(key)),
			 slice_of(bytes, sizeof(bytes)));
}
