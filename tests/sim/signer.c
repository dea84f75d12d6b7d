/* sys/signer_client.c of the simulator, and the signers behind it: the real
 * signer_answer() over a real ledger of choices. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "signer/choices.h"
#include "sys/signer_client.h"
#include "tests/sim/world.h"

#define QUEUE 16

struct question {
	struct buf bytes; /* the ask: what it borrows may go */
	struct vote vote; /* of a ballot */
	signer_done *done;
	void *ctx;
	uint64_t due_ms;
};

struct signer_client {
	unsigned guardian;
	size_t n;
	struct question queue[QUEUE];
};

/* One for all guardians, one for all relayers. */
static struct policy policy, paying;

void sim_signer_start(struct sim_signer *s)
{
	struct store_identity id = {.chain_id = SIM_CHAIN_ID,
				    .hatch = world->chain.hatch,
				    .program = "signer"};
	struct err_text error = {""};
	struct store_txn *txn;

	policy =
		(struct policy){.chain_id = SIM_CHAIN_ID,
				.hatch = world->chain.hatch,
				.rollup = world->chain.rollup,
				.actions = 1u << VOTE_PROMOTE | 1u << VOTE_OPEN,
				.any_standby = true,
				.round = world->chain.terms.round};
	s->signer = (struct signer){.policy = &policy, .keyring = sim_keys};
	if (store_open(s->dir, 1u << 20, &id, &s->store, &error)) {
		sim_break("a signer's store does not open: %s", error.text);
		return;
	}
	store_set_nosync(s->store);
	if (store_begin(s->store, true, &txn) ||
	    ballots_open(txn, &s->signer.ballots) || store_commit(txn))
		sim_break("a signer's ballots do not open");
	s->signer.store = s->store;
	s->fate.failed = false;
	store_set_hook(s->store, sim_hook, &s->fate);
}

void sim_signer_stop(struct sim_signer *s)
{
	store_close(s->store);
	s->store = NULL;
}

struct signer_client *signer_client_new(const char *path)
{
	struct signer_client *c = calloc(1, sizeof(*c));

	if (c)
		c->guardian = (unsigned)(path[0] - '0');
	return c;
}

struct signer_client *signer_client_new_fd(int fd)
{
	(void)fd;
	return NULL;
}

void signer_client_free(struct signer_client *c)
{
	for (size_t i = 0; c && i < c->n; i++)
		buf_done(&c->queue[i].bytes);
	free(c);
}

enum err signer_client_ask(struct signer_client *c, const struct ask *ask,
			   signer_done *done, void *ctx)
{
	if (c->n == QUEUE)
		return ERR_BUSY;
	c->queue[c->n] = (struct question){
		.vote = ask->vote,
		.done = done,
		.ctx = ctx,
		.due_ms = world->now_ms + rng_between(&world->rng, 1, 300)};
	buf_init(&c->queue[c->n].bytes, ASK_MAX);
	ask_encode(ask, &c->queue[c->n++].bytes);
	return OK;
}

/* false: the signer died over it. */
static bool sign(struct sim_signer *s, unsigned guardian, struct slice bytes,
		 const struct vote *vote, struct ask_answer *ret)
{
	if (world->plant == PLANT_SIGN)
		planted_signer_answer(&s->signer, 1u << ASK_BALLOT, bytes, ret);
	else
		signer_answer(&s->signer, 1u << ASK_BALLOT, bytes, ret);
	/* the signature exists, whoever receives it */
	if (ret->status == ASK_SIGNED)
		check_signed(guardian, vote);
	if (!s->fate.failed)
		return true;
	world->counts[COUNT_CRASHES]++;
	sim_signer_stop(s);
	s->up_ms = world->now_ms + rng_between(&world->rng, 500, 5000);
	return false;
}

/* A relayer's signer has no ledger, and nothing to die over. */
static void sign_transaction(struct slice bytes, struct ask_answer *ret)
{
	struct signer signer = {.policy = &paying, .keyring = sim_keys};

	paying = (struct policy){.chain_id = SIM_CHAIN_ID,
				 .hatch = world->chain.hatch,
				 .rollup = world->chain.rollup,
				 .fee = u256_from(1000000000000)};
	signer_answer(&signer, 1u << ASK_TRANSACTION, bytes, ret);
	if (ret->status != ASK_SIGNED)
		sim_break("a relayer's ask is refused: %s", ret->text);
}

static bool answer(const struct signer_client *c, const struct question *q,
		   struct ask_answer *ret)
{
	struct sim_signer *s;

	if (c->guardian >= SIM_GUARDIANS) {
		sign_transaction(buf_slice(&q->bytes), ret);
		return true;
	}
	s = &world->signers[c->guardian];
	return s->store &&
	       sign(s, c->guardian, buf_slice(&q->bytes), &q->vote, ret);
}

/* A client that lost its head: what it asks says nothing of the chain, and
 * must not lead to two choices either.  Of an epoch that nobody votes in. */
void sim_signer_wild(unsigned guardian)
{
	struct sim_signer *s = &world->signers[guardian];
	const struct sim_chain *c = &world->chain;
	struct rng *r = &world->rng;
	uint64_t now = sim_unix_s(world->now_ms);
	struct ask_answer answer;
	struct buf bytes;
	struct ask ask = {.kind = ASK_BALLOT,
			  .key = c->guardians[guardian],
			  .vote = {.chain_id = SIM_CHAIN_ID,
				   .hatch = c->hatch,
				   .action = VOTE_OPEN,
				   .epoch = SIM_WILD,
				   .progress = 1}};

	ask.vote.subject = vote_subject_bytes(slice_of(NULL, 0));
	if (rng_chance(r, 80)) {
		ask.vote.action = VOTE_PROMOTE;
		ask.vote.subject = vote_subject_address(
			c->sequencers[rng_below(r, SIM_SEQUENCERS)]);
	}
	ask.vote.expiry = ballot_expiry(now, c->terms.round) +
			  rng_below(r, 4) * c->terms.round;
	buf_init(&bytes, ASK_MAX);
	ask_encode(&ask, &bytes);
	if (s->store)
		(void)sign(s, guardian, buf_slice(&bytes), &ask.vote, &answer);
	buf_done(&bytes);
}

uint64_t signer_client_turn(struct signer_client *c, uint64_t now)
{
	while (c->n && c->queue[0].due_ms <= now) {
		struct question q = c->queue[0];
		struct ask_answer got;

		if (!answer(c, &q, &got) ||
		    rng_chance(&world->rng, world->faults.lose_answer)) {
			c->queue[0].due_ms = now + 700; /* asks again */
			break;
		}
		c->n--;
		memmove(c->queue, c->queue + 1, c->n * sizeof(q));
		q.done(q.ctx, OK, &got);
		buf_done(&q.bytes);
	}
	return c->n ? c->queue[0].due_ms : UINT64_MAX;
}

uint64_t sim_signer_due(const struct signer_client *c)
{
	return c && c->n ? c->queue[0].due_ms : UINT64_MAX;
}

struct pollfd signer_client_pollfd(const struct signer_client *c)
{
	(void)c;
	return (struct pollfd){.fd = -1};
}

const char *signer_client_trouble(const struct signer_client *c)
{
	(void)c;
	return "";
}
