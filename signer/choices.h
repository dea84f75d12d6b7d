/* The durable ledger of choices that ballots are checked against: made once,
 * on purpose, and never silently again.  A missing, foreign, cut or damaged
 * one refuses to sign ballots; it would allow a second, contradicting one. */
#ifndef EGRESS_SIGNER_CHOICES_H
#define EGRESS_SIGNER_CHOICES_H

#include "signer/keyring.h"
#include "signer/policy.h"
#include "store/ballots.h"

struct choices {
	struct store *store;
	struct ballots ballots;
};

/* Makes the ledger in dir for these keys, or finds that it stands for them
 * already (ret_made: which). ERR_BUSY, ERR_UNSAFE, ERR_IO, ERR_FULL; why in
 * error. */
MUST_CHECK enum err choices_init(const char *dir, const struct policy *policy,
				 const struct keyring *keys, bool *ret_made,
				 struct err_text *error);
/* Opens what choices_init() made, examined. ERR_BUSY: another process holds
 * it; ERR_UNSAFE: missing, damaged, or another guardian's. */
MUST_CHECK enum err choices_open(const char *dir, const struct policy *policy,
				 const struct keyring *keys,
				 struct choices *ret, struct err_text *error);
void choices_close(struct choices *c);

#endif
