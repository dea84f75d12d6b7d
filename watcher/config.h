/* watcher.yaml, read, checked and explained. */
#ifndef EGRESS_WATCHER_CONFIG_H
#define EGRESS_WATCHER_CONFIG_H

#include "sys/settings.h"
#include "watcher/limits.h"

enum vote_policy { VOTE_MANUAL, VOTE_AUTO };

struct watcher_standby {
	struct address address;
	char *probe; /* NULL: taken as ready */
};

struct watcher_config {
	struct settings shared; /* peers: other watchers */
	struct {
		uint64_t nodes_from; /* lowest height of nodes kept in memory */
	} ledger;
	uint64_t sla_ms; /* silence that we warn of; 0: the contract's alone */
	char *signer;	 /* socket; NULL: observer */
	struct address guardian;
	bool guardian_set;
	struct {
		int promote, open;    /* enum vote_policy */
		uint64_t hold_off_ms; /* time for a human to object */
	} vote;
	struct config_list standbys; /* of struct watcher_standby */
};

/* ERR_IO, ERR_INVALID: the line in error. Warnings are to be logged. */
MUST_CHECK enum err watcher_config_read(const char *path,
					struct watcher_config *ret,
					struct config **ret_owner,
					struct settings_warnings *ret_warnings,
					struct err_text *error);
const struct watcher_standby *
watcher_config_standby(const struct watcher_config *c, size_t i);

#endif
