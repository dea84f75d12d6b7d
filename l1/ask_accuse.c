/* Who contradicted what an ask brought out: in what, and whom. */
#include "l1/ask.h"

static const char *name_of(const struct slot *s)
{
	return s->provider->settings->name;
}

void ask_accuse_answer(struct ask *a, size_t slot, size_t call, bool hollow,
		       uint64_t now)
{
	const struct rpc_answer *agreed = a->settled[call].answer;
	const struct rpc_answer *x = ask_vote(a, slot, call, now);
	struct slot *s = &a->slots[slot];
	char names[LIE_TEXT_MAX] = "";
	struct buf asked, said, stands;

	for (size_t i = 0; i < a->n_slots; i++) {
		const struct rpc_answer *y = ask_vote(a, i, call, now);
		if (y && ask_same_answer(a, call, y, agreed))
			accuse_name(names, sizeof(names),
				    name_of(&a->slots[i]));
	}
	const struct accusation what = {
		.kind = hollow ? LIE_OMISSION : LIE_OTHER_ANSWER,
		.method = a->calls[call].method,
		.against = slice_str(names),
		.asked = accuse_asked(buf_slice(&a->body), call, &asked),
		.said = accuse_words(x, &said),
		.stands = accuse_words(agreed, &stands)};
	if (hollow)
		provider_doubted(s->provider, now, &what);
	else
		provider_lied(s->provider, now, &what,
			      "its %s differs from what a quorum answers",
			      what.method);
	buf_done(&asked);
	buf_done(&said);
	buf_done(&stands);
}

/* All the results: a proof is of the whole. */
static struct lie_words all_words(const struct ask *a, const struct slot *s,
				  struct buf *to)
{
	bool whole = true;

	buf_init(to, LIE_SAID_MAX);
	for (size_t call = 0; call < a->n && whole; call++) {
		const struct rpc_answer *x = &s->reply.answers[call];
		whole = to->len < to->max;
		if (whole)
			buf_add_byte(to, call ? ',' : '[');
		if (whole && x->kind == RPC_RESULT)
			whole = json_text(x->result, false, to);
	}
	if (whole && to->len < to->max)
		buf_add_byte(to, ']');
	return (struct lie_words){.text = buf_slice(to), .cut = !whole};
}

void ask_accuse_proof(struct ask *a, struct slot *s, const struct slot *good,
		      uint64_t now)
{
	struct buf said, stands;
	const struct accusation what = {.kind = LIE_FALSE_PROOF,
					.method = a->calls[0].method,
					.against = slice_str(name_of(good)),
					.asked = {.text = buf_slice(&a->body)},
					.said = all_words(a, s, &said),
					.stands = all_words(a, good, &stands)};

	provider_lied(s->provider, now, &what, "%.150s", s->why.text);
	buf_done(&said);
	buf_done(&stands);
}
