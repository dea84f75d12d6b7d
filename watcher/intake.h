/* Posted ballots on their way from the server's threads to the worker.  The
 * one queue between them, and its mutex. */
#ifndef EGRESS_WATCHER_INTAKE_H
#define EGRESS_WATCHER_INTAKE_H

#include "abi/ballot.h"
#include "http/server.h"

struct intake;

struct intake_item {
	struct bundle bundle;	    /* judged already */
	struct http_deferred *call; /* to be answered after the commit */
};

struct intake *intake_new(void); /* NULL: no memory or descriptors */
/* What is still waiting is dropped: stop the server first. */
void intake_free(struct intake *q);
/* From a server thread: suspends the call and hands it over. false: the queue
 * is full and the call is not suspended. */
bool intake_put(struct intake *q, const struct bundle *bundle,
		const struct http_call *call);
/* The worker takes one. false: there is none. */
bool intake_take(struct intake *q, struct intake_item *ret);
/* Readable when something waits; intake_drained() after taking all. */
int intake_fd(const struct intake *q);
void intake_drained(struct intake *q);

#endif
