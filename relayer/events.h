/* The one event that a transaction of ours left behind, under quorum: an id
 * that only the contract could give. */
#ifndef EGRESS_RELAYER_EVENTS_H
#define EGRESS_RELAYER_EVENTS_H

#include "abi/family/sovereign.h"
#include "l1/l1.h"

struct events;

/* log NULL: there is none (err OK), or it could not be read. */
typedef void events_got(void *ctx, enum err err,
			const struct sovereign_log *log);

struct events *events_new(struct l1 *l1);
void events_free(struct events *e);
/* The first log of `event` by `emitter` in transaction tx of that block.
 * ERR_BUSY: too many reads at once. */
MUST_CHECK enum err events_read(struct events *e, struct address emitter,
				struct hash32 block_hash, struct hash32 tx,
				enum sovereign_event event, events_got *got,
				void *ctx);

#endif
