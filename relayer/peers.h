/* The watchers a relayer is told of.  They hold the ledger and the ballots;
 * whatever they say is checked by the caller before use, and one that answers
 * wrong is passed over for a while. */
#ifndef EGRESS_RELAYER_PEERS_H
#define EGRESS_RELAYER_PEERS_H

#include "abi/json.h"
#include "http/client.h"
#include "sys/settings.h"

struct peers;

struct peer_answer {
	enum err err; /* OK; ERR_NOT_FOUND: 404; ERR_IO: no sense in it */
	size_t peer;  /* who */
	const json_node *root; /* OK: borrowed during the callback */
};
typedef void peers_got(void *ctx, const struct peer_answer *answer);

/* what: "watcher", for the log; urls: of char *, borrowed. */
struct peers *peers_new(struct http_client *http, const char *what,
			const struct config_list *urls);
void peers_free(struct peers *p); /* without calling back */
size_t peers_count(const struct peers *p);
const char *peers_url(const struct peers *p, size_t peer);
/* Asks one that is not passed over, in turn. ERR_BUSY: PEER_ASKS_MAX in
 * flight; ERR_NOT_FOUND: all are passed over. */
MUST_CHECK enum err peers_ask(struct peers *p, const char *path,
			      uint64_t now_ms, peers_got *got, void *ctx);
/* Asks this one. ERR_BUSY; ERR_NOT_FOUND: it is passed over. */
MUST_CHECK enum err peers_ask_one(struct peers *p, size_t peer,
				  const char *path, uint64_t now_ms,
				  peers_got *got, void *ctx);
/* It answered wrong: not asked again for PEER_BLAME_MS. Logged. */
void peers_blame(struct peers *p, size_t peer, uint64_t now_ms,
		 const char *why);
/* How many are not passed over. */
size_t peers_usable(const struct peers *p, uint64_t now_ms);

#endif
