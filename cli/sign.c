/* Signing without holding a key: see sign.h. */
#include "cli/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/hex.h"
#include "cli/program.h"
#include "sys/clock.h"

#define SIGNER_FD   3
#define SIGNER_WAIT 15000
#define TEXT	    96

enum { OPT_KEY = 0x200, OPT_SIGNER, OPT_AS };

static const struct argp_option sign_options[] = {
	{"key", OPT_KEY, "FILE", 0,
	 "a file with the key, given to a signer started for this", 2},
	{"signer", OPT_SIGNER, "SOCKET", 0, "a running egress-signer", 2},
	{"as", OPT_AS, "ADDRESS", 0,
	 "whose key signs: one that the running signer holds; with --key, "
	 "refuse any other",
	 2},
	{0},
};

static error_t sign_parse(int key, char *arg, struct argp_state *state)
{
	struct sign_options *o = state->input;

	switch (key) {
	case OPT_KEY:
		o->key_file = arg;
		return 0;
	case OPT_SIGNER:
		o->socket = arg;
		return 0;
	case OPT_AS:
		o->as = cli_address(state, "--as", arg);
		o->as_set = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp sign_argp = {sign_options, sign_parse, 0, 0, 0, 0, 0};

struct arguments {
	char chain[TEXT], round[TEXT], hatch[TEXT], rollup[TEXT];
	const char *argv[24];
};

static void fill_arguments(struct arguments *a, const char *key_file,
			   const struct sign_policy *policy)
{
	size_t n = 0;

	snprintf(a->chain, TEXT, "%" PRIu64, policy->chain_id);
	snprintf(a->round, TEXT, "%" PRIu64, policy->round);
	snprintf(a->hatch, TEXT, "%s", address_text(policy->hatch).s);
	snprintf(a->rollup, TEXT, "%s", address_text(policy->rollup).s);
	const char *all[] = {"egress-signer", "--fd",	 "3",
			     "--key",	      key_file,	 "--allow",
			     policy->allow,   "--chain", a->chain};
	for (; n < ARRAY_LEN(all); n++)
		a->argv[n] = all[n];
	if (!address_is_zero(policy->hatch)) {
		a->argv[n++] = "--hatch";
		a->argv[n++] = a->hatch;
	}
	if (!address_is_zero(policy->rollup)) {
		a->argv[n++] = "--rollup";
		a->argv[n++] = a->rollup;
	}
	if (policy->round) {
		a->argv[n++] = "--round";
		a->argv[n++] = a->round;
	}
	a->argv[n] = NULL;
}

_Noreturn static void become_signer(int fd, const char *program,
				    const struct arguments *a)
{
	if (fd == SIGNER_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, SIGNER_FD) < 0)
		_exit(127);
	execvp(program, (char *const *)(const void *)a->argv);
	fprintf(stderr, "egress: %s: %s: is egress-signer installed?\n",
		program, strerror(errno));
	_exit(127);
}

/* Asks egress-signer which address the key in this file has. */
static int key_file_address(const char *program, const char *key_file,
			    struct address *ret)
{
	char text[ADDRESS_TEXT + 1] = "";
	int out[2], state = 0;
	ssize_t n = 0, got;
	pid_t child;

	if (pipe2(out, O_CLOEXEC))
		return cli_fail("pipe: %s", strerror(errno));
	child = fork();
	if (!child) {
		dup2(out[1], STDOUT_FILENO);
		execlp(program, "egress-signer", "--key", key_file,
		       "--print-address", (char *)NULL);
		fprintf(stderr, "egress: %s: %s: is egress-signer installed?\n",
			program, strerror(errno));
		_exit(127);
	}
	close(out[1]);
	while (n < (ssize_t)sizeof(text) - 1 &&
	       (got = read(out[0], text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += got;
	close(out[0]);
	if (child < 0 || waitpid(child, &state, 0) < 0 || state)
		return CLI_FAILED; /* it has told why */
	text[strcspn(text, "\n")] = '\0';
	if (address_parse(slice_str(text), ret))
		return cli_fail("egress-signer --print-address said \"%s\"",
				text);
	return CLI_OK;
}

static int start_signer(struct signing *s, const char *key_file,
			const struct sign_policy *policy)
{
	struct arguments arguments;
	struct program_path program = program_find("egress-signer");
	int pair[2];

	fill_arguments(&arguments, key_file, policy);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return cli_fail("socketpair: %s", strerror(errno));
	s->child = fork();
	if (s->child < 0)
		return cli_fail("fork: %s", strerror(errno));
	if (!s->child)
		become_signer(pair[1], program.s, &arguments);
	close(pair[1]);
	s->client = signer_client_new_fd(pair[0]);
	return CLI_OK;
}

bool sign_any(const struct sign_options *o)
{
	return o->key_file || o->socket || o->as_set;
}

void sign_need_key(struct argp_state *state, const struct sign_options *o)
{
	if (o->key_file && o->socket)
		argp_error(state, "--key and --signer: give one of them");
	if (!o->key_file && !o->socket)
		argp_error(state, "no key: give --key FILE, or --signer SOCKET "
				  "and --as ADDRESS");
	if (o->socket && !o->as_set)
		argp_error(state, "--signer needs --as ADDRESS: which of its "
				  "keys?");
}

/* Who else may read it is the signer's to judge. */
static int check_key_file(const char *path)
{
	if (access(path, R_OK))
		return cli_fail("--key %s: %s: give a file with the key", path,
				strerror(errno));
	cli_warn("--key is for drills: keep a real key with a running "
		 "egress-signer, and use --signer");
	return CLI_OK;
}

/* At once, and not after the time in which a signer may be restarted. */
static int check_socket(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *why = NULL;
	int fd;

	if ((size_t)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path) >=
	    sizeof(to.sun_path))
		return cli_fail("--signer %s: over %zu characters: no socket "
				"has such a path",
				path, sizeof(to.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		why = strerror(errno);
	if (fd >= 0)
		close(fd);
	if (!why)
		return CLI_OK;
	return cli_fail("--signer %s: %s: give the socket that the signer's "
			"configuration names; is egress-signer running, and "
			"may this account use it?",
			path, why);
}

int signing_address(const struct sign_options *options, struct address *ret)
{
	struct program_path program = program_find("egress-signer");

	*ret = options->as;
	if (options->socket)
		return check_socket(options->socket);
	if (check_key_file(options->key_file) ||
	    key_file_address(program.s, options->key_file, ret))
		return CLI_FAILED;
	if (options->as_set && !address_eq(*ret, options->as))
		return cli_fail("--key %s: the key in it is of %s, not of "
				"--as %s",
				options->key_file, address_text(*ret).s,
				address_text(options->as).s);
	return CLI_OK;
}

int signing_open(struct signing *s, const struct sign_options *options,
		 struct address who, const struct sign_policy *policy)
{
	*s = (struct signing){.address = who};
	if (options->key_file)
		return start_signer(s, options->key_file, policy);
	s->client = signer_client_new(options->socket);
	return CLI_OK;
}

void signing_close(struct signing *s)
{
	if (s->client)
		signer_client_free(s->client); /* its end ends the child */
	if (s->child > 0)
		waitpid(s->child, NULL, 0);
	*s = (struct signing){0};
}

struct signer_wait {
	bool done;
	enum err err;
	struct ask_answer answer;
};

static void signer_arrived(void *ctx, enum err err,
			   const struct ask_answer *answer)
{
	struct signer_wait *wait = ctx;

	wait->done = true;
	wait->err = err;
	if (!err)
		wait->answer = *answer;
}

int signing_ask(struct signing *s, struct ask *ask, struct signature *ret)
{
	struct signer_wait wait = {0};
	uint64_t end = clock_mono_ms() + SIGNER_WAIT;

	ask->key = s->address;
	if (signer_client_ask(s->client, ask, signer_arrived, &wait))
		return cli_fail("the signer is busy: try again");
	while (!wait.done && clock_mono_ms() < end) {
		signer_client_turn(s->client, clock_mono_ms());
		struct pollfd fd = signer_client_pollfd(s->client);
		if (!wait.done)
			poll(&fd, fd.fd >= 0, 50);
	}
	if (!wait.done || wait.err)
		return cli_fail("the signer does not answer: %s",
				signer_client_trouble(s->client));
	if (wait.answer.status != ASK_SIGNED)
		return cli_fail("the signer refuses: %s", wait.answer.text);
	*ret = wait.answer.signature;
	return CLI_OK;
}
