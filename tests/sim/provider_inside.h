/* What the files of a simulated endpoint share. */
#ifndef EGRESS_SIM_PROVIDER_INSIDE_H
#define EGRESS_SIM_PROVIDER_INSIDE_H

#include "abi/json.h"
#include "tests/sim/provider.h"
#include "tests/sim/state.h"

#define LATER_S 10000 /* a lie about a time */

struct view { /* one batch's */
	struct sim_mempool *pool;
	struct sim_chain *c;
	struct sim_provider *p;
	unsigned head; /* as this provider tells it */
	bool moves;    /* the answer may be another at the same head */
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
/* It tells that lie, and now is the moment: counted as played. */
bool provider_lies(struct view *v, enum sim_lie lie);
/* A block by its number or hash, as this provider tells it. */
struct shown provider_show_number(struct view *v, uint64_t number);
struct shown provider_show(struct view *v, struct hash32 hash);
void provider_error(struct view *v, int code, const char *text);
/* The block of an EIP-1898 parameter; unknown: an error was put. */
struct shown provider_at(struct view *v, const json_node *at);
/* A block before it, or the genesis: what a liar passes for it. */
unsigned provider_earlier(const struct view *v, unsigned block,
			  uint64_t blocks);
void provider_quantity(struct view *v, const char *key, struct u256 value);

/* ---- the methods: each puts a result or an error ---- */
typedef void provider_method(struct view *v, const json_node *params);
provider_method provider_block_by_number, provider_block_by_hash;
provider_method provider_storage, provider_proof, provider_code, provider_count,
	provider_balance;
provider_method provider_logs, provider_transaction, provider_receipt,
	provider_receipts;
provider_method provider_estimate, provider_send;

/* ---- provider_tx.c ---- */
void provider_put_tx(struct view *v, const struct shown *s, size_t index);

#endif
