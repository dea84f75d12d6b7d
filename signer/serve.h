/* The socket: who asks, one packet in, one packet out. */
#ifndef EGRESS_SIGNER_SERVE_H
#define EGRESS_SIGNER_SERVE_H

#include "signer/config.h"
#include "signer/signer.h"

/* Listens at c->listen (mode 0660; a stale socket is replaced while
 * LISTEN.lock is held). ERR_BUSY: another signer listens there; ERR_IO. */
MUST_CHECK enum err serve_listen(const char *path, int *ret_fd,
				 int *ret_lock_fd, struct err_text *error);
/* A process that serve_listen() let listen at path still does. */
bool serve_taken(const char *path);
/* Answers until a signal on signal_fd. */
void serve_run(struct signer *signer, const struct signer_config *c,
	       int listen_fd, int signal_fd);
/* Answers one client on fd until it hangs up or a signal comes. */
void serve_one(struct signer *signer, unsigned may, int fd, int signal_fd);

#endif
