#include "l1/tell.h"

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

void tell_providers(struct l1 *l1)
{
	const struct l1_view *view = l1_view(l1);

	for (size_t i = 0; i < view->n; i++)
		tell(&view->providers[i], l1_news_take(l1, i));
}
