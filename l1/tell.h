/* What every daemon does about providers that lied: what they said is kept, and
 * then it is told, once an expulsion; and when they are back.  As in check.c
 * the daemon decides when, and these lines are its own. */
#ifndef EGRESS_L1_TELL_H
#define EGRESS_L1_TELL_H

#include "l1/l1.h"

/* Keeps a record of abi/lie; *ret_id 0: there was no room. */
typedef enum err tell_keep(void *ctx, struct slice record, uint64_t *ret_id);
/* All that L1 has gathered; the first error ends it. */
MUST_CHECK enum err tell_kept(struct l1 *l1, tell_keep *keep, void *ctx);
/* After the commit. */
void tell_providers(struct l1 *l1);

#endif
