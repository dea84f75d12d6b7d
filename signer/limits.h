/* Every limit of the signer, with its reason. */
#ifndef EGRESS_SIGNER_LIMITS_H
#define EGRESS_SIGNER_LIMITS_H

#include <sys/un.h>

#define SIGNER_KEYS_MAX	    16	/* one process serves one institution */
#define SIGNER_CLIENTS_MAX  16	/* lines of `clients` in the config */
#define SIGNER_CONNECTIONS  32	/* daemons and operators at once */
#define SIGNER_STANDBYS_MAX 32	/* MAX_KEYS of the contracts */
#define SIGNER_KEY_FILE_MAX 128 /* bytes: 0x, 64 digits, white space */
#define SIGNER_MAP_SIZE	    (64ULL << 20) /* 97-byte choices: 400,000 */

/* Bytes of the socket's path: unix(7), less the NUL. */
#define SIGNER_LISTEN_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* EIP-7825: "a transaction over 16,777,216 gas is invalid" */
#define SIGNER_GAS_MAX 16777216

#endif
