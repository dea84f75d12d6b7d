/* How long a connection may live, and the calls that wait for the worker.
 * Knows nothing of libmicrohttpd but a handle to suspend and resume by.
 *
 * libmicrohttpd restarts its timeout with every byte it gets, so a request's
 * life is bounded here: one thread walks the connections and shuts down what
 * has lived too long (suspended ones get their 503 instead). */
#ifndef EGRESS_HTTP_LIFE_H
#define EGRESS_HTTP_LIFE_H

#include <pthread.h>

#include "http/server.h"

struct connection { /* one socket */
	struct connection *next, *prev;
	int fd;
	bool begun;	   /* a first byte of a request has been seen */
	uint64_t idle_ms;  /* since when there is none */
	uint64_t until_ms; /* clock_mono_ms() at which its request must be
			    * over */
	struct http_deferred *deferred;
};

struct life {
	uint64_t deadline_ms;
	void (*suspend)(void *handle);
	void (*resume)(void *handle);
	pthread_t reaper;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wake;
	struct connection connections; /* ring */
	size_t suspended;
	bool stopping;
};

void life_init(struct life *l, uint64_t deadline_ms,
	       void (*suspend)(void *handle), void (*resume)(void *handle));
void life_done(struct life *l); /* after life_stop(), or never started */
void life_start(struct life *l);
/* Answers what is suspended; returns when that has left, or soon anyway. */
void life_stop(struct life *l);

struct connection *life_add(struct life *l, int fd);
void life_remove(struct life *l, struct connection *c);
/* A request's first line is read.  Its clock runs from its first byte, which
 * the walk has seen already unless it came just now. */
void life_begin(struct life *l, struct connection *c);
/* It is over: the connection may be idle as long as a request may take. */
void life_end(struct life *l, struct connection *c);

/* Suspends the connection, unless the server stops: then the answer is there
 * at once.  Two references: the request's and the worker's. */
struct http_deferred *life_defer(struct life *l, struct connection *c,
				 void *handle);
/* Called again although nothing was suspended. */
bool deferred_is_suspended(const struct http_deferred *d);
/* false: no answer yet.  true: ret owns it, the connection has let go. */
bool life_take(struct life *l, struct connection *c, struct http_deferred *d,
	       struct http_answer *ret);
void deferred_unref(struct http_deferred *d);

#endif
