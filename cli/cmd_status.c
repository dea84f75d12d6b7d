/* egress status: the phase, the clocks, the votes and what a citizen can do,
 * from a watcher or straight from L1. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/session.h"
#include "cli/situation.h"

#define PATH "/v1/status"

static const struct argp_child children[] = {{&where_watcher, 0, 0, 1},
					     {&where_l1, 0, 0, 1},
					     {&where_timeout, 0, 0, 1},
					     {&where_json, 0, 0, 1},
					     {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct where *where = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, where, NULL);
		return 0;
	case ARGP_KEY_ARG:
		cli_unexpected(state, arg);
		return 0;
	case ARGP_KEY_END:
		where_not_both(state, where->watcher, where->rpc,
			       "--watcher and --rpc: give the one to ask");
		if (!where->watcher && !where->rpc)
			argp_error(state, "whom to ask? Give --watcher URL, or "
					  "--rpc URL and --hatch ADDRESS");
		if (!where->watcher)
			where_need_l1(state, where);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	0,
	parse,
	0,
	"Tells the phase, the deadlines, the votes and what a citizen can do "
	"now: from a watcher (--watcher), or straight from L1 (--rpc and "
	"--hatch).\v"
	"Example: egress status --watcher URL",
	children,
	0,
	0};

static int ask_watcher(const struct where *where, struct situation *s)
{
	const struct daemon watcher = daemon_watcher(where);
	struct json_doc *doc = NULL;
	struct json_reader r = {0};
	struct buf answer;
	int status;

	buf_init(&answer, DAEMON_ANSWER_MAX);
	status = daemon_ask_json(&watcher, PATH, (struct slice){0}, &answer,
				 &doc);
	if (!status) {
		situation_of_status(&r, json_root(doc), s);
		status = daemon_told(&watcher, PATH, &r);
	}
	if (!status)
		status = where_agrees(where, where->watcher, s->chain_id,
				      s->hatch);
	if (!status && where->json)
		cli_print_line(&answer);
	json_free(doc);
	buf_done(&answer);
	return status;
}

static void print_json(const struct situation *s, const struct l1_view *l1)
{
	struct cli_json j;

	cli_json_begin(&j);
	situation_json(s, l1, &j.w);
	cli_json_end(&j);
}

static int ask_l1(const struct where *where, struct situation *s)
{
	struct session session;
	int status = session_open(&session, where, true);

	if (!status) {
		situation_of_facts(&session.facts, l1_view(session.l1),
				   l1_chain_id(session.l1), s);
		if (where->json)
			print_json(s, l1_view(session.l1));
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
	status = where.watcher ? ask_watcher(&where, &s) : ask_l1(&where, &s);
	if (!status && !where.json)
		situation_print(&s);
	return status;
}
