/* egress pack: everything a citizen needs to leave, from any watcher, checked
 * before it is kept. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "abi/pack.h"
#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/pack_check.h"

struct packing {
	struct where where;
	struct address owner;
	bool owner_set, text;
};

enum { OPT_TEXT = 0x300 };

static const struct argp_option options[] = {
	{"text", OPT_TEXT, 0, 0, "one line for a file, a mail or a QR code", 0},
	{0},
};

static const struct argp_child children[] = {{&where_watcher, 0, 0, 1},
					     {&where_place, 0, 0, 1},
					     {&where_timeout, 0, 0, 1},
					     {&where_json, 0, 0, 1},
					     {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct packing *p = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &p->where, NULL);
		return 0;
	case OPT_TEXT:
		p->text = true;
		return 0;
	case ARGP_KEY_ARG:
		if (p->owner_set)
			cli_unexpected(state, arg);
		p->owner = cli_address(state, "ADDRESS", arg);
		p->owner_set = true;
		return 0;
	case ARGP_KEY_END:
		if (!p->owner_set)
			argp_error(state, "whose pack? Give the address");
		where_need_watcher(state, &p->where);
		where_not_both(state, p->text, p->where.json,
			       "--text and --json: give one of them");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options,
	parse,
	"ADDRESS",
	"Fetches an exit pack from --watcher to standard output: keep it in "
	"a file, and check it with egress verify.\v"
	"Example: egress pack 0x… --watcher URL > pack.json",
	children,
	0,
	0};

/* A proof that does not verify is worse than none. */
static int check(const struct packing *p, const struct pack *pack)
{
	const char *from = p->where.watcher;
	struct err_text error = {0};

	if (pack_check(pack, &error))
		return cli_fail("%s: its pack does not verify: %s: ask "
				"another watcher",
				from, error.text);
	if (where_agrees(&p->where, from, pack->chain_id, pack->hatch))
		return CLI_FAILED;
	for (size_t i = 0; i < pack->n; i++)
		if (!address_eq(record_owner(&pack->leaves[i].record),
				p->owner))
			return cli_fail("%s: leaf %" PRIu64 " of its pack is "
					"somebody else's: ask another watcher",
					from, pack->leaves[i].index);
	fprintf(stderr, "egress: %zu %s as of batch %" PRIu64 "\n", pack->n,
		pack->n == 1 ? "leaf" : "leaves", pack->batch);
	return CLI_OK;
}

static void print(const struct packing *p, const struct pack *pack)
{
	struct cli_json j;

	cli_json_begin(&j);
	if (p->text)
		pack_text(pack, &j.text);
	else
		pack_json(pack, &j.w, NULL);
	cli_json_end(&j);
}

int cmd_pack(int argc, char **argv)
{
	struct packing p = {.where = where_defaults()};
	struct daemon watcher;
	struct err_text error = {0};
	struct buf answer;
	struct pack pack;
	char path[128];
	int status;

	cli_parse(&argp, argc, argv, &p);
	watcher = daemon_watcher(&p.where);
	snprintf(path, sizeof(path), "/v1/pack/%s", address_text(p.owner).s);
	buf_init(&answer, DAEMON_ANSWER_MAX);
	status =
		daemon_ask_ok(&watcher, path, (struct slice){0}, NULL, &answer);
	if (!status && pack_parse(buf_slice(&answer), &pack, &error))
		status = cli_fail("%s%s: its answer is not a pack: %s: is this "
				  "a watcher?",
				  p.where.watcher, path, error.text);
	if (!status)
		status = check(&p, &pack);
	if (!status)
		print(&p, &pack);
	buf_done(&answer);
	return status;
}
