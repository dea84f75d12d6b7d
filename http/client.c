/* Transfers over curl's multi interface.  One list of what is in flight;
 * nothing here blocks but http_client_wait(). */
#include "http/client.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "abi/buf.h"

#define WAIT_FDS_MAX	 16
#define KEEP_CONNECTIONS 64
/* A handle is 5 KB, and a dozen allocations each time it is made anew: as many
 * as a turn's polls and asks use at once. */
#define SPARE_HANDLES	 8
#define HOST_CONNECTIONS 16 /* to one host at once; the rest queue */

/* One layer of gzip is a thousandfold at most, and what it gives is counted;
 * curl unpacks five layers at once, and whatever a server names. */
#define ENCODING "gzip"

struct transfer {
	struct transfer *next;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	http_done *done;
	void *ctx;
	bool encoded;	    /* a Content-Encoding was seen */
	const char *refuse; /* why its headers end it, or NULL */
	char error[CURL_ERROR_SIZE];
};

struct http_client {
	CURLM *multi;
	CURL *spare[SPARE_HANDLES]; /* used before, and reset */
	size_t n_spare;
	struct transfer *first;
	size_t n;
};

struct http_client *http_client_new(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return NULL;
	struct http_client *c = calloc(1, sizeof(*c));
	if (c)
		c->multi = curl_multi_init();
	if (!c || !c->multi) {
		free(c);
		curl_global_cleanup();
		return NULL;
	}
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS,
			  (long)KEEP_CONNECTIONS);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)HOST_CONNECTIONS);
	return c;
}

/* Without anything of the transfer that it was used for. */
static void give_back(struct http_client *c, CURL *easy)
{
	if (c->n_spare == SPARE_HANDLES) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	c->spare[c->n_spare++] = easy;
}

static void transfer_free(struct http_client *c, struct transfer *t)
{
	if (t->easy) {
		curl_multi_remove_handle(c->multi, t->easy);
		give_back(c, t->easy);
	}
	curl_slist_free_all(t->headers);
	buf_done(&t->body);
	free(t);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->first) {
		struct transfer *t = c->first;
		c->first = t->next;
		transfer_free(c, t);
	}
	while (c->n_spare)
		curl_easy_cleanup(c->spare[--c->n_spare]);
	curl_multi_cleanup(c->multi);
	curl_global_cleanup();
	free(c);
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	buf_add(&t->body, p, size * n);
	return t->body.failed ? 0 : size * n;
}

static struct slice trimmed(const char *p, size_t len)
{
	while (len && strchr(" \t\r\n", p[len - 1]))
		len--;
	while (len && strchr(" \t", *p))
		p++, len--;
	return slice_of(p, len);
}

static bool is_word(struct slice s, const char *word)
{
	return s.len == strlen(word) &&
	       !strncasecmp((const char *)s.p, word, s.len);
}

/* NULL: fine.  Before curl unpacks anything. */
static const char *judge_header(struct transfer *t, const char *line,
				size_t len)
{
	const char *colon = memchr(line, ':', len);
	if (!colon)
		return NULL;
	struct slice name = trimmed(line, (size_t)(colon - line));
	struct slice value =
		trimmed(colon + 1, len - 1 - (size_t)(colon - line));
	if (is_word(name, "Content-Encoding")) {
		if (t->encoded ||
		    (!is_word(value, ENCODING) && !is_word(value, "identity")))
			return "an encoding that was not asked for";
		t->encoded = true;
	} else if (is_word(name, "Transfer-Encoding") &&
		   !is_word(value, "chunked")) {
		return "a transfer encoding that was not asked for";
	}
	return NULL;
}

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	if (!t->refuse)
		t->refuse = judge_header(t, p, size * n);
	return t->refuse ? 0 : size * n;
}

static bool add_header(struct transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);
	if (longer)
		t->headers = longer;
	return longer;
}

static bool add_headers(struct transfer *t, const struct http_request *r)
{
	for (size_t i = 0; r->headers && r->headers[i]; i++)
		if (!add_header(t, r->headers[i]))
			return false;
	if (r->content_type) {
		char line[160];
		int len = snprintf(line, sizeof(line), "Content-Type: %s",
				   r->content_type);
		if (len < 0 || (size_t)len >= sizeof(line) ||
		    !add_header(t, line))
			return false;
	}
	/* no waiting for "100 Continue" */
	return add_header(t, "Expect:");
}

/* A proxy of the environment is for the world, not for this machine. */
static bool is_loopback(const char *url)
{
	static const char *const hosts[] = {"http://127.", "http://localhost",
					    "http://[::1]"};
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (!strncmp(url, hosts[i], strlen(hosts[i])))
			return true;
	return false;
}

static bool set_method(CURL *easy, const struct http_request *r)
{
	if (!strcmp(r->method, "GET"))
		return !curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (!strcmp(r->method, "HEAD"))
		return !curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	bool fine =
		!curl_easy_setopt(easy, CURLOPT_POST, 1L) &&
		!curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				  (curl_off_t)r->body.len) &&
		!curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
				  r->body.len ? (const char *)r->body.p : "");
	if (fine && strcmp(r->method, "POST"))
		fine = !curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
					 r->method);
	return fine;
}

static bool set_options(struct transfer *t, const struct http_request *r)
{
	CURL *easy = t->easy;
	const char *ca = secure_getenv("SSL_CERT_FILE");
	if (is_loopback(r->url) && curl_easy_setopt(easy, CURLOPT_PROXY, ""))
		return false;
	if (ca && *ca && curl_easy_setopt(easy, CURLOPT_CAINFO, ca))
		return false;
	/* QUICK_EXIT: or curl waits for a resolver that the deadline has
	 * overtaken, and everybody with it.  1.1: a transfer that runs out of
	 * time takes its connection with it; one of HTTP/2 whose other end is
	 * gone would be given to every transfer after. */
	return !curl_easy_setopt(easy, CURLOPT_URL, r->url) &&
	       !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
				 (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
				 (long)HTTP_CONNECT_MS) &&
	       !curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
				 (long)r->timeout_ms) &&
	       !curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ENCODING) &&
	       !curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
				 (curl_off_t)t->body.max) &&
	       !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) &&
	       !curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) &&
	       !curl_easy_setopt(easy, CURLOPT_USERAGENT,
				 "egress/" EGRESS_VERSION) &&
	       !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) &&
	       !curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers) &&
	       !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) &&
	       !curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) &&
	       !curl_easy_setopt(easy, CURLOPT_PRIVATE, t) &&
	       set_method(easy, r);
}

enum err http_client_start(struct http_client *c, const struct http_request *r,
			   http_done *done, void *ctx)
{
	assert(r->timeout_ms > 0 && r->timeout_ms < INT32_MAX);
	if (c->n >= HTTP_TRANSFERS_MAX)
		return ERR_BUSY;
	struct transfer *t = calloc(1, sizeof(*t));
	if (!t)
		return ERR_BUSY;
	t->done = done;
	t->ctx = ctx;
	buf_init(&t->body, r->max_body ? r->max_body : HTTP_REPLY_MAX);
	t->easy = c->n_spare ? c->spare[--c->n_spare] : curl_easy_init();
	if (!t->easy || !add_headers(t, r) || !set_options(t, r) ||
	    curl_multi_add_handle(c->multi, t->easy)) {
		transfer_free(c, t);
		return ERR_BUSY;
	}
	t->next = c->first;
	c->first = t;
	c->n++;
	return OK;
}

static void unlink_transfer(struct http_client *c, struct transfer *t)
{
	struct transfer **at = &c->first;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	c->n--;
}

void http_client_cancel(struct http_client *c, void *ctx)
{
	struct transfer *next;
	for (struct transfer *t = c->first; t; t = next) {
		next = t->next;
		if (t->ctx != ctx)
			continue;
		unlink_transfer(c, t);
		transfer_free(c, t);
	}
}

static void finish(struct http_client *c, struct transfer *t, CURLcode code)
{
	curl_off_t micros = 0, wait = 0;
	long request_bytes = 0;
	struct http_reply reply = {.body = buf_slice(&t->body)};
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &reply.status);
	curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &micros);
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait);
	reply.elapsed_ms = (uint64_t)micros / 1000;
	reply.retry_after_s = wait > 0 ? (uint64_t)wait : 0;
	reply.sent = request_bytes > 0;
	if (t->body.failed || code == CURLE_FILESIZE_EXCEEDED) {
		reply.err = ERR_TOO_LARGE;
		snprintf(reply.text, sizeof(reply.text),
			 "answer of more than %zu bytes", t->body.max);
	} else if (code) {
		reply.err = ERR_IO;
		snprintf(reply.text, sizeof(reply.text), "%.*s",
			 (int)sizeof(reply.text) - 1,
			 t->refuse   ? t->refuse
			 : *t->error ? t->error
				     : curl_easy_strerror(code));
	}
	if (reply.err)
		reply.body = slice_of(NULL, 0);
	unlink_transfer(c, t);
	t->done(t->ctx, &reply);
	transfer_free(c, t);
}

void http_client_turn(struct http_client *c)
{
	int running, left;
	curl_multi_perform(c->multi, &running);
	CURLMsg *message;
	while ((message = curl_multi_info_read(c->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		struct transfer *t = NULL;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		assert(t);
		finish(c, t, message->data.result);
	}
}

void http_client_wait(struct http_client *c, struct pollfd *extra, size_t n,
		      uint64_t timeout_ms)
{
	struct curl_waitfd waits[WAIT_FDS_MAX];
	unsigned used = 0;
	assert(n <= WAIT_FDS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (extra[i].fd < 0)
			continue;
		waits[used++] = (struct curl_waitfd){
			.fd = extra[i].fd,
			.events = (short)((extra[i].events & POLLIN
						   ? CURL_WAIT_POLLIN
						   : 0) |
					  (extra[i].events & POLLOUT
						   ? CURL_WAIT_POLLOUT
						   : 0))};
	}
	if (timeout_ms > 60000)
		timeout_ms = 60000;
	curl_multi_poll(c->multi, waits, used, (int)timeout_ms, NULL);
	/* curl tells of data only, not of a hang-up */
	if (n && poll(extra, n, 0) < 0)
		for (size_t i = 0; i < n; i++)
			extra[i].revents = 0;
}
