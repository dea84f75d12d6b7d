/* egress-relayer: the command line, and the one place that waits. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/hex.h"
#include "l1/l1.h"
#include "relayer/check.h"
#include "relayer/limits.h"
#include "relayer/relayer.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "sys/signals.h"

#define EXIT_USAGE 2

const char *argp_program_version = "egress-relayer " EGRESS_VERSION;

struct arguments {
	const char *config;
	bool check;
};

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "the configuration (YAML)", 0},
	{"check", 'k', NULL, 0,
	 "read the configuration, compare it with the contract, the account "
	 "and the signer, and end",
	 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'c':
		a->config = arg;
		return 0;
	case 'k':
		a->check = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument: %s", arg);
		return EINVAL;
	case ARGP_KEY_END:
		if (!a->config)
			argp_error(state, "--config FILE is needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.doc = "Carries citizens' requests, complete bundles, overdue "
	       "withdrawals and, when the hatch is open, everybody's exit to "
	       "L1.",
};

struct program {
	struct http_client *http;
	struct l1 *l1;
	struct signer_client *signer;
	struct store *store;
	struct relayer *relayer;
	struct http_server *server;
};

static enum err start(const struct relayer_config *c, struct program *p,
		      struct err_text *error)
{
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

static void stop(struct program *p)
{
	if (p->relayer)
		relayer_close(p->relayer);
	http_server_stop(p->server);
	relayer_free(p->relayer);
	store_close(p->store);
	l1_free(p->l1);
	signer_client_free(p->signer);
	http_client_free(p->http);
}

static int loop(struct program *p, int signals)
{
	notify_ready();
	while (!signals_stop(signals)) {
		uint64_t now = clock_mono_ms();
		uint64_t next = relayer_step(p->relayer, now);

		if (*relayer_verdict(p->relayer)) {
			log_error(relayer_verdict(p->relayer));
			return EXIT_FAILURE;
		}
		notify_watchdog(now);
		if (next > now + NAP_MS)
			next = now + NAP_MS;
		struct pollfd fds[3] = {
			{.fd = signals, .events = POLLIN},
			{.fd = relayer_fd(p->relayer), .events = POLLIN},
			signer_client_pollfd(p->signer),
		};
		now = clock_mono_ms();
		http_client_wait(p->http, fds, fds[2].fd < 0 ? 2 : 3,
				 next > now ? next - now : 0);
	}
	notify_stopping();
	log_notice("stopped");
	return EXIT_SUCCESS;
}

static int run(const struct relayer_config *config)
{
	struct program p = {0};
	struct err_text error;
	int signals = signals_open(), status = EXIT_FAILURE;

	if (signals < 0) {
		log_error("signals cannot be read");
		return EXIT_FAILURE;
	}
	if (start(config, &p, &error)) {
		log_error(error.text);
	} else {
		log_notice(
			"started", "version", EGRESS_VERSION, "account",
			address_text(config->account).s, "port",
			log_u64(p.server ? http_server_port(p.server) : 0).s);
		status = loop(&p, signals);
	}
	stop(&p);
	close(signals);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct relayer_config config;
	struct config *owner;
	struct err_text warning = {{0}}, error;
	int status = EXIT_SUCCESS;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments))
		return EXIT_USAGE;
	log_init("egress-relayer", LOG_LEVEL_INFO);
	if (relayer_config_read(arguments.config, &config, &owner, &warning,
				&error)) {
		log_error(error.text);
		return EXIT_FAILURE;
	}
	log_init("egress-relayer", settings_log_level(&config.shared));
	if (*warning.text)
		log_warn(warning.text);
	if (!arguments.check) {
		status = run(&config);
	} else if (check_world(&config, &error)) {
		log_error(error.text);
		status = EXIT_FAILURE;
	} else {
		printf("%s: good\n", arguments.config);
	}
	config_free(owner);
	return status;
}
