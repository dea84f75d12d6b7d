#include "store/requests.h"

#include <assert.h>

#include "store/request_form.h"

const char *request_state_name(enum request_state s)
{
	static const char *const names[] = {
		[REQUEST_QUEUED] = "queued", [REQUEST_SIGNED] = "signed",
		[REQUEST_SENT] = "sent",     [REQUEST_INCLUDED] = "included",
		[REQUEST_FINAL] = "final",   [REQUEST_FAILED] = "failed",
	};

	return (unsigned)s < ARRAY_LEN(names) && names[s] ? names[s] : "?";
}

static bool has_ended(enum request_state s)
{
	return s == REQUEST_FINAL || s == REQUEST_FAILED;
}

enum err requests_open(struct store_txn *txn, struct requests *ret)
{
	enum err err =
		store_table_open(txn, "requests", false, false, &ret->requests);

	if (!err)
		err = store_table_open(txn, "txs", true, false, &ret->txs);
	if (!err)
		err = store_table_open(txn, "request_meta", false, false,
				       &ret->meta);
	if (!err)
		err = store_table_open(txn, "open_requests", true, false,
				       &ret->order);
	if (!err)
		err = store_table_open(txn, "wishes", true, false,
				       &ret->wishes);
	if (!err)
		err = store_table_open(txn, "raws", false, false, &ret->raws);
	return err;
}

/* ---- requests ----------------------------------------------------------- */

/* Written once, and gone when the request has ended: nobody needs them then,
 * and they are the most that strangers can put here. */
static enum err raw_put(struct store_txn *txn, const struct requests *rs,
			const struct request *r)
{
	struct slice id = slice_of(r->id.b, 32), there;

	if (r->kind != REQUEST_TRANSACTION)
		return OK;
	if (has_ended(r->state)) {
		enum err err = store_delete(txn, &rs->raws, id);
		return err == ERR_NOT_FOUND ? OK : err;
	}
	enum err err = store_get(txn, &rs->raws, id, &there);
	return err == ERR_NOT_FOUND ? store_put(txn, &rs->raws, id, r->raw)
				    : err;
}

static enum err request_put(struct store_txn *txn, const struct requests *rs,
			    const struct request *r, uint64_t seq)
{
	struct buf b;

	if (r->kind == REQUEST_TRANSACTION && r->raw.len > REQUEST_RAW_MAX)
		return ERR_TOO_LARGE;
	enum err err = raw_put(txn, rs, r);
	if (err)
		return err;
	buf_init(&b, REQUEST_FORM_MAX);
	request_form_write(r, seq, &b);
	err = b.failed ? ERR_FULL
		       : store_put(txn, &rs->requests, slice_of(r->id.b, 32),
				   buf_slice(&b));
	buf_done(&b);
	return err;
}

static enum err meta_get(struct store_txn *txn, const struct requests *rs,
			 const char *name, uint64_t *ret)
{
	struct slice value;
	enum err err = store_get(txn, &rs->meta, slice_str(name), &value);

	if (err == ERR_NOT_FOUND) {
		*ret = 0;
		return OK;
	}
	if (err)
		return err;
	if (value.len != 8)
		return ERR_UNSAFE;
	*ret = get_be(value.p, 8);
	return OK;
}

static enum err meta_put(struct store_txn *txn, const struct requests *rs,
			 const char *name, uint64_t value)
{
	struct store_key bytes = store_key_u64(value);

	return store_put(txn, &rs->meta, slice_str(name),
			 slice_of(bytes.b, sizeof(bytes.b)));
}

static enum err order_set(struct store_txn *txn, const struct requests *rs,
			  const struct request *r, uint64_t seq)
{
	struct store_key key = store_key_u64(seq);
	struct slice k = slice_of(key.b, sizeof(key.b));

	if (!has_ended(r->state))
		return store_put(txn, &rs->order, k, slice_of(r->id.b, 32));
	enum err err = store_delete(txn, &rs->order, k);
	if (!err || err == ERR_NOT_FOUND)
		err = store_delete(txn, &rs->wishes, k);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err requests_add(struct store_txn *txn, const struct requests *rs,
		      const struct request *r)
{
	struct slice known;
	uint64_t seq;
	enum err err =
		store_get(txn, &rs->requests, slice_of(r->id.b, 32), &known);

	if (!err)
		return ERR_CONFLICT;
	if (err != ERR_NOT_FOUND)
		return err;
	err = meta_get(txn, rs, "seq", &seq);
	if (!err)
		err = meta_put(txn, rs, "seq", seq + 1);
	if (!err)
		err = request_put(txn, rs, r, seq);
	return err ? err : order_set(txn, rs, r, seq);
}

static enum err request_find(struct store_txn *txn, const struct requests *rs,
			     struct hash32 id, struct request *ret,
			     uint64_t *ret_seq)
{
	struct slice value;
	struct request r;
	enum err err =
		store_get(txn, &rs->requests, slice_of(id.b, 32), &value);

	if (!err)
		err = request_form_read(id, value, &r, ret_seq);
	if (!err && r.kind == REQUEST_TRANSACTION && !r.raw.len &&
	    !has_ended(r.state)) {
		err = store_get(txn, &rs->raws, slice_of(id.b, 32), &r.raw);
		if (err == ERR_NOT_FOUND)
			err = ERR_UNSAFE;
	}
	if (!err)
		*ret = r;
	return err;
}

enum err requests_get(struct store_txn *txn, const struct requests *rs,
		      struct hash32 id, struct request *ret)
{
	uint64_t seq;

	return request_find(txn, rs, id, ret, &seq);
}

enum err requests_update(struct store_txn *txn, const struct requests *rs,
			 const struct request *r)
{
	struct request before;
	uint64_t seq;
	enum err err = request_find(txn, rs, r->id, &before, &seq);

	if (!err)
		err = request_put(txn, rs, r, seq);
	return err ? err : order_set(txn, rs, r, seq);
}

struct listing {
	struct store_txn *txn;
	const struct requests *rs;
	struct request *requests;
	struct sent_tx *txs;
	size_t max, n;
	enum err err;
};

static bool visit_open(void *ctx, struct slice key, struct slice value)
{
	struct listing *l = ctx;
	struct hash32 id;

	(void)key;
	if (l->n == l->max)
		return false;
	if (value.len != sizeof(id.b)) {
		l->err = ERR_UNSAFE;
		return false;
	}
	memcpy(id.b, value.p, sizeof(id.b));
	l->err = requests_get(l->txn, l->rs, id, &l->requests[l->n]);
	if (l->err == ERR_NOT_FOUND)
		l->err = ERR_UNSAFE; /* listed, but not there */
	l->n += !l->err;
	return !l->err;
}

static enum err list_open(struct store_txn *txn, const struct requests *rs,
			  const struct store_table *table, struct request *ret,
			  size_t max, size_t *ret_count)
{
	struct listing l = {.txn = txn, .rs = rs, .requests = ret, .max = max};
	enum err err = store_walk(txn, table, slice_of(NULL, 0), false,
				  visit_open, &l);

	if (err || l.err)
		return err ? err : l.err;
	*ret_count = l.n;
	return OK;
}

enum err requests_open_list(struct store_txn *txn, const struct requests *rs,
			    struct request *ret, size_t max, size_t *ret_count)
{
	return list_open(txn, rs, &rs->order, ret, max, ret_count);
}

enum err requests_publish(struct store_txn *txn, const struct requests *rs,
			  struct hash32 id)
{
	struct request r;
	uint64_t seq;
	enum err err = request_find(txn, rs, id, &r, &seq);

	if (err)
		return err;
	assert(r.kind == REQUEST_EXIT && !has_ended(r.state));
	struct store_key key = store_key_u64(seq);
	return store_put(txn, &rs->wishes, slice_of(key.b, sizeof(key.b)),
			 slice_of(id.b, sizeof(id.b)));
}

enum err requests_published(struct store_txn *txn, const struct requests *rs,
			    struct request *ret, size_t max, size_t *ret_count)
{
	return list_open(txn, rs, &rs->wishes, ret, max, ret_count);
}

uint64_t requests_open_count(struct store_txn *txn, const struct requests *rs)
{
	return store_count(txn, &rs->order);
}

/* ---- transactions ------------------------------------------------------- */

enum err requests_next_nonce(struct store_txn *txn, const struct requests *rs,
			     uint64_t chain, uint64_t *ret)
{
	uint64_t next;
	enum err err = meta_get(txn, rs, "nonce", &next);

	if (!err)
		*ret = next > chain ? next : chain;
	return err;
}

enum err requests_put_tx(struct store_txn *txn, const struct requests *rs,
			 const struct sent_tx *tx)
{
	struct store_key key = store_key_u64(tx->nonce);
	uint64_t next;
	struct buf b;

	buf_init(&b, SENT_FORM_MAX);
	sent_form_write(tx, &b);
	enum err err = b.failed ? ERR_TOO_LARGE
				: store_put(txn, &rs->txs,
					    slice_of(key.b, sizeof(key.b)),
					    buf_slice(&b));
	buf_done(&b);
	if (!err)
		err = meta_get(txn, rs, "nonce", &next);
	if (!err && tx->nonce >= next)
		err = meta_put(txn, rs, "nonce", tx->nonce + 1);
	return err;
}

enum err requests_get_tx(struct store_txn *txn, const struct requests *rs,
			 uint64_t nonce, struct sent_tx *ret)
{
	struct store_key key = store_key_u64(nonce);
	struct slice k = slice_of(key.b, sizeof(key.b)), value;
	enum err err = store_get(txn, &rs->txs, k, &value);

	return err ? err : sent_form_read(k, value, ret);
}

static bool visit_tx(void *ctx, struct slice key, struct slice value)
{
	struct listing *l = ctx;

	if (l->n == l->max)
		return false;
	l->err = sent_form_read(key, value, &l->txs[l->n]);
	l->n += !l->err;
	return !l->err;
}

enum err requests_tx_list(struct store_txn *txn, const struct requests *rs,
			  uint64_t from, struct sent_tx *ret, size_t max,
			  size_t *ret_count)
{
	struct store_key key = store_key_u64(from);
	struct listing l = {.txn = txn, .rs = rs, .txs = ret, .max = max};
	enum err err = store_walk(txn, &rs->txs, slice_of(key.b, sizeof(key.b)),
				  false, visit_tx, &l);

	if (err || l.err)
		return err ? err : l.err;
	*ret_count = l.n;
	return OK;
}

static bool visit_lowest(void *ctx, struct slice key, struct slice value)
{
	(void)value;
	*(uint64_t *)ctx = get_be(key.p, key.len);
	return false;
}

enum err requests_forget_tx(struct store_txn *txn, const struct requests *rs,
			    uint64_t nonce)
{
	struct store_key key = store_key_u64(nonce);
	enum err err =
		store_delete(txn, &rs->txs, slice_of(key.b, sizeof(key.b)));

	return err == ERR_NOT_FOUND ? OK : err;
}

enum err requests_forget_txs(struct store_txn *txn, const struct requests *rs,
			     uint64_t below)
{
	for (;;) {
		uint64_t lowest = UINT64_MAX;
		enum err err = store_walk(txn, &rs->txs, slice_of(NULL, 0),
					  false, visit_lowest, &lowest);
		if (err || lowest >= below)
			return err;
		struct store_key key = store_key_u64(lowest);
		err = store_delete(txn, &rs->txs,
				   slice_of(key.b, sizeof(key.b)));
		if (err)
			return err;
	}
}
