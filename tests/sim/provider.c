#include "tests/sim/provider_inside.h"

#include <assert.h>
#include <stdio.h>

#define BATCH_MAX (4u << 20)

const char *const sim_lie_names[SIM_LIES] = {
	"none",
	"older head",
	"newer head",
	"other hash",
	"own chain",
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
		provider_block(v, params);
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

void provider_answer(struct sim_chain *c, struct sim_provider *p,
		     struct sim_mempool *pool, uint64_t now_ms,
		     struct slice body, struct buf *to)
{
	uint64_t seen = now_ms > p->lag_ms ? now_ms - p->lag_ms : 0;
	struct view v = {.pool = pool,
			 .c = c,
			 .p = p,
			 .head = provider_head(c, p, chain_head_at(c, seen)),
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
