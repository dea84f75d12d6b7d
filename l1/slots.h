/* Storage words of a contract at a block's hash: proved by one provider's
 * eth_getProof against the header's stateRoot, else eth_getStorageAt under
 * quorum.  l1_view.proofs says which. */
#ifndef EGRESS_L1_SLOTS_H
#define EGRESS_L1_SLOTS_H

#include "l1/l1.h"

#define L1_SLOTS_MAX 256 /* of one read */

/* words: NULL unless OK; as the slots were given, during the call.  err:
 * ERR_IO, ERR_CONFLICT (of a quorum that must do), ERR_BUSY. */
typedef void l1_slots_done(void *ctx, enum err err, const char *why,
			   const struct hash32 *words, size_t n);
/* 1 ≤ n ≤ L1_SLOTS_MAX.  ERR_BUSY: too many asks; ERR_TOO_LARGE. */
MUST_CHECK enum err l1_slots(struct l1 *l1, struct address at,
			     const struct hash32 *slots, size_t n,
			     struct hash32 block, l1_slots_done *done,
			     void *ctx);

#endif
