/* HTTP out against a small server of the test's own. */
#include "unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"
#include "sys/clock.h"

static int listener;
static char base[64];
static pthread_t thread;
static unsigned connections; /* accepted */

struct seen {
	unsigned called;
	enum err err;
	long status;
	char body[256], text[160];
};

/* What a path answers; NULL: nothing, ever. */
static const char *answer_to(const char *request)
{
	if (strstr(request, "/silent"))
		return NULL;
	if (strstr(request, "/moved"))
		return "HTTP/1.1 302 Found\r\nLocation: /ok\r\n"
		       "Content-Length: 0\r\n\r\n";
	if (strstr(request, "/large"))
		return "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
		       "01234567890123456789";
	if (strstr(request, "/echo") && strstr(request, "\r\n\r\nhello") &&
	    strstr(request, "X-Key: secret") &&
	    strstr(request, "Content-Type: text/plain"))
		return "HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\n"
		       "echoed";
	return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
}

static void *serve(void *arg)
{
	char request[4096];
	int held[16] = {0};
	size_t n_held = 0;
	(void)arg;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			break;
		connections++;
		for (;;) {
			ssize_t len = read(fd, request, sizeof(request) - 1);
			if (len <= 0)
				break;
			request[len] = '\0';
			const char *answer = answer_to(request);
			if (!answer && n_held < 16) {
				held[n_held++] = fd;
				fd = -1;
				break;
			}
			if (!answer || write(fd, answer, strlen(answer)) < 0)
				break;
		}
		if (fd >= 0)
			close(fd);
	}
	while (n_held)
		close(held[--n_held]);
	return NULL;
}

static int start_server(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	(void)state;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&at, len) ||
	    listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&at, &len))
		return -1;
	(void)snprintf(base, sizeof(base), "http://127.0.0.1:%u",
		       ntohs(at.sin_port));
	return pthread_create(&thread, NULL, serve, NULL);
}

static int stop_server(void **state)
{
	(void)state;
	shutdown(listener, SHUT_RDWR);
	close(listener);
	return pthread_join(thread, NULL);
}

static void on_done(void *ctx, const struct http_reply *reply)
{
	struct seen *seen = ctx;
	seen->called++;
	seen->err = reply->err;
	seen->status = reply->status;
	(void)snprintf(seen->body, sizeof(seen->body), "%.*s",
		       (int)reply->body.len, (const char *)reply->body.p);
	(void)snprintf(seen->text, sizeof(seen->text), "%s", reply->text);
}

static void turn(struct http_client *c, uint64_t ms)
{
	uint64_t until = clock_mono_ms() + ms;
	do {
		http_client_turn(c);
		http_client_wait(c, NULL, 0, 20);
	} while (clock_mono_ms() < until);
}

static struct seen get(struct http_client *c, const char *url, size_t max_body,
		       uint64_t timeout_ms)
{
	struct seen seen = {0};
	char full[256];
	(void)snprintf(full, sizeof(full), "%s%s", *url == '/' ? base : "",
		       url);
	const struct http_request request = {.method = "GET",
					     .url = full,
					     .max_body = max_body,
					     .timeout_ms = timeout_ms};
	assert_int_equal(http_client_start(c, &request, on_done, &seen), OK);
	assert_int_equal(seen.called, 0); /* never from start */
	for (int i = 0; i < 150 && !seen.called; i++)
		turn(c, 10);
	assert_int_equal(seen.called, 1);
	return seen;
}

static void test_gets_and_keeps_the_connection(void **state)
{
	struct http_client *c = http_client_new();
	unsigned before = connections;
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct seen seen = get(c, "/ok", 0, 1000);
		assert_int_equal(seen.err, OK);
		assert_int_equal(seen.status, 200);
		assert_string_equal(seen.body, "ok");
	}
	assert_int_equal(connections - before, 1);
	http_client_free(c);
}

static void test_posts_body_and_headers(void **state)
{
	struct http_client *c = http_client_new();
	static const char *const headers[] = {"X-Key: secret", NULL};
	struct seen seen = {0};
	char url[128], body[] = "hello";
	(void)state;
	(void)snprintf(url, sizeof(url), "%s/echo", base);
	const struct http_request request = {.method = "POST",
					     .url = url,
					     .headers = headers,
					     .content_type = "text/plain",
					     .body = slice_str(body),
					     .timeout_ms = 1000};
	assert_int_equal(http_client_start(c, &request, on_done, &seen), OK);
	memset(body, 'x', 5); /* it was copied */
	for (int i = 0; i < 150 && !seen.called; i++)
		turn(c, 10);
	assert_int_equal(seen.status, 201);
	assert_string_equal(seen.body, "echoed");
	http_client_free(c);
}

static void test_follows_no_redirect(void **state)
{
	struct http_client *c = http_client_new();
	struct seen seen = get(c, "/moved", 0, 1000);
	(void)state;
	assert_int_equal(seen.err, OK);
	assert_int_equal(seen.status, 302);
	http_client_free(c);
}

static void test_a_body_over_the_cap_is_dropped(void **state)
{
	struct http_client *c = http_client_new();
	(void)state;
	assert_int_equal(get(c, "/large", 20, 1000).err, OK);
	struct seen seen = get(c, "/large", 19, 1000);
	assert_int_equal(seen.err, ERR_TOO_LARGE);
	assert_string_equal(seen.text, "answer of more than 19 bytes");
	assert_string_equal(seen.body, "");
	http_client_free(c);
}

static void test_the_deadline_is_absolute(void **state)
{
	struct http_client *c = http_client_new();
	uint64_t before = clock_mono_ms();
	struct seen seen = get(c, "/silent", 0, 150);
	uint64_t took = clock_mono_ms() - before;
	(void)state;
	assert_int_equal(seen.err, ERR_IO);
	assert_true(*seen.text);
	assert_in_range(took, 140, 1000);
	http_client_free(c);
}

static void test_only_http(void **state)
{
	struct http_client *c = http_client_new();
	(void)state;
	assert_int_equal(get(c, "file:///etc/hostname", 0, 500).err, ERR_IO);
	assert_int_equal(get(c, "http://127.0.0.1:1/", 0, 500).err, ERR_IO);
	http_client_free(c);
}

static void test_the_cancelled_are_not_called(void **state)
{
	struct http_client *c = http_client_new();
	struct seen first = {0}, second = {0};
	char url[128];
	(void)state;
	(void)snprintf(url, sizeof(url), "%s/ok", base);
	const struct http_request request = {
		.method = "GET", .url = url, .timeout_ms = 1000};
	assert_int_equal(http_client_start(c, &request, on_done, &first), OK);
	assert_int_equal(http_client_start(c, &request, on_done, &second), OK);
	http_client_cancel(c, &first);
	for (int i = 0; i < 50 && !second.called; i++)
		turn(c, 100);
	assert_int_equal(second.called, 1);
	turn(c, 100);
	assert_int_equal(first.called, 0);
	http_client_free(c);
}

static void test_the_number_in_flight_is_bounded(void **state)
{
	struct http_client *c = http_client_new();
	struct seen seen = {0};
	const struct http_request request = {.method = "GET",
					     .url = "http://127.0.0.1:1/",
					     .timeout_ms = 1000};
	(void)state;
	for (size_t i = 0; i < HTTP_TRANSFERS_MAX; i++)
		assert_int_equal(http_client_start(c, &request, on_done, &seen),
				 OK);
	assert_int_equal(http_client_start(c, &request, on_done, &seen),
			 ERR_BUSY);
	http_client_free(c); /* calls nobody back */
	assert_int_equal(seen.called, 0);
}

static void test_wait_sees_the_other_descriptors(void **state)
{
	struct http_client *c = http_client_new();
	int ends[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	struct pollfd fds[] = {{.fd = -1, .events = POLLIN},
			       {.fd = ends[0], .events = POLLIN}};
	uint64_t before = clock_mono_ms();
	http_client_wait(c, fds, 2, 60);
	assert_in_range(clock_mono_ms() - before, 50, 500);
	assert_int_equal(fds[1].revents, 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	before = clock_mono_ms();
	http_client_wait(c, fds, 2, 5000);
	assert_in_range(clock_mono_ms() - before, 0, 500);
	assert_int_equal(fds[1].revents, POLLIN);
	close(ends[0]);
	close(ends[1]);
	http_client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gets_and_keeps_the_connection),
		cmocka_unit_test(test_posts_body_and_headers),
		cmocka_unit_test(test_follows_no_redirect),
		cmocka_unit_test(test_a_body_over_the_cap_is_dropped),
		cmocka_unit_test(test_the_deadline_is_absolute),
		cmocka_unit_test(test_only_http),
		cmocka_unit_test(test_the_cancelled_are_not_called),
		cmocka_unit_test(test_the_number_in_flight_is_bounded),
		cmocka_unit_test(test_wait_sees_the_other_descriptors),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
