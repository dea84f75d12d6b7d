/* The daemons' side of the signer's socket: never blocks, one ask in flight,
 * the rest queued.  The simulator replaces signer_client.c. */
#ifndef EGRESS_SYS_SIGNER_CLIENT_H
#define EGRESS_SYS_SIGNER_CLIENT_H

#include <poll.h>
#include "abi/ask.h"

#define SIGNER_QUEUE_MAX  1024
#define SIGNER_TIMEOUT_MS 10000 /* unanswered: reconnect and ask again */
/* Unanswered: it is told as trouble.  To sign takes milliseconds, an HSM a
 * second. */
#define SIGNER_SLOW_MS 3000

struct signer_client;

/* err: OK, or ERR_IO after SIGNER_TIMEOUT_MS × 3 without an answer. */
typedef void signer_done(void *ctx, enum err err,
			 const struct ask_answer *answer);

/* path: an AF_UNIX SOCK_SEQPACKET socket. Connects lazily, with backoff. */
struct signer_client *signer_client_new(const char *path);
/* A connected descriptor (socketpair); takes ownership. */
struct signer_client *signer_client_new_fd(int fd);
void signer_client_free(struct signer_client *c);
/* Copies the ask. ERR_BUSY: SIGNER_QUEUE_MAX waiting. done is called from
 * signer_client_turn(), never from here. */
MUST_CHECK enum err signer_client_ask(struct signer_client *c,
				      const struct ask *ask, signer_done *done,
				      void *ctx);
/* Sends, receives, times out. Returns the clock_mono_ms() of its next
 * deadline, or UINT64_MAX. */
uint64_t signer_client_turn(struct signer_client *c, uint64_t now_mono_ms);
/* What to poll for; fd −1 when there is nothing. */
struct pollfd signer_client_pollfd(const struct signer_client *c);
/* "" while asks are answered, or before the first; else why not, until one
 * is: a hung signer takes connections. */
const char *signer_client_trouble(const struct signer_client *c);

#endif
