/* Forced withdrawals that nobody served: executed once they are overdue, and
 * paid once no batch they rest on can be proven bad.  Also pays those that a
 * sequencer executed. */
#ifndef EGRESS_RELAYER_EXECUTE_H
#define EGRESS_RELAYER_EXECUTE_H

#include "relayer/parts.h"

struct execute;

struct execute *execute_new(struct parts *parts);
void execute_free(struct execute *e);
void execute_turn(struct execute *e, struct turn *t);
void execute_news(struct execute *e, const struct task_news *news);
uint64_t execute_next(const struct execute *e);
/* Withdrawals that are queued or not paid. */
size_t execute_open(const struct execute *e);

#endif
