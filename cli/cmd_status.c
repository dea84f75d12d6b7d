/* egress status: the phase, the clocks, the votes and what a citizen can do,
 * from a watcher or straight from L1. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/session.h"
#include "cli/situation.h"

#define PATH "/v1/status"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&where_argp, 0, 0, 1}, {0}};
static const struct argp argp = {
	0,
	parse,
	0,
	"Tells the phase, the deadlines, the votes and what a citizen can do "
	"now: from a watcher (--watcher), or straight from L1 (--rpc and "
	"--hatch).",
	children,
	0,
	0};

/* A watcher's words go on as they came, on one line. */
static void print_line(struct buf *answer)
{
	for (size_t i = 0; i < answer->len; i++)
		if (answer->p[i] == '\n')
			answer->p[i] = ' ';
	puts(buf_cstr(answer));
}

static int ask_watcher(const struct where *where, struct situation *s)
{
	struct json_doc *doc = NULL;
	struct json_reader r = {0};
	struct buf answer;
	int status;

	buf_init(&answer, DAEMON_ANSWER_MAX);
	status = daemon_ask_json(where->watcher, PATH, (struct slice){0},
				 &answer, &doc);
	if (!status) {
		situation_of_status(&r, json_root(doc), s);
		status = daemon_told(where->watcher, PATH, &r);
	}
	if (!status && where->hatch_set && !address_eq(where->hatch, s->hatch))
		status = cli_fail("%s: this watcher follows another hatch",
				  where->watcher);
	if (!status && where->json)
		print_line(&answer);
	json_free(doc);
	buf_done(&answer);
	return status;
}

static void print_json(const struct situation *s)
{
	struct json_writer w;
	struct buf text;

	buf_init(&text, DAEMON_ANSWER_MAX);
	w = json_writer(&text);
	situation_json(s, &w);
	puts(buf_cstr(&text));
	buf_done(&text);
}

static int ask_l1(const struct where *where, struct situation *s)
{
	struct session session;
	int status = session_open(&session, where, true);

	if (!status) {
		situation_of_facts(&session.facts, l1_view(session.l1),
				   l1_chain_id(session.l1), s);
		if (where->json)
			print_json(s);
	}
	session_close(&session);
	return status;
}

int cmd_status(int argc, char **argv)
{
	struct where where = where_defaults();
	struct situation s;
	int status;

	cli_parse(&argp, argc, argv, &where);
	if (!where.watcher && !where.rpc)
		return cli_fail("whom to ask? Give --watcher URL, or --rpc "
				"URL and --hatch ADDRESS");
	status = where.watcher ? ask_watcher(&where, &s) : ask_l1(&where, &s);
	if (!status && !where.json)
		situation_print(&s);
	return status;
}
