/* egress pack: everything a citizen needs to leave, from any watcher, checked
 * before it is kept. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "abi/pack.h"
#include "cli/commands.h"
#include "cli/daemon.h"

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

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct packing *p = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->where;
		return 0;
	case OPT_TEXT:
		p->text = true;
		return 0;
	case ARGP_KEY_ARG:
		if (p->owner_set)
			argp_error(state, "unexpected argument \"%s\"", arg);
		p->owner = cli_address(state, "ADDRESS", arg);
		p->owner_set = true;
		return 0;
	case ARGP_KEY_END:
		if (!p->owner_set)
			argp_error(state, "whose pack? Give the address");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&where_argp, 0, 0, 1}, {0}};
static const struct argp argp = {
	options,
	parse,
	"ADDRESS",
	"Fetches an exit pack from --watcher to standard output: keep it in "
	"a file, and check it with egress verify.",
	children,
	0,
	0};

/* A proof that does not verify is worse than none. */
static int check(const struct packing *p, const struct pack *pack)
{
	const char *from = p->where.watcher;
	struct err_text error = {0};

	if (pack_verify(pack, &error))
		return cli_fail("%s: its pack does not verify: %s: ask "
				"another watcher",
				from, error.text);
	if (p->where.hatch_set && !address_eq(p->where.hatch, pack->hatch))
		return cli_fail("%s: its pack is of another hatch, %s", from,
				address_text(pack->hatch).s);
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
	struct json_writer w;
	struct buf out;

	buf_init(&out, DAEMON_ANSWER_MAX);
	w = json_writer(&out);
	if (p->text)
		pack_text(pack, &out);
	else
		pack_json(pack, &w, NULL);
	puts(buf_cstr(&out));
	buf_done(&out);
}

int cmd_pack(int argc, char **argv)
{
	struct packing p = {.where = where_defaults()};
	struct err_text error = {0};
	struct buf answer;
	struct pack pack;
	char path[128];
	int status;

	cli_parse(&argp, argc, argv, &p);
	if (!p.where.watcher)
		return cli_fail("--watcher is missing: give any watcher's URL");
	snprintf(path, sizeof(path), "/v1/pack/%s", address_text(p.owner).s);
	buf_init(&answer, DAEMON_ANSWER_MAX);
	status = daemon_ask_ok(p.where.watcher, path, (struct slice){0}, NULL,
			       &answer);
	if (!status && pack_parse(buf_slice(&answer), &pack, &error))
		status = cli_fail("%s%s: its answer is not a pack: %s",
				  p.where.watcher, path, error.text);
	if (!status)
		status = check(&p, &pack);
	if (!status)
		print(&p, &pack);
	buf_done(&answer);
	return status;
}
