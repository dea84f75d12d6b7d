/* L1, the watchers and the witness of a test's own making: what a relayer asks
 * of them waits in `world` for the test's answer.  Included by one .c file a
 * program; the linker then passes over the real ones. */
#ifndef EGRESS_TESTS_FAKE_L1_H
#define EGRESS_TESTS_FAKE_L1_H

#include "tests/unit/unit.h"

#include "l1/account.h"
#include "relayer/book.h"
#include "l1/withdrawals.h"
#include "relayer/calls.h"

#define ASKS 8

struct asked { /* a read of L1 that waits for its answer */
	bool open;
	struct hash32 slot; /* the first; zero: of withdrawals */
	size_t n;
	uint64_t ids[FATES_MAX]; /* of withdrawals */
	struct hash32 at;
	l1_slots_done *words_done;
	l1_withdrawals_done *entries_done;
	void *ctx;
};

static struct {
	unsigned proofs, statuses, events, broadcasts;
	struct asked asks[ASKS];
	peers_got *proof_got;
	void *proof_ctx;
	bool no_peer; /* peers_ask says ERR_BUSY */
	struct hash32 status_of;
	tx_status_done *status_done;
	void *status_ctx;
	send_done *sent_done;
	void *send_ctx;
	enum witnessed witnessed;
	enum witnessed payment_seen;
	struct payment payment;
	events_got *event_got;
	void *event_ctx;
} world;

static inline void world_clear(void)
{
	memset(&world, 0, sizeof(world));
}

static inline enum err add_ask(struct asked what)
{
	what.open = true;
	for (size_t i = 0; i < ASKS; i++) {
		if (world.asks[i].open)
			continue;
		world.asks[i] = what;
		return OK;
	}
	return ERR_BUSY;
}

enum err l1_slots(struct l1 *l1, struct address at, const struct hash32 *slots,
		  size_t n, struct hash32 block, l1_slots_done *done, void *ctx)
{
	(void)l1;
	(void)at;
	return add_ask((struct asked){.slot = slots[0],
				      .n = n,
				      .at = block,
				      .words_done = done,
				      .ctx = ctx});
}

enum err l1_withdrawals(struct l1 *l1, struct address rollup,
			const uint64_t *ids, size_t n, struct hash32 block,
			l1_withdrawals_done *done, void *ctx)
{
	struct asked a = {
		.n = n, .at = block, .entries_done = done, .ctx = ctx};
	(void)l1;
	(void)rollup;
	memcpy(a.ids, ids, n * sizeof(*ids));
	return add_ask(a);
}

/* That read of words whose first is at slot; zero: of withdrawals. */
static inline struct asked *ask_of(struct hash32 slot)
{
	for (size_t i = 0; i < ASKS; i++)
		if (world.asks[i].open && hash_eq(world.asks[i].slot, slot))
			return &world.asks[i];
	return NULL;
}

static inline struct asked *ask_of_entries(void)
{
	return ask_of((struct hash32){{0}});
}

/* words: one for each slot that was asked for; NULL: nobody answers. */
static inline void answer_words(struct hash32 slot, const struct hash32 *words)
{
	struct asked *a = ask_of(slot), copy;

	assert_non_null(a);
	copy = *a;
	a->open = false;
	copy.words_done(copy.ctx, words ? OK : ERR_IO, "", words,
			words ? copy.n : 0);
}

/* queue: by id; NULL: nobody answers. */
static inline void answer_entries(const struct l1_withdrawal *queue)
{
	struct l1_withdrawal entries[FATES_MAX];
	struct asked *a = ask_of_entries(), copy;

	assert_non_null(a);
	copy = *a;
	a->open = false;
	for (size_t i = 0; queue && i < copy.n; i++)
		entries[i] = queue[copy.ids[i]];
	copy.entries_done(copy.ctx, queue ? OK : ERR_IO, "",
			  queue ? entries : NULL, queue ? copy.n : 0);
}

enum err account_read(struct l1 *l1, struct address account, account_done *done,
		      void *ctx)
{
	(void)l1;
	(void)account;
	(void)done;
	(void)ctx;
	return ERR_BUSY;
}

enum err tx_status_read(struct l1 *l1, struct hash32 tx, tx_status_done *done,
			void *ctx)
{
	(void)l1;
	world.statuses++;
	world.status_of = tx;
	world.status_done = done;
	world.status_ctx = ctx;
	return OK;
}

enum err tx_broadcast(struct l1 *l1, struct slice signed_bytes, send_done *done,
		      void *ctx)
{
	(void)l1;
	(void)signed_bytes;
	world.broadcasts++;
	world.sent_done = done;
	world.send_ctx = ctx;
	return OK;
}

enum err tx_estimate(struct l1 *l1, struct address from, bool create,
		     struct address to, struct u256 value, struct slice data,
		     estimate_done *done, void *ctx)
{
	(void)l1;
	(void)from;
	(void)create;
	(void)to;
	(void)value;
	(void)data;
	(void)done;
	(void)ctx;
	return ERR_BUSY;
}

struct peers *peers_new(struct http_client *http, const char *what,
			const struct config_list *urls)
{
	(void)http;
	(void)what;
	(void)urls;
	return NULL;
}

void peers_free(struct peers *p)
{
	(void)p;
}

size_t peers_count(const struct peers *p)
{
	(void)p;
	return 0;
}

const char *peers_url(const struct peers *p, size_t peer)
{
	(void)p;
	(void)peer;
	return "";
}

enum err peers_ask(struct peers *p, const char *path, uint64_t now_ms,
		   peers_got *got, void *ctx)
{
	(void)p;
	(void)path;
	(void)now_ms;
	if (world.no_peer)
		return ERR_BUSY;
	world.proofs++;
	world.proof_got = got;
	world.proof_ctx = ctx;
	return OK;
}

enum err peers_ask_one(struct peers *p, size_t peer, const char *path,
		       uint64_t now_ms, peers_got *got, void *ctx)
{
	(void)peer;
	return peers_ask(p, path, now_ms, got, ctx);
}

void peers_blame(struct peers *p, size_t peer, uint64_t now_ms, const char *why)
{
	(void)p;
	(void)peer;
	(void)now_ms;
	(void)why;
}

size_t peers_usable(const struct peers *p, uint64_t now_ms)
{
	(void)p;
	(void)now_ms;
	return 1;
}

enum err events_read(struct events *e, struct address emitter,
		     struct hash32 block_hash, struct hash32 tx,
		     enum sovereign_event event, events_got *got, void *ctx)
{
	(void)e;
	(void)emitter;
	(void)block_hash;
	(void)tx;
	(void)event;
	world.events++;
	world.event_got = got;
	world.event_ctx = ctx;
	return OK;
}

struct events *events_new(struct l1 *l1)
{
	(void)l1;
	return NULL;
}

void events_free(struct events *e)
{
	(void)e;
}

enum witnessed witness_of(const struct witness *w, const struct exit_to *wish,
			  uint64_t in, uint64_t out)
{
	(void)w;
	(void)wish;
	assert_true(in < out);
	return world.witnessed;
}

enum witnessed witness_payment(const struct witness *w, uint64_t id,
			       uint64_t at, struct payment *ret)
{
	(void)w;
	(void)id;
	assert_true(at);
	*ret = world.payment;
	return world.payment_seen;
}

#endif
