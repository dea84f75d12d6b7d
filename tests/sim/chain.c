#include "tests/sim/chain.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/keccak.h"
#include "abi/tx.h"
#include "tests/sim/state.h"

static unsigned add(struct sim_chain *c, struct sim_block *b)
{
	assert(c->n < SIM_BLOCKS);
	c->blocks[c->n] = b;
	c->firsts[c->n] = get_be(b->ref.hash.b, 8);
	return c->n++;
}

/* Its header, and the hash of that. */
static void seal(struct sim_chain *c, struct sim_block *b)
{
	struct header *h = &b->header;

	b->tries = state_tries(c, &b->state,
			       c->n ? c->blocks[b->parent]->tries : NULL);
	h->form = HEADER_LONDON;
	h->parent = b->ref.parent;
	h->number = b->ref.number;
	h->time = b->ref.time;
	h->gas_limit = ++c->salt;
	h->base_fee = u256_from(SIM_BASE_FEE);
	h->state_root = b->tries->accounts.root;
	body_seal(b);
	b->ref.hash = header_hash(h);
}

void chain_init(struct sim_chain *c, unsigned n_standbys)
{
	struct sim_block *genesis = calloc(1, sizeof(*genesis));
	struct sim_state *s = &genesis->state;

	assert(genesis);
	memset(c->hatch.b, 0xaa, sizeof(c->hatch.b));
	memset(c->rollup.b, 0xbb, sizeof(c->rollup.b));
	memset(c->judge.b, 0xcc, sizeof(c->judge.b));
	state_deploy(c);
	memcpy(c->relayers, c->accounts, sizeof(c->relayers));
	memcpy(c->sequencers, c->accounts + SIM_RELAYERS,
	       sizeof(c->sequencers));
	s->root = merkle_zero(MERKLE_DEPTH_MIN);
	s->n_standbys = n_standbys;
	for (unsigned i = 0; i < n_standbys; i++)
		s->standbys[i] = i + 1;
	genesis->ref.time = SIM_GENESIS_S;
	seal(c, genesis);
	(void)add(c, genesis);
	c->heads[0] = (struct sim_head){0, 0};
	c->n_heads = 1;
}

static void free_block(struct sim_block *b)
{
	for (size_t t = 0; t < b->n_txs && !b->forger; t++)
		body_free(b->txs[t]);
	buf_done(&b->text);
	free(b);
}

void chain_done(struct sim_chain *c)
{
	for (unsigned i = 0; i < c->n; i++)
		free_block(c->blocks[i]);
	c->n = 0;
	state_free(c);
}

void chain_set_head(struct sim_chain *c, unsigned block, uint64_t at_ms)
{
	assert(c->n_heads < SIM_BLOCKS);
	c->heads[c->n_heads++] = (struct sim_head){at_ms, block};
}

unsigned chain_head_at(const struct sim_chain *c, uint64_t at_ms)
{
	unsigned i = c->n_heads;

	while (--i > 0)
		if (c->heads[i].at_ms <= at_ms)
			break;
	return c->heads[i].block;
}

unsigned chain_ancestor(const struct sim_chain *c, unsigned block,
			uint64_t number)
{
	while (c->blocks[block]->ref.number > number)
		block = c->blocks[block]->parent;
	return block;
}

unsigned chain_acted(const struct sim_chain *c, unsigned head)
{
	uint64_t number = c->blocks[head]->ref.number;

	return chain_ancestor(c, head,
			      number > c->depth ? number - c->depth : 0);
}

int chain_find(const struct sim_chain *c, struct hash32 hash)
{
	uint64_t first = get_be(hash.b, 8);

	for (unsigned i = c->n; i-- > 0;)
		if (c->firsts[i] == first &&
		    hash_eq(c->blocks[i]->ref.hash, hash))
			return (int)i;
	return -1;
}

bool chain_on_branch(const struct sim_chain *c, unsigned block, unsigned head)
{
	return chain_ancestor(c, head, c->blocks[block]->ref.number) == block;
}

bool chain_in_failover(const struct sim_chain *c, const struct sim_state *s,
		       uint64_t now)
{
	return s->promoted_at > s->last_at &&
	       now <= s->promoted_at + c->terms.failover_window;
}

bool chain_late(const struct sim_chain *c, const struct sim_state *s,
		uint64_t now)
{
	return s->state == ROLLUP_RUNNING && s->last_at &&
	       now > s->last_at + c->terms.sla_window &&
	       !chain_in_failover(c, s, now);
}

const char *contract_run(struct sim_chain *c, struct sim_block *b,
			 const struct sim_want *want, struct rng *rng);

/* A relayer's transaction stands in the block even if it reverts, once. */
static const char *run_raw(struct sim_chain *c, struct sim_block *b,
			   const struct sim_want *want, struct rng *rng)
{
	size_t before = b->n_txs;
	const char *why;
	struct sim_tx *tx;

	if (b->state.nonces[want->relayer] != want->nonce)
		return "nonce";
	why = want->idle ? NULL : contract_run(c, b, want, rng);
	if (b->n_txs == before)
		body_new(b);
	tx = b->txs[before];
	tx->reverted = why != NULL;
	buf_add_slice(&tx->raw, want->raw);
	tx->hash = tx_hash(want->raw);
	tx->from = c->relayers[want->relayer];
	b->state.nonces[want->relayer]++;
	return why;
}

const char *chain_try(struct sim_chain *c, unsigned head,
		      const struct sim_want *want)
{
	struct sim_block *b = malloc(sizeof(*b));
	struct rng rng = {0};
	const char *why;

	assert(b && want->call != CALL_COMMIT && want->is_raw);
	*b = *c->blocks[head];
	b->forger = NULL;
	b->n_txs = 0;
	b->text = (struct buf){0};
	why = contract_run(c, b, want, &rng);
	free_block(b);
	return why;
}

static struct sim_block *new_block(const struct sim_chain *c, unsigned parent)
{
	const struct sim_block *before = c->blocks[parent];
	struct sim_block *b = calloc(1, sizeof(*b));

	assert(b);
	b->parent = parent;
	b->state = before->state;
	b->ref.number = before->ref.number + 1;
	b->ref.parent = before->ref.hash;
	return b;
}

unsigned chain_mine(struct sim_chain *c, unsigned parent, uint64_t time,
		    const struct sim_want *wants, size_t n, struct rng *rng,
		    const char **refused)
{
	struct sim_block *b = new_block(c, parent);

	assert(n <= SIM_TXS && time > c->blocks[parent]->ref.time);
	b->ref.time = time;
	for (size_t i = 0; i < n; i++)
		refused[i] = wants[i].is_raw
				     ? run_raw(c, b, &wants[i], rng)
				     : contract_run(c, b, &wants[i], rng);
	seal(c, b);
	return add(c, b);
}

unsigned chain_forge(struct sim_chain *c, unsigned parent,
		     const struct sim_forgery *what)
{
	const struct sim_block *like = c->blocks[what->like];
	struct sim_block *b = new_block(c, parent);

	b->forger = what->by;
	b->ref.time = like->ref.time + what->later_s;
	if (!what->empty) {
		b->state = like->state;
		b->n_txs = like->n_txs;
		memcpy(b->txs, like->txs, sizeof(b->txs));
	}
	seal(c, b);
	if (what->unhashed)
		b->ref.hash = keccak256(b->ref.hash.b, sizeof(b->ref.hash.b));
	return add(c, b);
}
