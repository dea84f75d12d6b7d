/* signer.yaml, or the same things said on the command line. */
#ifndef EGRESS_SIGNER_CONFIG_H
#define EGRESS_SIGNER_CONFIG_H

#include <sys/types.h>

#include "abi/err.h"
#include "signer/keyring.h"
#include "signer/policy.h"
#include "sys/config.h"

struct signer_client_rule {
	uid_t uid;
	unsigned may; /* bit 1 << enum ask_kind */
};

struct signer_config {
	struct config *file; /* owns what is below; NULL: command line */
	char *listen;	     /* path of the socket */
	char *store;	     /* folder of the ballot ledger; NULL: none */
	int log_level;
	struct signer_client_rule clients[SIGNER_CLIENTS_MAX];
	size_t n_clients;
	struct policy policy;
};

/* Reads the file and its plain keys into keys. */
MUST_CHECK enum err signer_config_read(const char *path,
				       struct signer_config *ret,
				       struct keyring *keys,
				       struct err_text *error);
void signer_config_done(struct signer_config *c);
/* "ballot,statement" as bits of enum ask_kind; "deploy" is a transaction and
 * sets *ret_deploy. ERR_INVALID: another word. */
MUST_CHECK enum err signer_config_may(const char *words, unsigned *ret,
				      bool *ret_deploy);

#endif
