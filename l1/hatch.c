/* The facts: packed storage words by the compiled contracts' layout, lists by
 * call.  The words are decoded as storage proofs will bring them. */
#include "l1/hatch.h"

#include <inttypes.h>
#include <stdio.h>

#include "abi/contracts_tables.h"
#include "abi/hex.h"
#include "abi/words.h"
#include "l1/l1_impl.h"
#include "l1/rpc.h"

#define RETURN_MAX 8192 /* two lists of HATCH_KEYS_MAX */
#define WHY_MAX	   320
#define PARAMS_MAX 512

/* What one batch of facts asks, in order. */
enum fact {
	HATCH_EPOCH, /* slot with epoch, promotedAt, openedAt, enactFrom */
	HATCH_TERMS,
	HATCH_THRESHOLDS,
	HATCH_PENDING,
	ROLLUP_ROOT,
	ROLLUP_COUNT,	  /* count, lastAt, leafCount, inboxThrough */
	ROLLUP_SEQUENCER, /* sequencer, state, openings */
	ROLLUP_QUEUES,	  /* withdrawHead, withdrawTail, inboxTail, dirty */
	ROLLUP_BOND,
	SLOTS,			 /* the ones above */
	HATCH_GUARDIANS = SLOTS, /* by call, from here */
	HATCH_STANDBYS,
	ROLLUP_OVERDUE,
	FACTS,
};

static const unsigned slot_of[SLOTS] = {
	[HATCH_EPOCH] = SLOT_ESCAPEHATCH_EPOCH,
	[HATCH_TERMS] = SLOT_ESCAPEHATCH_TERMS,
	[HATCH_THRESHOLDS] = SLOT_ESCAPEHATCH_THRESHOLDS,
	[HATCH_PENDING] = SLOT_ESCAPEHATCH_PENDING_HASH,
	[ROLLUP_ROOT] = SLOT_SOVEREIGNROLLUP_ROOT,
	[ROLLUP_COUNT] = SLOT_SOVEREIGNROLLUP_COUNT,
	[ROLLUP_SEQUENCER] = SLOT_SOVEREIGNROLLUP_SEQUENCER,
	[ROLLUP_QUEUES] = SLOT_SOVEREIGNROLLUP_WITHDRAW_HEAD,
	[ROLLUP_BOND] = SLOT_SOVEREIGNROLLUP_SLA_BOND,
};

struct hatch_read {
	struct l1_op op;
	hatch_done *done;
	struct hatch_facts facts;
};

static void finish(struct hatch_read *read, enum err err, const char *why)
{
	hatch_done *done = read->done;
	void *ctx = read->op.ctx;
	struct hatch_facts facts = read->facts;
	l1_op_end(&read->op); /* the callback may read anew */
	done(ctx, err, why, err ? NULL : &facts);
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

static void add_slot(struct fact_batch *b, struct address at, unsigned slot,
		     struct hash32 block)
{
	uint8_t key[32] = {0};
	struct buf *params = &b->params[b->n];
	put_be(key + 24, slot, 8);
	buf_init(params, PARAMS_MAX);
	struct json_writer w = json_writer(params);
	json_begin_array(&w, NULL);
	json_put_address(&w, NULL, at);
	json_put_hex(&w, NULL, key, sizeof(key));
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

#define WORD_U64(w, name)                                                      \
	get_be((w).b + 32 - OFF_##name - LEN_##name, LEN_##name)

static void decode_hatch(const struct hash32 *w, struct hatch_facts *f)
{
	const struct hash32 epoch = w[HATCH_EPOCH], terms = w[HATCH_TERMS],
			    n = w[HATCH_THRESHOLDS];
	f->epoch = WORD_U64(epoch, ESCAPEHATCH_EPOCH);
	f->promoted_at = WORD_U64(epoch, ESCAPEHATCH_PROMOTED_AT);
	f->opened_at = WORD_U64(epoch, ESCAPEHATCH_OPENED_AT);
	f->enact_from = WORD_U64(epoch, ESCAPEHATCH_ENACT_FROM);
	f->terms = (struct hatch_terms){
		.sla_window = (uint32_t)WORD_U64(terms, TERMS_SLA_WINDOW),
		.failover_window =
			(uint32_t)WORD_U64(terms, TERMS_FAILOVER_WINDOW),
		.inclusion_window =
			(uint32_t)WORD_U64(terms, TERMS_INCLUSION_WINDOW),
		.hard_deadline = (uint32_t)WORD_U64(terms, TERMS_HARD_DEADLINE),
		.notice = (uint32_t)WORD_U64(terms, TERMS_NOTICE),
		.finality = (uint32_t)WORD_U64(terms, TERMS_FINALITY),
		.round = (uint32_t)WORD_U64(terms, TERMS_ROUND)};
	f->thresholds = (struct hatch_thresholds){
		.promote = (uint8_t)WORD_U64(n, THRESHOLDS_PROMOTE),
		.open = (uint8_t)WORD_U64(n, THRESHOLDS_OPEN),
		.resume = (uint8_t)WORD_U64(n, THRESHOLDS_RESUME),
		.amend = (uint8_t)WORD_U64(n, THRESHOLDS_AMEND)};
	f->pending = w[HATCH_PENDING];
}

static bool decode_rollup(const struct hash32 *w, struct hatch_facts *f)
{
	const struct hash32 count = w[ROLLUP_COUNT],
			    active = w[ROLLUP_SEQUENCER],
			    queues = w[ROLLUP_QUEUES];
	f->root = w[ROLLUP_ROOT];
	f->count = WORD_U64(count, SOVEREIGNROLLUP_COUNT);
	f->last_at = WORD_U64(count, SOVEREIGNROLLUP_LAST_AT);
	f->leaf_count = WORD_U64(count, SOVEREIGNROLLUP_LEAF_COUNT);
	f->inbox_through = WORD_U64(count, SOVEREIGNROLLUP_INBOX_THROUGH);
	memcpy(f->sequencer.b,
	       active.b + 32 - OFF_SOVEREIGNROLLUP_SEQUENCER -
		       LEN_SOVEREIGNROLLUP_SEQUENCER,
	       sizeof(f->sequencer.b));
	uint64_t state = WORD_U64(active, SOVEREIGNROLLUP_STATE);
	f->state = (enum rollup_state)state;
	f->openings = WORD_U64(active, SOVEREIGNROLLUP_OPENINGS);
	f->withdraw_head = WORD_U64(queues, SOVEREIGNROLLUP_WITHDRAW_HEAD);
	f->withdraw_tail = WORD_U64(queues, SOVEREIGNROLLUP_WITHDRAW_TAIL);
	f->inbox_tail = WORD_U64(queues, SOVEREIGNROLLUP_INBOX_TAIL);
	f->dirty = WORD_U64(queues, SOVEREIGNROLLUP_DIRTY);
	f->bond = u256_from_be(w[ROLLUP_BOND].b, 32);
	return state <= ROLLUP_SETTLING;
}

static bool returned(const struct quorum_result *result, struct buf *to)
{
	struct json_reader r = {0};
	buf_init(to, RETURN_MAX);
	json_bytes(&r, result->result, NULL, to);
	return !r.failed && !to->failed;
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
	struct hash32 words[SLOTS];
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
	for (size_t i = 0; i < SLOTS; i++)
		words[i] = json_hash(&r, results[i].result, NULL);
	decode_hatch(words, f);
	if (r.failed || !decode_rollup(words, f) || !decode_calls(results, f))
		finish(read, ERR_INVALID,
		       "the contracts' answers are not of the form we know: "
		       "another version of the contracts");
	else
		finish(read, OK, "");
}

static enum err ask_facts(struct hatch_read *read)
{
	struct fact_batch b = {0};
	const struct hatch_facts *f = &read->facts;
	struct hash32 block = f->block.hash;
	for (size_t i = 0; i < SLOTS; i++)
		add_slot(&b, i < ROLLUP_ROOT ? f->hatch : f->rollup, slot_of[i],
			 block);
	add_view(&b, f->hatch, SEL_ESCAPEHATCH_GUARDIANS, block);
	add_view(&b, f->hatch, SEL_ESCAPEHATCH_STANDBYS, block);
	add_view(&b, f->rollup, SEL_SOVEREIGNROLLUP_OVERDUE, block);
	return ask(read, &b, on_facts);
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

static bool is_empty(const struct quorum_result *result)
{
	struct buf data;
	bool empty = returned(result, &data) && !data.len;
	buf_done(&data);
	return empty;
}

/* true: it was not OK, and the read is over. */
static bool refuse(struct hatch_read *read, const struct quorum_result *result,
		   const char *call, struct address at)
{
	char why[WHY_MAX];
	if (!result->err && !is_empty(result))
		return false;
	if (!result->err) {
		(void)snprintf(why, sizeof(why),
			       "no contract at %s: check "
			       "chain.hatch and chain.id",
			       address_text(at).s);
		finish(read, ERR_INVALID, why);
	} else if (result->err == ERR_REFUSED) {
		(void)snprintf(why, sizeof(why),
			       "not a hatch at %s: %s "
			       "reverts: check chain.hatch",
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
		       "address: check chain.hatch");
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
