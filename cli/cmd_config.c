/* egress config check FILE: has the program that will read it check it, so
 * that there is one opinion of what is right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/program.h"

struct checking {
	const char *verb, *file, *kind;
};

enum { OPT_KIND = 0x300 };

#define KIND_TERMS "terms" /* of `egress deploy`: no daemon reads it */

static const char *const kinds[] = {"watcher", "relayer", "signer"};

static const struct argp_option options[] = {
	{"kind", OPT_KIND, "KIND", 0,
	 "watcher, relayer or signer, when the file's fields do not tell", 0},
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

/* Fields that only one kind of file has. */
static const struct {
	const char *field, *kind;
} marks[] = {
	{"keys", "signer"},	    {"policy", "signer"},
	{"account", "relayer"},	    {"watchers", "relayer"},
	{"fees", "relayer"},	    {"evacuate", "relayer"},
	{"guardian", "watcher"},    {"vote", "watcher"},
	{"standbys", "watcher"},    {"peers", "watcher"},
	{"sla", "watcher"},
	{"thresholds", KIND_TERMS}, {"validators", KIND_TERMS},
};

static const char *kind_of_line(const char *line)
{
	size_t len = strcspn(line, ":");

	for (size_t i = 0; line[len] && i < ARRAY_LEN(marks); i++)
		if (strlen(marks[i].field) == len &&
		    !memcmp(line, marks[i].field, len))
			return marks[i].kind;
	return NULL;
}

/* A terms file has standbys too: what it alone has decides. */
static const char *kind_of_text(const char *text)
{
	const char *best = NULL;

	for (const char *line = text; line;) {
		const char *kind = kind_of_line(line);
		if (kind && (!best || !strcmp(kind, KIND_TERMS)))
			best = kind;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return best;
}

static int find_kind(struct checking *c)
{
	const char *kind;
	struct buf text;

	buf_init(&text, CLI_FILE_MAX);
	if (cli_read_file(c->file, "a configuration", &text)) {
		buf_done(&text);
		return CLI_FAILED;
	}
	kind = kind_of_text(buf_cstr(&text));
	buf_done(&text);
	if (kind && !strcmp(kind, KIND_TERMS))
		return cli_fail("%s: these are terms: check them with egress "
				"deploy --terms %s --dry-run",
				c->file, c->file);
	if (!kind)
		return cli_fail("%s: whose configuration is it? Give --kind "
				"watcher, relayer or signer",
				c->file);
	c->kind = kind;
	return CLI_OK;
}

int cmd_config(int argc, char **argv)
{
	struct checking c = {0};
	struct program_path program;
	char name[32];

	cli_parse(&argp, argc, argv, &c);
	if (!c.kind && find_kind(&c))
		return CLI_FAILED;
	snprintf(name, sizeof(name), "egress-%s", c.kind);
	program = program_find(name);
	execlp(program.s, name, "--check", "--config", c.file, (char *)NULL);
	return cli_fail("%s: %s: is it installed?", program.s, strerror(errno));
}
