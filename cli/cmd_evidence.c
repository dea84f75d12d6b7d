/* egress evidence: which L1 providers lied to a watcher, and in which words. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/daemon.h"
#include "sys/clock.h"

#define WORDS_MAX 32768 /* of one text: 16 KiB, escaped */

struct showing {
	struct where where;
	uint64_t id; /* 0: the list */
};

static const struct argp_child children[] = {{&where_watcher, 0, 0, 1},
					     {&where_timeout, 0, 0, 1},
					     {&where_json, 0, 0, 1},
					     {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct showing *s = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &s->where, NULL);
		return 0;
	case ARGP_KEY_ARG:
		if (s->id)
			cli_unexpected(state, arg);
		s->id = cli_u64(state, "ID", arg);
		if (!s->id)
			argp_error(state, "ID: they begin at 1");
		return 0;
	case ARGP_KEY_END:
		where_need_watcher(state, &s->where);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	0,
	parse,
	"[ID]",
	"Lists the L1 providers that a watcher caught in a lie, newest first; "
	"with an ID, what one said, in its own words, and what stands against "
	"it.\v"
	"Example: egress evidence 7 --watcher URL",
	children,
	0,
	0};

/* A text of a provider, fit for a terminal; s: of at least max + 1. */
static void read_text(struct json_reader *r, const json_node *o,
		      const char *key, char *s, size_t max)
{
	snprintf(s, max + 1, "%s", json_string(r, o, key, max));
	cli_clean(s);
}

struct line {
	uint64_t id, at, number;
	char provider[260], kind[64], why[260];
};

static void read_line(struct json_reader *r, const json_node *o,
		      struct line *to)
{
	const json_node *block = json_object(r, o, "block");

	to->id = json_u64(r, o, "id");
	to->at = json_u64(r, o, "at");
	to->number =
		json_has(block, "number") ? json_u64(r, block, "number") : 0;
	read_text(r, o, "provider", to->provider, 256);
	read_text(r, o, "kind", to->kind, 60);
	read_text(r, o, "why", to->why, 256);
}

static void print_list(struct json_reader *r, const json_node *root)
{
	uint64_t now = clock_unix_ms() / 1000;
	const json_node *list = json_array(r, root, "evidence");
	struct line l;

	for (size_t i = 0; i < json_len(list); i++) {
		read_line(r, json_at(list, i), &l);
		if (r->failed)
			return;
		printf("%" PRIu64 "  %s  %s  %s: %s\n", l.id,
		       cli_when(l.at, now).s, l.provider, l.kind, l.why);
	}
	if (!r->failed && !json_len(list))
		puts("no provider was caught in a lie");
}

static void print_words(struct json_reader *r, const json_node *o,
			const char *key)
{
	char words[WORDS_MAX + 1];
	const json_node *said = json_object(r, o, key);

	read_text(r, said, "text", words, WORDS_MAX);
	if (r->failed)
		return;
	cli_wrap(key, *words ? words : "nothing");
	if (json_bool(r, said, "cut"))
		cli_wrap("", "… (only its beginning is kept)");
}

static void print_one(struct json_reader *r, const json_node *root)
{
	char text[300];
	struct line l;

	read_line(r, root, &l);
	if (r->failed)
		return;
	printf("%s lied %s: %s\n", l.provider,
	       cli_when(l.at, clock_unix_ms() / 1000).s, l.kind);
	cli_wrap("why", l.why);
	if (l.number) {
		snprintf(text, sizeof(text), "%" PRIu64, l.number);
		cli_wrap("block", text);
	}
	read_text(r, root, "method", text, sizeof(text) - 1);
	cli_wrap("method", text);
	print_words(r, root, "asked");
	print_words(r, root, "said");
	read_text(r, root, "against", text, sizeof(text) - 1);
	cli_wrap("against it", text);
	print_words(r, root, "stands");
}

int cmd_evidence(int argc, char **argv)
{
	struct showing s = {.where = where_defaults()};
	struct json_reader r = {0};
	struct json_doc *doc = NULL;
	struct daemon watcher;
	char path[48] = "/v1/evidence";
	struct buf answer;
	int status;

	cli_parse(&argp, argc, argv, &s);
	watcher = daemon_watcher(&s.where);
	if (s.id)
		snprintf(path, sizeof(path), "/v1/evidence/%" PRIu64, s.id);
	buf_init(&answer, DAEMON_ANSWER_MAX);
	status = daemon_ask_json(&watcher, path, (struct slice){0}, &answer,
				 &doc);
	if (!status && s.where.json)
		cli_print_line(&answer);
	else if (!status && s.id)
		print_one(&r, json_root(doc));
	else if (!status)
		print_list(&r, json_root(doc));
	if (!status)
		status = daemon_told(&watcher, path, &r);
	json_free(doc);
	buf_done(&answer);
	return status;
}
