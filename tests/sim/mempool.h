/* What was broadcast: kept for ever, so that a transaction that a reorg threw
 * out is mined again. */
#ifndef EGRESS_SIM_MEMPOOL_H
#define EGRESS_SIM_MEMPOOL_H

#include "tests/sim/chain.h"

#define SIM_POOL 512

struct sim_pooled {
	struct sim_want want; /* borrows raw */
	struct buf raw;
	struct hash32 hash, payload; /* payload: of to, value and data */
};

struct sim_mempool {
	size_t n;
	struct sim_pooled txs[SIM_POOL];
};

enum sim_sent { SENT_OK, SENT_KNOWN, SENT_NONCE_LOW, SENT_BAD };

/* at: the state that the node that was asked knows. why: of SENT_BAD. */
enum sim_sent mempool_add(struct sim_mempool *m, const struct sim_chain *c,
			  const struct sim_state *at, struct slice raw,
			  struct hash32 *ret_hash, const char **ret_why);
void mempool_done(struct sim_mempool *m);
bool mempool_has(const struct sim_mempool *m, struct hash32 hash);
/* What a block on that state may hold, each account's next in order. */
size_t mempool_pick(const struct sim_mempool *m, const struct sim_state *at,
		    struct sim_want *wants, size_t n, size_t max);
/* The call of some data; false: none that the hatch has. */
bool mempool_decode(const struct sim_chain *c, struct slice data,
		    struct sim_want *ret);

#endif
