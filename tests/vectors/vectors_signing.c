/* Keys, EIP-712, transactions, the ledger's tree, calls, logs and text forms,
 * for published cases and an independent encoder. */
#include "tests/vectors/vectors.h"

#include "abi/ballot.h"
#include "abi/diff.h"
#include "abi/family/sovereign.h"
#include "abi/pack.h"
#include "abi/statement.h"
#include "abi/tx.h"

#include <stdlib.h>

/* Arguments in order, sticky failure. */
struct words {
	const struct slice *at;
	size_t n;
	bool failed;
};

static struct slice next(struct words *w)
{
	if (!w->n) {
		w->failed = true;
		return slice_of("", 0);
	}
	w->n--;
	return *w->at++;
}

static struct u256 number(struct words *w)
{
	struct u256 ret = u256_from(0);

	w->failed |= u256_parse(next(w), &ret) != OK;
	return ret;
}

static uint64_t small(struct words *w)
{
	struct u256 a = number(w);

	w->failed |= !u256_fits(a, 64);
	return u256_u64(a);
}

static struct hash32 hash(struct words *w)
{
	struct hash32 ret = {{0}};

	w->failed |= hex_decode(next(w), ret.b, sizeof(ret.b)) != OK;
	return ret;
}

static struct address address(struct words *w)
{
	struct address ret = {{0}};

	w->failed |= hex_decode(next(w), ret.b, sizeof(ret.b)) != OK;
	return ret;
}

static struct signature signature(struct words *w)
{
	struct signature ret = {{0}};

	w->failed |= hex_decode(next(w), ret.b, sizeof(ret.b)) != OK;
	return ret;
}

static struct key_secret secret(struct words *w)
{
	struct key_secret ret;
	struct hash32 h = hash(w);

	memcpy(ret.b, h.b, sizeof(ret.b));
	return ret;
}

/* The caller ends it with buf_done. */
static void bytes(struct words *w, struct buf *to)
{
	struct slice text = next(w);

	buf_init(to, VECTORS_OUT_MAX);
	if (text.len)
		w->failed |= hex_decode_buf(text, to) != OK;
}

static void put_hex(struct buf *out, const void *p, size_t len)
{
	buf_add_str(out, "0x");
	buf_add_hex(out, p, len);
}

static struct words words(const struct slice *args, size_t n)
{
	return (struct words){.at = args, .n = n};
}

static bool all_read(const struct words *w)
{
	return !w->failed && !w->n;
}

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

static struct vote vote(struct words *w)
{
	struct vote v;

	v.chain_id = small(w);
	v.hatch = address(w);
	v.action = (enum vote_action)small(w);
	v.epoch = small(w);
	v.progress = small(w);
	v.subject = hash(w);
	v.expiry = small(w);
	return v;
}

static bool run_vote(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct vote v = vote(&w);

	buf_add_str(out, hash_text(vote_digest(&v)).s);
	return all_read(&w);
}

static struct batch batch(struct words *w)
{
	struct batch b;

	b.number = small(w);
	b.prev_root = hash(w);
	b.root = hash(w);
	b.leaf_count = small(w);
	b.inbox_through = small(w);
	b.inbox_acc = hash(w);
	b.diff_hash = hash(w);
	return b;
}

static struct batch_before before(struct words *w)
{
	struct batch_before b;

	b.committed_at = small(w);
	b.leaf_count = small(w);
	b.inbox_through = small(w);
	b.withdraw_head = small(w);
	return b;
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

/* A tree's life: "size N" resizes, "set N I HASH … " sets N nodes of the
 * bottom; the root after each. */
static bool run_tree(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	uint64_t at[VECTORS_ARGS_MAX];
	struct tree t;

	if (tree_init(&t, (unsigned)small(&w)))
		return false;
	while (w.n && !w.failed) {
		bool size = slice_eq(next(&w), slice_str("size"));
		uint64_t count = small(&w);

		if (size && tree_resize(&t, count))
			break;
		for (uint64_t i = 0; !size && i < count && !w.failed; i++) {
			at[i] = small(&w);
			tree_set(&t, at[i], hash(&w));
		}
		if (!size)
			tree_rehash(&t, at, count);
		buf_printf(out, "%s%s", out->len ? " " : "",
			   hash_text(tree_root(&t)).s);
	}
	tree_done(&t);
	return all_read(&w);
}

static size_t hashes(struct words *w, struct hash32 *to, size_t max)
{
	uint64_t n = small(w);

	w->failed |= n > max;
	for (uint64_t i = 0; i < n && !w->failed; i++)
		to[i] = hash(w);
	return w->failed ? 0 : (size_t)n;
}

static bool run_diff_hash(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf diff;
	struct words w = words(args, n);
	struct hash32 roots[DIFF_STEPS_MAX];
	struct err_text error;
	size_t steps;

	bytes(&w, &diff);
	steps = hashes(&w, roots, DIFF_STEPS_MAX);
	if (!all_read(&w) || diff_check(buf_slice(&diff), &error) ||
	    steps != diff_steps(buf_slice(&diff)))
		return false;
	buf_add_str(out,
		    hash_text(diff_hash(buf_slice(&diff), roots, steps)).s);
	return true;
}

static bool run_commit(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf diff, signatures, b, again;
	struct words w = words(args, n);
	struct commit_call call = {.batch = batch(&w)}, got;

	call.steps = hashes(&w, call.roots, DIFF_STEPS_MAX);
	bytes(&w, &diff);
	bytes(&w, &signatures);
	buf_init(&b, VECTORS_OUT_MAX);
	buf_init(&again, VECTORS_OUT_MAX);
	call.diff = buf_slice(&diff);
	call.signatures = buf_slice(&signatures);
	if (!all_read(&w))
		return false;
	commit_encode(&call, &b);
	if (b.failed || commit_decode(buf_slice(&b), &got))
		return false;
	commit_encode(&got, &again);
	if (!slice_eq(buf_slice(&b), buf_slice(&again)))
		return false;
	put_hex(out, b.p, b.len);
	return true;
}

static bool run_bad_step(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf diff, old, b;
	struct words w = words(args, n);
	struct batch batch_ = batch(&w);
	struct batch_before before_ = before(&w);
	struct hash32 roots[DIFF_STEPS_MAX], siblings[1024];
	struct bad_step proof = {.batch = &batch_, .before = &before_};

	proof.step = small(&w);
	bytes(&w, &diff);
	proof.diff = buf_slice(&diff);
	proof.steps = hashes(&w, roots, DIFF_STEPS_MAX);
	proof.roots = roots;
	proof.root_before = hash(&w);
	bytes(&w, &old);
	proof.old_records = (const struct record *)(const void *)old.p;
	proof.sibling_count = hashes(&w, siblings, ARRAY_LEN(siblings));
	proof.siblings = siblings;
	buf_init(&b, VECTORS_OUT_MAX);
	if (!all_read(&w) || proof.steps != diff_steps(proof.diff) ||
	    proof.step >= proof.steps)
		return false;
	bad_step_encode(&proof, &b);
	put_hex(out, b.p, b.len);
	return !b.failed;
}

struct walk {
	struct buf *out;
};

static void say_sibling(void *ctx, unsigned height, uint64_t at)
{
	struct walk *walk = ctx;

	buf_printf(walk->out, "%s%u:%llu", walk->out->len ? " " : "", height,
		   (unsigned long long)at);
}

static bool run_multiproof(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	uint64_t indices[VECTORS_ARGS_MAX], depth = small(&w);
	struct walk walk = {out};
	size_t count = 0;

	while (w.n)
		indices[count++] = small(&w);
	multiproof_walk(indices, count, (unsigned)depth, say_sibling, &walk);
	return all_read(&w);
}

static bool run_bundle(const struct slice *args, size_t n, struct buf *out)
{
	struct json_writer w = json_writer(out);
	struct err_text error;
	struct bundle b;

	if (n != 1 || bundle_parse_text(args[0], &b, &error))
		return false;
	bundle_json(&b, &w, NULL);
	return true;
}

static bool run_bundle_text(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct bundle b = {.vote = vote(&w)};

	while (w.n) {
		struct signature s = signature(&w);

		if (w.failed || bundle_add(&b, &s))
			return false;
	}
	bundle_text(&b, out);
	return all_read(&w);
}

static bool run_pack(const struct slice *args, size_t n, struct buf *out)
{
	struct json_writer w = json_writer(out);
	struct err_text error;
	struct pack p;

	if (n != 1 || pack_parse(args[0], &p, &error) ||
	    pack_verify(&p, &error))
		return false;
	pack_json(&p, &w, NULL);
	return true;
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
	{"tree", 1, run_tree},
	{"diff.hash", 2, run_diff_hash},
	{"commit", 10, run_commit},
	{"bad_step", 16, run_bad_step},
	{"multiproof", 2, run_multiproof},
	{"bundle.read", 1, run_bundle},
	{"bundle.text", 8, run_bundle_text},
	{"pack.read", 1, run_pack},
	{NULL},
};
