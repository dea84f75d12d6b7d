/* Where L1 and the daemons are: options, of which a command shows those that
 * it uses, and the checks that a wrong command line fails with status 2. */
#ifndef EGRESS_CLI_WHERE_H
#define EGRESS_CLI_WHERE_H

#include "cli/common.h"
#include "l1/quorum.h"

#define CLI_RPC_MAX QUORUM_PROVIDERS_MAX

struct where {
	const char *rpc; /* URLs, with commas between; each was checked */
	const char *watcher, *relayer;
	struct address hatch;
	bool hatch_set;
	uint64_t chain_id; /* 0: not given */
	uint64_t timeout_ms;
	bool json;
};
struct where where_defaults(void);

/* Argp children; the input of each is a struct where *. */
extern const struct argp where_l1;    /* --rpc --hatch --chain-id */
extern const struct argp where_place; /* --hatch --chain-id */
extern const struct argp where_chain; /* --rpc --chain-id */
extern const struct argp where_watcher, where_relayer;
extern const struct argp where_timeout, where_json;

/* At ARGP_KEY_INIT: gives each of children its input, `where` to those above
 * and `other` to the rest. */
void where_inputs(struct argp_state *state, const struct argp_child *children,
		  struct where *where, void *other);

/* At ARGP_KEY_END: exit with 2 when it is missing. */
void where_need_l1(struct argp_state *state, const struct where *where);
void where_need_watcher(struct argp_state *state, const struct where *where);
/* Exit with 2 when both were given. */
void where_not_both(struct argp_state *state, bool a, bool b, const char *text);

/* Is what `name` (a file, a URL) tells of this chain and hatch, as far as they
 * were given? CLI_OK, or told. */
int where_agrees(const struct where *where, const char *name, uint64_t chain_id,
		 struct address hatch);

#endif
