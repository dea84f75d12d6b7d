#include "l1/deep_leg.h"

#include <stdlib.h>

#include "abi/header.h"
#include "l1/follow_impl.h"
#include "l1/rpc.h"

struct leg *leg_new(struct follow *f, uint64_t from, uint64_t to)
{
	struct leg *leg = calloc(1, sizeof(*leg));
	if (!leg)
		abort();
	*leg = (struct leg){.follow = f, .from = from, .to = to};
	return leg;
}

void leg_free(struct leg *leg)
{
	quorum_cancel(leg->follow->l1->quorum, leg);
	range_free(leg->range);
	free(leg->blocks);
	free(leg);
}

void leg_cut(struct leg *leg, uint64_t blocks)
{
	leg->state = LEG_CUT;
	leg->cut_to = blocks;
}

size_t leg_weight(const struct leg *leg)
{
	size_t weight = leg->n_blocks * sizeof(*leg->blocks);
	if (leg->page)
		weight += leg->page->n * sizeof(*leg->page->logs) +
			  leg->page->bytes.cap;
	return weight;
}

/* After so many the blocks are read one by one. */
static void fail(struct leg *leg, const char *what, const char *why)
{
	follow_set_trouble(leg->follow, what, why);
	if (++leg->tries >= L1_RANGE_TRIES)
		leg_cut(leg, 0);
}

/* ---- its ends ------------------------------------------------------------
 */

static void on_ends(void *ctx, const struct quorum_result *results, size_t n)
{
	struct leg *leg = ctx;
	struct rpc_block blocks[2];
	struct err_text why;
	leg->asked = false;
	for (size_t i = 0; i < n; i++) {
		if (results[i].err) {
			follow_set_trouble(leg->follow, "blocks",
					   results[i].text);
			return;
		}
		if (!rpc_block_read(results[i].result, &blocks[i], &why) ||
		    blocks[i].ref.number != (i ? leg->to : leg->from - 1)) {
			follow_set_trouble(leg->follow, "blocks",
					   "an answer that is no such block");
			return;
		}
	}
	leg->follow->trouble[0] = '\0';
	leg->before = blocks[0].ref.hash;
	leg->end = blocks[1].ref;
	leg->state = LEG_LOGS;
}

static void ask_ends(struct leg *leg)
{
	struct rpc_call calls[2];
	struct buf params[2];
	for (size_t i = 0; i < 2; i++) {
		buf_init(&params[i], 64);
		rpc_params_block(&params[i], i ? leg->to : leg->from - 1);
		calls[i] = (struct rpc_call){.method = "eth_getBlockByNumber",
					     .params = buf_slice(&params[i]),
					     .fields = rpc_block_fields};
	}
	/* ERR_BUSY: the next turn tries again */
	leg->asked = !quorum_ask(leg->follow->l1->quorum, calls, 2,
				 QUORUM_AGREE, L1_ASK_MS, on_ends, leg);
	for (size_t i = 0; i < 2; i++)
		buf_done(&params[i]);
}

/* ---- its logs ------------------------------------------------------------
 */

static void list_blocks(struct leg *leg)
{
	const struct log_page *page = leg->page;
	leg->blocks = calloc(page->n + 1, sizeof(*leg->blocks));
	if (!leg->blocks)
		abort();
	for (size_t i = 0; i < page->n; i++)
		if (!i || page->logs[i].block != page->logs[i - 1].block)
			leg->blocks[leg->n_blocks++] = (struct block_ref){
				.number = page->logs[i].block,
				.hash = page->logs[i].block_hash};
}

/* The lowest: its block is read first. */
static void keep_claim(struct leg *leg)
{
	struct claim *claim = &leg->follow->claim, made = {.made = true};
	if (range_claim(leg->range, &made.log, &made.provider) &&
	    (!claim->made || made.log.block < claim->log.block))
		*claim = made;
}

static void take_range(struct leg *leg, uint64_t now)
{
	char why[QUORUM_TEXT_MAX];
	switch (range_says(leg->range)) {
	case RANGE_WAITS:
		return;
	case RANGE_AGREED:
		if (leg->state != LEG_LOGS)
			return;
		leg->page = range_page(leg->range);
		list_blocks(leg);
		leg->state = leg->n_blocks ? LEG_HEADERS : LEG_READY;
		return;
	case RANGE_TOO_MUCH:
		leg_cut(leg, range_shorter(leg->range));
		return;
	case RANGE_DISPUTED:
		keep_claim(leg);
		leg_cut(leg, (leg->to - leg->from + 1) / 2);
		return;
	case RANGE_SILENT:
		range_why(leg->range, now, why, sizeof(why));
		range_free(leg->range);
		leg->range = NULL;
		fail(leg, "logs of a range", why);
		return;
	}
}

static uint64_t turn_range(struct leg *leg, uint64_t now)
{
	const struct follow_config *c = &leg->follow->config;
	const struct range_filter filter = {.addresses = c->addresses,
					    .n_addresses = c->n_addresses,
					    .topics = c->topics,
					    .n_topics = c->n_topics};
	if (!leg->range && leg->state != LEG_LOGS)
		return UINT64_MAX;
	if (!leg->range)
		leg->range =
			range_new(leg->follow->l1, &filter, leg->from, leg->to);
	uint64_t next = range_turn(leg->range, now);
	take_range(leg, now);
	return next;
}

/* ---- the headers of its blocks with logs ---------------------------------
 */

static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct leg *leg = ctx;
	for (size_t i = 0; i < n; i++) {
		struct block_ref *block = &leg->blocks[leg->n_headers + i];
		struct header header;
		enum proved proved =
			header_prove(results[i], block->hash, &header, error);
		if (proved == PROVED && header.number != block->number) {
			err_text_set(error, "a block of another number");
			proved = PROVED_FALSE;
		}
		if (proved != PROVED)
			return proved;
		*block = header_ref(&header, block->hash);
	}
	return PROVED;
}

static void end_headers(struct leg *leg, size_t n)
{
	leg->n_headers += n;
	leg->plain = false;
	if (leg->n_headers == leg->n_blocks)
		leg->state = LEG_READY;
}

static void on_proved(void *ctx, const struct quorum_result *results, size_t n)
{
	struct leg *leg = ctx;
	leg->asked = false;
	if (results[0].err)
		leg->plain = true;
	else
		end_headers(leg, n);
}

static void on_headers(void *ctx, const struct quorum_result *results, size_t n)
{
	struct leg *leg = ctx;
	leg->asked = false;
	for (size_t i = 0; i < n; i++) {
		struct block_ref *block = &leg->blocks[leg->n_headers + i];
		struct rpc_block read;
		struct err_text why;
		if (results[i].err) {
			fail(leg, "blocks", results[i].text);
			return;
		}
		if (!rpc_block_read(results[i].result, &read, &why) ||
		    !hash_eq(read.ref.hash, block->hash) ||
		    read.ref.number != block->number) {
			leg_cut(leg, 0);
			return;
		}
		*block = read.ref;
	}
	end_headers(leg, n);
}

static void ask_headers(struct leg *leg)
{
	struct quorum *q = leg->follow->l1->quorum;
	struct rpc_call calls[L1_RANGE_HEADERS];
	struct buf params[L1_RANGE_HEADERS];
	size_t n = leg->n_blocks - leg->n_headers;
	n = n < L1_RANGE_HEADERS ? n : L1_RANGE_HEADERS;
	for (size_t i = 0; i < n; i++) {
		buf_init(&params[i], 128);
		rpc_params_hash(&params[i],
				leg->blocks[leg->n_headers + i].hash, false);
		calls[i] = (struct rpc_call){.method = "eth_getBlockByHash",
					     .params = buf_slice(&params[i]),
					     .fields = rpc_block_fields,
					     .pinned = true};
	}
	if (leg->plain)
		leg->asked = !quorum_ask(q, calls, n, QUORUM_AGREE, L1_ASK_MS,
					 on_headers, leg);
	else
		leg->asked = !quorum_prove(q, calls, n, NULL, verify,
					   L1_PROOF_MS, on_proved, leg);
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
}

uint64_t leg_turn(struct leg *leg, uint64_t now)
{
	uint64_t next = leg->begun ? UINT64_MAX : turn_range(leg, now);
	if (leg->asked)
		return next;
	switch (leg->state) {
	case LEG_ENDS:
		ask_ends(leg);
		break;
	case LEG_HEADERS:
		ask_headers(leg);
		break;
	case LEG_LOGS:
	case LEG_READY:
	case LEG_CUT:
	case LEG_BY_BLOCK:
		break;
	}
	return next;
}
