/* Storage and calls as a simulated endpoint tells them. */
#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/keccak.h"
#include "abi/words.h"
#include "tests/sim/provider_inside.h"

/* ---- state ---- */

void provider_error(struct view *v, int code, const char *text)
{
	struct json_writer *w = &v->w;

	json_begin(w, "error");
	json_put_u64(w, "code", (uint64_t)code);
	json_put_string(w, "message", text);
	json_end(w);
}

/* The state at the block of an EIP-1898 parameter, bent by the lie. */
bool provider_state_at(struct view *v, const json_node *at,
		       struct sim_state *ret)
{
	struct json_reader r = {0};
	struct shown s = provider_show(v, json_hash(&r, at, "blockHash"));
	unsigned block = s.block;
	uint64_t number;

	assert(!r.failed);
	if (!s.known) {
		provider_error(v, 1, "header not found");
		return false;
	}
	number = v->c->blocks[block]->ref.number;
	if (v->p->lie == LIE_OLD_STATE)
		block = chain_ancestor(v->c, block,
				       number > 20 ? number - 20 : 1);
	*ret = v->c->blocks[block]->state;
	if (v->p->lie == LIE_LAST_COMMIT_LONG_AGO && ret->last_at > LATER_S)
		ret->last_at -= LATER_S;
	if (v->p->lie == LIE_LAST_COMMIT_NOW)
		ret->last_at = s.header.time;
	if (v->p->lie == LIE_OTHER_STANDBYS && ret->n_standbys > 1) {
		unsigned first = ret->standbys[0];

		ret->standbys[0] = ret->standbys[1];
		ret->standbys[1] = first;
	}
	return true;
}

struct word {
	struct hash32 bytes;
};

static void place(struct hash32 *w, size_t offset, size_t len, uint64_t value)
{
	size_t n = len < 8 ? len : 8;

	put_be(w->b + 32 - offset - n, value, n);
}

#define PLACE(w, name, value) place(w, OFF_##name, LEN_##name, value)

static struct hash32 hatch_word(const struct sim_chain *c,
				const struct sim_state *s, uint64_t slot)
{
	const struct hatch_terms *t = &c->terms;
	const struct hatch_thresholds *n = &c->thresholds;
	struct hash32 w = {{0}};

	switch (slot) {
	case SLOT_ESCAPEHATCH_EPOCH:
		PLACE(&w, ESCAPEHATCH_EPOCH, s->epoch);
		PLACE(&w, ESCAPEHATCH_PROMOTED_AT, s->promoted_at);
		PLACE(&w, ESCAPEHATCH_OPENED_AT, s->opened_at);
		break;
	case SLOT_ESCAPEHATCH_TERMS:
		PLACE(&w, TERMS_SLA_WINDOW, t->sla_window);
		PLACE(&w, TERMS_FAILOVER_WINDOW, t->failover_window);
		PLACE(&w, TERMS_INCLUSION_WINDOW, t->inclusion_window);
		PLACE(&w, TERMS_HARD_DEADLINE, t->hard_deadline);
		PLACE(&w, TERMS_NOTICE, t->notice);
		PLACE(&w, TERMS_FINALITY, t->finality);
		PLACE(&w, TERMS_ROUND, t->round);
		break;
	case SLOT_ESCAPEHATCH_THRESHOLDS:
		PLACE(&w, THRESHOLDS_PROMOTE, n->promote);
		PLACE(&w, THRESHOLDS_OPEN, n->open);
		PLACE(&w, THRESHOLDS_RESUME, n->resume);
		PLACE(&w, THRESHOLDS_AMEND, n->amend);
		break;
	default:
		break;
	}
	return w;
}

static struct hash32 rollup_word(const struct sim_chain *c,
				 const struct sim_state *s, uint64_t slot)
{
	struct hash32 w = {{0}};

	switch (slot) {
	case SLOT_SOVEREIGNROLLUP_ROOT:
		return s->root;
	case SLOT_SOVEREIGNROLLUP_COUNT:
		PLACE(&w, SOVEREIGNROLLUP_COUNT, s->count);
		PLACE(&w, SOVEREIGNROLLUP_LAST_AT, s->last_at);
		PLACE(&w, SOVEREIGNROLLUP_LEAF_COUNT, s->leaf_count);
		break;
	case SLOT_SOVEREIGNROLLUP_SEQUENCER:
		memcpy(w.b + 32 - OFF_SOVEREIGNROLLUP_SEQUENCER - 20,
		       c->sequencers[s->active].b, 20);
		PLACE(&w, SOVEREIGNROLLUP_STATE, s->state);
		PLACE(&w, SOVEREIGNROLLUP_OPENINGS, s->openings);
		break;
	case SLOT_SOVEREIGNROLLUP_SLA_BOND:
		put_be(w.b + 24, 1000000, 8);
		break;
	default:
		break;
	}
	return w;
}

void provider_storage(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct address at = json_address(&r, json_at(params, 0), NULL);
	struct hash32 slot = json_hash(&r, json_at(params, 1), NULL), word;
	struct sim_state s;

	assert(!r.failed);
	if (!provider_state_at(v, json_at(params, 2), &s))
		return;
	word = address_eq(at, v->c->hatch)
		       ? hatch_word(v->c, &s, get_be(slot.b + 24, 8))
		       : rollup_word(v->c, &s, get_be(slot.b + 24, 8));
	if (v->p->lie == LIE_RANDOM_WORDS)
		word = keccak256(word.b, sizeof(word.b));
	json_put_hash(&v->w, "result", word);
}

static void put_lists(const struct sim_chain *c, const struct sim_state *s,
		      uint32_t selector, struct buf *to)
{
	struct address standbys[SIM_SEQUENCERS];

	switch (selector) {
	case SEL_ESCAPEHATCH_GUARDIANS:
		abi_put_u64(to, 5 * ABI_WORD);
		abi_put_u64(to, c->thresholds.promote);
		abi_put_u64(to, c->thresholds.open);
		abi_put_u64(to, c->thresholds.resume);
		abi_put_u64(to, c->thresholds.amend);
		abi_put_addresses(to, c->guardians, c->n_guardians);
		break;
	case SEL_ESCAPEHATCH_STANDBYS:
		for (unsigned i = 0; i < s->n_standbys; i++)
			standbys[i] = c->sequencers[s->standbys[i]];
		abi_put_u64(to, ABI_WORD);
		abi_put_addresses(to, standbys, s->n_standbys);
		break;
	case SEL_ESCAPEHATCH_ROLLUP:
		abi_put_address(to, c->rollup);
		break;
	case SEL_SOVEREIGNROLLUP_HATCH:
		abi_put_address(to, c->hatch);
		break;
	case SEL_SOVEREIGNROLLUP_VAULT:
		abi_put_u64(to, UINT64_MAX);
		break;
	default: /* overdue(): nothing; terms(): looked at for being there */
		abi_put_u64(to, 0);
		break;
	}
}

void provider_call(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct sim_state s;
	struct buf data, answer;

	buf_init(&data, 4096);
	buf_init(&answer, 8192);
	json_bytes(&r, json_at(params, 0), "data", &data);
	assert(!r.failed && data.len >= 4);
	if (provider_state_at(v, json_at(params, 1), &s)) {
		put_lists(v->c, &s, (uint32_t)get_be(data.p, 4), &answer);
		if (v->p->lie == LIE_EMPTY_CALLS)
			buf_clear(&answer);
		json_put_hex(&v->w, "result", answer.p, answer.len);
	}
	buf_done(&data);
	buf_done(&answer);
}
