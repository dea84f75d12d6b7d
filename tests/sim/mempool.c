#include "tests/sim/mempool.h"

#include "abi/contracts_tables.h"
#include "abi/keccak.h"
#include "abi/tx.h"
#include "abi/words.h"

static bool read_signatures(struct slice bytes, struct bundle *to)
{
	if (bytes.len % 65 || bytes.len / 65 > BUNDLE_MAX)
		return false;
	for (; to->n < bytes.len / 65; to->n++)
		memcpy(to->signatures[to->n].b, bytes.p + 65 * to->n, 65);
	return true;
}

bool mempool_decode(const struct sim_chain *c, struct slice data,
		    struct sim_want *ret)
{
	struct abi_reader r;
	struct address standby;
	uint32_t selector;

	if (data.len < 4)
		return false;
	selector = (uint32_t)get_be(data.p, 4);
	r = abi_reader(slice_of(data.p + 4, data.len - 4));
	if (selector == SEL_ESCAPEHATCH_OPEN_AFTER_DEADLINE) {
		ret->call = CALL_OPEN_DEADLINE;
		return data.len == 4;
	}
	if (selector == SEL_ESCAPEHATCH_PROMOTE) {
		ret->call = CALL_PROMOTE;
		standby = abi_address(&r);
		while (ret->sequencer < SIM_SEQUENCERS &&
		       !address_eq(c->sequencers[ret->sequencer], standby))
			ret->sequencer++;
		if (ret->sequencer == SIM_SEQUENCERS)
			return false;
	} else if (selector == SEL_ESCAPEHATCH_OPEN) {
		ret->call = CALL_OPEN;
		if (abi_bytes(&r, 4096).len)
			return false;
	} else {
		return false;
	}
	ret->bundle.vote.expiry = abi_u64(&r, 64);
	return read_signatures(abi_bytes(&r, 65 * BUNDLE_MAX), &ret->bundle) &&
	       !r.failed;
}

static unsigned relayer_of(const struct sim_chain *c, struct address sender)
{
	unsigned i = 0;

	while (i < SIM_RELAYERS && !address_eq(c->relayers[i], sender))
		i++;
	return i;
}

static struct hash32 payload_of(const struct tx *tx)
{
	struct hash32 parts[2] = {{{0}}};

	memcpy(parts[0].b, tx->to.b, sizeof(tx->to.b));
	parts[1] = keccak256(tx->data.p, tx->data.len);
	return keccak256(parts, sizeof(parts));
}

/* A nonce that L1 may have seen is never given another payload: whoever mines
 * the first of the two decides. */
static const char *look(const struct sim_mempool *m,
			const struct sim_pooled *new)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct sim_want *w = &m->txs[i].want;

		if (w->relayer == new->want.relayer &&
		    w->nonce == new->want.nonce &&
		    !hash_eq(m->txs[i].payload, new->payload))
			return "I8: another payload for a nonce that was "
			       "broadcast";
	}
	return NULL;
}

enum sim_sent mempool_add(struct sim_mempool *m, const struct sim_chain *c,
			  const struct sim_state *at, struct slice raw,
			  struct hash32 *ret_hash, const char **ret_why)
{
	struct sim_pooled p = {.want = {.is_raw = true}};
	struct signature signature;
	struct address sender;
	struct tx tx;

	*ret_why = "a broadcast that is no transaction of a relayer's";
	if (tx_decode_signed(raw, &tx, &signature, &sender))
		return SENT_BAD;
	p.want.relayer = relayer_of(c, sender);
	*ret_hash = p.hash = tx_hash(raw);
	p.want.nonce = tx.nonce;
	p.payload = payload_of(&tx);
	if (p.want.relayer == SIM_RELAYERS || tx.chain_id != SIM_CHAIN_ID)
		return SENT_BAD;
	if (mempool_has(m, p.hash))
		return SENT_KNOWN;
	if (tx.nonce < at->nonces[p.want.relayer])
		return SENT_NONCE_LOW;
	/* to oneself: only to fill a nonce */
	p.want.idle = address_eq(tx.to, sender);
	*ret_why = "a transaction to somebody else, or of an unknown call";
	if (!p.want.idle && (!address_eq(tx.to, c->hatch) ||
			     !mempool_decode(c, tx.data, &p.want)))
		return SENT_BAD;
	*ret_why = look(m, &p);
	if (*ret_why && !p.want.idle)
		return SENT_BAD;
	if (m->n == SIM_POOL)
		return SENT_OK;
	buf_init(&p.raw, raw.len);
	buf_add_slice(&p.raw, raw);
	p.want.raw = buf_slice(&p.raw);
	m->txs[m->n++] = p;
	return SENT_OK;
}

void mempool_done(struct sim_mempool *m)
{
	while (m->n)
		buf_done(&m->txs[--m->n].raw);
}

bool mempool_has(const struct sim_mempool *m, struct hash32 hash)
{
	for (size_t i = 0; i < m->n; i++)
		if (hash_eq(m->txs[i].hash, hash))
			return true;
	return false;
}

size_t mempool_pick(const struct sim_mempool *m, const struct sim_state *at,
		    struct sim_want *wants, size_t n, size_t max)
{
	for (unsigned r = 0; r < SIM_RELAYERS; r++) {
		uint64_t nonce = at->nonces[r];

		/* the newest of one nonce pays the most */
		for (size_t i = m->n; i-- > 0 && n < max;) {
			const struct sim_want *w = &m->txs[i].want;

			if (w->relayer != r || w->nonce != nonce)
				continue;
			wants[n++] = *w;
			nonce++;
			i = m->n;
		}
	}
	return n;
}
