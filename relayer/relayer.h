/* The relayer: one worker that turns.
 *
 * A turn takes up what came back, decides, commits once, and starts what was
 * committed.  It never waits: main does. */
#ifndef EGRESS_RELAYER_RELAYER_H
#define EGRESS_RELAYER_RELAYER_H

#include "http/client.h"
#include "relayer/config.h"
#include "relayer/intake.h"
#include "sys/signer_client.h"

struct relayer;

/* Borrows everything. ERR_UNSAFE, ERR_IO: why in error. */
MUST_CHECK enum err relayer_new(const struct relayer_config *config,
				struct http_client *http, struct l1 *l1,
				struct signer_client *signer,
				struct store *store, struct relayer **ret,
				struct err_text *error);
void relayer_free(struct relayer *r);
/* One turn; when to call again at the latest, in clock_mono_ms().
 * fatal() when the store fails. */
uint64_t relayer_step(struct relayer *r, uint64_t now_ms);
/* Readable when a citizen's request waits. */
int relayer_fd(const struct relayer *r);
struct intake *relayer_intake(const struct relayer *r);
/* "" or why it must not go on: a wrong chain, a contract that is no hatch. */
const char *relayer_verdict(const struct relayer *r);
/* Answers who still waits: before the server stops. */
void relayer_close(struct relayer *r);

#endif
