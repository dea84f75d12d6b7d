/* L1, the watchers and the witness of a test's own making: what a relayer asks
 * of them waits in `world` for the test's answer.  Included by one .c file a
 * program; the linker then passes over the real ones. */
#ifndef EGRESS_TESTS_FAKE_L1_H
#define EGRESS_TESTS_FAKE_L1_H

#include "tests/unit/unit.h"

#include "l1/account.h"
#include "relayer/book.h"
#include "relayer/calls.h"

#define ASKS 8

struct asked { /* a batch of calls that waits for its answer */
	bool open;
	uint32_t selector;
	size_t n;
	uint64_t ids[FATES_MAX]; /* of withdrawals */
	struct hash32 at;
	l1_calls_done *done;
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

enum err l1_calls(struct l1 *l1, struct address from,
		  const struct l1_call *calls, size_t n,
		  struct hash32 block_hash, l1_calls_done *done, void *ctx)
{
	(void)l1;
	(void)from;
	for (size_t i = 0; i < ASKS; i++) {
		struct asked *a = &world.asks[i];
		if (a->open)
			continue;
		*a = (struct asked){.open = true,
				    .n = n,
				    .at = block_hash,
				    .done = done,
				    .ctx = ctx};
		a->selector = (uint32_t)get_be(calls[0].data.p, 4);
		for (size_t k = 0; k < n && k < FATES_MAX; k++)
			if (calls[k].data.len == 12)
				a->ids[k] = get_be(calls[k].data.p + 4, 8);
		return OK;
	}
	return ERR_BUSY;
}

static inline struct asked *ask_of(uint32_t selector)
{
	for (size_t i = 0; i < ASKS; i++)
		if (world.asks[i].open && world.asks[i].selector == selector)
			return &world.asks[i];
	return NULL;
}

static inline void answer_calls(uint32_t selector,
				const struct l1_call_result *results)
{
	struct asked *a = ask_of(selector), copy;

	assert_non_null(a);
	copy = *a;
	a->open = false;
	copy.done(copy.ctx, results, copy.n);
}

#define SEL_A_WITHDRAWAL UINT32_C(0x77777777)

/* A withdrawal is answered as it stands in memory. */
void l1_withdrawal_call(struct buf *data, uint64_t id)
{
	buf_add_be(data, SEL_A_WITHDRAWAL, 4);
	buf_add_be(data, id, 8);
}

enum err l1_withdrawal_decode(struct slice data, struct l1_withdrawal *ret)
{
	if (data.len != sizeof(*ret))
		return ERR_INVALID;
	memcpy(ret, data.p, sizeof(*ret));
	return OK;
}

const char *l1_revert_name(struct slice data, char *to, size_t size)
{
	(void)data;
	(void)size;
	*to = 0;
	return to;
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
