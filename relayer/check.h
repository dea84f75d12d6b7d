/* --check: the configuration against the world, before it matters. */
#ifndef EGRESS_RELAYER_CHECK_H
#define EGRESS_RELAYER_CHECK_H

#include "relayer/config.h"

/* Reaches L1, the contract and the signer; signs nothing. Why not, in error:
 * one line. Warnings are logged. */
MUST_CHECK enum err check_world(const struct relayer_config *config,
				struct err_text *error);

#endif
