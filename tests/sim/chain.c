#include "tests/sim/chain.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/keccak.h"

void chain_init(struct sim_chain *c)
{
	struct sim_block *genesis = calloc(1, sizeof(*genesis));

	assert(genesis);
	memset(c->hatch.b, 0xaa, sizeof(c->hatch.b));
	memset(c->rollup.b, 0xbb, sizeof(c->rollup.b));
	for (unsigned i = 0; i < SIM_SEQUENCERS; i++) {
		memset(c->sequencers[i].b, 0x51, sizeof(c->sequencers[i].b));
		c->sequencers[i].b[19] = (uint8_t)i;
	}
	genesis->state.root = merkle_zero(MERKLE_DEPTH_MIN);
	genesis->header.form = HEADER_LONDON;
	genesis->header.time = SIM_GENESIS_S;
	genesis->header.base_fee = u256_from(SIM_BASE_FEE);
	genesis->ref.hash = header_hash(&genesis->header);
	genesis->ref.time = SIM_GENESIS_S;
	c->blocks[0] = genesis;
	c->firsts[0] = get_be(genesis->ref.hash.b, 8);
	c->n = 1;
	c->heads[0] = (struct sim_head){0, 0};
	c->n_heads = 1;
}

static void free_txs(struct sim_block *b)
{
	for (size_t t = 0; t < b->n_txs; t++) {
		buf_done(&b->txs[t].input);
		buf_done(&b->txs[t].data);
	}
}

void chain_done(struct sim_chain *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		struct sim_block *b = c->blocks[i];

		free_txs(b);
		free(b);
	}
	c->n = 0;
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

static void hash_state(const struct sim_state *s, struct hash32 *ret)
{
	*ret = keccak256(s, sizeof(*s));
}

static void put_txs(struct sim_block *b)
{
	struct buf all;

	buf_init(&all, SIM_TXS * sizeof(struct hash32));
	for (size_t i = 0; i < b->n_txs; i++) {
		struct sim_tx *tx = &b->txs[i];

		buf_add(&all, tx->hash.b, sizeof(tx->hash.b));
		if (!tx->has_log)
			continue;
		bloom_add(b->header.bloom, slice_of(tx->emitter.b, 20));
		for (size_t t = 0; t < tx->n_topics; t++)
			bloom_add(b->header.bloom,
				  slice_of(tx->topics[t].b, 32));
	}
	b->header.transactions_root = keccak256(all.p, all.len);
	b->header.receipts_root = b->header.transactions_root;
	buf_done(&all);
}

const char *contract_run(struct sim_chain *c, struct sim_block *b,
			 const struct sim_want *want, struct rng *rng);

/* A relayer's transaction stands in the block even if it reverts, once. */
static const char *run_raw(struct sim_chain *c, struct sim_block *b,
			   const struct sim_want *want, struct rng *rng)
{
	size_t before = b->n_txs;
	const char *why;

	if (b->state.nonces[want->relayer] != want->nonce)
		return "nonce";
	why = want->idle ? NULL : contract_run(c, b, want, rng);
	if (b->n_txs == before) {
		struct sim_tx *tx = &b->txs[b->n_txs++];

		buf_init(&tx->input, 1);
		buf_init(&tx->data, 1);
		tx->reverted = why != NULL;
	}
	b->txs[before].hash = want->hash;
	b->txs[before].from = c->relayers[want->relayer];
	b->state.nonces[want->relayer]++;
	return why;
}

const char *chain_try(struct sim_chain *c, unsigned head,
		      const struct sim_want *want)
{
	struct sim_block *b = calloc(1, sizeof(*b));
	struct rng rng = {0};
	const char *why;

	assert(b && want->call != CALL_COMMIT);
	*b = *c->blocks[head];
	b->n_txs = 0;
	memset(b->txs, 0, sizeof(b->txs));
	why = contract_run(c, b, want, &rng);
	free_txs(b);
	free(b);
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

/* Its header, and the hash of that. */
static void seal(struct sim_chain *c, struct sim_block *b)
{
	assert(b->ref.time > c->blocks[b->parent]->ref.time);
	b->header.form = HEADER_LONDON;
	b->header.parent = b->ref.parent;
	b->header.number = b->ref.number;
	b->header.time = b->ref.time;
	b->header.gas_limit = ++c->salt;
	b->header.base_fee = u256_from(SIM_BASE_FEE);
	hash_state(&b->state, &b->header.state_root);
	put_txs(b);
	b->ref.hash = header_hash(&b->header);
}

static unsigned add(struct sim_chain *c, struct sim_block *b)
{
	assert(c->n < SIM_BLOCKS);
	c->blocks[c->n] = b;
	c->firsts[c->n] = get_be(b->ref.hash.b, 8);
	return c->n++;
}

unsigned chain_mine(struct sim_chain *c, unsigned parent, uint64_t time,
		    const struct sim_want *wants, size_t n, struct rng *rng,
		    const char **refused)
{
	struct sim_block *b = new_block(c, parent);

	assert(n <= SIM_TXS);
	b->ref.time = time;
	for (size_t i = 0; i < n; i++)
		refused[i] = wants[i].is_raw
				     ? run_raw(c, b, &wants[i], rng)
				     : contract_run(c, b, &wants[i], rng);
	seal(c, b);
	return add(c, b);
}

static struct sim_tx copy_tx(const struct sim_tx *from)
{
	struct sim_tx tx = *from;

	buf_init(&tx.input, from->input.max);
	buf_init(&tx.data, from->data.max);
	buf_add_slice(&tx.input, buf_slice(&from->input));
	buf_add_slice(&tx.data, buf_slice(&from->data));
	return tx;
}

unsigned chain_forge(struct sim_chain *c, unsigned parent,
		     const struct sim_forgery *what)
{
	const struct sim_block *like = c->blocks[what->like];
	struct sim_block *b = new_block(c, parent);

	b->forger = what->by;
	b->ref.time = like->ref.time + what->later_s;
	for (size_t i = 0; !what->empty && i < like->n_txs; i++)
		b->txs[b->n_txs++] = copy_tx(&like->txs[i]);
	if (!what->empty)
		b->state = like->state;
	seal(c, b);
	if (what->unhashed)
		b->ref.hash = keccak256(b->ref.hash.b, sizeof(b->ref.hash.b));
	return add(c, b);
}
