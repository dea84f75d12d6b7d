/* The facts: storage proved by one provider's eth_getProof against the hash
 * that a quorum agreed on; where none can prove it, the same words, the lists
 * and overdue() by a quorum's word. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "abi/contracts_tables.h"
#include "abi/header.h"
#include "abi/hex.h"
#include "abi/keccak.h"
#include "abi/witness.h"
#include "abi/words.h"
#include "l1/hatch_impl.h"
#include "l1/rpc.h"

#define RETURN_MAX	 8192 /* two lists of HATCH_KEYS_MAX */
#define PARAMS_MAX	 512
#define PROOF_PARAMS_MAX (80 * FACTS_KEYS_MAX + 512)

/* What one batch of facts asks under quorum, in order: the slots, then these.
 */
enum fact_call {
	HATCH_GUARDIANS = FACT_SLOTS,
	HATCH_STANDBYS,
	ROLLUP_OVERDUE,
	FACTS,
};

static const char foreign[] =
	"the contracts' answers are not of the form we know: another version "
	"of the contracts";

void hatch_finish(struct hatch_read *read, enum err err, const char *why)
{
	hatch_done *done = read->done;
	void *ctx = read->op.ctx;
	struct hatch_facts facts = read->facts;
	l1_op_end(&read->op); /* the callback may read anew */
	done(ctx, err, why, err ? NULL : &facts);
}

void hatch_finish_without(struct hatch_read *read, struct address at)
{
	char why[HATCH_WHY_MAX];
	(void)snprintf(why, sizeof(why),
		       "no contract at %s: is that the hatch's address, and on "
		       "this chain?",
		       address_text(at).s);
	hatch_finish(read, ERR_INVALID, why);
}

/* ---- asking ---------------------------------------------------------------
 */

struct fact_batch {
	size_t n;
	struct rpc_call calls[FACTS];
	struct buf params[FACTS];
};

static void add(struct fact_batch *b, const char *method)
{
	b->calls[b->n] =
		(struct rpc_call){.method = method,
				  .params = buf_slice(&b->params[b->n]),
				  .pinned = true};
	b->n++;
}

static void add_slot(struct fact_batch *b, struct address at, struct hash32 key,
		     struct hash32 block)
{
	struct buf *params = &b->params[b->n];
	buf_init(params, PARAMS_MAX);
	rpc_params_slot(params, at, key, block);
	add(b, "eth_getStorageAt");
}

static void add_view(struct fact_batch *b, struct address to, uint32_t selector,
		     struct hash32 block)
{
	uint8_t data[4];
	struct buf *params = &b->params[b->n];
	put_be(data, selector, 4);
	buf_init(params, PARAMS_MAX);
	rpc_params_call(params, (struct address){{0}}, to, slice_of(data, 4),
			block);
	add(b, "eth_call");
}

static enum err ask(struct hatch_read *read, struct fact_batch *b,
		    quorum_done *done)
{
	enum err err = quorum_ask(read->op.l1->quorum, b->calls, b->n,
				  QUORUM_AGREE, L1_ASK_MS, done, read);
	for (size_t i = 0; i < b->n; i++)
		buf_done(&b->params[i]);
	return err;
}

/* ---- decoding --------------------------------------------------------------
 */

static bool returned(const struct quorum_result *result, struct buf *to)
{
	struct json_reader r = {0};
	buf_init(to, RETURN_MAX);
	json_bytes(&r, result->result, NULL, to);
	return !r.failed && !to->failed;
}

/* What any call of an address without code returns. */
static bool is_empty(const struct quorum_result *result)
{
	struct buf data;
	bool empty = returned(result, &data) && !data.len;
	buf_done(&data);
	return empty;
}

/* address[] at the reader's head. */
static size_t read_list(struct abi_reader *r, struct address *to)
{
	size_t n = 0;
	struct abi_reader list = abi_array(r, 1, HATCH_KEYS_MAX, &n);
	for (size_t i = 0; i < n; i++)
		to[i] = abi_address(&list);
	r->failed |= list.failed;
	return r->failed ? 0 : n;
}

static bool decode_calls(const struct quorum_result *results,
			 struct hatch_facts *f)
{
	struct buf guardians, standbys, overdue;
	bool fine = returned(&results[HATCH_GUARDIANS], &guardians);
	fine &= returned(&results[HATCH_STANDBYS], &standbys);
	fine &= returned(&results[ROLLUP_OVERDUE], &overdue);
	struct abi_reader r = abi_reader(buf_slice(&guardians));
	f->n_guardians = read_list(&r, f->guardians);
	fine &= !r.failed;
	r = abi_reader(buf_slice(&standbys));
	f->n_standbys = read_list(&r, f->standbys);
	fine &= !r.failed;
	r = abi_reader(buf_slice(&overdue));
	f->overdue = abi_u64(&r, 64);
	fine &= !r.failed;
	buf_done(&guardians);
	buf_done(&standbys);
	buf_done(&overdue);
	return fine;
}

static void on_facts(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	struct hatch_facts *f = &read->facts;
	struct hash32 words[FACT_SLOTS];
	struct json_reader r = {0};
	for (size_t i = 0; i < n; i++) {
		if (!results[i].err)
			continue;
		hatch_finish(read,
			     results[i].err == ERR_REFUSED ? ERR_INVALID
							   : results[i].err,
			     results[i].text);
		return;
	}
	if (is_empty(&results[HATCH_GUARDIANS])) {
		hatch_finish_without(read, f->hatch);
		return;
	}
	for (size_t i = 0; i < FACT_SLOTS; i++)
		words[i] = json_hash(&r, results[i].result, NULL);
	if (r.failed || !facts_decode(words, f) || !decode_calls(results, f))
		hatch_finish(read, ERR_INVALID, foreign);
	else
		hatch_finish(read, OK, "");
}

static enum err ask_by_quorum(struct hatch_read *read)
{
	struct fact_batch b = {0};
	const struct hatch_facts *f = &read->facts;
	struct hash32 block = f->block.hash;
	for (size_t i = 0; i < FACT_SLOTS; i++)
		add_slot(&b, i < ROLLUP_ROOT ? f->hatch : f->rollup,
			 facts_slot((enum fact)i), block);
	add_view(&b, f->hatch, SEL_ESCAPEHATCH_GUARDIANS, block);
	add_view(&b, f->hatch, SEL_ESCAPEHATCH_STANDBYS, block);
	add_view(&b, f->rollup, SEL_SOVEREIGNROLLUP_OVERDUE, block);
	return ask(read, &b, on_facts);
}

/* ---- by proof -------------------------------------------------------------
 */

static void add_proof(struct fact_batch *b, struct address at,
		      const struct facts_keys *keys, struct hash32 block)
{
	struct buf *params = &b->params[b->n];
	buf_init(params, PROOF_PARAMS_MAX);
	rpc_params_proof(params, at, keys->keys, keys->n, block);
	add(b, "eth_getProof");
}

/* That there is no contract is proved too; its slots would all be zero. */
static enum proved verify_contract(struct hatch_read *read, struct address at,
				   struct hash32 root, const json_node *reply,
				   struct facts_keys *keys, struct hash32 *code,
				   struct err_text *error)
{
	struct trie_account account;
	enum proved proved = witness_prove(reply, root, at, keys->keys, keys->n,
					   &account, keys->values, error);
	if (proved != PROVED)
		return proved;
	*code = account.code_hash;
	if (!account.exists || hash_eq(account.code_hash, keccak256("", 0)))
		read->bare = at;
	return PROVED;
}

/* The header by its hash, the rest by the header's stateRoot. */
static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct hatch_read *read = ctx;
	struct hatch_facts *f = &read->facts;
	struct header header;
	(void)n;
	read->bare = (struct address){0};
	enum proved proved =
		header_prove(results[0], f->block.hash, &header, error);
	if (proved == PROVED)
		proved = verify_contract(read, f->rollup, header.state_root,
					 results[2], &read->on_rollup,
					 &read->rollup_code, error);
	if (proved == PROVED)
		proved = verify_contract(read, f->hatch, header.state_root,
					 results[1], &read->on_hatch,
					 &read->hatch_code, error);
	if (proved == PROVED)
		f->block = header_ref(&header, f->block.hash);
	return proved;
}

/* true: the code is that which was looked at. */
static bool is_known_code(const struct hatch_read *read)
{
	const struct identity *known = &read->op.l1->identity;
	return hash_eq(read->hatch_code, known->hatch_code) &&
	       hash_eq(read->rollup_code, known->rollup_code);
}

/* A quorum told of other code, or the chain was rearranged. */
static void look_again(struct hatch_read *read)
{
	read->op.l1->identity = (struct identity){0};
	if (read->looks >= HATCH_LOOKS_MAX)
		hatch_finish(read, ERR_CONFLICT,
			     "the contracts' proved code is not what a quorum "
			     "tells");
	else if (hatch_identify(read))
		hatch_finish(read, ERR_BUSY, "too many L1 reads at once");
}

static void on_proofs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	struct l1 *l1 = read->op.l1;
	struct l1_view *v = &l1->view;
	(void)n;
	if (results[0].err) {
		(void)snprintf(v->proofs, sizeof(v->proofs),
			       "by quorum: %.180s", results[0].text);
		if (ask_by_quorum(read))
			hatch_finish(read, ERR_BUSY,
				     "too many L1 reads at once");
		return;
	}
	(void)snprintf(v->proofs, sizeof(v->proofs), "proved");
	if (!address_is_zero(read->bare)) {
		hatch_finish_without(read, read->bare);
		return;
	}
	if (!is_known_code(read)) {
		look_again(read);
		return;
	}
	enum facts_outcome outcome = facts_take(
		&read->on_hatch, &read->on_rollup, &read->guess, &read->facts);
	if (outcome != FACTS_NO_HATCH)
		l1->guess = read->guess;
	if (outcome == FACTS_FINE &&
	    read->facts.terms.finality != l1->identity.finality)
		outcome = FACTS_NO_HATCH;
	/* of the same block, so a second guess is no guess */
	assert(outcome != FACTS_WRONG_GUESS || !read->again);
	if (outcome == FACTS_WRONG_GUESS) {
		read->again = true;
		if (hatch_ask_facts(read))
			hatch_finish(read, ERR_BUSY,
				     "too many L1 reads at once");
		return;
	}
	read->facts.proved = outcome == FACTS_FINE;
	hatch_finish(read, outcome == FACTS_FINE ? OK : ERR_INVALID,
		     outcome == FACTS_FINE ? "" : foreign);
}

enum err hatch_ask_facts(struct hatch_read *read)
{
	struct fact_batch b = {0};
	const struct hatch_facts *f = &read->facts;
	struct hash32 block = f->block.hash;
	facts_hatch_keys(&read->guess, &read->on_hatch);
	facts_rollup_keys(&read->guess, &read->on_rollup);
	buf_init(&b.params[0], 128);
	rpc_params_hash(&b.params[0], block, false);
	add(&b, "eth_getBlockByHash");
	add_proof(&b, f->hatch, &read->on_hatch, block);
	add_proof(&b, f->rollup, &read->on_rollup, block);
	enum err err =
		quorum_prove(read->op.l1->quorum, b.calls, b.n, "eth_getProof",
			     verify, L1_PROOF_MS, on_proofs, read);
	for (size_t i = 0; i < b.n; i++)
		buf_done(&b.params[i]);
	return err;
}

enum err hatch_read(struct l1 *l1, struct address hatch,
		    const struct block_ref *at, hatch_done *done, void *ctx)
{
	struct hatch_read *read = l1_op_new(l1, sizeof(*read), ctx, NULL);
	enum err err;
	read->done = done;
	read->facts.block = *at;
	read->facts.hatch = hatch;
	read->guess = l1->guess;
	if (address_eq(hatch, l1->identity.hatch)) {
		read->facts.rollup = l1->identity.rollup;
		err = hatch_ask_facts(read);
	} else {
		err = hatch_identify(read);
	}
	if (err)
		l1_op_end(&read->op);
	return err;
}

void hatch_cancel(struct l1 *l1, void *ctx)
{
	l1_cancel(l1, ctx);
}
