/* Bundles in their three forms.  A signer is what recovers, never what is
 * written beside a signature. */
#include "abi/ballot.h"

#include "abi/contracts_tables.h"
#include "abi/hex.h"

#define BALLOT_NAME "egress-ballot"

_Static_assert(BUNDLE_MAX == EGRESS_MAX_KEYS &&
		       VOTE_PROMOTE == EGRESS_PROMOTE &&
		       VOTE_OPEN == EGRESS_OPEN &&
		       VOTE_RESUME == EGRESS_RESUME &&
		       VOTE_AMEND == EGRESS_AMEND,
	       "as compiled into the contracts");

/* JSON carries whole numbers below 2^53 only; the three forms carry the same
 * ballots, so the others refuse what JSON cannot say. */
#define NUMBER_LIMIT (UINT64_C(1) << 53)

static bool vote_is_sound(const struct vote *v, struct err_text *error)
{
	if (v->action < VOTE_PROMOTE || v->action > VOTE_AMEND) {
		err_text_set(error, "no such action: %u", (unsigned)v->action);
		return false;
	}
	if (v->chain_id >= NUMBER_LIMIT || v->epoch >= NUMBER_LIMIT ||
	    v->progress >= NUMBER_LIMIT || v->expiry >= NUMBER_LIMIT) {
		err_text_set(error, "a number is 2^53 or more");
		return false;
	}
	return true;
}

enum err bundle_add(struct bundle *b, const struct signature *s)
{
	struct address signer;
	size_t at = 0;

	if (key_recover(vote_digest(&b->vote), s, &signer))
		return ERR_INVALID;
	while (at < b->n && address_cmp(b->signers[at], signer) < 0)
		at++;
	if (at < b->n && address_eq(b->signers[at], signer))
		return ERR_CONFLICT;
	if (b->n == BUNDLE_MAX)
		return ERR_TOO_LARGE;
	memmove(b->signers + at + 1, b->signers + at,
		(b->n - at) * sizeof(b->signers[0]));
	memmove(b->signatures + at + 1, b->signatures + at,
		(b->n - at) * sizeof(b->signatures[0]));
	b->signers[at] = signer;
	b->signatures[at] = *s;
	b->n++;
	return OK;
}

/* Takes the next of a sorted list. */
static enum err bundle_append(struct bundle *b, const struct signature *s,
			      struct err_text *error)
{
	struct address signer;

	if (b->n == BUNDLE_MAX) {
		err_text_set(error, "more than %d signatures", BUNDLE_MAX);
		return ERR_TOO_LARGE;
	}
	if (key_recover(vote_digest(&b->vote), s, &signer)) {
		err_text_set(error, "signature %zu recovers nobody", b->n);
		return ERR_INVALID;
	}
	if (b->n && address_cmp(b->signers[b->n - 1], signer) >= 0) {
		err_text_set(error, "signers not strictly ascending: %s at %zu",
			     address_text(signer).s, b->n);
		return ERR_INVALID;
	}
	b->signers[b->n] = signer;
	b->signatures[b->n++] = *s;
	return OK;
}

void bundle_signatures(const struct bundle *b, struct buf *to)
{
	for (size_t i = 0; i < b->n; i++)
		buf_add(to, b->signatures[i].b, sizeof(b->signatures[i].b));
}

static void put_body(const struct bundle *b, struct buf *to)
{
	const struct vote *v = &b->vote;

	buf_add_be(to, v->chain_id, 8);
	buf_add(to, v->hatch.b, 20);
	buf_add_be(to, v->action, 1);
	buf_add_be(to, v->epoch, 8);
	buf_add_be(to, v->progress, 8);
	buf_add(to, v->subject.b, 32);
	buf_add_be(to, v->expiry, 8);
	buf_add_be(to, b->n, 1);
	bundle_signatures(b, to);
}

/* The body without its check. */
static enum err read_body(struct slice s, struct bundle *ret,
			  struct err_text *error)
{
	struct bundle b = {0};
	struct signature signature;
	enum err err;
	size_t n;

	if (s.len < BALLOT_FIXED) {
		err_text_set(error, "too short: %zu bytes", s.len);
		return ERR_INVALID;
	}
	b.vote.chain_id = get_be(s.p, 8);
	memcpy(b.vote.hatch.b, s.p + 8, 20);
	b.vote.action = (enum vote_action)s.p[28];
	b.vote.epoch = get_be(s.p + 29, 8);
	b.vote.progress = get_be(s.p + 37, 8);
	memcpy(b.vote.subject.b, s.p + 45, 32);
	b.vote.expiry = get_be(s.p + 77, 8);
	n = s.p[85];
	if (!n || s.len != BALLOT_FIXED + n * sizeof(signature.b)) {
		err_text_set(error, "%zu bytes do not hold %zu signatures",
			     s.len, n);
		return ERR_INVALID;
	}
	if (!vote_is_sound(&b.vote, error))
		return ERR_INVALID;
	for (size_t i = 0; i < n; i++) {
		memcpy(signature.b, s.p + BALLOT_FIXED + i * 65, 65);
		err = bundle_append(&b, &signature, error);
		if (err)
			return err;
	}
	*ret = b;
	return OK;
}

void bundle_encode(const struct bundle *b, struct buf *to)
{
	size_t start = to->len;

	put_body(b, to);
	text_form_seal(to, start);
}

enum err bundle_decode(struct slice bytes, struct bundle *ret,
		       struct err_text *error)
{
	struct slice body;

	if (text_form_open(bytes, &body, error))
		return ERR_INVALID;
	return read_body(body, ret, error);
}

void bundle_text(const struct bundle *b, struct buf *to)
{
	struct buf body;

	buf_init(&body, BALLOT_FIXED + BUNDLE_MAX * 65);
	put_body(b, &body);
	if (body.failed)
		to->failed = true;
	text_form_encode(BALLOT_NAME, buf_slice(&body), to);
	buf_done(&body);
}

enum err bundle_parse_text(struct slice text, struct bundle *ret,
			   struct err_text *error)
{
	struct buf body;
	enum err err;

	if (text.len > BALLOT_TEXT_MAX) {
		err_text_set(error, "longer than %d characters",
			     BALLOT_TEXT_MAX);
		return ERR_TOO_LARGE;
	}
	buf_init(&body, BALLOT_TEXT_MAX);
	err = text_form_decode(BALLOT_NAME, text, &body, error);
	if (!err)
		err = read_body(buf_slice(&body), ret, error);
	buf_done(&body);
	return err;
}

void bundle_json(const struct bundle *b, struct json_writer *w, const char *key)
{
	const struct vote *v = &b->vote;

	json_begin(w, key);
	json_put_u64(w, "chain_id", v->chain_id);
	json_put_address(w, "hatch", v->hatch);
	json_put_string(w, "action", vote_action_name(v->action));
	json_put_u64(w, "epoch", v->epoch);
	json_put_u64(w, "progress", v->progress);
	json_put_hash(w, "subject", v->subject);
	json_put_u64(w, "expiry", v->expiry);
	json_begin_array(w, "signatures");
	for (size_t i = 0; i < b->n; i++)
		json_put_hex(w, NULL, b->signatures[i].b, 65);
	json_end_array(w);
	json_begin_array(w, "signers");
	for (size_t i = 0; i < b->n; i++)
		json_put_address(w, NULL, b->signers[i]);
	json_end_array(w);
	json_end(w);
}

static struct vote read_vote(struct json_reader *r, const json_node *o)
{
	struct vote v = {
		.chain_id = json_u64(r, o, "chain_id"),
		.hatch = json_address(r, o, "hatch"),
		.action = vote_action_parse(json_string(r, o, "action", 16)),
		.epoch = json_u64(r, o, "epoch"),
		.progress = json_u64(r, o, "progress"),
		.subject = json_hash(r, o, "subject"),
		.expiry = json_u64(r, o, "expiry"),
	};

	if (!r->failed && !v.action)
		json_fail(r, "action", "expected promote, open, resume, amend");
	return v;
}

enum err bundle_parse_json(const json_node *o, struct bundle *ret,
			   struct err_text *error)
{
	static const char *const names[] = {
		"chain_id", "hatch",  "action",	    "epoch",   "progress",
		"subject",  "expiry", "signatures", "signers", NULL,
	};
	struct json_reader r = {0};
	struct bundle b = {.vote = read_vote(&r, o)};
	const json_node *list = json_array(&r, o, "signatures");
	struct signature signature;
	size_t n = json_len(list);
	enum err err;

	json_only(&r, o, names);
	if (!r.failed && (!n || n > BUNDLE_MAX))
		json_fail(&r, "signatures", "expected 1 to 32 of them");
	for (size_t i = 0; i < n && !r.failed; i++) {
		json_hex(&r, json_at(list, i), NULL, signature.b, 65);
		if (r.failed)
			break;
		err = bundle_append(&b, &signature, error);
		if (err)
			return err;
	}
	if (r.failed) {
		err_text_set(error, "%s: %s", r.field, r.what);
		return ERR_INVALID;
	}
	*ret = b;
	return OK;
}

bool ballot_fast_alive(uint64_t expiry, uint64_t round, uint64_t now)
{
	/* The life's begin may lie before 0 when a test's clock does. */
	return round && expiry % round == 0 && now <= expiry &&
	       expiry - now < EGRESS_BALLOT_ROUNDS * round;
}

uint64_t ballot_expiry(uint64_t now, uint64_t round)
{
	uint64_t from = now + round;

	return (from + round - 1) / round * round;
}
