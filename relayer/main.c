/* egress-relayer. */
#include <argp.h>

#include "abi/hex.h"
#include "l1/l1.h"
#include "relayer/check.h"
#include "relayer/relayer.h"
#include "sys/clock.h"
#include "sys/daemon.h"
#include "sys/log.h"

const char *argp_program_version = "egress-relayer " EGRESS_VERSION;

struct program {
	struct relayer_config config;
	struct config *owner;
	struct http_client *http;
	struct l1 *l1;
	struct signer_client *signer;
	struct store *store;
	struct relayer *relayer;
	struct http_server *server;
};

static enum err set_up(struct program *p, struct err_text *error)
{
	const struct relayer_config *c = &p->config;
	struct store_identity identity = {.chain_id = c->shared.chain.id,
					  .hatch = c->shared.chain.hatch,
					  .program = "relayer"};

	p->http = http_client_new();
	p->signer = signer_client_new(c->signer);
	err_text_set(error, "signer: %s is no socket's path", c->signer);
	if (!p->http || !p->signer)
		return ERR_INVALID;
	enum err err = l1_new(&c->shared, p->http, &p->l1, error);
	if (!err)
		err = store_open(c->shared.store.path, c->shared.store.map_size,
				 &identity, &p->store, error);
	if (!err)
		err = relayer_new(c, p->http, p->l1, p->signer, p->store,
				  &p->relayer, error);
	if (err || !c->shared.http.listen_set)
		return err;
	struct http_server_config server = {
		.host = c->shared.http.listen.host,
		.port = c->shared.http.listen.port,
		.threads = (unsigned)c->shared.http.threads,
		.connections = (unsigned)c->shared.http.connections,
		.per_address = (unsigned)c->shared.http.connections,
	};
	return http_server_start(&server, intake_routes(),
				 relayer_intake(p->relayer), &p->server, error);
}

static enum err read_config(void *ctx, const char *path,
			    const struct settings **ret_shared,
			    struct settings_warnings *warnings,
			    struct err_text *error)
{
	struct program *p = ctx;

	*ret_shared = &p->config.shared;
	return relayer_config_read(path, &p->config, &p->owner, warnings,
				   error);
}

static enum err check(void *ctx, struct err_text *error)
{
	struct program *p = ctx;

	return check_world(&p->config, error);
}

static enum err start(void *ctx, struct err_text *error)
{
	struct program *p = ctx;
	enum err err = set_up(p, error);

	if (err)
		return err;
	log_notice("started", "version", EGRESS_VERSION, "account",
		   address_text(p->config.account).s, "port",
		   log_u64(p->server ? http_server_port(p->server) : 0).s);
	return OK;
}

static uint64_t step(void *ctx, uint64_t now)
{
	struct program *p = ctx;

	return relayer_step(p->relayer, now);
}

static const char *fatal_why(void *ctx)
{
	struct program *p = ctx;

	return relayer_verdict(p->relayer);
}

static void wait_until(void *ctx, int signals, uint64_t until_ms)
{
	struct program *p = ctx;
	struct pollfd fds[3] = {
		{.fd = signals, .events = POLLIN},
		{.fd = relayer_fd(p->relayer), .events = POLLIN},
		signer_client_pollfd(p->signer),
	};
	uint64_t now = clock_mono_ms();

	http_client_wait(p->http, fds, fds[2].fd < 0 ? 2 : 3,
			 until_ms > now ? until_ms - now : 0);
}

static void stop(void *ctx)
{
	struct program *p = ctx;

	if (p->relayer)
		relayer_close(p->relayer);
	http_server_stop(p->server);
	relayer_free(p->relayer);
	store_close(p->store);
	l1_free(p->l1);
	signer_client_free(p->signer);
	http_client_free(p->http);
}

static const struct daemon relayer = {
	.name = "egress-relayer",
	.doc = "Carries citizens' requests, complete bundles, overdue "
	       "withdrawals and, when the hatch is open, everybody's exit to "
	       "L1.",
	.read = read_config,
	.check = check,
	.start = start,
	.step = step,
	.fatal = fatal_why,
	.wait = wait_until,
	.stop = stop,
};

int main(int argc, char **argv)
{
	struct program p = {0};
	int status = daemon_main(&relayer, &p, argc, argv);

	config_free(p.owner);
	return status;
}
