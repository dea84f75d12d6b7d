/* The file under the store, before anything maps it.  LMDB 0.9.24 trusts its
 * pages: a cut file is a SIGBUS, so size and meta pages are read first. */
#ifndef EGRESS_STORE_STORE_FILE_H
#define EGRESS_STORE_STORE_FILE_H

#include "abi/err.h"
#include "abi/types.h"

/* Bytes of the file, and bytes that its newest meta page speaks of. */
struct store_extent {
	uint64_t have, want;
};

/* What to do about a store that is not whole. */
#define STORE_REMEDY                                                           \
	"restore it from a copy, or empty its folder and start anew"

/* ERR_NOT_FOUND: no such file; ERR_UNSAFE: not LMDB's, another version, cut
 * by more than loose pages explain, or without the pages that lead into its
 * tables; ERR_IO.  Why in error. */
MUST_CHECK enum err store_file_check(const char *path, struct store_extent *ret,
				     struct err_text *error);
/* Makes DIR when there is none. ERR_IO */
MUST_CHECK enum err store_file_make_dir(const char *dir,
					struct err_text *error);
/* DIR/lock by flock; the descriptor in ret. ERR_BUSY: another holds it. */
MUST_CHECK enum err store_file_lock(const char *dir, int *ret,
				    struct err_text *error);
/* DIR/.new emptied and there. */
MUST_CHECK enum err store_file_begin_new(const char *fresh,
					 struct err_text *error);
/* FRESH/data.mdb synced, renamed to DIR/data.mdb, both folders synced. */
MUST_CHECK enum err store_file_end_new(const char *fresh, const char *dir,
				       struct err_text *error);

#endif
