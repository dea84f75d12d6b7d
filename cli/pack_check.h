/* Is a pack sound in itself, and was it true on L1? */
#ifndef EGRESS_CLI_PACK_CHECK_H
#define EGRESS_CLI_PACK_CHECK_H

#include "abi/pack.h"
#include "cli/session.h"

/* Every leaf leads to the root, and none stands there twice. ERR_INVALID:
 * which, in error. */
MUST_CHECK enum err pack_check(const struct pack *p, struct err_text *error);

/* Against an open session with the hatch's facts: the block is L1's own, and
 * what the pack says of it is what L1 says. file: for what is told. outdated:
 * it was true, and L1 has moved on; then facts are of now. CLI_OK, or told. */
int pack_against_l1(struct session *s, const struct where *where,
		    const char *file, const struct pack *p, bool *outdated);

#endif
