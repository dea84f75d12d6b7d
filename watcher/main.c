/* egress-watcher. */
#include <argp.h>

#include "sys/daemon.h"
#include "sys/log.h"
#include "watcher/check.h"
#include "watcher/watcher.h"

const char *argp_program_version = "egress-watcher " EGRESS_VERSION;

struct program {
	struct watcher_config config;
	struct config *owner;
	struct watcher *watcher;
};

static enum err read_config(void *ctx, const char *path,
			    const struct settings **ret_shared,
			    struct settings_warnings *warnings,
			    struct err_text *error)
{
	struct program *p = ctx;

	*ret_shared = &p->config.shared;
	return watcher_config_read(path, &p->config, &p->owner, warnings,
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
	enum err err = watcher_new(&p->config, &p->watcher, error);

	if (err)
		return err;
	log_notice("started", "version", EGRESS_VERSION, "role",
		   p->config.guardian_set ? "guardian" : "observer", "port",
		   log_u64(watcher_port(p->watcher)).s);
	return OK;
}

static uint64_t step(void *ctx, uint64_t now)
{
	struct program *p = ctx;

	return watcher_step(p->watcher, now);
}

static const char *fatal_why(void *ctx)
{
	struct program *p = ctx;

	return watcher_fatal(p->watcher);
}

static void wait_until(void *ctx, int signals, uint64_t until_ms)
{
	struct pollfd stop = {.fd = signals, .events = POLLIN};
	struct program *p = ctx;

	watcher_wait(p->watcher, &stop, 1, until_ms);
}

static void stop(void *ctx)
{
	struct program *p = ctx;

	watcher_free(p->watcher);
}

static const struct daemon watcher = {
	.name = "egress-watcher",
	.doc = "Follows a rollup and its escape hatch on L1: keeps the ledger, "
	       "serves proofs, votes by policy, proves bad batches bad.",
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
	int status = daemon_main(&watcher, &p, argc, argv);

	config_free(p.owner);
	return status;
}
