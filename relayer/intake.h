/* The citizens' door: requests in, their fate out.
 *
 * A request is parsed and its signature checked on the server's threads,
 * queued with its connection suspended, kept by the worker in one commit with
 * its neighbours, and only then answered with 202. */
#ifndef EGRESS_RELAYER_INTAKE_H
#define EGRESS_RELAYER_INTAKE_H

#include "relayer/board.h"
#include "relayer/parts.h"
#include "relayer/request.h"

struct intake;

struct intake *intake_new(struct parts *parts, struct board *board);
void intake_free(struct intake *in);
/* For http_server_start(); ctx is the intake. */
const struct http_route *intake_routes(void);

/* Judges what was handed over and writes what is accepted
 * in the turn's transaction. */
MUST_CHECK enum err intake_turn(struct intake *in, struct book *book,
				struct turn *t);
/* After the commit: answers. */
void intake_answer(struct intake *in);
/* Answers everything that waits with 503: the relayer ends. */
void intake_close(struct intake *in);
uint64_t intake_next(const struct intake *in);

/* intake_read.c: a request's JSON. false: answer holds the refusal. */
bool intake_parse(const struct board_facts *facts, struct slice body,
		  struct board_item *item, struct http_answer *answer);

#endif
