/* The identity record, inside store/ only. */
#ifndef EGRESS_STORE_STORE_IDENTITY_H
#define EGRESS_STORE_STORE_IDENTITY_H

#include "store/store.h"

MUST_CHECK enum err store_identity_write(struct store *s,
					 const struct store_identity *id);
/* ERR_UNSAFE: none, another's, or one that does not read; which in error. */
MUST_CHECK enum err store_identity_check(struct store *s, const char *dir,
					 const struct store_identity *id,
					 struct err_text *error);

#endif
