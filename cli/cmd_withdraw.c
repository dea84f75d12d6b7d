/* egress withdraw: a withdrawal, or a signed transaction of the chain, that
 * the sequencer cannot ignore.  Signed here, carried to L1 by any relayer. */
#include <sys/random.h>

#include "abi/hex.h"
#include "cli/asking.h"
#include "cli/commands.h"

#define DAY	    86400u
#define EXPIRY_DAYS 7 /* longer than the longest halt of an L1 */

struct withdrawing {
	struct asking asking;
	bool raw_set, amount_set, expiry_set;
	struct buf raw;
	struct withdraw withdraw;
};

enum { OPT_AMOUNT = 0x300, OPT_EXPIRY, OPT_RAW };

static const struct argp_option options[] = {
	{"amount", OPT_AMOUNT, "WEI", 0,
	 "how much, in the smallest unit; what is more than the balance pays "
	 "the balance",
	 0},
	{"expiry", OPT_EXPIRY, "UNIX", 0,
	 "the request is void on L1 after this (in 7 days)", 0},
	{"raw", OPT_RAW, "0x…", 0,
	 "instead: a signed transaction of the chain, to be forced", 0},
	{0},
};

static void read_raw(struct withdrawing *w, struct argp_state *state,
		     const char *text)
{
	buf_clear(&w->raw);
	w->raw_set = !hex_decode_buf(slice_str(text), &w->raw) && w->raw.len;
	if (!w->raw_set)
		argp_error(state,
			   "--raw: give 0x and the bytes in hex, at "
			   "most %d of them",
			   REQUEST_RAW_MAX);
}

static void check(const struct withdrawing *w, struct argp_state *state)
{
	const struct asking *a = &w->asking;

	if (w->raw_set) {
		where_not_both(state, true,
			       a->index_set || a->recipient_set ||
				       w->amount_set || w->expiry_set ||
				       sign_any(&a->sign),
			       "--raw is signed already: it goes with no "
			       "--index, --amount, --recipient, --expiry and "
			       "no key");
		where_need_l1(state, &a->where);
		return;
	}
	if (!w->amount_set)
		argp_error(state, "give --index, --amount and --recipient (or "
				  "--raw)");
	asking_need_all(state, a);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct withdrawing *w = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &w->asking;
		return 0;
	case OPT_AMOUNT:
		w->withdraw.amount = cli_amount(state, "--amount", arg);
		w->amount_set = true;
		if (u256_is_zero(w->withdraw.amount))
			argp_error(state, "--amount 0 asks for nothing");
		return 0;
	case OPT_EXPIRY:
		w->withdraw.expiry = cli_u64(state, "--expiry", arg);
		w->expiry_set = true;
		return 0;
	case OPT_RAW:
		read_raw(w, state, arg);
		return 0;
	case ARGP_KEY_ARG:
		cli_unexpected(state, arg);
		return 0;
	case ARGP_KEY_END:
		check(w, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&asking_argp, 0, 0, 0}, {0}};
static const struct argp argp = {
	options,
	parse,
	0,
	"Forces a withdrawal through L1: needs --rpc, --hatch and a key; "
	"without --relayer it prints the request, which anybody may carry.\v"
	"Example: egress withdraw --index 7 --amount 1000000 --recipient 0x… "
	"--key me.key --rpc URL,URL,URL --hatch 0x… --relayer URL",
	children,
	0,
	0};

/* What would be refused on L1 is refused here, while it costs nothing. */
static int fill(struct withdrawing *w)
{
	const struct hatch_facts *f = &w->asking.session.facts;

	if (f->state == ROLLUP_OPEN)
		return cli_fail("the hatch is open: withdrawals are void, "
				"everybody is paid by exit: see egress exit");
	if (f->state == ROLLUP_SETTLING)
		return cli_fail("exits are being settled: ask again when the "
				"new operator's first batch is there");
	if (asking_leaf(&w->asking))
		return CLI_FAILED;
	w->withdraw.index = w->asking.index;
	w->withdraw.recipient = w->asking.recipient;
	if (!w->expiry_set)
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
	struct session *s = &w->asking.session;
	uint64_t chain = l1_chain_id(s->l1);
	struct address rollup = s->facts.rollup;
	struct statement statement;
	struct signature signature;
	struct buf request;
	int status = fill(w);

	if (status)
		return status;
	statement = statement_withdraw(chain, rollup, &w->withdraw);
	if (asking_sign(&w->asking, &statement, &signature))
		return CLI_FAILED;
	buf_init(&request, REQUEST_JSON_MAX);
	request_withdrawal_json(&w->withdraw, &signature, &request);
	status = request_hand_in(
		&w->asking.where,
		request_id_withdrawal(chain, rollup, &w->withdraw), &request);
	buf_done(&request);
	return status;
}

static int force_transaction(struct withdrawing *w)
{
	struct session *s = &w->asking.session;
	struct slice raw = buf_slice(&w->raw);
	struct buf request;
	int status;

	buf_init(&request, REQUEST_JSON_MAX);
	request_transaction_json(raw, &request);
	status = request_hand_in(&w->asking.where,
				 request_id_transaction(l1_chain_id(s->l1),
							s->facts.rollup, raw),
				 &request);
	buf_done(&request);
	return status;
}

int cmd_withdraw(int argc, char **argv)
{
	struct withdrawing w = {.asking.where = where_defaults()};
	int status;

	buf_init(&w.raw, REQUEST_RAW_MAX);
	cli_parse(&argp, argc, argv, &w);
	status = session_open(&w.asking.session, &w.asking.where, true);
	if (!status)
		status = w.raw_set ? force_transaction(&w) : withdraw(&w);
	session_close(&w.asking.session);
	buf_done(&w.raw);
	return status;
}
