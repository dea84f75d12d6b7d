/* What a withdrawal and an exit have in common: a leaf, who is to be paid, a
 * key that signs, and a request that goes to a relayer or is printed. */
#ifndef EGRESS_CLI_ASKING_H
#define EGRESS_CLI_ASKING_H

#include "cli/request.h"
#include "cli/session.h"
#include "cli/sign.h"

struct asking {
	struct where where;
	struct sign_options sign;
	bool index_set, recipient_set;
	uint64_t index;
	struct address recipient;
	struct session session;
};

/* An argp child; its input is a struct asking *. It has the options of L1, of
 * a relayer and of a key, too. */
extern const struct argp asking_argp;
/* At ARGP_KEY_END: exits with 2 unless L1, the leaf, who is paid and a key are
 * there. */
void asking_need_all(struct argp_state *state, const struct asking *a);

/* CLI_OK: the ledger has this leaf; else told. */
int asking_leaf(const struct asking *a);
/* Signed by its key, under a policy that allows nothing else. */
int asking_sign(struct asking *a, const struct statement *statement,
		struct signature *ret);

#endif
