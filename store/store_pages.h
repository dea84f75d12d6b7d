/* Inside store/ only: the pages that lead into the tables, read before LMDB
 * maps them.  It trusts them: a damaged one is no answer but a process's end,
 * or a table that seems not to be there. */
#ifndef EGRESS_STORE_STORE_PAGES_H
#define EGRESS_STORE_STORE_PAGES_H

#include "abi/err.h"
#include "abi/types.h"

#define STORE_PAGE_MAX 65536u

/* What a meta page says of the rest. */
struct store_roots {
	uint32_t page_size; /* ≤ STORE_PAGE_MAX */
	uint64_t last_page;
	uint64_t free, tables; /* root pages; UINT64_MAX: there is none */
};

/* Reads both roots and the root of each table. ERR_UNSAFE: one is no page of
 * its kind. */
MUST_CHECK enum err store_pages_check(int fd, const struct store_roots *roots);

#endif
