/* Whatever was undone on the way, at the end a node is what one is that saw the
 * final chain only: one is really started on it, and the stores compared. */
#include "abi/keccak.h"
#include "tests/sim/world.h"

#define CATCH_UP_MS 300000
#define PATIENCE_MS 45000
#define NEAR	    10 /* blocks */

/* Every table that follows from L1 alone.  Of the first only what both keep:
 * who reads deep history by ranges keeps the blocks that left something. */
#define BLOCKS 0
static const struct {
	const char *name;
	bool integer_keys, raw;
} tables[] = {
	{"blocks", true, false},  {"history", false, false},
	{"records", true, true},  {"owners", false, true},
	{"journal", true, false}, {"sums", false, false},
	{"ledger", false, false},
};

struct content {
	struct keccak sum;
	size_t n;
};

static bool visit(void *ctx, struct slice key, struct slice value)
{
	struct content *c = ctx;
	uint8_t lengths[16];

	put_be(lengths, key.len, 8);
	put_be(lengths + 8, value.len, 8);
	keccak_add(&c->sum, lengths, sizeof(lengths));
	keccak_add(&c->sum, key.p, key.len);
	keccak_add(&c->sum, value.p, value.len);
	c->n++;
	return true;
}

/* false: it cannot be read. */
static bool read_table(struct store *s, size_t table, struct content *ret,
		       struct hash32 *ret_sum)
{
	struct store_table t;
	struct store_txn *txn;
	enum err err = store_begin(s, false, &txn);

	*ret = (struct content){.n = 0};
	keccak_init(&ret->sum);
	if (err)
		return false;
	err = store_table_open(txn, tables[table].name,
			       tables[table].integer_keys, tables[table].raw,
			       &t);
	if (!err)
		err = store_walk(txn, &t, slice_of(NULL, 0), false, visit, ret);
	store_abort(txn);
	*ret_sum = keccak_end(&ret->sum);
	return !err || err == ERR_NOT_FOUND;
}

struct other {
	struct store_txn *txn;
	struct store_table table;
	size_t same;
	bool differs;
};

static bool hold_against(void *ctx, struct slice key, struct slice value)
{
	struct other *o = ctx;
	struct slice theirs;

	if (store_get(o->txn, &o->table, key, &theirs))
		return true;
	o->differs |= !slice_eq(value, theirs);
	o->same++;
	return true;
}

/* The same block under each number that both keep, and there are some. */
static bool same_blocks(struct store *a, struct store *b)
{
	struct other o = {0};
	struct store_txn *txn;
	struct store_table t;
	bool same = false;

	if (store_begin(a, false, &txn))
		return false;
	if (!store_begin(b, false, &o.txn)) {
		same = !store_table_open(txn, tables[BLOCKS].name,
					 tables[BLOCKS].integer_keys,
					 tables[BLOCKS].raw, &t) &&
		       !store_table_open(o.txn, tables[BLOCKS].name,
					 tables[BLOCKS].integer_keys,
					 tables[BLOCKS].raw, &o.table) &&
		       !store_walk(txn, &t, slice_of(NULL, 0), false,
				   hold_against, &o) &&
		       o.same && !o.differs;
		store_abort(o.txn);
	}
	store_abort(txn);
	return same;
}

static void compare(const struct sim_node *n, const struct sim_node *fresh)
{
	const struct hatch_facts *f = &n->w->sight.facts,
				 *g = &fresh->w->sight.facts;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct content a, b;
		struct hash32 x, y;

		if (!read_table(n->w->store, i, &a, &x) ||
		    !read_table(fresh->w->store, i, &b, &y))
			sim_break("node %u: its %s cannot be read", n->at,
				  tables[i].name);
		else if (i == BLOCKS
				 ? !same_blocks(n->w->store, fresh->w->store)
				 : !hash_eq(x, y))
			sim_break("node %u: its %s, %zu entries, is not what "
				  "the final chain alone leaves, %zu entries",
				  n->at, tables[i].name, a.n, b.n);
	}
	if (f->epoch != g->epoch || f->count != g->count ||
	    !hash_eq(f->block.hash, g->block.hash))
		sim_break("node %u: it would vote at epoch %llu, progress "
			  "%llu; who saw the final chain only at %llu, %llu",
			  n->at, (unsigned long long)f->epoch,
			  (unsigned long long)f->count,
			  (unsigned long long)g->epoch,
			  (unsigned long long)g->count);
	world->counts[COUNT_FRESH]++;
}

static bool is_there(const struct sim_node *n, struct hash32 acted)
{
	return n->w && hash_eq(n->w->replica.tip.hash, acted) &&
	       hash_eq(n->w->sight.facts.block.hash, acted);
}

static bool all_there(struct hash32 acted)
{
	bool all = is_there(&world->nodes[SIM_FRESH], acted);

	for (unsigned i = 0; i < world->n_nodes; i++)
		all = all && is_there(&world->nodes[i], acted);
	return all;
}

static unsigned acted_block(void)
{
	const struct sim_chain *c = &world->chain;

	return chain_acted(c, chain_head_at(c, world->now_ms));
}

static void tick(void)
{
	world->now_ms += SIM_TICK_MS;
	for (unsigned i = 0; i <= SIM_FRESH && !world->failed; i++)
		node_turn(&world->nodes[i]);
}

/* While L1 goes on. */
static void catch_up(const struct sim_node *fresh)
{
	const struct sim_chain *c = &world->chain;
	uint64_t end = world->now_ms + CATCH_UP_MS;

	while (!world->failed && world->now_ms < end &&
	       fresh->w->replica.tip.number + NEAR <
		       c->blocks[acted_block()]->ref.number) {
		events_tick();
		tick();
	}
}

void fresh_compare(void)
{
	struct sim_node *fresh = &world->nodes[SIM_FRESH];
	struct hash32 acted;
	uint64_t end;

	node_init(fresh, SIM_FRESH);
	node_start(fresh);
	if (!world->failed)
		catch_up(fresh);
	/* L1 stands still until all are there */
	acted = world->chain.blocks[acted_block()]->ref.hash;
	end = world->now_ms + PATIENCE_MS;
	while (!world->failed && !all_there(acted) && world->now_ms < end)
		tick();
	if (!world->failed && !all_there(acted))
		sim_break("a node that starts on the final chain, or another, "
			  "is not at its end");
	for (unsigned i = 0; i < world->n_nodes && !world->failed; i++)
		compare(&world->nodes[i], fresh);
}
