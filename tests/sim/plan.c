/* What a seed is: its chain, its faults, who lies and how. */
#include <assert.h>

#include "tests/sim/world.h"

#define CHAOS_MS  45000
#define LONGER_MS 20000 /* PLAN_REORG: promotions come, and go */
#define QUIET_MS  35000 /* and until what is late was acted on */

static bool chance(unsigned percent)
{
	return rng_chance(&world->rng, percent);
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return rng_between(&world->rng, from, to);
}

static void plan_chain(void)
{
	static const uint8_t depths[] = {1, 1, 2, 2, 3, 4, 6, 10, 24, 64};
	struct sim_chain *c = &world->chain;
	uint64_t block_s, round;

	c->depth = depths[between(0, ARRAY_LEN(depths) - 1)];
	c->by_confirmations = chance(world->plan == PLAN_REORG ? 60 : 40);
	if (world->plan == PLAN_REORG)
		c->depth = c->by_confirmations ? between(1, 6)
					       : between(1, SIM_DEEPEST);
	block_s = c->depth > 10 ? 1 : between(3, 6);
	/* a bundle must meet, travel and be mined within a round or so */
	round = 10 + between(2, 3) * block_s;
	world->block_ms = block_s * 1000;
	c->terms = (struct hatch_terms){.sla_window = (uint32_t)between(10, 30),
					.failover_window =
						(uint32_t)between(40, 60),
					.inclusion_window = 600,
					.notice = 10000,
					.finality = 600,
					.round = (uint32_t)round};
	if (world->plan == PLAN_REORG) /* soon enough to be undone */
		c->terms.sla_window = 10;
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
	c->seed = world->seed;
	memcpy(c->accounts, sim_accounts, sizeof(c->accounts));
	memcpy(c->guardians, sim_guardians,
	       c->n_guardians * sizeof(c->guardians[0]));
	chain_init(c, (unsigned)between(1, SIM_SEQUENCERS - 1));
}

/* Blocks with batches in them, up to the moment the watchers start. */
static void plan_history(void)
{
	struct sim_chain *c = &world->chain;
	uint64_t block_s = world->block_ms / 1000;
	uint64_t n = c->depth +
		     between(3, world->plan == PLAN_REORG ? SIM_DEEPEST : 12);
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
		world->stop_ms[i] = SIM_NEVER;
	}
	world->batch_ms = between(3, 8) * 1000;
	world->next_batch_ms = world->now_ms;
	/* most stalls happen, and end, in the midst of the faults */
	if (chance(75))
		world->stop_ms[0] = world->now_ms + between(0, 30) * 1000;
	if (world->plan == PLAN_LIE) /* some begin when only the liar is bad */
		world->stop_ms[0] = world->now_ms + between(0, 60) * 1000;
	if (world->plan == PLAN_REORG) /* so that there are promotions */
		world->stop_ms[0] = world->now_ms + between(0, 10) * 1000;
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
	if (world->plan == PLAN_LIE)
		f->liar = true;
	if (world->plan == PLAN_REORG) {
		f->liar = f->down_provider = false;
		f->reorg = (unsigned)between(2, 30);
		world->stage = (enum sim_stage)(world->seed % SIM_STAGES);
	}
	world->compares = world->plan == PLAN_REORG || chance(10);
}

void plan_count_lies(void)
{
	for (unsigned i = 0; i < SIM_PROVIDERS; i++) {
		struct sim_provider *p = &world->providers[i];

		world->lies[p->lie] += p->played;
		p->played = false;
	}
}

void plan_lie(struct sim_provider *p)
{
	enum sim_lie lie = (enum sim_lie)between(1, SIM_LIES - 1);
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms);
	uint64_t from = c->blocks[head]->ref.number;

	if (world->plan == PLAN_LIE)
		lie = (enum sim_lie)(1 + world->seed % (SIM_LIES - 1));
	if (lie == LIE_OTHER_HASH || lie == LIE_OWN_CHAIN)
		from = from > 20 ? from - 20 : 0;
	plan_count_lies();
	provider_lie(p, lie, from);
	sim_say("provider %u lies: %s", (unsigned)(p - world->providers),
		sim_lie_names[lie]);
}

/* What needs to be asked of a quorum to be told. */
static bool needs_quorum(enum sim_lie lie)
{
	return lie == LIE_RANDOM_WORDS || lie == LIE_INVENTED_LOGS ||
	       lie == LIE_EMPTY_WORDS;
}

/* What an endpoint has: most have all, some chains' have little. */
static void plan_methods(enum sim_lie lie)
{
	unsigned lack = chance(60) ? 0 : (unsigned)between(1, 100);
	bool others = chance(50);

	if ((needs_quorum(lie) && chance(50)) || world->stage == STAGE_INPUTS) {
		lack = 100;
		others = true;
	}
	for (unsigned i = 0; i < SIM_PROVIDERS; i++) {
		world->providers[i].lacks_proofs = chance(lack);
		world->providers[i].lacks_receipts = chance(lack);
		world->providers[i].lacks_others =
			others && world->providers[i].lacks_receipts;
	}
}

static void plan_providers(void)
{
	unsigned bad = (unsigned)between(0, SIM_PROVIDERS - 1);

	for (unsigned i = 0; i < SIM_PROVIDERS; i++) {
		world->providers[i].lag_ms = between(0, 2000);
		world->providers[i].slow_ms = chance(10) ? between(0, 1500) : 0;
	}
	if (world->faults.liar)
		plan_lie(&world->providers[bad]);
	else if (world->faults.down_provider)
		world->providers[bad].down = true;
	else
		world->providers[bad].lacks_tags = chance(30);
	plan_methods(world->providers[bad].lie);
}

void plan_seed(void)
{
	world->now_ms = SIM_START_MS;
	world->quiet_ms = world->now_ms + CHAOS_MS;
	if (world->plan == PLAN_REORG)
		world->quiet_ms += LONGER_MS;
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
