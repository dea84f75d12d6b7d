/* The contracts' rules, ported by reading EscapeHatch.sol and
 * RollupBatches.sol: what they refuse leaves the state as it was. */
#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/diff.h"
#include "abi/family/sovereign.h"
#include "abi/words.h"
#include "tests/sim/chain.h"

#define INPUT_MAX 8192

const char *contract_run(struct sim_chain *c, struct sim_block *b,
			 const struct sim_want *want, struct rng *rng);

static struct hash32 topic_u64(uint64_t value)
{
	return typed_u64(value);
}

static struct sim_tx *new_tx(const struct sim_chain *c, struct sim_block *b,
			     enum sovereign_event event)
{
	struct sim_tx *tx = body_new(b);

	tx->has_log = true;
	tx->emitter = sovereign_emitter(event) == SOVEREIGN_HATCH ? c->hatch
								  : c->rollup;
	tx->to = tx->emitter;
	tx->topics[0] = sovereign_topic(event);
	return tx;
}

/* ---- commit ---- */

/* Updates first, ascending, then the new leaves: RollupBatches._checkEntries */
static void write_leaves(struct sim_state *s, unsigned writes, struct rng *rng,
			 struct buf *diff)
{
	struct address owner = {{0}}, native = {{0}};
	uint64_t at = 0, old = s->leaf_count;

	for (unsigned i = 0; i < writes; i++) {
		struct u256 amount = u256_from(rng_below(rng, 1000000));

		if (at < old && rng_chance(rng, 50)) {
			at = rng_between(rng, at, old - 1);
			s->leaves[at] =
				record_with_amount(&s->leaves[at], amount);
			diff_put(diff, at, &s->leaves[at]);
			at++;
			continue;
		}
		at = old;
		if (s->leaf_count == SIM_LEAVES)
			break;
		owner.b[0] = 0xc1;
		owner.b[19] = (uint8_t)s->leaf_count;
		s->leaves[s->leaf_count] =
			record_balance(owner, native, amount);
		diff_put(diff, s->leaf_count, &s->leaves[s->leaf_count]);
		s->leaf_count++;
	}
}

static void put_batch(struct buf *to, const struct batch *b)
{
	abi_put_u64(to, b->number);
	abi_put_hash(to, b->prev_root);
	abi_put_hash(to, b->root);
	abi_put_u64(to, b->leaf_count);
	abi_put_u64(to, b->inbox_through);
	abi_put_hash(to, b->inbox_acc);
	abi_put_hash(to, b->diff_hash);
}

static void emit_committed(struct sim_tx *tx, const struct commit_call *call,
			   struct address sequencer, uint64_t time,
			   uint64_t leaves_before)
{
	struct buf *d = &tx->data;

	tx->n_topics = 3;
	tx->topics[1] = topic_u64(call->batch.number);
	tx->topics[2] = typed_address(sequencer);
	put_batch(d, &call->batch);
	abi_put_u64(d, time);
	abi_put_u64(d, leaves_before);
	abi_put_u64(d, 0); /* inboxThrough */
	abi_put_u64(d, 0); /* withdrawHead */
	abi_put_u64(d, 12 * ABI_WORD);
	abi_put_hashes(d, call->roots, call->steps);
}

static const char *commit(struct sim_chain *c, struct sim_block *b,
			  const struct sim_want *want, struct rng *rng)
{
	struct sim_state *s = &b->state;
	struct commit_call call = {0};
	struct buf diff, input;
	struct sim_tx *tx;
	uint64_t leaves = s->leaf_count;

	if (want->sequencer != s->active)
		return "NotSequencer";
	if (s->state != ROLLUP_RUNNING)
		return "WrongState";
	buf_init(&diff, SIM_LEAVES * DIFF_ENTRY);
	call.batch.prev_root = s->root;
	write_leaves(s, want->writes, rng, &diff);
	call.diff = buf_slice(&diff);
	call.steps = diff_steps(call.diff);
	assert(call.steps <= 1 && !diff.failed);
	if (call.steps)
		call.roots[0] = s->root =
			merkle_bucket_root(s->leaves, s->leaf_count);
	s->count++;
	s->last_at = b->ref.time;
	call.batch.number = s->count;
	call.batch.root = s->root;
	call.batch.leaf_count = s->leaf_count;
	call.batch.diff_hash = diff_hash(call.diff, call.roots, call.steps);
	tx = new_tx(c, b, SOVEREIGN_COMMITTED);
	buf_init(&input, INPUT_MAX);
	commit_encode(&call, &input);
	emit_committed(tx, &call, c->sequencers[want->sequencer], b->ref.time,
		       leaves);
	body_sign(c, b, tx, SIM_RELAYERS + want->sequencer, buf_slice(&input));
	buf_done(&input);
	buf_done(&diff);
	return NULL;
}

/* ---- the hatch ---- */

static size_t place_of(const struct sim_chain *c, struct address guardian)
{
	size_t i = 0;

	while (i < c->n_guardians && !address_eq(c->guardians[i], guardian))
		i++;
	return i;
}

/* EscapeHatch._consent(): every signature recovered over the digest that the
 * contract itself computes, signers strictly ascending, all guardians. */
static const char *consent(const struct sim_chain *c, const struct vote *vote,
			   const struct bundle *bundle, uint8_t threshold)
{
	struct hash32 digest = vote_digest(vote);
	struct address last = {{0}}, signer;

	for (size_t i = 0; i < bundle->n; i++) {
		if (key_recover(digest, &bundle->signatures[i], &signer))
			return "BadSignature";
		if (address_cmp(signer, last) <= 0)
			return "NotAscending";
		if (place_of(c, signer) == c->n_guardians)
			return "NotGuardian";
		last = signer;
	}
	return bundle->n < threshold ? "TooFewVotes" : NULL;
}

static const char *quick(const struct sim_chain *c, uint64_t expiry,
			 uint64_t now)
{
	if (expiry % c->terms.round)
		return "BallotOffRound";
	if (now > expiry)
		return "BallotExpired";
	return ballot_fast_alive(expiry, c->terms.round, now)
		       ? NULL
		       : "BallotTooEarly";
}

static struct vote vote_of(const struct sim_chain *c, const struct sim_state *s,
			   enum vote_action action, struct hash32 subject,
			   uint64_t expiry)
{
	return (struct vote){.chain_id = SIM_CHAIN_ID,
			     .hatch = c->hatch,
			     .action = action,
			     .epoch = s->epoch,
			     .progress = s->count,
			     .subject = subject,
			     .expiry = expiry};
}

static const char *promote(struct sim_chain *c, struct sim_block *b,
			   const struct sim_want *want)
{
	struct sim_state *s = &b->state;
	unsigned to = want->sequencer, from = s->active, at = 0;
	uint64_t expiry = want->bundle.vote.expiry;
	const char *why;
	struct vote vote;
	struct sim_tx *tx;

	if (!chain_late(c, s, b->ref.time))
		return "WrongPhase";
	if (to == from)
		return "AlreadyActive";
	if (s->promoted_for[to] == s->count + 1)
		return "AlreadyPromoted";
	why = quick(c, expiry, b->ref.time);
	vote = vote_of(c, s, VOTE_PROMOTE,
		       vote_subject_address(c->sequencers[to]), expiry);
	if (!why)
		why = consent(c, &vote, &want->bundle, c->thresholds.promote);
	if (why)
		return why;
	while (at < s->n_standbys && s->standbys[at] != to)
		at++;
	if (at == s->n_standbys)
		return "NotStandby";
	s->epoch++;
	s->promoted_at = b->ref.time;
	s->promoted_for[to] = s->count + 1;
	s->standbys[at] = from;
	s->active = to;
	tx = new_tx(c, b, SOVEREIGN_PROMOTED);
	tx->n_topics = 4;
	tx->topics[1] = topic_u64(s->epoch);
	tx->topics[2] = typed_address(c->sequencers[from]);
	tx->topics[3] = typed_address(c->sequencers[to]);
	abi_put_u64(&tx->data, s->count);
	return NULL;
}

static void open_hatch(struct sim_chain *c, struct sim_block *b, unsigned cause)
{
	struct sim_state *s = &b->state;
	struct sim_tx *tx;

	s->epoch++;
	s->opened_at = b->ref.time;
	s->state = ROLLUP_OPEN;
	s->openings++;
	tx = new_tx(c, b, SOVEREIGN_OPENED);
	tx->n_topics = 2;
	tx->topics[1] = topic_u64(s->epoch);
	abi_put_u64(&tx->data, cause);
	abi_put_hash(&tx->data, s->root);
	abi_put_u64(&tx->data, s->count);
}

static const char *open_by_vote(struct sim_chain *c, struct sim_block *b,
				const struct sim_want *want)
{
	struct sim_state *s = &b->state;
	uint64_t expiry = want->bundle.vote.expiry;
	const char *why = quick(c, expiry, b->ref.time);
	struct vote vote = vote_of(
		c, s, VOTE_OPEN, vote_subject_bytes(slice_of(NULL, 0)), expiry);

	if (!chain_late(c, s, b->ref.time) &&
	    !(s->state == ROLLUP_RUNNING && s->last_at &&
	      chain_in_failover(c, s, b->ref.time)))
		return "WrongPhase";
	if (!why)
		why = consent(c, &vote, &want->bundle, c->thresholds.open);
	if (why)
		return why;
	open_hatch(c, b, 1);
	return NULL;
}

static const char *open_after_deadline(struct sim_chain *c, struct sim_block *b)
{
	struct sim_state *s = &b->state;

	if (s->state == ROLLUP_OPEN)
		return "WrongPhase";
	if (!s->last_at || b->ref.time <= s->last_at + c->terms.hard_deadline)
		return "TooEarly";
	open_hatch(c, b, 2);
	return NULL;
}

/* As a call of the hatch, from somebody who pays for it. */
static void carry(struct sim_chain *c, struct sim_block *b,
		  const struct sim_want *want)
{
	struct sim_tx *tx = b->txs[b->n_txs - 1];
	struct buf input, signatures;

	buf_init(&input, INPUT_MAX);
	buf_init(&signatures, INPUT_MAX);
	for (size_t i = 0; i < want->bundle.n; i++)
		buf_add(&signatures, want->bundle.signatures[i].b, 65);
	if (want->call == CALL_PROMOTE) {
		abi_put_selector(&input, SEL_ESCAPEHATCH_PROMOTE);
		abi_put_address(&input, c->sequencers[want->sequencer]);
		abi_put_u64(&input, want->bundle.vote.expiry);
		abi_put_u64(&input, 3 * ABI_WORD);
		abi_put_bytes(&input, buf_slice(&signatures));
	} else if (want->call == CALL_OPEN) {
		abi_put_selector(&input, SEL_ESCAPEHATCH_OPEN);
		abi_put_u64(&input, 3 * ABI_WORD);
		abi_put_u64(&input, want->bundle.vote.expiry);
		abi_put_u64(&input, 4 * ABI_WORD);
		abi_put_u64(&input, 0); /* args: none */
		abi_put_bytes(&input, buf_slice(&signatures));
	} else {
		abi_put_selector(&input, SEL_ESCAPEHATCH_OPEN_AFTER_DEADLINE);
	}
	body_sign(c, b, tx, SIM_CARRIER, buf_slice(&input));
	buf_done(&input);
	buf_done(&signatures);
}

const char *contract_run(struct sim_chain *c, struct sim_block *b,
			 const struct sim_want *want, struct rng *rng)
{
	const char *why = NULL;

	switch (want->call) {
	case CALL_COMMIT:
		return commit(c, b, want, rng);
	case CALL_PROMOTE:
		why = promote(c, b, want);
		break;
	case CALL_OPEN:
		why = open_by_vote(c, b, want);
		break;
	case CALL_OPEN_DEADLINE:
		why = open_after_deadline(c, b);
		break;
	}
	if (!why && !want->is_raw)
		carry(c, b, want);
	return why;
}
