/* What tests of relayer/ stand on: a store of its own with a relayer's tables,
 * and what submit told of its tasks. */
#ifndef EGRESS_TESTS_RELAYING_H
#define EGRESS_TESTS_RELAYING_H

#include "tests/unit/unit.h"

#include "relayer/parts.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

static struct task_news told;
static unsigned told_times;

static inline enum err on_news(void *ctx, struct turn *t,
			       const struct task_news *news)
{
	(void)ctx;
	(void)t;
	told = *news;
	told_times++;
	return OK;
}

/* The store, its requests and its nonces go into parts; txn may write. */
static inline void relaying_open(struct scratch *scratch, struct parts *parts,
				 struct store_txn **txn)
{
	struct store_identity id = {.chain_id = 1, .program = "relayer"};
	struct err_text error;

	*scratch = scratch_new();
	assert_int_equal(store_open(scratch_path(scratch, "db"), 16 << 20, &id,
				    &parts->store, &error),
			 OK);
	store_set_nosync(parts->store);
	assert_int_equal(store_begin(parts->store, true, txn), OK);
	assert_int_equal(requests_open(*txn, &parts->requests), OK);
	assert_int_equal(nonces_open(*txn, &parts->requests, &parts->nonces),
			 OK);
	told_times = 0;
}

static inline void relaying_close(struct scratch *scratch, struct parts *parts,
				  struct store_txn *txn)
{
	store_abort(txn);
	store_close(parts->store);
	scratch_remove(scratch->dir);
}

#endif
