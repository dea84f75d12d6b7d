#include "tests/sim/memo.h"
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
	"empty words",
	"false proof",
	"cut proof",
	"proof of another block",
	"proof of another account",
	"proof of another slot",
	"receipts of another block",
	"log changed",
	"other code",
	"other nonce",
};

const char *provider_bad_send;

static void chain_id(struct view *v, const json_node *params)
{
	(void)params;
	json_put_quantity(&v->w, "result",
			  SIM_CHAIN_ID + provider_lies(v, LIE_OTHER_CHAIN));
}

static void max_tip(struct view *v, const json_node *params)
{
	(void)params;
	json_put_quantity(&v->w, "result", SIM_TIP);
}

static void gas_price(struct view *v, const json_node *params)
{
	(void)params;
	json_put_quantity(&v->w, "result", SIM_BASE_FEE + SIM_TIP);
}

static const struct method {
	const char *name;
	provider_method *run;
} methods[] = {
	{"eth_chainId", chain_id},
	{"eth_getBlockByNumber", provider_block_by_number},
	{"eth_getBlockByHash", provider_block_by_hash},
	{"eth_getStorageAt", provider_storage},
	{"eth_getProof", provider_proof},
	{"eth_getCode", provider_code},
	{"eth_getLogs", provider_logs},
	{"eth_getTransactionByHash", provider_transaction},
	{"eth_getTransactionReceipt", provider_receipt},
	{"eth_getBlockReceipts", provider_receipts},
	{"eth_getTransactionCount", provider_count},
	{"eth_getBalance", provider_balance},
	{"eth_maxPriorityFeePerGas", max_tip},
	{"eth_gasPrice", gas_price},
	{"eth_estimateGas", provider_estimate},
	{"eth_sendRawTransaction", provider_send},
};

/* ---- one call ---- */

static provider_method *method_named(const struct sim_provider *p,
				     const char *name)
{
	if ((p->lacks_proofs && !strcmp(name, "eth_getProof")) ||
	    (p->lacks_receipts && !strcmp(name, "eth_getBlockReceipts")))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (!strcmp(methods[i].name, name))
			return methods[i].run;
	return NULL;
}

static void one_call(struct view *v, const json_node *o, uint64_t id)
{
	struct json_reader r = {0};
	const char *name = json_string(&r, o, "method", 64);
	const json_node *params = json_array(&r, o, "params");
	provider_method *run = method_named(v->p, name);
	char text[128];

	assert(!r.failed);
	json_begin(&v->w, NULL);
	json_put_string(&v->w, "jsonrpc", "2.0");
	json_put_u64(&v->w, "id", id);
	if (provider_lies(v, LIE_ERRORS)) {
		provider_error(v, 1, "internal error");
	} else if (run) {
		run(v, params);
	} else {
		snprintf(text, sizeof(text),
			 "the method %s does not exist/is not available", name);
		provider_error(v, 1, text);
	}
	json_end(&v->w);
}

/* ---- the same question at the same head ---- */

#define ANSWERS	  256
#define KNOWN_MAX (512u << 10) /* a longer one is not kept */

struct known {
	const struct sim_chain *chain; /* of the seed that runs */
	uint64_t seed;
	unsigned head, lacks;
	struct buf body, answer;
};

static struct known *find_known(const struct view *v, struct slice body)
{
	static struct known table[ANSWERS];
	uint64_t sum = bytes_sum(body) + v->head;

	return v->p->lie ? NULL : &table[sum % ANSWERS];
}

static unsigned lacks_of(const struct sim_provider *p)
{
	return p->lacks_proofs | p->lacks_receipts << 1 | p->lacks_tags << 2 |
	       p->lacks_others << 3;
}

static bool is_known(const struct known *k, const struct view *v,
		     struct slice body)
{
	return k && k->chain == v->c && k->seed == v->c->seed &&
	       k->head == v->head && k->lacks == lacks_of(v->p) &&
	       slice_eq(buf_slice(&k->body), body);
}

static void know(struct known *k, const struct view *v, struct slice body,
		 const struct buf *answer)
{
	if (!k || v->moves || answer->len > KNOWN_MAX)
		return;
	k->chain = v->c;
	k->seed = v->c->seed;
	k->head = v->head;
	k->lacks = lacks_of(v->p);
	buf_done(&k->body);
	buf_done(&k->answer);
	buf_init(&k->body, body.len);
	buf_init(&k->answer, KNOWN_MAX);
	buf_add_slice(&k->body, body);
	buf_add_slice(&k->answer, buf_slice(answer));
}

/* ---- one batch ---- */

static void answer(struct view *v, struct slice body)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	const json_node *list;
	size_t n;

	if (json_parse(body, BATCH_MAX, JSON_DEPTH_MAX, &doc, &error)) {
		fprintf(stderr, "sim: the product sent no JSON: %s\n",
			error.text);
		assert(false);
	}
	list = json_root(doc);
	if (json_has(list, "method")) { /* a range of logs comes alone */
		struct json_reader r = {0};

		one_call(v, list, json_u64(&r, list, "id"));
		return;
	}
	n = json_len(list);
	json_begin_array(&v->w, NULL);
	for (size_t i = 0; i < n; i++)
		one_call(v, json_at(list, i),
			 provider_lies(v, LIE_SWAPPED_ANSWERS) ? n - 1 - i : i);
	json_end_array(&v->w);
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
	struct known *known = find_known(&v, body);

	if (provider_lies(&v, LIE_RATE_LIMIT)) {
		buf_add_str(to, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{"
				"\"code\":429,\"message\":\"rate limit\"}}");
		return;
	}
	if (is_known(known, &v, body)) {
		buf_add_slice(to, buf_slice(&known->answer));
		return;
	}
	answer(&v, body);
	assert(!to->failed);
	know(known, &v, body, to);
	if (provider_lies(&v, LIE_CUT_JSON))
		to->len = to->len / 2;
}
