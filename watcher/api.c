#include "watcher/api.h"

#include <stdlib.h>

#define TEXT_PREFIX "egress-ballot1:"

void api_ok(struct http_answer *answer)
{
	*answer = (struct http_answer){.status = 200};
	buf_init(&answer->body, HTTP_ANSWER_MAX);
}

bool api_bad(struct http_answer *answer, const char *field, const char *message)
{
	http_error(answer, 400, "bad_field", field, message, "");
	return true;
}

bool api_number(const char *text, uint64_t max, uint64_t *ret)
{
	struct u256 value;

	if (!text || u256_parse(slice_str(text), &value) ||
	    u256_cmp(value, u256_from(max)) > 0)
		return false;
	*ret = u256_u64(value);
	return true;
}

static bool page(struct api *api, enum board_page which, const char *missing,
		 struct http_answer *answer)
{
	api_ok(answer);
	if (!board_get(api->board, which, &answer->body))
		http_error(answer, 404, "not_found", "", missing, "");
	return true;
}

static bool healthz(void *ctx, const struct http_call *call,
		    struct http_answer *answer)
{
	(void)ctx;
	(void)call;
	api_ok(answer);
	answer->content_type = "text/plain; charset=utf-8";
	buf_add_str(&answer->body, "ok\n");
	return true;
}

static bool readyz(void *ctx, const struct http_call *call,
		   struct http_answer *answer)
{
	struct api *api = ctx;
	struct board_reason why = board_not_ready(api->board);

	(void)call;
	if (why.text[0]) {
		http_error(answer, 503, "not_ready", "", why.text, "");
		return true;
	}
	api_ok(answer);
	buf_add_str(&answer->body, "{\"ready\":true}");
	return true;
}

static bool status(void *ctx, const struct http_call *call,
		   struct http_answer *answer)
{
	(void)call;
	return page(ctx, BOARD_STATUS, "no status yet", answer);
}

static bool metrics(void *ctx, const struct http_call *call,
		    struct http_answer *answer)
{
	(void)call;
	page(ctx, BOARD_METRICS, "no numbers yet", answer);
	if (answer->status == 200)
		answer->content_type =
			"text/plain; version=0.0.4; charset=utf-8";
	return true;
}

static bool ballots(void *ctx, const struct http_call *call,
		    struct http_answer *answer)
{
	(void)call;
	return page(ctx, BOARD_BALLOTS, "no ballots yet", answer);
}

static bool bad_batch(void *ctx, const struct http_call *call,
		      struct http_answer *answer)
{
	(void)call;
	return page(ctx, BOARD_BAD_BATCH, "no batch was proven bad", answer);
}

/* JSON or the text form; every signature is recovered. */
static bool read_ballot(const struct http_call *call, struct bundle *ret,
			struct http_answer *answer)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	size_t prefix = sizeof(TEXT_PREFIX) - 1;

	if (call->body.len >= prefix &&
	    !memcmp(call->body.p, TEXT_PREFIX, prefix)) {
		if (!bundle_parse_text(call->body, ret, &error))
			return true;
		http_error(answer, 400, "bad_field", "", error.text,
			   "send the whole line, from " TEXT_PREFIX " on");
		return false;
	}
	if (json_parse(call->body, JSON_BODY_MAX, JSON_DEPTH_MAX, &doc,
		       &error)) {
		http_error(answer, 400, "bad_json", "", error.text,
			   "send a ballot as JSON or as " TEXT_PREFIX "…");
		return false;
	}
	if (!bundle_parse_json(json_root(doc), ret, &error))
		return true;
	http_error(answer, 400, "bad_field", "", error.text, "");
	return false;
}

static unsigned refusal_status(const struct pool_refusal *r)
{
	if (!strcmp(r->code, "not_ready") || !strcmp(r->code, "busy"))
		return 503;
	return strcmp(r->code, "certain_to_fail") ? 400 : 422;
}

static void refuse(struct http_answer *answer, const struct pool_refusal *r)
{
	http_error(answer, refusal_status(r), r->code, r->field, r->message,
		   "");
}

static bool post_ballot(void *ctx, const struct http_call *call,
			struct http_answer *answer)
{
	struct api *api = ctx;
	struct pool_rules rules = board_rules(api->board);
	struct pool_refusal refusal;
	struct bundle bundle = {0};

	if (!read_ballot(call, &bundle, answer))
		return true;
	refusal = pool_judge(&rules, &bundle);
	if (refusal.code) {
		refuse(answer, &refusal);
		return true;
	}
	if (intake_put(api->intake, &bundle, call))
		return false;
	http_error(answer, 503, "busy", "", "too many ballots are waiting",
		   "try again in a second");
	return true;
}

void api_answer_ballot(struct http_deferred *call,
		       const struct pool_refusal *refusal, bool known)
{
	struct http_answer answer;
	struct json_writer w;

	if (refusal->code) {
		refuse(&answer, refusal);
		http_resume(call, &answer);
		return;
	}
	api_ok(&answer);
	w = json_writer(&answer.body);
	json_begin(&w, NULL);
	json_put_bool(&w, "known", known);
	json_end(&w);
	http_resume(call, &answer);
}

const struct http_route api_routes[] = {
	{"GET", "/healthz", healthz},
	{"GET", "/readyz", readyz},
	{"GET", "/metrics", metrics},
	{"GET", "/v1/status", status},
	{"GET", "/status.json", status},
	{"GET", "/v1/ballots", ballots},
	{"POST", "/v1/ballots", post_ballot},
	{"GET", "/v1/bad-batch", bad_batch},
	{"GET", "/v1/evidence", api_evidence},
	{"GET", "/v1/evidence/{id}", api_evidence_one},
	{"GET", "/v1/proof/{index}", api_proof},
	{"GET", "/v1/account/{address}", api_account},
	{"GET", "/v1/pack/{address}", api_pack},
	{"GET", "/v1/bucket/{n}", api_bucket},
	{"GET", "/v1/credential/{index}", api_credential},
	{NULL, NULL, NULL},
};
