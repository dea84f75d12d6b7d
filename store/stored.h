/* A record as it lies in LMDB, which has no checksums of its own:
 * version(1) ‖ bytes ‖ check(4).  Pure. */
#ifndef EGRESS_STORE_STORED_H
#define EGRESS_STORE_STORED_H

#include "abi/buf.h"

/* Clears to, then writes the record; the check is over the table's name and
 * the key too, so that no record can stand in another's place. */
void stored_wrap(const char *table, struct slice key, struct slice bytes,
		 struct buf *to);
/* ERR_UNSAFE: not as it was written. ret borrows from stored. */
MUST_CHECK enum err stored_unwrap(const char *table, struct slice key,
				  struct slice stored, struct slice *ret);

#endif
