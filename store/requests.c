#include "store/requests.h"

#include <assert.h>

/* request: seq(8) kind(1) state(1) accepted(8) deadline(8) nonce(8) tx(32)
 * block(8) l1_id(8) signature(65) outcome(96) ‖ body by kind */
#define REQUEST_FIXED (8 + 1 + 1 + 8 + 8 + 8 + 32 + 8 + 8 + 65 + 96)
#define WITHDRAW_SIZE (8 + 32 + 20 + 32 + 8)
#define EXIT_SIZE     (8 + 20 + 8)
/* tx: hash(32) purpose(1) task(32) sent(8) block(8) fee(32) tip(32) gas(8) */
#define TX_FIXED (32 + 1 + 32 + 8 + 8 + 32 + 32 + 8)

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
	return err;
}

/* ---- a cursor over stored bytes, failure sticky ------------------------- */

struct cursor {
	struct slice rest;
	bool failed;
};

static void take(struct cursor *c, void *to, size_t len)
{
	if (c->failed || c->rest.len < len) {
		c->failed = true;
		memset(to, 0, len);
		return;
	}
	memcpy(to, c->rest.p, len);
	c->rest = slice_of(c->rest.p + len, c->rest.len - len);
}

static uint64_t take_u64(struct cursor *c)
{
	uint8_t b[8];

	take(c, b, sizeof(b));
	return get_be(b, sizeof(b));
}

static struct u256 take_u256(struct cursor *c)
{
	uint8_t b[32];

	take(c, b, sizeof(b));
	return u256_from_be(b, sizeof(b));
}

static uint8_t take_byte(struct cursor *c)
{
	uint8_t b;

	take(c, &b, 1);
	return b;
}

static void add_u256(struct buf *b, struct u256 value)
{
	uint8_t bytes[32];

	u256_to_be(value, bytes, sizeof(bytes));
	buf_add(b, bytes, sizeof(bytes));
}

/* ---- requests ----------------------------------------------------------- */

static void request_encode(const struct request *r, uint64_t seq, struct buf *b)
{
	buf_add_be(b, seq, 8);
	buf_add_byte(b, (uint8_t)r->kind);
	buf_add_byte(b, (uint8_t)r->state);
	buf_add_be(b, r->accepted_at, 8);
	buf_add_be(b, r->deadline, 8);
	buf_add_be(b, r->nonce, 8);
	buf_add(b, r->tx_hash.b, 32);
	buf_add_be(b, r->block, 8);
	buf_add_be(b, r->l1_id, 8);
	buf_add(b, r->signature.b, sizeof(r->signature.b));
	buf_add(b, r->outcome, sizeof(r->outcome));
	switch (r->kind) {
	case REQUEST_WITHDRAWAL:
		buf_add_be(b, r->withdraw.index, 8);
		add_u256(b, r->withdraw.amount);
		buf_add(b, r->withdraw.recipient.b, 20);
		buf_add(b, r->withdraw.salt.b, 32);
		buf_add_be(b, r->withdraw.expiry, 8);
		return;
	case REQUEST_TRANSACTION:
		buf_add_slice(b, r->raw);
		return;
	case REQUEST_EXIT:
		buf_add_be(b, r->exit_to.index, 8);
		buf_add(b, r->exit_to.recipient.b, 20);
		buf_add_be(b, r->exit_to.count, 8);
		return;
	}
	assert(!"a request of no kind");
}

static enum err body_decode(struct cursor *c, struct request *r)
{
	switch (r->kind) {
	case REQUEST_WITHDRAWAL:
		r->withdraw.index = take_u64(c);
		r->withdraw.amount = take_u256(c);
		take(c, r->withdraw.recipient.b, 20);
		take(c, r->withdraw.salt.b, 32);
		r->withdraw.expiry = take_u64(c);
		break;
	case REQUEST_TRANSACTION:
		r->raw = c->rest;
		return c->failed ? ERR_UNSAFE : OK;
	case REQUEST_EXIT:
		r->exit_to.index = take_u64(c);
		take(c, r->exit_to.recipient.b, 20);
		r->exit_to.count = take_u64(c);
		break;
	default:
		return ERR_UNSAFE;
	}
	return c->failed || c->rest.len ? ERR_UNSAFE : OK;
}

static enum err request_decode(struct hash32 id, struct slice bytes,
			       struct request *ret, uint64_t *ret_seq)
{
	struct cursor c = {bytes, false};
	struct request r = {.id = id};

	*ret_seq = take_u64(&c);
	r.kind = take_byte(&c);
	r.state = take_byte(&c);
	r.accepted_at = take_u64(&c);
	r.deadline = take_u64(&c);
	r.nonce = take_u64(&c);
	take(&c, r.tx_hash.b, 32);
	r.block = take_u64(&c);
	r.l1_id = take_u64(&c);
	take(&c, r.signature.b, sizeof(r.signature.b));
	take(&c, r.outcome, sizeof(r.outcome));
	r.outcome[sizeof(r.outcome) - 1] = 0;
	if (c.failed || r.state < REQUEST_QUEUED || r.state > REQUEST_FAILED)
		return ERR_UNSAFE;
	enum err err = body_decode(&c, &r);
	if (!err)
		*ret = r;
	return err;
}

static enum err request_put(struct store_txn *txn, const struct requests *rs,
			    const struct request *r, uint64_t seq)
{
	struct buf b;

	if (r->kind == REQUEST_TRANSACTION && r->raw.len > REQUEST_RAW_MAX)
		return ERR_TOO_LARGE;
	buf_init(&b, REQUEST_FIXED + REQUEST_BODY_MAX);
	request_encode(r, seq, &b);
	enum err err =
		b.failed ? ERR_FULL
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
	enum err err =
		store_get(txn, &rs->requests, slice_of(id.b, 32), &value);

	return err ? err : request_decode(id, value, ret, ret_seq);
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

	buf_init(&b, TX_FIXED + 2 * REQUEST_BODY_MAX + (1 << 17));
	buf_add(&b, tx->hash.b, 32);
	buf_add_byte(&b, tx->purpose);
	buf_add(&b, tx->task.b, 32);
	buf_add_be(&b, tx->sent_at_ms, 8);
	buf_add_be(&b, tx->block, 8);
	add_u256(&b, tx->max_fee);
	add_u256(&b, tx->max_tip);
	buf_add_be(&b, tx->gas, 8);
	buf_add_slice(&b, tx->raw);
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

static enum err tx_decode(struct slice key, struct slice value,
			  struct sent_tx *ret)
{
	struct cursor c = {value, false};
	struct sent_tx tx = {.nonce = get_be(key.p, key.len)};

	take(&c, tx.hash.b, 32);
	tx.purpose = take_byte(&c);
	take(&c, tx.task.b, 32);
	tx.sent_at_ms = take_u64(&c);
	tx.block = take_u64(&c);
	tx.max_fee = take_u256(&c);
	tx.max_tip = take_u256(&c);
	tx.gas = take_u64(&c);
	if (c.failed)
		return ERR_UNSAFE;
	tx.raw = c.rest;
	*ret = tx;
	return OK;
}

enum err requests_get_tx(struct store_txn *txn, const struct requests *rs,
			 uint64_t nonce, struct sent_tx *ret)
{
	struct store_key key = store_key_u64(nonce);
	struct slice k = slice_of(key.b, sizeof(key.b)), value;
	enum err err = store_get(txn, &rs->txs, k, &value);

	return err ? err : tx_decode(k, value, ret);
}

static bool visit_tx(void *ctx, struct slice key, struct slice value)
{
	struct listing *l = ctx;

	if (l->n == l->max)
		return false;
	l->err = tx_decode(key, value, &l->txs[l->n]);
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
