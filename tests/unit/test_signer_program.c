/* egress-signer as whoever starts it meets it: words, exit status, files. */
#include "tests/unit/values.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "sys/clock.h"
#include "tests/unit/scratch.h"

#define OUTPUT_MAX  4096
#define PATIENCE_MS 10000

struct fixture {
	struct scratch scratch;
	char program[512];
	char config[128];
	char output[OUTPUT_MAX]; /* of the last run, both streams */
};

static void write_config(struct fixture *f, const char *listen)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "listen: %s\n"
		 "clients: [{user: %u, may: [ballot, statement]}]\n"
		 "keys: [{address: '%s', plain: key}]\n"
		 "store: {path: ballots}\n"
		 "policy: {chain: 56, hatch: '%s', actions: [open], round: 10}"
		 "\n",
		 listen, (unsigned)geteuid(), address_text(address_of(1)).s,
		 address_text(an_address(0x11)).s);
	scratch_write(f->config, text, strlen(text));
}

static void setup(struct fixture *f)
{
	char text[80];
	struct key_secret secret = a_secret(1);

	memset(f, 0, sizeof(*f));
	f->scratch = scratch_new();
	ssize_t n = readlink("/proc/self/exe", f->program, 400);
	assert_true(n > 0);
	f->program[n] = 0;
	for (int up = 0; up < 3; up++) /* BUILD/tests/unit/test_… */
		*strrchr(f->program, '/') = 0;
	n = (ssize_t)strlen(f->program);
	snprintf(f->program + n, sizeof(f->program) - (size_t)n,
		 "/signer/egress-signer");
	snprintf(f->config, sizeof(f->config), "%s/signer.yaml",
		 f->scratch.dir);
	hex_encode(secret.b, 32, text);
	scratch_secret(scratch_path(&f->scratch, "key"), text, strlen(text));
	write_config(f, "socket");
}

static void teardown(struct fixture *f)
{
	scratch_remove(f->scratch.dir);
}

/* Its output goes to OUT. */
static pid_t start(struct fixture *f, const char *const *args)
{
	const char *argv[12] = {"egress-signer"};
	int out = open(scratch_path(&f->scratch, "out"),
		       O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

	for (size_t i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	pid_t child = fork();
	if (!child) {
		signal(SIGHUP, SIG_DFL); /* or nohup's */
		dup2(out, 1);
		dup2(out, 2);
		execv(f->program, (char *const *)(const void *)argv);
		_exit(127);
	}
	close(out);
	return child;
}

/* The exit status; -1: killed, by us when it would not end. */
static int ended(struct fixture *f, pid_t child)
{
	const uint64_t end = clock_mono_ms() + PATIENCE_MS;
	int status;

	while (!waitpid(child, &status, WNOHANG)) {
		if (clock_mono_ms() > end)
			kill(child, SIGKILL);
		usleep(2000);
	}
	FILE *out = fopen(scratch_path(&f->scratch, "out"), "r");
	assert_non_null(out);
	f->output[fread(f->output, 1, OUTPUT_MAX - 1, out)] = 0;
	fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(struct fixture *f, const char *const *args)
{
	return ended(f, start(f, args));
}

#define RUN(f, ...) run(f, (const char *const[]){__VA_ARGS__, NULL})

static void says(const struct fixture *f, const char *words)
{
	if (!strstr(f->output, words))
		fail_msg("\"%s\" is not in: %s", words, f->output);
}

static void never_says(const struct fixture *f, const char *words)
{
	if (strstr(f->output, words))
		fail_msg("\"%s\" is in: %s", words, f->output);
}

static pid_t start_daemon(struct fixture *f)
{
	const uint64_t end = clock_mono_ms() + PATIENCE_MS;
	pid_t child =
		start(f, (const char *const[]){"--config", f->config, NULL});

	while (access(scratch_path(&f->scratch, "socket"), F_OK) &&
	       clock_mono_ms() < end)
		usleep(2000);
	usleep(50000); /* its signals are blocked before it listens */
	return child;
}

/* As another process does that has it open. */
static int hold_ledger(struct fixture *f)
{
	int fd = open(scratch_path(&f->scratch, "ballots/lock"), O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

static void test_a_held_ledger_ends_the_start_not_only_ballots(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--init"), 0);
	int held = hold_ledger(&f);
	assert_int_equal(RUN(&f, "--config", f.config), 1);
	says(&f, "ballots: held by another process: one signer per key");
	never_says(&f, "--init");
	assert_int_not_equal(access(scratch_path(&f.scratch, "socket"), F_OK),
			     0);
	close(held);
	teardown(&f);
}

static void test_check_tells_of_a_ledger_that_another_holds(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--init"), 0);
	int held = hold_ledger(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--check"), 1);
	says(&f, "held by another process");
	close(held);
	/* The signer of this very configuration may hold it. */
	pid_t daemon = start_daemon(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--check"), 0);
	says(&f, "sound");
	kill(daemon, SIGTERM);
	assert_int_equal(ended(&f, daemon), 0);
	teardown(&f);
}

static void test_open_key_file_is_refused_at_check_and_start(void **state)
{
	struct fixture f;
	char want[300];

	(void)state;
	setup(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--init"), 0);
	assert_int_equal(chmod(scratch_path(&f.scratch, "key"), 0644), 0);
	snprintf(want, sizeof(want),
		 "keys[0].plain: %s/key: others can read it: chmod 600 %s/key",
		 f.scratch.dir, f.scratch.dir);
	assert_int_equal(RUN(&f, "--config", f.config, "--check"), 1);
	says(&f, want);
	assert_int_equal(RUN(&f, "--config", f.config), 1);
	says(&f, want);
	assert_ptr_equal(strchr(f.output, '\n'),
			 f.output + strlen(f.output) - 1);
	teardown(&f);
}

static void test_every_asking_to_end_is_a_clean_stop(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--init"), 0);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		pid_t daemon = start_daemon(&f);
		kill(daemon, signals[i]);
		assert_int_equal(ended(&f, daemon), 0);
		assert_int_not_equal(
			access(scratch_path(&f.scratch, "socket"), F_OK), 0);
	}
	teardown(&f);
}

static void test_check_names_the_limit_of_a_sockets_path(void **state)
{
	struct fixture f;
	char path[120] = "";

	(void)state;
	setup(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--init"), 0);
	memset(path, 'x', 108);
	path[0] = '/';
	write_config(&f, path);
	assert_int_equal(RUN(&f, "--config", f.config, "--check"), 1);
	says(&f, "signer.yaml:1:9: listen: 108 bytes: a socket's path holds "
		 "at most 107: shorten it");
	path[107] = 0;
	write_config(&f, path);
	assert_int_equal(RUN(&f, "--config", f.config, "--check"), 0);
	teardown(&f);
}

static void test_usage_errors_exit_with_2(void **state)
{
	struct fixture f;
	char key[100];

	(void)state;
	setup(&f);
	snprintf(key, sizeof(key), "%s/key", f.scratch.dir);
	assert_int_equal(RUN(&f, "--nonsense"), 2);
	assert_int_equal(RUN(&f, "--fd", "x"), 2);
	assert_int_equal(RUN(&f, "--config", f.config, "more"), 2);
	assert_int_equal(run(&f, (const char *const[]){NULL}), 2);
	says(&f, "give --config FILE, or --key FILE");
	assert_int_equal(RUN(&f, "--config", f.config, "--key", key), 2);
	assert_int_equal(RUN(&f, "--key", key), 2);
	says(&f, "--chain");
	assert_int_equal(RUN(&f, "--key", key, "--chain", "56"), 2);
	says(&f, "--fd and --allow");
	/* What is wrong with the world is not usage. */
	assert_int_equal(RUN(&f, "--config", "/nowhere.yaml"), 1);
	assert_int_equal(RUN(&f, "--key", "/nowhere", "--print-address"), 1);
	teardown(&f);
}

static void test_init_tells_what_it_made_or_found(void **state)
{
	struct fixture f;
	char want[300], key[100];

	(void)state;
	setup(&f);
	assert_int_equal(RUN(&f, "--config", f.config, "--init"), 0);
	snprintf(want, sizeof(want), "made %s/ballots for key %s\n",
		 f.scratch.dir, address_text(address_of(1)).s);
	assert_string_equal(f.output, want);
	assert_int_equal(RUN(&f, "--config", f.config, "--init"), 0);
	snprintf(want, sizeof(want), "%s/ballots stands for key %s already\n",
		 f.scratch.dir, address_text(address_of(1)).s);
	assert_string_equal(f.output, want);
	snprintf(key, sizeof(key), "%s/key", f.scratch.dir);
	assert_int_equal(RUN(&f, "--key", key, "--chain", "56", "--init"), 0);
	snprintf(want, sizeof(want), "made %s.ballots for key %s\n", key,
		 address_text(address_of(1)).s);
	assert_string_equal(f.output, want);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_held_ledger_ends_the_start_not_only_ballots),
		cmocka_unit_test(
			test_check_tells_of_a_ledger_that_another_holds),
		cmocka_unit_test(
			test_open_key_file_is_refused_at_check_and_start),
		cmocka_unit_test(test_check_names_the_limit_of_a_sockets_path),
		cmocka_unit_test(test_usage_errors_exit_with_2),
		cmocka_unit_test(test_init_tells_what_it_made_or_found),
		cmocka_unit_test(test_every_asking_to_end_is_a_clean_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
