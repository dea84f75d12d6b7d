/* The keys, in memory that is locked, never dumped and erased at the end. */
#ifndef EGRESS_SIGNER_KEYRING_H
#define EGRESS_SIGNER_KEYRING_H

#include "abi/key.h"
#include "signer/limits.h"

struct keyring;

/* NULL: no memory that can be locked. */
struct keyring *keyring_new(void);
void keyring_free(struct keyring *k); /* erases; NULL is legal */

/* Adds the key of a plain text file: 0x and 64 hex digits. expected: the
 * address that the configuration names, NULL: any. ERR_IO: cannot be read;
 * ERR_REFUSED: it is not its owner's alone (group or world have a right);
 * ERR_INVALID: no key, or another address's; ERR_CONFLICT: there already;
 * ERR_TOO_LARGE: SIGNER_KEYS_MAX. Why in error, never the key. */
MUST_CHECK enum err keyring_add_plain(struct keyring *k, const char *path,
				      const struct address *expected,
				      struct err_text *error);
size_t keyring_count(const struct keyring *k);
struct address keyring_address(const struct keyring *k, size_t i);
bool keyring_has(const struct keyring *k, struct address address);
/* ERR_NOT_FOUND: not our key. */
MUST_CHECK enum err keyring_sign(const struct keyring *k,
				 struct address address, struct hash32 digest,
				 struct signature *ret);

#endif
