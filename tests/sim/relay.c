#include "tests/sim/relay.h"

#include <stdlib.h>

#include "l1/l1.h"
#include "relayer/relayer.h"

struct sim_relay {
	struct relayer_config config;
	struct http_client *http;
	struct l1 *l1;
	struct signer_client *signer;
	struct store *store;
	struct relayer *relayer;
};

static enum err set_up(struct sim_relay *r, struct err_text *error)
{
	const struct settings *s = &r->config.shared;
	struct store_identity id = {.chain_id = s->chain.id,
				    .hatch = s->chain.hatch,
				    .program = "relayer"};
	enum err err;

	r->http = http_client_new();
	r->signer = signer_client_new(r->config.signer);
	if (!r->http || !r->signer)
		return ERR_FULL;
	err = l1_new(s, r->http, &r->l1, error);
	if (!err)
		err = store_open(s->store.path, s->store.map_size, &id,
				 &r->store, error);
	if (!err)
		err = relayer_new(&r->config, r->http, r->l1, r->signer,
				  r->store, &r->relayer, error);
	return err;
}

enum err relay_new(const struct settings *shared, struct address account,
		   char *signer, struct sim_relay **ret, struct err_text *error)
{
	struct sim_relay *r = calloc(1, sizeof(*r));
	enum err err;

	if (!r)
		return ERR_FULL;
	r->config = (struct relayer_config){
		.shared = *shared,
		.account = account,
		.signer = signer,
		.fees = {.max_fee = u256_from(300000000000),
			 .max_tip = u256_from(5000000000),
			 .replace = 1250},
		.requests = {.open = 100}};
	err = set_up(r, error);
	if (err) {
		relay_free(r);
		return err;
	}
	*ret = r;
	return OK;
}

void relay_free(struct sim_relay *r)
{
	if (!r)
		return;
	relayer_free(r->relayer);
	store_close(r->store);
	l1_free(r->l1);
	signer_client_free(r->signer);
	http_client_free(r->http);
	free(r);
}

uint64_t relay_step(struct sim_relay *r, uint64_t now_ms)
{
	return relayer_step(r->relayer, now_ms);
}

const char *relay_fatal(const struct sim_relay *r)
{
	return relayer_verdict(r->relayer);
}

struct http_client *relay_http(struct sim_relay *r)
{
	return r->http;
}

struct signer_client *relay_signer(struct sim_relay *r)
{
	return r->signer;
}

struct store *relay_store(struct sim_relay *r)
{
	return r->store;
}
