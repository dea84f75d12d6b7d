/* One range, asked of many: who is asked, what is agreed on, and who differs.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "l1/logs.h"
#include "l1/range_impl.h"
#include "sys/clock.h"

#define BODY_MAX 8192

const char range_method[] = "eth_getLogs by range";

uint64_t range_length(const struct range *r)
{
	return r->to - r->from + 1;
}

/* ---- who is asked --------------------------------------------------------
 */

static bool may_serve(const struct provider *p, uint64_t now)
{
	return p->pinned && !p->wrong_chain && !provider_lying(p, now) &&
	       !provider_lacking(p, range_method, now);
}

uint64_t range_span(const struct l1 *l1, uint64_t now)
{
	uint64_t best = 0;
	for (size_t i = 0; i < l1->n; i++) {
		uint64_t span = span_of(&l1->providers[i].span), weight = 0;
		for (size_t j = 0; j < l1->n; j++) {
			const struct provider *p = &l1->providers[j];
			if (may_serve(p, now) && span_of(&p->span) >= span)
				weight += p->settings->weight;
		}
		if (weight >= l1->settings->providers.quorum && span > best)
			best = span;
	}
	return best;
}

void range_part_set(struct part *part, enum part_state state, const char *why)
{
	part->state = state;
	(void)snprintf(part->why, sizeof(part->why), "%.90s", why);
}

static void add_part(struct range *r, struct provider *p, uint64_t now)
{
	struct part *part = &r->parts[r->n];
	*part = (struct part){.range = r, .provider = p, .like = r->n};
	r->n++;
	if (provider_is_new(p))
		part->state = PART_IDLE;
	else if (!provider_usable(p, now))
		range_part_set(part, PART_FAILED, p->why);
	else if (provider_lacking(p, range_method, now))
		range_part_set(part, PART_FAILED, "lists no ranges");
	else if (span_of(&p->span) < range_length(r))
		range_part_set(part, PART_SHORT, "serves shorter ranges");
	else
		part->state = PART_WAITS;
	if (part->state == PART_SHORT)
		part->shorter = span_of(&p->span);
}

struct range *range_new(struct l1 *l1, const struct range_filter *filter,
			uint64_t from, uint64_t to)
{
	uint64_t now = clock_mono_ms();
	struct buf params;
	struct range *r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	assert(from <= to);
	r->l1 = l1;
	r->filter = *filter;
	r->from = from;
	r->to = to;
	r->deadline_ms = now + L1_RANGE_MS;
	buf_init(&params, BODY_MAX);
	l1_logs_range_params(&params, from, to, filter->addresses,
			     filter->n_addresses, filter->topics,
			     filter->n_topics);
	buf_init(&r->body, BODY_MAX);
	struct json_writer w = json_writer(&r->body);
	json_begin(&w, NULL);
	json_put_string(&w, "jsonrpc", "2.0");
	json_put_u64(&w, "id", RANGE_ASK_ID);
	json_put_string(&w, "method", "eth_getLogs");
	json_put_raw(&w, "params", buf_slice(&params));
	json_end(&w);
	buf_done(&params);
	assert(!r->body.failed);
	for (size_t i = 0; i < l1->n; i++)
		add_part(r, &l1->providers[i], now);
	return r;
}

void range_free(struct range *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		struct part *part = &r->parts[i];
		if (part->state == PART_SENT)
			http_client_cancel(part->provider->http, part);
		log_page_done(&part->page);
	}
	buf_done(&r->body);
	free(r);
}

static const struct log_page *page_of(const struct range *r, size_t i)
{
	return &r->parts[r->parts[i].like].page;
}

static bool counts(const struct range *r, size_t i, uint64_t now)
{
	return r->parts[i].state == PART_LISTED &&
	       !provider_lying(r->parts[i].provider, now);
}

/* Who lists what the quorum does and more may be right: ignorance looks like
 * an empty list. */
static void judge_part(struct range *r, size_t i, uint64_t now)
{
	struct provider *p = r->parts[i].provider;
	const struct log_page *agreed = page_of(r, r->agreed);
	size_t more;
	r->parts[i].judged = true;
	if (r->parts[i].like == r->parts[r->agreed].like) {
		provider_agreed(p, now, agreed->n > 0);
	} else if (range_includes(page_of(r, i), agreed, &more)) {
		r->says = RANGE_DISPUTED;
		r->claims = i;
	} else if (range_includes(agreed, page_of(r, i), &more)) {
		range_accuse(r, i, true, now);
	} else {
		range_accuse(r, i, false, now);
	}
}

static void judge(struct range *r, uint64_t now)
{
	for (size_t i = 0; i < r->n && r->says == RANGE_AGREED; i++)
		if (counts(r, i, now) && !r->parts[i].judged)
			judge_part(r, i, now);
}

static uint64_t weight_like(const struct range *r, size_t i, uint64_t now)
{
	uint64_t weight = 0;
	for (size_t k = 0; k < r->n; k++)
		if (counts(r, k, now) && r->parts[k].like == r->parts[i].like)
			weight += r->parts[k].provider->settings->weight;
	return weight;
}

static uint64_t pending(const struct range *r, uint64_t now)
{
	uint64_t weight = 0;
	for (size_t i = 0; i < r->n && now < r->deadline_ms; i++) {
		const struct part *part = &r->parts[i];
		bool hoped = part->state == PART_WAITS ||
			     part->state == PART_SENT ||
			     (part->state == PART_IDLE &&
			      (provider_is_new(part->provider) ||
			       provider_usable(part->provider, now)));
		if (hoped && !provider_lying(part->provider, now))
			weight += part->provider->settings->weight;
	}
	return weight;
}

/* It can no longer be agreed on: why. */
static enum range_says failure(struct range *r, uint64_t now)
{
	size_t first = r->n;
	bool brief = false;
	for (size_t i = 0; i < r->n; i++) {
		struct part *part = &r->parts[i];
		/* too slow for so many */
		if (part->state == PART_SENT && now >= r->deadline_ms)
			part->shorter = span_crowd(&part->provider->span,
						   range_length(r), 0);
		brief |= part->state == PART_SHORT || part->shorter;
	}
	if (brief)
		return RANGE_TOO_MUCH;
	for (size_t i = 0; i < r->n; i++) {
		if (!counts(r, i, now))
			continue;
		if (first < r->n && r->parts[first].like != r->parts[i].like)
			return RANGE_DISPUTED;
		first = i;
	}
	return RANGE_SILENT;
}

static void settle(struct range *r, uint64_t now)
{
	uint64_t best = 0, quorum = r->l1->settings->providers.quorum;
	for (size_t i = 0; i < r->n && r->says == RANGE_WAITS; i++) {
		uint64_t weight =
			counts(r, i, now) ? weight_like(r, i, now) : 0;
		if (weight >= quorum) {
			r->says = RANGE_AGREED;
			r->agreed = i;
		}
		best = weight > best ? weight : best;
	}
	if (r->says == RANGE_WAITS && best + pending(r, now) < quorum)
		r->says = failure(r, now);
}

/* ---- sending -------------------------------------------------------------
 */

static uint64_t send_part(struct part *part, uint64_t now)
{
	struct range *r = part->range;
	uint64_t at = provider_ask_at(part->provider, now);
	if (at > now)
		return at;
	enum err err = provider_post(part->provider, buf_slice(&r->body),
				     L1_RANGE_REPLY_MAX, r->deadline_ms - now,
				     now, range_on_reply, part);
	if (err)
		return now + 10; /* every transfer is taken */
	part->state = PART_SENT;
	return UINT64_MAX;
}

static uint64_t send_parts(struct range *r, uint64_t now)
{
	uint64_t next = r->deadline_ms;
	for (size_t i = 0; i < r->n && now < r->deadline_ms; i++) {
		struct part *part = &r->parts[i];
		if (part->state == PART_IDLE &&
		    provider_usable(part->provider, now))
			part->state = PART_WAITS;
		if (part->state != PART_WAITS)
			continue;
		uint64_t at = send_part(part, now);
		next = at < next ? at : next;
	}
	return next;
}

uint64_t range_turn(struct range *r, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	if (r->says == RANGE_WAITS)
		settle(r, now);
	if (r->says == RANGE_WAITS)
		next = send_parts(r, now);
	judge(r, now);
	return next;
}

/* ---- what came of it -----------------------------------------------------
 */

enum range_says range_says(const struct range *r)
{
	return r->says;
}

const struct log_page *range_page(const struct range *r)
{
	assert(r->says == RANGE_AGREED);
	return page_of(r, r->agreed);
}

uint64_t range_shorter(const struct range *r)
{
	uint64_t best = 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->parts[i].shorter > best)
			best = r->parts[i].shorter;
	return best;
}

void range_why(const struct range *r, uint64_t now, char *to, size_t size)
{
	size_t used = 0;
	to[0] = '\0';
	for (size_t i = 0; i < r->n && used < size; i++) {
		const struct part *part = &r->parts[i];
		const char *why = part->why;
		if (part->state == PART_LISTED)
			why = counts(r, i, now) ? "lists it" : "lies";
		else if (part->state == PART_SENT || !*why)
			why = "no answer in time";
		int len = snprintf(to + used, size - used, "%s%s: %s",
				   used ? "; " : "",
				   part->provider->settings->name, why);
		used += len > 0 ? (size_t)len : 0;
	}
}

bool range_claim(const struct range *r, struct page_log *ret,
		 size_t *ret_provider)
{
	size_t more;
	if (r->says != RANGE_DISPUTED ||
	    r->parts[r->claims].state != PART_LISTED ||
	    r->parts[r->agreed].state != PART_LISTED ||
	    r->claims == r->agreed ||
	    !range_includes(page_of(r, r->claims), page_of(r, r->agreed),
			    &more))
		return false;
	*ret = page_of(r, r->claims)->logs[more];
	*ret_provider = r->claims;
	return true;
}
