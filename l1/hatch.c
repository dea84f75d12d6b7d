/* The facts: storage proved by one provider's eth_getProof against the hash
 * that a quorum agreed on; where none can prove it, the same words by a
 * quorum's word. */
#include <stdio.h>

#include "abi/header.h"
#include "abi/hex.h"
#include "abi/keccak.h"
#include "abi/witness.h"
#include "l1/hatch_impl.h"
#include "l1/rpc.h"
#include "l1/state.h"

#define PARAMS_MAX	 320 /* of a slot, of a block's hash */
#define PROOF_PARAMS_MAX (80 * FACTS_KEYS_MAX + 512)
#define WORDS_MAX	 (2 * FACTS_KEYS_MAX)

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

static void finish_busy(struct hatch_read *read)
{
	hatch_finish(read, ERR_BUSY, "too many L1 reads at once");
}

/* ---- what came, proved or told --------------------------------------------
 */

/* A quorum that cannot prove may tell anything. */
static void guess_again(struct hatch_read *read)
{
	if (read->again) {
		hatch_finish(read, ERR_CONFLICT,
			     "a list's length is another whenever it is asked");
		return;
	}
	read->again = true;
	if (hatch_ask_facts(read))
		finish_busy(read);
}

static void take_words(struct hatch_read *read, bool proved)
{
	struct l1 *l1 = read->op.l1;
	struct hatch_facts *f = &read->facts;
	enum facts_outcome outcome =
		facts_take(&read->on_hatch, &read->on_rollup, &read->guess, f);
	if (outcome != FACTS_NO_HATCH)
		l1->guess = read->guess;
	f->proved = proved;
	if (outcome != FACTS_NO_HATCH && !f->n_guardians)
		hatch_finish_without(read, f->hatch); /* not yet */
	else if (outcome == FACTS_WRONG_GUESS)
		guess_again(read);
	else if (outcome == FACTS_NO_HATCH ||
		 f->terms.finality != l1->identity.finality)
		hatch_finish(read, ERR_INVALID, foreign);
	else
		hatch_finish(read, OK, "");
}

/* ---- by a quorum's word ---------------------------------------------------
 */

static bool read_words(const struct quorum_result *results,
		       struct facts_keys *keys)
{
	struct json_reader r = {0};
	for (size_t i = 0; i < keys->n; i++) {
		struct hash32 word = json_hash(&r, results[i].result, NULL);
		keys->values[i] = u256_from_be(word.b, sizeof(word.b));
	}
	return !r.failed;
}

static void on_told(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	for (size_t i = 0; i < n; i++) {
		if (!results[i].err)
			continue;
		hatch_finish(read, results[i].err, results[i].text);
		return;
	}
	if (read_words(results, &read->on_hatch) &&
	    read_words(results + read->on_hatch.n, &read->on_rollup))
		take_words(read, false);
	else
		hatch_finish(read, ERR_IO, "eth_getStorageAt returned no word");
}

struct words_batch {
	size_t n;
	struct rpc_call calls[WORDS_MAX];
	struct buf params[WORDS_MAX];
};

static void add_words(struct words_batch *b, struct address at,
		      const struct facts_keys *keys, struct hash32 block)
{
	for (size_t i = 0; i < keys->n; i++, b->n++) {
		buf_init(&b->params[b->n], PARAMS_MAX);
		rpc_params_slot(&b->params[b->n], at, keys->keys[i], block);
		b->calls[b->n] =
			(struct rpc_call){.method = "eth_getStorageAt",
					  .params = buf_slice(&b->params[b->n]),
					  .pinned = true};
	}
}

static enum err ask_told(struct hatch_read *read)
{
	struct words_batch b = {0};
	const struct hatch_facts *f = &read->facts;
	add_words(&b, f->hatch, &read->on_hatch, f->block.hash);
	add_words(&b, f->rollup, &read->on_rollup, f->block.hash);
	enum err err = quorum_ask(read->op.l1->quorum, b.calls, b.n,
				  QUORUM_AGREE, L1_ASK_MS, on_told, read);
	for (size_t i = 0; i < b.n; i++)
		buf_done(&b.params[i]);
	return err;
}

/* ---- by proof -------------------------------------------------------------
 */

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
		finish_busy(read);
}

static void on_proofs(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	(void)n;
	state_note(read->op.l1, &results[0]);
	if (results[0].err) {
		if (ask_told(read))
			finish_busy(read);
	} else if (!address_is_zero(read->bare)) {
		hatch_finish_without(read, read->bare);
	} else if (!is_known_code(read)) {
		look_again(read);
	} else {
		take_words(read, true);
	}
}

enum err hatch_ask_facts(struct hatch_read *read)
{
	const struct hatch_facts *f = &read->facts;
	struct hash32 block = f->block.hash;
	CLEANUP(buf_done) struct buf header, hatch, rollup;
	facts_hatch_keys(&read->guess, &read->on_hatch);
	facts_rollup_keys(&read->guess, &read->on_rollup);
	buf_init(&header, PARAMS_MAX);
	buf_init(&hatch, PROOF_PARAMS_MAX);
	buf_init(&rollup, PROOF_PARAMS_MAX);
	rpc_params_hash(&header, block, false);
	rpc_params_proof(&hatch, f->hatch, read->on_hatch.keys,
			 read->on_hatch.n, block);
	rpc_params_proof(&rollup, f->rollup, read->on_rollup.keys,
			 read->on_rollup.n, block);
	const struct rpc_call calls[] = {{.method = "eth_getBlockByHash",
					  .params = buf_slice(&header),
					  .pinned = true},
					 {.method = "eth_getProof",
					  .params = buf_slice(&hatch),
					  .pinned = true},
					 {.method = "eth_getProof",
					  .params = buf_slice(&rollup),
					  .pinned = true}};
	return quorum_prove(read->op.l1->quorum, calls, ARRAY_LEN(calls),
			    "eth_getProof", verify, L1_PROOF_MS, on_proofs,
			    read);
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
