#include "relayer/settle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "l1/layout.h"
#include "l1/slots.h"
#include "relayer/bucket.h"
#include "relayer/calls.h"
#include "relayer/carry.h"
#include "relayer/limits.h"
#include "relayer/partial.h"
#include "sys/log.h"

enum settle_stage {
	SETTLE_IDLE,
	SETTLE_READ,  /* which buckets are dirty, at the block acted on */
	SETTLE_FETCH, /* their records, under its root */
	SETTLE_ASK,   /* would the first one pass at the head? */
	SETTLE_SEND,  /* the chain is wanted, link by link */
	SETTLE_WAIT,  /* until all of it is final, or given up */
};

struct link { /* one bucket of the chain */
	struct settle *owner;
	uint64_t number;
	struct u256 mask;
	bool asked, have;
	uint64_t retry_ms;
	struct bucket bucket;
	struct hash32 key;
};

struct settle {
	struct parts *parts;
	uint64_t now_ms, next_ms;
	enum settle_stage stage;
	struct hash32 root; /* the chain rests on it */
	uint64_t life, leaf_count, from_head;
	/* READ */
	bool asked;
	uint64_t read_at, read_n, buckets;
	/* the chain */
	size_t n, sent;
	struct link links[SETTLE_CHAIN];
	struct partial tree;
	uint64_t gas; /* of the first one, estimated */
	struct buf call;
	bool broken;
};

struct settle *settle_new(struct parts *parts)
{
	struct settle *s = calloc(1, sizeof(*s));

	if (!s)
		fatal("out of memory", "settle");
	s->parts = parts;
	for (size_t i = 0; i < SETTLE_CHAIN; i++)
		s->links[i].owner = s;
	return s;
}

void settle_free(struct settle *s)
{
	if (!s)
		return;
	buf_done(&s->call);
	free(s);
}

static bool answers_due(const struct settle *s)
{
	for (size_t i = 0; i < SETTLE_CHAIN; i++)
		if (s->links[i].asked)
			return true;
	return s->asked;
}

/* ---- READ --------------------------------------------------------------- */

static void bitmap_came(void *ctx, enum err err, const char *why,
			const struct hash32 *words, size_t n)
{
	struct settle *s = ctx;

	(void)why;
	s->asked = false;
	if (s->stage != SETTLE_READ || err || n < s->read_n)
		return; /* read again */
	for (size_t i = 0; i < s->read_n; i++) {
		struct u256 mask = u256_from_be(words[i].b, 32);
		if (u256_is_zero(mask))
			continue;
		struct link *link = &s->links[s->n++];
		link->number = s->read_at + i;
		link->mask = mask;
		link->have = false;
		link->retry_ms = 0;
		if (s->n == SETTLE_CHAIN)
			break;
	}
	s->read_at += s->read_n;
	if (s->n == SETTLE_CHAIN || s->read_at >= s->buckets)
		s->stage = s->n ? SETTLE_FETCH : SETTLE_WAIT;
}

static void read_bitmaps(struct settle *s, const struct turn *t)
{
	struct hash32 slots[EVACUATE_READS];
	size_t n = 0;

	if (s->asked)
		return;
	for (; n < EVACUATE_READS && s->read_at + n < s->buckets; n++)
		slots[n] = layout_exited(s->read_at + n);
	s->read_n = n;
	if (n && !l1_slots(s->parts->l1, t->facts->rollup, slots, n,
			   t->facts->block.hash, bitmap_came, s))
		s->asked = true;
}

/* ---- FETCH -------------------------------------------------------------- */

static void bucket_came(void *ctx, const struct peer_answer *answer)
{
	struct link *link = ctx;
	struct settle *s = link->owner;

	link->asked = false;
	if (s->stage != SETTLE_FETCH || link->have)
		return;
	link->retry_ms = s->now_ms + PROOF_RETRY_MS;
	if (answer->err)
		return;
	enum err err = bucket_parse(answer->root, link->number, s->leaf_count,
				    s->root, &link->bucket);
	if (err == ERR_INVALID)
		peers_blame(s->parts->peers, answer->peer, s->now_ms,
			    "its bucket does not lead to its root");
	link->have = !err;
}

static bool fetch(struct settle *s)
{
	char path[64];
	bool all = true;

	for (size_t i = 0; i < s->n; i++) {
		struct link *link = &s->links[i];
		all = all && link->have;
		if (link->have || link->asked)
			continue;
		if (s->now_ms < link->retry_ms) {
			if (link->retry_ms < s->next_ms)
				s->next_ms = link->retry_ms;
			continue;
		}
		snprintf(path, sizeof(path), "/v1/bucket/%llu",
			 (unsigned long long)link->number);
		link->retry_ms = s->now_ms + PROOF_RETRY_MS;
		link->asked = !peers_ask(s->parts->peers, path, s->now_ms,
					 bucket_came, link);
	}
	return all;
}

/* ---- ASK and SEND ------------------------------------------------------- */

static struct hash32 bucket_node(const struct bucket *b)
{
	return merkle_bucket_root(b->records, b->n);
}

/* All proofs lead to one root; from here on the tree is our own. */
static bool build_tree(struct settle *s)
{
	partial_init(&s->tree, merkle_depth(s->leaf_count) - MERKLE_DEPTH_MIN,
		     s->root);
	for (size_t i = 0; i < s->n; i++)
		if (partial_add(&s->tree, s->links[i].number,
				bucket_node(&s->links[i].bucket),
				s->links[i].bucket.siblings))
			return false;
	return true;
}

static void encode(const struct settle *s, const struct link *link,
		   struct buf *to)
{
	struct hash32 siblings[PARTIAL_LEVELS];
	struct path path = {siblings, s->tree.levels};

	partial_path(&s->tree, link->number, siblings);
	buf_init(to, TX_DATA_MAX);
	call_settle_bucket(to, link->number, link->bucket.records,
			   link->bucket.n, path);
}

static void estimate_came(void *ctx, enum err err, const char *why,
			  uint64_t gas)
{
	struct settle *s = ctx;

	s->asked = false;
	if (s->stage != SETTLE_ASK)
		return;
	if (err) { /* somebody was faster: the facts will show it */
		log_debug("settling waits", "why", why);
		s->broken = true;
		s->stage = SETTLE_WAIT;
		return;
	}
	s->gas = gas;
	s->stage = SETTLE_SEND;
}

static void ask_first(struct settle *s, const struct turn *t)
{
	if (s->asked)
		return;
	buf_done(&s->call);
	encode(s, &s->links[0], &s->call);
	if (!tx_estimate(s->parts->l1, s->parts->config->account, false,
			 t->facts->rollup, u256_from(0), buf_slice(&s->call),
			 estimate_came, s))
		s->asked = true;
}

static void send(struct settle *s, struct turn *t)
{
	while (s->sent < s->n) {
		struct link *link = &s->links[s->sent];
		struct task task = {.purpose = PURPOSE_EVACUATE,
				    .to = t->facts->rollup};

		task.key = task_key("settle", s->life, link->number, s->root);
		encode(s, link, &task.data);
		uint64_t least = tx_intrinsic_gas(buf_slice(&task.data), false);
		task.gas =
			(least > s->gas ? least : s->gas) * 5 / 4 + SETTLE_GAS;
		if (task.gas > TX_GAS_MAX)
			task.gas = TX_GAS_MAX;
		enum want want = submit_want(s->parts->submit, t, &task);
		if (want == WANT_FULL)
			return; /* the rest next turn */
		if (want != WANT_TAKEN) {
			s->broken = true;
			break;
		}
		link->key = task.key;
		bucket_settle(&link->bucket, link->mask);
		partial_set(&s->tree, link->number, bucket_node(&link->bucket));
		s->sent++;
		t->again = true;
	}
	s->stage = SETTLE_WAIT;
}

/* ---- the turn ----------------------------------------------------------- */

static void begin(struct settle *s, const struct turn *t)
{
	s->stage = SETTLE_READ;
	s->root = t->facts->root;
	s->life = t->facts->openings;
	s->leaf_count = t->facts->leaf_count;
	s->buckets = (s->leaf_count + BUCKET_LEAVES - 1) / BUCKET_LEAVES;
	s->read_at = s->n = s->sent = 0;
	s->broken = false;
	s->from_head = 0;
}

/* Not while anything of ours is on its way: the facts must show it first. */
static bool may_begin(struct settle *s, const struct turn *t)
{
	uint64_t head = t->view->head.number;

	if (answers_due(s) || submit_count(s->parts->submit, PURPOSE_EVACUATE))
		return false;
	if (!s->from_head) /* each chain anew: nobody is always the last */
		s->from_head = head + stagger_rank(s->parts->config->account,
						   t->facts->root) *
					      SETTLE_STAGGER_BLOCKS;
	return head >= s->from_head;
}

static bool changed(const struct settle *s, const struct turn *t)
{
	return !hash_eq(s->root, t->facts->root) ||
	       s->life != t->facts->openings;
}

static void step(struct settle *s, struct turn *t)
{
	switch (s->stage) {
	case SETTLE_IDLE:
		if (may_begin(s, t))
			begin(s, t);
		return;
	case SETTLE_READ:
		if (changed(s, t))
			s->stage = SETTLE_IDLE;
		else
			read_bitmaps(s, t);
		return;
	case SETTLE_FETCH:
		if (changed(s, t)) {
			s->stage = SETTLE_IDLE;
		} else if (fetch(s)) {
			s->stage = build_tree(s) ? SETTLE_ASK : SETTLE_IDLE;
			t->again = true;
		}
		return;
	case SETTLE_ASK:
		ask_first(s, t);
		return;
	case SETTLE_SEND:
		send(s, t);
		return;
	case SETTLE_WAIT:
		if (t->facts_moved && may_begin(s, t) &&
		    (changed(s, t) || s->broken))
			s->stage = SETTLE_IDLE;
		return;
	}
}

void settle_turn(struct settle *s, struct turn *t)
{
	enum settle_stage before;

	s->now_ms = t->now_ms;
	s->next_ms = UINT64_MAX;
	if (!turn_sees(t) || !s->parts->config->evacuate.enabled)
		return;
	if (t->facts->state != ROLLUP_SETTLING) {
		s->stage = SETTLE_IDLE;
		s->from_head = 0;
		return;
	}
	do {
		before = s->stage;
		step(s, t);
	} while (s->stage != before && s->stage != SETTLE_WAIT);
}

void settle_news(struct settle *s, struct turn *t, const struct task_news *news)
{
	bool ours = false;

	(void)t;
	for (size_t i = 0; i < s->sent; i++)
		ours = ours || hash_eq(s->links[i].key, news->key);
	if (!ours)
		return;
	if (news->event == TASK_REFUSED || news->event == TASK_UNSIGNED ||
	    news->event == TASK_LOST || news->event == TASK_DROPPED ||
	    (news->event == TASK_FINAL && news->reverted))
		s->broken = true;
}

uint64_t settle_next(const struct settle *s)
{
	return s->next_ms;
}
