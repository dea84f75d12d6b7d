/* egress ballot sign: a guardian's vote as a line of text.  Epoch, progress
 * and the round come from L1, or (--offline) from the command line, for a
 * machine that has no network. */
#include "cli/ballot_sign.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "abi/ballot.h"
#include "abi/hex.h"
#include "cli/program.h"
#include "cli/session.h"
#include "cli/sign.h"
#include "sys/clock.h"

#define DAY	 86400u
#define SLOW_MAX (30 * DAY) /* SLOW_BALLOT */
#define WEEK	 (7 * DAY)

struct voting {
	struct where where;
	struct sign_options sign;
	struct vote vote;
	bool subject_set, offline, epoch_set, progress_set;
	uint64_t round, now;
	struct session session;
	struct signing signing;
};

enum {
	OPT_ACTION = 0x300,
	OPT_SUBJECT,
	OPT_STANDBY,
	OPT_SEQUENCER,
	OPT_EXPIRY,
	OPT_OFFLINE,
	OPT_EPOCH,
	OPT_PROGRESS,
	OPT_ROUND
};

static const struct argp_option options[] = {
	{"action", OPT_ACTION, "ACTION", 0, "promote, open, resume or amend",
	 0},
	{"standby", OPT_STANDBY, "ADDRESS", 0, "promote: whom", 0},
	{"sequencer", OPT_SEQUENCER, "ADDRESS", 0, "resume: under whom", 0},
	{"subject", OPT_SUBJECT, "0x…", 0,
	 "amend: keccak256 of the whole amendment", 0},
	{"expiry", OPT_EXPIRY, "UNIX", 0,
	 "void after this; absent: two ballots, for the next two rounds "
	 "(resume, amend: weeks)",
	 0},
	{"offline", OPT_OFFLINE, 0, 0,
	 "no L1: give --chain-id, --hatch, --epoch and --round, and --progress "
	 "for promote and open",
	 3},
	{"epoch", OPT_EPOCH, "N", 0, "offline: the hatch's epoch", 3},
	{"progress", OPT_PROGRESS, "N", 0, "offline: the rollup's count", 3},
	{"round", OPT_ROUND, "SECONDS", 0, "offline: the terms' round", 3},
	{0},
};

static const struct argp_child children[] = {{&where_l1, 0, 0, 1},
					     {&where_timeout, 0, 0, 1},
					     {&where_json, 0, 0, 1},
					     {&sign_argp, 0, 0, 2},
					     {0}};

static void set_subject(struct voting *v, struct argp_state *state,
			struct hash32 subject)
{
	if (v->subject_set)
		argp_error(state, "give one of --standby, --sequencer and "
				  "--subject");
	v->vote.subject = subject;
	v->subject_set = true;
}

/* Which action takes which option is told here, before anything is asked. */
static void check(struct voting *v, struct argp_state *state)
{
	if (!v->vote.action)
		argp_error(state, "--action is missing: promote, open, resume "
				  "or amend");
	if (v->vote.action == VOTE_OPEN && v->subject_set)
		argp_error(state, "open has no subject");
	if (v->vote.action != VOTE_OPEN && !v->subject_set)
		argp_error(state, "%s needs %s",
			   vote_action_name(v->vote.action),
			   v->vote.action == VOTE_PROMOTE  ? "--standby"
			   : v->vote.action == VOTE_RESUME ? "--sequencer"
							   : "--subject");
	if (v->offline && !(v->where.chain_id && v->where.hatch_set &&
			    v->epoch_set && v->round &&
			    (v->progress_set || v->vote.action == VOTE_RESUME ||
			     v->vote.action == VOTE_AMEND)))
		argp_error(state, "--offline needs --chain-id, --hatch, "
				  "--epoch and --round, and --progress for "
				  "promote and open");
	if (!v->offline && (v->epoch_set || v->progress_set || v->round))
		argp_error(state, "--epoch, --progress and --round go with "
				  "--offline: L1 tells them otherwise");
	where_not_both(state, v->offline, v->where.rpc,
		       "--offline and --rpc: give one of them");
	if (!v->offline)
		where_need_l1(state, &v->where);
	sign_need_key(state, &v->sign);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct voting *v = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &v->where, &v->sign);
		return 0;
	case OPT_ACTION:
		v->vote.action = vote_action_parse(arg);
		if (!v->vote.action)
			argp_error(state,
				   "--action %s: give promote, open, "
				   "resume or amend",
				   arg);
		return 0;
	case OPT_STANDBY:
		set_subject(v, state,
			    vote_subject_address(
				    cli_address(state, "--standby", arg)));
		return 0;
	case OPT_SEQUENCER:
		set_subject(v, state,
			    vote_subject_address(
				    cli_address(state, "--sequencer", arg)));
		return 0;
	case OPT_SUBJECT:
		set_subject(v, state, cli_hash(state, "--subject", arg));
		return 0;
	case OPT_EXPIRY:
		v->vote.expiry = cli_u64(state, "--expiry", arg);
		return 0;
	case OPT_OFFLINE:
		v->offline = true;
		return 0;
	case OPT_EPOCH:
		v->vote.epoch = cli_u64(state, "--epoch", arg);
		v->epoch_set = true;
		return 0;
	case OPT_PROGRESS:
		v->vote.progress = cli_u64(state, "--progress", arg);
		v->progress_set = true;
		return 0;
	case OPT_ROUND:
		v->round = cli_u64(state, "--round", arg);
		return 0;
	case ARGP_KEY_ARG:
		cli_unexpected(state, arg);
		return 0;
	case ARGP_KEY_END:
		check(v, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options,
	parse,
	0,
	"Signs a guardian's vote and prints it, one line a ballot.\v"
	"Example: egress ballot sign --action promote --standby 0x… "
	"--signer SOCKET --as 0x… --rpc URL,URL,URL --hatch 0x…",
	children,
	0,
	0};

/* ---- what L1 says
 * -------------------------------------------------------------- */

static bool is_guardian(const struct hatch_facts *f, struct address a)
{
	for (size_t i = 0; i < f->n_guardians; i++)
		if (address_eq(f->guardians[i], a))
			return true;
	return false;
}

static bool is_standby(const struct hatch_facts *f, struct hash32 subject)
{
	for (size_t i = 0; i < f->n_standbys; i++)
		if (hash_eq(vote_subject_address(f->standbys[i]), subject))
			return true;
	return false;
}

/* Epoch and progress as of the newest block: a vote is void after the next
 * batch anyway, and never reaches back. */
static int ask_l1(struct voting *v)
{
	struct hatch_facts *f = &v->session.facts;
	bool fast =
		v->vote.action == VOTE_PROMOTE || v->vote.action == VOTE_OPEN;

	if (session_open(&v->session, &v->where, true) ||
	    session_facts_at_head(&v->session, v->where.hatch))
		return CLI_FAILED;
	v->vote.chain_id = l1_chain_id(v->session.l1);
	v->vote.epoch = f->epoch;
	v->vote.progress = fast ? f->count : 0;
	v->round = f->terms.round;
	v->now = f->block.time;
	if (v->vote.action == VOTE_PROMOTE && !is_standby(f, v->vote.subject))
		return cli_fail("--standby: it is not in the hatch's list: "
				"see egress status");
	return CLI_OK;
}

/* Told before a signer is started: another's vote would count for nothing. */
static int check_guardian(const struct voting *v, struct address who)
{
	if (v->offline || is_guardian(&v->session.facts, who))
		return CLI_OK;
	return cli_fail("%s is no guardian of hatch %s", address_text(who).s,
			address_text(v->where.hatch).s);
}

/* The signer would refuse: a key that signed once and forgot is dangerous.
 * With --key its ledger is beside the key, as egress-signer has it. */
static int check_ledger(const struct voting *v)
{
	const char *key = v->sign.key_file;
	char ledger[PATH_MAX];

	if (!key)
		return CLI_OK;
	if ((size_t)snprintf(ledger, sizeof(ledger), "%s.ballots", key) >=
	    sizeof(ledger))
		return cli_fail("--key: its path is too long");
	if (!access(ledger, F_OK))
		return CLI_OK;
	return cli_fail("--key %s: it has no ballot ledger: if this key never "
			"signed a ballot, run once: %.1000s --key %s "
			"--chain %" PRIu64 " --hatch %s --init",
			key, program_find("egress-signer").s, key,
			v->vote.chain_id, address_text(v->where.hatch).s);
}

/* ---- expiries
 * --------------------------------------------------------------------- */

/* protocol.md: "Watchers sign one choice for E and for E + round, E the first
 * multiple of round at or after L1 head time + round", and so does a human;
 * for RESUME and AMEND with weeks for rounds, so that the ballots of people
 * who sign days apart meet in one bundle. */
static int choose_expiries(const struct voting *v, uint64_t expiries[2],
			   size_t *ret_n)
{
	bool fast =
		v->vote.action == VOTE_PROMOTE || v->vote.action == VOTE_OPEN;
	uint64_t asked = v->vote.expiry;

	*ret_n = 1;
	expiries[0] = asked;
	if (fast && asked && asked % v->round)
		return cli_fail("--expiry %" PRIu64 ": must be a multiple of "
				"the round, %" PRIu64 " s: %" PRIu64 " is one",
				asked, v->round, asked - asked % v->round);
	if (asked && asked < v->now)
		return cli_fail("--expiry %" PRIu64 " is past: L1's time is "
				"%" PRIu64,
				asked, v->now);
	/* "valid while expiry − 3·round < now ≤ expiry", and another choice has
	 * to wait until this one's life is over. */
	if (fast && asked >= v->now + 3 * v->round)
		return cli_fail("--expiry %" PRIu64 ": L1 would not count it "
				"yet, and no other choice could be signed "
				"until it is past: at most %" PRIu64,
				asked,
				ballot_expiry(v->now, v->round) + v->round);
	if (!fast && expiries[0] > v->now + SLOW_MAX)
		return cli_fail("--expiry %" PRIu64 ": is over 30 days away: "
				"L1 does not count it yet",
				asked);
	if (!asked) {
		uint64_t unit = fast ? v->round : WEEK;
		*ret_n = 2;
		expiries[0] = ballot_expiry(v->now, unit);
		expiries[1] = expiries[0] + unit;
	}
	return CLI_OK;
}

static void print(const struct voting *v, const struct bundle *b)
{
	struct cli_json j;

	cli_json_begin(&j);
	if (v->where.json)
		bundle_json(b, &j.w, NULL);
	else
		bundle_text(b, &j.text);
	cli_json_end(&j);
}

static int sign_one(struct voting *v, uint64_t expiry)
{
	struct ask ask = {.kind = ASK_BALLOT, .vote = v->vote};
	struct bundle bundle = {0};
	struct signature signature;

	ask.vote.expiry = expiry;
	bundle.vote = ask.vote;
	if (signing_ask(&v->signing, &ask, &signature))
		return CLI_FAILED;
	if (bundle_add(&bundle, &signature) ||
	    !address_eq(bundle.signers[0], v->signing.address))
		return cli_fail("what the signer returned is not %s's "
				"signature",
				address_text(v->signing.address).s);
	print(v, &bundle);
	return CLI_OK;
}

static int vote(struct voting *v)
{
	struct sign_policy policy = {.allow = "ballot"};
	struct address who = {0};
	uint64_t expiries[2];
	size_t n = 0;
	int status = v->offline ? CLI_OK : ask_l1(v);

	if (!status)
		status = choose_expiries(v, expiries, &n);
	policy.chain_id = v->vote.chain_id;
	policy.hatch = v->where.hatch;
	policy.round = v->round;
	if (!status)
		status = signing_address(&v->sign, &who);
	if (!status)
		status = check_guardian(v, who);
	if (!status)
		status = check_ledger(v);
	if (!status)
		status = signing_open(&v->signing, &v->sign, who, &policy);
	for (size_t i = 0; i < n && !status; i++)
		status = sign_one(v, expiries[i]);
	signing_close(&v->signing);
	return status;
}

int ballot_sign(int argc, char **argv)
{
	struct voting v = {.where = where_defaults()};
	int status;

	cli_parse(&argp, argc, argv, &v);
	v.vote.hatch = v.where.hatch;
	if (v.offline)
		v.vote.chain_id = v.where.chain_id;
	v.now = clock_unix_ms() / 1000; /* L1's own time when it is asked */
	if (v.vote.action == VOTE_OPEN)
		v.vote.subject = vote_subject_bytes((struct slice){0});
	status = vote(&v);
	session_close(&v.session);
	return status;
}
