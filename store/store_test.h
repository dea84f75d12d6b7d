/* For tests and the simulator alone; no program includes this. */
#ifndef EGRESS_STORE_STORE_TEST_H
#define EGRESS_STORE_STORE_TEST_H

#include "store/store.h"

enum store_moment { STORE_BEFORE_COMMIT, STORE_AFTER_COMMIT };

/* Called at both moments of every commit; what it returns, if not OK, is what
 * the commit answers (before: without committing). */
typedef enum err store_hook(void *ctx, enum store_moment moment);
void store_set_hook(struct store *s, store_hook *hook, void *ctx);
/* No fsync: a power cut may now lose or corrupt everything. */
void store_set_nosync(struct store *s);

#endif
