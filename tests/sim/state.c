#include "tests/sim/state.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/contracts_tables.h"
#include "abi/keccak.h"
#include "abi/rlp.h"
#include "abi/typed.h"
#include "tests/unit/deployed.h"

#define BOND 1000000

/* ---- paths: the same few in every seed ---- */

#define MEMO 256

static struct memo {
	bool used;
	struct hash32 key, path;
} memo[MEMO];

static struct hash32 memo_path(const void *p, size_t len)
{
	struct hash32 key = {{0}};
	struct memo *m;

	memcpy(key.b, p, len);
	m = &memo[(key.b[0] ^ key.b[19] * 7u ^ key.b[31] * 31u) % MEMO];
	if (!m->used || !hash_eq(m->key, key))
		*m = (struct memo){true, key, keccak256(p, len)};
	return m->path;
}

struct hash32 state_account_path(struct address a)
{
	return memo_path(a.b, sizeof(a.b));
}

struct hash32 state_slot_path(struct hash32 slot)
{
	return memo_path(slot.b, sizeof(slot.b));
}

/* ---- words ---- */

static void place(struct hash32 *w, size_t offset, size_t len, uint64_t value)
{
	size_t n = len < 8 ? len : 8;

	put_be(w->b + 32 - offset - n, value, n);
}

#define PLACE(w, name, value) place(w, OFF_##name, LEN_##name, value)

static void put(struct sim_storage *to, struct hash32 slot, struct hash32 word)
{
	if (hash_is_zero(word))
		return;
	assert(to->n < SIM_SLOTS);
	to->slots[to->n++] = (struct sim_slot){slot, word};
}

/* "Layout of State Variables in Storage": elements from keccak256(p) on. */
static void put_list(struct sim_storage *to, unsigned slot,
		     const struct address *list, size_t n)
{
	struct hash32 length = typed_u64(slot), at = state_slot_path(length);

	put(to, length, typed_u64(n));
	for (size_t i = 0; i < n; i++) {
		put(to, at, typed_address(list[i]));
		for (size_t b = 32; b-- > 0 && !++at.b[b];)
			;
	}
}

static void put_hatch(const struct sim_chain *c, const struct sim_state *s,
		      struct sim_storage *to)
{
	const struct hatch_terms *t = &c->terms;
	const struct hatch_thresholds *n = &c->thresholds;
	struct address standbys[SIM_SEQUENCERS];
	struct hash32 epoch = {{0}}, terms = {{0}}, thresholds = {{0}};

	PLACE(&epoch, ESCAPEHATCH_EPOCH, s->epoch);
	PLACE(&epoch, ESCAPEHATCH_PROMOTED_AT, s->promoted_at);
	PLACE(&epoch, ESCAPEHATCH_OPENED_AT, s->opened_at);
	PLACE(&terms, TERMS_SLA_WINDOW, t->sla_window);
	PLACE(&terms, TERMS_FAILOVER_WINDOW, t->failover_window);
	PLACE(&terms, TERMS_INCLUSION_WINDOW, t->inclusion_window);
	PLACE(&terms, TERMS_HARD_DEADLINE, t->hard_deadline);
	PLACE(&terms, TERMS_NOTICE, t->notice);
	PLACE(&terms, TERMS_FINALITY, t->finality);
	PLACE(&terms, TERMS_ROUND, t->round);
	PLACE(&thresholds, THRESHOLDS_PROMOTE, n->promote);
	PLACE(&thresholds, THRESHOLDS_OPEN, n->open);
	PLACE(&thresholds, THRESHOLDS_RESUME, n->resume);
	PLACE(&thresholds, THRESHOLDS_AMEND, n->amend);
	put(to, typed_u64(SLOT_ESCAPEHATCH_EPOCH), epoch);
	put(to, typed_u64(SLOT_ESCAPEHATCH_TERMS), terms);
	put(to, typed_u64(SLOT_ESCAPEHATCH_THRESHOLDS), thresholds);
	put_list(to, SLOT_ESCAPEHATCH_GUARDIANS, c->guardians, c->n_guardians);
	for (unsigned i = 0; i < s->n_standbys; i++)
		standbys[i] = c->sequencers[s->standbys[i]];
	put_list(to, SLOT_ESCAPEHATCH_STANDBYS, standbys, s->n_standbys);
}

static void put_rollup(const struct sim_chain *c, const struct sim_state *s,
		       struct sim_storage *to)
{
	struct hash32 count = {{0}}, active = {{0}}, window = {{0}};

	PLACE(&count, SOVEREIGNROLLUP_COUNT, s->count);
	PLACE(&count, SOVEREIGNROLLUP_LAST_AT, s->last_at);
	PLACE(&count, SOVEREIGNROLLUP_LEAF_COUNT, s->leaf_count);
	memcpy(active.b + 32 - OFF_SOVEREIGNROLLUP_SEQUENCER - 20,
	       c->sequencers[s->active].b, 20);
	PLACE(&active, SOVEREIGNROLLUP_STATE, s->state);
	PLACE(&active, SOVEREIGNROLLUP_OPENINGS, s->openings);
	PLACE(&window, SOVEREIGNROLLUP_INCLUSION_WINDOW,
	      c->terms.inclusion_window);
	put(to, typed_u64(SLOT_SOVEREIGNROLLUP_ROOT), s->root);
	put(to, typed_u64(SLOT_SOVEREIGNROLLUP_COUNT), count);
	put(to, typed_u64(SLOT_SOVEREIGNROLLUP_SEQUENCER), active);
	put(to, typed_u64(SLOT_SOVEREIGNROLLUP_INCLUSION_WINDOW), window);
	put(to, typed_u64(SLOT_SOVEREIGNROLLUP_SLA_BOND), typed_u64(BOND));
}

struct hash32 state_word(const struct sim_tries *t, enum sim_contract at,
			 struct hash32 slot)
{
	const struct sim_storage *in = t->storage[at];

	for (size_t i = 0; i < in->n; i++)
		if (hash_eq(in->slots[i].slot, slot))
			return in->slots[i].word;
	return (struct hash32){{0}};
}

/* ---- tries ---- */

static void set_value(struct sim_entry *e, struct buf *rlp)
{
	assert(!rlp->failed && rlp->len <= sizeof(e->value));
	memcpy(e->value, rlp->p, rlp->len);
	e->len = rlp->len;
	buf_clear(rlp);
}

static const struct sim_storage *storage(struct sim_chain *c,
					 const struct sim_state *s,
					 enum sim_contract contract,
					 const struct sim_storage *before)
{
	struct sim_storage made = {.n = 0}, *ret;
	struct sim_entry entries[SIM_SLOTS];
	struct buf rlp;

	if (contract == SIM_HATCH)
		put_hatch(c, s, &made);
	else
		put_rollup(c, s, &made);
	if (before && before->n == made.n &&
	    !memcmp(before->slots, made.slots, made.n * sizeof(made.slots[0])))
		return before;
	buf_init(&rlp, 64);
	for (size_t i = 0; i < made.n; i++) {
		entries[i].path = state_slot_path(made.slots[i].slot);
		rlp_put_u256(&rlp, u256_from_be(made.slots[i].word.b, 32));
		set_value(&entries[i], &rlp);
	}
	buf_done(&rlp);
	ret = malloc(sizeof(*ret));
	assert(ret);
	*ret = made;
	sim_trie_build(&ret->trie, entries, made.n);
	ret->next = c->storages;
	c->storages = ret;
	return ret;
}

static void account(struct sim_entry *e, struct address address, uint64_t nonce,
		    const struct hash32 *root, struct hash32 code_hash)
{
	struct buf rlp;

	buf_init(&rlp, sizeof(e->value));
	rlp_put_u64(&rlp, nonce);
	rlp_put_u64(&rlp, root ? 0 : STATE_BALANCE);
	rlp_put_bytes(&rlp, slice_of(root ? root->b : trie_empty_root.b, 32));
	rlp_put_bytes(&rlp, slice_of(code_hash.b, 32));
	rlp_wrap_list(&rlp, 0);
	e->path = state_account_path(address);
	set_value(e, &rlp);
	buf_done(&rlp);
}

static void accounts(const struct sim_chain *c, struct sim_tries *t)
{
	struct sim_entry entries[SIM_CODES + SIM_ACCOUNTS];
	size_t n = 0;

	for (unsigned i = 0; i < SIM_CONTRACTS; i++)
		account(&entries[n++], i == SIM_HATCH ? c->hatch : c->rollup, 1,
			&t->storage[i]->trie.root, c->code_hashes[i]);
	account(&entries[n++], c->judge, 1, NULL, c->code_hashes[SIM_JUDGE]);
	for (unsigned i = 0; i < SIM_ACCOUNTS; i++)
		account(&entries[n++], c->accounts[i], t->nonces[i], NULL,
			keccak256("", 0));
	sim_trie_build(&t->accounts, entries, n);
}

const struct sim_tries *state_tries(struct sim_chain *c,
				    const struct sim_state *s,
				    const struct sim_tries *before)
{
	const struct sim_storage *in[SIM_CONTRACTS];
	struct sim_tries *t;
	bool same = before;

	for (unsigned i = 0; i < SIM_CONTRACTS; i++) {
		in[i] = storage(c, s, (enum sim_contract)i,
				before ? before->storage[i] : NULL);
		same = same && in[i] == before->storage[i];
	}
	if (same && !memcmp(before->nonces, s->nonces, sizeof(s->nonces)))
		return before;
	t = malloc(sizeof(*t));
	assert(t);
	memcpy(t->storage, in, sizeof(in));
	memcpy(t->nonces, s->nonces, sizeof(s->nonces));
	accounts(c, t);
	t->next = c->tries;
	c->tries = t;
	return t;
}

void state_free(struct sim_chain *c)
{
	for (unsigned i = 0; i < SIM_CODES; i++)
		buf_done(&c->codes[i]);
	while (c->tries) {
		struct sim_tries *t = c->tries;

		c->tries = t->next;
		sim_trie_done(&t->accounts);
		free(t);
	}
	while (c->storages) {
		struct sim_storage *s = c->storages;

		c->storages = s->next;
		sim_trie_done(&s->trie);
		free(s);
	}
}

/* ---- code ---- */

static void deploy(struct sim_chain *c, enum sim_contract contract,
		   const struct contract_code *code,
		   const struct code_immutables *immutables)
{
	struct buf *to = &c->codes[contract];

	buf_init(to, code->size);
	put_deployed(code, immutables, to);
	assert(!to->failed);
	c->code_hashes[contract] = keccak256(to->p, to->len);
}

void state_deploy(struct sim_chain *c)
{
	struct code_immutables hatch = {0}, rollup = {0}, none = {0};

	hatch.words[IMMUTABLE_ESCAPEHATCH_ROLLUP] = typed_address(c->rollup);
	rollup.words[IMMUTABLE_SOVEREIGNROLLUP_HATCH] = typed_address(c->hatch);
	rollup.words[IMMUTABLE_SOVEREIGNROLLUP_BAD_BATCH] =
		typed_address(c->judge);
	rollup.words[IMMUTABLE_SOVEREIGNROLLUP_FINALITY] =
		typed_u64(c->terms.finality);
	deploy(c, SIM_HATCH, &egress_escapehatch_code, &hatch);
	deploy(c, SIM_ROLLUP, &egress_sovereignrollup_code, &rollup);
	deploy(c, SIM_JUDGE, &egress_badbatch_code, &none);
}
