/* egress-signer: holds keys, has no network.  Either a daemon on a socket
 * (--config), or for one command of a human on an inherited one (--fd). */
#include <argp.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/hex.h"
#include "signer/choices.h"
#include "signer/config.h"
#include "signer/serve.h"
#include "signer/signer.h"
#include "sys/log.h"
#include "sys/signals.h"

/* A human at a terminal can tell an absurd fee: a lying endpoint's. */
#define HUMAN_FEE_GWEI 2000

#define EXIT_USAGE 2 /* as egress and the other daemons have it */

const char *argp_program_version = "egress-signer " EGRESS_VERSION;

enum option_key {
	OPT_CONFIG = 'c',
	OPT_CHECK = 'k',
	OPT_FD = 256,
	OPT_INIT,
	OPT_KEY,
	OPT_ALLOW,
	OPT_CHAIN,
	OPT_HATCH,
	OPT_ROLLUP,
	OPT_ROUND,
	OPT_STORE,
	OPT_PRINT_ADDRESS,
};

struct options {
	const char *config, *key, *store;
	int fd;
	bool init, check, print_address, deploy;
	unsigned may;
	struct policy policy;
};

static const struct argp_option option_list[] = {
	{"config", OPT_CONFIG, "FILE", 0, "signer.yaml: serve its socket", 0},
	{"check", OPT_CHECK, 0, 0,
	 "check FILE, its keys and the ballot ledger, and exit", 0},
	{"init", OPT_INIT, 0, 0,
	 "make the ballot ledger, once for a key, and exit", 0},
	{"fd", OPT_FD, "N", 0, "serve the one client on this descriptor", 1},
	{"key", OPT_KEY, "FILE", 0, "plain key file: 0x and 64 hex digits", 1},
	{"print-address", OPT_PRINT_ADDRESS, 0, 0,
	 "print the address of --key and exit", 1},
	{"allow", OPT_ALLOW, "KINDS", 0,
	 "what may be asked: statement,ballot,transaction,deploy", 2},
	{"chain", OPT_CHAIN, "ID", 0, "the chain's EIP-155 number", 2},
	{"hatch", OPT_HATCH, "ADDRESS", 0, "the EscapeHatch", 2},
	{"rollup", OPT_ROLLUP, "ADDRESS", 0, "the rollup", 2},
	{"round", OPT_ROUND, "SECONDS", 0, "round of the hatch's terms", 2},
	{"store", OPT_STORE, "FOLDER", 0, "ballot ledger; absent: KEY.ballots",
	 2},
	{0},
};

static uint64_t number_or_die(struct argp_state *state, const char *name,
			      const char *text)
{
	struct u256 value;

	if (u256_parse(slice_str(text), &value) || !u256_fits(value, 63))
		argp_error(state, "--%s %s: not a number: write digits", name,
			   text);
	return u256_u64(value);
}

static struct address address_or_die(struct argp_state *state, const char *name,
				     const char *text)
{
	struct address ret = {{0}};

	if (address_parse(slice_str(text), &ret))
		argp_error(state,
			   "--%s %s: not an address: write 0x and 40 hex "
			   "digits, checksum right",
			   name, text);
	return ret;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_CONFIG:
		o->config = arg;
		return 0;
	case OPT_CHECK:
		o->check = true;
		return 0;
	case OPT_INIT:
		o->init = true;
		return 0;
	case OPT_FD:
		o->fd = (int)number_or_die(state, "fd", arg);
		return 0;
	case OPT_KEY:
		o->key = arg;
		return 0;
	case OPT_PRINT_ADDRESS:
		o->print_address = true;
		return 0;
	case OPT_ALLOW:
		if (signer_config_may(arg, &o->may, &o->deploy))
			argp_error(state,
				   "--allow %s: list statement, ballot, "
				   "transaction or deploy",
				   arg);
		return 0;
	case OPT_CHAIN:
		o->policy.chain_id = number_or_die(state, "chain", arg);
		return 0;
	case OPT_HATCH:
		o->policy.hatch = address_or_die(state, "hatch", arg);
		return 0;
	case OPT_ROLLUP:
		o->policy.rollup = address_or_die(state, "rollup", arg);
		return 0;
	case OPT_ROUND:
		o->policy.round = number_or_die(state, "round", arg);
		return 0;
	case OPT_STORE:
		o->store = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	option_list,
	parse_option,
	NULL,
	"Holds keys and signs ballots, statements and transactions within a "
	"policy.",
	NULL,
	NULL,
	NULL};

static int complain(const char *what)
{
	fprintf(stderr, "egress-signer: %s\n", what);
	return EXIT_FAILURE;
}

static int complain_usage(const char *what)
{
	complain(what);
	return EXIT_USAGE;
}

/* No core, no ptrace, no /proc/PID/mem for others of the same user. */
static void close_curtains(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* its leak check traces this process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

static void log_keys(const struct keyring *keys)
{
	for (size_t i = 0; i < keyring_count(keys); i++)
		log_warn("plain key file: for drills only", "key",
			 address_text(keyring_address(keys, i)).s);
}

/* ---- --config ----------------------------------------------------------- */

static int init_ledger(const char *dir, const struct policy *policy,
		       const struct keyring *keys)
{
	struct err_text error = {"no store: name its folder"};
	bool made = false;

	if (!dir || choices_init(dir, policy, keys, &made, &error))
		return complain(error.text);
	printf("%s%s%s for key", made ? "made " : "", dir,
	       made ? "" : " stands");
	for (size_t i = 0; i < keyring_count(keys); i++)
		printf("%s %s", i ? "," : "",
		       address_text(keyring_address(keys, i)).s);
	puts(made ? "" : " already");
	return 0;
}

/* Without a sound ledger the signer still serves what needs none; but one
 * that another process holds is sound, and is to be had by starting again. */
static int attach_ledger(struct signer *signer, struct choices *choices,
			 const char *dir)
{
	struct err_text error = {""};
	enum err err;

	if (!dir)
		return 0;
	err = choices_open(dir, signer->policy, signer->keyring, choices,
			   &error);
	if (err == ERR_BUSY)
		return complain(error.text);
	if (err) {
		log_error("ballots are refused", "why", error.text);
		return 0;
	}
	signer->store = choices->store;
	signer->ballots = choices->ballots;
	return 0;
}

static int serve_config(const struct signer_config *c, struct keyring *keys)
{
	struct signer signer = {.policy = &c->policy, .keyring = keys};
	struct choices choices = {0};
	struct err_text error = {""};
	int listen_fd, lock_fd, signal_fd = signals_open(), status;

	log_init("egress-signer", (enum log_level)c->log_level);
	log_keys(keys);
	if (serve_listen(c->listen, &listen_fd, &lock_fd, &error))
		return complain(error.text);
	status = attach_ledger(&signer, &choices, c->store);
	if (!status) {
		log_notice("listening", "socket", c->listen, "keys",
			   log_u64(keyring_count(keys)).s);
		serve_run(&signer, c, listen_fd, signal_fd);
	}
	unlink(c->listen);
	close(listen_fd);
	close(lock_fd);
	close(signal_fd);
	choices_close(&choices);
	return status;
}

/* A ledger that the running signer of this configuration holds was sound when
 * it started. */
static int check_ledger(const struct signer_config *c,
			const struct keyring *keys)
{
	struct choices choices;
	struct err_text error = {""};
	enum err err = OK;

	if (c->store)
		err = choices_open(c->store, &c->policy, keys, &choices,
				   &error);
	if (err && !(err == ERR_BUSY && serve_taken(c->listen)))
		return complain(error.text);
	if (c->store && !err)
		choices_close(&choices);
	printf("sound: %zu keys, chain %llu, hatch %s\n", keyring_count(keys),
	       (unsigned long long)c->policy.chain_id,
	       address_text(c->policy.hatch).s);
	return 0;
}

static int run_config(const struct options *o, struct keyring *keys)
{
	struct signer_config c;
	struct err_text error = {""};
	int status;

	if (signer_config_read(o->config, &c, keys, &error))
		return complain(error.text);
	if (o->check)
		status = check_ledger(&c, keys);
	else if (o->init)
		status = init_ledger(c.store, &c.policy, keys);
	else
		status = serve_config(&c, keys);
	signer_config_done(&c);
	return status;
}

/* ---- --key -------------------------------------------------------------- */

/* What a human names at a terminal is not second-guessed by lists, only by
 * place and by absurd fees. */
static void human_policy(struct options *o)
{
	struct policy *p = &o->policy;

	p->actions = 1u << VOTE_PROMOTE | 1u << VOTE_OPEN | 1u << VOTE_RESUME |
		     1u << VOTE_AMEND;
	p->any_standby = true;
	p->citizen = true;
	p->deploy = o->deploy;
	memset(&p->value, 0xff, sizeof(p->value));
	if (!u256_mul64(u256_from(HUMAN_FEE_GWEI), 1000000000, &p->fee))
		p->fee = u256_from(0);
}

static int serve_fd(struct options *o, struct keyring *keys, const char *dir)
{
	struct signer signer = {.policy = &o->policy, .keyring = keys};
	struct choices choices = {0};
	struct stat st;
	int signal_fd = signals_open(), status = 0;

	if (fstat(o->fd, &st) || !S_ISSOCK(st.st_mode))
		return complain("--fd: not a socket: egress starts it so");
	(void)fcntl(o->fd, F_SETFD, FD_CLOEXEC);
	log_init("egress-signer", LOG_LEVEL_ERROR);
	if (o->may & 1u << ASK_BALLOT)
		status = attach_ledger(&signer, &choices, dir);
	if (!status)
		serve_one(&signer, o->may, o->fd, signal_fd);
	close(signal_fd);
	choices_close(&choices);
	return status;
}

static int run_key(struct options *o, struct keyring *keys)
{
	char dir[PATH_MAX];
	struct err_text error = {""};

	if (keyring_add_plain(keys, o->key, NULL, &error))
		return complain(error.text);
	if (o->print_address) {
		puts(address_text(keyring_address(keys, 0)).s);
		return 0;
	}
	if (!o->policy.chain_id)
		return complain_usage("--chain: missing: which chain is it "
				      "for?");
	human_policy(o);
	snprintf(dir, sizeof(dir), "%s%s", o->store ? o->store : o->key,
		 o->store ? "" : ".ballots");
	if (o->init)
		return init_ledger(dir, &o->policy, keys);
	if (o->fd < 0 || !o->may)
		return complain_usage(
			"--key needs --fd and --allow, or --init, "
			"or --print-address");
	return serve_fd(o, keys, dir);
}

int main(int argc, char **argv)
{
	struct options o = {.fd = -1};
	struct keyring *keys;
	int status;

	close_curtains();
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!o.config == !o.key)
		return complain_usage("give --config FILE, or --key FILE");
	keys = keyring_new();
	if (!keys)
		return complain("no memory can be locked: raise "
				"RLIMIT_MEMLOCK");
	status = o.config ? run_config(&o, keys) : run_key(&o, keys);
	keyring_free(keys);
	return status;
}
