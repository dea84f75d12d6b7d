/* libmicrohttpd's threads on one side, the worker on the other.
 *
 * libmicrohttpd restarts its timeout with every byte it gets, so a request's
 * life is bounded here: one thread walks the connections and shuts down what
 * has lived too long (suspended ones get their 503 instead). */
#include "http/server.h"

#include <assert.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/admit.h"
#include "http/listen.h"
#include "http/route.h"
#include "sys/clock.h"

#define POOL_BYTES   (HTTP_HEADERS_MAX + HTTP_URL_MAX + 16384)
#define DRAIN_MAX    (1u << 20) /* of a chunked body that is too large */
#define REAP_EACH_MS 250
#define STOP_WAIT_MS 500 /* for the last answers to leave */

struct http_deferred {
	pthread_mutex_t lock;
	unsigned refs; /* the request's and the worker's */
	bool answered;
	struct MHD_Connection *connection; /* NULL: not suspended */
	struct http_answer answer;
};

struct connection { /* one socket */
	struct connection *next, *prev;
	int fd;
	uint64_t until_ms; /* clock_mono_ms() at which its request must be
			    * over */
	struct http_deferred *deferred;
};

struct request {
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct connection *connection;
	struct buf body;
	size_t body_len; /* received, kept or not */
	bool begun;
	struct admit_facts facts; /* of the URL, so far */
	struct http_deferred *deferred;
	struct route_args args;
};

struct http_server {
	struct MHD_Daemon *daemon;
	const struct http_route *routes;
	void *ctx;
	uint16_t port;
	uint64_t deadline_ms;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wake;
	struct connection connections; /* ring */
	size_t suspended;
	bool stopping;
	pthread_t reaper;
};

/* ---- suspended calls ---------------------------------------------------- */

static void deferred_unref(struct http_deferred *d)
{
	pthread_mutex_lock(&d->lock);
	bool last = !--d->refs;
	pthread_mutex_unlock(&d->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&d->lock);
	buf_done(&d->answer.body);
	free(d);
}

/* The first answer counts.  Resumed under the lock, so that whoever comes
 * second knows that libmicrohttpd has it back. */
static void deferred_answer(struct http_deferred *d, struct http_answer *answer)
{
	pthread_mutex_lock(&d->lock);
	if (!d->answered) {
		d->answered = true;
		d->answer = *answer;
		*answer = (struct http_answer){0};
		if (d->connection)
			MHD_resume_connection(d->connection);
	}
	pthread_mutex_unlock(&d->lock);
	buf_done(&answer->body);
}

static void deferred_refuse(struct http_deferred *d)
{
	struct http_answer answer = {0};
	http_error(&answer, 503, "busy", "", "no answer in time",
		   "send it again: what was accepted is not done twice");
	deferred_answer(d, &answer);
}

struct http_deferred *http_defer(const struct http_call *call)
{
	struct request *r = (struct request *)call->internal;
	struct http_deferred *d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	assert(!r->deferred);
	pthread_mutex_init(&d->lock, NULL);
	d->refs = 2;
	r->deferred = d;
	struct http_server *s = r->server;
	pthread_mutex_lock(&s->lock);
	bool stopping = s->stopping;
	if (!stopping) {
		d->connection = r->mhd;
		d->refs++;
		r->connection->deferred = d;
		s->suspended++;
		MHD_suspend_connection(r->mhd);
	}
	pthread_mutex_unlock(&s->lock);
	if (stopping)
		deferred_refuse(d);
	return d;
}

void http_resume(struct http_deferred *d, struct http_answer *answer)
{
	deferred_answer(d, answer);
	deferred_unref(d);
}

/* ---- connections and their deadlines ------------------------------------- */

static void on_connection(void *cls, struct MHD_Connection *mhd,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		struct connection *c = *socket_context;
		pthread_mutex_lock(&s->lock);
		c->next->prev = c->prev;
		c->prev->next = c->next;
		pthread_mutex_unlock(&s->lock);
		if (c->deferred)
			deferred_unref(c->deferred);
		free(c);
		return;
	}
	struct connection *c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
			->connect_fd;
	c->until_ms = clock_mono_ms() + s->deadline_ms;
	*socket_context = c;
	pthread_mutex_lock(&s->lock);
	c->next = s->connections.next;
	c->prev = &s->connections;
	c->next->prev = c->prev->next = c;
	pthread_mutex_unlock(&s->lock);
}

static void set_deadline(struct http_server *s, struct connection *c)
{
	pthread_mutex_lock(&s->lock);
	c->until_ms = clock_mono_ms() + s->deadline_ms;
	pthread_mutex_unlock(&s->lock);
}

/* One that is due and suspended, referenced; the others are shut down. */
static struct http_deferred *reap_one(struct http_server *s, bool all)
{
	uint64_t now = clock_mono_ms();
	struct connection *end = &s->connections;
	struct connection *c;
	struct http_deferred *d = NULL;
	pthread_mutex_lock(&s->lock);
	for (c = end->next; c != end && !d; c = c->next) {
		if (!all && now < c->until_ms)
			continue;
		if (c->deferred) {
			d = c->deferred; /* with the connection's reference */
			c->deferred = NULL;
			c->until_ms = now + s->deadline_ms;
		} else if (!all) {
			shutdown(c->fd, SHUT_RDWR);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return d;
}

static void reap(struct http_server *s, bool all)
{
	struct http_deferred *d;
	while ((d = reap_one(s, all))) {
		deferred_refuse(d);
		deferred_unref(d);
	}
}

static void *reaper(void *arg)
{
	struct http_server *s = arg;
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += REAP_EACH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&s->wake, &s->lock, &until);
		pthread_mutex_unlock(&s->lock);
		reap(s, false);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- one request --------------------------------------------------------- */

/* The first libmicrohttpd tells of a request; the result is *con_cls. */
static void *on_url(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct request *r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->server = cls;
	r->mhd = mhd;
	r->connection =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
			->socket_context;
	admit_url(&r->facts, uri);
	buf_init(&r->body, HTTP_BODY_MAX);
	set_deadline(r->server, r->connection);
	return r;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct http_server *s = cls;
	struct request *r = *con_cls;
	(void)mhd;
	(void)code;
	if (!r)
		return;
	set_deadline(s, r->connection);
	if (r->deferred)
		deferred_unref(r->deferred);
	buf_done(&r->body);
	free(r);
	*con_cls = NULL;
}

static enum MHD_Result send_answer(struct request *r,
				   struct http_answer *answer,
				   const char *allow, bool close)
{
	if (answer->body.failed)
		http_error(answer, 500, "too_large", "",
			   "the answer does not fit", "ask for less");
	struct buf *body = &answer->body;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		body->len, body->p, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		buf_done(body);
		return MHD_NO;
	}
	const char *type = answer->content_type ? answer->content_type
						: "application/json";
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Cache-Control",
				answer->etag ? "no-cache" : "no-store");
	if (answer->etag)
		MHD_add_response_header(response, "ETag", answer->etag);
	if (allow)
		MHD_add_response_header(response, "Allow", allow);
	if (close)
		MHD_add_response_header(response, "Connection", "close");
	enum MHD_Result done =
		MHD_queue_response(r->mhd, answer->status, response);
	MHD_destroy_response(response);
	return done;
}

static enum MHD_Result refuse(struct request *r, unsigned status,
			      const char *code, const char *message,
			      const char *hint)
{
	struct http_answer answer = {0};
	http_error(&answer, status, code, "", message, hint);
	return send_answer(r, &answer, NULL, true);
}

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind,
				    const char *name, const char *value)
{
	(void)kind;
	admit_header(cls, name, value);
	return MHD_YES;
}

/* The first call of a request, its headers read. */
static enum MHD_Result admit(struct request *r)
{
	struct admit_facts f = r->facts;
	MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, count_header, &f);
	const struct admit_refusal *refusal = admit_check(&f);
	if (!refusal)
		return MHD_YES;
	return refuse(r, refusal->status, refusal->code, refusal->message,
		      refusal->hint);
}

static enum MHD_Result dispatch(struct request *r, const char *method,
				const char *path)
{
	const char *allow;
	struct http_answer answer = {0};
	const struct http_route *route =
		route_find(r->server->routes, method, path, &r->args, &allow);
	if (!route) {
		http_error(&answer, allow ? 405 : 404, "not_found", "",
			   allow ? "this path has another method"
				 : "no such path",
			   allow ? allow : "see /v1/openapi.json");
		return send_answer(r, &answer, allow, false);
	}
	const char *accept =
		MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Accept");
	struct http_call call = {.method = route->method,
				 .path = path,
				 .n_args = r->args.n,
				 .body = buf_slice(&r->body),
				 .accept = accept ? accept : "",
				 .internal = r};
	for (size_t i = 0; i < r->args.n; i++)
		call.args[i] = r->args.args[i];
	if (route->handler(r->server->ctx, &call, &answer)) {
		assert(!r->deferred);
		return send_answer(r, &answer, NULL, false);
	}
	assert(r->deferred);
	buf_done(&answer.body);
	return MHD_YES; /* called again once it is resumed */
}

/* After a suspension: the answer is there. */
static enum MHD_Result send_deferred(struct request *r)
{
	struct http_server *s = r->server;
	struct http_deferred *d = r->deferred, *held;
	pthread_mutex_lock(&d->lock);
	bool answered = d->answered;
	struct http_answer answer = d->answer;
	if (answered)
		d->answer = (struct http_answer){0};
	bool suspended = d->connection;
	pthread_mutex_unlock(&d->lock);
	if (!answered)
		return MHD_YES;
	pthread_mutex_lock(&s->lock);
	held = r->connection->deferred;
	r->connection->deferred = NULL;
	s->suspended -= suspended;
	pthread_mutex_unlock(&s->lock);
	if (held)
		deferred_unref(held);
	r->deferred = NULL;
	deferred_unref(d);
	return send_answer(r, &answer, NULL, false);
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd,
				 const char *url, const char *method,
				 const char *version, const char *upload,
				 size_t *upload_size, void **con_cls)
{
	struct request *r = *con_cls;
	enum MHD_Result result;
	(void)cls;
	(void)mhd;
	(void)version;
	if (!r->begun) {
		r->begun = true;
		return admit(r);
	}
	if (r->deferred)
		return send_deferred(r);
	if (*upload_size) {
		r->body_len += *upload_size;
		buf_add(&r->body, upload, *upload_size);
		*upload_size = 0;
		return r->body_len > DRAIN_MAX ? MHD_NO : MHD_YES;
	}
	if (r->body.failed)
		return refuse(r, 413, "too_large", "body over 64 KiB",
			      "send less");
	result = dispatch(r, method, url);
	/* deferred while the server stops: answered already, not suspended */
	if (result == MHD_YES && r->deferred && !r->deferred->connection)
		return send_deferred(r);
	return result;
}

/* ---- the server ---------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(const struct http_server_config *config,
				       struct http_server *s, int fd)
{
	unsigned threads = config->threads ? config->threads : 2;
	unsigned connections =
		config->connections ? config->connections : HTTP_CONNECTIONS;
	unsigned per_address =
		config->per_address ? config->per_address : HTTP_PER_ADDRESS;
	if (connections < threads)
		connections = threads;
	struct MHD_OptionItem pool[] = {
		{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
		{MHD_OPTION_END, 0, NULL}};
	return MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, on_access, s, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
		MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)(HTTP_DEADLINE_MS / 1000),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
		on_url, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		/* one thread is no pool */
		MHD_OPTION_ARRAY, pool + (threads < 2), MHD_OPTION_END);
}

enum err http_server_start(const struct http_server_config *config,
			   const struct http_route *routes, void *ctx,
			   struct http_server **ret, struct err_text *error)
{
	struct http_server *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->routes = routes;
	s->ctx = ctx;
	s->deadline_ms =
		config->deadline_ms ? config->deadline_ms : HTTP_DEADLINE_MS;
	s->connections.next = s->connections.prev = &s->connections;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	int fd = http_listen(config, &s->port, error);
	if (fd < 0)
		goto fail;
	s->daemon = start_daemon(config, s, fd);
	if (!s->daemon) {
		err_text_set(error, "%s:%u: libmicrohttpd does not start",
			     config->host, config->port);
		close(fd);
		goto fail;
	}
	if (pthread_create(&s->reaper, NULL, reaper, s))
		abort();
	*ret = s;
	return OK;
fail:
	free(s);
	return ERR_IO;
}

void http_server_stop(struct http_server *s)
{
	if (!s)
		return;
	int fd = MHD_quiesce_daemon(s->daemon);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->reaper, NULL);
	uint64_t until = clock_mono_ms() + STOP_WAIT_MS;
	size_t left;
	do {
		reap(s, true);
		pthread_mutex_lock(&s->lock);
		left = s->suspended;
		pthread_mutex_unlock(&s->lock);
		if (left)
			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	} while (left && clock_mono_ms() < until);
	MHD_stop_daemon(s->daemon);
	if (fd >= 0)
		close(fd);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
	return s->port;
}

const char *http_query(const struct http_call *call, const char *name)
{
	const struct request *r = call->internal;
	return MHD_lookup_connection_value(r->mhd, MHD_GET_ARGUMENT_KIND, name);
}
