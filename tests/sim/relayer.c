/* One relayer: started, stepped, killed at a commit, started again. */
#include <stdio.h>

#include "tests/sim/world.h"

#define MAP_SIZE (16u << 20)

static char *name(struct sim_relayer *r, size_t i, const char *format,
		  unsigned x)
{
	snprintf(r->names[i], sizeof(r->names[i]), format, x);
	return r->names[i];
}

void relayer_init(struct sim_relayer *r, unsigned at)
{
	struct settings *s = &r->shared;

	*s = world->nodes[0].config.shared;
	s->store =
		(struct settings_store){.path = r->dir, .map_size = MAP_SIZE};
	for (unsigned i = 0; i < SIM_PROVIDERS; i++)
		r->providers[i] = world->nodes[0].providers[i];
	s->providers.list.items = r->providers;
	for (unsigned i = 0; i < world->n_nodes; i++)
		r->peers[i] = name(r, i, "http://w%u", i);
	s->peers = (struct config_list){r->peers, world->n_nodes};
	snprintf(r->signer, sizeof(r->signer), "%u", SIM_GUARDIANS + at);
}

void relayer_start(struct sim_relayer *r)
{
	unsigned at = (unsigned)(r - world->relayers);
	struct err_text error = {""};
	struct sim_relay *made = NULL;

	r->fate.failed = false;
	if (relay_new(&r->shared, world->chain.relayers[at], r->signer, &made,
		      &error)) {
		sim_break("relayer %u does not start: %s", at, error.text);
		return;
	}
	r->r = made;
	r->next_ms = world->now_ms;
	store_set_nosync(relay_store(made));
	store_set_hook(relay_store(made), sim_hook, &r->fate);
}

void relayer_stop(struct sim_relayer *r)
{
	relay_free(r->r);
	r->r = NULL;
	r->up_ms = world->now_ms + rng_between(&world->rng, 500, 8000);
}

void relayer_turn(struct sim_relayer *r)
{
	unsigned at = (unsigned)(r - world->relayers);

	if (r->next_ms > world->now_ms && !net_due(relay_http(r->r)) &&
	    sim_signer_due(relay_signer(r->r)) > world->now_ms)
		return;
	world->stepping = true;
	if (setjmp(world->dead)) {
		world->stepping = false;
		world->counts[COUNT_CRASHES]++;
		if (!r->fate.failed)
			sim_break("relayer %u gave up though its disk is well",
				  at);
		relayer_stop(r);
		return;
	}
	r->next_ms = relay_step(r->r, world->now_ms);
	world->stepping = false;
	if (r->fate.failed)
		sim_break("relayer %u went on after a failed commit", at);
	if (*relay_fatal(r->r))
		sim_break("relayer %u makes no sense any more: %s", at,
			  relay_fatal(r->r));
}
