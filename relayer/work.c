#include "relayer/work.h"

#include <stdio.h>

#include "abi/keccak.h"
#include "l1/layout.h"
#include "l1/slots.h"
#include "relayer/calls.h"
#include "sys/log.h"

/* ---- FETCH -------------------------------------------------------------- */

static void bucket_came(void *ctx, const struct peer_answer *answer)
{
	struct work *work = ctx;
	struct evacuate *e = work->owner;
	uint64_t number = work->bucket.number;

	work->asked = false;
	if (work->stage != WORK_FETCH)
		return;
	work->retry_ms = e->now_ms + PROOF_RETRY_MS;
	if (answer->err)
		return;
	enum err err = bucket_parse(answer->root, number, e->leaf_count,
				    work->root, &work->bucket);
	work->bucket.number = number;
	if (err == ERR_INVALID)
		peers_blame(e->parts->peers, answer->peer, e->now_ms,
			    "its bucket does not lead to its root");
	if (err)
		return;
	work->payable = bucket_payable(&work->bucket);
	work->stage = WORK_READ;
	work->retry_ms = 0;
	work->head = 0;
}

static void fetch(struct evacuate *e, struct work *work)
{
	char path[64];

	if (work->asked)
		return;
	snprintf(path, sizeof(path), "/v1/bucket/%llu",
		 (unsigned long long)work->bucket.number);
	if (!peers_ask(e->parts->peers, path, e->now_ms, bucket_came, work))
		work->asked = true;
	else
		work->retry_ms = e->now_ms + PROOF_RETRY_MS;
}

/* ---- READ --------------------------------------------------------------- */

static void bitmap_came(void *ctx, enum err err, const char *why,
			const struct hash32 *words, size_t n)
{
	struct evacuate *e = ctx;

	(void)why;
	e->reading = false;
	for (size_t i = 0; i < e->n_read; i++) {
		struct work *work = e->read[i];
		work->asked = false;
		if (work->stage != WORK_READ)
			continue;
		if (err || i >= n) {
			work->head = 0;
			work->retry_ms = e->now_ms + PROOF_RETRY_MS;
			continue;
		}
		work->exited = u256_from_be(words[i].b, 32);
		work->stage = WORK_PLAN;
	}
}

void work_read_bitmaps(struct evacuate *e, const struct turn *t)
{
	struct hash32 slots[EVACUATE_WORKS];
	uint64_t head = t->view->head.number;
	size_t n = 0;

	if (e->reading)
		return;
	for (size_t i = 0; i < EVACUATE_WORKS; i++) {
		struct work *work = &e->works[i];
		if (work->stage != WORK_READ || work->head == head ||
		    work->asked || t->now_ms < work->retry_ms)
			continue;
		work->head = head;
		e->read[n] = work;
		slots[n++] = layout_exited(work->bucket.number);
	}
	if (n && !l1_slots(e->parts->l1, t->facts->rollup, slots, n,
			   t->view->head.hash, bitmap_came, e)) {
		e->reading = true;
		e->n_read = n;
		for (size_t i = 0; i < n; i++)
			e->read[i]->asked = true;
	} else {
		for (size_t i = 0; i < n; i++)
			e->read[i]->head = 0; /* busy: next turn */
	}
}

/* ---- PLAN --------------------------------------------------------------- */

static enum want send_exits(struct evacuate *e, struct turn *t,
			    struct work *work, struct u256 left)
{
	const struct bucket *b = &work->bucket;
	struct u256 mask = bucket_cut(b, left, work->most);
	struct path path = {b->siblings, b->levels};
	struct task task = {.purpose = PURPOSE_EVACUATE,
			    .to = t->facts->rollup};
	struct address asset;
	uint8_t bits[32];

	if (work->reverted)
		task.margin = bucket_pay_gas(b, mask);
	u256_to_be(mask, bits, sizeof(bits));
	task.key = task_key("exit bucket", e->life, b->number,
			    keccak256(bits, sizeof(bits)));
	work->key = task.key;
	buf_init(&task.data, TX_DATA_MAX);
	if (bucket_uniform(b, &asset))
		call_exit_uniform(&task.data, b->number, mask, asset,
				  b->records, b->n, path);
	else
		call_exit_bucket(&task.data, b->number, mask, b->records, b->n,
				 path);
	return submit_want(e->parts->submit, t, &task);
}

static void send_wish(struct evacuate *e, struct turn *t, struct work *work,
		      const struct request *wish)
{
	struct hash32 siblings[MERKLE_DEPTH_MAX];
	unsigned leaf = wish->exit_to.index % BUCKET_LEAVES;
	struct path path = {siblings, MERKLE_DEPTH_MIN + work->bucket.levels};
	struct task task = {.key = wish->id,
			    .purpose = PURPOSE_EVACUATE,
			    .to = t->facts->rollup,
			    .urgency = FEE_URGENT / 4};

	if (submit_waits(e->parts->submit, t->now_ms, task.key))
		return;
	bucket_leaf_path(&work->bucket, leaf, siblings);
	buf_init(&task.data, TX_DATA_MAX);
	call_exit_to(&task.data, &wish->exit_to, &work->bucket.records[leaf],
		     path, &wish->signature);
	if (submit_want(e->parts->submit, t, &task) == WANT_TAKEN)
		t->again = true;
}

/* "" or why L1 would refuse it, whoever carries it. */
static const char *hopeless(const struct evacuate *e, const struct turn *t,
			    const struct work *work, const struct request *wish)
{
	unsigned leaf = wish->exit_to.index % BUCKET_LEAVES;
	struct address signer;

	if (wish->state != REQUEST_QUEUED)
		return "";
	if (!mask_has(work->payable, leaf))
		return "there is no balance in this leaf";
	if (request_signer(wish, e->parts->config->shared.chain.id,
			   t->facts->rollup, &signer) ||
	    !address_eq(signer, record_owner(&work->bucket.records[leaf])))
		return "not signed by the leaf's owner";
	return "";
}

/* At the newest block: nothing is left to carry.  Whether the wish has ended
 * the book decides, at the block acted on. */
static bool is_out(const struct work *work, const struct request *wish)
{
	return mask_has(work->exited, wish->exit_to.index % BUCKET_LEAVES);
}

/* Carries those that are due, one for each leaf: not while another wish of
 * the same leaf is on its way. */
static void send_wishes(struct evacuate *e, struct turn *t, struct work *work,
			struct u256 busy)
{
	struct wish_walk at = {0, 0};
	struct wish wish;

	while (wishes_walk(e->wishes, t, &at, &wish)) {
		const struct request *r = &wish.request;
		unsigned leaf = r->exit_to.index % BUCKET_LEAVES;
		if (r->exit_to.index / BUCKET_LEAVES != work->bucket.number ||
		    is_out(work, r) || mask_has(busy, leaf) ||
		    !wishes_due(e->wishes, t, &wish) ||
		    *hopeless(e, t, work, r))
			continue;
		busy = mask_with(busy, leaf);
		send_wish(e, t, work, r);
	}
}

/* Wishes of this bucket that have not ended: carried, and left out of the
 * mask. One that is hopeless fails here. */
static enum err serve_wishes(struct evacuate *e, struct turn *t,
			     struct work *work, struct u256 *ret_mask)
{
	struct u256 mask = u256_from(0), busy = mask;
	struct wish_walk at = {0, 0};
	struct wish wish;
	bool due = false;
	enum err err = OK;

	while (!err && wishes_walk(e->wishes, t, &at, &wish)) {
		const struct request *r = &wish.request;
		if (r->exit_to.index / BUCKET_LEAVES != work->bucket.number ||
		    is_out(work, r))
			continue;
		const char *why = hopeless(e, t, work, r);
		if (*why) {
			err = wishes_fail(e->wishes, t, &wish, why);
			continue;
		}
		mask = mask_with(mask, r->exit_to.index % BUCKET_LEAVES);
		if (r->state != REQUEST_QUEUED ||
		    submit_flying(e->parts->submit, r->id))
			busy = mask_with(busy,
					 r->exit_to.index % BUCKET_LEAVES);
		due = due || wishes_due(e->wishes, t, &wish);
	}
	if (!err && due)
		send_wishes(e, t, work, busy);
	*ret_mask = mask;
	return err;
}

static void finish_bucket(struct evacuate *e, struct work *work)
{
	e->state[work->bucket.number] = BUCKET_DONE;
	e->payable[work->bucket.number] = work->payable;
	e->finished++;
	work->stage = WORK_FREE;
	if (e->finished < e->n)
		return;
	e->done_head = work->head;
	log_notice("every bucket is out, waiting for the final block",
		   "buckets", log_u64(e->n).s, "ms",
		   log_u64(e->now_ms - e->started_ms).s);
}

static enum err plan(struct evacuate *e, struct turn *t, struct work *work)
{
	struct u256 wishes, left = mask_without(work->payable, work->exited);
	enum err err = serve_wishes(e, t, work, &wishes);

	if (err)
		return err;
	if (u256_is_zero(left)) {
		finish_bucket(e, work);
		return OK;
	}
	left = mask_without(left, wishes);
	work->stage = WORK_READ; /* at the next head, unless it flies */
	if (u256_is_zero(left))
		return OK;
	switch (send_exits(e, t, work, left)) {
	case WANT_TAKEN:
		work->stage = WORK_FLY;
		t->again = true;
		break;
	case WANT_FLYING: /* in a block that this head does not have yet */
	case WANT_HELD:
		break;
	case WANT_FULL:
		work->stage = WORK_PLAN;
		break;
	}
	return OK;
}

enum err work_turn(struct evacuate *e, struct turn *t, struct work *work)
{
	if (t->now_ms < work->retry_ms) {
		if (work->retry_ms < e->next_ms)
			e->next_ms = work->retry_ms;
		return OK;
	}
	switch (work->stage) {
	case WORK_FETCH:
		fetch(e, work);
		return OK;
	case WORK_PLAN:
		return plan(e, t, work);
	case WORK_FREE:
	case WORK_READ:
	case WORK_FLY:
		break;
	}
	return OK;
}
