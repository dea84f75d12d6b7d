#include "watcher/gossip.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/keccak.h"
#include "sys/log.h"

#define PATH "/v1/ballots"

enum err gossip_init(struct gossip *g, const struct settings *s,
		     struct http_client *http, const struct pool *pool)
{
	memset(g, 0, sizeof(*g));
	g->http = http;
	g->pool = pool;
	for (; g->n < s->peers.n; g->n++) {
		const char *base = settings_peer(s, g->n);
		struct gossip_peer *p = &g->peers[g->n];
		size_t len = strlen(base);

		while (len && base[len - 1] == '/')
			len--;
		p->gossip = g;
		p->url = malloc(len + sizeof(PATH));
		if (!p->url)
			return ERR_FULL;
		memcpy(p->url, base, len);
		memcpy(p->url + len, PATH, sizeof(PATH));
	}
	return OK;
}

void gossip_done(struct gossip *g)
{
	for (size_t i = 0; i < g->n; i++) {
		http_client_cancel(g->http, &g->peers[i]);
		free(g->peers[i].url);
	}
	g->n = 0;
}

/* All signers that the peer names for this vote are known here: nothing to
 * recover. A peer that names falsely hides its own ballots, nobody else's. */
static bool known(const struct pool *pool, const json_node *o)
{
	struct json_reader r = {0};
	struct vote v = {
		.chain_id = json_u64(&r, o, "chain_id"),
		.hatch = json_address(&r, o, "hatch"),
		.action = vote_action_parse(json_string(&r, o, "action", 16)),
		.epoch = json_u64(&r, o, "epoch"),
		.progress = json_u64(&r, o, "progress"),
		.subject = json_hash(&r, o, "subject"),
		.expiry = json_u64(&r, o, "expiry")};
	const json_node *signers = json_array(&r, o, "signers");
	struct hash32 digest;

	if (r.failed || !json_len(signers))
		return false;
	digest = vote_digest(&v);
	for (size_t i = 0; i < json_len(signers); i++) {
		struct address a = json_address(&r, json_at(signers, i), NULL);
		if (r.failed || !pool_has(pool, &digest, a))
			return false;
	}
	return true;
}

static void read_list(struct gossip_peer *p, const json_node *root)
{
	struct gossip *g = p->gossip;
	struct json_reader r = {0};
	const json_node *list = json_array(&r, root, "ballots");
	struct err_text error;

	for (size_t i = 0; i < json_len(list); i++) {
		const json_node *o = json_at(list, i);

		if (g->n_found == GOSSIP_BATCH_MAX) {
			memset(&p->seen, 0, sizeof(p->seen)); /* again later */
			return;
		}
		if (known(g->pool, o))
			continue;
		if (bundle_parse_json(o, &g->found[g->n_found], &error)) {
			log_debug("a peer's ballot cannot be read", "peer",
				  settings_url_shown(p->url).s, "why",
				  error.text);
			continue;
		}
		g->n_found++;
	}
}

static void pulled(void *ctx, const struct http_reply *reply)
{
	struct gossip_peer *p = ctx;
	bool down = reply->err || reply->status != 200;
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	struct hash32 hash;

	p->in_flight = false;
	if (down && !p->down)
		log_info("a peer does not answer", "peer",
			 settings_url_shown(p->url).s, "why",
			 reply->err ? reply->text : "its status is not 200");
	if (!down && p->down)
		log_info("a peer answers again", "peer",
			 settings_url_shown(p->url).s);
	p->down = down;
	if (down)
		return;
	hash = keccak256(reply->body.p, reply->body.len);
	if (hash_eq(hash, p->seen))
		return;
	p->seen = hash;
	if (json_parse(reply->body, PEER_REPLY_MAX, JSON_DEPTH_MAX, &doc,
		       &error)) {
		log_debug("a peer's list is not JSON", "peer",
			  settings_url_shown(p->url).s, "why", error.text);
		return;
	}
	read_list(p, json_root(doc));
}

static void pull(struct gossip_peer *p)
{
	struct http_request request = {.method = "GET",
				       .url = p->url,
				       .timeout_ms = PEER_TIMEOUT_MS,
				       .max_body = PEER_REPLY_MAX};

	p->in_flight = !http_client_start(p->gossip->http, &request, pulled, p);
}

void gossip_again(struct gossip *g)
{
	for (size_t i = 0; i < g->n; i++)
		memset(&g->peers[i].seen, 0, sizeof(g->peers[i].seen));
}

uint64_t gossip_turn(struct gossip *g, uint64_t now_mono_ms,
		     uint64_t interval_ms)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < g->n; i++) {
		struct gossip_peer *p = &g->peers[i];

		if (p->in_flight)
			continue;
		if (p->next_ms > now_mono_ms + interval_ms)
			p->next_ms = now_mono_ms; /* in more of a hurry now */
		if (p->next_ms <= now_mono_ms) {
			p->next_ms = now_mono_ms + interval_ms;
			pull(p);
		}
		if (p->next_ms < next)
			next = p->next_ms;
	}
	return next;
}
