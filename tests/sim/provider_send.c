/* What a simulated endpoint does with a transaction that is sent to it. */
#include <assert.h>

#include "tests/sim/provider_inside.h"

void provider_estimate(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct sim_want want = {.is_raw = true};
	const char *why = "no such call";
	struct buf data;

	v->moves = true;
	buf_init(&data, 65536);
	json_bytes(&r, json_at(params, 0), "data", &data);
	assert(!r.failed);
	if (mempool_decode(v->c, buf_slice(&data), &want))
		why = chain_try(v->c, v->head, &want);
	if (why)
		provider_error(v, 3, "execution reverted");
	else
		json_put_quantity(&v->w, "result", 2 * SIM_TX_GAS);
	buf_done(&data);
}

void provider_send(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct hash32 hash = {{0}};
	const char *why = NULL;
	struct buf raw;

	v->moves = true;
	buf_init(&raw, 131072);
	json_bytes(&r, json_at(params, 0), NULL, &raw);
	assert(!r.failed);
	switch (mempool_add(v->pool, v->c, &v->c->blocks[v->head]->state,
			    buf_slice(&raw), &hash, &why)) {
	case SENT_OK:
		json_put_hash(&v->w, "result", hash);
		break;
	case SENT_KNOWN:
		provider_error(v, 1, "already known");
		break;
	case SENT_NONCE_LOW:
		provider_error(v, 1, "nonce too low");
		break;
	case SENT_BAD:
		provider_bad_send = why;
		provider_error(v, 1, "invalid transaction");
		break;
	}
	buf_done(&raw);
}
