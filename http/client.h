/* HTTP out: libcurl's multi interface, never blocking.  curl.h is included by
 * client.c alone.  The simulator replaces client.c. */
#ifndef EGRESS_HTTP_CLIENT_H
#define EGRESS_HTTP_CLIENT_H

#include <poll.h>
#include "abi/err.h"
#include "abi/types.h"

#define HTTP_REPLY_MAX	   (32u << 20) /* a reply's body, unless less is asked */
#define HTTP_TRANSFERS_MAX 256	       /* in flight at once */
#define HTTP_CONNECT_MS	   2000

struct http_client;

struct http_request {
	const char *method; /* "GET", "POST" */
	const char *url;
	const char *const
		*headers;	  /* "Name: value", NULL-terminated, or NULL */
	const char *content_type; /* of the body, or NULL */
	struct slice body;	  /* copied */
	uint64_t timeout_ms;	  /* absolute, for the whole transfer */
	size_t max_body;	  /* 0: HTTP_REPLY_MAX */
};

struct http_reply {
	enum err err; /* OK: a status arrived. ERR_IO, ERR_TOO_LARGE */
	bool sent; /* some of the request left us: the other side may have it */
	long status;
	struct slice body; /* borrowed during the callback */
	uint64_t elapsed_ms;
	uint64_t retry_after_s; /* what the other side asks for; 0: nothing */
	char text[160];		/* why, when err */
};

typedef void http_done(void *ctx, const struct http_reply *reply);

struct http_client *http_client_new(void);
/* Drops what is in flight without calling back. */
void http_client_free(struct http_client *c);
/* done is called from http_client_turn(), once, never from here. Redirects
 * are not followed; only http and https, the latter with a certificate that
 * the system trusts, or the file that SSL_CERT_FILE names. Of encodings gzip
 * alone is taken. ERR_BUSY: HTTP_TRANSFERS_MAX. */
MUST_CHECK enum err http_client_start(struct http_client *c,
				      const struct http_request *request,
				      http_done *done, void *ctx);
/* Forgets every transfer started with ctx: its owner goes away. */
void http_client_cancel(struct http_client *c, void *ctx);
/* Reaps what has finished. */
void http_client_turn(struct http_client *c);
/* The one poll of a program: curl's sockets and the extra ones (revents
 * filled), until something happens or timeout_ms. */
void http_client_wait(struct http_client *c, struct pollfd *extra, size_t n,
		      uint64_t timeout_ms);

#endif
