/* One watcher: started, stepped, killed at a commit, started again. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/world.h"

#define MAP_SIZE (16u << 20)

static char *name(struct sim_node *n, size_t i, const char *format, unsigned x)
{
	snprintf(n->names[i], sizeof(n->names[i]), format, x);
	return n->names[i];
}

static void set_providers(struct sim_node *n, struct settings *s)
{
	for (unsigned i = 0; i < SIM_PROVIDERS; i++)
		n->providers[i] = (struct settings_provider){
			.name = name(n, i, "http://p%u", i) + 7,
			.url = n->names[i],
			.weight = 1,
			.rate = 100,
			.timeout_ms = 3000};
	s->providers.list = (struct config_list){n->providers, SIM_PROVIDERS};
	s->providers.quorum = world->plant == PLANT_FIRST ? 1 : 2;
}

static void set_others(struct sim_node *n, struct watcher_config *c)
{
	size_t at = SIM_PROVIDERS, peers = 0;

	for (unsigned i = 0; i < world->n_nodes; i++)
		if (i != n->at)
			n->peers[peers++] = name(n, at++, "http://w%u", i);
	c->shared.peers = (struct config_list){n->peers, peers};
	for (unsigned i = 0; i < SIM_SEQUENCERS; i++)
		n->standbys[i] = (struct watcher_standby){
			.address = world->chain.sequencers[i],
			.probe = i % 2 ? name(n, at++, "http://s%u", i) : NULL};
	c->standbys = (struct config_list){n->standbys, SIM_SEQUENCERS};
}

void node_init(struct sim_node *n, unsigned at)
{
	struct watcher_config *c = &n->config;
	struct settings *s = &c->shared;

	n->at = at;
	n->guardian = at < world->chain.n_guardians;
	s->chain = (struct settings_chain){
		.id = SIM_CHAIN_ID,
		.hatch = world->chain.hatch,
		.act_on = world->chain.by_confirmations ? ACT_ON_CONFIRMATIONS
							: ACT_ON_FINALIZED,
		.confirmations = world->chain.depth,
		.from = 1};
	s->poll_ms = SIM_POLL_MS;
	s->store =
		(struct settings_store){.path = n->dir, .map_size = MAP_SIZE};
	set_providers(n, s);
	set_others(n, c);
	c->ledger.nodes_from = at % 2 ? 8 : 0;
	if (n->guardian) {
		c->guardian_set = true;
		c->guardian = world->chain.guardians[at];
		c->signer = at == 0   ? "0"
			    : at == 1 ? "1"
			    : at == 2 ? "2"
			    : at == 3 ? "3"
				      : "4";
	}
	c->vote.promote = c->vote.open =
		world->by_hand ? VOTE_MANUAL : VOTE_AUTO;
}

enum err sim_hook(void *ctx, enum store_moment moment)
{
	struct sim_store *f = ctx;
	enum store_moment at = f->crash == CRASH_AFTER ? STORE_AFTER_COMMIT
						       : STORE_BEFORE_COMMIT;

	if (f->crash == CRASH_NONE || moment != at)
		return OK;
	if (f->in) {
		f->in--;
		return OK;
	}
	f->failed = true;
	if (f->crash == CRASH_FULL)
		return ERR_FULL; /* until there is room again */
	f->crash = CRASH_NONE;
	return ERR_IO;
}

void node_start(struct sim_node *n)
{
	struct err_text error = {""};
	struct watcher *w = NULL;

	world->on = n;
	world->stepping = true;
	n->fate.failed = false;
	if (setjmp(world->dead))
		sim_break("node %u dies at its start", n->at);
	else if (watcher_new(&n->config, &w, &error))
		sim_break("node %u does not start: %s", n->at, error.text);
	world->on = NULL;
	world->stepping = false;
	if (!w)
		return;
	n->w = w;
	n->since_ms = world->now_ms;
	n->next_ms = world->now_ms;
	store_set_nosync(w->store);
	store_set_hook(w->store, sim_hook, &n->fate);
}

void node_stop(struct sim_node *n)
{
	watcher_free(n->w);
	n->w = NULL;
	n->up_ms = world->now_ms + rng_between(&world->rng, 500, 8000);
}

static void step(struct sim_node *n)
{
	world->on = n;
	world->stepping = true;
	if (setjmp(world->dead)) {
		world->on = NULL;
		world->stepping = false;
		world->counts[COUNT_CRASHES]++;
		if (!n->fate.failed)
			sim_break("node %u gave up though its disk is well",
				  n->at);
		node_stop(n);
		return;
	}
	n->next_ms = watcher_step(n->w, world->now_ms);
	world->on = NULL;
	world->stepping = false;
	if (n->fate.failed)
		sim_break("node %u went on after a failed commit", n->at);
	if (*watcher_fatal(n->w))
		sim_break("node %u makes no sense any more: %s", n->at,
			  watcher_fatal(n->w));
	check_node(n);
}

void node_turn(struct sim_node *n)
{
	if (!n->w || n->paused_ms > world->now_ms)
		return;
	if (n->next_ms <= world->now_ms || net_due(n->w->http) ||
	    sim_signer_due(n->w->signer) <= world->now_ms)
		step(n);
}
