#include "l1/check.h"

#include <poll.h>
#include <stdio.h>

#include "abi/hex.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signer_client.h"

#define SLOW_ANSWER_MS	   3000 /* for those whom the quorum did not need */
#define SAFE_HARD_DEADLINE (24 * 3600) /* protocol.md: below it, warn */

struct reading {
	bool done;
	enum err err;
	char why[HATCH_WHY_MAX];
	struct hatch_facts *facts;
};

static void read_done(void *ctx, enum err err, const char *why,
		      const struct hatch_facts *facts)
{
	struct reading *r = ctx;

	r->done = true;
	r->err = err;
	snprintf(r->why, sizeof(r->why), "%s", err && why ? why : "");
	if (!err)
		*r->facts = *facts;
}

static enum err read_at(struct l1 *l1, struct address hatch,
			const struct block_ref *at, uint64_t timeout_ms,
			struct reading *r)
{
	enum err err;

	*r = (struct reading){.facts = r->facts};
	err = hatch_read(l1, hatch, at, read_done, r);
	if (!err)
		err = l1_wait(l1, &r->done, timeout_ms);
	if (err)
		hatch_cancel(l1, r);
	return err ? err : r->err;
}

/* Each provider that is of no use, by its place in the configuration. */
static void warn_of_providers(struct l1 *l1, const struct settings *settings)
{
	const struct l1_view *view = l1_view(l1);
	struct err_text line;
	char path[48];

	l1_wait_answers(l1, SLOW_ANSWER_MS);
	for (size_t i = 0; i < view->n; i++) {
		const struct l1_provider_view *p = &view->providers[i];

		if (!strcmp(p->state, "good") || !strcmp(p->state, "slow"))
			continue;
		snprintf(path, sizeof(path), "providers.list[%zu].url", i);
		settings_complain(settings, path, &line, "%.30s: %s", p->name,
				  p->why);
		log_warn(line.text);
	}
	if (settings->chain.genesis_set || hash_is_zero(l1_genesis(l1)))
		return;
	settings_complain(settings, "chain.genesis", &line,
			  "not given, so a quorum of providers decides which "
			  "chain this is: add genesis: '%s', if that is right",
			  hash_text(l1_genesis(l1)).s);
	log_notice(line.text);
}

enum err check_hatch(struct l1 *l1, const struct settings *settings,
		     uint64_t timeout_ms, struct hatch_facts *ret,
		     struct err_text *error)
{
	const struct l1_view *view = l1_view(l1);
	struct address hatch = settings->chain.hatch;
	struct reading r = {.facts = ret};
	enum err err = l1_wait_healthy(l1, timeout_ms, error);

	warn_of_providers(l1, settings);
	if (err)
		return err;
	err = read_at(l1, hatch, &view->acted, timeout_ms, &r);
	if (err == ERR_INVALID) /* deployed a moment ago? */
		err = read_at(l1, hatch, &view->head, timeout_ms, &r);
	if (err) {
		settings_complain(settings, "chain.hatch", error, "%s",
				  r.why[0] ? r.why : err_name(err));
		return err;
	}
	if (ret->terms.hard_deadline < SAFE_HARD_DEADLINE)
		log_warn("hardDeadline is below 24 h: an outage of L1 itself "
			 "could open the hatch",
			 "seconds", log_u64(ret->terms.hard_deadline).s);
	return OK;
}

struct signing {
	bool done;
	enum err err;
	struct ask_answer answer;
};

static void sign_done(void *ctx, enum err err, const struct ask_answer *answer)
{
	struct signing *s = ctx;

	s->done = true;
	s->err = err;
	if (!err)
		s->answer = *answer;
}

static void wait_for(struct signer_client *client, const struct signing *s,
		     uint64_t end)
{
	uint64_t now;

	while (!s->done && (now = clock_mono_ms()) < end) {
		uint64_t next = signer_client_turn(client, now);
		struct pollfd p = signer_client_pollfd(client);

		next = next < end ? next : end;
		if (!s->done)
			poll(&p, p.fd >= 0, next > now ? (int)(next - now) : 0);
	}
}

enum err check_signer(const char *socket, const struct ask *ask,
		      uint64_t timeout_ms, const char *field,
		      struct err_text *error)
{
	struct signer_client *client = signer_client_new(socket);
	struct signing s = {0};

	if (!client || signer_client_ask(client, ask, sign_done, &s)) {
		signer_client_free(client);
		err_text_set(error, "signer: %.150s is no socket's path",
			     socket);
		return ERR_INVALID;
	}
	wait_for(client, &s, clock_mono_ms() + timeout_ms);
	err_text_set(error, "signer: no answer from %.80s: %.100s: start it",
		     socket, signer_client_trouble(client));
	signer_client_free(client);
	if (!s.done || s.err)
		return ERR_IO;
	if (s.answer.status == ASK_REFUSED &&
	    strstr(s.answer.text, ASK_TEXT_MAY_NOT)) {
		err_text_set(error,
			     "signer: %.150s: name this user in its clients",
			     s.answer.text);
		return ERR_REFUSED;
	}
	if (s.answer.status != ASK_NOT_OUR_KEY)
		return OK;
	err_text_set(error, "%s: the signer has no key of %s", field,
		     address_text(ask->key).s);
	return ERR_REFUSED;
}
