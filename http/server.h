/* HTTP in: libmicrohttpd, two epoll threads, bound to loopback.
 * microhttpd.h is included by server.c alone.
 *
 * Reads are answered on the server's threads (the handler must be safe
 * there).  A write is parsed and checked there, then deferred: its connection
 * is suspended until the worker calls http_resume(). */
#ifndef EGRESS_HTTP_SERVER_H
#define EGRESS_HTTP_SERVER_H

#include "abi/buf.h"
#include "abi/json.h"

/* formats.md LIMITS */
#define HTTP_BODY_MAX	 65536
#define HTTP_URL_MAX	 2048
#define HTTP_HEADERS_MAX 16384
#define HTTP_DEADLINE_MS 10000 /* a request's whole life, suspended or not */
#define HTTP_CONNECTIONS 200
#define HTTP_PER_ADDRESS 20
#define HTTP_ANSWER_MAX	 (4u << 20)

struct http_server;

struct http_deferred; /* a suspended connection */

struct http_call {
	const char *method, *path;
	/* What stood for {…} in the route's pattern, in order. */
	const char *args[4];
	size_t n_args;
	struct slice body;
	const char *accept;   /* "" when absent */
	const void *internal; /* for http_query, http_defer */
};

struct http_answer {
	unsigned status;
	const char *content_type; /* static; default application/json */
	const char *etag;	  /* static or NULL */
	struct buf body;	  /* the server frees it */
};

/* Returns true when `answer` is filled; false after http_defer(). */
typedef bool http_handler(void *ctx, const struct http_call *call,
			  struct http_answer *answer);

struct http_route {
	const char *method;  /* GET, POST */
	const char *pattern; /* "/v1/proof/{index}" */
	http_handler *handler;
};

struct http_server_config {
	const char *host;	       /* numeric address */
	uint16_t port;		       /* 0: the kernel chooses */
	unsigned threads, connections; /* 0: 2, HTTP_CONNECTIONS */
	unsigned per_address; /* 0: HTTP_PER_ADDRESS; loopback counts too */
	unsigned deadline_ms; /* 0: HTTP_DEADLINE_MS */
};

/* routes: ends with a NULL method; borrowed. ERR_IO: cannot bind, why. */
MUST_CHECK enum err http_server_start(const struct http_server_config *config,
				      const struct http_route *routes,
				      void *ctx, struct http_server **ret,
				      struct err_text *error);
/* Answers what is suspended with 503, then stops. NULL is legal. */
void http_server_stop(struct http_server *s);
uint16_t http_server_port(const struct http_server *s);

/* A query argument, or NULL. */
const char *http_query(const struct http_call *call, const char *name);
/* Suspends this call's connection; the handler must then return false. */
struct http_deferred *http_defer(const struct http_call *call);
/* From any thread, once; takes the answer's body. */
void http_resume(struct http_deferred *d, struct http_answer *answer);

/* formats.md ERROR, with the right Content-Type. field and hint may be "". */
void http_error(struct http_answer *answer, unsigned status, const char *code,
		const char *field, const char *message, const char *hint);
/* bad_json, or bad_field with the reader's field and complaint. */
void http_error_reader(struct http_answer *answer, const struct json_reader *r,
		       const char *hint);

#endif
