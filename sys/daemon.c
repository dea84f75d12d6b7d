#include "sys/daemon.h"

#include <argp.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "sys/signals.h"

#define EXIT_USAGE 2
#define NAP_MS	   1000 /* the watchdog is petted at least this often */
/* Blocks this large go back to the system when they are freed.  Left alone,
 * malloc learns from the first answer of 32 MiB to keep as much as that. */
#define GIVE_BACK_FROM (256 << 10)

struct arguments {
	const char *config;
	bool check;
};

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "the configuration (YAML)", 0},
	{"check", 'k', NULL, 0,
	 "read the configuration, compare it with the world (the contract, "
	 "the signer), and end",
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

static int loop(const struct daemon *d, void *ctx, int signals)
{
	notify_ready();
	while (!signals_stop(signals)) {
		uint64_t now = clock_mono_ms();
		uint64_t next = d->step(ctx, now);

		if (*d->fatal(ctx)) {
			log_error(d->fatal(ctx));
			return EXIT_FAILURE;
		}
		notify_watchdog(now);
		d->wait(ctx, signals,
			next < now + NAP_MS ? next : now + NAP_MS);
	}
	notify_stopping();
	log_notice("stopped");
	return EXIT_SUCCESS;
}

static int run(const struct daemon *d, void *ctx)
{
	int signals = signals_open(), status = EXIT_FAILURE;
	struct err_text error;

	if (signals < 0) {
		log_error("signals cannot be read");
		return EXIT_FAILURE;
	}
	if (d->start(ctx, &error))
		log_error(error.text);
	else
		status = loop(d, ctx, signals);
	d->stop(ctx);
	close(signals);
	return status;
}

static int check(const struct daemon *d, void *ctx, const char *path)
{
	struct err_text error;

	if (d->check(ctx, &error)) {
		log_error(error.text);
		return EXIT_FAILURE;
	}
	printf("%s: good\n", path);
	return EXIT_SUCCESS;
}

int daemon_main(const struct daemon *d, void *ctx, int argc, char **argv)
{
	const struct argp parser = {
		.options = options, .parser = parse, .doc = d->doc};
	struct arguments arguments = {0};
	struct settings_warnings warnings = {0};
	struct err_text error;
	const struct settings *shared;

	(void)mallopt(M_MMAP_THRESHOLD, GIVE_BACK_FROM);
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments))
		return EXIT_USAGE;
	log_init(d->name, LOG_LEVEL_INFO);
	if (d->read(ctx, arguments.config, &shared, &warnings, &error)) {
		log_error(error.text);
		return EXIT_FAILURE;
	}
	log_init(d->name, settings_log_level(shared));
	for (size_t i = 0; i < warnings.n; i++)
		log_warn(warnings.lines[i].text);
	return arguments.check ? check(d, ctx, arguments.config) : run(d, ctx);
}
