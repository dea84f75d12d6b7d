/* egress exit: a wish, signed by a leaf's owner, to be paid at another address
 * when the hatch is open.  Relayers publish it and carry it first. */
#include <inttypes.h>

#include "cli/asking.h"
#include "cli/commands.h"

struct leaving {
	struct asking asking;
	bool count_set;
	struct exit_to wish;
};

enum { OPT_COUNT = 0x300 };

static const struct argp_option options[] = {
	{"count", OPT_COUNT, "N", 0,
	 "the last batch before the hatch opened (L1's own count)", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct leaving *l = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &l->asking;
		return 0;
	case OPT_COUNT:
		l->wish.count = cli_u64(state, "--count", arg);
		l->count_set = true;
		return 0;
	case ARGP_KEY_ARG:
		cli_unexpected(state, arg);
		return 0;
	case ARGP_KEY_END:
		asking_need_all(state, &l->asking);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&asking_argp, 0, 0, 0}, {0}};
static const struct argp argp = {
	options,
	parse,
	0,
	"Asks to be paid at another address when the hatch is open: needs "
	"--rpc, --hatch and a key; without --relayer it prints the request, "
	"which anybody may carry.\v"
	"Example: egress exit --index 7 --recipient 0x… --key me.key "
	"--rpc URL,URL,URL --hatch 0x… --relayer URL",
	children,
	0,
	0};

/* The wish holds for one batch, the last before the hatch opens. */
static int check_count(const struct leaving *l)
{
	const struct hatch_facts *f = &l->asking.session.facts;
	uint64_t count = l->wish.count;

	if (count < f->count)
		return cli_fail("--count %" PRIu64 ": L1 stands at %" PRIu64
				" already: this wish could never hold",
				count, f->count);
	if (f->state != ROLLUP_RUNNING && count != f->count)
		return cli_fail("--count %" PRIu64 ": the hatch opened at "
				"%" PRIu64 ": this wish could never hold",
				count, f->count);
	if (f->state == ROLLUP_RUNNING)
		cli_warn("the hatch is not open yet: this wish holds if it "
			 "opens at batch %" PRIu64 "; sign again when a later "
			 "one lands",
			 count);
	return CLI_OK;
}

/* As of the newest block that any quorum knows, which may be later than the
 * one that decisions rest on. */
static int fill(struct leaving *l)
{
	struct asking *a = &l->asking;

	if (session_facts_at_head(&a->session, a->where.hatch) ||
	    asking_leaf(a))
		return CLI_FAILED;
	l->wish.index = a->index;
	l->wish.recipient = a->recipient;
	if (!l->count_set)
		l->wish.count = a->session.facts.count;
	return check_count(l);
}

static int leave(struct leaving *l)
{
	struct session *s = &l->asking.session;
	struct signature signature;
	struct statement wish;
	struct address rollup;
	struct buf request;
	uint64_t chain;
	int status = session_open(s, &l->asking.where, true);

	if (!status)
		status = fill(l);
	if (status)
		return status;
	chain = l1_chain_id(s->l1);
	rollup = s->facts.rollup;
	wish = statement_exit_to(chain, rollup, &l->wish);
	if (asking_sign(&l->asking, &wish, &signature))
		return CLI_FAILED;
	buf_init(&request, REQUEST_JSON_MAX);
	request_exit_json(&l->wish, &signature, &request);
	status = request_hand_in(&l->asking.where,
				 request_id_exit(chain, rollup, &l->wish),
				 &request);
	buf_done(&request);
	return status;
}

int cmd_exit(int argc, char **argv)
{
	struct leaving l = {.asking.where = where_defaults()};
	int status;

	cli_parse(&argp, argc, argv, &l);
	status = leave(&l);
	session_close(&l.asking.session);
	return status;
}
