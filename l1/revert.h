/* Why a call reverted.  Pure. */
#ifndef EGRESS_L1_REVERT_H
#define EGRESS_L1_REVERT_H

#include <stddef.h>

#include "abi/types.h"

/* A revert's name where the contracts' ABI knows its selector ("NotLate"),
 * else "0x…". For logs and refusals. */
const char *l1_revert_name(struct slice data, char *to, size_t size);

#endif
