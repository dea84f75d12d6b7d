#include "l1/facts.h"

#include <stdlib.h>

#include "l1/layout.h"

enum fact {
	HATCH_EPOCH, /* slot with epoch, promotedAt, openedAt, enactFrom */
	HATCH_TERMS,
	HATCH_THRESHOLDS,
	HATCH_PENDING,
	ROLLUP_ROOT,
	ROLLUP_COUNT,	  /* count, lastAt, leafCount, inboxThrough */
	ROLLUP_SEQUENCER, /* sequencer, state, openings */
	ROLLUP_QUEUES,	  /* withdrawHead, withdrawTail, inboxTail, dirty */
	ROLLUP_BOND,
	FACT_SLOTS,
};

static const unsigned slot_of[FACT_SLOTS] = {
	[HATCH_EPOCH] = SLOT_ESCAPEHATCH_EPOCH,
	[HATCH_TERMS] = SLOT_ESCAPEHATCH_TERMS,
	[HATCH_THRESHOLDS] = SLOT_ESCAPEHATCH_THRESHOLDS,
	[HATCH_PENDING] = SLOT_ESCAPEHATCH_PENDING_HASH,
	[ROLLUP_ROOT] = SLOT_SOVEREIGNROLLUP_ROOT,
	[ROLLUP_COUNT] = SLOT_SOVEREIGNROLLUP_COUNT,
	[ROLLUP_SEQUENCER] = SLOT_SOVEREIGNROLLUP_SEQUENCER,
	[ROLLUP_QUEUES] = SLOT_SOVEREIGNROLLUP_WITHDRAW_HEAD,
	[ROLLUP_BOND] = SLOT_SOVEREIGNROLLUP_SLA_BOND,
};

/* A first look at lists of the usual length costs one request. */
const struct facts_guess facts_first_guess = {.n_guardians = 8,
					      .n_standbys = 8};

static struct hash32 fact_key(enum fact fact)
{
	return typed_u64(slot_of[fact]);
}

static void decode_hatch(const struct hash32 *w, struct hatch_facts *f)
{
	const struct hash32 epoch = w[HATCH_EPOCH], terms = w[HATCH_TERMS],
			    n = w[HATCH_THRESHOLDS];
	f->epoch = LAYOUT_U64(epoch, ESCAPEHATCH_EPOCH);
	f->promoted_at = LAYOUT_U64(epoch, ESCAPEHATCH_PROMOTED_AT);
	f->opened_at = LAYOUT_U64(epoch, ESCAPEHATCH_OPENED_AT);
	f->enact_from = LAYOUT_U64(epoch, ESCAPEHATCH_ENACT_FROM);
	f->terms = (struct hatch_terms){
		.sla_window = (uint32_t)LAYOUT_U64(terms, TERMS_SLA_WINDOW),
		.failover_window =
			(uint32_t)LAYOUT_U64(terms, TERMS_FAILOVER_WINDOW),
		.inclusion_window =
			(uint32_t)LAYOUT_U64(terms, TERMS_INCLUSION_WINDOW),
		.hard_deadline =
			(uint32_t)LAYOUT_U64(terms, TERMS_HARD_DEADLINE),
		.notice = (uint32_t)LAYOUT_U64(terms, TERMS_NOTICE),
		.finality = (uint32_t)LAYOUT_U64(terms, TERMS_FINALITY),
		.round = (uint32_t)LAYOUT_U64(terms, TERMS_ROUND)};
	f->thresholds = (struct hatch_thresholds){
		.promote = (uint8_t)LAYOUT_U64(n, THRESHOLDS_PROMOTE),
		.open = (uint8_t)LAYOUT_U64(n, THRESHOLDS_OPEN),
		.resume = (uint8_t)LAYOUT_U64(n, THRESHOLDS_RESUME),
		.amend = (uint8_t)LAYOUT_U64(n, THRESHOLDS_AMEND)};
	f->pending = w[HATCH_PENDING];
}

static bool decode_rollup(const struct hash32 *w, struct hatch_facts *f)
{
	const struct hash32 count = w[ROLLUP_COUNT],
			    active = w[ROLLUP_SEQUENCER],
			    queues = w[ROLLUP_QUEUES];
	f->root = w[ROLLUP_ROOT];
	f->count = LAYOUT_U64(count, SOVEREIGNROLLUP_COUNT);
	f->last_at = LAYOUT_U64(count, SOVEREIGNROLLUP_LAST_AT);
	f->leaf_count = LAYOUT_U64(count, SOVEREIGNROLLUP_LEAF_COUNT);
	f->inbox_through = LAYOUT_U64(count, SOVEREIGNROLLUP_INBOX_THROUGH);
	f->sequencer = LAYOUT_ADDRESS(active, SOVEREIGNROLLUP_SEQUENCER);
	uint64_t state = LAYOUT_U64(active, SOVEREIGNROLLUP_STATE);
	f->state = (enum rollup_state)state;
	f->openings = LAYOUT_U64(active, SOVEREIGNROLLUP_OPENINGS);
	f->withdraw_head = LAYOUT_U64(queues, SOVEREIGNROLLUP_WITHDRAW_HEAD);
	f->withdraw_tail = LAYOUT_U64(queues, SOVEREIGNROLLUP_WITHDRAW_TAIL);
	f->inbox_tail = LAYOUT_U64(queues, SOVEREIGNROLLUP_INBOX_TAIL);
	f->dirty = LAYOUT_U64(queues, SOVEREIGNROLLUP_DIRTY);
	f->bond = u256_from_be(w[ROLLUP_BOND].b, 32);
	return state <= ROLLUP_SETTLING;
}

/* false: no such contracts. */
static bool decode(const struct hash32 *words, struct hatch_facts *f)
{
	decode_hatch(words, f);
	return decode_rollup(words, f);
}

/* ---- the keys ----------------------------------------------------------- */

/* Where the queues' entries hold their times. */
enum {
	WITHDRAWAL_STAMP_WORD = SLOT_WITHDRAWAL_STAMP,
	INBOX_QUEUED_WORD = SLOT_INBOX_ITEM_QUEUED_AT,
};

static void add_list(struct facts_keys *to, unsigned slot, size_t n)
{
	struct hash32 first = layout_list(slot);
	to->keys[to->n++] = typed_u64(slot);
	for (size_t i = 0; i < n; i++)
		to->keys[to->n++] = layout_plus(first, i);
}

/* Then the lists, each its length and its elements. */
void facts_hatch_keys(const struct facts_guess *guess, struct facts_keys *to)
{
	to->n = 0;
	for (unsigned i = 0; i < ROLLUP_ROOT; i++)
		to->keys[to->n++] = fact_key((enum fact)i);
	add_list(to, SLOT_ESCAPEHATCH_GUARDIANS, guess->n_guardians);
	add_list(to, SLOT_ESCAPEHATCH_STANDBYS, guess->n_standbys);
}

enum rollup_key { /* after those of the facts */
		  KEY_WINDOW = FACT_SLOTS - ROLLUP_ROOT,
		  KEY_WITHDRAWAL,
		  KEY_INBOX,
};

void facts_rollup_keys(const struct facts_guess *guess, struct facts_keys *to)
{
	to->n = 0;
	for (unsigned i = ROLLUP_ROOT; i < FACT_SLOTS; i++)
		to->keys[to->n++] = fact_key((enum fact)i);
	to->keys[to->n++] = typed_u64(SLOT_SOVEREIGNROLLUP_INCLUSION_WINDOW);
	to->keys[to->n++] = layout_entry(typed_u64(guess->withdraw_head),
					 SLOT_SOVEREIGNROLLUP_WITHDRAWALS,
					 WITHDRAWAL_STAMP_WORD);
	to->keys[to->n++] =
		layout_entry(typed_u64(guess->inbox_through),
			     SLOT_SOVEREIGNROLLUP_INBOX, INBOX_QUEUED_WORD);
}

/* ---- what was proved ------------------------------------------------------
 */

/* One list at *values; steps over what was asked for it. */
static bool take_list(const struct u256 **values, size_t asked, size_t *ret_n,
		      struct address *to)
{
	const struct u256 *v = *values;
	bool fine = u256_fits(v[0], 64) && u256_u64(v[0]) <= HATCH_KEYS_MAX;
	*values += 1 + asked;
	*ret_n = fine ? (size_t)u256_u64(v[0]) : 0;
	for (size_t i = 0; i < *ret_n && i < asked; i++) {
		struct hash32 word = typed_u256(v[1 + i]);
		fine &= u256_fits(v[1 + i], 160);
		memcpy(to[i].b, word.b + 12, sizeof(to[i].b));
	}
	return fine;
}

/* SovereignRollup.overdue(): the due time of the older of the two oldest
 * unserved requests, once it is exceeded. */
static uint64_t overdue(const struct facts_keys *rollup,
			const struct hatch_facts *f)
{
	const struct hash32 window = typed_u256(rollup->values[KEY_WINDOW]),
			    entry = typed_u256(rollup->values[KEY_WITHDRAWAL]),
			    item = typed_u256(rollup->values[KEY_INBOX]);
	uint64_t span = LAYOUT_U64(window, SOVEREIGNROLLUP_INCLUSION_WINDOW);
	uint64_t due = UINT64_MAX, other;
	if (f->withdraw_head < f->withdraw_tail)
		due = LAYOUT_U64(entry, WITHDRAWAL_STAMP) + span;
	other = LAYOUT_U64(item, INBOX_ITEM_QUEUED_AT) + span;
	if (f->inbox_through < f->inbox_tail && other < due)
		due = other;
	return f->block.time > due ? due : 0;
}

static bool is_right(const struct facts_guess *guess,
		     const struct hatch_facts *f)
{
	return f->n_guardians <= guess->n_guardians &&
	       f->n_standbys <= guess->n_standbys &&
	       (f->withdraw_head == f->withdraw_tail ||
		f->withdraw_head == guess->withdraw_head) &&
	       (f->inbox_through == f->inbox_tail ||
		f->inbox_through == guess->inbox_through);
}

enum facts_outcome facts_take(const struct facts_keys *hatch,
			      const struct facts_keys *rollup,
			      struct facts_guess *guess, struct hatch_facts *f)
{
	struct hash32 words[FACT_SLOTS];
	const struct u256 *lists = hatch->values + ROLLUP_ROOT;
	for (unsigned i = 0; i < FACT_SLOTS; i++)
		words[i] = typed_u256(
			i < ROLLUP_ROOT ? hatch->values[i]
					: rollup->values[i - ROLLUP_ROOT]);
	if (!decode(words, f) ||
	    !take_list(&lists, guess->n_guardians, &f->n_guardians,
		       f->guardians) ||
	    !take_list(&lists, guess->n_standbys, &f->n_standbys, f->standbys))
		return FACTS_NO_HATCH;
	bool right = is_right(guess, f);
	*guess = (struct facts_guess){.n_guardians = f->n_guardians,
				      .n_standbys = f->n_standbys,
				      .withdraw_head = f->withdraw_head,
				      .inbox_through = f->inbox_through};
	if (!right)
		return FACTS_WRONG_GUESS;
	f->overdue = overdue(rollup, f);
	return FACTS_FINE;
}
