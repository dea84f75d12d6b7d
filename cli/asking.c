/* What a withdrawal and an exit have in common: see asking.h. */
#include "cli/asking.h"

#include <inttypes.h>

#define INDEX_BITS 40

enum { OPT_INDEX = 0x400, OPT_RECIPIENT };

static const struct argp_option options[] = {
	{"index", OPT_INDEX, "N", 0, "your leaf's number: see your pack", 0},
	{"recipient", OPT_RECIPIENT, "ADDRESS", 0, "who is to be paid", 0},
	{0},
};

static const struct argp_child children[] = {
	{&where_l1, 0, 0, 1},	   {&where_relayer, 0, 0, 1},
	{&where_timeout, 0, 0, 1}, {&where_json, 0, 0, 1},
	{&sign_argp, 0, 0, 2},	   {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct asking *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &a->where, &a->sign);
		return 0;
	case OPT_INDEX:
		a->index = cli_u64(state, "--index", arg);
		a->index_set = a->index >> INDEX_BITS == 0;
		if (!a->index_set)
			argp_error(state, "--index %s: must be below 2^40",
				   arg);
		return 0;
	case OPT_RECIPIENT:
		a->recipient = cli_address(state, "--recipient", arg);
		a->recipient_set = !address_is_zero(a->recipient);
		if (!a->recipient_set)
			argp_error(state, "--recipient is the zero address");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp asking_argp = {options, parse, 0, 0, children, 0, 0};

void asking_need_all(struct argp_state *state, const struct asking *a)
{
	if (!a->index_set || !a->recipient_set)
		argp_error(state, "give --index and --recipient");
	where_need_l1(state, &a->where);
	sign_need_key(state, &a->sign);
}

int asking_leaf(const struct asking *a)
{
	uint64_t leaves = a->session.facts.leaf_count;

	if (a->index < leaves)
		return CLI_OK;
	return cli_fail("--index %" PRIu64 ": the ledger has %" PRIu64
			" leaves: your pack tells yours",
			a->index, leaves);
}

int asking_sign(struct asking *a, const struct statement *statement,
		struct signature *ret)
{
	const struct hatch_facts *f = &a->session.facts;
	struct sign_policy policy = {.allow = "statement",
				     .chain_id = l1_chain_id(a->session.l1),
				     .hatch = f->hatch,
				     .rollup = f->rollup};
	struct ask ask = {.kind = ASK_STATEMENT, .statement = *statement};
	struct signing signing = {0};
	struct address who;
	int status = signing_address(&a->sign, &who);

	if (!status)
		status = signing_open(&signing, &a->sign, who, &policy);
	if (!status)
		status = signing_ask(&signing, &ask, ret);
	signing_close(&signing);
	return status;
}
