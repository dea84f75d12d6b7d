/* What happens: the plan of a seed, L1's blocks, sequencers, whoever carries
 * bundles to L1, and the faults. */
#include <assert.h>
#include <stdio.h>

#include "tests/sim/world.h"

#define CHAOS_MS    45000
#define QUIET_MS    35000 /* and until what is late was acted on */
#define NEVER	    UINT64_MAX
#define HISTORY_MAX 80

static bool chance(unsigned percent)
{
	return rng_chance(&world->rng, percent);
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return rng_between(&world->rng, from, to);
}

/* ---- the plan ---- */

static void plan_chain(void)
{
	static const uint8_t depths[] = {1, 1, 2, 2, 3, 4, 6, 10, 24, 64};
	struct sim_chain *c = &world->chain;
	struct sim_state *s;
	uint64_t block_s, round;

	c->depth = depths[between(0, ARRAY_LEN(depths) - 1)];
	block_s = c->depth > 10 ? 1 : between(3, 6);
	/* a bundle must meet, travel and be mined within a round or so */
	round = 10 + between(2, 3) * block_s;
	c->by_confirmations = chance(40);
	world->block_ms = block_s * 1000;
	c->terms = (struct hatch_terms){.sla_window = (uint32_t)between(10, 30),
					.failover_window =
						(uint32_t)between(40, 60),
					.inclusion_window = 600,
					.notice = 10000,
					.finality = 600,
					.round = (uint32_t)round};
	/* nobody votes: then the deadline opens the hatch, and relayers know */
	world->by_hand = chance(10);
	c->terms.hard_deadline = world->by_hand
					 ? c->terms.sla_window +
						   c->terms.failover_window +
						   (uint32_t)between(1, 20)
					 : 3000;
	c->n_guardians = chance(80) ? 3 : between(4, SIM_GUARDIANS);
	c->thresholds.promote = (uint8_t)(c->n_guardians / 2 + 1);
	c->thresholds.open =
		(uint8_t)between(c->thresholds.promote, c->n_guardians);
	c->thresholds.resume = c->thresholds.amend = c->thresholds.open;
	memcpy(c->relayers, sim_relayers, sizeof(c->relayers));
	memcpy(c->guardians, sim_guardians,
	       c->n_guardians * sizeof(c->guardians[0]));
	chain_init(c);
	s = &c->blocks[0]->state;
	s->n_standbys = (unsigned)between(1, SIM_SEQUENCERS - 1);
	for (unsigned i = 0; i < s->n_standbys; i++)
		s->standbys[i] = i + 1;
}

/* Blocks with batches in them, up to the moment the watchers start. */
static void plan_history(void)
{
	struct sim_chain *c = &world->chain;
	uint64_t block_s = world->block_ms / 1000;
	uint64_t n = c->depth + between(3, 12);
	uint64_t from = sim_unix_s(world->now_ms) - n * block_s;
	struct sim_want want = {.call = CALL_COMMIT};
	unsigned head = 0;
	const char *refused;

	for (uint64_t i = 0; i < n; i++) {
		want.writes = (unsigned)between(0, 4);
		head = chain_mine(c, head, from + i * block_s, &want,
				  i % 3 == 0, &world->rng, &refused);
	}
	chain_set_head(c, head, world->now_ms - 10000);
	world->next_block_ms = world->now_ms + world->block_ms;
}

static void plan_sequencers(void)
{
	for (unsigned i = 0; i < SIM_SEQUENCERS; i++) {
		world->alive[i] = i == 0 || chance(75);
		world->ready[i] = chance(65);
		world->stop_ms[i] = NEVER;
	}
	world->batch_ms = between(3, 8) * 1000;
	world->next_batch_ms = world->now_ms;
	/* most stalls happen, and end, in the midst of the faults */
	if (chance(75))
		world->stop_ms[0] = world->now_ms + between(0, 30) * 1000;
}

static void plan_faults(void)
{
	struct sim_faults *f = &world->faults;

	f->drop = chance(50) ? (unsigned)between(1, 15) : 0;
	f->delay = chance(50) ? (unsigned)between(1, 20) : 0;
	f->crash = chance(60) ? (unsigned)between(1, 10) : 0;
	f->signer_crash = chance(50) ? (unsigned)between(1, 10) : 0;
	f->lose_answer = chance(50) ? (unsigned)between(1, 20) : 0;
	f->pause = chance(30) ? (unsigned)between(1, 3) : 0;
	f->reorg = chance(60) ? (unsigned)between(2, 20) : 0;
	f->skip_block = chance(30) ? (unsigned)between(1, 30) : 0;
	f->withhold = chance(30) ? (unsigned)between(10, 60) : 0;
	f->full_disk = chance(20);
	f->down_provider = chance(25);
	f->liar = chance(70);
}

static void choose_lie(struct sim_provider *p)
{
	enum sim_lie lie = (enum sim_lie)between(1, SIM_LIES - 1);
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms);
	uint64_t from = c->blocks[head]->ref.number;

	if (lie == LIE_OTHER_HASH || lie == LIE_OWN_CHAIN)
		from = from > 20 ? from - 20 : 0;
	provider_lie(p, lie, from);
	sim_say("provider %u lies: %s", (unsigned)(p - world->providers),
		sim_lie_names[lie]);
}

static void plan_providers(void)
{
	unsigned bad = (unsigned)between(0, SIM_PROVIDERS - 1);

	for (unsigned i = 0; i < SIM_PROVIDERS; i++) {
		world->providers[i].lag_ms = between(0, 2000);
		world->providers[i].slow_ms = chance(10) ? between(0, 1500) : 0;
	}
	if (world->faults.liar)
		choose_lie(&world->providers[bad]);
	else if (world->faults.down_provider)
		world->providers[bad].down = true;
}

void events_plan(void)
{
	world->now_ms = SIM_START_MS;
	world->quiet_ms = world->now_ms + CHAOS_MS;
	plan_chain();
	world->end_ms = world->quiet_ms + QUIET_MS +
			world->chain.depth * world->block_ms;
	plan_history();
	plan_sequencers();
	plan_faults();
	plan_providers();
	world->n_nodes = world->chain.n_guardians + chance(20);
	for (unsigned i = 0; i < world->n_nodes; i++)
		node_init(&world->nodes[i], i);
	if (world->by_hand || chance(25))
		world->n_relayers = chance(70) ? 1 : SIM_RELAYERS;
	for (unsigned i = 0; i < world->n_relayers; i++)
		relayer_init(&world->relayers[i], i);
}

/* ---- L1 ---- */

static void add_batch(struct sim_want *wants, size_t *n, unsigned sequencer)
{
	if (*n < SIM_TXS)
		wants[(*n)++] =
			(struct sim_want){.call = CALL_COMMIT,
					  .sequencer = sequencer,
					  .writes = (unsigned)between(0, 5)};
}

/* Every sequencer that is alive and believes itself active; and now and then
 * one that is not, which the contract must refuse. */
static void want_batches(const struct sim_state *s, struct sim_want *wants,
			 size_t *n)
{
	for (unsigned i = 0; i < SIM_SEQUENCERS; i++)
		if (world->stop_ms[i] <= world->now_ms) {
			world->alive[i] = false;
			if (chance(2)) { /* it comes back */
				world->alive[i] = true;
				world->stop_ms[i] = NEVER;
			}
		}
	if (world->next_batch_ms > world->now_ms)
		return;
	world->next_batch_ms = world->now_ms + world->batch_ms;
	if (world->alive[s->active])
		add_batch(wants, n, s->active);
	if (chance(10))
		add_batch(wants, n, (unsigned)between(0, SIM_SEQUENCERS - 1));
}

static bool is_new(const struct sim_want *wants, size_t n,
		   const struct bundle *b)
{
	struct hash32 digest = vote_digest(&b->vote);

	for (size_t i = 0; i < n; i++) {
		struct hash32 other;

		if (wants[i].call == CALL_COMMIT)
			continue;
		other = vote_digest(&wants[i].bundle.vote);
		if (hash_eq(other, digest))
			return false;
	}
	return true;
}

static void want_bundle(struct sim_want *wants, size_t *n,
			const struct bundle *b)
{
	const struct sim_chain *c = &world->chain;
	struct sim_want want = {.call = CALL_OPEN, .bundle = *b};
	struct hash32 subject;

	if (*n == SIM_TXS ||
	    b->n < pool_needed(&c->thresholds, b->vote.action) ||
	    !is_new(wants, *n, b))
		return;
	if (b->vote.action == VOTE_PROMOTE) {
		want.call = CALL_PROMOTE;
		for (; want.sequencer < SIM_SEQUENCERS; want.sequencer++) {
			subject = vote_subject_address(
				c->sequencers[want.sequencer]);
			if (hash_eq(subject, b->vote.subject))
				break;
		}
		assert(want.sequencer < SIM_SEQUENCERS);
	}
	wants[(*n)++] = want;
}

/* Whoever carries bundles takes them from any node. */
static void want_bundles(struct sim_want *wants, size_t *n,
			 const struct sim_state *s)
{
	if (world->n_relayers) {
		*n = mempool_pick(&world->pool, s, wants, *n, SIM_TXS);
		return;
	}
	if (chance(world->faults.withhold))
		return;
	for (unsigned i = 0; i < world->n_nodes; i++) {
		const struct watcher *w = world->nodes[i].w;
		struct bundle bundle;
		size_t at = 0;

		if (!w || !w->pool.n)
			continue;
		while (pool_next(&w->pool, &at, &bundle))
			want_bundle(wants, n, &bundle);
	}
}

static void promoted(void)
{
	world->promotions++;
	world->promoted_ms = world->now_ms;
}

static unsigned mine(unsigned parent, uint64_t time,
		     const struct sim_want *wants, size_t n)
{
	const char *refused[SIM_TXS];
	struct sim_chain *c = &world->chain;
	unsigned block =
		chain_mine(c, parent, time, wants, n, &world->rng, refused);
	const struct sim_state *before = &c->blocks[parent]->state;

	for (size_t i = 0; i < n; i++) {
		if (!refused[i] && wants[i].call == CALL_PROMOTE)
			promoted();
		if (!refused[i] && wants[i].call == CALL_OPEN)
			world->openings++;
		if (!refused[i] && wants[i].call == CALL_OPEN_DEADLINE)
			world->deadlines++;
		if (wants[i].call == CALL_COMMIT && !refused[i] &&
		    wants[i].sequencer != before->active &&
		    wants[i].sequencer != c->blocks[block]->state.active)
			sim_break("I6: a batch of one that is not active");
		sim_say("  call %d of %u: %s", (int)wants[i].call,
			wants[i].sequencer, refused[i] ? refused[i] : "done");
	}
	return block;
}

/* Replaces the last blocks by others, and one more. */
static void reorg(void)
{
	struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms), old = head;
	uint64_t top = c->blocks[head]->ref.number;
	uint64_t max = c->by_confirmations ? c->depth + 6 : c->depth;
	uint64_t deep = between(1, max);
	struct sim_want want = {.call = CALL_COMMIT};

	if (c->by_confirmations && chance(10))
		deep = between(1, 64);
	if (deep + 2 > top)
		deep = top > 2 ? top - 2 : 0;
	if (!deep || c->n + deep + 2 > SIM_BLOCKS)
		return;
	world->reorgs++;
	if (deep > c->depth)
		world->broken_ms = world->now_ms;
	sim_say("reorg of %llu blocks at %llu", (unsigned long long)deep,
		(unsigned long long)top);
	head = chain_ancestor(c, head, top - deep);
	for (uint64_t number = top - deep + 1; number <= top; number++) {
		const struct sim_block *was =
			c->blocks[chain_ancestor(c, old, number)];
		bool had =
			was->state.count != c->blocks[was->parent]->state.count;

		want.sequencer = c->blocks[head]->state.active;
		want.writes = (unsigned)between(0, 5);
		head = mine(head, was->ref.time, &want, had && chance(70));
	}
	chain_set_head(c, head, world->now_ms);
}

/* What was just promoted, and perhaps acted on, is undone again. */
static bool undoes_promotion(void)
{
	uint64_t ago = world->now_ms - world->promoted_ms;

	return world->faults.reorg && world->promoted_ms &&
	       ago > world->chain.depth * world->block_ms &&
	       ago < (world->chain.depth + 4) * world->block_ms && chance(25);
}

static void mine_next(void)
{
	struct sim_chain *c = &world->chain;
	struct sim_want wants[SIM_TXS];
	unsigned head;
	size_t n = 0;

	if (world->now_ms < world->next_block_ms)
		return;
	world->next_block_ms += world->block_ms;
	if (chance(world->faults.skip_block))
		return;
	if (chance(world->faults.reorg) || undoes_promotion())
		reorg();
	head = chain_head_at(c, world->now_ms);
	want_batches(&c->blocks[head]->state, wants, &n);
	want_bundles(wants, &n, &c->blocks[head]->state);
	head = mine(head, sim_unix_s(world->now_ms), wants, n);
	chain_set_head(c, head, world->now_ms);
}

/* ---- faults ---- */

static void fate_of(struct sim_store *f)
{
	f->crash = world->faults.full_disk && chance(20) ? CRASH_FULL
		   : chance(50)				 ? CRASH_BEFORE
							 : CRASH_AFTER;
	f->in = (unsigned)between(0, 6);
}

static void trouble_nodes(void)
{
	for (unsigned i = 0; i < world->n_nodes; i++) {
		struct sim_node *n = &world->nodes[i];

		if (n->w && chance(world->faults.crash)) {
			if (chance(20)) { /* between two turns */
				world->crashes++;
				node_stop(n);
			} else {
				fate_of(&n->fate);
			}
		}
		if (chance(world->faults.pause))
			n->paused_ms = world->now_ms + between(1, 40) * 1000;
	}
	for (unsigned i = 0; i < world->n_relayers; i++)
		if (chance(world->faults.crash))
			fate_of(&world->relayers[i].fate);
	for (unsigned i = 0; i < world->chain.n_guardians; i++) {
		if (chance(world->faults.signer_crash))
			fate_of(&world->signers[i].fate);
		if (chance(10))
			sim_signer_wild(i);
	}
}

static void trouble_providers(void)
{
	unsigned bad = 0;

	while (bad < SIM_PROVIDERS && !world->providers[bad].lie &&
	       !world->providers[bad].down)
		bad++;
	if (bad == SIM_PROVIDERS)
		return;
	if (world->providers[bad].down && chance(3))
		world->providers[bad].down = false;
	else if (world->faults.liar && chance(3))
		choose_lie(&world->providers[bad]);
}

/* Everything is well from here on, but the liar lies on. */
static void calm_down(void)
{
	bool liar = world->faults.liar;

	sim_say("quiet");
	world->faults = (struct sim_faults){.liar = liar};
	for (unsigned i = 0; i < world->n_nodes; i++) {
		world->nodes[i].fate.crash = CRASH_NONE;
		world->nodes[i].paused_ms = 0;
	}
	for (unsigned i = 0; i < world->chain.n_guardians; i++)
		world->signers[i].fate.crash = CRASH_NONE;
	for (unsigned i = 0; i < world->n_relayers; i++)
		world->relayers[i].fate.crash = CRASH_NONE;
}

static void restart(void)
{
	for (unsigned i = 0; i < world->n_nodes; i++) {
		struct sim_node *n = &world->nodes[i];

		if (n->w || n->up_ms > world->now_ms)
			continue;
		if (n->fate.crash == CRASH_FULL)
			n->fate.crash = CRASH_NONE;
		node_start(n);
	}
	for (unsigned i = 0; i < world->n_relayers; i++) {
		struct sim_relayer *r = &world->relayers[i];

		if (r->r || r->up_ms > world->now_ms)
			continue;
		if (r->fate.crash == CRASH_FULL)
			r->fate.crash = CRASH_NONE;
		relayer_start(r);
	}
	for (unsigned i = 0; i < world->chain.n_guardians; i++) {
		struct sim_signer *s = &world->signers[i];

		if (s->store || s->up_ms > world->now_ms)
			continue;
		if (s->fate.crash == CRASH_FULL)
			s->fate.crash = CRASH_NONE;
		sim_signer_start(s);
	}
}

void events_tick(void)
{
	if (world->now_ms == world->quiet_ms)
		calm_down();
	if (world->now_ms < world->quiet_ms) {
		trouble_nodes();
		trouble_providers();
	}
	mine_next();
	restart();
}
