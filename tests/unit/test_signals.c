#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/signals.h"

static void test_stop_is_told_once_for_each_asking(void **state)
{
	int fd = signals_open();

	(void)state;
	assert_false(signals_stop(fd));
	kill(getpid(), SIGTERM);
	struct pollfd p = {fd, POLLIN, 0};
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(signals_stop(fd));
	assert_false(signals_stop(fd));
	kill(getpid(), SIGINT);
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(signals_stop(fd));
	close(fd);
}

static void test_hangup_of_the_terminal_stops_cleanly(void **state)
{
	(void)state;
	signal(SIGHUP, SIG_DFL); /* the tests themselves may run in nohup */
	int fd = signals_open();
	kill(getpid(), SIGHUP);
	struct pollfd p = {fd, POLLIN, 0};
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(signals_stop(fd));
	close(fd);
}

/* A signal that is blocked reaches a signalfd even if it is ignored. */
static void test_hangup_that_nohup_ignores_stops_nothing(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (!child) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGHUP, SIG_IGN);
		int fd = signals_open();
		kill(getpid(), SIGHUP);
		_exit(signals_stop(fd));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_writing_to_a_closed_pipe_does_not_kill(void **state)
{
	int fd = signals_open(), fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(write(fds[1], "x", 1), -1);
	close(fds[1]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_is_told_once_for_each_asking),
		cmocka_unit_test(test_hangup_of_the_terminal_stops_cleanly),
		cmocka_unit_test(test_hangup_that_nohup_ignores_stops_nothing),
		cmocka_unit_test(test_writing_to_a_closed_pipe_does_not_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
