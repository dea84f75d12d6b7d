/* egress-watcher: the command line, and the one place that waits. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "sys/signals.h"
#include "watcher/check.h"
#include "watcher/watcher.h"

#define EXIT_USAGE 2
#define NAP_MS	   1000 /* the watchdog is petted at least this often */

const char *argp_program_version = "egress-watcher " EGRESS_VERSION;

struct arguments {
	const char *config;
	bool check;
};

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "the configuration (YAML)", 0},
	{"check", 'k', NULL, 0,
	 "read the configuration, compare it with the contract and the "
	 "signer, and end",
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
	.doc = "Follows a rollup and its escape hatch on L1: keeps the ledger, "
	       "serves proofs, votes by policy, proves bad batches bad.",
};

static int loop(struct watcher *w, int signals)
{
	struct pollfd stop = {.fd = signals, .events = POLLIN};

	notify_ready();
	while (!signals_stop(signals)) {
		uint64_t now = clock_mono_ms();
		uint64_t next = watcher_step(w, now);

		if (watcher_fatal(w)[0]) {
			log_error(watcher_fatal(w));
			return EXIT_FAILURE;
		}
		notify_watchdog(now);
		if (next > now + NAP_MS)
			next = now + NAP_MS;
		watcher_wait(w, &stop, 1, next);
	}
	notify_stopping();
	log_notice("stopped");
	return EXIT_SUCCESS;
}

static int run(const struct watcher_config *config)
{
	struct err_text error;
	struct watcher *w;
	int signals = signals_open(), status;

	if (signals < 0) {
		log_error("signals cannot be read");
		return EXIT_FAILURE;
	}
	if (watcher_new(config, &w, &error)) {
		log_error(error.text);
		return EXIT_FAILURE;
	}
	log_notice("started", "version", EGRESS_VERSION, "role",
		   config->guardian_set ? "guardian" : "observer", "port",
		   log_u64(watcher_port(w)).s);
	status = loop(w, signals);
	watcher_free(w);
	close(signals);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct watcher_config config;
	struct config *owner;
	struct err_text warning, error;
	int status = EXIT_SUCCESS;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments))
		return EXIT_USAGE;
	log_init("egress-watcher", LOG_LEVEL_INFO);
	if (watcher_config_read(arguments.config, &config, &owner, &warning,
				&error)) {
		log_error(error.text);
		return EXIT_FAILURE;
	}
	log_init("egress-watcher", settings_log_level(&config.shared));
	if (warning.text[0])
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
