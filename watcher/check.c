#include "watcher/check.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "abi/ask.h"
#include "abi/hex.h"
#include "l1/hatch.h"
#include "l1/l1.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signer_client.h"

#define SAFE_HARD_DEADLINE (24 * 3600) /* protocol.md: below it, warn */

struct reading {
	bool done;
	enum err err;
	char why[200];
	struct hatch_facts facts;
};

static void read_done(void *ctx, enum err err, const char *why,
		      const struct hatch_facts *facts)
{
	struct reading *r = ctx;
	struct err_text text;

	r->done = true;
	r->err = err;
	err_text_set(&text, "%.199s", why ? why : "");
	memcpy(r->why, text.text, sizeof(r->why));
	r->why[sizeof(r->why) - 1] = 0;
	if (!err)
		r->facts = *facts;
}

static enum err read_at(struct l1 *l1, struct address hatch,
			const struct block_ref *at, struct reading *r)
{
	enum err err;

	memset(r, 0, sizeof(*r));
	err = hatch_read(l1, hatch, at, read_done, r);
	if (!err)
		err = l1_wait(l1, &r->done, CHECK_L1_MS);
	if (err)
		hatch_cancel(l1, r);
	return err ? err : r->err;
}

/* At the block acted on, or at the head if it was deployed just now. */
static enum err read_hatch(const struct watcher_config *c, struct l1 *l1,
			   struct reading *r, struct err_text *error)
{
	const struct l1_view *view = l1_view(l1);
	enum err err = l1_wait_healthy(l1, CHECK_L1_MS, error);

	if (err)
		return err;
	err = read_at(l1, c->shared.chain.hatch, &view->acted, r);
	if (err == ERR_INVALID)
		err = read_at(l1, c->shared.chain.hatch, &view->head, r);
	if (err)
		err_text_set(error, "chain.hatch: %.220s",
			     r->why[0] ? r->why : err_name(err));
	return err;
}

static enum err compare(const struct watcher_config *c,
			const struct hatch_facts *f, struct err_text *error)
{
	bool among = !c->guardian_set;

	for (size_t i = 0; i < f->n_guardians; i++)
		among = among || address_eq(f->guardians[i], c->guardian);
	if (!among) {
		err_text_set(error,
			     "guardian: %s is not among the hatch's guardians",
			     address_text(c->guardian).s);
		return ERR_REFUSED;
	}
	if (f->terms.hard_deadline < SAFE_HARD_DEADLINE)
		log_warn("hardDeadline is below 24 h: an outage of L1 itself "
			 "could open the hatch",
			 "seconds", log_u64(f->terms.hard_deadline).s);
	if (c->guardian_set &&
	    c->vote.hold_off_ms / 1000 >= f->terms.hard_deadline)
		log_warn("vote.hold_off is not shorter than hardDeadline: "
			 "this guardian will never vote in time",
			 "seconds", log_u64(c->vote.hold_off_ms / 1000).s);
	return OK;
}

struct signing {
	bool done;
	enum err err;
	struct ask_answer answer;
};

static void ask_done(void *ctx, enum err err, const struct ask_answer *answer)
{
	struct signing *s = ctx;

	s->done = true;
	s->err = err;
	if (!err)
		s->answer = *answer;
}

/* Asks for what no policy may sign, a statement of no type, so that the
 * answer tells whether the key is there and nothing is signed. */
static enum err check_signer(const struct watcher_config *c,
			     struct err_text *error)
{
	struct signer_client *client = signer_client_new(c->signer);
	uint64_t end = clock_mono_ms() + CHECK_SIGNER_MS, now;
	struct signing s = {0};
	struct ask ask = {
		.kind = ASK_BALLOT,
		.key = c->guardian,
		.vote = {.chain_id = c->shared.chain.id, .action = VOTE_OPEN},
	};

	if (!client || signer_client_ask(client, &ask, ask_done, &s)) {
		signer_client_free(client);
		err_text_set(error, "signer: cannot ask it");
		return ERR_IO;
	}
	while (!s.done && (now = clock_mono_ms()) < end) {
		uint64_t next = signer_client_turn(client, now);
		struct pollfd p = signer_client_pollfd(client);

		next = next < end ? next : end;
		if (!s.done)
			poll(&p, p.fd >= 0, next > now ? (int)(next - now) : 0);
	}
	err_text_set(error, "signer: no answer from %.80s: %.100s", c->signer,
		     signer_client_trouble(client));
	signer_client_free(client);
	if (!s.done || s.err)
		return ERR_IO;
	if (s.answer.status != ASK_NOT_OUR_KEY)
		return OK;
	err_text_set(error, "guardian: the signer has no key of %s",
		     address_text(c->guardian).s);
	return ERR_REFUSED;
}

enum err check_world(const struct watcher_config *c, struct err_text *error)
{
	struct http_client *http = http_client_new();
	struct reading *r = calloc(1, sizeof(*r));
	struct l1 *l1 = NULL;
	enum err err = http && r ? OK : ERR_FULL;

	err_text_set(error, "out of memory");
	if (!err)
		err = l1_new(&c->shared, http, &l1, error);
	if (!err)
		err = read_hatch(c, l1, r, error);
	if (!err)
		err = compare(c, &r->facts, error);
	if (!err && c->signer)
		err = check_signer(c, error);
	l1_free(l1);
	http_client_free(http);
	free(r);
	return err;
}
