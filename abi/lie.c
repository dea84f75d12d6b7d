#include "abi/lie.h"

const char *lie_kind_name(enum lie_kind kind)
{
	switch (kind) {
	case LIE_OTHER_BLOCK:
		return "other_block";
	case LIE_FORGED_HEADER:
		return "forged_header";
	case LIE_FALSE_PROOF:
		return "false_proof";
	case LIE_OTHER_ANSWER:
		return "other_answer";
	case LIE_OMISSION:
		return "omission";
	case LIE_OTHER_FINALIZED:
		return "other_finalized";
	}
	return "unknown"; /* a later version's */
}

static void put_text(struct buf *to, struct slice text, size_t max)
{
	size_t len = text.len < max ? text.len : max;

	buf_add_be(to, len, 2);
	buf_add(to, text.p, len);
}

static void put_words(struct buf *to, const struct lie_words *words, size_t max)
{
	buf_add_byte(to, words->cut || words->text.len > max);
	put_text(to, words->text, max);
}

void lie_encode(const struct lie *lie, struct buf *to)
{
	buf_add_byte(to, (uint8_t)lie->kind);
	buf_add_be(to, lie->at, 8);
	buf_add_be(to, lie->until, 8);
	buf_add_be(to, lie->l1_time, 8);
	buf_add_be(to, lie->number, 8);
	buf_add(to, lie->hash.b, sizeof(lie->hash.b));
	put_text(to, lie->provider, LIE_TEXT_MAX);
	put_text(to, lie->why, LIE_TEXT_MAX);
	put_text(to, lie->method, LIE_TEXT_MAX);
	put_text(to, lie->against, LIE_TEXT_MAX);
	put_words(to, &lie->asked, LIE_ASKED_MAX);
	put_words(to, &lie->said, LIE_SAID_MAX);
	put_words(to, &lie->stands, LIE_STANDS_MAX);
}

struct cursor { /* sticky failure */
	struct slice rest;
	bool failed;
};

static struct slice take(struct cursor *c, size_t len)
{
	struct slice s = slice_of(c->rest.p, len);

	c->failed |= len > c->rest.len;
	if (c->failed)
		return slice_of(NULL, 0);
	c->rest.p += len;
	c->rest.len -= len;
	return s;
}

static uint64_t take_be(struct cursor *c, size_t len)
{
	struct slice s = take(c, len);

	return s.p ? get_be(s.p, len) : 0;
}

static struct slice take_text(struct cursor *c, size_t max)
{
	size_t len = (size_t)take_be(c, 2);

	c->failed |= len > max;
	return take(c, len);
}

static struct lie_words take_words(struct cursor *c, size_t max)
{
	uint64_t cut = take_be(c, 1);

	c->failed |= cut > 1;
	return (struct lie_words){.cut = cut == 1, .text = take_text(c, max)};
}

enum err lie_decode(struct slice bytes, struct lie *ret)
{
	struct cursor c = {.rest = bytes};
	struct lie lie = {.kind = (enum lie_kind)take_be(&c, 1)};
	struct slice hash;

	lie.at = take_be(&c, 8);
	lie.until = take_be(&c, 8);
	lie.l1_time = take_be(&c, 8);
	lie.number = take_be(&c, 8);
	hash = take(&c, sizeof(lie.hash.b));
	if (hash.p)
		memcpy(lie.hash.b, hash.p, sizeof(lie.hash.b));
	lie.provider = take_text(&c, LIE_TEXT_MAX);
	lie.why = take_text(&c, LIE_TEXT_MAX);
	lie.method = take_text(&c, LIE_TEXT_MAX);
	lie.against = take_text(&c, LIE_TEXT_MAX);
	lie.asked = take_words(&c, LIE_ASKED_MAX);
	lie.said = take_words(&c, LIE_SAID_MAX);
	lie.stands = take_words(&c, LIE_STANDS_MAX);
	if (c.failed || c.rest.len)
		return ERR_INVALID;
	*ret = lie;
	return OK;
}

/* Text in text: what was cut is no JSON any more. */
static void put_said(struct json_writer *w, const char *key,
		     const struct lie_words *words)
{
	json_begin(w, key);
	json_put_slice(w, "text", words->text);
	json_put_bool(w, "cut", words->cut);
	json_end(w);
}

void lie_json(const struct lie *lie, uint64_t id, bool whole,
	      struct json_writer *w)
{
	json_begin(w, NULL);
	json_put_u64(w, "id", id);
	json_put_u64(w, "at", lie->at);
	json_put_u64(w, "until", lie->until);
	json_put_u64(w, "l1_time", lie->l1_time);
	json_put_slice(w, "provider", lie->provider);
	json_put_string(w, "kind", lie_kind_name(lie->kind));
	json_begin(w, "block");
	if (lie->number)
		json_put_u64(w, "number", lie->number);
	if (!hash_is_zero(lie->hash))
		json_put_hash(w, "hash", lie->hash);
	json_end(w);
	json_put_slice(w, "why", lie->why);
	if (whole) {
		json_put_slice(w, "method", lie->method);
		put_said(w, "asked", &lie->asked);
		put_said(w, "said", &lie->said);
		json_put_slice(w, "against", lie->against);
		put_said(w, "stands", &lie->stands);
	}
	json_end(w);
}
