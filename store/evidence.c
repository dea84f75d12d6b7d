#include "store/evidence.h"

enum err evidence_open(struct store_txn *txn, uint64_t map_size,
		       struct evidence *ret)
{
	uint64_t fit = map_size / EVIDENCE_SHARE / LIE_MAX;

	ret->keep = fit > EVIDENCE_KEEP ? EVIDENCE_KEEP : (size_t)fit;
	ret->keep = ret->keep ? ret->keep : 1;
	return store_table_open(txn, "evidence", true, false, &ret->records);
}

struct walk {
	evidence_visit *visit;
	void *ctx;
	enum err err;
};

static bool visit_record(void *ctx, struct slice key, struct slice value)
{
	struct walk *w = ctx;
	struct lie lie;

	if (key.len != sizeof(struct store_key) || lie_decode(value, &lie)) {
		w->err = ERR_UNSAFE;
		return false;
	}
	return w->visit(w->ctx, get_be(key.p, key.len), &lie);
}

enum err evidence_walk(struct store_txn *txn, const struct evidence *e,
		       uint64_t before, evidence_visit *visit, void *ctx)
{
	struct store_key from = store_key_u64(before - 1); /* 0: the last */
	struct walk w = {.visit = visit, .ctx = ctx};
	enum err err;

	if (before == 1)
		return OK;
	err = store_walk(txn, &e->records, slice_of(from.b, sizeof(from.b)),
			 true, visit_record, &w);
	return err ? err : w.err;
}

struct census {
	struct slice provider;
	uint64_t last, oldest, own_oldest;
	size_t n, own;
};

static bool count(void *ctx, uint64_t id, const struct lie *lie)
{
	struct census *c = ctx;

	c->last = c->n++ ? c->last : id;
	c->oldest = id;
	if (!slice_eq(lie->provider, c->provider))
		return true;
	c->own++;
	c->own_oldest = id;
	return true;
}

static void drop(struct store_txn *txn, const struct evidence *e, uint64_t id)
{
	struct store_key key = store_key_u64(id);

	(void)store_delete(txn, &e->records, slice_of(key.b, sizeof(key.b)));
}

enum err evidence_put(struct store_txn *txn, const struct evidence *e,
		      struct slice record, uint64_t *ret_id)
{
	struct census c = {0};
	struct store_key key;
	struct lie lie;
	enum err err = lie_decode(record, &lie);

	if (err)
		return err;
	c.provider = lie.provider;
	err = evidence_walk(txn, e, 0, count, &c);
	if (err)
		return err;
	if (c.own >= EVIDENCE_A_PROVIDER)
		drop(txn, e, c.own_oldest);
	else if (c.n >= e->keep)
		drop(txn, e, c.oldest);
	key = store_key_u64(c.last + 1);
	err = store_put(txn, &e->records, slice_of(key.b, sizeof(key.b)),
			record);
	if (!err)
		*ret_id = c.last + 1;
	return err;
}

enum err evidence_keep(void *into, struct slice record, uint64_t *ret_id)
{
	const struct evidence_into *i = into;
	struct store_space space = store_space(i->store);

	*ret_id = 0;
	if (space.size - space.used <= space.size / EVIDENCE_SHARE)
		return OK;
	return evidence_put(i->txn, i->evidence, record, ret_id);
}

enum err evidence_get(struct store_txn *txn, const struct evidence *e,
		      uint64_t id, struct lie *ret)
{
	struct store_key key = store_key_u64(id);
	struct slice record;
	enum err err = store_get(txn, &e->records,
				 slice_of(key.b, sizeof(key.b)), &record);

	if (err)
		return err;
	return lie_decode(record, ret) ? ERR_UNSAFE : OK;
}
