/* What the server's threads may see of the worker, and what they hand to it:
 * the one lock of the relayer, held for a memory copy and no longer. */
#ifndef EGRESS_RELAYER_BOARD_H
#define EGRESS_RELAYER_BOARD_H

#include "http/server.h"
#include "l1/hatch.h"
#include "store/requests.h"

struct board;

struct board_facts { /* what a request can be judged by at once */
	bool known;
	uint64_t chain_id;
	struct address hatch, rollup, relayer;
	enum rollup_state state;
	uint64_t leaf_count, count, head, head_time, inclusion_window;
	uint64_t exits_from; /* as in struct request_times */
	bool evacuates;	     /* the config lets it carry exits */
	char not_ready[160]; /* "" when the relayer can serve */
};

struct board_item { /* a request on its way to the worker; malloc'ed */
	struct request request;
	struct buf raw; /* request.raw borrows from it */
	struct http_deferred *call;
	/* the worker's own */
	uint64_t since_ms;
	bool asked, answered, done;
	struct address owner;
	bool owner_known, payable; /* payable: a balance that is not zero */
	struct http_answer answer;
};

struct board *board_new(void);
void board_free(struct board *b);
int board_fd(const struct board *b); /* readable when something waits */

/* server threads */
struct board_facts board_facts(struct board *b);
void board_status(struct board *b, struct buf *to);
/* false: INTAKE_QUEUE_MAX wait already; the item stays the caller's. */
bool board_push(struct board *b, struct board_item *item);

/* worker */
void board_publish(struct board *b, const struct board_facts *facts,
		   struct slice status);
/* The oldest, or NULL. */
struct board_item *board_take(struct board *b);
void board_item_free(struct board_item *item);

#endif
