/* egress config check FILE: has the program that will read it check it, so
 * that there is one opinion of what is right. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/program.h"

struct checking {
	const char *verb, *file, *kind;
};

enum { OPT_KIND = 0x300 };

static const char *const kinds[] = {"watcher", "relayer", "signer"};

static const struct argp_option options[] = {
	{"kind", OPT_KIND, "KIND", 0,
	 "watcher, relayer or signer, when the file's name does not tell", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct checking *c = state->input;

	switch (key) {
	case OPT_KIND:
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			if (!strcmp(arg, kinds[i]))
				c->kind = kinds[i];
		if (!c->kind)
			argp_error(state,
				   "--kind %s: give watcher, relayer "
				   "or signer",
				   arg);
		return 0;
	case ARGP_KEY_ARG:
		if (!c->verb)
			c->verb = arg;
		else if (!c->file)
			c->file = arg;
		else
			cli_unexpected(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (!c->verb || strcmp(c->verb, "check") || !c->file)
			argp_error(state, "egress config check FILE");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options,
	parse,
	"check FILE",
	"Has the daemon itself check its configuration, L1 included.\v"
	"Example: egress config check watcher.yaml",
	0,
	0,
	0};

/* "guardian1-signer.yaml" is a signer's: the last name that is in it. */
static const char *kind_of(const char *path)
{
	const char *name = strrchr(path, '/'), *found = NULL, *best = NULL;

	name = name ? name + 1 : path;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *at = strstr(name, kinds[i]);
		if (at && (!found || at > found)) {
			found = at;
			best = kinds[i];
		}
	}
	return best;
}

int cmd_config(int argc, char **argv)
{
	struct checking c = {0};
	struct program_path program;
	char name[32];

	cli_parse(&argp, argc, argv, &c);
	if (!c.kind)
		c.kind = kind_of(c.file);
	if (!c.kind)
		return cli_fail("%s: whose configuration is it? Give --kind "
				"watcher, relayer or signer",
				c.file);
	if (access(c.file, R_OK))
		return cli_fail("%s: %s: give a configuration file", c.file,
				strerror(errno));
	snprintf(name, sizeof(name), "egress-%s", c.kind);
	program = program_find(name);
	execlp(program.s, name, "--check", "--config", c.file, (char *)NULL);
	return cli_fail("%s: %s: is it installed?", program.s, strerror(errno));
}
