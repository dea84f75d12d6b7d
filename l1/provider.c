#include "l1/provider.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"

/* "Name: value" lines; a header that would break into two is refused. */
static enum err split_headers(struct provider *p, const char *path,
			      struct err_text *error)
{
	size_t n = 0;
	unsigned row = 0;
	char *line = p->header_text;
	while (line) {
		char *end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		row++;
		line[strcspn(line, "\r")] = '\0';
		if (*line && !strchr(line, ':')) {
			err_text_set(error,
				     "%s:%u: not a header: write "
				     "\"Name: value\"",
				     path, row);
			return ERR_IO;
		}
		if (*line && n == L1_HEADERS_MAX) {
			err_text_set(error, "%s:%u: more than %d headers", path,
				     row, L1_HEADERS_MAX);
			return ERR_IO;
		}
		if (*line)
			p->headers[n++] = line;
		line = end;
	}
	return OK;
}

static enum err read_headers(struct provider *p, struct err_text *error)
{
	const char *path = p->settings->headers_file;
	FILE *f = fopen(path, "re");
	if (!f) {
		err_text_set(error,
			     "%s: cannot read the headers of provider "
			     "%s: %s",
			     path, p->settings->name, strerror(errno));
		return ERR_IO;
	}
	p->header_text = calloc(1, L1_HEADERS_FILE_MAX + 1);
	if (!p->header_text)
		abort();
	size_t len = fread(p->header_text, 1, L1_HEADERS_FILE_MAX, f);
	bool whole = feof(f) && !ferror(f);
	(void)fclose(f);
	if (!whole || strlen(p->header_text) != len) {
		err_text_set(error, "%s: not a text of at most %d bytes", path,
			     L1_HEADERS_FILE_MAX - 1);
		return ERR_IO;
	}
	return split_headers(p, path, error);
}

enum err provider_init(struct provider *p,
		       const struct settings_provider *settings,
		       struct http_client *http, struct err_text *error)
{
	*p = (struct provider){.settings = settings,
			       .http = http,
			       .why = "has not answered yet",
			       .poll_at_ms = UINT64_MAX,
			       .tokens = (int64_t)settings->rate * 1000};
	return settings->headers_file ? read_headers(p, error) : OK;
}

void provider_done(struct provider *p)
{
	free(p->header_text);
	p->header_text = NULL;
	spoken_clear(&p->spoken);
}

bool provider_lying(const struct provider *p, uint64_t now_ms)
{
	return now_ms < p->lying_until_ms;
}

bool provider_usable(const struct provider *p, uint64_t now_ms)
{
	return p->pinned && !p->wrong_chain && !provider_lying(p, now_ms) &&
	       now_ms >= p->backoff_until_ms;
}

bool provider_is_new(const struct provider *p)
{
	return !p->pinned && !p->wrong_chain && !p->failures;
}

/* A bucket of one second's worth; need: thousandths. */
static uint64_t tokens_at(struct provider *p, int64_t need, uint64_t now_ms)
{
	int64_t rate = (int64_t)p->settings->rate;
	if (!rate)
		return now_ms;
	uint64_t passed = now_ms - p->tokens_at_ms;
	p->tokens_at_ms = now_ms;
	if (passed > 1000)
		passed = 1000;
	p->tokens += (int64_t)passed * rate;
	if (p->tokens > rate * 1000)
		p->tokens = rate * 1000;
	if (p->tokens >= need)
		return now_ms;
	return now_ms + (uint64_t)((need - p->tokens) / rate) + 1;
}

uint64_t provider_rate_at(struct provider *p, uint64_t now_ms)
{
	return tokens_at(p, 1000, now_ms);
}

uint64_t provider_ask_at(struct provider *p, uint64_t now_ms)
{
	return tokens_at(p, now_ms < p->poll_at_ms ? 1000 : 2000, now_ms);
}

enum err provider_post(struct provider *p, struct slice body, size_t reply_max,
		       uint64_t timeout_ms, uint64_t now_ms, http_done *done,
		       void *ctx)
{
	uint64_t own = p->settings->timeout_ms;
	struct http_request request = {
		.method = "POST",
		.url = p->settings->url,
		.headers = p->headers,
		.content_type = "application/json",
		.body = body,
		.timeout_ms = own && own < timeout_ms ? own : timeout_ms,
		.max_body = reply_max};
	(void)provider_rate_at(p, now_ms);
	enum err err = http_client_start(p->http, &request, done, ctx);
	if (!err)
		p->tokens -= 1000;
	return err;
}

void provider_failed(struct provider *p, uint64_t now_ms, enum fault fault,
		     const char *why)
{
	unsigned shift = p->failures < 10 ? p->failures : 10;
	uint64_t wait = (uint64_t)L1_BACKOFF_FIRST_MS << shift;
	if (wait > L1_BACKOFF_MAX_MS)
		wait = L1_BACKOFF_MAX_MS;
	p->failures++;
	p->faults[fault]++;
	p->backoff_until_ms = now_ms + wait;
	if (!provider_lying(p, now_ms) && !p->wrong_chain)
		(void)snprintf(p->why, sizeof(p->why), "%s", why);
}

void provider_lied(struct provider *p, uint64_t now_ms,
		   const struct accusation *what, const char *format, ...)
{
	unsigned shift = p->lies < 10 ? p->lies : 10;
	uint64_t wait = (uint64_t)L1_LYING_FIRST_MS << shift;
	uint64_t unix_ms = clock_unix_ms();
	if (provider_lying(p, now_ms))
		return;
	if (wait > L1_LYING_MAX_MS)
		wait = L1_LYING_MAX_MS;
	p->lies++;
	p->doubts = 0;
	p->lying_until_ms = now_ms + wait;
	p->forgive_at_ms = p->lying_until_ms + L1_FORGIVE_MS;
	p->expelled.times++;
	p->expelled.since = unix_ms / 1000;
	p->expelled.until = (unix_ms + wait) / 1000;
	p->expelled.kind = what->kind;
	p->expelled.evidence = 0;
	p->expelled.news = NEWS_UNKEPT;
	p->expelled.l1_time =
		p->records && p->records->head ? p->records->head->time : 0;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(p->why, sizeof(p->why), format, args);
	va_end(args);
	if (p->records)
		accuse_record(p->records, p, p->settings->name, p->why, what,
			      wait);
	/* nothing it said is worth keeping */
	memset(p->said, 0, sizeof(p->said));
	p->at_acted = (struct block_ref){0};
	p->contradicts_at_ms = p->elsewhere_at_ms = 0;
	spoken_clear(&p->spoken);
}

void provider_back(struct provider *p, uint64_t now_ms)
{
	if (p->expelled.news == NEWS_OUT && provider_usable(p, now_ms) &&
	    p->said[DEPTH_LATEST].n && !p->failures)
		p->expelled.news = NEWS_BACK;
}

void provider_said(struct provider *p, const struct rpc_block *block,
		   const json_node *node)
{
	spoken_add(&p->spoken, block, node);
}

void provider_agreed(struct provider *p, uint64_t now_ms, bool firm)
{
	if (firm)
		p->doubts = 0;
	if (!p->lies || now_ms < p->forgive_at_ms)
		return;
	p->lies--;
	p->forgive_at_ms = now_ms + L1_FORGIVE_MS;
}

void provider_lacks(struct provider *p, const char *method, uint64_t now_ms)
{
	for (size_t i = 0; i < L1_LACKS_MAX; i++) {
		if (p->lacks[i].method && strcmp(p->lacks[i].method, method))
			continue;
		p->lacks[i].method = method;
		p->lacks[i].until_ms = now_ms + L1_LACKS_MS;
		return;
	}
}

void provider_has(struct provider *p, const char *method)
{
	for (size_t i = 0; i < L1_LACKS_MAX; i++)
		if (p->lacks[i].method && !strcmp(p->lacks[i].method, method))
			p->lacks[i].until_ms = 0;
}

bool provider_lacking(const struct provider *p, const char *method,
		      uint64_t now_ms)
{
	for (size_t i = 0; method && i < L1_LACKS_MAX; i++)
		if (p->lacks[i].method && !strcmp(p->lacks[i].method, method))
			return now_ms < p->lacks[i].until_ms;
	return false;
}

void provider_doubted(struct provider *p, uint64_t now_ms,
		      const struct accusation *what)
{
	if (++p->doubts >= L1_DOUBTS_MAX)
		provider_lied(p, now_ms, what,
			      "its %s keeps leaving out what a quorum answers",
			      what->method);
}

/* Retry-After, as far as we let others say when we look at L1. */
static void come_back_later(struct provider *p, const struct http_reply *http,
			    uint64_t now_ms)
{
	uint64_t most = L1_BACKOFF_MAX_MS / 1000;
	uint64_t s = http->retry_after_s < most ? http->retry_after_s : most;
	if (now_ms + s * 1000 > p->backoff_until_ms)
		p->backoff_until_ms = now_ms + s * 1000;
}

/* Nothing but errors ends no backing off: it would be asked without pause. */
static bool tells_something(const struct rpc_reply *reply)
{
	for (size_t i = 0; i < reply->n; i++)
		if (reply->answers[i].kind != RPC_FAILED)
			return true;
	return false;
}

static void note_reply(struct provider *p, uint64_t elapsed_ms, uint64_t now_ms)
{
	p->latency_ms = p->latency_ms ? (3 * p->latency_ms + elapsed_ms) / 4
				      : elapsed_ms;
	if (p->pinned && !p->wrong_chain && !provider_lying(p, now_ms))
		p->why[0] = '\0';
}

void provider_answered(struct provider *p, uint64_t elapsed_ms, uint64_t now_ms)
{
	note_reply(p, elapsed_ms, now_ms);
	p->failures = 0;
	p->backoff_until_ms = 0;
}

void provider_dawdles(struct provider *p)
{
	if (p->latency_ms < L1_HEDGE_MS)
		p->latency_ms = L1_HEDGE_MS;
}

void provider_broke(struct provider *p, const struct http_reply *http,
		    uint64_t now_ms)
{
	char why[160];
	enum fault fault = FAULT_UNREACHABLE;
	if (http->err) {
		(void)snprintf(why, sizeof(why), "%.90s%s", http->text,
			       fault_text_hint(http->text));
		if (http->err == ERR_TOO_LARGE)
			fault = FAULT_TOO_LARGE;
	} else {
		(void)snprintf(why, sizeof(why), "HTTP status %ld%s",
			       http->status, fault_status_hint(http->status));
		fault = http->status == 429 ? FAULT_THROTTLED : FAULT_STATUS;
	}
	provider_failed(p, now_ms, fault, why);
	if (!http->err)
		come_back_later(p, http, now_ms);
}

/* What the parser made of it: err, and why. */
static enum err take_parsed(struct provider *p, const struct http_reply *http,
			    enum err err, const struct rpc_reply *reply,
			    const struct err_text *error, uint64_t now_ms)
{
	char why[160];
	if (err || reply->throttled) {
		(void)snprintf(why, sizeof(why), "%.150s",
			       reply->throttled ? "its rate limit"
						: error->text);
		provider_failed(
			p, now_ms,
			reply->throttled ? FAULT_THROTTLED : reply->fault, why);
		return ERR_IO;
	}
	if (tells_something(reply))
		provider_answered(p, http->elapsed_ms, now_ms);
	else
		note_reply(p, http->elapsed_ms, now_ms);
	return OK;
}

enum err provider_take(struct provider *p, const struct http_reply *http,
		       size_t n, uint64_t now_ms, struct rpc_reply *ret)
{
	struct err_text error = {{0}};
	*ret = (struct rpc_reply){0};
	if (http->err || http->status != 200) {
		provider_broke(p, http, now_ms);
		return ERR_IO;
	}
	enum err err = rpc_parse(http->body, n, ret, &error);
	err = take_parsed(p, http, err, ret, &error, now_ms);
	if (err)
		rpc_reply_done(ret);
	return err;
}

enum err provider_take_again(struct provider *p, const struct http_reply *http,
			     size_t n, uint64_t now_ms, struct rpc_memo *memo)
{
	struct err_text error = {{0}};
	if (http->err || http->status != 200) {
		provider_broke(p, http, now_ms);
		return ERR_IO;
	}
	enum err err = rpc_parse_again(http->body, n, memo, &error);
	err = take_parsed(p, http, err, &memo->reply, &error, now_ms);
	if (err)
		rpc_memo_done(memo);
	return err;
}
