/* What the server's threads may read of the worker's state: ready-made
 * answers and the rules for posted ballots, copied under one small mutex that
 * lives in board.c. */
#ifndef EGRESS_WATCHER_BOARD_H
#define EGRESS_WATCHER_BOARD_H

#include "watcher/pool.h"

struct board;

enum board_page { BOARD_STATUS, BOARD_BALLOTS, BOARD_BAD_BATCH, BOARD_METRICS };
#define BOARD_PAGES (BOARD_METRICS + 1)

struct board *board_new(void);
void board_free(struct board *b);
/* The worker: replaces a page by a copy of text; empty: there is none. */
void board_put(struct board *b, enum board_page page, struct slice text);
/* not_ready: "" or why. */
void board_set(struct board *b, const struct pool_rules *rules,
	       struct address rollup, const char *not_ready);
/* Any thread. false: the page is empty. */
bool board_get(struct board *b, enum board_page page, struct buf *to);
struct pool_rules board_rules(struct board *b);
struct address board_rollup(struct board *b);
struct board_reason {
	char text[200];
};
struct board_reason board_not_ready(struct board *b);

#endif
