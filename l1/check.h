/* What every daemon's --check asks of the world.  Waits; nothing is changed and
 * nothing is signed. */
#ifndef EGRESS_L1_CHECK_H
#define EGRESS_L1_CHECK_H

#include "abi/ask.h"
#include "l1/hatch.h"
#include "l1/l1.h"

/* The hatch at the block acted on, or at the head if it was deployed just now.
 * Warns of every provider that is of no use, and of a hard deadline that an
 * outage of L1 could exceed.  Why not in error. */
MUST_CHECK enum err check_hatch(struct l1 *l1, const struct settings *settings,
				uint64_t timeout_ms, struct hatch_facts *ret,
				struct err_text *error);
/* Whether the signer at that socket answers and has ask->key: `ask` is one that
 * no policy may sign. `field`: where the configuration names the key.
 * ERR_INVALID, ERR_IO, ERR_REFUSED: why in error. */
MUST_CHECK enum err check_signer(const char *socket, const struct ask *ask,
				 uint64_t timeout_ms, const char *field,
				 struct err_text *error);

#endif
