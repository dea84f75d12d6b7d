/* egress deploy: BadBatch, EscapeHatch and SovereignRollup from a terms file.
 * Refuses unsafe terms before anything is sent, and reads everything back. */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "abi/words.h"
#include "cli/commands.h"
#include "cli/send.h"
#include "cli/terms.h"
#include "abi/contracts_tables.h"
#include "sys/clock.h"

#define CODE_MAX     131072
#define READ_BACK_MS 60000
#define WARNINGS_MAX 4096

struct deploy {
	struct where where;
	struct sign_options sign;
	const char *terms_path;
	bool check_only;
	struct buf warnings;
	struct terms_file terms;
	struct config *config;
	struct session session;
	struct signing signing;
	struct sender sender;
	struct address from, bad_batch, hatch, rollup;
	uint64_t first_block; /* where following begins */
};

enum { OPT_TERMS = 0x300, OPT_DRY };

static const struct argp_option options[] = {
	{"terms", OPT_TERMS, "FILE", 0, "the terms file (YAML)", 0},
	{"dry-run", OPT_DRY, 0, 0, "check the terms and send nothing", 0},
	{0},
};

static const struct argp_child children[] = {{&where_chain, 0, 0, 1},
					     {&where_timeout, 0, 0, 1},
					     {&where_json, 0, 0, 1},
					     {&sign_argp, 0, 0, 2},
					     {0}};

static void check(const struct deploy *d, struct argp_state *state)
{
	const struct where *where = &d->where;

	if (!d->terms_path)
		argp_error(state, "--terms is missing: give the terms file");
	where_not_both(state, d->check_only,
		       where->rpc || where->chain_id || where->json ||
			       sign_any(&d->sign),
		       "--dry-run sends nothing: it goes with --terms alone");
	if (d->check_only)
		return;
	if (!where->rpc)
		argp_error(state, "--rpc is missing: give an L1 endpoint's "
				  "URL");
	sign_need_key(state, &d->sign);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct deploy *d = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &d->where, &d->sign);
		return 0;
	case OPT_TERMS:
		d->terms_path = arg;
		return 0;
	case OPT_DRY:
		d->check_only = true;
		return 0;
	case ARGP_KEY_ARG:
		cli_unexpected(state, arg);
		return 0;
	case ARGP_KEY_END:
		check(d, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options,
	parse,
	0,
	"Deploys a hatch and its rollup from a terms file.\v"
	"Example: egress deploy --terms terms.yaml --rpc URL --key "
	"deployer.key; first with --dry-run instead of the last two.",
	children,
	0,
	0};

static int read_terms(struct deploy *d)
{
	struct err_text error = {0};

	if (config_read(d->terms_path, terms_fields, &d->terms, &d->config,
			&error) ||
	    terms_check(d->config, &d->terms, &d->warnings, &error))
		return cli_fail("%s", error.text);
	return CLI_OK;
}

/* After everything that could refuse, before anything is sent. */
static void warn(struct deploy *d)
{
	const char *line = buf_cstr(&d->warnings), *end;

	for (; (end = strchr(line, '\n')); line = end + 1)
		cli_warn("%.*s", (int)(end - line), line);
}

/* What the three contracts and the bond take, at the price that each is sent
 * with: 9.3 M measured with one key of each kind; up to 96 more keys take a
 * slot each, and a fifth is asked for on top. */
#define DEPLOY_GAS 14000000

/* Half a deployment is worse than none. */
static int can_pay(const struct deploy *d)
{
	const struct account_state *a = &d->sender.account;
	struct u256 gas, all;

	if (!u256_mul64(u256_from(2 * a->base_fee + a->tip), DEPLOY_GAS,
			&gas) ||
	    !u256_add(gas, d->terms.bond, &all) ||
	    u256_cmp(a->balance, all) >= 0)
		return CLI_OK;
	return cli_fail("account %s has %s: the bond takes %s and gas up to "
			"%s: nothing was sent",
			address_text(d->from).s, cli_wei(a->balance).s,
			cli_wei(d->terms.bond).s, cli_wei(gas).s);
}

static int create(struct deploy *d, const char *what, struct slice code,
		  const struct buf *arguments, struct address expected)
{
	struct tx tx = {.create = true};
	struct tx_status done;
	struct buf data;
	int status;

	buf_init(&data, CODE_MAX);
	buf_add_slice(&data, code);
	if (arguments)
		buf_add_slice(&data, buf_slice(arguments));
	tx.data = buf_slice(&data);
	status = sender_run(&d->sender, &tx, what, &done);
	buf_done(&data);
	if (status)
		return status;
	if (!address_eq(done.created, expected))
		return cli_fail("%s stands at %s, not at %s: has the account "
				"sent something else meanwhile? Deploy again",
				what, address_text(done.created).s,
				address_text(expected).s);
	if (!d->first_block)
		d->first_block = done.block;
	if (!d->where.json)
		printf("%-15s %s  block %" PRIu64 ", %" PRIu64 " gas\n", what,
		       address_text(expected).s, done.block, done.gas_used);
	return CLI_OK;
}

/* The signer that creates contracts calls none: the bond's may call the
 * rollup, whose address is known by now. */
static int reopen_for_bond(struct deploy *d)
{
	struct sign_policy policy = {.allow = "deploy",
				     .chain_id = l1_chain_id(d->session.l1),
				     .hatch = d->hatch,
				     .rollup = d->rollup};

	signing_close(&d->signing);
	return signing_open(&d->signing, &d->sign, d->from, &policy);
}

static int fund_bond(struct deploy *d)
{
	struct tx tx = {.to = d->rollup, .value = d->terms.bond};
	struct tx_status done;
	struct buf data;
	int status;

	if (u256_is_zero(d->terms.bond))
		return CLI_OK;
	if (reopen_for_bond(d))
		return CLI_FAILED;
	buf_init(&data, 64);
	abi_put_selector(&data, SEL_SOVEREIGNROLLUP_FUND_BOND);
	tx.data = buf_slice(&data);
	status = sender_run(&d->sender, &tx, "fundBond", &done);
	buf_done(&data);
	if (!status && !d->where.json)
		printf("%-15s %s\n", "bond", cli_wei(d->terms.bond).s);
	return status;
}

#define CODE(name)                                                             \
	slice_of(egress_##name##_bytecode, egress_##name##_bytecode_size)

static int send_all(struct deploy *d)
{
	struct buf arguments;
	uint64_t nonce = d->sender.account.nonce;
	struct address from = d->signing.address;
	int status;

	d->bad_batch = tx_create_address(from, nonce);
	d->hatch = tx_create_address(from, nonce + 1);
	d->rollup = tx_create_address(from, nonce + 2);
	buf_init(&arguments, 16384);
	status = create(d, "BadBatch", CODE(badbatch), NULL, d->bad_batch);
	if (!status) {
		terms_hatch_arguments(&d->terms, d->rollup, &arguments);
		status = create(d, "EscapeHatch", CODE(escapehatch), &arguments,
				d->hatch);
	}
	if (!status) {
		buf_clear(&arguments);
		terms_rollup_arguments(&d->terms, d->hatch, d->bad_batch,
				       &arguments);
		status = create(d, "SovereignRollup", CODE(sovereignrollup),
				&arguments, d->rollup);
	}
	buf_done(&arguments);
	return status ? status : fund_bond(d);
}

static bool same_list(const struct address *a, size_t n,
		      const struct config_list *list)
{
	return n == list->n && !memcmp(a, list->items, n * sizeof(*a));
}

/* A receipt can be newer than the head that a quorum knows: asks again. */
static int read_back(struct deploy *d)
{
	const struct hatch_facts *f = &d->session.facts;
	struct hatch_terms wanted = terms_of(&d->terms);
	uint64_t end = clock_mono_ms() + READ_BACK_MS;
	struct err_text why = {0};
	enum err err;

	for (;;) {
		struct block_ref head = l1_view(d->session.l1)->head;
		err = session_read(&d->session, d->hatch, &head, &why);
		if (!err || clock_mono_ms() >= end)
			break;
		session_wait(&d->session, 300);
	}
	if (err)
		return cli_fail("hatch %s: %s: look again with egress status",
				address_text(d->hatch).s, why.text);
	if (memcmp(&f->terms, &wanted, sizeof(wanted)) ||
	    !address_eq(f->rollup, d->rollup) ||
	    !address_eq(f->sequencer, d->terms.sequencer) ||
	    !same_list(f->guardians, f->n_guardians, &d->terms.guardians) ||
	    !same_list(f->standbys, f->n_standbys, &d->terms.standbys))
		return cli_fail("what L1 says of hatch %s is not what the "
				"terms file says: do not use it",
				address_text(d->hatch).s);
	return CLI_OK;
}

static void print_json(const struct deploy *d)
{
	struct cli_json j;

	cli_json_begin(&j);
	json_begin(&j.w, NULL);
	json_put_u64(&j.w, "chain_id", l1_chain_id(d->session.l1));
	json_put_address(&j.w, "hatch", d->hatch);
	json_put_address(&j.w, "rollup", d->rollup);
	json_put_address(&j.w, "bad_batch", d->bad_batch);
	json_put_u64(&j.w, "block", d->first_block);
	json_end(&j.w);
	cli_json_end(&j);
}

static int deploy(struct deploy *d)
{
	struct sign_policy policy = {.allow = "deploy"};
	int status = session_open(&d->session, &d->where, false);

	if (status)
		return status;
	policy.chain_id = l1_chain_id(d->session.l1);
	status = signing_address(&d->sign, &d->from);
	if (!status)
		status = signing_open(&d->signing, &d->sign, d->from, &policy);
	if (!status)
		status = sender_open(&d->sender, &d->session, &d->signing);
	if (!status)
		status = can_pay(d);
	if (!status) {
		warn(d);
		status = send_all(d);
	}
	if (!status)
		status = read_back(d);
	if (!status && d->where.json)
		print_json(d);
	else if (!status)
		printf("read back from L1 at block %" PRIu64 ": as the terms "
		       "file says\n",
		       d->session.facts.block.number);
	signing_close(&d->signing);
	return status;
}

int cmd_deploy(int argc, char **argv)
{
	struct deploy d = {.where = where_defaults()};
	int status;

	cli_parse(&argp, argc, argv, &d);
	buf_init(&d.warnings, WARNINGS_MAX);
	status = read_terms(&d);
	if (!status && d.check_only) {
		warn(&d);
		puts("the terms are legal: nothing was sent");
	} else if (!status) {
		status = deploy(&d);
	}
	session_close(&d.session);
	config_free(d.config);
	buf_done(&d.warnings);
	return status;
}
