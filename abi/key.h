/* secp256k1: the only module that includes its headers. */
#ifndef EGRESS_ABI_KEY_H
#define EGRESS_ABI_KEY_H

#include "abi/err.h"
#include "abi/types.h"

struct key_secret {
	uint8_t b[32];
};

/* ERR_INVALID: zero or not below the curve's order. */
MUST_CHECK enum err key_address(const struct key_secret *secret,
				struct address *ret);
/* RFC 6979, low s, v 27 or 28; recovers its own result before returning. */
MUST_CHECK enum err key_sign(const struct key_secret *secret,
			     struct hash32 digest, struct signature *ret);
/* ERR_INVALID: v not 27 or 28, s above half the order, or no such point.
 * The same verdict as the contracts'. */
MUST_CHECK enum err key_recover(struct hash32 digest,
				const struct signature *signature,
				struct address *ret);
/* explicit_bzero */
void key_erase(struct key_secret *secret);

#endif
