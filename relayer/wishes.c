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
	uint64_t page;	   /* its relayer's newest that it was on */
	bool dead;
};

struct share { /* one relayer's; its address is the ask's ctx */
	struct wishes *wishes;
	bool asked;
	uint64_t next_ms;
	uint64_t page; /* counted */
	size_t n;
	struct foreign list[EXITS_LISTED_MAX];
};

struct wishes {
	struct parts *parts;
	struct book *book;
	struct peers *relayers;
	uint64_t now_ms, next_ms, count;
	struct address rollup;
	bool known;
	size_t n_shares;
	struct share *shares;
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
	w->n_shares = peers_count(w->relayers);
	w->shares = calloc(w->n_shares + 1, sizeof(*w->shares));
	if (!w->shares)
		fatal("out of memory", "wishes");
	for (size_t i = 0; i < w->n_shares; i++)
		w->shares[i].wishes = w;
	return w;
}

void wishes_free(struct wishes *w)
{
	if (!w)
		return;
	peers_free(w->relayers);
	free(w->shares);
	free(w);
}

/* ---- what others publish ------------------------------------------------- */

/* Where the wish of this id stands, or may: a new place, or one of a wish that
 * is not on the relayer's page any more. NULL: all are taken. */
static struct foreign *place(struct share *share, struct hash32 id)
{
	struct foreign *left = NULL;

	for (size_t i = 0; i < share->n; i++) {
		struct foreign *f = &share->list[i];
		if (hash_eq(f->id, id))
			return f;
		if (f->page != share->page)
			left = f;
	}
	return share->n < EXITS_LISTED_MAX ? &share->list[share->n++] : left;
}

static void take(struct share *share, const json_node *node,
		 struct json_reader *r)
{
	const struct wishes *w = share->wishes;
	struct foreign f = {.page = share->page};

	f.exit_to.index = json_u64(r, node, "index");
	f.exit_to.recipient = json_address(r, node, "recipient");
	f.exit_to.count = json_u64(r, node, "count");
	json_hex(r, node, "signature", f.signature.b, sizeof(f.signature.b));
	if (r->failed || f.exit_to.count < w->count ||
	    f.exit_to.count > w->count + WISH_COUNT_AHEAD ||
	    f.exit_to.index >> 40)
		return;
	f.id = request_id_exit(w->parts->config->shared.chain.id, w->rollup,
			       &f.exit_to);
	struct foreign *at = place(share, f.id);
	if (!at)
		return;
	if (hash_eq(at->id, f.id) &&
	    !memcmp(&at->signature, &f.signature, sizeof(f.signature)))
		at->page = f.page;
	else
		*at = f;
}

static void exits_came(void *ctx, const struct peer_answer *answer)
{
	struct share *share = ctx;
	struct wishes *w = share->wishes;
	struct json_reader r = {0};

	share->asked = false;
	if (answer->err || !w->known)
		return;
	const json_node *list = json_array(&r, answer->root, "exits");
	share->page++;
	for (size_t i = 0; i < json_len(list) && !r.failed; i++)
		take(share, json_at(list, i), &r);
	if (r.failed)
		peers_blame(w->relayers, answer->peer, w->now_ms, r.what);
}

static void prune(struct wishes *w, struct share *share)
{
	size_t left = 0;

	for (size_t i = 0; i < share->n; i++)
		if (share->list[i].exit_to.count >= w->count)
			share->list[left++] = share->list[i];
	share->n = left;
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
		for (size_t i = 0; i < w->n_shares; i++)
			prune(w, &w->shares[i]);
	}
	for (size_t i = 0; i < w->n_shares; i++) {
		struct share *share = &w->shares[i];
		if (!share->asked && t->now_ms >= share->next_ms) {
			share->next_ms = t->now_ms + every_ms;
			share->asked =
				!peers_ask_one(w->relayers, i, "/v1/exits",
					       t->now_ms, exits_came, share);
		}
		if (share->next_ms < w->next_ms)
			w->next_ms = share->next_ms;
	}
}

uint64_t wishes_next(const struct wishes *w)
{
	return w->next_ms;
}

/* A wish that L1 does not take must not hold its leaf back. */
static void count_refusal(struct foreign *f)
{
	if (!f->dead && ++f->refused >= WISH_TRIES)
		f->dead = true;
}

void wishes_news(struct wishes *w, const struct task_news *news)
{
	if (news->event != TASK_REFUSED || news->for_now ||
	    request_refusal_is_hearsay(news->why))
		return;
	for (size_t i = 0; i < w->n_shares; i++)
		for (size_t k = 0; k < w->shares[i].n; k++)
			if (hash_eq(w->shares[i].list[k].id, news->key))
				count_refusal(&w->shares[i].list[k]);
}

/* ---- for the evacuation -------------------------------------------------- */

static bool counts(const struct turn *t, const struct request *r)
{
	return r->exit_to.count == t->facts->count &&
	       r->exit_to.index < t->facts->leaf_count;
}

static struct foreign *foreign_at(const struct wishes *w, size_t at)
{
	return &w->shares[at / EXITS_LISTED_MAX].list[at % EXITS_LISTED_MAX];
}

static bool is_place(const struct wishes *w, size_t at)
{
	return at % EXITS_LISTED_MAX < w->shares[at / EXITS_LISTED_MAX].n;
}

static bool walk_foreign(struct wishes *w, struct turn *t, struct wish_walk *at,
			 struct wish *ret)
{
	while (at->foreign < w->n_shares * EXITS_LISTED_MAX) {
		if (!is_place(w, at->foreign)) { /* the next relayer's */
			at->foreign += EXITS_LISTED_MAX -
				       at->foreign % EXITS_LISTED_MAX;
			continue;
		}
		struct foreign *f = foreign_at(w, at->foreign);
		ret->at = at->foreign++;
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

bool wishes_walk(struct wishes *w, struct turn *t, struct wish_walk *at,
		 struct wish *ret)
{
	ret->foreign = false;
	while (book_next_wish(w->book, t, &at->own, &ret->request))
		if (counts(t, &ret->request))
			return true;
	ret->foreign = true;
	return walk_foreign(w, t, at, ret);
}

bool wishes_due(const struct wishes *w, const struct turn *t,
		const struct wish *wish)
{
	if (!wish->foreign)
		return wish->request.state == REQUEST_QUEUED;
	return t->now_ms >= foreign_at(w, wish->at)->since_ms + FOREIGN_WISH_MS;
}

enum err wishes_fail(struct wishes *w, struct turn *t, const struct wish *wish,
		     const char *why)
{
	if (!wish->foreign)
		return book_fail(w->book, t, wish->request.id, why);
	foreign_at(w, wish->at)->dead = true;
	return OK;
}
