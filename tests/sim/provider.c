#include "tests/sim/provider_inside.h"

#include <assert.h>
#include <stdio.h>

#include "abi/keccak.h"

#define BATCH_MAX   (4u << 20)
#define FAKE_AHEAD  12
#define FAKE_SEARCH 200

const char *const sim_lie_names[SIM_LIES] = {
	"none",
	"older head",
	"newer head",
	"other hash",
	"stall fork",
	"later time",
	"earlier time",
	"other parent",
	"no bloom",
	"old state",
	"last commit long ago",
	"last commit now",
	"random words",
	"other standbys",
	"no logs",
	"invented logs",
	"other input",
	"nulls",
	"errors",
	"cut JSON",
	"swapped answers",
	"other chain",
	"stale finalized",
	"eager finalized",
	"rate limit",
	"empty calls",
};

const char *provider_bad_send;

/* ---- blocks ---- */

static struct hash32 fake_hash(uint64_t number)
{
	uint8_t bytes[12] = {'l', 'i', 'e', ' '};

	put_be(bytes + 4, number, 8);
	return keccak256(bytes, sizeof(bytes));
}

static bool forks(const struct view *v)
{
	return v->p->lie == LIE_OTHER_HASH || v->p->lie == LIE_STALL_FORK ||
	       v->p->lie == LIE_NEWER_HEAD;
}

static uint64_t fork_from(const struct view *v)
{
	return v->p->lie == LIE_NEWER_HEAD ? v->c->blocks[v->head]->ref.number
					   : v->p->lie_number;
}

static struct shown show_fake(const struct view *v, uint64_t number)
{
	const struct sim_block *top = v->c->blocks[v->head];
	unsigned same = chain_ancestor(v->c, v->head, number);
	unsigned last = chain_ancestor(v->c, v->head, fork_from(v));
	struct shown s = {.known = true};

	s.state = v->p->lie == LIE_STALL_FORK ? last : same;
	s.ref.number = number;
	s.ref.hash = fake_hash(number);
	s.ref.parent = number == fork_from(v) + 1 ? v->c->blocks[last]->ref.hash
						  : fake_hash(number - 1);
	s.ref.time = v->c->blocks[same]->ref.time;
	if (number > top->ref.number)
		s.ref.time += 4 * (number - top->ref.number);
	return s;
}

static struct shown show_true(const struct view *v, unsigned block)
{
	const struct sim_block *b = v->c->blocks[block];
	struct shown s = {.known = true, .state = block, .ref = b->ref};

	memcpy(s.bloom, b->header.bloom, sizeof(s.bloom));
	if (!b->ref.number)
		return s;
	if (v->p->lie == LIE_LATER_TIME)
		s.ref.time += LATER_S;
	if (v->p->lie == LIE_EARLIER_TIME)
		s.ref.time -= b->ref.time - SIM_GENESIS_S;
	if (v->p->lie == LIE_OTHER_PARENT)
		s.ref.parent = fake_hash(b->ref.number - 1);
	if (v->p->lie == LIE_NO_BLOOM)
		memset(s.bloom, 0, sizeof(s.bloom));
	return s;
}

static uint64_t head_number(const struct view *v)
{
	uint64_t top = v->c->blocks[v->head]->ref.number;

	if (v->p->lie == LIE_OLDER_HEAD)
		return top > 10 ? top - 10 : 0;
	return v->p->lie == LIE_NEWER_HEAD ? top + FAKE_AHEAD : top;
}

static struct shown show_number(const struct view *v, uint64_t number)
{
	if (number > head_number(v))
		return (struct shown){0};
	if (forks(v) && number > fork_from(v))
		return show_fake(v, number);
	return show_true(v, chain_ancestor(v->c, v->head, number));
}

static struct shown show_finalized(const struct view *v)
{
	uint64_t top = head_number(v), number;

	number = top > v->c->depth ? top - v->c->depth : 0;
	if (v->p->lie == LIE_STALE_FINALIZED)
		number = number > 30 ? number - 30 : 0;
	if (v->p->lie == LIE_EAGER_FINALIZED)
		number = top;
	return show_number(v, number);
}

struct shown provider_show(const struct view *v, struct hash32 hash)
{
	int block = chain_find(v->c, hash);
	uint64_t top = head_number(v);

	if (block >= 0 && v->c->blocks[block]->ref.number <= top)
		return show_true(v, (unsigned)block);
	for (uint64_t i = 0; forks(v) && i < FAKE_SEARCH && i <= top; i++) {
		struct shown s = show_number(v, top - i);

		if (hash_eq(s.ref.hash, hash))
			return s;
	}
	return (struct shown){0};
}

static void put_block(struct view *v, const struct shown *s)
{
	struct json_writer *w = &v->w;

	if (!s->known || (v->p->lie == LIE_NULLS && s->ref.number)) {
		json_put_null(w, "result");
		return;
	}
	json_begin(w, "result");
	json_put_quantity(w, "number", s->ref.number);
	json_put_hash(w, "hash", s->ref.hash);
	json_put_hash(w, "parentHash", s->ref.parent);
	json_put_quantity(w, "timestamp", s->ref.time);
	json_put_hex(w, "logsBloom", s->bloom, sizeof(s->bloom));
	json_put_quantity(w, "baseFeePerGas", 7);
	json_end(w);
}

static void get_block(struct view *v, const json_node *params)
{
	struct json_reader r = {0};
	const char *tag = json_string(&r, json_at(params, 0), NULL, 32);
	struct json_reader n = {0};
	struct shown s;

	assert(!r.failed);
	if (!strcmp(tag, "latest"))
		s = show_number(v, head_number(v));
	else if (!strcmp(tag, "finalized") || !strcmp(tag, "safe"))
		s = show_finalized(v);
	else
		s = show_number(v, json_quantity(&n, json_at(params, 0), NULL));
	put_block(v, &s);
}

static bool account_call(struct view *v, const char *method,
			 const json_node *params)
{
	if (!strcmp(method, "eth_getTransactionReceipt"))
		provider_receipt(v, params);
	else if (!strcmp(method, "eth_getTransactionCount"))
		provider_count(v, params);
	else if (!strcmp(method, "eth_getBalance"))
		json_put_quantity(&v->w, "result", 1000000000000000000);
	else if (!strcmp(method, "eth_maxPriorityFeePerGas"))
		json_put_quantity(&v->w, "result", 1);
	else if (!strcmp(method, "eth_gasPrice"))
		json_put_quantity(&v->w, "result", 8);
	else if (!strcmp(method, "eth_estimateGas"))
		provider_estimate(v, params);
	else if (!strcmp(method, "eth_sendRawTransaction"))
		provider_send(v, params);
	else
		return false;
	return true;
}

/* ---- one batch ---- */

static void one_call(struct view *v, const json_node *o, uint64_t id)
{
	struct json_reader r = {0};
	const char *method = json_string(&r, o, "method", 64);
	const json_node *params = json_array(&r, o, "params");

	assert(!r.failed);
	json_begin(&v->w, NULL);
	json_put_string(&v->w, "jsonrpc", "2.0");
	json_put_u64(&v->w, "id", id);
	if (v->p->lie == LIE_ERRORS)
		provider_error(v, 1, "internal error");
	else if (!strcmp(method, "eth_chainId"))
		json_put_quantity(&v->w, "result",
				  v->p->lie == LIE_OTHER_CHAIN
					  ? SIM_CHAIN_ID + 1
					  : SIM_CHAIN_ID);
	else if (!strcmp(method, "eth_getBlockByNumber"))
		get_block(v, params);
	else if (!strcmp(method, "eth_getStorageAt"))
		provider_storage(v, params);
	else if (!strcmp(method, "eth_call"))
		provider_call(v, params);
	else if (!strcmp(method, "eth_getLogs"))
		provider_logs(v, params);
	else if (!strcmp(method, "eth_getTransactionByHash"))
		provider_transaction(v, params);
	else if (!account_call(v, method, params))
		provider_error(v, 1, "the method does not exist");
	json_end(&v->w);
}

void provider_answer(const struct sim_chain *c, const struct sim_provider *p,
		     struct sim_mempool *pool, uint64_t now_ms,
		     struct slice body, struct buf *to)
{
	uint64_t seen = now_ms > p->lag_ms ? now_ms - p->lag_ms : 0;
	struct view v = {.pool = pool,
			 .c = c,
			 .p = p,
			 .head = chain_head_at(c, seen),
			 .w = json_writer(to)};
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	const json_node *list;
	size_t n;

	if (p->lie == LIE_RATE_LIMIT) {
		buf_add_str(to, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{"
				"\"code\":429,\"message\":\"rate limit\"}}");
		return;
	}
	if (json_parse(body, BATCH_MAX, JSON_DEPTH_MAX, &doc, &error)) {
		fprintf(stderr, "sim: the product sent no JSON: %s\n",
			error.text);
		assert(false);
	}
	list = json_root(doc);
	n = json_len(list);
	json_begin_array(&v.w, NULL);
	for (size_t i = 0; i < n; i++)
		one_call(&v, json_at(list, i),
			 p->lie == LIE_SWAPPED_ANSWERS ? n - 1 - i : i);
	json_end_array(&v.w);
	assert(!to->failed);
	if (p->lie == LIE_CUT_JSON)
		to->len = to->len / 2;
}
