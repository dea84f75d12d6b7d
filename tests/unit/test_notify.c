#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/notify.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;
static int manager = -1;

static int listen_as_systemd(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	scratch = scratch_new();
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", scratch.dir);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	return bind(manager, (const struct sockaddr *)&at, sizeof(at));
}

static int stop_listening(void **state)
{
	(void)state;
	close(manager);
	scratch_remove(scratch.dir);
	return 0;
}

static const char *heard(void)
{
	static char text[600];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	return text;
}

static void test_states_are_told(void **state)
{
	(void)state;
	notify_ready();
	assert_string_equal(heard(), "READY=1");
	notify_stopping();
	assert_string_equal(heard(), "STOPPING=1");
	notify_status("phase LIVE\nREADY=1");
	assert_string_equal(heard(), "STATUS=phase LIVE READY=1");
}

static void test_watchdog_is_petted_twice_an_interval(void **state)
{
	(void)state;
	unsetenv("WATCHDOG_USEC");
	notify_watchdog(1000);
	assert_string_equal(heard(), "");
	setenv("WATCHDOG_USEC", "10000000", 1);
	notify_watchdog(1000);
	assert_string_equal(heard(), "WATCHDOG=1");
	notify_watchdog(5999);
	assert_string_equal(heard(), "");
	notify_watchdog(6000);
	assert_string_equal(heard(), "WATCHDOG=1");
}

static void test_without_systemd_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	assert_string_equal(heard(), "");
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_ready();
	assert_string_equal(heard(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_are_told),
		cmocka_unit_test(test_watchdog_is_petted_twice_an_interval),
		cmocka_unit_test(test_without_systemd_nothing_happens),
	};

	return cmocka_run_group_tests(tests, listen_as_systemd, stop_listening);
}
