/* The hatch as a citizen sees it: what a watcher's STATUS says, or what L1
 * itself says, in one shape. */
#ifndef EGRESS_CLI_SITUATION_H
#define EGRESS_CLI_SITUATION_H

#include "abi/json.h"
#include "cli/common.h"
#include "l1/phase.h"

#define SITUATION_VOTES_MAX  64
#define SITUATION_ALERTS_MAX 32
#define SITUATION_L1_MAX     16

struct situation_text {
	char s[256];
};

struct situation_vote {
	enum vote_action action;
	struct hash32 subject;
	size_t n;
	struct address signed_by[HATCH_KEYS_MAX];
	uint64_t needed;
};

struct situation_standby {
	struct address address;
	bool told, ready; /* told: by a watcher; L1 does not know */
	struct situation_text why;
};

struct situation_alert {
	char id[32];
	uint64_t since;
	struct situation_text text;
};

struct situation_provider {
	char name[64], state[16];
	struct situation_text why;
};

struct situation_l1 {	    /* how L1 is seen */
	uint64_t head, age; /* age: seconds by the clock of who looks */
	uint64_t lag;	    /* of the block acted on behind it, by L1's time */
	uint64_t agree, quorum; /* weights */
	struct situation_text headers, proofs, follow_proofs, clock, depth_why;
};

struct situation {
	uint64_t chain_id;
	struct address hatch;
	enum phase phase;
	struct situation_text why;
	uint64_t block, time; /* as of; unix seconds of L1 */
	char depth[32];
	bool facts; /* false: L1 could not be read; what follows is zero */
	uint64_t count, last_at, epoch;
	struct phase_deadlines deadlines;
	uint64_t oldest_request;
	struct address active;
	size_t n_standbys;
	struct situation_standby standbys[HATCH_KEYS_MAX];
	struct hash32 root;
	uint64_t batch, leaf_count;
	bool votes_told; /* by a watcher: L1 has no list of them */
	size_t n_votes;
	struct situation_vote votes[SITUATION_VOTES_MAX];
	bool l1_healthy;
	struct situation_text l1_why;
	struct situation_l1 l1;
	size_t n_providers;
	struct situation_provider providers[SITUATION_L1_MAX];
	size_t n_alerts;
	struct situation_alert alerts[SITUATION_ALERTS_MAX];
};

/* Reads STATUS (formats.md). Failure: in r. */
void situation_of_status(struct json_reader *r, const json_node *o,
			 struct situation *ret);
/* From facts, at their own block's time. */
void situation_of_facts(const struct hatch_facts *facts,
			const struct l1_view *l1, uint64_t chain_id,
			struct situation *ret);
/* STATUS, as far as L1 knows it. */
void situation_json(const struct situation *s, const struct l1_view *l1,
		    struct json_writer *w);
/* The lines for a human. */
void situation_print(const struct situation *s);

#endif
