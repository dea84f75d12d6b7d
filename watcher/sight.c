#include "watcher/sight.h"

#include <stdio.h>

#include "l1/layout.h"
#include "l1/slots.h"
#include "watcher/limits.h"

#define RETRY_MS 1000
#define BUSY_MS	 50

void sight_init(struct sight *s, struct l1 *l1, const struct settings *settings)
{
	*s = (struct sight){
		.l1 = l1, .hatch = settings->chain.hatch, .settings = settings};
}

void sight_done(struct sight *s)
{
	if (s->l1)
		hatch_cancel(s->l1, s);
}

/* A hatch that was deployed a moment ago is not at the block acted on yet:
 * only when the head has none either, and again, it is no hatch. */
static void no_hatch(struct sight *s, const char *why)
{
	if (s->known)
		return;
	if (s->at_head && ++s->misses >= NO_HATCH_HEADS)
		settings_complain(s->settings, "chain.hatch", &s->fatal, "%s",
				  why);
	s->at_head = !s->at_head;
}

static void facts_read(void *ctx, enum err err, const char *why,
		       const struct hatch_facts *facts)
{
	struct sight *s = ctx;

	s->reading = false;
	if (err) {
		snprintf(s->trouble, sizeof(s->trouble), "%s",
			 why && *why ? why : err_name(err));
		if (err == ERR_INVALID)
			no_hatch(s, s->trouble);
		return;
	}
	if (s->at_head) {
		snprintf(s->trouble, sizeof(s->trouble),
			 "the hatch stands, but not yet at the depth acted on");
		s->at_head = false;
		s->misses = 0;
		return;
	}
	s->trouble[0] = 0;
	s->known = true;
	s->outdated = false;
	s->good_ms = s->now_ms;
	s->facts = *facts;
}

static void vault_read(void *ctx, enum err err, const char *why,
		       const struct hash32 *words, size_t n)
{
	struct sight *s = ctx;

	(void)why;
	(void)n;
	s->vault_reading = false;
	if (err)
		return;
	s->vault.known = true;
	s->vault.balance = u256_from_be(words[0].b, sizeof(words[0].b));
}

/* Only while RUNNING: exits take from the vault before the ledger knows. */
static void read_vault(struct sight *s)
{
	const struct address native = {{0}};
	const struct hash32 slot = layout_vault(native);

	if (!s->known || s->facts.state != ROLLUP_RUNNING || s->vault_reading ||
	    (s->vault_ms && s->vault_ms + VAULT_EVERY_MS > s->now_ms))
		return;
	s->vault_ms = s->now_ms;
	s->vault.known = false;
	s->vault.block = s->facts.block.number;
	s->vault_reading = !l1_slots(s->l1, s->facts.rollup, &slot, 1,
				     s->facts.block.hash, vault_read, s);
}

static void read_facts(struct sight *s)
{
	const struct l1_view *view = l1_view(s->l1);
	const struct block_ref *at = s->at_head ? &view->head : &view->acted;
	bool moved = !hash_eq(at->hash, s->at.hash);
	bool failed = s->trouble[0] || !s->known;

	s->busy = false;
	s->outdated |= !view->healthy;
	if (s->reading || !view->healthy || hash_is_zero(at->hash))
		return;
	moved |= s->outdated;
	if (!moved && !(failed && s->read_ms + RETRY_MS <= s->now_ms))
		return;
	s->read_ms = s->now_ms;
	s->reading = !hatch_read(s->l1, s->hatch, at, facts_read, s);
	s->busy = !s->reading; /* nothing was asked: again next turn */
	if (s->reading)
		s->at = *at;
}

uint64_t sight_turn(struct sight *s, uint64_t now_mono_ms)
{
	s->now_ms = now_mono_ms;
	read_facts(s);
	read_vault(s);
	if (s->busy)
		return now_mono_ms + BUSY_MS;
	return s->trouble[0] ? now_mono_ms + RETRY_MS : UINT64_MAX;
}

const char *sight_blind(const struct sight *s, uint64_t now_mono_ms)
{
	const struct l1_view *view = l1_view(s->l1);

	if (!view->healthy)
		return view->why[0] ? view->why
				    : "no provider has answered yet";
	if (!s->known)
		return s->trouble[0] ? s->trouble : "reading the hatch";
	/* What stood before L1 was out of sight may be long past. */
	if (s->outdated)
		return s->trouble[0] ? s->trouble : "reading the hatch again";
	/* The block moved on, and nobody could say what is there. */
	if (s->trouble[0] && s->good_ms + FACTS_STALE_MS < now_mono_ms)
		return s->trouble;
	return "";
}
