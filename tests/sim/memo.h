/* What follows from bytes alone is worked out once for all nodes. */
#ifndef EGRESS_SIM_MEMO_H
#define EGRESS_SIM_MEMO_H

#include "abi/types.h"

/* Tells unequal bytes apart, mostly. */
uint64_t bytes_sum(struct slice bytes);

#endif
