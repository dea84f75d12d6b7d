/* Storage, calls, accounts and their proofs as a simulated endpoint tells
 * them. */
#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/keccak.h"
#include "abi/words.h"
#include "tests/sim/provider_inside.h"

#define OLD_BLOCKS 20
#define KEYS_MAX   96

void provider_error(struct view *v, int code, const char *text)
{
	struct json_writer *w = &v->w;

	json_begin(w, "error");
	json_put_u64(w, "code", (uint64_t)code);
	json_put_string(w, "message", text);
	json_end(w);
}

struct shown provider_at(struct view *v, const json_node *at)
{
	struct json_reader r = {0};
	struct shown s = provider_show(v, json_hash(&r, at, "blockHash"));

	assert(!r.failed);
	if (!s.known)
		provider_error(v, 1, "header not found");
	return s;
}

/* ---- state, bent by the lie ---- */

static bool bends(enum sim_lie lie)
{
	return lie == LIE_LAST_COMMIT_LONG_AGO || lie == LIE_LAST_COMMIT_NOW ||
	       lie == LIE_OTHER_STANDBYS || lie == LIE_OTHER_NONCE;
}

static void bend(const struct view *v, uint64_t time, struct sim_state *s)
{
	unsigned first = s->standbys[0];

	if (v->p->lie == LIE_LAST_COMMIT_LONG_AGO && s->last_at > LATER_S)
		s->last_at -= LATER_S;
	if (v->p->lie == LIE_LAST_COMMIT_NOW)
		s->last_at = time;
	if (v->p->lie == LIE_OTHER_STANDBYS && s->n_standbys > 1) {
		s->standbys[0] = s->standbys[1];
		s->standbys[1] = first;
	}
	for (unsigned i = 0; v->p->lie == LIE_OTHER_NONCE && i < SIM_RELAYERS;
	     i++)
		s->nonces[i]++;
}

/* What it shows at a block; *ret_block: whose state that is. */
static const struct sim_tries *tries_at(struct view *v, const struct shown *at,
					struct sim_state *ret)
{
	const struct sim_block *b = v->c->blocks[at->block];

	if (provider_lies(v, LIE_OLD_STATE))
		b = v->c->blocks[provider_earlier(v, at->block, OLD_BLOCKS)];
	*ret = b->state;
	if (!bends(v->p->lie))
		return b->tries;
	v->p->played = true;
	bend(v, at->header.time, ret);
	return state_tries(v->c, ret, b->tries);
}

static enum sim_contract contract_at(const struct view *v, struct address at)
{
	return address_eq(at, v->c->hatch) ? SIM_HATCH : SIM_ROLLUP;
}

void provider_storage(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct address at = json_address(&r, json_at(params, 0), NULL);
	struct hash32 slot = json_hash(&r, json_at(params, 1), NULL), word;
	struct shown shown = provider_at(v, json_at(params, 2));
	struct sim_state s;

	assert(!r.failed);
	if (!shown.known)
		return;
	word = state_word(tries_at(v, &shown, &s), contract_at(v, at), slot);
	if (provider_lies(v, LIE_RANDOM_WORDS))
		word = keccak256(word.b, sizeof(word.b));
	if (provider_lies(v, LIE_EMPTY_WORDS))
		word = (struct hash32){{0}};
	json_put_hash(&v->w, "result", word);
}

/* ---- accounts ---- */

/* The place in the chain's accounts, or SIM_ACCOUNTS. */
static unsigned account_of(const struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct address a = json_address(&r, json_at(params, 0), NULL);
	unsigned i = 0;

	assert(!r.failed);
	while (i < SIM_ACCOUNTS && !address_eq(a, v->c->accounts[i]))
		i++;
	return i;
}

void provider_count(struct view *v, const json_node *params)
{
	struct shown shown = provider_at(v, json_at(params, 1));
	unsigned account = account_of(v, params);
	struct sim_state s;

	if (!shown.known)
		return;
	(void)tries_at(v, &shown, &s);
	json_put_quantity(&v->w, "result",
			  account < SIM_ACCOUNTS ? s.nonces[account] : 0);
}

void provider_balance(struct view *v, const json_node *params)
{
	struct shown shown = provider_at(v, json_at(params, 1));

	if (shown.known)
		json_put_quantity(&v->w, "result",
				  account_of(v, params) < SIM_ACCOUNTS
					  ? STATE_BALANCE
					  : 0);
}

void provider_code(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct address a = json_address(&r, json_at(params, 0), NULL);
	struct shown shown = provider_at(v, json_at(params, 1));
	struct slice code = {0};

	assert(!r.failed);
	if (!shown.known)
		return;
	if (address_eq(a, v->c->judge))
		code = buf_slice(&v->c->codes[SIM_JUDGE]);
	else if (address_eq(a, v->c->hatch) || address_eq(a, v->c->rollup))
		code = buf_slice(&v->c->codes[contract_at(v, a)]);
	if (provider_lies(v, LIE_OTHER_CODE))
		code = slice_of("\xfe", 1);
	json_put_hex(&v->w, "result", code.p, code.len);
}

/* ---- proofs ---- */

/* A proof's nodes; the last byte is another where that lie is told: an
 * account's last bytes are its code's hash. */
static void put_nodes(struct view *v, const char *key,
		      const struct sim_trie *trie, struct hash32 path,
		      enum sim_lie lie)
{
	struct slice nodes[SIM_TRIE_DEPTH];
	size_t n = sim_trie_prove(trie, path, nodes);
	uint8_t copy[1024];

	json_begin_array(&v->w, key);
	if (provider_lies(v, LIE_CUT_PROOF) && n)
		n--;
	for (size_t i = 0; i < n; i++) {
		bool last = i == n - 1 && nodes[i].len <= sizeof(copy);

		if (last && lie && provider_lies(v, lie)) {
			memcpy(copy, nodes[i].p, nodes[i].len);
			copy[nodes[i].len - 1] ^= 1;
			nodes[i].p = copy;
		}
		json_put_hex(&v->w, NULL, nodes[i].p, nodes[i].len);
	}
	json_end_array(&v->w);
}

static void put_slots(struct view *v, const struct sim_storage *in,
		      const json_node *keys)
{
	struct json_reader r = {0};
	size_t n = json_len(keys);

	assert(n <= KEYS_MAX);
	json_begin_array(&v->w, "storageProof");
	for (size_t i = 0; i < n; i++) {
		size_t at = provider_lies(v, LIE_PROOF_OF_OTHER_SLOT)
				    ? (i + 1) % n
				    : i;
		struct hash32 slot = json_hash(&r, json_at(keys, i), NULL);
		struct hash32 shown = json_hash(&r, json_at(keys, at), NULL);

		json_begin(&v->w, NULL);
		json_put_hash(&v->w, "key", slot);
		put_nodes(v, "proof", &in->trie, state_slot_path(shown),
			  i ? LIE_NONE : LIE_FORGED_PROOF);
		json_end(&v->w);
	}
	json_end_array(&v->w);
	assert(!r.failed);
}

static void put_no_slots(struct view *v, const json_node *keys)
{
	assert(!json_len(keys));
	json_begin_array(&v->w, "storageProof");
	json_end_array(&v->w);
}

void provider_proof(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	struct address a = json_address(&r, json_at(params, 0), NULL);
	struct shown shown = provider_at(v, json_at(params, 2));
	const json_node *keys = json_array(&r, json_at(params, 1), NULL);
	const struct sim_tries *t;
	struct sim_state s;

	assert(!r.failed);
	if (!shown.known)
		return;
	if (provider_lies(v, LIE_PROOF_OF_OTHER_BLOCK))
		shown.block = provider_earlier(v, shown.block, 1);
	if (provider_lies(v, LIE_PROOF_OF_OTHER_ACCOUNT))
		a = address_eq(a, v->c->hatch) ? v->c->rollup : v->c->hatch;
	t = tries_at(v, &shown, &s);
	json_begin(&v->w, "result");
	json_put_address(&v->w, "address", a);
	put_nodes(v, "accountProof", &t->accounts, state_account_path(a),
		  LIE_OTHER_CODE);
	if (address_eq(a, v->c->hatch) || address_eq(a, v->c->rollup))
		put_slots(v, t->storage[contract_at(v, a)], keys);
	else
		put_no_slots(v, keys);
	json_end(&v->w);
}
