/* What became of a request's transaction, as submit.h tells it. */
#include <stdio.h>

#include "relayer/book.h"
#include "relayer/limits.h"

/* Reverts that follow from the request alone: no later block can see it
 * otherwise. */
static const struct {
	const char *name;
	const char *outcome;
} endings[] = {
	{"BadSignature", "L1 does not take the signature"},
	{"BadRecipient", "L1 does not take the recipient"},
	{"ZeroAmount", "the amount is zero"},
	{"TooManyBytes", "too many bytes"},
};

/* A wish that L1 does not take must not hold its leaf back for ever: then the
 * leaf is paid out to its owner's own address. */
static bool wish_is_dead(struct slot *slot, const struct task_news *news)
{
	return slot->kind == REQUEST_EXIT && !news->for_now &&
	       !request_refusal_is_hearsay(news->why) &&
	       ++slot->refused >= WISH_TRIES;
}

static enum err news_refused(struct book *b, struct turn *t, struct slot *slot,
			     const struct task_news *news)
{
	const char *why = news->why;
	char text[96];

	if (slot->state != REQUEST_QUEUED)
		return OK;
	if (strstr(why, "SignatureUsed")) { /* until it is final: hearsay */
		slot->taken = true;
		slot->taken_ms = t->now_ms + REFUSED_LAST_MS;
		return book_set_plain(b, t, slot, REQUEST_QUEUED,
				      "on L1 already, not final yet");
	}
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (strstr(why, endings[i].name))
			return book_set_plain(b, t, slot, REQUEST_FAILED,
					      endings[i].outcome);
	if (wish_is_dead(slot, news)) {
		snprintf(text, sizeof(text), "L1 refuses it: %.75s", why);
		return book_set_plain(b, t, slot, REQUEST_FAILED, text);
	}
	snprintf(text, sizeof(text), "waiting: %.80s", why);
	return book_set_plain(b, t, slot, REQUEST_QUEUED, text);
}

static enum err news_mined(struct book *b, struct turn *t, struct slot *slot,
			   const struct task_news *news)
{
	if (news->reverted ||
	    (slot->state != REQUEST_SIGNED && slot->state != REQUEST_SENT))
		return OK;
	slot->tx = news->tx;
	slot->block = news->block;
	slot->block_hash = news->block_hash;
	slot->event_head = 0;
	/* Kept at once: after a crash the newest version's hash would be asked
	 * for, and this may be an older one. */
	struct change change = {
		.state = slot->state, .outcome = "", .news = news};
	slot->want_event = true;
	return book_set(b, t, slot, &change);
}

/* A reverted one is sent anew only now that its block is final: before, a
 * reorg could bring the first to life again beside the second, and one request
 * would be on L1 twice (I8). */
static enum err news_final(struct book *b, struct turn *t, struct slot *slot,
			   const struct task_news *news)
{
	bool waits =
		slot->state == REQUEST_SIGNED || slot->state == REQUEST_SENT;

	if (waits && news->reverted) {
		enum err err = book_set_plain(b, t, slot, REQUEST_QUEUED,
					      "its transaction reverted");
		return err || !wish_is_dead(slot, news)
			       ? err
			       : book_set_plain(b, t, slot, REQUEST_FAILED,
						"reverted on L1 each time");
	}
	/* INCLUDED ends by itself once nothing is in flight any more. */
	return waits ? news_mined(b, t, slot, news) : OK;
}

enum err book_news(struct book *b, struct turn *t, const struct task_news *news)
{
	struct slot *slot = book_slot(b, news->key);
	struct change change = {.outcome = "", .news = news};

	if (!slot)
		return OK;
	switch (news->event) {
	case TASK_REFUSED:
	case TASK_UNSIGNED:
		return news_refused(b, t, slot, news);
	case TASK_SIGNED: /* a replacement keeps the state */
		change.state = slot->state == REQUEST_QUEUED ? REQUEST_SIGNED
							     : slot->state;
		return book_set(b, t, slot, &change);
	case TASK_SENT:
		if (slot->state != REQUEST_SIGNED)
			return OK;
		change.state = REQUEST_SENT;
		return book_set(b, t, slot, &change);
	case TASK_MINED:
		return news_mined(b, t, slot, news);
	case TASK_BACK:
		slot->want_event = slot->id_known = false;
		if (slot->state == REQUEST_QUEUED)
			return OK;
		change.state = slot->state == REQUEST_INCLUDED ? REQUEST_SENT
							       : slot->state;
		change.outcome = "its block is gone: sent again";
		return book_set(b, t, slot, &change);
	case TASK_FINAL:
		return news_final(b, t, slot, news);
	case TASK_DROPPED: /* QUEUED waits for the next chance by itself */
		if (slot->state != REQUEST_SIGNED &&
		    slot->state != REQUEST_SENT)
			return OK;
		return book_set_plain(b, t, slot, REQUEST_QUEUED,
				      "L1 does not take it now: sending anew");
	case TASK_LOST:
		if (slot->state != REQUEST_SIGNED &&
		    slot->state != REQUEST_SENT)
			return OK;
		return book_set_plain(b, t, slot, REQUEST_QUEUED,
				      "its nonce was used: sending anew");
	}
	return OK;
}
