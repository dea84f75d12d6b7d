/* A citizen's request to a relayer: see request.h. */
#include "cli/request.h"

#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "cli/daemon.h"
#include "sys/clock.h"

#define PATH "/v1/requests"

void request_withdrawal_json(const struct withdraw *withdraw,
			     const struct signature *signature, struct buf *to)
{
	struct json_writer w = json_writer(to);

	json_begin(&w, NULL);
	json_put_string(&w, "kind", "withdrawal");
	json_put_u64(&w, "index", withdraw->index);
	json_put_amount(&w, "amount", withdraw->amount);
	json_put_address(&w, "recipient", withdraw->recipient);
	json_put_hash(&w, "salt", withdraw->salt);
	json_put_u64(&w, "expiry", withdraw->expiry);
	json_put_hex(&w, "signature", signature->b, sizeof(signature->b));
	json_end(&w);
}

void request_exit_json(const struct exit_to *e,
		       const struct signature *signature, struct buf *to)
{
	struct json_writer w = json_writer(to);

	json_begin(&w, NULL);
	json_put_string(&w, "kind", "exit");
	json_put_u64(&w, "index", e->index);
	json_put_address(&w, "recipient", e->recipient);
	json_put_u64(&w, "count", e->count);
	json_put_hex(&w, "signature", signature->b, sizeof(signature->b));
	json_end(&w);
}

void request_transaction_json(struct slice raw, struct buf *to)
{
	struct json_writer w = json_writer(to);

	json_begin(&w, NULL);
	json_put_string(&w, "kind", "transaction");
	json_put_hex(&w, "raw", raw.p, raw.len);
	json_end(&w);
}

struct receipt {
	struct hash32 request;
	struct address relayer;
	uint64_t accepted_at, deadline;
};

static int read_receipt(const struct daemon *relayer,
			const struct json_doc *doc, struct receipt *ret)
{
	struct json_reader r = {0};
	const json_node *o = json_root(doc);

	ret->request = json_hash(&r, o, "request");
	ret->accepted_at = json_u64(&r, o, "accepted_at");
	ret->deadline = json_u64(&r, o, "deadline");
	ret->relayer = json_address(&r, o, "relayer");
	return daemon_told(relayer, PATH, &r);
}

static void print_receipt(const struct where *where, const struct receipt *t)
{
	printf("accepted by relayer %s\n", address_text(t->relayer).s);
	printf("  request    %s\n", hash_text(t->request).s);
	printf("  on L1 by   %s\n",
	       t->deadline ? cli_when(t->deadline, clock_unix_ms() / 1000).s
			   : "no clock runs yet: when exits are open");
	printf("  follow it  egress track %s --relayer %s\n",
	       hash_text(t->request).s, where->relayer);
}

static void print_receipt_json(const struct receipt *t)
{
	struct cli_json j;

	cli_json_begin(&j);
	json_begin(&j.w, NULL);
	json_put_hash(&j.w, "request", t->request);
	json_put_u64(&j.w, "accepted_at", t->accepted_at);
	json_put_u64(&j.w, "deadline", t->deadline);
	json_put_address(&j.w, "relayer", t->relayer);
	json_end(&j.w);
	cli_json_end(&j);
}

int request_hand_in(const struct where *where, struct hash32 id,
		    const struct buf *request)
{
	const struct daemon relayer = daemon_relayer(where);
	struct json_doc *doc = NULL;
	struct receipt receipt = {0};
	struct buf answer;
	int status;

	if (!where->relayer) {
		printf("%.*s\n", (int)request->len, (const char *)request->p);
		return CLI_OK;
	}
	buf_init(&answer, DAEMON_ANSWER_MAX);
	status = daemon_ask_json(&relayer, PATH, buf_slice(request), &answer,
				 &doc);
	if (!status)
		status = read_receipt(&relayer, doc, &receipt);
	if (!status && !hash_eq(receipt.request, id))
		status = cli_fail("%s: it answers for request %s, ours is %s: "
				  "is it a relayer of this hatch?",
				  where->relayer, hash_text(receipt.request).s,
				  hash_text(id).s);
	if (!status && where->json)
		print_receipt_json(&receipt);
	else if (!status)
		print_receipt(where, &receipt);
	json_free(doc);
	buf_done(&answer);
	return status;
}
