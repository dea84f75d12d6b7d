/* Logs, transactions and accounts as a simulated endpoint tells them. */
#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/words.h"
#include "tests/sim/provider_inside.h"

/* ---- logs and transactions ---- */

static void put_log(struct view *v, const struct shown *s,
		    const struct sim_tx *tx, size_t index)
{
	struct json_writer *w = &v->w;

	json_begin(w, NULL);
	json_put_address(w, "address", tx->emitter);
	json_begin_array(w, "topics");
	for (size_t i = 0; i < tx->n_topics; i++)
		json_put_hash(w, NULL, tx->topics[i]);
	json_end_array(w);
	json_put_hex(w, "data", tx->data.p, tx->data.len);
	json_put_hash(w, "blockHash", s->hash);
	json_put_hash(w, "transactionHash", tx->hash);
	json_put_quantity(w, "logIndex", index);
	json_put_bool(w, "removed", false);
	json_end(w);
}

static void put_invented(struct view *v, const struct shown *s)
{
	struct sim_tx tx = {.emitter = v->c->hatch, .n_topics = 4};
	const struct sim_state *state = &v->c->blocks[s->block]->state;
	struct buf data;

	tx.topics[0] = TOPIC_ESCAPEHATCH_PROMOTED;
	tx.topics[1] = typed_u64(state->epoch + 1);
	tx.topics[2] = typed_address(v->c->sequencers[0]);
	tx.topics[3] = typed_address(v->c->sequencers[1]);
	buf_init(&data, 64);
	abi_put_u64(&data, state->count);
	tx.data = data;
	put_log(v, s, &tx, 99);
	buf_done(&data);
}

/* Of the contracts and the events that were asked for. */
static bool is_wanted(const json_node *filter, const struct sim_tx *tx)
{
	struct json_reader r = {0};
	const json_node *addresses = json_array(&r, filter, "address");
	const json_node *topics = json_at(json_get(filter, "topics"), 0);
	bool address = false, topic = json_len(topics) == 0;

	for (size_t i = 0; i < json_len(addresses); i++)
		address |= address_eq(
			json_address(&r, json_at(addresses, i), NULL),
			tx->emitter);
	for (size_t i = 0; i < json_len(topics); i++)
		topic |= hash_eq(json_hash(&r, json_at(topics, i), NULL),
				 tx->topics[0]);
	assert(!r.failed);
	return tx->has_log && address && topic;
}

void provider_logs(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct hash32 hash = json_hash(&r, json_at(params, 0), "blockHash");
	struct shown s = provider_show(v, hash);
	const struct sim_block *b;

	assert(!r.failed);
	if (!s.known) {
		provider_error(v, 1, "unknown block");
		return;
	}
	b = v->c->blocks[s.block];
	json_begin_array(&v->w, "result");
	for (size_t i = 0; i < b->n_txs && v->p->lie != LIE_NO_LOGS; i++)
		if (is_wanted(json_at(params, 0), &b->txs[i]))
			put_log(v, &s, &b->txs[i], i);
	if (v->p->lie == LIE_INVENTED_LOGS)
		put_invented(v, &s);
	json_end_array(&v->w);
}

static const struct sim_tx *find_tx(const struct view *v, struct hash32 hash,
				    unsigned *ret_block)
{
	/* the canonical one: after a reorg a transaction may stand elsewhere */
	for (unsigned at = v->head;; at = v->c->blocks[at]->parent) {
		const struct sim_block *b = v->c->blocks[at];

		for (size_t i = 0; i < b->n_txs; i++)
			if (hash_eq(b->txs[i].hash, hash)) {
				*ret_block = at;
				return &b->txs[i];
			}
		if (!at)
			return NULL;
	}
}

void provider_transaction(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct hash32 hash = json_hash(&r, json_at(params, 0), NULL);
	struct json_writer *w = &v->w;
	unsigned block = 0;
	const struct sim_tx *tx = find_tx(v, hash, &block);

	assert(!r.failed);
	if (!tx && mempool_has(v->pool, hash) && v->p->lie != LIE_NULLS) {
		json_begin(w, "result");
		json_put_hash(w, "hash", hash);
		json_put_null(w, "blockHash");
		json_end(w);
		return;
	}
	if (!tx || v->p->lie == LIE_NULLS) {
		json_put_null(w, "result");
		return;
	}
	json_begin(w, "result");
	json_put_hash(w, "hash", hash);
	json_put_hash(w, "blockHash", v->c->blocks[block]->ref.hash);
	json_put_address(w, "from", tx->from);
	json_put_address(w, "to", tx->to);
	if (v->p->lie == LIE_OTHER_INPUT && tx->input.len > 40)
		json_put_hex(w, "input", tx->input.p, 36);
	else
		json_put_hex(w, "input", tx->input.p, tx->input.len);
	json_end(w);
}

/* ---- accounts ---- */

void provider_receipt(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct hash32 hash = json_hash(&r, json_at(params, 0), NULL);
	struct json_writer *w = &v->w;
	unsigned block = 0;
	const struct sim_tx *tx = find_tx(v, hash, &block);

	assert(!r.failed);
	if (!tx || v->p->lie == LIE_NULLS) {
		json_put_null(w, "result");
		return;
	}
	json_begin(w, "result");
	json_put_hash(w, "transactionHash", hash);
	json_put_quantity(w, "status", !tx->reverted);
	json_put_quantity(w, "blockNumber", v->c->blocks[block]->ref.number);
	json_put_hash(w, "blockHash", v->c->blocks[block]->ref.hash);
	json_put_quantity(w, "gasUsed", 50000);
	json_put_quantity(w, "effectiveGasPrice", 8);
	json_end(w);
}

void provider_count(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct address a = json_address(&r, json_at(params, 0), NULL);
	struct sim_state s;

	assert(!r.failed);
	if (!provider_state_at(v, json_at(params, 1), &s))
		return;
	for (unsigned i = 0; i < SIM_RELAYERS; i++)
		if (address_eq(a, v->c->relayers[i])) {
			json_put_quantity(&v->w, "result", s.nonces[i]);
			return;
		}
	json_put_quantity(&v->w, "result", 0);
}

void provider_estimate(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct sim_want want = {0};
	const char *why = "no such call";
	struct buf data;

	buf_init(&data, 65536);
	json_bytes(&r, json_at(params, 0), "data", &data);
	assert(!r.failed);
	if (mempool_decode(v->c, buf_slice(&data), &want))
		why = chain_try((struct sim_chain *)v->c, v->head, &want);
	if (why)
		provider_error(v, 3, "execution reverted");
	else
		json_put_quantity(&v->w, "result", 100000);
	buf_done(&data);
}

void provider_send(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct hash32 hash = {{0}};
	const char *why = NULL;
	struct buf raw;

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
