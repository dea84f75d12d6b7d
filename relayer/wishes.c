#include "relayer/wishes.h"

#include <stdlib.h>

#include "relayer/limits.h"
#include "sys/log.h"

struct foreign {
	struct hash32 id;
	struct exit_to exit_to;
	struct signature signature;
	unsigned refused;
	uint64_t since_ms; /* when it was first seen with the exits open */
	bool dead;
};

struct pull { /* one relayer's page; its address is the ask's ctx */
	struct wishes *wishes;
	bool asked;
	uint64_t next_ms;
};

struct wishes {
	struct parts *parts;
	struct book *book;
	struct peers *relayers;
	struct pull pulls[SETTINGS_PEERS_MAX];
	uint64_t now_ms, next_ms, count;
	struct address rollup;
	bool known;
	size_t n;
	struct foreign list[EXITS_LISTED_MAX];
};

struct wishes *wishes_new(struct parts *parts, struct http_client *http,
			  struct book *book)
{
	struct wishes *w = calloc(1, sizeof(*w));

	if (!w)
		fatal("out of memory", "wishes");
	w->parts = parts;
	w->book = book;
	w->relayers = peers_new(http, "relayer", &parts->config->relayers);
	for (size_t i = 0; i < SETTINGS_PEERS_MAX; i++)
		w->pulls[i].wishes = w;
	return w;
}

void wishes_free(struct wishes *w)
{
	if (!w)
		return;
	peers_free(w->relayers);
	free(w);
}

/* ---- what others publish ------------------------------------------------- */

static void take(struct wishes *w, const json_node *node, struct json_reader *r)
{
	struct foreign f = {0};

	f.exit_to.index = json_u64(r, node, "index");
	f.exit_to.recipient = json_address(r, node, "recipient");
	f.exit_to.count = json_u64(r, node, "count");
	json_hex(r, node, "signature", f.signature.b, sizeof(f.signature.b));
	if (r->failed || f.exit_to.count < w->count ||
	    w->n == EXITS_LISTED_MAX || f.exit_to.index >> 40)
		return;
	f.id = request_id_exit(w->parts->config->shared.chain.id, w->rollup,
			       &f.exit_to);
	for (size_t i = 0; i < w->n; i++)
		if (hash_eq(w->list[i].id, f.id))
			return;
	w->list[w->n++] = f;
}

static void exits_came(void *ctx, const struct peer_answer *answer)
{
	struct pull *pull = ctx;
	struct wishes *w = pull->wishes;
	struct json_reader r = {0};

	pull->asked = false;
	if (answer->err || !w->known)
		return;
	const json_node *list = json_array(&r, answer->root, "exits");
	for (size_t i = 0; i < json_len(list) && !r.failed; i++)
		take(w, json_at(list, i), &r);
	if (r.failed)
		peers_blame(w->relayers, answer->peer, w->now_ms, r.what);
}

static void prune(struct wishes *w)
{
	size_t left = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].exit_to.count >= w->count)
			w->list[left++] = w->list[i];
	w->n = left;
}

void wishes_turn(struct wishes *w, struct turn *t)
{
	bool quiet = t->phase == PHASE_LIVE;
	uint64_t every_ms =
		quiet ? QUIET_BALLOTS_MS : w->parts->config->shared.poll_ms;

	w->now_ms = t->now_ms;
	w->next_ms = UINT64_MAX;
	if (!turn_sees(t))
		return;
	w->known = true;
	w->rollup = t->facts->rollup;
	if (w->count != t->facts->count) {
		w->count = t->facts->count;
		prune(w);
	}
	for (size_t i = 0; i < peers_count(w->relayers); i++) {
		struct pull *pull = &w->pulls[i];
		if (!pull->asked && t->now_ms >= pull->next_ms) {
			pull->next_ms = t->now_ms + every_ms;
			pull->asked =
				!peers_ask_one(w->relayers, i, "/v1/exits",
					       t->now_ms, exits_came, pull);
		}
		if (pull->next_ms < w->next_ms)
			w->next_ms = pull->next_ms;
	}
}

uint64_t wishes_next(const struct wishes *w)
{
	return w->next_ms;
}

static struct foreign *find(struct wishes *w, struct hash32 id)
{
	for (size_t i = 0; i < w->n; i++)
		if (hash_eq(w->list[i].id, id))
			return &w->list[i];
	return NULL;
}

void wishes_news(struct wishes *w, const struct task_news *news)
{
	struct foreign *f = find(w, news->key);

	/* A wish that L1 does not take must not hold its leaf back. */
	if (f && news->event == TASK_REFUSED && !news->for_now &&
	    ++f->refused >= WISH_TRIES)
		f->dead = true;
}

/* ---- for the evacuation -------------------------------------------------- */

static bool counts(const struct turn *t, const struct request *r)
{
	return r->exit_to.count == t->facts->count &&
	       r->exit_to.index < t->facts->leaf_count;
}

bool wishes_walk(struct wishes *w, struct turn *t, struct wish_walk *at,
		 struct wish *ret)
{
	ret->foreign = false;
	while (book_next_wish(w->book, t, &at->own, &ret->request))
		if (counts(t, &ret->request))
			return true;
	ret->foreign = true;
	while (at->foreign < w->n) {
		struct foreign *f = &w->list[at->foreign++];
		ret->request = (struct request){.id = f->id,
						.kind = REQUEST_EXIT,
						.state = REQUEST_QUEUED,
						.exit_to = f->exit_to,
						.signature = f->signature};
		if (f->dead || !counts(t, &ret->request))
			continue;
		if (!f->since_ms)
			f->since_ms = t->now_ms;
		return true;
	}
	return false;
}

bool wishes_due(const struct wishes *w, const struct turn *t,
		const struct wish *wish)
{
	const struct foreign *f;

	if (!wish->foreign)
		return wish->request.state == REQUEST_QUEUED;
	f = find((struct wishes *)w, wish->request.id);
	return f && t->now_ms >= f->since_ms + FOREIGN_WISH_MS;
}

enum err wishes_fail(struct wishes *w, struct turn *t, const struct wish *wish,
		     const char *why)
{
	struct foreign *f;

	if (!wish->foreign)
		return book_fail(w->book, t, wish->request.id, why);
	f = find(w, wish->request.id);
	if (f)
		f->dead = true;
	return OK;
}
