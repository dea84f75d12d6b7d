#include "l1/account.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "abi/hex.h"
#include "l1/l1_impl.h"
#include "l1/revert.h"
#include "l1/rpc.h"
#include "l1/state.h"

#define PARAMS_MAX 512
#define GAS_LEAST  21000     /* Yellow paper, G_transaction */
#define GAS_MOST   150000000 /* a block's: no estimate is above */

/* ---- nonce, balance, fees --------------------------------------------------
 */

struct account_op {
	struct l1_op op;
	account_done *done;
	struct address account;
	struct hash32 block;
	struct account_state state;
};

static void account_finish(struct account_op *a, enum err err, const char *why)
{
	account_done *done = a->done;
	void *ctx = a->op.ctx;
	struct account_state state = a->state;
	l1_op_end(&a->op);
	done(ctx, err, why, err ? NULL : &state);
}

/* A node's suggestion is only that: none is no failure. */
static void on_tip(void *ctx, const struct quorum_result *results, size_t n)
{
	struct account_op *a = ctx;
	struct json_reader tip = {0}, price = {0};
	(void)n;
	a->state.tip = json_quantity(&tip, results[0].result, NULL);
	if (results[0].err || tip.failed) {
		uint64_t gas_price =
			json_quantity(&price, results[1].result, NULL);
		a->state.tip = gas_price > a->state.base_fee
				       ? gas_price - a->state.base_fee
				       : 0;
	}
	account_finish(a, OK, "");
}

static void ask_tip(struct account_op *a)
{
	static const struct rpc_call calls[] = {
		{.method = "eth_maxPriorityFeePerGas",
		 .params = {(const uint8_t *)"[]", 2}},
		{.method = "eth_gasPrice",
		 .params = {(const uint8_t *)"[]", 2}}};
	if (quorum_ask(a->op.l1->quorum, calls, ARRAY_LEN(calls), QUORUM_LOW,
		       L1_ASK_MS, on_tip, a))
		account_finish(a, ERR_BUSY, "too many L1 reads at once");
}

static void on_told(void *ctx, const struct quorum_result *results, size_t n)
{
	struct account_op *a = ctx;
	struct json_reader r = {0};
	for (size_t i = 0; i < n; i++) {
		if (results[i].err) {
			account_finish(a, results[i].err, results[i].text);
			return;
		}
	}
	a->state.nonce = json_quantity(&r, results[0].result, NULL);
	a->state.balance = json_quantity256(&r, results[1].result, NULL);
	if (r.failed)
		account_finish(a, ERR_IO, "nonce or balance is no quantity");
	else
		ask_tip(a);
}

static enum err ask_told(struct account_op *a)
{
	CLEANUP(buf_done) struct buf params;
	buf_init(&params, PARAMS_MAX);
	rpc_params_at(&params, a->account, a->block);
	const struct rpc_call calls[] = {{.method = "eth_getTransactionCount",
					  .params = buf_slice(&params),
					  .pinned = true},
					 {.method = "eth_getBalance",
					  .params = buf_slice(&params),
					  .pinned = true}};
	return quorum_ask(a->op.l1->quorum, calls, ARRAY_LEN(calls),
			  QUORUM_AGREE, L1_ASK_MS, on_told, a);
}

static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct account_op *a = ctx;
	struct trie_account account;
	(void)n;
	enum proved proved = state_prove(results, a->block, a->account, NULL, 0,
					 &account, NULL, error);
	if (proved == PROVED) {
		a->state.nonce = account.nonce;
		a->state.balance = account.balance;
	}
	return proved;
}

static void on_proved(void *ctx, const struct quorum_result *results, size_t n)
{
	struct account_op *a = ctx;
	(void)n;
	state_note(a->op.l1, &results[0]);
	a->state.proved = !results[0].err;
	if (a->state.proved)
		ask_tip(a);
	else if (ask_told(a))
		account_finish(a, ERR_BUSY, "too many L1 reads at once");
}

/* At the agreed head's hash: providers a block apart still agree. */
enum err account_read(struct l1 *l1, struct address account, account_done *done,
		      void *ctx)
{
	struct account_op *a = l1_op_new(l1, sizeof(*a), ctx, NULL);
	a->done = done;
	a->account = account;
	a->block = l1->view.head.hash;
	a->state.base_fee = l1->view.base_fee;
	enum err err = state_ask(l1, a->block, account, NULL, 0, NULL, 0,
				 verify, on_proved, a);
	if (err)
		l1_op_end(&a->op);
	return err;
}

/* ---- sending ----------------------------------------------------------------
 */

struct send_op {
	struct l1_op op;
	send_done *done;
};

/* The words of geth, reth, nethermind, besu, erigon and anvil. */
enum send_verdict send_verdict_of(const char *text)
{
	static const struct {
		const char *words;
		enum send_verdict verdict;
	} table[] = {
		{"already known", SEND_ACCEPTED},
		{"already imported", SEND_ACCEPTED},
		{"known transaction", SEND_ACCEPTED},
		{"nonce too low", SEND_NONCE_LOW},
		{"nonce is too low", SEND_NONCE_LOW},
		{"OldNonce", SEND_NONCE_LOW},
		{"underpriced", SEND_UNDERPRICED},
		{"fee too low", SEND_UNDERPRICED},
		{"FeeTooLow", SEND_UNDERPRICED},
		{"less than block base fee", SEND_UNDERPRICED},
		{"less than the block base fee", SEND_UNDERPRICED},
		{"below the minimum", SEND_UNDERPRICED},
		{"ReplacementNotAllowed", SEND_UNDERPRICED},
		{"insufficient funds", SEND_NO_FUNDS},
		{"InsufficientFunds", SEND_NO_FUNDS},
		{"insufficient balance", SEND_NO_FUNDS},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcasestr(text, table[i].words))
			return table[i].verdict;
	return SEND_REJECTED;
}

static void on_sent(void *ctx, const struct quorum_result *results, size_t n)
{
	struct send_op *s = ctx;
	send_done *done = s->done;
	void *caller = s->op.ctx;
	enum send_verdict verdict = SEND_NO_ANSWER;
	(void)n;
	if (!results[0].err)
		verdict = SEND_ACCEPTED;
	else if (results[0].err != ERR_IO)
		verdict = send_verdict_of(results[0].text);
	/* a silent one may have taken what the others refuse */
	if (results[0].err == ERR_CONFLICT &&
	    (verdict == SEND_REJECTED || verdict == SEND_NO_FUNDS))
		verdict = SEND_NO_ANSWER;
	l1_op_end(&s->op);
	done(caller, verdict, results[0].text);
}

enum err tx_broadcast(struct l1 *l1, struct slice signed_bytes, send_done *done,
		      void *ctx)
{
	struct buf params;
	buf_init(&params, 2 * signed_bytes.len + 64);
	struct json_writer w = json_writer(&params);
	json_begin_array(&w, NULL);
	json_put_hex(&w, NULL, signed_bytes.p, signed_bytes.len);
	json_end_array(&w);
	const struct rpc_call call = {.method = "eth_sendRawTransaction",
				      .params = buf_slice(&params)};
	struct send_op *s = l1_op_new(l1, sizeof(*s), ctx, NULL);
	s->done = done;
	enum err err = quorum_ask(l1->quorum, &call, 1, QUORUM_BROADCAST,
				  L1_ASK_MS, on_sent, s);
	if (err)
		l1_op_end(&s->op);
	buf_done(&params);
	return err;
}

/* ---- gas
 * ---------------------------------------------------------------------- */

struct estimate_op {
	struct l1_op op;
	estimate_done *done;
};

static void on_estimate(void *ctx, const struct quorum_result *results,
			size_t n)
{
	struct estimate_op *e = ctx;
	estimate_done *done = e->done;
	void *caller = e->op.ctx;
	const struct quorum_result *result = &results[0];
	char name[80];
	const char *why = result->text;
	enum err err = result->err;
	uint64_t gas = 0;
	(void)n;
	if (err == ERR_REFUSED && result->data.len)
		why = l1_revert_name(result->data, name, sizeof(name));
	if (!err) {
		struct json_reader r = {0};
		gas = json_quantity(&r, result->result, NULL);
		assert(!r.failed); /* else it were no vote */
	}
	l1_op_end(&e->op);
	done(caller, err, why, gas);
}

static void put_quantity256(struct json_writer *w, const char *key,
			    struct u256 value)
{
	uint8_t be[32];
	char text[2 + 64 + 1];
	u256_to_be(value, be, sizeof(be));
	(void)hex_encode(be, sizeof(be), text);
	size_t skip = 2;
	while (skip < 65 && text[skip] == '0')
		skip++;
	text[skip - 2] = '0';
	text[skip - 1] = 'x';
	json_put_string(w, key, text + skip - 2);
}

enum err tx_estimate(struct l1 *l1, struct address from, bool create,
		     struct address to, struct u256 value, struct slice data,
		     estimate_done *done, void *ctx)
{
	struct buf params;
	buf_init(&params, 2 * data.len + PARAMS_MAX);
	struct json_writer w = json_writer(&params);
	json_begin_array(&w, NULL);
	json_begin(&w, NULL);
	json_put_address(&w, "from", from);
	if (!create)
		json_put_address(&w, "to", to);
	put_quantity256(&w, "value", value);
	json_put_hex(&w, "data", data.p, data.len);
	json_end(&w);
	json_end_array(&w);
	const struct rpc_call call = {.method = "eth_estimateGas",
				      .params = buf_slice(&params),
				      .least = GAS_LEAST,
				      .most = GAS_MOST};
	struct estimate_op *e = l1_op_new(l1, sizeof(*e), ctx, NULL);
	e->done = done;
	enum err err = quorum_ask(l1->quorum, &call, 1, QUORUM_HIGH, L1_ASK_MS,
				  on_estimate, e);
	if (err)
		l1_op_end(&e->op);
	buf_done(&params);
	return err;
}
