/* What the daemons' programs share: the command line, the configuration's
 * reading, the log, signals, and the one loop that waits. */
#ifndef EGRESS_SYS_DAEMON_H
#define EGRESS_SYS_DAEMON_H

#include <stdint.h>

#include "abi/err.h"
#include "sys/settings.h"

struct daemon {
	const char *name; /* "egress-watcher" */
	const char *doc;  /* what it does, for --help */
	/* The first: the configuration at path, and what daemons share of it.
	 * Warnings are logged. */
	enum err (*read)(void *ctx, const char *path,
			 const struct settings **ret_shared,
			 struct settings_warnings *warnings,
			 struct err_text *error);
	/* --check, instead of all below: the configuration against the world.
	 */
	enum err (*check)(void *ctx, struct err_text *error);
	/* Says itself that it started; stop() follows in any case. */
	enum err (*start)(void *ctx, struct err_text *error);
	/* One turn; the clock_mono_ms() of the next. */
	uint64_t (*step)(void *ctx, uint64_t now_mono_ms);
	/* "" or why it makes no sense to go on. */
	const char *(*fatal)(void *ctx);
	/* Until then, or something of its own or `signals` is readable. */
	void (*wait)(void *ctx, int signals, uint64_t until_mono_ms);
	void (*stop)(void *ctx);
};

/* All of main() but the freeing of the configuration: the exit status. */
int daemon_main(const struct daemon *d, void *ctx, int argc, char **argv);

#endif
