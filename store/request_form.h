/* The bytes of a stored request and of a stored transaction.  Pure. */
#ifndef EGRESS_STORE_REQUEST_FORM_H
#define EGRESS_STORE_REQUEST_FORM_H

#include "store/requests.h"

#define REQUEST_FORM_MAX 1024 /* the longest outcome and body */
#define SENT_FORM_MAX	 (512 + 2 * REQUEST_BODY_MAX + (1 << 17))

/* seq: of its arrival. */
void request_form_write(const struct request *r, uint64_t seq, struct buf *b);
/* ERR_UNSAFE.  raw: only where the first form had it, and borrowed. */
MUST_CHECK enum err request_form_read(struct hash32 id, struct slice bytes,
				      struct request *ret, uint64_t *ret_seq);
void sent_form_write(const struct sent_tx *tx, struct buf *b);
/* key: the nonce.  ERR_UNSAFE */
MUST_CHECK enum err sent_form_read(struct slice key, struct slice value,
				   struct sent_tx *ret);

#endif
