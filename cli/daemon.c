/* A daemon's HTTP API: see daemon.h. */
#include "cli/daemon.h"

#include <stdio.h>

#include "http/client.h"

#define TURN_MS	 250
#define URL_MAX	 2048
#define TOLD_MAX 512 /* of a daemon's own words */

struct http_wait {
	bool done;
	enum err err;
	long status;
	char text[160];
	struct buf *answer;
};

static void http_arrived(void *ctx, const struct http_reply *reply)
{
	struct http_wait *wait = ctx;

	wait->done = true;
	wait->err = reply->err;
	wait->status = reply->status;
	snprintf(wait->text, sizeof(wait->text), "%s", reply->text);
	if (!reply->err)
		buf_add_slice(wait->answer, reply->body);
}

static int wait_for(const struct http_request *request, struct http_wait *wait)
{
	struct http_client *http = http_client_new();

	if (http_client_start(http, request, http_arrived, wait)) {
		http_client_free(http);
		return cli_fail("%s: this URL cannot be asked", request->url);
	}
	while (!wait->done) {
		http_client_wait(http, NULL, 0, TURN_MS);
		http_client_turn(http);
	}
	http_client_free(http);
	if (wait->err)
		return cli_fail("%s: %s: is it running, and is the address "
				"right?",
				request->url, wait->text);
	if (wait->answer->failed)
		return cli_fail("%s: its answer is too long", request->url);
	return CLI_OK;
}

struct daemon daemon_watcher(const struct where *where)
{
	return (struct daemon){where->watcher, "watcher", where->timeout_ms};
}

struct daemon daemon_relayer(const struct where *where)
{
	return (struct daemon){where->relayer, "relayer", where->timeout_ms};
}

int daemon_ask(const struct daemon *d, const char *path, struct slice body,
	       const char *accept, long *ret_status, struct buf *answer)
{
	char url[URL_MAX], header[128];
	const char *headers[] = {header, NULL};
	struct http_wait wait = {.answer = answer};
	size_t len = strlen(d->base);
	int status;

	while (len && d->base[len - 1] == '/')
		len--;
	if ((size_t)snprintf(url, sizeof(url), "%.*s%s", (int)len, d->base,
			     path) >= sizeof(url))
		return cli_fail("%.40s…: this URL is too long", d->base);
	snprintf(header, sizeof(header), "Accept: %s",
		 accept ? accept : "application/json");
	struct http_request request = {
		.method = body.p ? "POST" : "GET",
		.url = url,
		.headers = headers,
		.body = body,
		.content_type = body.p ? "application/json" : NULL,
		.timeout_ms = d->timeout_ms,
		.max_body = answer->max};
	status = wait_for(&request, &wait);
	*ret_status = wait.status;
	return status;
}

/* ERROR (formats.md): {"error":{"code","field","message","hint"}} */
struct refusal {
	const char *code, *field, *message, *hint;
};

static const char *optional(struct json_reader *r, const json_node *o,
			    const char *key)
{
	return json_has(o, key) ? json_string(r, o, key, TOLD_MAX) : "";
}

/* 404 about no field: it has no such path, so it is another program. */
static bool is_another(long status, const struct refusal *f)
{
	return status == 404 && !strcmp(f->code, "not_found") && !*f->field &&
	       !strcmp(f->message, "no such path");
}

static int tell_refusal(const struct daemon *d, const char *path, long status,
			const struct buf *answer)
{
	struct json_doc *doc = NULL;
	struct json_reader r = {0};
	struct refusal f = {"", "", "", ""};
	struct err_text error;

	if (!json_parse(buf_slice(answer), JSON_BODY_MAX, JSON_DEPTH_MAX, &doc,
			&error)) {
		const json_node *o = json_object(&r, json_root(doc), "error");
		f = (struct refusal){optional(&r, o, "code"),
				     optional(&r, o, "field"),
				     json_string(&r, o, "message", TOLD_MAX),
				     optional(&r, o, "hint")};
	}
	if (!doc || r.failed)
		cli_fail("%s%s: HTTP status %ld: is this a %s?", d->base, path,
			 status, d->kind);
	else if (is_another(status, &f))
		cli_fail("%s: it has no %s: is this a %s's address?", d->base,
			 path, d->kind);
	else
		cli_fail("%s%s: %s%s%s%s%s", d->base, path, f.field,
			 *f.field ? ": " : "", f.message, *f.hint ? ": " : "",
			 f.hint);
	json_free(doc);
	return CLI_FAILED;
}

int daemon_ask_ok(const struct daemon *d, const char *path, struct slice body,
		  const char *accept, struct buf *answer)
{
	long status = 0;

	if (daemon_ask(d, path, body, accept, &status, answer))
		return CLI_FAILED;
	if (status / 100 != 2)
		return tell_refusal(d, path, status, answer);
	return CLI_OK;
}

int daemon_ask_json(const struct daemon *d, const char *path, struct slice body,
		    struct buf *answer, struct json_doc **ret)
{
	struct err_text error = {0};

	if (daemon_ask_ok(d, path, body, NULL, answer))
		return CLI_FAILED;
	if (json_parse(buf_slice(answer), answer->max, JSON_DEPTH_MAX, ret,
		       &error))
		return cli_fail("%s%s: its answer is not JSON: %s", d->base,
				path, error.text);
	return CLI_OK;
}

int daemon_told(const struct daemon *d, const char *path,
		const struct json_reader *r)
{
	if (!r->failed)
		return CLI_OK;
	return cli_fail("%s%s: its answer's field %s: %s: is this a %s, of "
			"version %s?",
			d->base, path, r->field, r->what, d->kind,
			EGRESS_VERSION);
}
