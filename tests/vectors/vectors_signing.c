/* Keys, EIP-712 and transactions, for published cases and an independent
 * encoder. */
#include "tests/vectors/vectors_words.h"

#include "abi/statement.h"
#include "abi/tx.h"

static bool run_key_address(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct key_secret key = secret(&w);
	struct address a;

	if (key_address(&key, &a))
		return false;
	buf_add_str(out, address_text(a).s);
	return all_read(&w);
}

static bool run_key_sign(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct key_secret key = secret(&w);
	struct hash32 digest = hash(&w);
	struct signature s;

	if (key_sign(&key, digest, &s))
		return false;
	put_hex(out, s.b, sizeof(s.b));
	return all_read(&w);
}

static bool run_key_recover(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct hash32 digest = hash(&w);
	struct signature s = signature(&w);
	struct address a;

	if (key_recover(digest, &s, &a))
		return false;
	buf_add_str(out, address_text(a).s);
	return all_read(&w);
}

static bool run_vote(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct vote v = vote(&w);

	buf_add_str(out, hash_text(vote_digest(&v)).s);
	return all_read(&w);
}

static bool run_batch(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	uint64_t chain = small(&w);
	struct address rollup = address(&w);
	struct batch b = batch(&w);
	struct address sequencer = address(&w);

	buf_add_str(out,
		    hash_text(batch_digest(chain, rollup, &b, sequencer)).s);
	return all_read(&w);
}

static bool run_batch_hash(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct batch b = batch(&w);
	struct batch_before f = before(&w);

	buf_add_str(out, hash_text(batch_hash(&b, &f)).s);
	return all_read(&w);
}

static bool run_statement(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct statement s = {.domain.letter =
				      (enum typed_domain)next(&w).p[0]};
	struct hash32 digest;

	s.type = (enum statement_type)small(&w);
	s.domain.chain_id = small(&w);
	s.domain.contract = address(&w);
	while (w.n && s.n < STATEMENT_FIELDS_MAX)
		s.fields[s.n++] = hash(&w);
	if (!all_read(&w) || statement_digest(&s, &digest))
		return false;
	buf_add_str(out, hash_text(digest).s);
	return true;
}

/* chain nonce tip fee gas to|- value data; data is the caller's to end. */
static struct tx tx(struct words *w, struct buf *data)
{
	struct tx t = {0};

	t.chain_id = small(w);
	t.nonce = small(w);
	t.max_tip = number(w);
	t.max_fee = number(w);
	t.gas = small(w);
	t.create = w->n && !w->at->len;
	if (t.create)
		(void)next(w);
	else
		t.to = address(w);
	t.value = number(w);
	bytes(w, data);
	t.data = buf_slice(data);
	return t;
}

static bool run_tx_unsigned(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf data, b;
	struct words w = words(args, n);
	struct tx t = tx(&w, &data);

	buf_init(&b, VECTORS_OUT_MAX);
	tx_encode_unsigned(&t, &b);
	put_hex(out, b.p, b.len);
	return all_read(&w) && !b.failed;
}

static bool run_tx_signed(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf data, b;
	struct words w = words(args, n);
	struct key_secret key = secret(&w);
	struct tx t = tx(&w, &data);
	struct signature s;

	buf_init(&b, VECTORS_OUT_MAX);
	if (!all_read(&w) || key_sign(&key, tx_digest(&t), &s))
		return false;
	tx_encode_signed(&t, &s, &b);
	put_hex(out, b.p, b.len);
	return !b.failed;
}

static void put_tx(const struct tx *t, struct buf *out)
{
	buf_printf(out, "%llu %llu", (unsigned long long)t->chain_id,
		   (unsigned long long)t->nonce);
	buf_printf(out, " %s", u256_text(t->max_tip).s);
	buf_printf(out, " %s", u256_text(t->max_fee).s);
	buf_printf(out, " %llu", (unsigned long long)t->gas);
	buf_printf(out, " %s", t->create ? "-" : address_text(t->to).s);
	buf_printf(out, " %s ", u256_text(t->value).s);
	put_hex(out, t->data.p, t->data.len);
}

static bool run_tx_read(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf b;
	struct words w = words(args, n);
	struct tx t;

	bytes(&w, &b);
	if (!all_read(&w) || tx_decode_unsigned(buf_slice(&b), &t))
		return false;
	put_tx(&t, out);
	return true;
}

static bool run_tx_sender(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf b;
	struct words w = words(args, n);
	struct signature s;
	struct address sender;
	struct tx t;

	bytes(&w, &b);
	if (!all_read(&w) || tx_decode_signed(buf_slice(&b), &t, &s, &sender))
		return false;
	buf_printf(out, "%s %s ", address_text(sender).s,
		   hash_text(tx_hash(buf_slice(&b))).s);
	put_tx(&t, out);
	return true;
}

static bool run_tx_create(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct address sender = address(&w);
	uint64_t nonce = small(&w);

	buf_add_str(out, address_text(tx_create_address(sender, nonce)).s);
	return all_read(&w);
}

const struct vectors_command vectors_signing[] = {
	{"key.address", 1, run_key_address},
	{"key.sign", 2, run_key_sign},
	{"key.recover", 2, run_key_recover},
	{"vote.digest", 7, run_vote},
	{"batch.digest", 10, run_batch},
	{"batch.hash", 11, run_batch_hash},
	{"statement.digest", 4, run_statement},
	{"tx.unsigned", 8, run_tx_unsigned},
	{"tx.signed", 9, run_tx_signed},
	{"tx.read", 1, run_tx_read},
	{"tx.sender", 1, run_tx_sender},
	{"tx.create", 2, run_tx_create},
	{NULL},
};
