/* Signing without holding a key: either a running egress-signer (--signer
 * SOCKET --as ADDRESS), or one started here on a socketpair (--key FILE). */
#ifndef EGRESS_CLI_SIGN_H
#define EGRESS_CLI_SIGN_H

#include <sys/types.h>

#include "cli/session.h"
#include "abi/ask.h"
#include "sys/signer_client.h"

struct sign_options {
	const char *key_file;
	const char *socket;
	struct address as;
	bool as_set;
};
/* An argp child: its input is a struct sign_options *. */
extern const struct argp sign_argp;

/* At ARGP_KEY_END: exits with 2 unless there is one key, and whose it is. */
void sign_need_key(struct argp_state *state, const struct sign_options *o);
bool sign_any(const struct sign_options *o); /* was any of them given? */

/* What a signer started here may be asked: the policy on its command line. */
struct sign_policy {
	const char
		*allow; /* "statement", "ballot", "transaction" or "deploy" */
	uint64_t chain_id;
	struct address hatch, rollup; /* zero: not needed */
	uint64_t round;		      /* ballots: seconds */
};

struct signing {
	struct signer_client *client;
	struct address address;
	pid_t child; /* 0: none */
};

/* Whose key it is; asks for no signature. CLI_OK, or told. */
int signing_address(const struct sign_options *options, struct address *ret);
/* who: of signing_address(). CLI_OK, or told; either way signing_close() is
 * due. */
int signing_open(struct signing *s, const struct sign_options *options,
		 struct address who, const struct sign_policy *policy);
void signing_close(struct signing *s);
/* Waits for the answer; a refusal is told in the signer's words. */
int signing_ask(struct signing *s, struct ask *ask, struct signature *ret);

#endif
