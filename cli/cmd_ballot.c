/* egress ballot: sign, list, import and export ballots.  No server is needed
 * to bring signatures together: each is a line for a file or a mail. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/ballot.h"
#include "abi/hex.h"
#include "cli/ballot_sign.h"
#include "cli/commands.h"
#include "cli/daemon.h"

#define PATH   "/v1/ballots"
#define PREFIX "egress-ballot1:"
#define MANY   4096 /* ballots in one list or file */

struct exchange {
	struct where where;
	const char *file;
	enum vote_action only; /* 0: all */
	bool importing;
};

enum { OPT_ACTION = 0x300 };

static const struct argp_option options[] = {
	{"action", OPT_ACTION, "ACTION", 0, "only these", 0},
	{0},
};

static const struct argp_child children[] = {
	{&where_watcher, 0, 0, 1}, {&where_timeout, 0, 0, 1}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct exchange *x = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &x->where, NULL);
		return 0;
	case OPT_ACTION:
		x->only = vote_action_parse(arg);
		if (!x->only)
			argp_error(state,
				   "--action %s: give promote, open, "
				   "resume or amend",
				   arg);
		return 0;
	case ARGP_KEY_ARG:
		if (!x->importing || x->file)
			cli_unexpected(state, arg);
		x->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (x->importing && !x->file)
			argp_error(state, "which file? Give its name, or -");
		where_need_watcher(state, &x->where);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* ---- list and export
 * --------------------------------------------------------- */

typedef void each_ballot(const struct bundle *b);

static void print_one(const struct bundle *b)
{
	struct address who;

	printf("%-7s", vote_action_name(b->vote.action));
	if (b->vote.action == VOTE_PROMOTE || b->vote.action == VOTE_RESUME) {
		memcpy(who.b, b->vote.subject.b + 12, sizeof(who.b));
		printf(" %s", address_text(who).s);
	} else {
		printf(" %s", hash_text(b->vote.subject).s);
	}
	printf(" epoch %" PRIu64 " progress %" PRIu64 " expiry %" PRIu64,
	       b->vote.epoch, b->vote.progress, b->vote.expiry);
	for (size_t i = 0; i < b->n; i++)
		printf(" %s", address_text(b->signers[i]).s);
	putchar('\n');
}

static void print_text(const struct bundle *b)
{
	struct buf text;

	buf_init(&text, BALLOT_TEXT_MAX);
	bundle_text(b, &text);
	puts(buf_cstr(&text));
	buf_done(&text);
}

static int each(const struct exchange *x, const json_node *list,
		each_ballot *act)
{
	struct err_text error = {0};
	struct bundle b;

	for (size_t i = 0; i < json_len(list); i++) {
		if (bundle_parse_json(json_at(list, i), &b, &error))
			return cli_fail("%s%s: ballots[%zu]: %s",
					x->where.watcher, PATH, i, error.text);
		if (!x->only || x->only == b.vote.action)
			act(&b);
	}
	return CLI_OK;
}

static int fetch(const struct exchange *x, each_ballot *act)
{
	const struct daemon watcher = daemon_watcher(&x->where);
	struct json_doc *doc = NULL;
	struct json_reader r = {0};
	struct buf answer;
	int status;

	buf_init(&answer, DAEMON_ANSWER_MAX);
	status = daemon_ask_json(&watcher, PATH, (struct slice){0}, &answer,
				 &doc);
	if (!status) {
		const json_node *list =
			json_array(&r, json_root(doc), "ballots");
		status = daemon_told(&watcher, PATH, &r);
		if (!status)
			status = each(x, list, act);
	}
	json_free(doc);
	buf_done(&answer);
	return status;
}

static int ballot_list(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		0,
		"Lists the ballots that --watcher knows.\v"
		"Example: egress ballot list --watcher URL --action resume",
		children,
		0,
		0};
	struct exchange x = {.where = where_defaults()};

	cli_parse(&argp, argc, argv, &x);
	return fetch(&x, print_one);
}

static int ballot_export(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		0,
		"Prints the ballots that --watcher knows, each as one line "
		"that any file or mail can carry.\v"
		"Example: egress ballot export --watcher URL > ballots.txt",
		children,
		0,
		0};
	struct exchange x = {.where = where_defaults()};

	cli_parse(&argp, argc, argv, &x);
	return fetch(&x, print_text);
}

/* ---- import
 * ---------------------------------------------------------------------- */

static int post(const struct exchange *x, const struct bundle *b)
{
	const struct daemon watcher = daemon_watcher(&x->where);
	struct json_doc *doc = NULL;
	struct json_reader r = {0};
	struct json_writer w;
	struct buf body, answer;
	bool known = false;
	int status;

	buf_init(&body, JSON_BODY_MAX);
	buf_init(&answer, DAEMON_ANSWER_MAX);
	w = json_writer(&body);
	bundle_json(b, &w, NULL);
	status = daemon_ask_json(&watcher, PATH, buf_slice(&body), &answer,
				 &doc);
	if (!status) {
		known = json_bool(&r, json_root(doc), "known");
		status = daemon_told(&watcher, PATH, &r);
	}
	if (!status)
		printf("%s of %zu %s: %s\n", vote_action_name(b->vote.action),
		       b->n, b->n == 1 ? "guardian" : "guardians",
		       known ? "known already" : "handed over");
	json_free(doc);
	buf_done(&body);
	buf_done(&answer);
	return status;
}

static int import_json(const struct exchange *x, struct slice text)
{
	struct json_doc *doc = NULL;
	struct err_text error = {0};
	struct bundle b;
	int status;

	if (json_parse(text, CLI_FILE_MAX, JSON_DEPTH_MAX, &doc, &error))
		return cli_fail("%s: neither %s… nor JSON: %s", x->file, PREFIX,
				error.text);
	if (bundle_parse_json(json_root(doc), &b, &error))
		status = cli_fail("%s: %s", x->file, error.text);
	else
		status = post(x, &b);
	json_free(doc);
	return status;
}

/* One line, or what is left of it. */
static struct slice next_line(struct slice *rest)
{
	const uint8_t *end = memchr(rest->p, '\n', rest->len);
	size_t len = end ? (size_t)(end - rest->p) : rest->len;
	struct slice line = {rest->p, len};
	size_t past = end ? len + 1 : len;

	rest->p += past;
	rest->len -= past;
	return line;
}

static bool is_blank(struct slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!strchr(" \t\r\n", line.p[i]))
			return false;
	return true;
}

static size_t count_lines(struct slice text)
{
	size_t n = 0;

	for (; text.len; n++)
		(void)next_line(&text);
	return n;
}

static int import_lines(const struct exchange *x, struct slice text)
{
	struct err_text error = {0};
	struct bundle b;
	int status = CLI_OK;

	if (count_lines(text) > MANY)
		return cli_fail("%s: more than %d lines: split it, nothing was "
				"handed over",
				x->file, MANY);
	for (size_t n = 1; text.len; n++) {
		struct slice line = next_line(&text);
		if (is_blank(line))
			continue;
		if (bundle_parse_text(line, &b, &error))
			return cli_fail("%s:%zu: %s", x->file, n, error.text);
		status = post(x, &b);
		if (status)
			return status;
	}
	return status;
}

static int ballot_import(int argc, char **argv)
{
	static const struct argp argp = {
		0,
		parse,
		"FILE",
		"Hands the ballots of a file to --watcher, which passes them "
		"on to its peers and to relayers.\v"
		"Example: egress ballot import ballots.txt --watcher URL",
		children,
		0,
		0};
	struct exchange x = {.where = where_defaults(), .importing = true};
	struct buf text;
	int status;

	cli_parse(&argp, argc, argv, &x);
	buf_init(&text, CLI_FILE_MAX);
	status = cli_read_file(x.file, "ballots", &text);
	if (!status && is_blank(buf_slice(&text)))
		status = cli_fail("%s: empty: no ballot in it", x.file);
	else if (!status && memchr(text.p, '{', text.len))
		status = import_json(&x, buf_slice(&text));
	else if (!status)
		status = import_lines(&x, buf_slice(&text));
	buf_done(&text);
	return status;
}

static const struct verb {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"sign", "a guardian signs a vote and prints it as a line of text",
	 ballot_sign},
	{"list", "what a watcher knows, a line each", ballot_list},
	{"import", "hand the ballots of a file to a watcher", ballot_import},
	{"export", "print what a watcher knows, for a file or a mail",
	 ballot_export},
};

static int usage(FILE *to, int status)
{
	fputs("usage: egress ballot sign|list|import|export [OPTION…]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(to, "  %-7s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\negress ballot sign --help tells the options of each.\n", to);
	return status;
}

int cmd_ballot(int argc, char **argv)
{
	char name[64];

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") ||
			 !strcmp(argv[1], "help")))
		return usage(stdout, CLI_OK);
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		snprintf(name, sizeof(name), "egress ballot %s", verbs[i].name);
		argv[1] = name;
		return verbs[i].run(argc - 1, argv + 1);
	}
	return usage(stderr, CLI_USAGE);
}
