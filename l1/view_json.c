/* A provider of the view, as watcher and relayer show it. */
#include "l1/l1.h"

static void put_faults(const struct l1_provider_view *p, struct json_writer *w)
{
	json_begin(w, "failures");
	for (size_t i = 0; i < FAULT_KINDS; i++)
		if (p->faults[i])
			json_put_u64(w, fault_name((enum fault)i),
				     p->faults[i]);
	json_end(w);
}

static void put_provider(const struct l1_provider_view *p,
			 struct json_writer *w)
{
	json_begin(w, NULL);
	json_put_string(w, "name", p->name);
	json_put_string(w, "state", p->state);
	json_put_string(w, "why", p->why);
	json_put_string(w, "lacks", p->lacks);
	json_put_bool(w, "agrees", p->agrees);
	json_put_u64(w, "head", p->head);
	json_put_u64(w, "latency_ms", p->latency_ms);
	put_faults(p, w);
	json_put_u64(w, "expulsions", p->expulsions);
	if (p->expelled_at) {
		json_begin(w, "expelled");
		json_put_u64(w, "since", p->expelled_at);
		json_put_u64(w, "until", p->expelled_until);
		json_put_string(w, "kind", p->expelled_for);
		if (p->evidence)
			json_put_u64(w, "evidence", p->evidence);
		json_end(w);
	}
	json_end(w);
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static void put_block(struct json_writer *w, const char *key,
		      const struct l1_view *v, const struct block_ref *b)
{
	if (hash_is_zero(b->hash)) {
		json_put_null(w, key);
		return;
	}
	json_begin(w, key);
	json_put_u64(w, "number", b->number);
	json_put_hash(w, "hash", b->hash);
	json_put_u64(w, "time", b->time);
	json_put_u64(w, "age", between(b->time, v->unix_s));
	json_put_u64(w, "lag", between(b->time, v->head.time));
	json_end(w);
}

static void put_agreement(struct json_writer *w, const struct l1_view *v)
{
	json_begin(w, "agree");
	json_put_u64(w, "weight", v->agree);
	json_put_u64(w, "quorum", v->quorum);
	json_begin_array(w, "without");
	for (size_t i = 0; i < v->n; i++)
		if (!v->providers[i].agrees)
			json_put_string(w, NULL, v->providers[i].name);
	json_end_array(w);
	json_end(w);
}

void l1_view_json(const struct l1_view *v, const char *follow_proofs,
		  struct json_writer *w)
{
	json_begin(w, "l1");
	json_put_bool(w, "healthy", v->healthy);
	json_put_string(w, "why", v->why);
	put_block(w, "head", v, &v->head);
	put_block(w, "safe", v, &v->safe);
	put_block(w, "finalized", v, &v->finalized);
	put_block(w, "acted", v, &v->acted);
	json_put_string(w, "depth", v->depth);
	json_put_string(w, "depth_why", v->depth_why);
	json_put_amount(w, "base_fee", u256_from(v->base_fee));
	put_agreement(w, v);
	json_put_string(w, "headers", v->headers);
	json_put_string(w, "proofs", v->proofs);
	json_put_string(w, "follow_proofs", follow_proofs);
	json_put_string(w, "clock", v->clock);
	json_begin_array(w, "providers");
	for (size_t i = 0; i < v->n; i++)
		put_provider(&v->providers[i], w);
	json_end_array(w);
	json_end(w);
}
