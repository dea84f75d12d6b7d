/* What a node's refusal to list a range's logs says.  There is no standard
 * error: each provider has its own words, codes and limits.  Pure. */
#ifndef EGRESS_L1_TOO_MUCH_H
#define EGRESS_L1_TOO_MUCH_H

#include <stddef.h>

#include "abi/types.h"

struct too_much {
	bool yes;      /* fewer blocks, or fewer logs, would be answered */
	bool crowded;  /* it is about what the blocks hold, not how many */
	uint64_t span; /* blocks that it says it answers; 0: it does not say */
};

/* Of a JSON-RPC error, when it is no complaint about our rate. */
struct too_much too_much_read(int64_t code, const char *text);
/* So many logs are a limit, not a count: the list was cut. */
bool too_much_is_cut(size_t logs);

#endif
