/* Which contracts these are.  One provider's eth_getCode is enough where it can
 * prove the account (EIP-1186): the code's hash stands in it.  Else a quorum's
 * word on the code.  Either way the code must be what this release compiles,
 * and the other contracts are read out of it. */
#include <assert.h>
#include <stdio.h>

#include "abi/hex.h"
#include "abi/keccak.h"
#include "l1/hatch_impl.h"
#include "l1/rpc.h"
#include "l1/state.h"

#define PARAMS_MAX 256

static const struct contract_code *const expected[] = {
	[PART_HATCH] = &egress_escapehatch_code,
	[PART_ROLLUP] = &egress_sovereignrollup_code,
	[PART_JUDGE] = &egress_badbatch_code,
};

/* ---- the code ------------------------------------------------------------ */

static struct hatch_code look_at(enum hatch_part part, struct slice code)
{
	struct hatch_code c = {.there = code.len > 0,
			       .hash = keccak256(code.p, code.len)};
	struct code_immutables of_rollup;
	c.ours = code_is(expected[part], code, &c.immutables);
	if (part == PART_HATCH &&
	    code_is(expected[PART_ROLLUP], code, &of_rollup) &&
	    !code_address(of_rollup.words[IMMUTABLE_SOVEREIGNROLLUP_HATCH],
			  &c.obeys))
		c.obeys = (struct address){{0}};
	return c;
}

static void refuse(struct hatch_read *read)
{
	char why[HATCH_WHY_MAX];
	const struct hatch_code *c = &read->code;
	if (!address_is_zero(c->obeys))
		(void)snprintf(
			why, sizeof(why),
			"not a hatch at %s but a rollup: its hatch is %s",
			address_text(read->where).s, address_text(c->obeys).s);
	else
		(void)snprintf(why, sizeof(why),
			       "the code at %s is not %s's of this version "
			       "(hash %s): %s is this egress of the same "
			       "release?",
			       address_text(read->where).s,
			       expected[read->part]->name, hash_text(c->hash).s,
			       read->part == PART_HATCH
				       ? "is that the hatch's address, and"
				       : "the hatch leads there;");
	hatch_finish(read, ERR_INVALID, why);
}

static enum err ask_code(struct hatch_read *read);

static void look_next(struct hatch_read *read, enum hatch_part part,
		      struct address where)
{
	read->part = part;
	read->where = where;
	if (ask_code(read))
		hatch_finish(read, ERR_BUSY, "too many L1 reads at once");
}

static void take_hatch(struct hatch_read *read)
{
	const struct hash32 *words = read->code.immutables.words;
	struct identity *found = &read->found;
	found->hatch = read->where;
	found->hatch_code = read->code.hash;
	if (!code_address(words[IMMUTABLE_ESCAPEHATCH_ROLLUP], &found->rollup))
		refuse(read);
	else
		look_next(read, PART_ROLLUP, found->rollup);
}

static void take_rollup(struct hatch_read *read)
{
	const struct hash32 *words = read->code.immutables.words;
	struct hash32 finality = words[IMMUTABLE_SOVEREIGNROLLUP_FINALITY];
	struct identity *found = &read->found;
	struct address hatch, judge;
	char why[HATCH_WHY_MAX];
	found->rollup_code = read->code.hash;
	found->finality = get_be(finality.b + 24, 8);
	if (!code_address(words[IMMUTABLE_SOVEREIGNROLLUP_HATCH], &hatch) ||
	    !code_address(words[IMMUTABLE_SOVEREIGNROLLUP_BAD_BATCH], &judge)) {
		refuse(read);
	} else if (!address_eq(hatch, found->hatch)) {
		(void)snprintf(why, sizeof(why),
			       "the rollup %s obeys another hatch than %s",
			       address_text(found->rollup).s,
			       address_text(found->hatch).s);
		hatch_finish(read, ERR_INVALID, why);
	} else {
		look_next(read, PART_JUDGE, judge);
	}
}

static void take_judge(struct hatch_read *read)
{
	read->op.l1->identity = read->found;
	read->facts.rollup = read->found.rollup;
	if (hatch_ask_facts(read))
		hatch_finish(read, ERR_BUSY, "too many L1 reads at once");
}

static void judge(struct hatch_read *read)
{
	if (!read->code.there) {
		hatch_finish_without(read, read->where);
		return;
	}
	if (!read->code.ours) {
		refuse(read);
		return;
	}
	switch (read->part) {
	case PART_HATCH:
		take_hatch(read);
		return;
	case PART_ROLLUP:
		take_rollup(read);
		return;
	case PART_JUDGE:
		take_judge(read);
		return;
	}
}

/* ---- by a quorum's word -------------------------------------------------- */

static void on_told(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	CLEANUP(buf_done) struct buf code;
	struct json_reader r = {0};
	(void)n;
	buf_init(&code, L1_CODE_MAX);
	if (results[0].err) {
		hatch_finish(read, results[0].err, results[0].text);
		return;
	}
	json_bytes(&r, results[0].result, NULL, &code);
	if (r.failed || code.failed) {
		hatch_finish(read, ERR_IO, "eth_getCode returned no code");
		return;
	}
	read->code = look_at(read->part, buf_slice(&code));
	judge(read);
}

static enum err ask_told(struct hatch_read *read)
{
	CLEANUP(buf_done) struct buf params;
	buf_init(&params, PARAMS_MAX);
	rpc_params_at(&params, read->where, read->facts.block.hash);
	const struct rpc_call call = {.method = "eth_getCode",
				      .params = buf_slice(&params),
				      .pinned = true};
	return quorum_ask(read->op.l1->quorum, &call, 1, QUORUM_AGREE,
			  L1_ASK_MS, on_told, read);
}

/* ---- by proof ------------------------------------------------------------ */

/* That there is no code is proved without it. */
static enum proved verify_code(struct hatch_read *read,
			       const struct trie_account *account,
			       const json_node *reply, struct err_text *error)
{
	CLEANUP(buf_done) struct buf code;
	struct json_reader r = {0};
	buf_init(&code, L1_CODE_MAX);
	if (!account->exists || hash_eq(account->code_hash, keccak256("", 0))) {
		read->code = (struct hatch_code){0};
		return PROVED;
	}
	json_bytes(&r, reply, NULL, &code);
	if (r.failed || code.failed) {
		err_text_set(error, "eth_getCode: %s",
			     code.failed ? "too long" : r.what);
		return code.failed ? PROVED_TOO_LARGE : PROVED_SHAPE;
	}
	struct hatch_code found = look_at(read->part, buf_slice(&code));
	if (!hash_eq(found.hash, account->code_hash)) {
		err_text_set(error, "eth_getCode: its hash is %s, not %s",
			     hash_text(found.hash).s,
			     hash_text(account->code_hash).s);
		return PROVED_FALSE;
	}
	read->code = found;
	return PROVED;
}

static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct hatch_read *read = ctx;
	struct trie_account account;
	(void)n;
	enum proved proved =
		state_prove(results, read->facts.block.hash, read->where, NULL,
			    0, &account, NULL, error);
	return proved == PROVED ? verify_code(read, &account,
					      results[STATE_CALLS], error)
				: proved;
}

static void on_proved(void *ctx, const struct quorum_result *results, size_t n)
{
	struct hatch_read *read = ctx;
	(void)n;
	state_note(read->op.l1, &results[0]);
	if (!results[0].err)
		judge(read);
	else if (ask_told(read))
		hatch_finish(read, ERR_BUSY, "too many L1 reads at once");
}

static enum err ask_code(struct hatch_read *read)
{
	CLEANUP(buf_done) struct buf params;
	buf_init(&params, PARAMS_MAX);
	rpc_params_at(&params, read->where, read->facts.block.hash);
	const struct rpc_call code = {.method = "eth_getCode",
				      .params = buf_slice(&params),
				      .pinned = true};
	return state_ask(read->op.l1, read->facts.block.hash, read->where, NULL,
			 0, &code, 1, verify, on_proved, read);
}

enum err hatch_identify(struct hatch_read *read)
{
	read->looks++;
	read->part = PART_HATCH;
	read->where = read->facts.hatch;
	read->found = (struct identity){0};
	return ask_code(read);
}
