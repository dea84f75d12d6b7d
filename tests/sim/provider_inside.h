/* What the files of a simulated endpoint share. */
#ifndef EGRESS_SIM_PROVIDER_INSIDE_H
#define EGRESS_SIM_PROVIDER_INSIDE_H

#include "abi/json.h"
#include "tests/sim/provider.h"

#define LATER_S 10000 /* a lie about a time */

struct view { /* one batch's */
	struct sim_mempool *pool;
	const struct sim_chain *c;
	const struct sim_provider *p;
	unsigned head; /* as this provider tells it */
	struct json_writer w;
};

struct shown { /* a block as this provider tells it */
	bool known;
	unsigned block;
	struct hash32 hash;
	struct header header; /* bent by the lie */
};

/* The head that it tells of when it knows this one: perhaps one that it
 * forged. */
unsigned provider_head(struct sim_chain *c, struct sim_provider *p,
		       unsigned head);
/* A block by its hash, as this provider tells it. */
struct shown provider_show(const struct view *v, struct hash32 hash);
void provider_error(struct view *v, int code, const char *text);
/* The state at the block of an EIP-1898 parameter, bent by the lie; false: an
 * error was put. */
bool provider_state_at(struct view *v, const json_node *at,
		       struct sim_state *ret);

/* ---- the methods: each puts a result or an error ---- */
typedef void provider_method(struct view *v, const json_node *params);
provider_method provider_block, provider_storage, provider_call, provider_logs,
	provider_transaction, provider_receipt, provider_count,
	provider_estimate, provider_send;

#endif
