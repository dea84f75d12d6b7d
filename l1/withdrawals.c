/* Two reads: the entries with the queue's counters, then the openings that
 * ended the lives in which some of them were made. */
#include "l1/withdrawals.h"

#include <assert.h>

#include "l1/layout.h"
#include "l1/slots_impl.h"

enum { WORD_ACTIVE, WORD_QUEUES, WORDS_FIRST /* entry's words from here on */ };

/* ---- pure ---------------------------------------------------------------- */

struct l1_withdrawal withdrawal_decode(const struct hash32 *words)
{
	static_assert(SLOT_WITHDRAWAL_BOUNTY == WITHDRAWAL_WORDS - 1,
		      "the last word");
	const struct hash32 owner = words[SLOT_WITHDRAWAL_OWNER],
			    recipient = words[SLOT_WITHDRAWAL_RECIPIENT],
			    payer = words[SLOT_WITHDRAWAL_PAYER];
	return (struct l1_withdrawal){
		.there = true,
		.owner = LAYOUT_ADDRESS(owner, WITHDRAWAL_OWNER),
		.index = LAYOUT_U64(owner, WITHDRAWAL_INDEX),
		.stamp = LAYOUT_U64(owner, WITHDRAWAL_STAMP),
		.opening = LAYOUT_U64(owner, WITHDRAWAL_OPENING),
		.recipient = LAYOUT_ADDRESS(recipient, WITHDRAWAL_RECIPIENT),
		.amount = LAYOUT_U256(recipient, WITHDRAWAL_AMOUNT),
		.payer = LAYOUT_ADDRESS(payer, WITHDRAWAL_PAYER),
		.bounty = LAYOUT_U256(payer, WITHDRAWAL_BOUNTY)};
}

unsigned withdrawal_fate(const struct withdrawal_queue *queue, uint64_t id,
			 const struct l1_withdrawal *w, struct hash32 opening)
{
	bool ended = w->opening < queue->openings;
	if (ended && id >= LAYOUT_U64(opening, OPENING_UNSERVED_FROM))
		return EGRESS_FATE_UNSERVED;
	if (id >= queue->head)
		return EGRESS_FATE_QUEUED;
	if (address_is_zero(w->recipient))
		return EGRESS_FATE_PAID;
	if (u256_is_zero(w->amount))
		return EGRESS_FATE_VOID;
	if (ended && id >= LAYOUT_U64(opening, OPENING_CANCELLED_FROM))
		return EGRESS_FATE_CANCELLED;
	return EGRESS_FATE_EXECUTED;
}

/* ---- the read ------------------------------------------------------------ */

struct withdrawals_read {
	struct slots_op slots;
	l1_withdrawals_done *done;
	struct withdrawal_queue queue;
	size_t n, n_lives;
	uint64_t ids[L1_WITHDRAWALS_MAX];
	uint64_t lives[L1_WITHDRAWALS_MAX]; /* ended ones of the entries */
	struct l1_withdrawal entries[L1_WITHDRAWALS_MAX];
};

static void finish(struct withdrawals_read *read, enum err err, const char *why)
{
	struct withdrawals_read all = *read;
	void *ctx = read->slots.op.ctx;
	l1_op_end(&read->slots.op); /* the callback may read anew */
	all.done(ctx, err, why, err ? NULL : all.entries, err ? 0 : all.n);
}

static size_t place_of(const struct withdrawals_read *read, uint64_t life)
{
	size_t i = 0;
	while (i < read->n_lives && read->lives[i] != life)
		i++;
	return i;
}

/* openings: of the lives; NULL when none has ended. */
static void tell_fates(struct withdrawals_read *read,
		       const struct hash32 *openings)
{
	for (size_t i = 0; i < read->n; i++) {
		struct l1_withdrawal *w = &read->entries[i];
		size_t at = place_of(read, w->opening);
		struct hash32 opening = {{0}};
		if (at < read->n_lives)
			opening = openings[at];
		if (w->there)
			w->fate = withdrawal_fate(&read->queue, read->ids[i], w,
						  opening);
	}
}

static void openings_came(struct slots_op *s, enum err err, const char *why)
{
	struct withdrawals_read *read = (struct withdrawals_read *)s;
	if (!err)
		tell_fates(read, s->words);
	finish(read, err, why);
}

static void take_entries(struct withdrawals_read *read,
			 const struct hash32 *words)
{
	struct hash32 active = words[WORD_ACTIVE], queues = words[WORD_QUEUES];
	read->queue = (struct withdrawal_queue){
		.head = LAYOUT_U64(queues, SOVEREIGNROLLUP_WITHDRAW_HEAD),
		.tail = LAYOUT_U64(queues, SOVEREIGNROLLUP_WITHDRAW_TAIL),
		.openings = LAYOUT_U64(active, SOVEREIGNROLLUP_OPENINGS)};
	for (size_t i = 0; i < read->n; i++) {
		struct l1_withdrawal *w = &read->entries[i];
		if (read->ids[i] >= read->queue.tail)
			continue;
		*w = withdrawal_decode(words + WORDS_FIRST +
				       WITHDRAWAL_WORDS * i);
		if (w->opening < read->queue.openings &&
		    place_of(read, w->opening) == read->n_lives)
			read->lives[read->n_lives++] = w->opening;
	}
}

static void entries_came(struct slots_op *s, enum err err, const char *why)
{
	struct withdrawals_read *read = (struct withdrawals_read *)s;
	struct hash32 slots[L1_WITHDRAWALS_MAX];
	if (!err)
		take_entries(read, s->words);
	for (size_t i = 0; i < read->n_lives; i++)
		slots[i] = layout_entry(typed_u64(read->lives[i]),
					SLOT_SOVEREIGNROLLUP_OPENING_OF, 0);
	if (err) {
		finish(read, err, why);
	} else if (!read->n_lives) {
		tell_fates(read, NULL);
		finish(read, OK, "");
	} else if (slots_start(s, slots, read->n_lives, openings_came)) {
		finish(read, ERR_BUSY, "too many L1 reads at once");
	}
}

enum err l1_withdrawals(struct l1 *l1, struct address rollup,
			const uint64_t *ids, size_t n, struct hash32 block,
			l1_withdrawals_done *done, void *ctx)
{
	struct hash32
		slots[WORDS_FIRST + WITHDRAWAL_WORDS * L1_WITHDRAWALS_MAX];
	static_assert(ARRAY_LEN(slots) <= L1_SLOTS_MAX, "one read");
	size_t used = WORDS_FIRST;
	assert(n > 0);
	if (n > L1_WITHDRAWALS_MAX)
		return ERR_TOO_LARGE;
	slots[WORD_ACTIVE] = typed_u64(SLOT_SOVEREIGNROLLUP_OPENINGS);
	slots[WORD_QUEUES] = typed_u64(SLOT_SOVEREIGNROLLUP_WITHDRAW_HEAD);
	for (size_t i = 0; i < n; i++)
		for (unsigned word = 0; word < WITHDRAWAL_WORDS; word++)
			slots[used++] = layout_entry(
				typed_u64(ids[i]),
				SLOT_SOVEREIGNROLLUP_WITHDRAWALS, word);
	struct withdrawals_read *read =
		l1_op_new(l1, sizeof(*read), ctx, slots_free);
	read->done = done;
	read->n = n;
	memcpy(read->ids, ids, n * sizeof(*ids));
	read->slots.at = rollup;
	read->slots.block = block;
	enum err err = slots_start(&read->slots, slots, used, entries_came);
	if (err)
		l1_op_end(&read->slots.op);
	return err;
}
