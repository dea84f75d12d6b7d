/* Single reads by eth_call at a block's hash, and what comes of them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/contracts_tables.h"
#include "abi/hex.h"
#include "abi/words.h"
#include "l1/hatch.h"
#include "l1/l1_impl.h"
#include "l1/rpc.h"

#define RETURN_MAX L1_CALL_MAX

struct calls_read {
	struct l1_op op;
	l1_calls_done *done;
};

static void take_result(const struct quorum_result *from,
			struct l1_call_result *to, struct buf *data)
{
	to->err = from->err;
	(void)snprintf(to->text, sizeof(to->text), "%.150s", from->text);
	buf_init(data, RETURN_MAX);
	if (from->err == ERR_REFUSED) {
		char name[80];
		buf_add_slice(data, from->data);
		if (from->data.len)
			(void)snprintf(
				to->text, sizeof(to->text), "%s",
				l1_revert_name(from->data, name, sizeof(name)));
	} else if (!from->err) {
		struct json_reader r = {0};
		json_bytes(&r, from->result, NULL, data);
		if (r.failed || data->failed) {
			to->err = ERR_IO;
			(void)snprintf(to->text, sizeof(to->text),
				       "eth_call returned no bytes");
		}
	}
	to->data = buf_slice(data);
}

static void on_calls(void *ctx, const struct quorum_result *results, size_t n)
{
	struct calls_read *read = ctx;
	l1_calls_done *done = read->done;
	void *caller = read->op.ctx;
	struct l1_call_result *to = calloc(n, sizeof(*to));
	struct buf *data = calloc(n, sizeof(*data));
	if (!to || !data)
		abort();
	for (size_t i = 0; i < n; i++)
		take_result(&results[i], &to[i], &data[i]);
	l1_op_end(&read->op);
	done(caller, to, n);
	for (size_t i = 0; i < n; i++)
		buf_done(&data[i]);
	free(data);
	free(to);
}

enum err l1_calls(struct l1 *l1, struct address from,
		  const struct l1_call *calls, size_t n,
		  struct hash32 block_hash, l1_calls_done *done, void *ctx)
{
	assert(n > 0);
	if (n > QUORUM_CALLS_MAX)
		return ERR_TOO_LARGE;
	struct rpc_call *asked = calloc(n, sizeof(*asked));
	struct buf *params = calloc(n, sizeof(*params));
	if (!asked || !params)
		abort();
	for (size_t i = 0; i < n; i++) {
		buf_init(&params[i], 2 * calls[i].data.len + 512);
		rpc_params_call(&params[i], from, calls[i].to, calls[i].data,
				block_hash);
		asked[i] = (struct rpc_call){.method = "eth_call",
					     .params = buf_slice(&params[i]),
					     .pinned = true};
	}
	struct calls_read *read = l1_op_new(l1, sizeof(*read), ctx, NULL);
	read->done = done;
	enum err err = quorum_ask(l1->quorum, asked, n, QUORUM_AGREE, L1_ASK_MS,
				  on_calls, read);
	if (err)
		l1_op_end(&read->op);
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
	free(params);
	free(asked);
	return err;
}

void l1_withdrawal_call(struct buf *data, uint64_t id)
{
	abi_put_selector(data, SEL_SOVEREIGNROLLUP_WITHDRAWAL);
	abi_put_u64(data, id);
}

enum err l1_withdrawal_decode(struct slice data, struct l1_withdrawal *ret)
{
	struct abi_reader r = abi_reader(data);
	struct l1_withdrawal w = {0};
	w.owner = abi_address(&r);
	w.index = abi_u64(&r, 40);
	w.stamp = abi_u64(&r, 40);
	w.opening = abi_u64(&r, 16);
	w.recipient = abi_address(&r);
	w.amount = abi_u256(&r);
	w.payer = abi_address(&r);
	w.bounty = abi_u256(&r);
	w.fate = (unsigned)abi_u64(&r, 8);
	if (r.failed || r.at != data.len || w.fate > 5 ||
	    !u256_fits(w.amount, 96) || !u256_fits(w.bounty, 96))
		return ERR_INVALID;
	*ret = w;
	return OK;
}

/* Solidity's own: Error(string), Panic(uint256) */
#define SEL_ERROR UINT32_C(0x08c379a0)
#define SEL_PANIC UINT32_C(0x4e487b71)

const char *l1_revert_name(struct slice data, char *to, size_t size)
{
	uint32_t selector = data.len >= 4 ? (uint32_t)get_be(data.p, 4) : 0;
	struct abi_reader r =
		abi_reader(data.len >= 4 ? slice_of(data.p + 4, data.len - 4)
					 : slice_of(NULL, 0));
	if (selector == SEL_ERROR) {
		struct slice text = abi_bytes(&r, 1024);
		if (!r.failed) {
			(void)snprintf(to, size, "%.*s", (int)text.len,
				       (const char *)text.p);
			return to;
		}
	}
	if (selector == SEL_PANIC) {
		(void)snprintf(to, size, "Panic(0x%02x)",
			       (unsigned)abi_u64(&r, 64));
		return to;
	}
	for (size_t i = 0; data.len >= 4 && i < egress_errors_count; i++) {
		if (egress_errors[i].selector != selector)
			continue;
		const char *signature = egress_errors[i].signature;
		(void)snprintf(to, size, "%.*s", (int)strcspn(signature, "("),
			       signature);
		return to;
	}
	if (data.len >= 4)
		(void)snprintf(to, size, "0x%08x", selector);
	else
		(void)snprintf(to, size, "no reason");
	return to;
}
