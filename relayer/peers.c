#include "relayer/peers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "relayer/limits.h"
#include "sys/clock.h"
#include "sys/log.h"

#define PEER_URL_MAX 512

struct peer_ask { /* in flight; its address is the transfer's ctx */
	struct peers *owner;
	bool used;
	size_t peer;
	peers_got *got;
	void *ctx;
};

struct peers {
	struct http_client *http;
	const char *what;
	const struct config_list *urls;
	size_t n, next;
	uint64_t until_ms[SETTINGS_PEERS_MAX]; /* passed over until then */
	bool down[SETTINGS_PEERS_MAX];	       /* said so already */
	struct peer_ask asks[PEER_ASKS_MAX];
};

struct peers *peers_new(struct http_client *http, const char *what,
			const struct config_list *urls)
{
	struct peers *p = calloc(1, sizeof(*p));

	if (!p)
		fatal("out of memory", "peers");
	p->http = http;
	p->what = what;
	p->urls = urls;
	p->n = urls->n;
	return p;
}

void peers_free(struct peers *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PEER_ASKS_MAX; i++)
		if (p->asks[i].used)
			http_client_cancel(p->http, &p->asks[i]);
	free(p);
}

size_t peers_count(const struct peers *p)
{
	return p->n;
}

const char *peers_url(const struct peers *p, size_t peer)
{
	assert(peer < p->n);
	return ((char *const *)p->urls->items)[peer];
}

static void pass_over(struct peers *p, size_t peer, uint64_t until_ms)
{
	if (p->until_ms[peer] < until_ms)
		p->until_ms[peer] = until_ms;
}

void peers_blame(struct peers *p, size_t peer, uint64_t now_ms, const char *why)
{
	assert(peer < p->n);
	log_warn("answers wrong, passed over", p->what,
		 settings_url_shown(peers_url(p, peer)).s, "why", why);
	pass_over(p, peer, now_ms + PEER_BLAME_MS);
}

/* One line when it goes, one when it is back. */
static void note_up(struct peers *p, size_t peer, const char *trouble)
{
	bool down = *trouble;

	if (down == p->down[peer])
		return;
	p->down[peer] = down;
	if (down)
		log_warn("does not answer", p->what,
			 settings_url_shown(peers_url(p, peer)).s, "why",
			 trouble);
	else
		log_notice("answers again", p->what,
			   settings_url_shown(peers_url(p, peer)).s);
}

static void reply_done(void *ctx, const struct http_reply *reply)
{
	struct peer_ask *ask = ctx, done = *ask;
	struct peers *p = ask->owner;
	struct peer_answer answer = {.err = ERR_IO, .peer = ask->peer};
	struct json_doc *doc = NULL;
	struct err_text error;
	uint64_t now_ms = clock_mono_ms();

	ask->used = false;
	note_up(p, done.peer, reply->err ? reply->text : "");
	if (reply->err) {
		pass_over(p, done.peer, now_ms + PEER_DOWN_MS);
	} else if (reply->status == 404) {
		answer.err = ERR_NOT_FOUND;
	} else if (reply->status == 200) {
		if (json_parse(reply->body, PEER_REPLY_MAX, JSON_DEPTH_MAX,
			       &doc, &error))
			peers_blame(p, done.peer, now_ms, error.text);
		else
			answer.err = OK;
	}
	if (doc)
		answer.root = json_root(doc);
	done.got(done.ctx, &answer);
	json_free(doc);
}

enum err peers_ask_one(struct peers *p, size_t peer, const char *path,
		       uint64_t now_ms, peers_got *got, void *ctx)
{
	struct peer_ask *ask = NULL;
	char url[PEER_URL_MAX];

	assert(peer < p->n);
	if (p->until_ms[peer] > now_ms)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < PEER_ASKS_MAX && !ask; i++)
		if (!p->asks[i].used)
			ask = &p->asks[i];
	if (!ask)
		return ERR_BUSY;
	const char *base = peers_url(p, peer);
	size_t len = strlen(base);
	while (len && base[len - 1] == '/')
		len--;
	int n = snprintf(url, sizeof(url), "%.*s%s", (int)len, base, path);
	if (n < 0 || (size_t)n >= sizeof(url))
		return ERR_BUSY;
	*ask = (struct peer_ask){p, true, peer, got, ctx};
	struct http_request request = {.method = "GET",
				       .url = url,
				       .timeout_ms = PEER_TIMEOUT_MS,
				       .max_body = PEER_REPLY_MAX};
	enum err err = http_client_start(p->http, &request, reply_done, ask);
	if (err)
		ask->used = false;
	return err ? ERR_BUSY : OK;
}

enum err peers_ask(struct peers *p, const char *path, uint64_t now_ms,
		   peers_got *got, void *ctx)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t peer = p->next++ % p->n;
		enum err err = peers_ask_one(p, peer, path, now_ms, got, ctx);
		if (err != ERR_NOT_FOUND)
			return err;
	}
	return ERR_NOT_FOUND;
}

size_t peers_usable(const struct peers *p, uint64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->until_ms[i] <= now_ms;
	return n;
}
