/* Transactions, receipts and logs as a simulated endpoint tells them. */
#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/hex.h"
#include "abi/words.h"
#include "tests/sim/provider_inside.h"

/* Where a transaction stands, as this provider tells it. */
struct place {
	struct shown in;
	size_t index;
	const struct sim_tx *tx; /* NULL: nowhere */
};

void provider_quantity(struct view *v, const char *key, struct u256 value)
{
	char text[2 + 64 + 1] = "0x";
	uint8_t be[32];
	size_t at = 0, n = 2;

	u256_to_be(value, be, sizeof(be));
	while (at < 63 && !(be[at / 2] >> (at % 2 ? 0 : 4) & 15))
		at++;
	for (; at < 64; at++)
		text[n++] =
			"0123456789abcdef"[be[at / 2] >> (at % 2 ? 0 : 4) & 15];
	json_put_string(&v->w, key, text);
}

/* ---- transactions ---- */

static void put_place(struct view *v, const struct shown *s, size_t index)
{
	json_put_hash(&v->w, "blockHash", s->hash);
	json_put_quantity(&v->w, "blockNumber", s->header.number);
	json_put_quantity(&v->w, "transactionIndex", index);
}

static void put_fields(struct view *v, const struct raw_tx *tx)
{
	struct json_writer *w = &v->w;
	struct slice input = tx->input;

	if (input.len > 40 && provider_lies(v, LIE_OTHER_INPUT))
		input.len = 36;
	json_put_quantity(w, "type", tx->type);
	json_put_quantity(w, "chainId", SIM_CHAIN_ID);
	json_put_quantity(w, "nonce", tx->nonce);
	provider_quantity(v, "maxPriorityFeePerGas", tx->max_tip);
	provider_quantity(v, "maxFeePerGas", tx->max_fee);
	json_put_quantity(w, "gasPrice", SIM_BASE_FEE + SIM_TIP);
	json_put_quantity(w, "gas", tx->gas);
	json_put_address(w, "to", tx->to);
	provider_quantity(v, "value", tx->value);
	json_put_hex(w, "input", input.p, input.len);
	json_begin_array(w, "accessList");
	json_end_array(w);
	provider_quantity(v, "v", tx->v);
	provider_quantity(v, "yParity", tx->v);
	provider_quantity(v, "r", tx->r);
	provider_quantity(v, "s", tx->s);
}

static struct raw_tx decoded(const struct sim_tx *tx)
{
	struct raw_tx raw = {0};
	bool fine = !raw_tx_decode(buf_slice(&tx->raw), &raw);

	assert(fine);
	return raw;
}

void provider_put_tx(struct view *v, const struct shown *s, size_t index)
{
	const struct sim_tx *tx = v->c->blocks[s->block]->txs[index];
	struct raw_tx raw = decoded(tx);

	json_begin(&v->w, NULL);
	json_put_hash(&v->w, "hash", tx->hash);
	json_put_address(&v->w, "from", tx->from);
	put_place(v, s, index);
	put_fields(v, &raw);
	json_end(&v->w);
}

/* The canonical one: after a reorg a transaction may stand elsewhere. */
static struct place find_tx(struct view *v, struct hash32 hash)
{
	struct place p = {.tx = NULL};

	for (unsigned at = v->head;; at = v->c->blocks[at]->parent) {
		const struct sim_block *b = v->c->blocks[at];

		for (p.index = 0; p.index < b->n_txs; p.index++) {
			if (!hash_eq(b->txs[p.index]->hash, hash))
				continue;
			p.in = provider_show(v, b->ref.hash);
			p.tx = b->txs[p.index];
			return p;
		}
		if (!at)
			return p;
	}
}

void provider_transaction(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct hash32 hash = json_hash(&r, json_at(params, 0), NULL);
	struct json_writer *w = &v->w;
	struct place p = find_tx(v, hash);
	struct raw_tx raw;

	assert(!r.failed);
	v->moves = true;
	if ((!p.tx && !mempool_has(v->pool, hash)) ||
	    provider_lies(v, LIE_NULLS)) {
		json_put_null(w, "result");
		return;
	}
	json_begin(w, "result");
	json_put_hash(w, "hash", hash);
	if (p.tx) {
		raw = decoded(p.tx);
		json_put_address(w, "from", p.tx->from);
		put_place(v, &p.in, p.index);
		put_fields(v, &raw);
	} else {
		json_put_null(w, "blockHash");
	}
	json_end(w);
}

/* ---- logs and receipts ---- */

static void put_log(struct view *v, const struct shown *s,
		    const struct sim_tx *tx, size_t tx_index, size_t index)
{
	struct json_writer *w = &v->w;
	uint8_t data[8192];

	assert(tx->data.len <= sizeof(data));
	memcpy(data, tx->data.p, tx->data.len);
	if (tx->data.len && provider_lies(v, LIE_LOG_CHANGED))
		data[tx->data.len / 2] ^= 1;
	json_begin(w, NULL);
	json_put_address(w, "address", tx->emitter);
	json_begin_array(w, "topics");
	for (size_t i = 0; i < tx->n_topics; i++)
		json_put_hash(w, NULL, tx->topics[i]);
	json_end_array(w);
	json_put_hex(w, "data", data, tx->data.len);
	put_place(v, s, tx_index);
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
	put_log(v, s, &tx, 9, 99);
	buf_done(&data);
}

static bool has_address(const json_node *filter, struct address a)
{
	struct json_reader r = {0};
	const json_node *list = json_get(filter, "address");
	bool found = !json_len(list);

	for (size_t i = 0; i < json_len(list); i++)
		found |=
			address_eq(json_address(&r, json_at(list, i), NULL), a);
	assert(!r.failed);
	return found;
}

/* Of the contracts and the events that were asked for. */
static bool is_wanted(const json_node *filter, const struct sim_tx *tx)
{
	struct json_reader r = {0};
	const json_node *topics = json_at(json_get(filter, "topics"), 0);
	bool topic = json_len(topics) == 0;

	for (size_t i = 0; i < json_len(topics); i++)
		topic |= hash_eq(json_hash(&r, json_at(topics, i), NULL),
				 tx->topics[0]);
	assert(!r.failed);
	return tx->has_log && topic && has_address(filter, tx->emitter);
}

static void put_logs(struct view *v, const struct shown *s,
		     const json_node *filter)
{
	const struct sim_block *b = v->c->blocks[s->block];
	bool none = b->n_txs && provider_lies(v, LIE_NO_LOGS);

	for (size_t i = 0, n = 0; i < b->n_txs; i++) {
		if (!none && is_wanted(filter, b->txs[i]))
			put_log(v, s, b->txs[i], i, n);
		n += b->txs[i]->has_log;
	}
	if (provider_lies(v, LIE_INVENTED_LOGS))
		put_invented(v, s);
}

static void put_range(struct view *v, const json_node *filter)
{
	struct json_reader r = {0};
	uint64_t from = json_quantity(&r, filter, "fromBlock");
	uint64_t to = json_quantity(&r, filter, "toBlock");
	struct shown s;

	assert(!r.failed);
	json_begin_array(&v->w, "result");
	for (uint64_t n = from; n <= to; n++) {
		s = provider_show_number(v, n);
		if (!s.known)
			break;
		put_logs(v, &s, filter);
	}
	json_end_array(&v->w);
}

void provider_logs(struct view *v, const json_node *params)
{
	const json_node *filter = json_at(params, 0);
	struct shown s;

	if (!json_has(filter, "blockHash")) {
		put_range(v, filter);
		return;
	}
	s = provider_at(v, filter);
	if (!s.known)
		return;
	json_begin_array(&v->w, "result");
	put_logs(v, &s, filter);
	json_end_array(&v->w);
}

/* Fields of an object that is begun. */
static void put_receipt(struct view *v, const struct shown *s, size_t index)
{
	const struct sim_block *b = v->c->blocks[s->block];
	const struct sim_tx *tx = b->txs[index];
	struct json_writer *w = &v->w;
	struct raw_tx raw = decoded(tx);
	size_t logs = 0;

	for (size_t i = 0; i < index; i++)
		logs += b->txs[i]->has_log;
	put_place(v, s, index);
	json_put_hash(w, "transactionHash", tx->hash);
	json_put_address(w, "from", tx->from);
	json_put_address(w, "to", raw.to);
	json_put_quantity(w, "type", raw.type);
	json_put_quantity(w, "status", !tx->reverted);
	json_put_quantity(w, "gasUsed", SIM_TX_GAS);
	json_put_quantity(w, "cumulativeGasUsed", SIM_TX_GAS * (index + 1));
	json_put_quantity(w, "effectiveGasPrice", SIM_BASE_FEE + SIM_TIP);
	json_begin_array(w, "logs");
	if (tx->has_log && !provider_lies(v, LIE_NO_LOGS))
		put_log(v, s, tx, index, logs);
	json_end_array(w);
}

static bool is_relayers(const struct sim_chain *c, const struct sim_tx *tx)
{
	for (unsigned i = 0; i < SIM_RELAYERS; i++)
		if (address_eq(tx->from, c->relayers[i]))
			return true;
	return false;
}

void provider_receipt(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct place p = find_tx(v, json_hash(&r, json_at(params, 0), NULL));

	assert(!r.failed);
	if (!p.tx || provider_lies(v, LIE_NULLS) ||
	    (v->p->lacks_others && !is_relayers(v->c, p.tx))) {
		json_put_null(&v->w, "result");
		return;
	}
	json_begin(&v->w, "result");
	put_receipt(v, &p.in, p.index);
	json_end(&v->w);
}

void provider_receipts(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct hash32 hash = json_hash(&r, json_at(params, 0), NULL);
	struct shown s = provider_show(v, hash);
	unsigned block = s.block;

	assert(!r.failed);
	if (!s.known || provider_lies(v, LIE_NULLS)) {
		json_put_null(&v->w, "result");
		return;
	}
	if (v->c->blocks[block]->n_txs && provider_lies(v, LIE_OTHER_RECEIPTS))
		s.block = provider_earlier(v, block, 1);
	json_begin_array(&v->w, "result");
	for (size_t i = 0; i < v->c->blocks[s.block]->n_txs; i++) {
		json_begin(&v->w, NULL);
		put_receipt(v, &s, i);
		json_end(&v->w);
	}
	json_end_array(&v->w);
}
