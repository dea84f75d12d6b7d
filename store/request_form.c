#include "store/request_form.h"

#include <assert.h>

/* request: seq(8) kind(1) state(1) accepted(8) deadline(8) nonce(8) tx(32)
 * block(8) l1_id(8) signature(65) n(1) outcome(n) ‖ body by kind.  A
 * transaction's raw bytes are not in it.
 * The first form, without SECOND in kind: outcome(96), and they are. */
#define SECOND	      0x80
#define FIRST_OUTCOME 96

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

void request_form_write(const struct request *r, uint64_t seq, struct buf *b)
{
	buf_add_be(b, seq, 8);
	buf_add_byte(b, (uint8_t)r->kind | SECOND);
	buf_add_byte(b, (uint8_t)r->state);
	buf_add_be(b, r->accepted_at, 8);
	buf_add_be(b, r->deadline, 8);
	buf_add_be(b, r->nonce, 8);
	buf_add(b, r->tx_hash.b, 32);
	buf_add_be(b, r->block, 8);
	buf_add_be(b, r->l1_id, 8);
	buf_add(b, r->signature.b, sizeof(r->signature.b));
	size_t n = strnlen(r->outcome, sizeof(r->outcome) - 1);
	buf_add_byte(b, (uint8_t)n);
	buf_add(b, r->outcome, n);
	switch (r->kind) {
	case REQUEST_WITHDRAWAL:
		buf_add_be(b, r->withdraw.index, 8);
		add_u256(b, r->withdraw.amount);
		buf_add(b, r->withdraw.recipient.b, 20);
		buf_add(b, r->withdraw.salt.b, 32);
		buf_add_be(b, r->withdraw.expiry, 8);
		return;
	case REQUEST_TRANSACTION:
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
	case REQUEST_TRANSACTION: /* first form: here; else nothing */
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

static void take_outcome(struct cursor *c, bool second, struct request *r)
{
	size_t n = second ? take_byte(c) : FIRST_OUTCOME;

	c->failed = c->failed || n >= sizeof(r->outcome);
	if (!c->failed)
		take(c, r->outcome, n);
	r->outcome[second && !c->failed ? n : FIRST_OUTCOME - 1] = 0;
}

enum err request_form_read(struct hash32 id, struct slice bytes,
			   struct request *ret, uint64_t *ret_seq)
{
	struct cursor c = {bytes, false};
	struct request r = {.id = id};

	*ret_seq = take_u64(&c);
	uint8_t kind = take_byte(&c);
	r.kind = kind & ~SECOND;
	r.state = take_byte(&c);
	r.accepted_at = take_u64(&c);
	r.deadline = take_u64(&c);
	r.nonce = take_u64(&c);
	take(&c, r.tx_hash.b, 32);
	r.block = take_u64(&c);
	r.l1_id = take_u64(&c);
	take(&c, r.signature.b, sizeof(r.signature.b));
	take_outcome(&c, kind & SECOND, &r);
	if (c.failed || r.state < REQUEST_QUEUED || r.state > REQUEST_FAILED)
		return ERR_UNSAFE;
	enum err err = body_decode(&c, &r);
	if (!err)
		*ret = r;
	return err;
}

/* ---- transactions ------------------------------------------------------- */

/* hash(32) purpose(1) task(32) sent(8) block(8) fee(32) tip(32) gas(8) ‖ raw */
void sent_form_write(const struct sent_tx *tx, struct buf *b)
{
	buf_add(b, tx->hash.b, 32);
	buf_add_byte(b, tx->purpose);
	buf_add(b, tx->task.b, 32);
	buf_add_be(b, tx->sent_at_ms, 8);
	buf_add_be(b, tx->block, 8);
	add_u256(b, tx->max_fee);
	add_u256(b, tx->max_tip);
	buf_add_be(b, tx->gas, 8);
	buf_add_slice(b, tx->raw);
}

enum err sent_form_read(struct slice key, struct slice value,
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
