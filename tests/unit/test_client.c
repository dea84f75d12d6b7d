/* HTTP out against a small server of the test's own. */
#include "unit.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"
#include "sys/clock.h"

static int listener;
static char base[64];
static pthread_t thread;
static unsigned connections;  /* accepted */
static _Atomic size_t pushed; /* bytes of the endless body the kernel took */

struct seen {
	unsigned called;
	enum err err;
	long status;
	uint64_t retry_after_s;
	size_t len;
	char body[256], text[160];
};

#define HANGS	"hangs.invalid"
#define HANGS_S 5

/* The resolver, which libcurl's threads call: it may hang. */
int getaddrinfo(const char *node, const char *service,
		const struct addrinfo *hints, struct addrinfo **ret)
{
	static int (*real)(const char *, const char *, const struct addrinfo *,
			   struct addrinfo **);
	if (node && !strcmp(node, HANGS)) {
		sleep(HANGS_S);
		return EAI_AGAIN;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, ret);
}

/* gzip of 4096 zero bytes, and of 64 of them twice over. */
static const uint8_t zeros_gz[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
	0xed, 0xc1, 0x01, 0x0d, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf7,
	0x4f, 0x6d, 0x0f, 0x07, 0x14, 0x00, 0x00, 0x00, 0xf0, 0x6e,
	0x11, 0x00, 0x1c, 0xc7, 0x00, 0x10, 0x00, 0x00};
static const uint8_t twice_gz[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
	0x93, 0xef, 0xe6, 0x60, 0x00, 0x01, 0x26, 0xe6, 0xe4, 0x84,
	0x05, 0x3c, 0x0c, 0x0c, 0x66, 0xc9, 0xbd, 0xa5, 0x0e, 0x40,
	0x3e, 0x00, 0xc0, 0xf5, 0xbe, 0x10, 0x18, 0x00, 0x00, 0x00};

static void put(int fd, const void *p, size_t len)
{
	(void)!send(fd, p, len, MSG_NOSIGNAL);
}

static void put_gzip(int fd, const char *headers, const uint8_t *p, size_t len)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %zu\r\n"
			 "\r\n",
			 headers, len);
	put(fd, head, (size_t)n);
	put(fd, p, len);
}

/* Without an end, as fast as the other side takes it. */
static void put_endless(int fd, const char *head)
{
	static char block[65536];
	put(fd, head, strlen(head));
	memset(block, 'x', sizeof(block));
	for (ssize_t n = 0; n >= 0; pushed += (size_t)n)
		if ((n = send(fd, block, sizeof(block), MSG_NOSIGNAL)) < 0)
			return;
}

static void put_drip(int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
				     "\r\nok";
	for (size_t i = 0; i < sizeof(answer) - 1; i++) {
		if (send(fd, answer + i, 1, MSG_NOSIGNAL) < 0)
			return;
		usleep(20000);
	}
}

/* What is more than a text; true: done, and the connection is over. */
static bool misbehave(int fd, const char *request)
{
	if (strstr(request, "/zeros"))
		put_gzip(fd, "Content-Encoding: gzip", zeros_gz,
			 sizeof(zeros_gz));
	else if (strstr(request, "/twice"))
		put_gzip(fd, "Content-Encoding: gzip, gzip", twice_gz,
			 sizeof(twice_gz));
	else if (strstr(request, "/repeated"))
		put_gzip(fd, "Content-Encoding: gzip\r\nContent-Encoding: gzip",
			 twice_gz, sizeof(twice_gz));
	else if (strstr(request, "/zstd"))
		put_gzip(fd, "Content-Encoding: zstd", zeros_gz,
			 sizeof(zeros_gz));
	else if (strstr(request, "/packed"))
		put_gzip(fd, "Transfer-Encoding: gzip", zeros_gz,
			 sizeof(zeros_gz));
	else if (strstr(request, "/endless"))
		put_endless(fd, "HTTP/1.1 200 OK\r\n\r\n");
	else if (strstr(request, "/gigabyte"))
		put_endless(fd, "HTTP/1.1 200 OK\r\n"
				"Content-Length: 1073741824\r\n\r\n");
	else if (strstr(request, "/headers"))
		put_endless(fd, "HTTP/1.1 200 OK\r\nX-Long: ");
	else if (strstr(request, "/drip"))
		put_drip(fd);
	else
		return false;
	return true;
}

/* What a path answers; NULL: nothing, ever. */
static const char *answer_to(const char *request)
{
	if (strstr(request, "/silent"))
		return NULL;
	if (strstr(request, "/moved"))
		return "HTTP/1.1 302 Found\r\nLocation: /ok\r\n"
		       "Content-Length: 0\r\n\r\n";
	if (strstr(request, "/later"))
		return "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
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
			if (misbehave(fd, request))
				break;
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
	seen->retry_after_s = reply->retry_after_s;
	seen->len = reply->body.len;
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
	while (!seen.called)
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

/* What the kernels of both sides hold on the way: tcp_wmem and tcp_rmem go up
 * to 4 and 6 MiB on Debian. */
#define ON_THE_WAY (16u << 20)

static void test_an_endless_body_is_cut_at_32_mib(void **state)
{
	struct http_client *c = http_client_new();
	size_t before = pushed;
	struct seen seen = get(c, "/endless", 0, 20000);
	(void)state;
	assert_int_equal(seen.err, ERR_TOO_LARGE);
	assert_string_equal(seen.text, "answer of more than 33554432 bytes");
	assert_in_range(pushed - before, HTTP_REPLY_MAX - 65536,
			HTTP_REPLY_MAX + ON_THE_WAY);
	http_client_free(c);
}

static void test_a_stated_length_over_the_cap_is_not_read(void **state)
{
	struct http_client *c = http_client_new();
	size_t before = pushed;
	struct seen seen = get(c, "/gigabyte", 0, 20000);
	(void)state;
	assert_int_equal(seen.err, ERR_TOO_LARGE);
	assert_in_range(pushed - before, 0, ON_THE_WAY);
	http_client_free(c);
}

static void test_endless_headers_are_cut(void **state)
{
	struct http_client *c = http_client_new();
	size_t before = pushed;
	struct seen seen = get(c, "/headers", 0, 20000);
	(void)state;
	assert_int_equal(seen.err, ERR_IO);
	assert_in_range(pushed - before, 0, ON_THE_WAY);
	http_client_free(c);
}

static void test_gzip_is_unpacked_within_the_cap(void **state)
{
	struct http_client *c = http_client_new();
	struct seen seen = get(c, "/zeros", 4096, 1000);
	(void)state;
	assert_int_equal(seen.err, OK);
	assert_int_equal(seen.len, 4096);
	seen = get(c, "/zeros", 4095, 1000);
	assert_int_equal(seen.err, ERR_TOO_LARGE);
	assert_string_equal(seen.text, "answer of more than 4095 bytes");
	http_client_free(c);
}

/* Each layer is a thousandfold, and the inner ones need give nothing: three of
 * them keep a program for minutes within one read. */
static void test_one_layer_of_gzip_is_all_that_is_unpacked(void **state)
{
	static const char *const paths[] = {"/twice", "/repeated", "/zstd",
					    "/packed"};
	struct http_client *c = http_client_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct seen seen = get(c, paths[i], 0, 1000);
		assert_int_equal(seen.err, ERR_IO);
		assert_non_null(strstr(seen.text, "was not asked for"));
	}
	http_client_free(c);
}

static void test_tells_when_to_come_back(void **state)
{
	struct http_client *c = http_client_new();
	struct seen seen = get(c, "/later", 0, 1000);
	(void)state;
	assert_int_equal(seen.err, OK);
	assert_int_equal(seen.status, 429);
	assert_int_equal(seen.retry_after_s, 7);
	assert_int_equal(get(c, "/ok", 0, 1000).retry_after_s, 0);
	http_client_free(c);
}

static void test_a_drip_ends_at_the_deadline(void **state)
{
	struct http_client *c = http_client_new();
	(void)state;
	assert_int_equal(get(c, "/drip", 0, 150).err, ERR_IO);
	http_client_free(c);
}

static void test_a_resolver_that_hangs_holds_nobody_up(void **state)
{
	struct http_client *c = http_client_new();
	uint64_t before = clock_mono_ms();
	struct seen seen = get(c, "http://" HANGS "/", 0, 150);
	(void)state;
	assert_int_equal(seen.err, ERR_IO);
	assert_int_equal(get(c, "/ok", 0, 1000).err, OK);
	http_client_free(c);
	assert_in_range(clock_mono_ms() - before, 140, HANGS_S * 1000 - 500);
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
		cmocka_unit_test(test_an_endless_body_is_cut_at_32_mib),
		cmocka_unit_test(test_a_stated_length_over_the_cap_is_not_read),
		cmocka_unit_test(test_endless_headers_are_cut),
		cmocka_unit_test(test_gzip_is_unpacked_within_the_cap),
		cmocka_unit_test(
			test_one_layer_of_gzip_is_all_that_is_unpacked),
		cmocka_unit_test(test_tells_when_to_come_back),
		cmocka_unit_test(test_a_drip_ends_at_the_deadline),
		cmocka_unit_test(test_a_resolver_that_hangs_holds_nobody_up),
		cmocka_unit_test(test_the_deadline_is_absolute),
		cmocka_unit_test(test_only_http),
		cmocka_unit_test(test_the_cancelled_are_not_called),
		cmocka_unit_test(test_the_number_in_flight_is_bounded),
		cmocka_unit_test(test_wait_sees_the_other_descriptors),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
