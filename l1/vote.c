/* A call of an ask is settled when slots of enough weight gave the same
 * answer, or no longer can. */
#include "l1/ask.h"

#include <string.h>

/* ---- one answer against another ------------------------------------------ */

bool ask_is_median(const struct ask *a)
{
	return a->rule == QUORUM_LOW || a->rule == QUORUM_HIGH;
}

static bool read_quantity(const struct ask *a, size_t call,
			  const struct rpc_answer *answer, uint64_t *ret)
{
	struct json_reader r = {0};
	const struct rpc_call *c = &a->calls[call];
	if (answer->kind != RPC_RESULT)
		return false;
	*ret = json_quantity(&r, answer->result, NULL);
	return !r.failed && *ret >= c->least && (!c->most || *ret <= c->most);
}

bool ask_is_vote(const struct ask *a, size_t call,
		 const struct rpc_answer *answer)
{
	uint64_t value;
	if (ask_is_median(a) && answer->kind == RPC_RESULT)
		return read_quantity(a, call, answer, &value);
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

static uint64_t pending_weight(const struct ask *a, uint64_t now)
{
	uint64_t weight = 0;
	if (now >= a->deadline_ms)
		return 0;
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct slot *s = &a->slots[i];
		bool asked = s->state == SLOT_SENT || s->state == SLOT_WAITS;
		bool hoped = s->state == SLOT_IDLE && a->rule == QUORUM_AGREE &&
			     (provider_is_new(s->provider) ||
			      provider_usable(s->provider, now));
		bool counts = a->rule == QUORUM_BROADCAST ||
			      a->rule == QUORUM_PROVED ||
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

struct bid { /* a quantity that somebody named */
	uint64_t value, weight;
	const struct rpc_answer *answer;
};

/* In ascending order. */
static size_t gather_bids(const struct ask *a, size_t call, uint64_t now,
			  struct bid *bids)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct rpc_answer *x = ask_vote(a, i, call, now);
		struct bid bid = {.answer = x};
		if (!x || !read_quantity(a, call, x, &bid.value))
			continue;
		bid.weight = a->slots[i].provider->settings->weight;
		size_t at = n++;
		for (; at && bids[at - 1].value > bid.value; at--)
			bids[at] = bids[at - 1];
		bids[at] = bid;
	}
	return n;
}

/* The highest of a quorum that are within an eighth of it: one of them is
 * honest.  NULL: there are no such. */
static const struct rpc_answer *near_quorum(const struct bid *bids, size_t n,
					    uint64_t quorum)
{
	for (size_t i = n; i-- > 0;) {
		uint64_t weight = 0;
		for (size_t j = 0; j <= i; j++)
			if (bids[j].value >= bids[i].value - bids[i].value / 8)
				weight += bids[j].weight;
		if (weight >= quorum)
			return bids[i].answer;
	}
	return NULL;
}

static const struct rpc_answer *median(const struct bid *bids, size_t n,
				       uint64_t total, bool high)
{
	uint64_t below = 0;
	for (size_t i = 0; i < n; i++) {
		below += bids[i].weight;
		if (high ? 2 * below > total : 2 * below >= total)
			return bids[i].answer;
	}
	return NULL;
}

struct reverts {	 /* of those who say that a call reverts */
	uint64_t weight; /* all of them */
	const struct rpc_answer *agreed; /* what a quorum tells; NULL: none */
};

static struct reverts count_reverts(const struct ask *a, size_t call,
				    uint64_t now)
{
	struct reverts r = {0};
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct rpc_answer *x = ask_vote(a, i, call, now);
		uint64_t weight = 0;
		if (!x || x->kind != RPC_REVERT)
			continue;
		r.weight += a->slots[i].provider->settings->weight;
		for (size_t j = 0; j < a->n_slots; j++) {
			const struct rpc_answer *y = ask_vote(a, j, call, now);
			if (y && ask_same_answer(a, call, x, y))
				weight +=
					a->slots[j].provider->settings->weight;
		}
		if (weight >= a->q->weight)
			r.agreed = x;
	}
	return r;
}

static void settle_median(struct ask *a, size_t call, bool at_end, uint64_t now)
{
	struct bid bids[QUORUM_PROVIDERS_MAX];
	size_t n = gather_bids(a, call, now, bids);
	uint64_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += bids[i].weight;
	const struct rpc_answer *best = near_quorum(bids, n, a->q->weight);
	struct reverts reverts = count_reverts(a, call, now);
	if (!best)
		best = reverts.agreed;
	bool moment = now >= a->hedge_ms;
	bool waited = moment && total >= a->q->weight;
	if (!best && (at_end || waited))
		best = median(bids, n, total, a->rule == QUORUM_HIGH);
	/* It reverts; why is for none of them to say alone. */
	if (!best && reverts.weight >= a->q->weight && (at_end || moment))
		settle(&a->settled[call], ERR_REFUSED, NULL);
	else if (best || at_end)
		settle(&a->settled[call], best ? OK : ERR_IO, best);
}

static void settle_broadcast(struct ask *a, size_t call, bool at_end)
{
	const struct rpc_answer *failure = NULL;
	bool silent = false;
	for (size_t i = 0; i < a->n_slots; i++) {
		const struct slot *s = &a->slots[i];
		silent |= s->state == SLOT_SENT || s->reached;
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
	if (at_end && failure && silent)
		a->settled[call].err = ERR_CONFLICT;
}

/* ---- proofs --------------------------------------------------------------
 */

/* Else why not: an error, or a method that it does not have. */
static bool is_answered(struct ask *a, struct slot *s, uint64_t now)
{
	const struct rpc_answer *failed = NULL;
	for (size_t call = 0; call < a->n; call++) {
		const struct rpc_answer *x = &s->reply.answers[call];
		if (x->kind == RPC_RESULT)
			continue;
		failed = x;
		if (!a->lacks || strcmp(a->calls[call].method, a->lacks) ||
		    !rpc_is_lacking(x->text))
			continue;
		provider_lacks(s->provider, a->lacks, now);
		break;
	}
	if (failed)
		err_text_set(&s->why, "%.100s", failed->text);
	return !failed;
}

static void verify_slot(struct ask *a, struct slot *s, uint64_t now)
{
	const json_node *results[QUORUM_CALLS_MAX];
	s->judged = true;
	s->proved = PROVED_SHAPE;
	if (!is_answered(a, s, now))
		return;
	for (size_t call = 0; call < a->n; call++)
		results[call] = s->reply.answers[call].result;
	s->proved = a->verify(a->ctx, results, a->n, &s->why);
}

/* Another has told the truth, so it can be told. */
static void accuse_false(struct ask *a, const struct slot *good, uint64_t now)
{
	for (size_t i = 0; i < a->n_slots; i++) {
		struct slot *s = &a->slots[i];
		if (s->judged && s->proved == PROVED_FALSE)
			ask_accuse_proof(a, s, good, now);
	}
}

static void settle_proved(struct ask *a, bool at_end, uint64_t now)
{
	const struct slot *good = NULL;
	for (size_t i = 0; i < a->n_slots && !good; i++) {
		struct slot *s = &a->slots[i];
		if (s->state != SLOT_ANSWERED)
			continue;
		if (!s->judged)
			verify_slot(a, s, now);
		good = s->proved == PROVED ? s : NULL;
	}
	if (good)
		accuse_false(a, good, now);
	for (size_t call = 0; call < a->n && (good || at_end); call++)
		settle(&a->settled[call], good ? OK : ERR_IO,
		       good ? &good->reply.answers[call] : NULL);
}

/* true: every call is settled. */
bool ask_settle(struct ask *a, uint64_t now)
{
	uint64_t pending = pending_weight(a, now);
	bool idle = false, all = true;
	for (size_t i = 0; i < a->n_slots; i++)
		idle |= a->slots[i].state == SLOT_IDLE;
	bool at_end = now >= a->deadline_ms ||
		      (!pending && !(idle && a->rule == QUORUM_PROVED));
	if (a->rule == QUORUM_PROVED)
		settle_proved(a, at_end, now);
	for (size_t call = 0; call < a->n; call++) {
		if (a->settled[call].yes)
			continue;
		switch (a->rule) {
		case QUORUM_AGREE:
			settle_agree(a, call, pending, now);
			break;
		case QUORUM_PROVED:
			break;
		case QUORUM_LOW:
		case QUORUM_HIGH:
			settle_median(a, call, at_end, now);
			break;
		case QUORUM_BROADCAST:
			settle_broadcast(a, call, at_end);
			break;
		}
		all &= a->settled[call].yes;
	}
	return all;
}
