/* Pulls the ballots that other watchers know.  Peers are not trusted: every
 * signature is recovered, and whoever takes the bundles judges them. */
#ifndef EGRESS_WATCHER_GOSSIP_H
#define EGRESS_WATCHER_GOSSIP_H

#include "http/client.h"
#include "sys/settings.h"
#include "watcher/pool.h"

struct gossip_peer {
	struct gossip *gossip;
	char *url; /* …/v1/ballots */
	bool in_flight, down;
	uint64_t next_ms;
	struct hash32 seen; /* keccak256 of the last body that was read */
};

struct gossip {
	struct http_client *http; /* borrowed */
	const struct pool *pool;  /* what is known needs no recovery */
	size_t n;
	struct gossip_peer peers[SETTINGS_PEERS_MAX];
	size_t n_found;
	struct bundle found[GOSSIP_BATCH_MAX];
};

MUST_CHECK enum err gossip_init(struct gossip *g, const struct settings *s,
				struct http_client *http,
				const struct pool *pool);
void gossip_done(struct gossip *g);
/* What was read and refused may be taken now: every list is read again. */
void gossip_again(struct gossip *g);
/* Starts what is due, every interval_ms a peer; returns the next time. */
uint64_t gossip_turn(struct gossip *g, uint64_t now_mono_ms,
		     uint64_t interval_ms);

#endif
