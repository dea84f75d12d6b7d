/* What expelled providers said: the list, and one record whole.  Each from one
 * snapshot of the store. */
#include "watcher/api.h"

static bool unreadable(struct http_answer *answer)
{
	http_error(answer, 503, "not_ready", "",
		   "the evidence cannot be read now", "try again in a second");
	return true;
}

struct listing {
	struct json_writer *w;
	size_t n;
	uint64_t last; /* number of the oldest shown */
	bool more;
};

static bool list_one(void *ctx, uint64_t id, const struct lie *lie)
{
	struct listing *l = ctx;

	l->more = l->n == EVIDENCE_PAGE;
	if (l->more)
		return false;
	lie_json(lie, id, false, l->w);
	l->n++;
	l->last = id;
	return true;
}

bool api_evidence(void *ctx, const struct http_call *call,
		  struct http_answer *answer)
{
	CLEANUP(store_abortp) struct store_txn *txn = NULL;
	const char *before = http_query(call, "before");
	struct api *api = ctx;
	struct listing l = {0};
	struct json_writer w;
	uint64_t below = 0;
	enum err err;

	if (before && (!api_number(before, UINT64_MAX, &below) || !below))
		return api_bad(answer, "before", "expected an evidence's id");
	api_ok(answer);
	w = json_writer(&answer->body);
	l.w = &w;
	json_begin(&w, NULL);
	json_begin_array(&w, "evidence");
	err = store_begin(api->store, false, &txn);
	if (!err)
		err = evidence_walk(txn, api->evidence, below, list_one, &l);
	json_end_array(&w);
	if (l.more)
		json_put_u64(&w, "before", l.last);
	json_end(&w);
	return !err || unreadable(answer);
}

bool api_evidence_one(void *ctx, const struct http_call *call,
		      struct http_answer *answer)
{
	CLEANUP(store_abortp) struct store_txn *txn = NULL;
	struct api *api = ctx;
	struct json_writer w;
	struct lie lie;
	uint64_t id;
	enum err err;

	if (!api_number(call->args[0], UINT64_MAX, &id))
		return api_bad(answer, "id", "expected an evidence's id");
	err = store_begin(api->store, false, &txn);
	if (!err)
		err = evidence_get(txn, api->evidence, id, &lie);
	if (err == ERR_NOT_FOUND) {
		http_error(answer, 404, "not_found", "id",
			   "there is no such evidence, or none any more",
			   "look at /v1/evidence: what is kept");
		return true;
	}
	if (err)
		return unreadable(answer);
	api_ok(answer);
	w = json_writer(&answer->body);
	lie_json(&lie, id, true, &w);
	return true;
}
