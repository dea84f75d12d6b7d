#include "l1/outlook.h"

#include <stdio.h>
#include <string.h>

static bool news_of_depth(struct outlook *told, const struct l1_view *v,
			  struct outlook_news *ret)
{
	if (hash_is_zero(v->acted.hash) || !strcmp(told->depth, v->depth))
		return false;
	*ret = (struct outlook_news){.event = "L1 is acted on at another depth",
				     .is = v->depth,
				     .why = v->depth_why};
	memcpy(ret->was, told->depth, sizeof(ret->was));
	memcpy(told->depth, v->depth, sizeof(told->depth));
	return *ret->was; /* the first is no change */
}

/* "proved", or "by quorum" and why: the reason may change unsaid. */
static bool news_of_proofs(char told[16], const char *how, const char *event,
			   struct outlook_news *ret)
{
	char kind[16];
	size_t len = strcspn(how, ":");
	(void)snprintf(kind, sizeof(kind), "%.*s",
		       (int)(len < sizeof(kind) ? len : 0), how);
	if (!*kind || !strcmp(kind, told))
		return false;
	*ret = (struct outlook_news){.bad = strcmp(kind, "proved") != 0,
				     .event = event,
				     .is = how,
				     .why = ""};
	memcpy(ret->was, told, sizeof(kind));
	memcpy(told, kind, sizeof(kind));
	return true;
}

static bool news_of_clock(struct outlook *told, const struct l1_view *v,
			  struct outlook_news *ret)
{
	bool off = *v->clock;
	if (off == told->clock)
		return false;
	told->clock = off;
	*ret = (struct outlook_news){.bad = off,
				     .event = "L1 and this machine's clock",
				     .is = off ? "differ" : "agree",
				     .why = v->clock};
	return true;
}

static bool news_of_branch(struct outlook *told, const struct l1_view *v,
			   size_t i, struct outlook_news *ret)
{
	const struct l1_provider_view *p = &v->providers[i];
	bool forked = !strcmp(p->state, "forked");
	/* silent for a moment it stands where it stood */
	if (!p->heard || forked == told->forked[i])
		return false;
	told->forked[i] = forked;
	*ret = (struct outlook_news){.bad = forked,
				     .event = "L1 provider",
				     .of = p->name,
				     .is = forked ? "on another branch"
						  : "on the quorum's branch",
				     .why = p->why};
	return true;
}

bool outlook_news(struct outlook *told, const struct l1_view *v,
		  const char *follow_proofs, struct outlook_news *ret)
{
	if (news_of_depth(told, v, ret) ||
	    news_of_proofs(told->headers, v->headers, "L1's headers are",
			   ret) ||
	    news_of_proofs(told->proofs, v->proofs, "L1's facts are", ret) ||
	    news_of_proofs(told->follow, follow_proofs, "L1's logs are", ret) ||
	    news_of_clock(told, v, ret))
		return true;
	for (size_t i = 0; i < v->n; i++)
		if (news_of_branch(told, v, i, ret))
			return true;
	return false;
}
