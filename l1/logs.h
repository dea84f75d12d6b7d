/* Logs as eth_getLogs tells them, at one block's hash. */
#ifndef EGRESS_L1_LOGS_H
#define EGRESS_L1_LOGS_H

#include "l1/l1.h"

struct l1_log {
	struct address address;
	size_t n_topics;
	struct hash32 topics[4];
	struct slice data;
	struct hash32 tx;
	uint64_t index;	    /* in its block */
	struct slice input; /* calldata of tx, for topics that want it */
};

/* The fields of a log that must agree, for rpc_call.fields. */
extern const char *const l1_log_fields[];
/* eth_getLogs' parameters, appended to b; n_topics 0: any first topic. */
void l1_logs_params(struct buf *b, struct hash32 block,
		    const struct address *addresses, size_t n_addresses,
		    const struct hash32 *topics, size_t n_topics);
/* The same over a range of blocks, in deep history. */
void l1_logs_range_params(struct buf *b, uint64_t from, uint64_t to,
			  const struct address *addresses, size_t n_addresses,
			  const struct hash32 *topics, size_t n_topics);
/* false: not of the shape, or of another block.  data: initialised, holds what
 * ret->data borrows. */
bool l1_log_read(const json_node *node, struct hash32 block, struct buf *data,
		 struct l1_log *ret);

/* The logs of one event that one transaction left behind, out of its proved
 * receipt; where nobody proves it, under quorum.  Borrowed during the callback.
 */
typedef void tx_logs_done(void *ctx, enum err err, const char *why,
			  const struct l1_log *logs, size_t n);
/* emitter's, of that first topic, in transaction tx of that block.  ERR_BUSY:
 * too many asks. */
MUST_CHECK enum err tx_logs_read(struct l1 *l1, struct address emitter,
				 struct hash32 block, struct hash32 tx,
				 struct hash32 topic, tx_logs_done *done,
				 void *ctx);

#endif
