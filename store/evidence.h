/* What expelled L1 providers said (abi/lie), by number: a bounded ring, of
 * which the oldest go first.  A liar pushes out its own before another's. */
#ifndef EGRESS_STORE_EVIDENCE_H
#define EGRESS_STORE_EVIDENCE_H

#include "abi/lie.h"
#include "store/store.h"

/* 1.8 MB when every one of them is as long as can be: a provider that lies for
 * months is expelled for 15 minutes each time, and 16 of its lies are enough.
 */
#define EVIDENCE_KEEP	    64
#define EVIDENCE_A_PROVIDER 16
/* A small store gives them no more than this part of its map. */
#define EVIDENCE_SHARE 8

struct evidence {
	struct store_table records; /* number(8) → abi/lie */
	size_t keep;
};

/* map_size: of the store. */
MUST_CHECK enum err evidence_open(struct store_txn *txn, uint64_t map_size,
				  struct evidence *ret);
/* ERR_INVALID: not a record of abi/lie. Numbers begin at 1 and are never used
 * twice. */
MUST_CHECK enum err evidence_put(struct store_txn *txn,
				 const struct evidence *e, struct slice record,
				 uint64_t *ret_id);
/* The same with *ret_id 0 when the store is nearly full: then an alert goes
 * without its evidence, for no provider's lie may fill a store.  into: a struct
 * evidence_into. */
struct evidence_into {
	struct store_txn *txn;
	struct store *store;
	const struct evidence *evidence;
};
MUST_CHECK enum err evidence_keep(void *into, struct slice record,
				  uint64_t *ret_id);
/* ret borrows until the txn ends or writes. ERR_NOT_FOUND, ERR_UNSAFE */
MUST_CHECK enum err evidence_get(struct store_txn *txn,
				 const struct evidence *e, uint64_t id,
				 struct lie *ret);
/* Newest first, those below `before` (0: all), until visit returns false. */
typedef bool evidence_visit(void *ctx, uint64_t id, const struct lie *lie);
MUST_CHECK enum err evidence_walk(struct store_txn *txn,
				  const struct evidence *e, uint64_t before,
				  evidence_visit *visit, void *ctx);

#endif
