/* The client against a signer of the test's own, on the other end of a real
 * socket. */
#include "tests/unit/values.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "sys/signer_client.h"
#include "tests/unit/scratch.h"

struct told {
	int n;
	enum err err;
	struct ask_answer answer;
};

static void done(void *ctx, enum err err, const struct ask_answer *answer)
{
	struct told *t = ctx;

	t->n++;
	t->err = err;
	t->answer = *answer;
}

static struct ask an_ask(uint64_t expiry)
{
	return (struct ask){
		.kind = ASK_BALLOT,
		.key = an_address(1),
		.vote = {.chain_id = 1, .action = VOTE_OPEN, .expiry = expiry}};
}

/* Reads one ask; its expiry, 0 when there is none. */
static uint64_t server_reads(int fd)
{
	static uint8_t bytes[ASK_MAX];
	struct ask ask;
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0 || ask_decode(slice_of(bytes, (size_t)n), &ask))
		return 0;
	return ask.vote.expiry;
}

static void server_answers(int fd, const char *text)
{
	struct ask_answer a = {.status = ASK_REFUSED};
	struct buf b;

	snprintf(a.text, sizeof(a.text), "%s", text);
	buf_init(&b, 512);
	ask_answer_encode(&a, &b);
	assert_int_equal(send(fd, b.p, b.len, MSG_NOSIGNAL), b.len);
	buf_done(&b);
}

static void test_answers_come_in_the_order_of_asking(void **state)
{
	struct told told[3] = {0};
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	struct signer_client *c = signer_client_new_fd(fds[0]);
	for (uint64_t i = 0; i < 3; i++) {
		struct ask ask = an_ask(10 + i);
		assert_int_equal(signer_client_ask(c, &ask, done, &told[i]),
				 OK);
	}
	assert_int_equal(told[0].n, 0); /* never from ask() */
	for (uint64_t i = 0; i < 3; i++) {
		signer_client_turn(c, 1000);
		assert_int_equal(server_reads(fds[1]), 10 + i);
		assert_int_equal(server_reads(fds[1]), 0); /* one in flight */
		char text[8] = {(char)('a' + i), 0};
		server_answers(fds[1], text);
		signer_client_turn(c, 1000);
		assert_int_equal(told[i].n, 1);
		assert_int_equal(told[i].err, OK);
		assert_string_equal(told[i].answer.text, text);
	}
	assert_true(signer_client_turn(c, 1000) == UINT64_MAX);
	assert_string_equal(signer_client_trouble(c), "");
	signer_client_free(c);
	close(fds[1]);
}

static void test_queue_has_a_maximum(void **state)
{
	struct told told = {0};
	struct signer_client *c = signer_client_new("/nowhere/socket");
	struct ask ask = an_ask(1);

	(void)state;
	for (int i = 0; i < SIGNER_QUEUE_MAX; i++)
		assert_int_equal(signer_client_ask(c, &ask, done, &told), OK);
	assert_int_equal(signer_client_ask(c, &ask, done, &told), ERR_BUSY);
	signer_client_free(c);
	assert_int_equal(told.n, 0);
}

static void test_peer_of_a_given_descriptor_gone_is_an_error(void **state)
{
	struct told told = {0};
	struct ask ask = an_ask(1);
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	struct signer_client *c = signer_client_new_fd(fds[0]);
	assert_int_equal(signer_client_ask(c, &ask, done, &told), OK);
	close(fds[1]);
	signer_client_turn(c, 1000);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.err, ERR_IO);
	signer_client_free(c);
}

static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	assert_true(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void test_restarted_signer_is_asked_again(void **state)
{
	struct scratch s = scratch_new();
	const char *path = scratch_path(&s, "socket");
	struct told told = {0};
	struct ask ask = an_ask(7);
	uint64_t now = 1000000;

	(void)state;
	struct signer_client *c = signer_client_new(path);
	assert_int_equal(signer_client_ask(c, &ask, done, &told), OK);
	uint64_t next = signer_client_turn(c, now);
	assert_non_null(strstr(signer_client_trouble(c), "No such file"));
	assert_true(next > now && next <= now + 5000);
	int listener = listen_at(path);
	signer_client_turn(c, now = next);
	int peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(server_reads(peer), 7);
	close(peer); /* dies without an answer */
	next = signer_client_turn(c, ++now);
	assert_int_equal(told.n, 0);
	signer_client_turn(c, now = next);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(server_reads(peer), 7);
	server_answers(peer, "here again");
	signer_client_turn(c, ++now);
	assert_int_equal(told.n, 1);
	assert_string_equal(told.answer.text, "here again");
	signer_client_free(c);
	close(peer);
	close(listener);
	scratch_remove(s.dir);
}

static void test_late_answer_is_never_taken_for_another(void **state)
{
	struct scratch s = scratch_new();
	const char *path = scratch_path(&s, "socket");
	struct told told = {0};
	struct ask ask = an_ask(7);
	uint64_t now = 1000000;

	(void)state;
	int listener = listen_at(path);
	struct signer_client *c = signer_client_new(path);
	assert_int_equal(signer_client_ask(c, &ask, done, &told), OK);
	uint64_t next = signer_client_turn(c, now);
	assert_int_equal(next, now + SIGNER_SLOW_MS);
	int slow = accept(listener, NULL, NULL);
	assert_int_equal(server_reads(slow), 7);
	next = signer_client_turn(c, now = next);
	next = signer_client_turn(c, now = next); /* in time no more */
	assert_int_equal(send(slow, "late", 4, MSG_NOSIGNAL), -1);
	assert_int_equal(told.n, 0);
	signer_client_turn(c, now = next);
	int peer = accept(listener, NULL, NULL);
	assert_int_equal(server_reads(peer), 7);
	server_answers(peer, "in time");
	signer_client_turn(c, ++now);
	assert_int_equal(told.n, 1);
	assert_string_equal(told.answer.text, "in time");
	signer_client_free(c);
	close(slow);
	close(peer);
	close(listener);
	scratch_remove(s.dir);
}

/* It takes the connection and the ask, and does nothing. */
static void test_a_hung_signer_is_told_until_it_answers(void **state)
{
	struct scratch s = scratch_new();
	const char *path = scratch_path(&s, "socket");
	struct told told = {0};
	struct ask ask = an_ask(7);
	const uint64_t start = 1000000;
	uint64_t now = start;

	(void)state;
	int listener = listen_at(path);
	struct signer_client *c = signer_client_new(path);
	assert_int_equal(signer_client_ask(c, &ask, done, &told), OK);
	uint64_t next = signer_client_turn(c, now);
	assert_string_equal(signer_client_trouble(c), "");
	while (now < start + 2 * SIGNER_TIMEOUT_MS) {
		next = signer_client_turn(c, now = next);
		assert_non_null(strstr(signer_client_trouble(c), "no answer"));
	}
	signer_client_turn(c, now = next); /* connects and asks again */
	int peer = -1, last;
	while ((last = accept(listener, NULL, NULL)) >= 0) {
		close(peer);
		peer = last;
	}
	assert_int_equal(server_reads(peer), 7);
	server_answers(peer, "awake");
	signer_client_turn(c, ++now);
	assert_int_equal(told.n, 1);
	assert_string_equal(signer_client_trouble(c), "");
	signer_client_free(c);
	close(peer);
	close(listener);
	scratch_remove(s.dir);
}

static void test_absent_signer_is_an_error_after_three_timeouts(void **state)
{
	struct told told = {0};
	struct ask ask = an_ask(7);
	struct signer_client *c = signer_client_new("/nowhere/socket");

	(void)state;
	assert_int_equal(signer_client_ask(c, &ask, done, &told), OK);
	const uint64_t start = 1000000;
	uint64_t now = signer_client_turn(c, start);
	for (int i = 0; i < 100 && !told.n; i++)
		now = signer_client_turn(c, now);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.err, ERR_IO);
	assert_true(now >= start + 3 * SIGNER_TIMEOUT_MS);
	signer_client_free(c);
}

static void test_nonsense_for_an_answer_is_not_believed(void **state)
{
	struct told told = {0};
	struct ask ask = an_ask(7);
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	struct signer_client *c = signer_client_new_fd(fds[0]);
	assert_int_equal(signer_client_ask(c, &ask, done, &told), OK);
	signer_client_turn(c, 1000);
	assert_int_equal(send(fds[1], "\0short", 6, 0), 6);
	signer_client_turn(c, 1000);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.err, ERR_IO);
	assert_non_null(strstr(signer_client_trouble(c), "nonsense"));
	signer_client_free(c);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_come_in_the_order_of_asking),
		cmocka_unit_test(test_queue_has_a_maximum),
		cmocka_unit_test(
			test_peer_of_a_given_descriptor_gone_is_an_error),
		cmocka_unit_test(test_restarted_signer_is_asked_again),
		cmocka_unit_test(test_late_answer_is_never_taken_for_another),
		cmocka_unit_test(test_a_hung_signer_is_told_until_it_answers),
		cmocka_unit_test(
			test_absent_signer_is_an_error_after_three_timeouts),
		cmocka_unit_test(test_nonsense_for_an_answer_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
