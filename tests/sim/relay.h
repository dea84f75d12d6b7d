/* A relayer behind a narrow door: its headers and the watcher's name some
 * things alike, so that no file includes both. */
#ifndef EGRESS_SIM_RELAY_H
#define EGRESS_SIM_RELAY_H

#include "http/client.h"
#include "store/store.h"
#include "sys/settings.h"

struct sim_relay;

/* Borrows shared (its peers are the watchers) and signer. */
MUST_CHECK enum err relay_new(const struct settings *shared,
			      struct address account, char *signer,
			      struct sim_relay **ret, struct err_text *error);
void relay_free(struct sim_relay *r); /* NULL is legal */
uint64_t relay_step(struct sim_relay *r, uint64_t now_ms);
const char *relay_fatal(const struct sim_relay *r); /* "" */
struct http_client *relay_http(struct sim_relay *r);
struct signer_client *relay_signer(struct sim_relay *r);
struct store *relay_store(struct sim_relay *r);

#endif
