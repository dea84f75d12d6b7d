/* L1 takes blocks back: how many, and when. */
#include "tests/sim/world.h"

#define SURPRISES 12 /* percent of the ticks in which a node is just there */

static bool chance(unsigned percent)
{
	return rng_chance(&world->rng, percent);
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return rng_between(&world->rng, from, to);
}

/* Replaces the last blocks by others. */
static void reorg(uint64_t deep)
{
	struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms), old = head;
	uint64_t top = c->blocks[head]->ref.number;
	struct sim_want want = {.call = CALL_COMMIT};

	if (deep + 2 > top)
		deep = top > 2 ? top - 2 : 0;
	if (!deep || c->n + deep + 2 > SIM_BLOCKS)
		return;
	world->counts[COUNT_REORGS]++;
	world->counts[COUNT_STAGES + world->stage]++;
	if (deep > c->depth + world->undone)
		world->undone = deep - c->depth;
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
		head = events_mine(head, was->ref.time, &want,
				   had && chance(70));
	}
	chain_set_head(c, head, world->now_ms);
}

/* What is final stays; what has enough confirmations may go. */
static uint64_t how_deep(void)
{
	const struct sim_chain *c = &world->chain;
	bool deeper = chance(world->plan == PLAN_REORG ? 30 : 10);

	if (!c->by_confirmations)
		return between(1, c->depth);
	return between(1, deeper ? SIM_DEEPEST : c->depth + 6);
}

/* What was just promoted, and perhaps acted on, is undone again. */
static bool undo_promotion(void)
{
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms);
	uint64_t top = c->blocks[head]->ref.number, ago = top - world->promoted;

	if (!world->faults.reorg || !world->promoted || top < world->promoted ||
	    ago < c->depth || ago > c->depth + 4 || !c->by_confirmations ||
	    !chance(50))
		return false;
	reorg(ago + between(1, 3));
	world->counts[COUNT_UNPROMOTED]++;
	return true;
}

static bool is_at_stage(const struct sim_node *n)
{
	const struct watcher *w = n->w;

	if (!w || n->paused_ms > world->now_ms)
		return false;
	switch (world->stage) {
	case STAGE_CATCH_UP:
		return w->follow && follow_behind(w->follow) > 3;
	case STAGE_VOTE:
		return sim_signer_due(w->signer) != UINT64_MAX;
	case STAGE_ANY:
		return false;
	case STAGE_HEAD:
	case STAGE_FACTS:
	case STAGE_LOGS:
	case STAGE_INPUTS:
		break;
	}
	return net_asks(w->http, world->stage);
}

void reorg_tick(void)
{
	if (world->plan != PLAN_REORG || !world->faults.reorg)
		return;
	for (unsigned i = 0; i < world->n_nodes; i++)
		if (is_at_stage(&world->nodes[i]) && chance(SURPRISES)) {
			reorg(how_deep());
			return;
		}
}

void reorg_before(void)
{
	if (!undo_promotion() && chance(world->faults.reorg))
		reorg(how_deep());
}
