/* Inside store/ only: a store is read whole by a child process, for LMDB
 * trusts its pages and a damaged one can crash whoever maps it. */
#ifndef EGRESS_STORE_STORE_EXAMINE_H
#define EGRESS_STORE_STORE_EXAMINE_H

#include "store/store.h"

/* s holds the lock and no environment. ERR_UNSAFE: damaged; ERR_IO: no child
 * could be had. */
MUST_CHECK enum err store_examine(struct store *s, const char *dir,
				  uint64_t map_size);

/* What store.c lends it. */
MUST_CHECK enum err store_env_open(struct store *s, const char *dir,
				   uint64_t map_size, struct err_text *error);
/* LMDB's own assertions end this process quietly, with ERR_UNSAFE. */
void store_die_unsafe(struct store *s);
/* The names of the tables are the keys of this one. */
MUST_CHECK enum err store_table_of_tables(struct store_txn *txn,
					  struct store_table *ret);

#endif
