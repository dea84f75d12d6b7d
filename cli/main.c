/* egress: the command line.  A table of commands; each has its own file. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/types.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "sys/log.h"

struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{"status", "phase, deadlines, votes: what a citizen can do now",
	 cmd_status},
	{"pack", "fetch an exit pack: all that is needed to leave", cmd_pack},
	{"verify", "check a pack against a root, or against L1", cmd_verify},
	{"withdraw", "force a withdrawal or a transaction through L1",
	 cmd_withdraw},
	{"exit", "when the hatch is open, be paid at another address",
	 cmd_exit},
	{"track", "what became of a request", cmd_track},
	{"ballot", "sign, list, import or export ballots", cmd_ballot},
	{"deploy", "put a hatch and its rollup on L1", cmd_deploy},
	{"evidence", "which L1 providers lied to a watcher, and how",
	 cmd_evidence},
	{"config", "check a daemon's configuration file", cmd_config},
};

static int usage(FILE *to, int status)
{
	fputs("usage: egress COMMAND [OPTION…]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-9s %s\n", commands[i].name,
			commands[i].summary);
	fputs("\negress COMMAND --help tells the options of each.\n", to);
	return status;
}

int main(int argc, char **argv)
{
	char name[64];

	signal(SIGPIPE, SIG_IGN);
	atexit(cli_close_stdout);
	log_init("egress", LOG_LEVEL_ERROR);
	if (argc < 2)
		return usage(stderr, CLI_USAGE);
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help"))
		return usage(stdout, CLI_OK);
	if (!strcmp(argv[1], "--version")) {
		puts("egress " EGRESS_VERSION);
		return CLI_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		snprintf(name, sizeof(name), "egress %s", commands[i].name);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "egress: no command \"%s\"\n", argv[1]);
	return usage(stderr, CLI_USAGE);
}
