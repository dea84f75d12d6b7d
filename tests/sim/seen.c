/* R3: a node that is well sees a stall as soon as it can, however one endpoint
 * lies: within one poll of the moment at which two honest ones show, at the
 * depth acted on, a block in which it exists.
 *
 * What comes on top of the poll are replies: the poll's own and the facts',
 * which the liar, who comes first, may spoil; then another proves them, and
 * where nobody can, a quorum tells them.  Each is on its way for less than a
 * tick, and two for a slow endpoint, and is looked at in the next. */
#include "tests/sim/world.h"

#define REPLIES 4
#define SLOW	2 /* of them */
#define SEEN_MS (SIM_POLL_MS + (REPLIES + SLOW) * SIM_TICK_MS)
/* What failed before the quiet is asked again after at most 8 s; a reply may
 * still be on its way for 6. */
#define SETTLE_MS 15000

/* What an endpoint shows at the depth acted on; NULL: it does not count. */
static const struct sim_block *shows(const struct sim_provider *p)
{
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms - p->lag_ms);

	if (p->lie || p->down || (p->lacks_tags && !c->by_confirmations))
		return NULL;
	return c->blocks[chain_acted(c, head)];
}

static bool is_stalled(const struct sim_block *b)
{
	return b && chain_late(&world->chain, &b->state, b->ref.time);
}

/* Two honest endpoints show the same stall. */
static bool is_shown(void)
{
	const struct sim_block *first = NULL;

	for (unsigned i = 0; i < SIM_PROVIDERS; i++) {
		const struct sim_block *b = shows(&world->providers[i]);

		if (!is_stalled(b))
			continue;
		if (first && first->state.epoch == b->state.epoch &&
		    first->state.count == b->state.count)
			return true;
		first = b;
	}
	return false;
}

static bool is_well(const struct sim_node *n)
{
	return n->w && n->since_ms + SETTLE_MS < world->now_ms &&
	       n->paused_ms <= world->now_ms;
}

void seen_tick(void)
{
	bool shown = world->now_ms > world->quiet_ms + SETTLE_MS && is_shown();

	for (unsigned i = 0; i < world->n_nodes; i++) {
		struct sim_node *n = &world->nodes[i];

		if (!shown || !is_well(n))
			n->shown_ms = 0, n->said = false;
		else if (!n->shown_ms)
			n->shown_ms = world->now_ms;
		if (!n->shown_ms || n->said ||
		    world->now_ms - n->shown_ms <= SEEN_MS)
			continue;
		sim_break("node %u says %s %u s after two endpoints show the "
			  "stall",
			  n->at, phase_name(n->w->verdict.phase),
			  (unsigned)((world->now_ms - n->shown_ms) / 1000));
	}
}

void seen_node(struct sim_node *n)
{
	uint64_t after = world->now_ms - n->shown_ms;

	if (!n->shown_ms || n->said || n->w->verdict.phase != PHASE_LATE)
		return;
	n->said = true;
	world->counts[COUNT_SEEN]++;
	if (after > world->latest_ms)
		world->latest_ms = after;
	sim_say("node %u sees the stall after %llu ms", n->at,
		(unsigned long long)after);
}
