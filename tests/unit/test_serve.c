/* The socket as strangers, daemons and a second signer meet it. */
#include "tests/unit/values.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "signer/serve.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signals.h"
#include "sys/signer_client.h"
#include "tests/unit/scratch.h"

#define HATCH an_address(0x11)

struct fixture {
	struct scratch scratch;
	char path[100];
	struct signer_config config;
	pid_t child;
	struct address key;
};

static struct keyring *a_keyring(struct scratch *s)
{
	struct keyring *keys = keyring_new();
	struct key_secret secret = a_secret(1);
	struct err_text error;
	char text[80];

	hex_encode(secret.b, 32, text);
	scratch_secret(scratch_path(s, "key"), text, strlen(text));
	assert_int_equal(
		keyring_add_plain(keys, scratch_path(s, "key"), NULL, &error),
		OK);
	return keys;
}

static void run_child(struct fixture *f, int ready)
{
	struct signer signer = {.policy = &f->config.policy};
	struct err_text error;
	int listen_fd, lock_fd, signal_fd = signals_open();

	log_init("egress-signer", 0);
	signer.keyring = a_keyring(&f->scratch);
	if (serve_listen(f->path, &listen_fd, &lock_fd, &error))
		_exit(1);
	if (write(ready, "r", 1) != 1)
		_exit(2);
	serve_run(&signer, &f->config, listen_fd, signal_fd);
	_exit(0);
}

static void start(struct fixture *f)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	f->child = fork();
	if (!f->child)
		run_child(f, ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->scratch = scratch_new();
	snprintf(f->path, sizeof(f->path), "%s/socket", f->scratch.dir);
	f->config.policy.chain_id = 56;
	f->config.policy.hatch = HATCH;
	f->config.clients[0].uid = geteuid();
	f->config.clients[0].may = 1u << ASK_STATEMENT;
	f->config.n_clients = 1;
	f->key = address_of(1);
}

static int stop(struct fixture *f, int sig)
{
	int status;

	kill(f->child, sig);
	assert_int_equal(waitpid(f->child, &status, 0), f->child);
	return status;
}

static void teardown(struct fixture *f)
{
	scratch_remove(f->scratch.dir);
}

static struct ask an_incident(struct address key)
{
	return (struct ask){.kind = ASK_STATEMENT,
			    .key = key,
			    .statement = {.domain = {DOMAIN_EGRESS, 56, HATCH},
					  .type = STATEMENT_INCIDENT,
					  .n = 1}};
}

struct told {
	bool done;
	enum err err;
	struct ask_answer answer;
};

static void take(void *ctx, enum err err, const struct ask_answer *answer)
{
	*(struct told *)ctx = (struct told){true, err, *answer};
}

static struct told ask_it(struct fixture *f, const struct ask *ask)
{
	struct signer_client *c = signer_client_new(f->path);
	struct told told = {0};
	const uint64_t end = clock_mono_ms() + 5000;

	assert_int_equal(signer_client_ask(c, ask, take, &told), OK);
	while (!told.done && clock_mono_ms() < end) {
		signer_client_turn(c, clock_mono_ms());
		struct pollfd p = signer_client_pollfd(c);
		if (!told.done)
			poll(&p, 1, 20);
	}
	signer_client_free(c);
	return told;
}

static int connect_to(const struct fixture *f)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), room = 4 * ASK_MAX;

	memcpy(to.sun_path, f->path, strlen(f->path));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)),
			 0);
	return fd;
}

static void test_daemon_is_answered_within_its_rights(void **state)
{
	struct fixture f;
	struct address who;
	struct hash32 digest;
	struct stat st;

	(void)state;
	setup(&f);
	start(&f);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	struct ask ask = an_incident(f.key);
	struct told told = ask_it(&f, &ask);
	assert_int_equal(told.err, OK);
	assert_int_equal(told.answer.status, ASK_SIGNED);
	assert_int_equal(ask_digest(&ask, &digest), OK);
	assert_int_equal(key_recover(digest, &told.answer.signature, &who), OK);
	assert_true(address_eq(who, f.key));
	ask = (struct ask){
		.kind = ASK_BALLOT,
		.key = f.key,
		.vote = {.chain_id = 56, .hatch = HATCH, .action = VOTE_OPEN}};
	told = ask_it(&f, &ask);
	assert_int_equal(told.answer.status, ASK_REFUSED);
	assert_int_equal(stop(&f, SIGTERM), 0);
	teardown(&f);
}

static void test_stranger_is_turned_away(void **state)
{
	struct fixture f;
	char byte;

	(void)state;
	setup(&f);
	f.config.clients[0].uid = geteuid() + 1;
	start(&f);
	int fd = connect_to(&f);
	assert_int_equal(recv(fd, &byte, 1, 0), 0); /* hung up */
	close(fd);
	assert_int_equal(stop(&f, SIGTERM), 0);
	teardown(&f);
}

static void test_oversized_and_empty_packets_do_no_harm(void **state)
{
	static uint8_t big[ASK_MAX + 1000];
	uint8_t answer[300];
	struct fixture f;

	(void)state;
	setup(&f);
	start(&f);
	int fd = connect_to(&f);
	assert_int_equal(send(fd, big, sizeof(big), 0), sizeof(big));
	assert_true(recv(fd, answer, sizeof(answer), 0) > 1);
	assert_int_equal(answer[0], ASK_BAD_REQUEST);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_true(recv(fd, answer, sizeof(answer), 0) > 1);
	assert_int_equal(answer[0], ASK_BAD_REQUEST);
	close(fd);
	struct ask ask = an_incident(f.key);
	assert_int_equal(ask_it(&f, &ask).answer.status, ASK_SIGNED);
	assert_int_equal(stop(&f, SIGTERM), 0);
	teardown(&f);
}

static void test_silent_clients_do_not_hold_up_others(void **state)
{
	struct fixture f;
	int idle[SIGNER_CONNECTIONS - 1];

	(void)state;
	setup(&f);
	start(&f);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		idle[i] = connect_to(&f);
	struct ask ask = an_incident(f.key);
	assert_int_equal(ask_it(&f, &ask).answer.status, ASK_SIGNED);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		close(idle[i]);
	assert_int_equal(ask_it(&f, &ask).answer.status, ASK_SIGNED);
	assert_int_equal(stop(&f, SIGTERM), 0);
	teardown(&f);
}

static void test_stale_socket_is_replaced_a_live_one_is_not(void **state)
{
	struct fixture f;
	struct err_text error;
	int fd, lock;

	(void)state;
	setup(&f);
	start(&f);
	assert_int_equal(serve_listen(f.path, &fd, &lock, &error), ERR_BUSY);
	struct ask ask = an_incident(f.key);
	assert_int_equal(ask_it(&f, &ask).answer.status, ASK_SIGNED);
	assert_int_equal(WTERMSIG(stop(&f, SIGKILL)), SIGKILL);
	assert_int_equal(access(f.path, F_OK), 0); /* left behind */
	start(&f);
	assert_int_equal(ask_it(&f, &ask).answer.status, ASK_SIGNED);
	assert_int_equal(stop(&f, SIGTERM), 0);
	teardown(&f);
}

static void test_other_files_are_never_replaced(void **state)
{
	struct fixture f;
	struct err_text error;
	int fd, lock;

	(void)state;
	setup(&f);
	scratch_write(f.path, "precious", 8);
	assert_int_equal(serve_listen(f.path, &fd, &lock, &error), ERR_INVALID);
	assert_non_null(strstr(error.text, "not a socket"));
	teardown(&f);
}

static void test_words_of_allow_are_exact(void **state)
{
	unsigned may;
	bool deploy;

	(void)state;
	assert_int_equal(signer_config_may("ballot,deploy", &may, &deploy), OK);
	assert_int_equal(may, 1u << ASK_BALLOT | 1u << ASK_TRANSACTION);
	assert_true(deploy);
	assert_int_equal(signer_config_may("statement", &may, &deploy), OK);
	assert_int_equal(may, 1u << ASK_STATEMENT);
	assert_false(deploy);
	assert_int_equal(signer_config_may("", &may, &deploy), ERR_INVALID);
	assert_int_equal(signer_config_may("ballots", &may, &deploy),
			 ERR_INVALID);
	assert_int_equal(signer_config_may("ballot,,open", &may, &deploy),
			 ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_daemon_is_answered_within_its_rights),
		cmocka_unit_test(test_stranger_is_turned_away),
		cmocka_unit_test(test_oversized_and_empty_packets_do_no_harm),
		cmocka_unit_test(test_silent_clients_do_not_hold_up_others),
		cmocka_unit_test(
			test_stale_socket_is_replaced_a_live_one_is_not),
		cmocka_unit_test(test_other_files_are_never_replaced),
		cmocka_unit_test(test_words_of_allow_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
