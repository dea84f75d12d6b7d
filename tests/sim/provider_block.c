/* Blocks as a simulated endpoint tells them, and the chain that a liar tells
 * instead. */
#include <assert.h>

#include "abi/keccak.h"
#include "tests/sim/provider_inside.h"

#define AHEAD	      12 /* blocks above the head that nobody mined */
#define BEHIND	      10
#define OLD_FINALIZED 30
#define TEXT_MAX      8192
#define BLOCK_S	      4
#define FORGED_MAX    (SIM_BLOCKS / 2) /* then it tells the truth */

bool provider_lies(struct view *v, enum sim_lie lie)
{
	v->p->played |= v->p->lie == lie;
	return v->p->lie == lie;
}

void provider_lie(struct sim_provider *p, enum sim_lie lie,
		  uint64_t from_number)
{
	p->lie = lie;
	p->lie_number = from_number;
	memset(p->forged, 0, sizeof(p->forged));
}

/* ---- a chain of its own ---- */

/* What it tells for this block and all before it; 0: has none yet. */
static unsigned told(const struct sim_chain *c, const struct sim_provider *p,
		     unsigned block)
{
	if (c->blocks[block]->ref.number <= p->lie_number)
		return block;
	return p->forged[block];
}

static unsigned fork_to(struct sim_chain *c, struct sim_provider *p,
			unsigned head)
{
	struct sim_forgery what = {.by = p,
				   .empty = p->lie == LIE_STALL_FORK,
				   .unhashed = p->lie == LIE_OTHER_HASH};
	unsigned path[SIM_BLOCKS], n = 0, at = head;

	for (; !told(c, p, at) && at; at = c->blocks[at]->parent)
		path[n++] = at;
	at = told(c, p, at);
	while (n--) {
		what.like = path[n];
		at = p->forged[path[n]] = chain_forge(c, at, &what);
	}
	p->played |= at != head;
	return at;
}

static unsigned run_ahead(struct sim_chain *c, struct sim_provider *p,
			  unsigned head)
{
	struct sim_forgery what = {.by = p, .like = head, .empty = true};
	unsigned at = head;

	p->played = true;
	while (!p->forged[head] && what.later_s < AHEAD * BLOCK_S) {
		what.later_s += BLOCK_S;
		at = chain_forge(c, at, &what);
	}
	if (!p->forged[head])
		p->forged[head] = at;
	return p->forged[head];
}

static unsigned back(const struct sim_chain *c, unsigned from, uint64_t blocks)
{
	uint64_t number = c->blocks[from]->ref.number;

	return chain_ancestor(c, from, number > blocks ? number - blocks : 0);
}

unsigned provider_earlier(const struct view *v, unsigned block, uint64_t blocks)
{
	return back(v->c, block, blocks);
}

unsigned provider_head(struct sim_chain *c, struct sim_provider *p,
		       unsigned head)
{
	switch (p->lie) {
	case LIE_OLDER_HEAD:
		p->played = true;
		return back(c, head, BEHIND);
	case LIE_NEWER_HEAD:
		return c->n < FORGED_MAX ? run_ahead(c, p, head) : head;
	case LIE_OTHER_HASH:
	case LIE_OWN_CHAIN:
	case LIE_STALL_FORK:
		return c->n < FORGED_MAX ? fork_to(c, p, head) : head;
	default:
		return head;
	}
}

/* ---- one block ---- */

static struct shown show(struct view *v, unsigned block)
{
	const struct sim_block *b = v->c->blocks[block];
	struct shown s = {.known = true,
			  .block = block,
			  .hash = b->ref.hash,
			  .header = b->header};

	if (!b->ref.number)
		return s;
	if (provider_lies(v, LIE_LATER_TIME))
		s.header.time += LATER_S;
	if (provider_lies(v, LIE_EARLIER_TIME))
		s.header.time = SIM_GENESIS_S;
	if (provider_lies(v, LIE_OTHER_PARENT))
		s.header.parent = keccak256(s.header.parent.b, 32);
	if (provider_lies(v, LIE_NO_BLOOM))
		memset(s.header.bloom, 0, sizeof(s.header.bloom));
	return s;
}

struct shown provider_show_number(struct view *v, uint64_t number)
{
	if (number > v->c->blocks[v->head]->ref.number)
		return (struct shown){0};
	return show(v, chain_ancestor(v->c, v->head, number));
}

static struct shown show_finalized(struct view *v)
{
	uint64_t depth = v->c->depth;

	if (provider_lies(v, LIE_STALE_FINALIZED))
		depth += OLD_FINALIZED;
	if (provider_lies(v, LIE_EAGER_FINALIZED))
		depth = 0;
	return show(v, back(v->c, v->head, depth));
}

struct shown provider_show(struct view *v, struct hash32 hash)
{
	int block = chain_find(v->c, hash);
	const struct sim_block *b = block < 0 ? NULL : v->c->blocks[block];

	if (!b || (b->forger && b->forger != v->p) ||
	    b->ref.number > v->c->blocks[v->head]->ref.number) {
		v->moves = true;
		return (struct shown){0};
	}
	return show(v, (unsigned)block);
}

static void put_header(struct json_writer *w, const struct header *h)
{
	json_put_hash(w, "parentHash", h->parent);
	json_put_hash(w, "sha3Uncles", h->uncles_hash);
	json_put_address(w, "miner", h->miner);
	json_put_hash(w, "stateRoot", h->state_root);
	json_put_hash(w, "transactionsRoot", h->transactions_root);
	json_put_hash(w, "receiptsRoot", h->receipts_root);
	json_put_hex(w, "logsBloom", h->bloom, sizeof(h->bloom));
	json_put_quantity(w, "difficulty", u256_u64(h->difficulty));
	json_put_quantity(w, "number", h->number);
	json_put_quantity(w, "gasLimit", h->gas_limit);
	json_put_quantity(w, "gasUsed", h->gas_used);
	json_put_quantity(w, "timestamp", h->time);
	json_put_hex(w, "extraData", h->extra.p, h->extra.len);
	json_put_hash(w, "mixHash", h->mix_hash);
	json_put_hex(w, "nonce", h->nonce, sizeof(h->nonce));
	json_put_quantity(w, "baseFeePerGas", u256_u64(h->base_fee));
}

static void put_object(struct view *v, const struct shown *s, const char *key,
		       bool whole)
{
	struct json_writer *w = &v->w;
	const struct sim_block *b = v->c->blocks[s->block];

	json_begin(w, key);
	json_put_hash(w, "hash", s->hash);
	put_header(w, &s->header);
	json_begin_array(w, "transactions");
	for (size_t i = 0; i < b->n_txs; i++) {
		if (whole)
			provider_put_tx(v, s, i);
		else
			json_put_hash(w, NULL, b->txs[i]->hash);
	}
	json_end_array(w);
	json_begin_array(w, "uncles");
	json_end_array(w);
	json_end(w);
}

/* Truly told, it is the same text again and again. */
static void put_block(struct view *v, const struct shown *s, bool whole)
{
	struct buf *text = &v->c->blocks[s->block]->text;
	struct view other = *v;

	if (!s->known || (s->header.number && provider_lies(v, LIE_NULLS))) {
		json_put_null(&v->w, "result");
		return;
	}
	if (whole || v->p->lie) {
		put_object(v, s, "result", whole);
		return;
	}
	if (!text->len) {
		buf_init(text, TEXT_MAX);
		other.w = json_writer(text);
		put_object(&other, s, NULL, false);
	}
	json_put_raw(&v->w, "result", buf_slice(text));
}

static bool is_whole(const json_node *params)
{
	struct json_reader r = {0};
	bool whole = json_bool(&r, json_at(params, 1), NULL);

	assert(!r.failed);
	return whole;
}

void provider_block_by_number(struct view *v, const json_node *params)
{
	struct json_reader r = {0}, n = {0};
	const char *tag = json_string(&r, json_at(params, 0), NULL, 32);
	bool tags = !strcmp(tag, "finalized") || !strcmp(tag, "safe");
	struct shown s;

	assert(!r.failed);
	if (tags && v->p->lacks_tags) {
		provider_error(v, 1, "invalid block number");
		return;
	}
	if (!strcmp(tag, "latest"))
		s = show(v, v->head);
	else if (tags)
		s = show_finalized(v);
	else
		s = provider_show_number(
			v, json_quantity(&n, json_at(params, 0), NULL));
	put_block(v, &s, is_whole(params));
}

void provider_block_by_hash(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct shown s =
		provider_show(v, json_hash(&r, json_at(params, 0), NULL));

	assert(!r.failed);
	put_block(v, &s, is_whole(params));
}
