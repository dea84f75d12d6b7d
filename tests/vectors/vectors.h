/* The program that published vectors drive: a line in, a line out.
 *
 * In: a command and its arguments, one space between.  Out: the result, or
 * "refused" when our code says that the input is not of its form.  An empty
 * argument is written "-". */
#ifndef EGRESS_TESTS_VECTORS_H
#define EGRESS_TESTS_VECTORS_H

#include "abi/buf.h"
#include "abi/hex.h"
#include "abi/u256.h"

#define VECTORS_OUT_MAX	 (1 << 24)
#define VECTORS_ARGS_MAX 4096

struct vectors_command {
	const char *name; /* NULL ends a table */
	size_t min_args;
	/* Appends the result to out; false: refused. */
	bool (*run)(const struct slice *args, size_t n, struct buf *out);
};

extern const struct vectors_command vectors_foundation[];
extern const struct vectors_command vectors_abi[];
extern const struct vectors_command vectors_signing[];
extern const struct vectors_command vectors_ledger[];
extern const struct vectors_command vectors_logs[];
extern const struct vectors_command vectors_trie[];

#endif
