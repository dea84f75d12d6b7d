/* egress track: what became of a request, by the relayer that took it. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "abi/hex.h"
#include "cli/commands.h"
#include "cli/daemon.h"
#include "sys/clock.h"

#define OUTCOME_MAX 256
#define PACE_MS	    1000
#define WAIT_MAX_MS (30ull * 86400 * 1000)

struct tracking {
	struct where where;
	struct hash32 id;
	bool id_set, wait;
};

struct progress {
	char state[16], outcome[OUTCOME_MAX];
	bool has_tx;
	struct hash32 tx;
	uint64_t block, confirmations, eta; /* 0: none */
};

enum { OPT_WAIT = 0x300 };

static const struct argp_option options[] = {
	{"wait", OPT_WAIT, 0, 0, "follow it until it ends", 0},
	{0},
};

static const struct argp_child children[] = {{&where_relayer, 0, 0, 1},
					     {&where_timeout, 0, 0, 1},
					     {&where_json, 0, 0, 1},
					     {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct tracking *t = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &t->where, NULL);
		return 0;
	case OPT_WAIT:
		t->wait = true;
		return 0;
	case ARGP_KEY_ARG:
		if (t->id_set)
			cli_unexpected(state, arg);
		t->id = cli_hash(state, "REQUEST", arg);
		t->id_set = true;
		return 0;
	case ARGP_KEY_END:
		if (!t->id_set)
			argp_error(state, "which request? Give the id that "
					  "the relayer's receipt names");
		if (!t->where.relayer)
			argp_error(state, "--relayer is missing: give the URL "
					  "of the relayer that took the "
					  "request");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options,
	parse,
	"REQUEST",
	"Tells what became of a request.\v"
	"Example: egress track 0x… --relayer URL --wait",
	children,
	0,
	0};

static void read_progress(struct json_reader *r, const json_node *o,
			  struct progress *p)
{
	*p = (struct progress){0};
	snprintf(p->state, sizeof(p->state), "%s",
		 json_string(r, o, "state", sizeof(p->state) - 1));
	p->has_tx = json_has(o, "tx");
	if (p->has_tx)
		p->tx = json_hash(r, o, "tx");
	if (json_has(o, "block"))
		p->block = json_u64(r, o, "block");
	if (json_has(o, "confirmations"))
		p->confirmations = json_u64(r, o, "confirmations");
	if (json_has(o, "eta"))
		p->eta = json_u64(r, o, "eta");
	if (json_has(o, "outcome"))
		snprintf(p->outcome, sizeof(p->outcome), "%s",
			 json_string(r, o, "outcome", OUTCOME_MAX - 1));
	cli_clean(p->state);
	cli_clean(p->outcome);
}

static int ask(const struct tracking *t, struct buf *answer,
	       struct progress *ret)
{
	const struct daemon relayer = daemon_relayer(&t->where);
	struct json_doc *doc = NULL;
	struct json_reader r = {0};
	char path[128];
	int status;

	snprintf(path, sizeof(path), "/v1/requests/%s", hash_text(t->id).s);
	buf_clear(answer);
	status = daemon_ask_json(&relayer, path, (struct slice){0}, answer,
				 &doc);
	if (!status) {
		read_progress(&r, json_root(doc), ret);
		status = daemon_told(&relayer, path, &r);
	}
	json_free(doc);
	return status;
}

/* What each state means to whoever is waiting. */
static const char *meaning(const char *state)
{
	static const struct {
		const char *state, *meaning;
	} all[] = {
		{"queued", "the relayer has it; it is not on L1 yet"},
		{"signed", "its transaction is about to be sent"},
		{"sent", "its transaction is on the way to L1"},
		{"included", "it is on L1 and runs its course there"},
		{"final", "it is over, for good"},
		{"failed", "it did not succeed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(all[i].state, state))
			return all[i].meaning;
	return "";
}

static void print(const struct tracking *t, const struct progress *p,
		  struct buf *answer)
{
	uint64_t now = clock_unix_ms() / 1000;

	if (t->where.json) {
		cli_print_line(answer);
		return;
	}
	printf("request %.10s… is %s: %s\n", hash_text(t->id).s, p->state,
	       *p->outcome ? cli_times(p->outcome, now).s : meaning(p->state));
	if (p->has_tx)
		printf("  transaction  %s\n", hash_text(p->tx).s);
	if (p->block)
		printf("  L1 block     %" PRIu64 ", %" PRIu64
		       " confirmation%s\n",
		       p->block, p->confirmations,
		       p->confirmations == 1 ? "" : "s");
	else if (p->eta)
		printf("  on L1 by     %s\n", cli_when(p->eta, now).s);
}

static bool ended(const struct progress *p)
{
	return !strcmp(p->state, "final") || !strcmp(p->state, "failed");
}

static void pause_ms(uint64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000),
			     .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

/* Tells each change once. */
static int follow(const struct tracking *t, struct buf *answer)
{
	uint64_t end = clock_mono_ms() + WAIT_MAX_MS;
	struct progress before = {0}, now;
	int status = CLI_OK;

	for (;;) {
		status = ask(t, answer, &now);
		if (status)
			return status;
		if (strcmp(before.state, now.state) ||
		    strcmp(before.outcome, now.outcome)) {
			print(t, &now, answer);
			fflush(stdout);
		}
		if (ended(&now) || !t->wait || clock_mono_ms() >= end)
			break;
		before = now;
		pause_ms(PACE_MS);
	}
	return strcmp(now.state, "failed") ? CLI_OK : CLI_FAILED;
}

int cmd_track(int argc, char **argv)
{
	struct tracking t = {.where = where_defaults()};
	struct buf answer;
	int status;

	cli_parse(&argp, argc, argv, &t);
	buf_init(&answer, DAEMON_ANSWER_MAX);
	status = follow(&t, &answer);
	buf_done(&answer);
	return status;
}
