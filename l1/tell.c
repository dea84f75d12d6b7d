#include "l1/tell.h"

#include <string.h>

#include "l1/limits.h"
#include "sys/log.h"

enum err tell_kept(struct l1 *l1, tell_keep *keep, void *ctx)
{
	struct buf bytes;
	size_t provider;
	enum err err = OK;

	while (!err && l1_evidence_take(l1, &bytes, &provider)) {
		uint64_t id = 0;
		err = keep(ctx, buf_slice(&bytes), &id);
		l1_evidence_kept(l1, provider, id);
		buf_done(&bytes);
	}
	return err;
}

static void tell(const struct l1_provider_view *p, enum l1_news news)
{
	switch (news) {
	case L1_NEWS_EXPELLED:
		log_error("a provider is expelled", "alert", "provider_lied",
			  "provider", p->name, "kind", p->expelled_for,
			  "evidence",
			  p->evidence ? log_u64(p->evidence).s
				      : "no room for it in the store",
			  "why", p->why);
		break;
	case L1_NEWS_BACK:
		log_notice("provider back", "provider", p->name);
		break;
	case L1_NEWS_NONE:
		break;
	}
}

/* A provider that fails is worth a line when it goes on. */
static void tell_state(struct tell *t, size_t i,
		       const struct l1_provider_view *p, uint64_t now_ms)
{
	bool wrong = !strcmp(p->state, "wrong_chain");
	bool fails = !strcmp(p->state, "down");

	if (wrong && !t->of[i].wrong)
		log_warn("a provider is on another chain, and not used: "
			 "correct its URL or take it out",
			 "provider", p->name, "why", p->why);
	t->of[i].wrong = wrong;
	if (!fails && t->of[i].down && !p->lying)
		log_notice("provider answers again", "provider", p->name);
	if (!fails) {
		t->of[i].fails_since_ms = 0;
		t->of[i].down = t->of[i].down && p->lying;
		return;
	}
	if (!t->of[i].fails_since_ms)
		t->of[i].fails_since_ms = now_ms;
	if (t->of[i].down || now_ms - t->of[i].fails_since_ms < L1_TELL_MS)
		return;
	t->of[i].down = true;
	log_warn("a provider fails", "provider", p->name, "why", p->why);
}

/* Nothing is said before they had a moment to answer. */
static void tell_sight(struct tell *t, const struct l1_view *view)
{
	bool starting = false;

	for (size_t i = 0; i < view->n && !view->healthy; i++)
		starting |= !strcmp(view->providers[i].state, "new");
	if (starting || (t->looked && view->healthy == t->healthy))
		return;
	t->looked = true;
	t->healthy = view->healthy;
	if (view->healthy)
		log_notice("L1 is in sight", "block",
			   log_u64(view->acted.number).s);
	else
		log_warn("L1 is out of sight", "why", view->why);
}

static void tell_outlook(struct outlook *told, const struct l1_view *view,
			 const char *follow_proofs)
{
	struct outlook_news n;

	while (outlook_news(told, view, follow_proofs, &n))
		log_line(n.bad ? LOG_LEVEL_WARN : LOG_LEVEL_NOTICE, n.event,
			 n.of ? "provider" : "was", n.of ? n.of : n.was, "is",
			 n.is, "why", n.why, (char *)NULL);
}

void tell_providers(struct tell *t, struct l1 *l1, const char *follow_proofs,
		    uint64_t now_ms)
{
	const struct l1_view *view = l1_view(l1);

	for (size_t i = 0; i < view->n; i++) {
		tell(&view->providers[i], l1_news_take(l1, i));
		tell_state(t, i, &view->providers[i], now_ms);
	}
	tell_sight(t, view);
	tell_outlook(&t->outlook, view, follow_proofs);
}
