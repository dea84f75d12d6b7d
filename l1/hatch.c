/* The facts: storage proved by one provider's eth_getProof against the hash
 * that a quorum agreed on; where none can prove it, the same words, the lists
 * and overdue() by a quorum's word. */
#include "l1/hatch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "abi/contracts_tables.h"
#include "abi/hex.h"
#include "abi/header.h"
#include "abi/keccak.h"
#include "abi/witness.h"
#include "abi/words.h"
#include "l1/facts.h"
#include "l1/l1_impl.h"
#include "l1/rpc.h"

#define RETURN_MAX	 8192 /* two lists of HATCH_KEYS_MAX */
#define WHY_MAX		 320
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

struct hatch_read {
	struct l1_op op;
	hatch_done *done;
	struct hatch_facts facts;
	/* by proof */
	struct facts_guess guess;
	struct facts_keys on_hatch, on_rollup;
	struct address bare; /* proved to be no contract; zero: both are */
	bool again;	     /* guessed wrong once */
};

static const char foreign[] =
	"the contracts' answers are not of the form we know: another version "
	"of the contracts";

static void finish(struct hatch_read *read, enum err err, const char *why)
{
	hatch_done *done = read->done;
	void *ctx = read->op.ctx;
	struct hatch_facts facts = read->facts;
	l1_op_end(&read->op); /* the callback may read anew */
	done(ctx, err, why, err ? NULL : &facts);
}

static void finish_without_contract(struct hatch_read *read, struct address at)
{
	char why[WHY_MAX];
	(void)snprintf(why, sizeof(why),
		       "no contract at %s: is that the hatch's address, and on "
		       "this chain?",
		       address_text(at).s);
	finish(read, ERR_INVALID, why);
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
	struct json_writer w = json_writer(params);
	json_begin_array(&w, NULL);
	json_put_address(&w, NULL, at);
	json_put_hash(&w, NULL, key);
	json_begin(&w, NULL);
	json_put_hash(&w, "blockHash", block);
	json_end(&w);
	json_end_array(&w);
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
		finish(read,
		       results[i].err == ERR_REFUSED ? ERR_INVALID
						     : results[i].err,
		       results[i].text);
		return;
	}
	if (is_empty(&results[HATCH_GUARDIANS])) {
		finish_without_contract(read, f->hatch);
		return;
	}
	for (size_t i = 0; i < FACT_SLOTS; i++)
		words[i] = json_hash(&r, results[i].result, NULL);
	if (r.failed || !facts_decode(words, f) || !decode_calls(results, f))
		finish(read, ERR_INVALID, foreign);
	else
		finish(read, OK, "");
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
	struct json_writer w = json_writer(params);
	json_begin_array(&w, NULL);
	json_put_address(&w, NULL, at);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < keys->n; i++)
		json_put_hash(&w, NULL, keys->keys[i]);
	json_end_array(&w);
	json_begin(&w, NULL);
	json_put_hash(&w, "blockHash", block);
	json_end(&w);
	json_end_array(&w);
	add(b, "eth_getProof");
}

/* That there is no contract is proved too; its slots would all be zero. */
static enum proved verify_contract(struct hatch_read *read, struct address at,
				   struct hash32 root, const json_node *reply,
				   struct facts_keys *keys,
				   struct err_text *error)
{
	struct trie_account account;
	enum proved proved = witness_prove(reply, root, at, keys->keys, keys->n,
					   &account, keys->values, error);
	if (proved == PROVED &&
	    (!account.exists || hash_eq(account.code_hash, keccak256("", 0))))
		read->bare = at;
	return proved;
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
					 results[2], &read->on_rollup, error);
	if (proved == PROVED)
		proved = verify_contract(read, f->hatch, header.state_root,
					 results[1], &read->on_hatch, error);
	if (proved == PROVED)
		f->block = header_ref(&header, f->block.hash);
	return proved;
}

static enum err ask_facts(struct hatch_read *read);

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
			finish(read, ERR_BUSY, "too many L1 reads at once");
		return;
	}
	(void)snprintf(v->proofs, sizeof(v->proofs), "proved");
	if (!address_is_zero(read->bare)) {
		finish_without_contract(read, read->bare);
		return;
	}
	enum facts_outcome outcome = facts_take(
		&read->on_hatch, &read->on_rollup, &read->guess, &read->facts);
	if (outcome != FACTS_NO_HATCH)
		l1->guess = read->guess;
	/* of the same block, so a second guess is no guess */
	assert(outcome != FACTS_WRONG_GUESS || !read->again);
	if (outcome == FACTS_WRONG_GUESS) {
		read->again = true;
		if (ask_facts(read))
			finish(read, ERR_BUSY, "too many L1 reads at once");
		return;
	}
	read->facts.proved = outcome == FACTS_FINE;
	finish(read, outcome == FACTS_FINE ? OK : ERR_INVALID,
	       outcome == FACTS_FINE ? "" : foreign);
}

static enum err ask_facts(struct hatch_read *read)
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

/* ---- which contracts these are
 * ----------------------------------------------- */

/* An address returned by a view without arguments; else why not. */
static bool read_address(const struct quorum_result *result,
			 struct address *ret)
{
	struct buf data;
	bool fine = returned(result, &data);
	struct abi_reader r = abi_reader(buf_slice(&data));
	*ret = abi_address(&r);
	fine &= !r.failed;
	buf_done(&data);
	return fine;
}

/* true: it was not OK, and the read is over. */
static bool refuse(struct hatch_read *read, const struct quorum_result *result,
		   const char *call, struct address at)
{
	char why[WHY_MAX];
	if (!result->err && !is_empty(result))
		return false;
	if (!result->err) {
		finish_without_contract(read, at);
	} else if (result->err == ERR_REFUSED) {
		(void)snprintf(why, sizeof(why),
			       "not a hatch at %s: %s "
			       "reverts: is that the hatch's address?",
			       address_text(read->facts.hatch).s, call);
		finish(read, ERR_INVALID, why);
	} else {
		finish(read, result->err, result->text);
	}
	return true;
}

static void on_rollup(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	struct hatch_facts *f = &read->facts;
	struct address hatch;
	char why[WHY_MAX];
	(void)n;
	if (refuse(read, &results[0], "its rollup's hatch()", f->rollup))
		return;
	if (!read_address(&results[0], &hatch) ||
	    !address_eq(hatch, f->hatch)) {
		(void)snprintf(why, sizeof(why),
			       "the rollup %s obeys another "
			       "hatch than %s",
			       address_text(f->rollup).s,
			       address_text(f->hatch).s);
		finish(read, ERR_INVALID, why);
		return;
	}
	read->op.l1->hatch = f->hatch;
	read->op.l1->rollup = f->rollup;
	if (ask_facts(read))
		finish(read, ERR_BUSY, "too many L1 reads at once");
}

static void on_hatch(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	struct hatch_facts *f = &read->facts;
	struct fact_batch b = {0};
	(void)n;
	if (refuse(read, &results[0], "terms()", f->hatch) ||
	    refuse(read, &results[1], "rollup()", f->hatch))
		return;
	if (!read_address(&results[1], &f->rollup)) {
		finish(read, ERR_INVALID,
		       "not a hatch: rollup() returns no "
		       "address: is that the hatch's address?");
		return;
	}
	add_view(&b, f->rollup, SEL_SOVEREIGNROLLUP_HATCH, f->block.hash);
	if (ask(read, &b, on_rollup))
		finish(read, ERR_BUSY, "too many L1 reads at once");
}

enum err hatch_read(struct l1 *l1, struct address hatch,
		    const struct block_ref *at, hatch_done *done, void *ctx)
{
	struct hatch_read *read = l1_op_new(l1, sizeof(*read), ctx, NULL);
	struct fact_batch b = {0};
	enum err err = OK;
	read->done = done;
	read->facts.block = *at;
	read->facts.hatch = hatch;
	read->guess = l1->guess;
	if (address_eq(hatch, l1->hatch) && !address_is_zero(l1->rollup)) {
		read->facts.rollup = l1->rollup;
		err = ask_facts(read);
	} else {
		add_view(&b, hatch, SEL_ESCAPEHATCH_TERMS, at->hash);
		add_view(&b, hatch, SEL_ESCAPEHATCH_ROLLUP, at->hash);
		err = ask(read, &b, on_hatch);
	}
	if (err)
		l1_op_end(&read->op);
	return err;
}

void hatch_cancel(struct l1 *l1, void *ctx)
{
	l1_cancel(l1, ctx);
}
