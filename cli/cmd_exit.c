/* egress exit: a wish, signed by a leaf's owner, to be paid at another address
 * when the hatch is open.  Relayers publish it and carry it first. */
#include <stdio.h>

#include "abi/hex.h"
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/session.h"
#include "cli/sign.h"

#define INDEX_BITS 40

struct leaving {
	struct where where;
	struct sign_options sign;
	bool index_set, recipient_set, count_set;
	struct exit_to wish;
	struct session session;
	struct signing signing;
};

enum { OPT_INDEX = 0x300, OPT_RECIPIENT, OPT_COUNT };

static const struct argp_option options[] = {
	{"index", OPT_INDEX, "N", 0, "your leaf's number: see your pack", 0},
	{"recipient", OPT_RECIPIENT, "ADDRESS", 0, "who is to be paid", 0},
	{"count", OPT_COUNT, "N", 0,
	 "the last batch before the hatch opened (L1's own count)", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct leaving *l = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &l->where;
		state->child_inputs[1] = &l->sign;
		return 0;
	case OPT_INDEX:
		l->wish.index = cli_u64(state, "--index", arg);
		l->index_set = l->wish.index >> INDEX_BITS == 0;
		if (!l->index_set)
			argp_error(state, "--index %s: must be below 2^40",
				   arg);
		return 0;
	case OPT_RECIPIENT:
		l->wish.recipient = cli_address(state, "--recipient", arg);
		l->recipient_set = !address_is_zero(l->wish.recipient);
		if (!l->recipient_set)
			argp_error(state, "--recipient is the zero address");
		return 0;
	case OPT_COUNT:
		l->wish.count = cli_u64(state, "--count", arg);
		l->count_set = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
		return 0;
	case ARGP_KEY_END:
		if (!l->index_set || !l->recipient_set)
			argp_error(state, "give --index and --recipient");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {
	{&where_argp, 0, 0, 1}, {&sign_argp, 0, 0, 2}, {0}};
static const struct argp argp = {
	options,
	parse,
	0,
	"Asks to be paid at another address when the hatch is open: needs "
	"--rpc, --hatch and a key; without --relayer it prints the request, "
	"which anybody may carry.",
	children,
	0,
	0};

static int sign_it(struct leaving *l, struct signature *ret)
{
	const struct hatch_facts *f = &l->session.facts;
	struct sign_policy policy = {.allow = "statement",
				     .chain_id = l1_chain_id(l->session.l1),
				     .hatch = f->hatch,
				     .rollup = f->rollup};
	struct ask ask = {.kind = ASK_STATEMENT};
	int status;

	ask.statement = statement_exit_to(policy.chain_id, f->rollup, &l->wish);
	status = signing_open(&l->signing, &l->sign, &policy);
	if (!status)
		status = signing_ask(&l->signing, &ask, ret);
	signing_close(&l->signing);
	return status;
}

/* The wish holds for one batch: the newest that any quorum knows, which may
 * be later than the one that decisions rest on. */
static int fill(struct leaving *l)
{
	const struct hatch_facts *f = &l->session.facts;

	if (session_facts_at_head(&l->session, l->where.hatch))
		return CLI_FAILED;
	if (l->wish.index >= f->leaf_count)
		return cli_fail("--index %llu: the ledger has %llu leaves",
				(unsigned long long)l->wish.index,
				(unsigned long long)f->leaf_count);
	if (!l->count_set)
		l->wish.count = f->count;
	if (f->state == ROLLUP_RUNNING)
		fprintf(stderr,
			"egress: the hatch is not open yet: this wish "
			"holds if it opens at batch %llu; sign again "
			"when a later one lands\n",
			(unsigned long long)l->wish.count);
	return CLI_OK;
}

static int leave(struct leaving *l)
{
	struct signature signature;
	struct buf request;
	int status = session_open(&l->session, &l->where, true);

	if (!status)
		status = fill(l);
	if (!status)
		status = sign_it(l, &signature);
	if (status)
		return status;
	buf_init(&request, REQUEST_JSON_MAX);
	request_exit_json(&l->wish, &signature, &request);
	status = request_hand_in(&l->where,
				 request_id_exit(l1_chain_id(l->session.l1),
						 l->session.facts.rollup,
						 &l->wish),
				 &request);
	buf_done(&request);
	return status;
}

int cmd_exit(int argc, char **argv)
{
	struct leaving l = {.where = where_defaults()};
	int status;

	cli_parse(&argp, argc, argv, &l);
	status = leave(&l);
	session_close(&l.session);
	return status;
}
