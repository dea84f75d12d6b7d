/* Ballots and bundles: a ballot is a bundle of one.  formats.md BALLOT. */
#ifndef EGRESS_ABI_BALLOT_H
#define EGRESS_ABI_BALLOT_H

#include "abi/json.h"
#include "abi/key.h"
#include "abi/text_form.h"
#include "abi/typed.h"

#define BUNDLE_MAX	32 /* MAX_KEYS: guardians of one hatch */
#define BALLOT_TEXT_MAX 4096
#define BALLOT_FIXED	(8 + 20 + 1 + 8 + 8 + 32 + 8 + 1)

struct bundle {
	struct vote vote;
	size_t n;
	struct signature signatures[BUNDLE_MAX];
	struct address signers[BUNDLE_MAX]; /* recovered, ascending, distinct */
};

/* Recovers the signer, inserts in order. ERR_CONFLICT: already there,
 * ERR_TOO_LARGE: full, ERR_INVALID: bad signature. */
MUST_CHECK enum err bundle_add(struct bundle *b, const struct signature *s);
/* The contract's argument: n × 65 bytes. */
void bundle_signatures(const struct bundle *b, struct buf *to);
/* All three forms are decoded strictly and every signature recovered;
 * unsorted, duplicate, high-s: ERR_INVALID, why in error. */
void bundle_encode(const struct bundle *b, struct buf *to);
MUST_CHECK enum err bundle_decode(struct slice bytes, struct bundle *ret,
				  struct err_text *error);
void bundle_text(const struct bundle *b, struct buf *to); /* egress-ballot1:… */
MUST_CHECK enum err bundle_parse_text(struct slice text, struct bundle *ret,
				      struct err_text *error);
void bundle_json(const struct bundle *b, struct json_writer *w,
		 const char *key);
MUST_CHECK enum err bundle_parse_json(const json_node *o, struct bundle *ret,
				      struct err_text *error);

/* Arithmetic of rounds (protocol.md "Ballots"). */
/* valid while expiry − 3·round < now ≤ expiry, expiry a multiple of round */
bool ballot_fast_alive(uint64_t expiry, uint64_t round, uint64_t now);
/* E: the first multiple of round at or after now + round */
uint64_t ballot_expiry(uint64_t now, uint64_t round);

#endif
