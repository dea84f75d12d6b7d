#include "relayer/intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "abi/pack.h"
#include "relayer/limits.h"
#include "relayer/room.h"
#include "sys/log.h"

struct owner_ask { /* the item may be gone when the answer comes */
	struct intake *in;
	bool used;
	struct hash32 id;
};

struct intake {
	struct parts *parts;
	struct board *board;
	size_t n;
	struct board_item *waiting[INTAKE_QUEUE_MAX];
	struct hash32 root; /* of the facts, this turn */
	uint64_t now_ms;
	struct owner_ask asks[PEER_ASKS_MAX];
};

struct intake *intake_new(struct parts *parts, struct board *board)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (!in)
		fatal("out of memory", "intake");
	in->parts = parts;
	in->board = board;
	return in;
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->n; i++)
		board_item_free(in->waiting[i]);
	free(in);
}

static void answer_json(struct http_answer *answer, unsigned status)
{
	*answer = (struct http_answer){.status = status};
	buf_init(&answer->body, HTTP_ANSWER_MAX);
}

/* RECEIPT without root, path and signature: a later version signs it. */
static void put_receipt(struct json_writer *w, const char *key,
			const struct request *r, struct address relayer)
{
	json_begin(w, key);
	json_put_hash(w, "request", r->id);
	json_put_u64(w, "accepted_at", r->accepted_at);
	json_put_u64(w, "deadline", r->deadline);
	json_put_address(w, "relayer", relayer);
	json_end(w);
}

/* ---- server threads ----------------------------------------------------- */

static bool post_request(void *ctx, const struct http_call *call,
			 struct http_answer *answer)
{
	struct intake *in = ctx;
	struct board_facts facts = board_facts(in->board);
	struct board_item *item = calloc(1, sizeof(*item));

	if (!item)
		fatal("out of memory", "intake");
	buf_init(&item->raw, JSON_BODY_MAX);
	if (!intake_parse(&facts, call->body, item, answer)) {
		board_item_free(item);
		return true;
	}
	item->call = http_defer(call);
	if (board_push(in->board, item))
		return false;
	struct http_deferred *deferred = item->call;
	struct http_answer busy = {0};
	http_error(&busy, 503, "busy", "", "too many requests at once",
		   "try again in a few seconds");
	http_resume(deferred, &busy);
	board_item_free(item);
	return false;
}

static enum err find_request(struct intake *in, const char *text,
			     struct store_txn **txn, struct request *ret)
{
	struct hash32 id;

	if (hash_parse(slice_str(text), &id))
		return ERR_INVALID;
	enum err err = store_begin(in->parts->store, false, txn);
	return err ? err : requests_get(*txn, &in->parts->requests, id, ret);
}

static void put_request(struct json_writer *w, const struct request *r,
			const struct board_facts *facts)
{
	bool sent = r->state >= REQUEST_SIGNED && !hash_is_zero(r->tx_hash);
	uint64_t eta = request_eta(
		r, &(struct request_times){.inclusion_window =
						   facts->inclusion_window,
					   .exits_from = facts->exits_from});

	json_begin(w, NULL);
	json_put_string(w, "state", request_state_name(r->state));
	if (sent)
		json_put_hash(w, "tx", r->tx_hash);
	else
		json_put_null(w, "tx");
	if (r->block)
		json_put_u64(w, "block", r->block);
	else
		json_put_null(w, "block");
	json_put_u64(w, "confirmations",
		     r->block && facts->head >= r->block
			     ? facts->head - r->block + 1
			     : 0);
	json_put_string(w, "outcome", r->outcome);
	if (eta)
		json_put_u64(w, "eta", eta);
	else
		json_put_null(w, "eta");
	put_receipt(w, "receipt", r, facts->relayer);
	json_end(w);
}

static bool get_request(void *ctx, const struct http_call *call,
			struct http_answer *answer)
{
	struct intake *in = ctx;
	struct board_facts facts = board_facts(in->board);
	CLEANUP(store_abortp) struct store_txn *txn = NULL;
	struct request r;
	enum err err = find_request(in, call->args[0], &txn, &r);

	if (err == ERR_INVALID) {
		http_error(answer, 400, "bad_field", "id",
			   "expected 0x and 64 hex digits",
			   "use the request from the receipt");
	} else if (err == ERR_NOT_FOUND) {
		http_error(answer, 404, "not_found", "id",
			   "this relayer does not know it", "");
	} else if (err) {
		http_error(answer, 503, "busy", "", err_name(err), "");
	} else {
		answer_json(answer, 200);
		struct json_writer w = json_writer(&answer->body);
		put_request(&w, &r, &facts);
	}
	return true;
}

static void put_exit(struct json_writer *w, const struct request *r)
{
	json_begin(w, NULL);
	json_put_u64(w, "index", r->exit_to.index);
	json_put_address(w, "recipient", r->exit_to.recipient);
	json_put_u64(w, "count", r->exit_to.count);
	json_put_hex(w, "signature", r->signature.b, sizeof(r->signature.b));
	json_end(w);
}

static bool get_exits(void *ctx, const struct http_call *call,
		      struct http_answer *answer)
{
	struct intake *in = ctx;
	CLEANUP(store_abortp) struct store_txn *txn = NULL;
	struct request *list = calloc(EXITS_LISTED_MAX, sizeof(*list));
	size_t n = 0;

	(void)call;
	if (!list)
		fatal("out of memory", "intake");
	enum err err = store_begin(in->parts->store, false, &txn);
	if (!err)
		err = requests_published(txn, &in->parts->requests, list,
					 EXITS_LISTED_MAX, &n);
	if (err) {
		http_error(answer, 503, "busy", "", err_name(err), "");
	} else {
		answer_json(answer, 200);
		struct json_writer w = json_writer(&answer->body);
		json_begin(&w, NULL);
		json_begin_array(&w, "exits");
		for (size_t i = 0; i < n; i++)
			put_exit(&w, &list[i]);
		json_end_array(&w);
		json_end(&w);
	}
	free(list);
	return true;
}

static bool get_status(void *ctx, const struct http_call *call,
		       struct http_answer *answer)
{
	struct intake *in = ctx;

	(void)call;
	answer_json(answer, 200);
	board_status(in->board, &answer->body);
	return true;
}

static bool healthz(void *ctx, const struct http_call *call,
		    struct http_answer *answer)
{
	(void)ctx;
	(void)call;
	answer_json(answer, 200);
	answer->content_type = "text/plain; charset=utf-8";
	buf_add_str(&answer->body, "ok\n");
	return true;
}

static bool readyz(void *ctx, const struct http_call *call,
		   struct http_answer *answer)
{
	struct intake *in = ctx;
	struct board_facts facts = board_facts(in->board);

	(void)call;
	if (!facts.known || *facts.not_ready) {
		http_error(answer, 503, "not_ready", "", facts.not_ready, "");
		return true;
	}
	answer_json(answer, 200);
	buf_add_str(&answer->body, "{\"ready\":true}");
	return true;
}

const struct http_route *intake_routes(void)
{
	static const struct http_route routes[] = {
		{"POST", "/v1/requests", post_request},
		{"GET", "/v1/requests/{id}", get_request},
		{"GET", "/v1/exits", get_exits},
		{"GET", "/v1/status", get_status},
		{"GET", "/healthz", healthz},
		{"GET", "/readyz", readyz},
		{NULL, NULL, NULL},
	};

	return routes;
}

/* ---- worker ------------------------------------------------------------- */

static struct board_item *find_item(struct intake *in, struct hash32 id)
{
	for (size_t i = 0; i < in->n; i++)
		if (hash_eq(in->waiting[i]->request.id, id))
			return in->waiting[i];
	return NULL;
}

static uint64_t leaf_of(const struct request *r)
{
	return r->kind == REQUEST_EXIT ? r->exit_to.index : r->withdraw.index;
}

/* false: the watcher has lied, or is a block apart. */
static bool read_owner(const struct owner_ask *ask,
		       const struct peer_answer *answer, uint64_t leaf,
		       struct pack *ret)
{
	struct peers *peers = ask->in->parts->peers;
	struct err_text error;

	if (answer->err)
		return false;
	if (pack_parse_json(answer->root, ret, &error) ||
	    pack_verify(ret, &error) || ret->n != 1) {
		peers_blame(peers, answer->peer, ask->in->now_ms,
			    "its proof does not lead to its root");
		return false;
	}
	if (ret->leaves[0].index != leaf) {
		peers_blame(peers, answer->peer, ask->in->now_ms,
			    "it proves another leaf than was asked for");
		return false;
	}
	return hash_eq(ret->root, ask->in->root);
}

/* The same request may wait twice, with two signatures: one answer for all. */
static void owner_came(void *ctx, const struct peer_answer *answer)
{
	struct owner_ask *slot = ctx, ask = *slot;
	struct board_item *item = find_item(ask.in, ask.id);
	struct pack pack;

	slot->used = false;
	if (!item)
		return;
	bool known = read_owner(&ask, answer, leaf_of(&item->request), &pack);
	for (size_t i = 0; i < ask.in->n; i++) {
		item = ask.in->waiting[i];
		if (!hash_eq(item->request.id, ask.id))
			continue;
		item->asked = item->answered = true;
		if (!known)
			continue; /* checked before it is sent */
		item->owner = record_owner(&pack.leaves[0].record);
		item->payable =
			record_kind(&pack.leaves[0].record) == RECORD_BALANCE &&
			!u256_is_zero(record_amount(&pack.leaves[0].record));
		item->owner_known = true;
	}
}

/* Not asked: too many are, it waits for its turn.  With no watcher in sight
 * there is nothing to wait for: then it is proven before it is sent. */
static void ask_owner(struct intake *in, struct board_item *item)
{
	struct owner_ask *ask = NULL;
	char path[64];

	for (size_t i = 0; i < PEER_ASKS_MAX && !ask; i++)
		if (!in->asks[i].used)
			ask = &in->asks[i];
	if (!ask)
		return;
	*ask = (struct owner_ask){in, true, item->request.id};
	snprintf(path, sizeof(path), "/v1/proof/%llu",
		 (unsigned long long)leaf_of(&item->request));
	enum err err =
		peers_ask(in->parts->peers, path, in->now_ms, owner_came, ask);
	ask->used = !err;
	item->asked = err != ERR_BUSY;
	item->answered = err == ERR_NOT_FOUND;
}

static void accept(struct intake *in, struct board_item *item,
		   const struct request *r)
{
	answer_json(&item->answer, 202);
	struct json_writer w = json_writer(&item->answer.body);
	put_receipt(&w, NULL, r, in->parts->config->account);
	item->done = true;
}

static void refuse(struct board_item *item, unsigned status, const char *code,
		   const char *message, const char *hint)
{
	http_error(&item->answer, status, code, "", message, hint);
	item->done = true;
}

/* What is accepted must also be carried: no new one while the store or the
 * purse could not bear it.  What is known already keeps its answer. */
static enum err refuse_without_room(struct intake *in, const struct book *book,
				    struct turn *t, struct board_item *item)
{
	const struct account_state *purse = submit_account(in->parts->submit);
	struct request known;
	enum err err = requests_get(t->txn, &in->parts->requests,
				    item->request.id, &known);

	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!err && known.state != REQUEST_FAILED)
		return OK;
	if (!room_for(book_room(book), &item->request))
		refuse(item, 503, "disk_full", "this relayer's store is full",
		       "ask another relayer");
	else if (purse && !room_in_purse(purse))
		refuse(item, 503, "no_funds",
		       "this relayer's account cannot pay for it",
		       "ask another relayer");
	return OK;
}

static enum err decide(struct intake *in, struct book *book, struct turn *t,
		       struct board_item *item)
{
	struct request *r = &item->request, known;
	struct address signer = {{0}};
	bool signs = r->kind != REQUEST_TRANSACTION;

	if (signs && item->owner_known &&
	    (request_signer(r, in->parts->config->shared.chain.id,
			    t->facts->rollup, &signer) ||
	     !address_eq(signer, item->owner))) {
		refuse(item, 400, "bad_signature",
		       "not signed by the owner of this leaf",
		       "sign with the key that owns the leaf");
		return OK;
	}
	if (signs && item->owner_known && !item->payable) {
		refuse(item, 422, "certain_to_fail",
		       "there is no balance in this leaf",
		       "look up the index of your leaf");
		return OK;
	}
	enum err err = refuse_without_room(in, book, t, item);
	if (err || item->done)
		return err;
	err = book_add(book, t, r, !signs || item->owner_known, &known);
	if (err == ERR_REFUSED) {
		refuse(item, 422, "certain_to_fail",
		       *known.outcome ? known.outcome : "it failed before",
		       "sign a new request");
		return OK;
	}
	if (err == ERR_BUSY) {
		refuse(item, 503, "too_many",
		       "this relayer has as many open requests as it may",
		       "ask another relayer");
		return OK;
	}
	if (err == ERR_INVALID) {
		refuse(item, 503, "busy",
		       "another signature of the same request is being checked",
		       "send it again in a few seconds");
		return OK;
	}
	if (err && err != ERR_CONFLICT)
		return err;
	accept(in, item, err ? &known : r);
	t->again = true;
	return OK;
}

enum err intake_turn(struct intake *in, struct book *book, struct turn *t)
{
	struct board_item *item;
	enum err err = OK;

	in->now_ms = t->now_ms;
	if (t->facts)
		in->root = t->facts->root;
	while (in->n < INTAKE_QUEUE_MAX && (item = board_take(in->board))) {
		item->since_ms = t->now_ms;
		in->waiting[in->n++] = item;
	}
	for (size_t i = 0; i < in->n && !err; i++) {
		item = in->waiting[i];
		bool signs = item->request.kind != REQUEST_TRANSACTION;
		if (signs && !item->asked)
			ask_owner(in, item);
		if (item->done || (signs && !item->answered &&
				   t->now_ms < item->since_ms + OWNER_WAIT_MS))
			continue;
		if (!t->facts)
			refuse(item, 503, "not_ready", "L1 was not read yet",
			       "try again");
		else if (signs && !item->asked)
			refuse(item, 503, "busy",
			       "too many requests wait for their proof",
			       "send it again in a few seconds");
		else
			err = decide(in, book, t, item);
	}
	return err;
}

void intake_answer(struct intake *in)
{
	size_t left = 0;

	for (size_t i = 0; i < in->n; i++) {
		struct board_item *item = in->waiting[i];
		if (!item->done) {
			in->waiting[left++] = item;
			continue;
		}
		http_resume(item->call, &item->answer);
		board_item_free(item);
	}
	in->n = left;
}

void intake_close(struct intake *in)
{
	struct board_item *item;

	while (in->n < INTAKE_QUEUE_MAX && (item = board_take(in->board)))
		in->waiting[in->n++] = item;
	for (size_t i = 0; i < in->n; i++)
		if (!in->waiting[i]->done)
			refuse(in->waiting[i], 503, "not_ready",
			       "the relayer ends", "ask another relayer");
	intake_answer(in);
}

uint64_t intake_next(const struct intake *in)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < in->n; i++)
		if (in->waiting[i]->since_ms + OWNER_WAIT_MS < next)
			next = in->waiting[i]->since_ms + OWNER_WAIT_MS;
	return next;
}
