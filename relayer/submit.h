/* Brings tasks to L1: estimate, price, nonce and signature, store, broadcast,
 * and again until a final block has it.
 *
 * Crash-safe by order: the signed bytes are committed before they are sent,
 * and the same bytes go out again after a restart. */
#ifndef EGRESS_RELAYER_SUBMIT_H
#define EGRESS_RELAYER_SUBMIT_H

#include "l1/account.h"
#include "relayer/config.h"
#include "relayer/nonce.h"
#include "relayer/task.h"
#include "relayer/turn.h"
#include "sys/signer_client.h"

struct submit;

struct submit *submit_new(struct l1 *l1, struct signer_client *signer,
			  const struct relayer_config *config,
			  const struct nonces *nonces, submit_news *news,
			  void *ctx);
void submit_free(struct submit *s);
/* After a start: takes up what was stored and may not have been sent.
 * ERR_CONFLICT: it is another account's; what to do in error. */
MUST_CHECK enum err submit_load(struct submit *s, struct store_txn *txn,
				struct err_text *error);

enum want {
	WANT_TAKEN,  /* on its way now */
	WANT_FLYING, /* was already */
	WANT_HELD,   /* refused a moment ago: wait, or come with other data */
	WANT_FULL,   /* no place: the places for its kind are taken */
};
/* Takes task->data (also when it is not WANT_TAKEN). */
enum want submit_want(struct submit *s, const struct turn *t,
		      struct task *task);
bool submit_flying(const struct submit *s, struct hash32 key);
/* It flies, or was refused a moment ago whatever its data: spares building
 * the call. */
bool submit_waits(const struct submit *s, uint64_t now_ms, struct hash32 key);
/* In a block, and reverted there: nothing comes of it, final or not, but that a
 * reorg could try it again. */
bool submit_reverted(const struct submit *s, struct hash32 key);
/* Takes it back if the signer does not have it yet.  Nobody is told. */
void submit_forget(struct submit *s, struct hash32 key);
size_t submit_count(const struct submit *s, enum ask_purpose purpose);
/* Those not in a block yet. */
size_t submit_pending(const struct submit *s, enum ask_purpose purpose);
const struct account_state *submit_account(const struct submit *s); /* NULL */
const char *submit_trouble(const struct submit *s); /* "" or why it waits */

/* In this order each turn: what came back is stored and told; then others
 * decide; what is ready goes to the signer; and after the commit, what was
 * stored is started. */
MUST_CHECK enum err submit_write(struct submit *s, struct turn *t);
MUST_CHECK enum err submit_sign(struct submit *s, struct turn *t);
void submit_start(struct submit *s, struct turn *t);
/* clock_mono_ms() of the next thing to do by itself. */
uint64_t submit_next(const struct submit *s, uint64_t now_ms);

#endif
