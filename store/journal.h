/* What one change of the ledger replaced: enough to undo it. */
#ifndef EGRESS_STORE_JOURNAL_H
#define EGRESS_STORE_JOURNAL_H

#include "abi/buf.h"
#include "store/ledger.h"

/* A rewind of many batches is one change, so it may be large. */
#define JOURNAL_BYTES_MAX (256u << 20)
#define MARK_SIZE	  (8 + 8 + 8 + 8 + 32 + 8 + 8 + 32)

void mark_encode(const struct ledger_mark *m, uint8_t to[MARK_SIZE]);
void mark_decode(const uint8_t from[MARK_SIZE], struct ledger_mark *ret);

struct journal_entry {
	enum ledger_change kind;
	uint64_t block, time;	   /* L1 block of the change */
	struct ledger_mark before; /* what was, before it */
	struct slice old;	   /* n × (index(5) record(53)) */
	size_t n;
};
/* The head; old records follow by diff_put(). */
void journal_begin(struct buf *b, enum ledger_change kind,
		   const struct ledger_mark *next,
		   const struct ledger_mark *before);
/* ERR_UNSAFE: not of this form. old borrows from bytes. */
MUST_CHECK enum err journal_decode(struct slice bytes,
				   struct journal_entry *ret);

#endif
