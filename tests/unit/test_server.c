/* HTTP in: limits, refusals, routes and suspended calls, over real sockets. */
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/route.h"
#include "http/server.h"
#include "sys/clock.h"

#define PATIENCE_MS 5000

static struct http_server *server;
static struct http_deferred *_Atomic kept; /* what /later left for the worker */

static void fill(struct http_answer *answer, const char *text)
{
	*answer = (struct http_answer){.status = 200,
				       .content_type = "text/plain"};
	buf_init(&answer->body, 1u << 20);
	buf_add_str(&answer->body, text);
}

static bool show(void *ctx, const struct http_call *call,
		 struct http_answer *answer)
{
	char text[512];
	const char *q = http_query(call, "q");
	(void)snprintf(text, sizeof(text), "%s %s|%s|%zu|%s|%s",
		       (const char *)ctx, call->method,
		       call->n_args ? call->args[0] : "", call->body.len,
		       q ? q : "-", call->accept);
	fill(answer, text);
	answer->etag = "\"tag\"";
	return true;
}

static bool later(void *ctx, const struct http_call *call,
		  struct http_answer *answer)
{
	(void)ctx;
	(void)answer;
	kept = http_defer(call);
	return false;
}

static bool at_once(void *ctx, const struct http_call *call,
		    struct http_answer *answer)
{
	struct http_answer own;
	(void)ctx;
	(void)answer;
	fill(&own, "resumed before the handler returned");
	http_resume(http_defer(call), &own);
	return false;
}

static const struct http_route routes[] = {
	{"GET", "/", show},
	{"GET", "/v1/proof/{index}", show},
	{"POST", "/v1/requests", show},
	{"POST", "/later", later},
	{"POST", "/at-once", at_once},
	{NULL},
};

static int start_server(void **state)
{
	struct err_text error;
	const struct http_server_config config = {.host = "127.0.0.1",
						  .threads = 2,
						  .per_address = 8,
						  .deadline_ms = 1500};
	(void)state;
	return http_server_start(&config, routes, "ctx", &server, &error);
}

static int stop_server(void **state)
{
	(void)state;
	http_server_stop(server);
	return 0;
}

static int open_connection(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(http_server_port(server))};
	struct timeval limit = {.tv_sec = 4};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void put(int fd, const void *p, size_t len)
{
	/* the server may have closed: what it said is what counts */
	(void)!send(fd, p, len, MSG_NOSIGNAL);
}

/* Until the server closes or falls silent; NUL-terminated. */
static size_t read_all(int fd, char *to, size_t size)
{
	size_t len = 0;
	for (;;) {
		ssize_t got = recv(fd, to + len, size - 1 - len, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	to[len] = '\0';
	return len;
}

static char reply[1 << 17];

/* One request on a connection of its own; its "Connection: close" is added. */
static const char *ask(const char *head, const char *body)
{
	int fd = open_connection();
	char text[4096];
	int len = snprintf(text, sizeof(text),
			   "%s\r\nHost: x\r\nConnection: close\r\n\r\n%s", head,
			   body);
	put(fd, text, (size_t)len);
	read_all(fd, reply, sizeof(reply));
	close(fd);
	return reply;
}

static void expect(const char *answer, const char *status, const char *part)
{
	if (strncmp(answer + 9, status, strlen(status)) != 0 ||
	    !strstr(answer, part))
		fail_msg("wanted %s and \"%s\" in: %.600s", status, part,
			 answer);
}

static void test_routes_and_arguments(void **state)
{
	(void)state;
	expect(ask("GET /v1/proof/7 HTTP/1.1\r\nAccept: text/plain", ""), "200",
	       "ctx GET|7|0|-|text/plain");
	expect(ask("GET /?q=a%20b HTTP/1.1", ""), "200", "|a b|");
	expect(ask("POST /v1/requests HTTP/1.1\r\nContent-Length: 5", "hello"),
	       "200", "ctx POST||5|");
	expect(reply, "200", "ETag: \"tag\"");
	expect(reply, "200", "Content-Type: text/plain");
}

static void test_head_has_no_body(void **state)
{
	(void)state;
	expect(ask("HEAD /v1/proof/7 HTTP/1.1", ""), "200",
	       "Content-Length: 14");
	assert_null(strstr(reply, "ctx"));
}

static void test_unknown_paths_and_methods(void **state)
{
	(void)state;
	expect(ask("GET /nothing HTTP/1.1", ""), "404", "\"not_found\"");
	expect(reply, "404", "application/json");
	expect(ask("GET /v1/proof/ HTTP/1.1", ""), "404", "no such path");
	expect(ask("GET /v1/proof/1/2 HTTP/1.1", ""), "404", "no such path");
	expect(ask("DELETE /v1/proof/1 HTTP/1.1", ""), "405", "Allow: GET");
	expect(ask("GET /v1/requests HTTP/1.1", ""), "405", "Allow: POST");
	expect(ask("GET /v1/requests HTTP/1.1", ""), "405",
	       "\"code\":\"not_found\"");
}

static void test_ambiguous_requests_are_closed(void **state)
{
	static const char *const heads[] = {
		"POST /v1/requests HTTP/1.1\r\nContent-Length: 5\r\n"
		"Content-Length: 5",
		"POST /v1/requests HTTP/1.1\r\nContent-Length: 5\r\n"
		"Content-Length: 6",
		"POST /v1/requests HTTP/1.1\r\nContent-Length: 5\r\n"
		"Transfer-Encoding: chunked",
		"POST /v1/requests HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
		"Transfer-Encoding: identity",
		"GET / HTTP/1.1\r\nHost: y",
		"POST /v1/requests HTTP/1.1\r\nContent-Length : 5",
		"GET / HTTP/1.1\r\nTransfer-Encoding\t: chunked",
		"GET / HTTP/1.1\r\nX(Y): 1",
		"GET /%00 HTTP/1.1",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		expect(ask(heads[i], "hello"), "400", "ambiguous");
		expect(reply, "400", "Connection: close");
	}
}

static void test_large_requests_are_refused(void **state)
{
	static char url[HTTP_URL_MAX + 100], head[HTTP_HEADERS_MAX + 100];
	static char body[HTTP_BODY_MAX + 1];
	int fd;
	(void)state;
	expect(ask("POST /v1/requests HTTP/1.1\r\nContent-Length: 65537", "x"),
	       "413", "\"too_large\"");
	(void)snprintf(url, sizeof(url), "GET /%0*d HTTP/1.1", HTTP_URL_MAX, 1);
	expect(ask(url, ""), "414", "\"too_large\"");
	/* a body of exactly the limit is taken */
	memset(body, 'b', sizeof(body));
	fd = open_connection();
	const char *full = "POST /v1/requests HTTP/1.1\r\nHost: x\r\n"
			   "Connection: close\r\nContent-Length: 65536\r\n\r\n";
	put(fd, full, strlen(full));
	put(fd, body, HTTP_BODY_MAX);
	read_all(fd, reply, sizeof(reply));
	close(fd);
	expect(reply, "200", "|65536|");
	/* headers */
	fd = open_connection();
	int len = snprintf(head, sizeof(head),
			   "GET / HTTP/1.1\r\nHost: x\r\nX-Long: %0*d\r\n\r\n",
			   HTTP_HEADERS_MAX, 1);
	put(fd, head, (size_t)len);
	read_all(fd, reply, sizeof(reply));
	close(fd);
	expect(reply, "431", "headers");
}

static void test_a_chunked_body_is_bounded(void **state)
{
	static char chunk[0x1000];
	int fd = open_connection();
	const char *head = "POST /v1/requests HTTP/1.1\r\nHost: x\r\n"
			   "Connection: close\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n";
	(void)state;
	memset(chunk, 'c', sizeof(chunk));
	put(fd, head, strlen(head));
	for (size_t i = 0; i < 17; i++) {
		put(fd, "1000\r\n", 6);
		put(fd, chunk, sizeof(chunk));
		put(fd, "\r\n", 2);
	}
	put(fd, "0\r\n\r\n", 5);
	read_all(fd, reply, sizeof(reply));
	close(fd);
	expect(reply, "413", "\"too_large\"");
}

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000,
			     .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static void *worker(void *arg)
{
	struct http_answer answer;
	(void)arg;
	for (int i = 0; i < 200 && !kept; i++)
		pause_ms(10);
	pause_ms(100);
	fill(&answer, "from the worker");
	struct http_deferred *d = kept;
	kept = NULL;
	http_resume(d, &answer);
	return NULL;
}

static void test_deferred_calls_get_the_workers_answer(void **state)
{
	pthread_t thread;
	(void)state;
	pthread_create(&thread, NULL, worker, NULL);
	expect(ask("POST /later HTTP/1.1\r\nContent-Length: 2", "hi"), "200",
	       "from the worker");
	pthread_join(thread, NULL);
	expect(ask("POST /at-once HTTP/1.1\r\nContent-Length: 2", "hi"), "200",
	       "resumed before");
}

/* How many of nine connections are left once the server has closed what is
 * too much, which may take it a moment. */
static size_t left_of_nine(void)
{
	struct pollfd fds[9];
	char byte;
	size_t open = 0;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = (struct pollfd){.fd = open_connection(),
					 .events = POLLIN};
	assert_true(poll(fds, ARRAY_LEN(fds), PATIENCE_MS) > 0);
	pause_ms(50);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		open += recv(fds[i].fd, &byte, 1, MSG_DONTWAIT) < 0 &&
			errno == EAGAIN;
		close(fds[i].fd);
	}
	pause_ms(200); /* until it has seen that they are gone */
	return open;
}

static void test_one_address_has_few_connections(void **state)
{
	size_t open = 0;
	(void)state;
	/* those of earlier tests may still count at first */
	for (int i = 0; i < 20 && open != 8; i++) {
		open = left_of_nine();
		assert_in_range(open, 0, 8);
	}
	assert_int_equal(open, 8);
	expect(ask("GET / HTTP/1.1", ""), "200", "ctx");
}

/* Byte by byte, for ever, ends at the deadline all the same; so does a call
 * that no worker answers, with a 503. */
static void test_a_dripping_client_is_cut_off(void **state)
{
	int drip = open_connection(), stuck = open_connection();
	const char *head = "POST /later HTTP/1.1\r\nHost: x\r\n"
			   "Connection: close\r\nContent-Length: 0\r\n\r\n";
	uint64_t began = clock_mono_ms();
	char byte;
	(void)state;
	put(stuck, head, strlen(head));
	put(drip, "GET / HTTP/1.1\r\nX: ", 19);
	for (;;) {
		put(drip, "y", 1);
		pause_ms(200);
		if (recv(drip, &byte, 1, MSG_DONTWAIT) == 0 ||
		    clock_mono_ms() - began > 9000)
			break;
	}
	assert_in_range(clock_mono_ms() - began, 1400, 3500);
	read_all(stuck, reply, sizeof(reply));
	expect(reply, "503", "\"busy\"");
	struct http_answer answer;
	fill(&answer, "too late");
	http_resume(kept, &answer); /* harmless */
	kept = NULL;
	close(drip);
	close(stuck);
}

/* The first line slowly, then the headers slowly: one deadline for both, on a
 * new connection and on one that has served before. */
static uint64_t drip_line_and_headers(int fd)
{
	const char *line = "GET / HTTP/1.1\r\n";
	uint64_t began = clock_mono_ms();
	char byte;

	for (size_t i = 0; line[i]; i++) {
		put(fd, line + i, 1);
		pause_ms(80); /* 16 of them: most of the deadline */
	}
	put(fd, "X: ", 3);
	while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 &&
	       clock_mono_ms() - began < 9000) {
		put(fd, "y", 1);
		pause_ms(50);
	}
	return clock_mono_ms() - began;
}

static void test_the_deadline_runs_from_the_first_byte(void **state)
{
	const char *one = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = open_connection();
	char text[1024];

	(void)state;
	assert_in_range(drip_line_and_headers(fd), 1400, 2300);
	close(fd);
	fd = open_connection();
	put(fd, one, strlen(one));
	assert_true(recv(fd, text, sizeof(text), 0) > 0);
	pause_ms(600); /* idle is not begun */
	assert_in_range(drip_line_and_headers(fd), 1400, 2300);
	close(fd);
}

/* Times that one of this process's threads but the first went to sleep. */
static unsigned long sleeps(void)
{
	unsigned long sum = 0, n;
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	assert_non_null(tasks);
	while ((task = readdir(tasks))) {
		char path[300], line[128];
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status",
			       task->d_name);
		long id = strtol(task->d_name, NULL, 10); /* "." is 0 */
		FILE *f = !id || id == getpid() ? NULL : fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) ==
			    1)
				sum += n;
		if (f)
			(void)fclose(f);
	}
	(void)closedir(tasks);
	return sum;
}

/* The reaper looks at connections four times a second, and at none never. */
static void test_nothing_wakes_while_nobody_is_connected(void **state)
{
	bool quiet = false;
	(void)state;
	close(open_connection());
	for (int i = 0; i < 20 && !quiet; i++) { /* once it is gone */
		unsigned long before = sleeps();
		pause_ms(600);
		quiet = sleeps() == before;
	}
	assert_true(quiet);
}

static void test_stopping_answers_the_suspended(void **state)
{
	struct err_text error;
	const struct http_server_config config = {.host = "127.0.0.1"};
	struct http_server *first = server;
	const char *head = "POST /later HTTP/1.1\r\nHost: x\r\n"
			   "Connection: close\r\nContent-Length: 0\r\n\r\n";
	(void)state;
	assert_int_equal(
		http_server_start(&config, routes, "ctx", &server, &error), OK);
	int fd = open_connection();
	put(fd, head, strlen(head));
	for (int i = 0; i < 200 && !kept; i++)
		pause_ms(10);
	assert_non_null(kept);
	http_server_stop(server);
	server = first;
	read_all(fd, reply, sizeof(reply));
	close(fd);
	expect(reply, "503", "\"busy\"");
	struct http_answer answer;
	fill(&answer, "too late");
	http_resume(kept, &answer); /* after the server is gone */
	kept = NULL;
}

static void test_a_taken_port_says_so(void **state)
{
	struct http_server *other;
	struct err_text error;
	struct http_server_config config = {.host = "127.0.0.1",
					    .port = http_server_port(server)};
	(void)state;
	assert_int_equal(
		http_server_start(&config, routes, NULL, &other, &error),
		ERR_IO);
	assert_non_null(strstr(error.text, "cannot listen"));
	config.host = "localhost";
	assert_int_equal(
		http_server_start(&config, routes, NULL, &other, &error),
		ERR_IO);
	assert_non_null(strstr(error.text, "not a numeric address"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes_and_arguments),
		cmocka_unit_test(test_head_has_no_body),
		cmocka_unit_test(test_unknown_paths_and_methods),
		cmocka_unit_test(test_ambiguous_requests_are_closed),
		cmocka_unit_test(test_large_requests_are_refused),
		cmocka_unit_test(test_a_chunked_body_is_bounded),
		cmocka_unit_test(test_deferred_calls_get_the_workers_answer),
		cmocka_unit_test(test_one_address_has_few_connections),
		cmocka_unit_test(test_a_dripping_client_is_cut_off),
		cmocka_unit_test(test_the_deadline_runs_from_the_first_byte),
		cmocka_unit_test(test_nothing_wakes_while_nobody_is_connected),
		cmocka_unit_test(test_stopping_answers_the_suspended),
		cmocka_unit_test(test_a_taken_port_says_so),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
