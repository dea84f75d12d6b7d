/* What one provider lists, refuses or cuts, and one list against another. */
#include <stddef.h>
#include <stdio.h>

#include "l1/range_impl.h"
#include "l1/rpc.h"
#include "l1/too_much.h"
#include "sys/clock.h"

static bool is_asked_for(const struct range *r, const struct page_log *log)
{
	const struct range_filter *f = &r->filter;
	bool emitter = false, topic = !f->n_topics;
	for (size_t i = 0; i < f->n_addresses; i++)
		emitter |= address_eq(log->address, f->addresses[i]);
	for (size_t i = 0; log->n_topics && i < f->n_topics; i++)
		topic |= hash_eq(log->topics[0], f->topics[i]);
	return emitter && topic && log->block >= r->from && log->block <= r->to;
}

static bool is_answer(const struct range *r, const struct log_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		if (!is_asked_for(r, &page->logs[i]))
			return false;
	return true;
}

/* The list would have been, or took, too long. */
static void crowd(struct part *part, const char *why)
{
	part->shorter =
		span_crowd(&part->provider->span, range_length(part->range), 0);
	range_part_set(part, PART_SHORT, why);
}

static void take_error(struct part *part, const struct page_reply *reply,
		       uint64_t now)
{
	struct provider *p = part->provider;
	struct too_much much = too_much_read(reply->code, reply->text);
	if (rpc_is_throttled((int)reply->code, reply->text)) {
		provider_failed(p, now, FAULT_THROTTLED, "its rate limit");
		range_part_set(part, PART_FAILED, "its rate limit");
	} else if (much.yes) {
		uint64_t asked = range_length(part->range);
		part->shorter =
			much.crowded ? span_crowd(&p->span, asked, much.span)
				     : span_refuse(&p->span, asked, much.span);
		range_part_set(part, PART_SHORT, reply->text);
	} else {
		if (rpc_is_lacking(reply->text))
			provider_lacks(p, range_method, now);
		range_part_set(part, PART_FAILED, reply->text);
	}
}

static void take_page(struct part *part, struct log_page *page, uint64_t now)
{
	struct range *r = part->range;
	size_t i = 0;
	if (!is_answer(r, page)) {
		provider_lacks(part->provider, range_method, now);
		range_part_set(part, PART_FAILED,
			       "lists what was not asked for");
	} else if (too_much_is_cut(page->n)) {
		crowd(part, "a list of a round length is a list cut short");
	} else {
		for (; i < r->n; i++)
			if (r->parts[i].state == PART_LISTED &&
			    r->parts[i].like == i &&
			    log_page_same(&r->parts[i].page, page))
				break;
		part->state = PART_LISTED;
		span_serve(&part->provider->span, range_length(r));
		if (i == r->n) {
			part->like = (size_t)(part - r->parts);
			part->page = *page;
			return;
		}
		part->like = i;
	}
	log_page_done(page);
}

static void take_body(struct part *part, const struct http_reply *http,
		      uint64_t now)
{
	struct provider *p = part->provider;
	struct page_reply reply = {0};
	struct err_text error;
	enum err err = log_page_read(http->body, RANGE_ASK_ID, &reply, &error);
	bool listed = !err && reply.says == PAGE_LOGS;
	if (err == ERR_TOO_LARGE) {
		crowd(part, error.text);
	} else if (http->status == 413 && (err || listed)) {
		crowd(part, "HTTP status 413");
	} else if (http->status == 429 ||
		   (http->status != 200 && (err || listed))) {
		provider_broke(p, http, now);
		range_part_set(part, PART_FAILED, p->why);
	} else if (err) {
		provider_failed(p, now,
				http->body.len && *http->body.p == '<'
					? FAULT_HTML
					: FAULT_SHAPE,
				error.text);
		range_part_set(part, PART_FAILED, error.text);
	} else if (listed) {
		provider_answered(p, http->elapsed_ms, now);
		take_page(part, &reply.page, now);
		return;
	} else {
		take_error(part, &reply, now);
	}
	log_page_done(&reply.page);
}

void range_on_reply(void *ctx, const struct http_reply *http)
{
	struct part *part = ctx;
	uint64_t now = clock_mono_ms();
	if (http->err == ERR_TOO_LARGE) {
		crowd(part, "its list is too long for us");
	} else if (http->err) {
		/* it may have been at work on it all the time */
		provider_broke(part->provider, http, now);
		if (http->sent)
			crowd(part, http->text);
		else
			range_part_set(part, PART_FAILED, http->text);
	} else {
		take_body(part, http, now);
	}
}

/* ---- one list against another --------------------------------------------
 */

/* Of the facts beside the data; the struct has no padding. */
#define FACTS offsetof(struct page_log, data_at)

static bool same_log(const struct log_page *a, size_t i,
		     const struct log_page *b, size_t k)
{
	return !memcmp(&a->logs[i], &b->logs[k], FACTS) &&
	       slice_eq(log_page_data(a, i), log_page_data(b, k));
}

/* All of `small` is in `big`.  ret_more: the first log that is in `big` alone.
 */
bool range_includes(const struct log_page *big, const struct log_page *small,
		    size_t *ret_more)
{
	size_t k = 0;
	bool more = false;
	for (size_t i = 0; i < big->n; i++) {
		if (k < small->n && same_log(big, i, small, k)) {
			k++;
		} else if (!more) {
			*ret_more = i;
			more = true;
		}
	}
	return k == small->n;
}
