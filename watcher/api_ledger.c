/* Proofs, accounts, packs, buckets: each from one snapshot of the ledger, so
 * that records and siblings are of one root. */
#include "watcher/api.h"

#include <stdlib.h>

#include "abi/hex.h"
#include "abi/pack.h"

#define ACCOUNT_MAX 100 /* leaves in one answer */
#define INDEX_MAX   ((1ULL << MERKLE_DEPTH_MAX) - 1)

static bool unavailable(struct http_answer *answer)
{
	http_error(answer, 503, "not_ready", "", "the ledger is being read",
		   "try again in a second");
	return true;
}

/* "There is none" is said only by a watcher that has read L1 to its end. */
static bool missing(const struct api *api, struct http_answer *answer,
		    const char *field, const char *message)
{
	struct board_reason why = board_not_ready(api->board);

	if (!*why.text) {
		http_error(answer, 404, "not_found", field, message,
			   "look at /v1/account/{address}: which leaves an "
			   "owner has");
		return true;
	}
	http_error(answer, 503, "not_ready", field, why.text,
		   "try again later, or ask another watcher");
	return true;
}

static void pack_head(const struct api *api, const struct ledger_view *v,
		      struct pack *p)
{
	const struct ledger_mark *m = ledger_view_mark(v);

	p->chain_id = api->chain_id;
	p->hatch = api->hatch;
	p->rollup = board_rollup(api->board);
	p->batch = m->batch;
	p->block = m->block;
	p->block_hash = m->block_hash;
	p->root = m->root;
	p->leaf_count = m->leaf_count;
	p->n = 0;
}

static enum err pack_add(struct ledger_view *v, struct pack *p, uint64_t index)
{
	struct pack_leaf *leaf = &p->leaves[p->n];
	unsigned depth;
	enum err err = ledger_view_proof(v, index, &leaf->record,
					 leaf->siblings, &depth);

	if (err)
		return err;
	leaf->index = index;
	p->n++;
	return OK;
}

static enum err one_leaf(const struct api *api, uint64_t index, struct pack *p)
{
	CLEANUP(ledger_view_endp) struct ledger_view *v = NULL;
	enum err err = ledger_view_begin(api->ledger, &v);

	if (err)
		return err;
	pack_head(api, v, p);
	return pack_add(v, p, index);
}

/* PACK of one leaf; `credential`: it must be one. */
static bool leaf_answer(struct api *api, const struct http_call *call,
			bool credential, struct http_answer *answer)
{
	struct pack *p;
	struct json_writer w;
	uint64_t index;
	enum err err;

	if (!api_number(call->args[0], INDEX_MAX, &index))
		return api_bad(answer, "index", "expected a leaf's number");
	p = calloc(1, sizeof(*p));
	err = p ? one_leaf(api, index, p) : ERR_FULL;
	if (!err && credential &&
	    record_kind(&p->leaves[0].record) != RECORD_CREDENTIAL)
		err = ERR_NOT_FOUND;
	api_ok(answer);
	w = json_writer(&answer->body);
	if (!err)
		pack_json(p, &w, NULL);
	if (!err && credential) { /* {"kind":2, the pack's fields} */
		const char *head = "{\"kind\":2,";
		struct buf whole;

		buf_init(&whole, HTTP_ANSWER_MAX);
		buf_add_str(&whole, head);
		buf_add(&whole, answer->body.p + 1, answer->body.len - 1);
		buf_done(&answer->body);
		answer->body = whole;
	}
	free(p);
	if (err == ERR_NOT_FOUND)
		return missing(api, answer, "index",
			       credential ? "there is no such credential"
					  : "the ledger has no such leaf");
	return err ? unavailable(answer) : true;
}

bool api_proof(void *ctx, const struct http_call *call,
	       struct http_answer *answer)
{
	return leaf_answer(ctx, call, false, answer);
}

bool api_credential(void *ctx, const struct http_call *call,
		    struct http_answer *answer)
{
	return leaf_answer(ctx, call, true, answer);
}

/* ---- by owner ---- */

static void put_leaf(struct json_writer *w, struct ledger_view *v,
		     uint64_t index)
{
	struct record record;

	if (ledger_view_record(v, index, &record))
		return;
	json_begin(w, NULL);
	json_put_u64(w, "index", index);
	json_put_hex(w, "record", record.b, RECORD_SIZE);
	json_end(w);
}

bool api_account(void *ctx, const struct http_call *call,
		 struct http_answer *answer)
{
	struct api *api = ctx;
	CLEANUP(ledger_view_endp) struct ledger_view *v = NULL;
	const char *after_text = http_query(call, "after");
	uint64_t after = UINT64_MAX, indices[ACCOUNT_MAX];
	struct address owner;
	struct json_writer w;
	size_t n;
	bool more;

	if (address_parse(slice_str(call->args[0]), &owner))
		return api_bad(answer, "address",
			       "expected 0x and 40 hex digits");
	if (after_text && !api_number(after_text, INDEX_MAX, &after))
		return api_bad(answer, "after", "expected a leaf's number");
	if (ledger_view_begin(api->ledger, &v) ||
	    ledger_view_owner(v, owner, after, indices, ACCOUNT_MAX, &n, &more))
		return unavailable(answer);
	api_ok(answer);
	w = json_writer(&answer->body);
	json_begin(&w, NULL);
	json_begin_array(&w, "leaves");
	for (size_t i = 0; i < n; i++)
		put_leaf(&w, v, indices[i]);
	json_end_array(&w);
	if (more && n)
		json_put_u64(&w, "next", indices[n - 1]);
	else
		json_put_null(&w, "next");
	json_end(&w);
	return true;
}

/* The first PACK_LEAVES_MAX leaves of an owner. */
static enum err owner_pack(const struct api *api, struct address owner,
			   struct pack *p)
{
	CLEANUP(ledger_view_endp) struct ledger_view *v = NULL;
	uint64_t indices[PACK_LEAVES_MAX];
	size_t n;
	bool more;
	enum err err = ledger_view_begin(api->ledger, &v);

	if (err)
		return err;
	pack_head(api, v, p);
	err = ledger_view_owner(v, owner, UINT64_MAX, indices, PACK_LEAVES_MAX,
				&n, &more);
	for (size_t i = 0; !err && i < n; i++)
		err = pack_add(v, p, indices[i]);
	if (!err && !n)
		err = ERR_NOT_FOUND;
	return err;
}

bool api_pack(void *ctx, const struct http_call *call,
	      struct http_answer *answer)
{
	struct api *api = ctx;
	struct address owner;
	struct json_writer w;
	struct pack *p;
	enum err err;

	if (address_parse(slice_str(call->args[0]), &owner))
		return api_bad(answer, "address",
			       "expected 0x and 40 hex digits");
	p = calloc(1, sizeof(*p));
	err = p ? owner_pack(api, owner, p) : ERR_FULL;
	api_ok(answer);
	if (!err && strstr(call->accept, "text/plain")) {
		answer->content_type = "text/plain; charset=utf-8";
		pack_text(p, &answer->body);
		buf_add_byte(&answer->body, '\n');
	} else if (!err) {
		w = json_writer(&answer->body);
		pack_json(p, &w, NULL);
	}
	free(p);
	if (err == ERR_NOT_FOUND)
		return missing(api, answer, "address",
			       "this address has no leaf in the ledger");
	return err ? unavailable(answer) : true;
}

/* ---- by bucket ---- */

static size_t last_record(const struct record *records)
{
	size_t n = BUCKET_LEAVES;

	while (n && record_is_empty(&records[n - 1]))
		n--;
	return n;
}

bool api_bucket(void *ctx, const struct http_call *call,
		struct http_answer *answer)
{
	struct api *api = ctx;
	CLEANUP(ledger_view_endp) struct ledger_view *v = NULL;
	struct hash32 siblings[MERKLE_DEPTH_MAX];
	struct record records[BUCKET_LEAVES];
	const struct ledger_mark *mark;
	struct json_writer w;
	unsigned n_siblings;
	uint64_t bucket;
	enum err err;

	if (!api_number(call->args[0], INDEX_MAX / BUCKET_LEAVES, &bucket))
		return api_bad(answer, "n", "expected a bucket's number");
	err = ledger_view_begin(api->ledger, &v);
	if (!err)
		err = ledger_view_bucket(v, bucket, records, siblings,
					 &n_siblings);
	if (err == ERR_NOT_FOUND) {
		http_error(answer, 404, "not_found", "n",
			   "the ledger has no such bucket", "");
		return true;
	}
	if (err)
		return unavailable(answer);
	mark = ledger_view_mark(v);
	api_ok(answer);
	w = json_writer(&answer->body);
	json_begin(&w, NULL);
	json_put_u64(&w, "bucket", bucket);
	json_put_u64(&w, "batch", mark->batch);
	json_put_hash(&w, "root", mark->root);
	json_put_hex(&w, "records", records,
		     last_record(records) * RECORD_SIZE);
	json_begin_array(&w, "proof");
	for (unsigned i = 0; i < n_siblings; i++)
		json_put_hash(&w, NULL, siblings[i]);
	json_end_array(&w);
	json_end(&w);
	return true;
}
