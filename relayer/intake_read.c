/* A request as a citizen sends it, judged by what can be known at once. */
#include <stdio.h>

#include "abi/contracts_tables.h"
#include "relayer/intake.h"
#include "relayer/limits.h"

#define INDEX_BITS  40 /* uint40 */
#define AMOUNT_BITS 96

static bool refuse(struct http_answer *answer, const char *field,
		   const char *message, const char *hint)
{
	http_error(answer, 422, "certain_to_fail", field, message, hint);
	return false;
}

static void read_signature(struct json_reader *r, const json_node *root,
			   struct signature *ret)
{
	json_hex(r, root, "signature", ret->b, sizeof(ret->b));
}

static void read_withdrawal(struct json_reader *r, const json_node *root,
			    struct request *q)
{
	static const char *const names[] = {"kind",	 "index", "amount",
					    "recipient", "salt",  "expiry",
					    "signature", NULL};

	json_only(r, root, names);
	q->kind = REQUEST_WITHDRAWAL;
	q->withdraw.index = json_u64(r, root, "index");
	q->withdraw.amount = json_amount(r, root, "amount");
	q->withdraw.recipient = json_address(r, root, "recipient");
	q->withdraw.salt = json_hash(r, root, "salt");
	q->withdraw.expiry = json_u64(r, root, "expiry");
	read_signature(r, root, &q->signature);
	if (q->withdraw.index >> INDEX_BITS)
		json_fail(r, "index", "expected a number below 2^40");
	if (!u256_fits(q->withdraw.amount, AMOUNT_BITS))
		json_fail(r, "amount", "expected an amount below 2^96");
}

static void read_exit(struct json_reader *r, const json_node *root,
		      struct request *q)
{
	static const char *const names[] = {"kind",  "index",	  "recipient",
					    "count", "signature", NULL};

	json_only(r, root, names);
	q->kind = REQUEST_EXIT;
	q->exit_to.index = json_u64(r, root, "index");
	q->exit_to.recipient = json_address(r, root, "recipient");
	q->exit_to.count = json_u64(r, root, "count");
	read_signature(r, root, &q->signature);
	if (q->exit_to.index >> INDEX_BITS)
		json_fail(r, "index", "expected a number below 2^40");
}

static void read_transaction(struct json_reader *r, const json_node *root,
			     struct board_item *item)
{
	static const char *const names[] = {"kind", "raw", NULL};

	json_only(r, root, names);
	item->request.kind = REQUEST_TRANSACTION;
	json_bytes(r, root, "raw", &item->raw);
	item->request.raw = buf_slice(&item->raw);
}

static void read_any(struct json_reader *r, const json_node *root,
		     struct board_item *item)
{
	const char *kind = json_string(r, root, "kind", 16);

	if (r->failed)
		return;
	if (!strcmp(kind, "withdrawal"))
		read_withdrawal(r, root, &item->request);
	else if (!strcmp(kind, "exit"))
		read_exit(r, root, &item->request);
	else if (!strcmp(kind, "transaction"))
		read_transaction(r, root, item);
	else
		json_fail(r, "kind",
			  "expected withdrawal, transaction or exit");
}

static bool leaf_exists(const struct board_facts *facts, uint64_t index,
			struct http_answer *answer)
{
	char text[96];

	if (index < facts->leaf_count)
		return true;
	snprintf(text, sizeof(text), "the ledger has %llu leaves",
		 (unsigned long long)facts->leaf_count);
	return refuse(answer, "index", text, "look up the index of your leaf");
}

/* The contracts themselves take no coin: what is sent to the hatch would be
 * owed to it for ever, for it claims nothing. */
static bool good_recipient(const struct board_facts *facts,
			   struct address recipient, struct http_answer *answer)
{
	if (!address_is_zero(recipient) &&
	    !address_eq(recipient, facts->rollup) &&
	    !address_eq(recipient, facts->hatch))
		return true;
	return refuse(answer, "recipient",
		      "nothing can be paid to this address",
		      "name the account on L1 that shall have the money");
}

static bool judge_withdrawal(const struct board_facts *facts,
			     const struct withdraw *w,
			     struct http_answer *answer)
{
	if (u256_is_zero(w->amount))
		return refuse(answer, "amount", "the amount is zero",
			      "to withdraw everything ask for 2^96 - 1");
	if (w->expiry <= facts->head_time)
		return refuse(answer, "expiry", "it has expired on L1",
			      "sign again with a later expiry");
	if (facts->state != ROLLUP_RUNNING)
		return refuse(answer, "kind",
			      "the hatch is open: no requests are taken on L1",
			      "you are paid without asking; kind exit names "
			      "another address");
	return leaf_exists(facts, w->index, answer) &&
	       good_recipient(facts, w->recipient, answer);
}

static bool judge_exit(const struct board_facts *facts, const struct exit_to *e,
		       struct http_answer *answer)
{
	if (!facts->evacuates)
		return refuse(answer, "kind", "this relayer carries no exits",
			      "hand it to another relayer");
	if (e->count > facts->count + WISH_COUNT_AHEAD)
		return refuse(answer, "count",
			      "the ledger is far from this count",
			      "sign for the count that /v1/status of a watcher "
			      "shows");
	if (e->count < facts->count)
		return refuse(answer, "count",
			      "the ledger has moved on from this count",
			      "sign for the count that /v1/status of a watcher "
			      "shows");
	return leaf_exists(facts, e->index, answer) &&
	       good_recipient(facts, e->recipient, answer);
}

static bool judge_transaction(const struct board_facts *facts, struct slice raw,
			      struct http_answer *answer)
{
	if (!raw.len)
		return refuse(answer, "raw", "it is empty",
			      "send the signed transaction's bytes");
	if (raw.len > EGRESS_MAX_FORCED_BYTES) {
		http_error(answer, 413, "too_large", "raw",
			   "more than 32768 bytes", "");
		return false;
	}
	if (facts->state != ROLLUP_RUNNING)
		return refuse(answer, "kind",
			      "the hatch is open: nothing is carried out",
			      "wait for the new operator");
	return true;
}

static bool judge(const struct board_facts *facts, const struct request *q,
		  struct http_answer *answer)
{
	struct address signer;

	if (q->kind != REQUEST_TRANSACTION &&
	    request_signer(q, facts->chain_id, facts->rollup, &signer)) {
		http_error(answer, 400, "bad_signature", "signature",
			   "it is no signature of this request",
			   "sign with EIP-712 for this chain and rollup");
		return false;
	}
	switch (q->kind) {
	case REQUEST_WITHDRAWAL:
		return judge_withdrawal(facts, &q->withdraw, answer);
	case REQUEST_EXIT:
		return judge_exit(facts, &q->exit_to, answer);
	case REQUEST_TRANSACTION:
		return judge_transaction(facts, q->raw, answer);
	}
	return false;
}

static struct hash32 request_id(const struct board_facts *facts,
				const struct request *q)
{
	switch (q->kind) {
	case REQUEST_WITHDRAWAL:
		return request_id_withdrawal(facts->chain_id, facts->rollup,
					     &q->withdraw);
	case REQUEST_EXIT:
		return request_id_exit(facts->chain_id, facts->rollup,
				       &q->exit_to);
	case REQUEST_TRANSACTION:
		break;
	}
	return request_id_transaction(facts->chain_id, facts->rollup, q->raw);
}

bool intake_parse(const struct board_facts *facts, struct slice body,
		  struct board_item *item, struct http_answer *answer)
{
	struct json_reader r = {0};
	struct json_doc *doc = NULL;
	struct err_text error;
	struct request *q = &item->request;
	const struct request_times times = {.now = facts->head_time,
					    .inclusion_window =
						    facts->inclusion_window,
					    .exits_from = facts->exits_from};

	enum err err =
		json_parse(body, JSON_BODY_MAX, JSON_DEPTH_MAX, &doc, &error);
	if (err) {
		bool large = body.len > JSON_BODY_MAX;
		http_error(answer, large ? 413 : 400,
			   large ? "too_large" : "bad_json", "", error.text,
			   "send one JSON object");
		return false;
	}
	read_any(&r, json_root(doc), item);
	json_free(doc);
	if (r.failed) {
		http_error_reader(answer, &r, "see the list of requests");
		return false;
	}
	if (!facts->known) {
		http_error(answer, 503, "not_ready", "", facts->not_ready,
			   "try again in a few seconds");
		return false;
	}
	if (!judge(facts, q, answer))
		return false;
	q->id = request_id(facts, q);
	q->state = REQUEST_QUEUED;
	q->accepted_at = facts->head_time;
	q->deadline = request_deadline(q, &times);
	return true;
}
