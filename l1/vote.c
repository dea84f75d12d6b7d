/* A call of an ask is settled when slots of enough weight gave the same
 * answer, or no longer can. */
#include "l1/ask.h"

/* ---- one answer against another ------------------------------------------ */

bool ask_is_vote(const struct ask *a, size_t call,
		 const struct rpc_answer *answer)
{
	if (answer->kind == RPC_RESULT)
		return !a->calls[call].pinned ||
		       !json_is_null(answer->result, NULL);
	return answer->kind == RPC_REVERT;
}

bool ask_same_answer(const struct ask *a, size_t call,
		     const struct rpc_answer *x, const struct rpc_answer *y)
{
	if (x->kind != y->kind)
		return false;
	if (x->kind == RPC_RESULT)
		return json_same(x->result, y->result, a->calls[call].fields);
	/* nodes word a revert differently; its data are the contract's */
	return slice_eq(buf_slice(&x->data), buf_slice(&y->data));
}

/* NULL: this slot says nothing on this call. */
const struct rpc_answer *ask_vote(const struct ask *a, size_t slot, size_t call,
				  uint64_t now)
{
	const struct slot *s = &a->slots[slot];
	if (s->state != SLOT_ANSWERED || provider_lying(s->provider, now))
		return NULL;
	const struct rpc_answer *answer = &s->reply.answers[call];
	return ask_is_vote(a, call, answer) ? answer : NULL;
}

/* Nobody has heard of it yet: within a moment it is usable, or down. */
bool ask_hopes_for(const struct provider *p)
{
	return !p->pinned && !p->wrong_chain && !p->failures;
}

static uint64_t pending_weight(const struct ask *a, uint64_t now)
{
	uint64_t weight = 0;
	if (now >= a->deadline_ms)
		return 0;
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct slot *s = &a->slots[i];
		bool asked = s->state == SLOT_SENT || s->state == SLOT_WAITS;
		bool hoped = s->state == SLOT_IDLE && a->rule == QUORUM_AGREE &&
			     (ask_hopes_for(s->provider) ||
			      provider_usable(s->provider, now));
		bool counts = a->rule == QUORUM_BROADCAST ||
			      !provider_lying(s->provider, now);
		if ((asked || hoped) && counts)
			weight += s->provider->settings->weight;
	}
	return weight;
}

static void settle(struct settled *s, enum err err,
		   const struct rpc_answer *answer)
{
	s->yes = true;
	s->err = answer && answer->kind == RPC_REVERT ? ERR_REFUSED : err;
	s->answer = answer;
}

static void settle_agree(struct ask *a, size_t call, uint64_t pending,
			 uint64_t now)
{
	uint64_t best = 0;
	size_t voices = 0, groups = 0;
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct rpc_answer *x = ask_vote(a, i, call, now);
		uint64_t weight = 0;
		bool first = true;
		if (!x)
			continue;
		voices++;
		for (size_t j = 0; j < a->n_slots; j++) {
			const struct rpc_answer *y = ask_vote(a, j, call, now);
			if (!y || !ask_same_answer(a, call, x, y))
				continue;
			weight += a->slots[j].provider->settings->weight;
			first &= j >= i;
		}
		groups += first;
		if (weight >= a->q->weight) {
			settle(&a->settled[call], OK, x);
			return;
		}
		best = weight > best ? weight : best;
	}
	if (best + pending < a->q->weight)
		settle(&a->settled[call],
		       voices > 1 && groups > 1 ? ERR_CONFLICT : ERR_IO, NULL);
}

static void settle_first(struct ask *a, size_t call, bool at_end, uint64_t now)
{
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct rpc_answer *x = ask_vote(a, i, call, now);
		if (x) {
			settle(&a->settled[call], OK, x);
			return;
		}
	}
	if (at_end)
		settle(&a->settled[call], ERR_IO, NULL);
}

static void settle_broadcast(struct ask *a, size_t call, bool at_end)
{
	const struct rpc_answer *failure = NULL;
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct slot *s = &a->slots[i];
		if (s->state != SLOT_ANSWERED)
			continue;
		const struct rpc_answer *x = &s->reply.answers[call];
		if (x->kind == RPC_RESULT || rpc_is_known(x->text)) {
			settle(&a->settled[call], OK, x);
			a->settled[call].err = OK;
			return;
		}
		failure = x;
	}
	if (at_end)
		settle(&a->settled[call], failure ? ERR_REFUSED : ERR_IO,
		       failure);
}

/* true: every call is settled. */
bool ask_settle(struct ask *a, uint64_t now)
{
	uint64_t pending = pending_weight(a, now);
	bool idle = false, all = true;
	for (size_t i = 0; i < a->n_slots; i++)
		idle |= a->slots[i].state == SLOT_IDLE;
	bool at_end = now >= a->deadline_ms ||
		      (!pending && !(idle && a->rule == QUORUM_FIRST));
	for (size_t call = 0; call < a->n; call++) {
		if (a->settled[call].yes)
			continue;
		switch (a->rule) {
		case QUORUM_AGREE:
			settle_agree(a, call, pending, now);
			break;
		case QUORUM_FIRST:
			settle_first(a, call, at_end, now);
			break;
		case QUORUM_BROADCAST:
			settle_broadcast(a, call, at_end);
			break;
		}
		all &= a->settled[call].yes;
	}
	return all;
}
