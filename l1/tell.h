/* What every daemon tells of its providers, once each: who lied, after what it
 * said is kept; who is on another chain; who has failed for a while; who is
 * back; whether L1 is in sight, and how it is known.  As in check.c the daemon
 * decides when, and these lines are its own. */
#ifndef EGRESS_L1_TELL_H
#define EGRESS_L1_TELL_H

#include "l1/outlook.h"

/* Keeps a record of abi/lie; *ret_id 0: there was no room. */
typedef enum err tell_keep(void *ctx, struct slice record, uint64_t *ret_id);
/* All that L1 has gathered; the first error ends it. */
MUST_CHECK enum err tell_kept(struct l1 *l1, tell_keep *keep, void *ctx);
struct tell { /* what was told; zero at first */
	bool looked, healthy;
	struct outlook outlook;
	struct {
		bool wrong, down;
		uint64_t fails_since_ms;
	} of[QUORUM_PROVIDERS_MAX];
};
/* After the commit.  follow_proofs: as in outlook.h. */
void tell_providers(struct tell *t, struct l1 *l1, const char *follow_proofs,
		    uint64_t now_ms);

#endif
