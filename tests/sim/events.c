/* What happens at a tick: L1's blocks, sequencers, whoever carries bundles to
 * L1, and the faults. */
#include <assert.h>
#include <stdio.h>

#include "tests/sim/world.h"

static bool chance(unsigned percent)
{
	return rng_chance(&world->rng, percent);
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return rng_between(&world->rng, from, to);
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
				world->stop_ms[i] = SIM_NEVER;
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

static void promoted(unsigned parent)
{
	world->counts[COUNT_PROMOTIONS]++;
	world->promoted = world->chain.blocks[parent]->ref.number + 1;
}

unsigned events_mine(unsigned parent, uint64_t time,
		     const struct sim_want *wants, size_t n)
{
	const char *refused[SIM_TXS];
	struct sim_chain *c = &world->chain;
	unsigned block =
		chain_mine(c, parent, time, wants, n, &world->rng, refused);
	const struct sim_state *before = &c->blocks[parent]->state;

	for (size_t i = 0; i < n; i++) {
		if (!refused[i] && wants[i].call == CALL_PROMOTE)
			promoted(parent);
		if (!refused[i] && wants[i].call == CALL_OPEN)
			world->counts[COUNT_OPENINGS]++;
		if (!refused[i] && wants[i].call == CALL_OPEN_DEADLINE)
			world->counts[COUNT_DEADLINES]++;
		if (wants[i].call == CALL_COMMIT && !refused[i] &&
		    wants[i].sequencer != before->active &&
		    wants[i].sequencer != c->blocks[block]->state.active)
			sim_break("I6: a batch of one that is not active");
		sim_say("  call %d of %u: %s", (int)wants[i].call,
			wants[i].sequencer, refused[i] ? refused[i] : "done");
	}
	return block;
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
	reorg_before();
	head = chain_head_at(c, world->now_ms);
	want_batches(&c->blocks[head]->state, wants, &n);
	want_bundles(wants, &n, &c->blocks[head]->state);
	head = events_mine(head, sim_unix_s(world->now_ms), wants, n);
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
				world->counts[COUNT_CRASHES]++;
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
		plan_lie(&world->providers[bad]);
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
	reorg_tick();
	mine_next();
	restart();
}
