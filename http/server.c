/* libmicrohttpd's threads: one request from its URL to its answer. */
#include "http/server.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/admit.h"
#include "http/life.h"
#include "http/listen.h"
#include "http/route.h"

#define POOL_BYTES (HTTP_HEADERS_MAX + HTTP_URL_MAX + 16384)
#define DRAIN_MAX  (1u << 20) /* of a chunked body that is too large */

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
	struct life life;
};

static void suspend(void *handle)
{
	MHD_suspend_connection(handle);
}

static void resume(void *handle)
{
	MHD_resume_connection(handle);
}

struct http_deferred *http_defer(const struct http_call *call)
{
	struct request *r = (struct request *)call->internal;
	assert(!r->deferred);
	r->deferred = life_defer(&r->server->life, r->connection, r->mhd);
	return r->deferred;
}

static void on_connection(void *cls, struct MHD_Connection *mhd,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		life_remove(&s->life, *socket_context);
		return;
	}
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	*socket_context = life_add(&s->life, info->connect_fd);
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
	life_begin(&r->server->life, r->connection);
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
	life_end(&s->life, r->connection);
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
		http_error(
			&answer, allow ? 405 : 404, "not_found", "",
			allow ? "this path has another method" : "no such path",
			allow ? allow
			      : "docs/api.md lists the paths of each daemon");
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
	struct http_deferred *d = r->deferred;
	struct http_answer answer;
	if (!life_take(&r->server->life, r->connection, d, &answer))
		return MHD_YES;
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
	if (result == MHD_YES && r->deferred &&
	    !deferred_is_suspended(r->deferred))
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
	life_init(&s->life,
		  config->deadline_ms ? config->deadline_ms : HTTP_DEADLINE_MS,
		  suspend, resume);
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
	life_start(&s->life);
	*ret = s;
	return OK;
fail:
	life_done(&s->life);
	free(s);
	return ERR_IO;
}

void http_server_stop(struct http_server *s)
{
	if (!s)
		return;
	int fd = MHD_quiesce_daemon(s->daemon);
	life_stop(&s->life);
	MHD_stop_daemon(s->daemon);
	if (fd >= 0)
		close(fd);
	life_done(&s->life);
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
