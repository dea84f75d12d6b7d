/* egress withdraw: a withdrawal, or a signed transaction of the chain, that
 * the sequencer cannot ignore.  Signed here, carried to L1 by any relayer. */
#include <stdio.h>
#include <sys/random.h>

#include "abi/hex.h"
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/session.h"
#include "cli/sign.h"

#define DAY	    86400u
#define EXPIRY_DAYS 7 /* longer than the longest halt of an L1 */
#define INDEX_BITS  40

struct withdrawing {
	struct where where;
	struct sign_options sign;
	const char *raw;
	bool index_set, amount_set, recipient_set;
	struct withdraw withdraw;
	struct session session;
	struct signing signing;
};

enum { OPT_INDEX = 0x300, OPT_AMOUNT, OPT_RECIPIENT, OPT_EXPIRY, OPT_RAW };

static const struct argp_option options[] = {
	{"index", OPT_INDEX, "N", 0, "your leaf's number: see your pack", 0},
	{"amount", OPT_AMOUNT, "WEI", 0, "how much, in the smallest unit", 0},
	{"recipient", OPT_RECIPIENT, "ADDRESS", 0, "who is to be paid", 0},
	{"expiry", OPT_EXPIRY, "UNIX", 0,
	 "the request is void on L1 after this (in 7 days)", 0},
	{"raw", OPT_RAW, "0x…", 0,
	 "instead: a signed transaction of the chain, to be forced", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct withdrawing *w = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &w->where;
		state->child_inputs[1] = &w->sign;
		return 0;
	case OPT_INDEX:
		w->withdraw.index = cli_u64(state, "--index", arg);
		w->index_set = w->withdraw.index >> INDEX_BITS == 0;
		if (!w->index_set)
			argp_error(state, "--index %s: must be below 2^40",
				   arg);
		return 0;
	case OPT_AMOUNT:
		w->withdraw.amount = cli_amount(state, "--amount", arg);
		w->amount_set = true;
		if (u256_is_zero(w->withdraw.amount))
			argp_error(state, "--amount 0 asks for nothing");
		return 0;
	case OPT_RECIPIENT:
		w->withdraw.recipient = cli_address(state, "--recipient", arg);
		w->recipient_set = !address_is_zero(w->withdraw.recipient);
		if (!w->recipient_set)
			argp_error(state, "--recipient is the zero address");
		return 0;
	case OPT_EXPIRY:
		w->withdraw.expiry = cli_u64(state, "--expiry", arg);
		return 0;
	case OPT_RAW:
		w->raw = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
		return 0;
	case ARGP_KEY_END:
		if (!w->raw &&
		    !(w->index_set && w->amount_set && w->recipient_set))
			argp_error(state, "give --index, --amount and "
					  "--recipient (or --raw)");
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
	"Forces a withdrawal through L1: needs --rpc, --hatch and a key; "
	"without --relayer it prints the request, which anybody may carry.",
	children,
	0,
	0};

static int sign_it(struct withdrawing *w, struct signature *ret)
{
	const struct hatch_facts *f = &w->session.facts;
	struct sign_policy policy = {.allow = "statement",
				     .chain_id = l1_chain_id(w->session.l1),
				     .hatch = f->hatch,
				     .rollup = f->rollup};
	struct ask ask = {.kind = ASK_STATEMENT};
	int status;

	ask.statement =
		statement_withdraw(policy.chain_id, f->rollup, &w->withdraw);
	status = signing_open(&w->signing, &w->sign, &policy);
	if (!status)
		status = signing_ask(&w->signing, &ask, ret);
	signing_close(&w->signing);
	return status;
}

/* What would be refused on L1 is refused here, while it costs nothing. */
static int fill(struct withdrawing *w)
{
	const struct hatch_facts *f = &w->session.facts;

	if (f->state == ROLLUP_OPEN)
		return cli_fail("the hatch is open: withdrawals are void, "
				"everybody is paid by exit: see egress exit");
	if (f->state == ROLLUP_SETTLING)
		return cli_fail("exits are being settled: ask again when the "
				"new operator's first batch is there");
	if (w->withdraw.index >= f->leaf_count)
		return cli_fail("--index %llu: the ledger has %llu leaves",
				(unsigned long long)w->withdraw.index,
				(unsigned long long)f->leaf_count);
	if (!w->withdraw.expiry)
		w->withdraw.expiry = f->block.time + EXPIRY_DAYS * DAY;
	if (w->withdraw.expiry <= f->block.time)
		return cli_fail("--expiry %llu is past: L1's time is %llu",
				(unsigned long long)w->withdraw.expiry,
				(unsigned long long)f->block.time);
	if (getrandom(w->withdraw.salt.b, sizeof(w->withdraw.salt.b), 0) !=
	    (ssize_t)sizeof(w->withdraw.salt.b))
		return cli_fail("this machine gives no random numbers");
	return CLI_OK;
}

static int withdraw(struct withdrawing *w)
{
	struct signature signature;
	struct buf request;
	int status = session_open(&w->session, &w->where, true);

	if (!status)
		status = fill(w);
	if (!status)
		status = sign_it(w, &signature);
	if (status)
		return status;
	buf_init(&request, REQUEST_JSON_MAX);
	request_withdrawal_json(&w->withdraw, &signature, &request);
	status = request_hand_in(
		&w->where,
		request_id_withdrawal(l1_chain_id(w->session.l1),
				      w->session.facts.rollup, &w->withdraw),
		&request);
	buf_done(&request);
	return status;
}

static int force_transaction(struct withdrawing *w)
{
	struct buf raw, request;
	int status = CLI_OK;

	buf_init(&raw, REQUEST_RAW_MAX);
	buf_init(&request, REQUEST_JSON_MAX);
	if (hex_decode_buf(slice_str(w->raw), &raw) || !raw.len)
		status = cli_fail("--raw: give 0x and the bytes in hex, at "
				  "most %d of them",
				  REQUEST_RAW_MAX);
	if (!status)
		status = session_open(&w->session, &w->where, true);
	if (!status) {
		request_transaction_json(buf_slice(&raw), &request);
		status = request_hand_in(
			&w->where,
			request_id_transaction(l1_chain_id(w->session.l1),
					       w->session.facts.rollup,
					       buf_slice(&raw)),
			&request);
	}
	buf_done(&raw);
	buf_done(&request);
	return status;
}

int cmd_withdraw(int argc, char **argv)
{
	struct withdrawing w = {.where = where_defaults()};
	int status;

	cli_parse(&argp, argc, argv, &w);
	status = w.raw ? force_transaction(&w) : withdraw(&w);
	session_close(&w.session);
	return status;
}
