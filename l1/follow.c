/* A queue of blocks fetched ahead of the committed tip, each linked to the
 * one before by its parent hash, or in deep history by its range (deep.c).  A
 * link that does not fit the tip itself is a reorganisation: the consumer
 * undoes its tip and says where it is then. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/header.h"
#include "l1/deep.h"
#include "l1/follow_impl.h"
#include "l1/range.h"
#include "l1/rpc.h"
#include "sys/clock.h"

#define RETRY_MS     500
#define ASKS_AT_ONCE 8

struct follow *follow_new(struct l1 *l1, const struct follow_config *config)
{
	struct follow *f = calloc(1, sizeof(*f));
	if (!f)
		abort();
	assert(config->n_addresses <= ARRAY_LEN(config->addresses));
	assert(config->n_topics <= ARRAY_LEN(config->topics));
	f->l1 = l1;
	f->config = *config;
	f->tip = config->tip;
	f->by_block = config->by_block;
	f->deep = deep_new(f);
	for (size_t i = 0; i < FOLLOW_AHEAD; i++)
		f->items[i].follow = f;
	return f;
}

static struct item *item_at(const struct follow *f, size_t i)
{
	return (struct item *)&f->items[(f->first + i) % FOLLOW_AHEAD];
}

static void clear_queue(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		item_clear(item_at(f, i));
	f->n = 0;
	deep_clear(f->deep);
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	quorum_cancel(f->l1->quorum, f);
	clear_queue(f);
	deep_free(f->deep);
	free(f);
}

static bool has_tip(const struct follow *f)
{
	return !hash_is_zero(f->tip.hash);
}

static const struct block_ref *last_block(const struct follow *f)
{
	return f->n ? &item_at(f, f->n - 1)->block : &f->tip;
}

struct hash32 follow_last_hash(const struct follow *f)
{
	return last_block(f)->hash;
}

uint64_t follow_next(const struct follow *f)
{
	return last_block(f)->number + (f->n || has_tip(f));
}

struct item *follow_push(struct follow *f, const struct block_ref *block)
{
	if (f->n == FOLLOW_AHEAD)
		return NULL;
	struct item *item = item_at(f, f->n++);
	item->block = *block;
	item->jumps = true;
	item->state = ITEM_INPUTS;
	return item;
}

void follow_unlink(struct follow *f)
{
	f->back = !f->n && has_tip(f);
	if (!f->back)
		follow_set_trouble(f, "blocks", "they do not link");
	clear_queue(f);
}

void follow_set_trouble(struct follow *f, const char *what, const char *why)
{
	(void)snprintf(f->trouble, sizeof(f->trouble), "%s: %.150s", what, why);
	f->retry_ms = clock_mono_ms() + RETRY_MS;
}

/* ---- headers
 * ----------------------------------------------------------------- */

/* Queues a block.  false: it does not link, the rest is of no use. */
static bool push_header(struct follow *f, const json_node *node)
{
	struct rpc_block block;
	struct json_reader r = {0};
	struct item *item = item_at(f, f->n);
	struct err_text why;
	if (!rpc_block_read(node, &block, &why) ||
	    block.ref.number != follow_next(f)) {
		follow_set_trouble(f, "blocks",
				   "an answer that is no such block");
		return false;
	}
	struct header header;
	enum proved proved = header_prove(node, block.ref.hash, &header, &why);
	if (proved == PROVED)
		block.ref = header_ref(&header, block.ref.hash);
	json_hex(&r, node, "logsBloom", item->bloom, BLOOM_BYTES);
	if (r.failed) {
		follow_set_trouble(f, "blocks", "a block without logsBloom");
		return false;
	}
	struct hash32 last = follow_last_hash(f);
	if (!hash_is_zero(last) && !hash_eq(last, block.ref.parent)) {
		follow_unlink(f);
		return false;
	}
	item->block = block.ref;
	/* with a bloom that is not the header's, logs would be hidden */
	item->bloom_counts = proved != PROVED_FALSE;
	item->state = ITEM_HEADER;
	f->n++;
	return true;
}

static void on_headers(void *ctx, const struct quorum_result *results, size_t n)
{
	struct follow *f = ctx;
	f->headers_asked = false;
	f->trouble[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (results[i].err) {
			follow_set_trouble(f, "blocks", results[i].text);
			return;
		}
		if (!push_header(f, results[i].result))
			return;
	}
}

static void ask_headers(struct follow *f)
{
	struct rpc_call calls[FOLLOW_AHEAD];
	struct buf params[FOLLOW_AHEAD];
	uint64_t from = follow_next(f), to = f->l1->view.acted.number;
	size_t n = 0;
	for (; f->n + n < FOLLOW_AHEAD && from + n <= to; n++) {
		buf_init(&params[n], 64);
		rpc_params_block(&params[n], from + n);
		calls[n] = (struct rpc_call){.method = "eth_getBlockByNumber",
					     .params = buf_slice(&params[n]),
					     .fields = rpc_block_fields};
	}
	if (n)
		f->headers_asked =
			!quorum_ask(f->l1->quorum, calls, n, QUORUM_AGREE,
				    L1_ASK_MS, on_headers, f);
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
}

/* ---- the public side
 * -------------------------------------------------------------- */

uint64_t follow_turn(struct follow *f, uint64_t now)
{
	const struct l1_view *v = &f->l1->view;
	uint64_t again = now + f->l1->settings->poll_ms;
	if (f->back || now < f->retry_ms)
		return f->back ? again : f->retry_ms;
	if (!v->healthy)
		return again;
	if (has_tip(f) && v->acted.number == f->tip.number &&
	    !hash_eq(v->acted.hash, f->tip.hash)) {
		clear_queue(f);
		f->back = true;
		return again;
	}
	/* a full queue asks for no header that would not link to it */
	if (f->n && item_at(f, 0)->tries >= L1_ITEM_TRIES)
		clear_queue(f);
	if (!f->headers_asked) {
		uint64_t next = again;
		bool deep = has_tip(f) && deep_turn(f->deep, now, &next);
		again = next < again ? next : again;
		if (!deep && !f->back && f->n < FOLLOW_AHEAD &&
		    follow_next(f) <= v->acted.number)
			ask_headers(f);
	}
	for (size_t i = 0; i < f->n && f->asks < ASKS_AT_ONCE; i++)
		item_turn(item_at(f, i));
	return again;
}

struct follow_step follow_peek(const struct follow *f)
{
	struct follow_step step = {.move = FOLLOW_NONE};
	const struct item *item = item_at(f, 0);
	if (f->back) {
		step.move = FOLLOW_BACK;
		step.block = f->tip;
	} else if (f->n && item->state == ITEM_READY) {
		step = (struct follow_step){.move = FOLLOW_FORWARD,
					    .block = item->block,
					    .jumps = item->jumps,
					    .n_logs = item->n_logs,
					    .logs = item->logs};
	}
	return step;
}

/* Its block was read and proved: was the log there? */
static void judge_claim(struct follow *f, const struct item *item)
{
	const struct page_log *log = &f->claim.log;
	bool found = false;
	if (!f->claim.made || item->jumps || item->block.number < log->block)
		return;
	f->claim.made = false;
	for (size_t i = 0; i < item->n_logs; i++)
		found |= item->logs[i].index == log->index &&
			 hash_eq(item->logs[i].tx, log->tx);
	if (!found && !item->by_quorum && item->block.number == log->block)
		range_refute(&f->l1->providers[f->claim.provider], log,
			     clock_mono_ms());
}

void follow_ack(struct follow *f, const struct block_ref *tip)
{
	if (f->back) {
		f->back = false;
		/* asked for with the tip that is gone */
		quorum_cancel(f->l1->quorum, f);
		f->headers_asked = false;
		clear_queue(f);
	} else {
		struct item *item = item_at(f, 0);
		assert(f->n && item->state == ITEM_READY);
		assert(hash_eq(item->block.hash, tip->hash));
		judge_claim(f, item);
		item_clear(item);
		f->first = (f->first + 1) % FOLLOW_AHEAD;
		f->n--;
	}
	f->tip = *tip;
}

uint64_t follow_behind(const struct follow *f)
{
	uint64_t next = f->tip.number + has_tip(f);
	uint64_t acted = f->l1->view.acted.number;
	return acted >= next ? acted - next + 1 : 0;
}

const char *follow_proofs(const struct follow *f)
{
	return f->proofs;
}

const char *follow_trouble(const struct follow *f)
{
	if (!f->l1->view.healthy)
		return f->l1->view.why;
	return f->trouble;
}
