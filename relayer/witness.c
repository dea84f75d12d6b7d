#include "relayer/witness.h"

#include <stdlib.h>

#include "abi/contracts_tables.h"
#include "abi/family/sovereign.h"
#include "abi/words.h"
#include "l1/follow.h"
#include "relayer/calls.h"
#include "relayer/limits.h"
#include "sys/log.h"

struct seen {
	uint64_t index;
	struct address recipient;
	bool credited;
};

struct paid {
	uint64_t id;
	struct payment payment;
};

struct witness {
	struct l1 *l1;
	struct follow *follow; /* NULL: nobody wants it */
	uint64_t from, through, next_ms;
	size_t n; /* counts on: the oldest is overwritten */
	struct seen list[WITNESSED_MAX];
	size_t n_paid; /* the same */
	struct paid paid[WITNESSED_MAX];
};

struct witness *witness_new(struct l1 *l1)
{
	struct witness *w = calloc(1, sizeof(*w));

	if (!w)
		fatal("out of memory", "witness");
	w->l1 = l1;
	return w;
}

static void stop(struct witness *w)
{
	follow_free(w->follow);
	w->follow = NULL;
	w->n = w->n_paid = 0;
}

void witness_free(struct witness *w)
{
	if (!w)
		return;
	stop(w);
	free(w);
}

static void begin(struct witness *w, const struct turn *t)
{
	struct follow_config c = {
		.addresses = {t->facts->rollup},
		.n_addresses = 1,
		.topics = {sovereign_topic(SOVEREIGN_EXITED),
			   sovereign_topic(SOVEREIGN_WITHDRAWAL_PAID)},
		.n_topics = 2,
		.n_with_input = 1,
		.tip = t->facts->block};

	c.with_input[0] = c.topics[0];
	w->follow = follow_new(w->l1, &c);
	w->from = w->through = t->facts->block.number;
}

/* exitTo(index, …, recipient, …) that took out this one leaf. */
static bool is_exit_to(const struct l1_log *log, struct seen *ret)
{
	struct sovereign_log event;
	struct abi_reader r;

	if (log->input.len < 4 ||
	    get_be(log->input.p, 4) != SEL_SOVEREIGNROLLUP_EXIT_TO ||
	    sovereign_decode(log->topics, log->n_topics, log->data, &event) !=
		    SOVEREIGN_EXITED)
		return false;
	r = abi_reader(slice_of(log->input.p + 4, log->input.len - 4));
	ret->index = abi_u64(&r, 40);
	(void)abi_u256(&r); /* where record and proof stand */
	(void)abi_u256(&r);
	ret->recipient = abi_address(&r);
	ret->credited = mask_has(u256_from_be(event.exited.credited.b, 32),
				 ret->index % BUCKET_LEAVES);
	return !r.failed &&
	       !u256_cmp(event.exited.bucket,
			 u256_from(ret->index / BUCKET_LEAVES)) &&
	       mask_has(u256_from_be(event.exited.mask.b, 32),
			ret->index % BUCKET_LEAVES);
}

static bool is_payment(const struct l1_log *log, struct paid *ret)
{
	struct sovereign_log e;

	if (sovereign_decode(log->topics, log->n_topics, log->data, &e) !=
	    SOVEREIGN_WITHDRAWAL_PAID)
		return false;
	ret->id = e.withdrawal_paid.id;
	ret->payment = (struct payment){.to = e.withdrawal_paid.to,
					.asset = e.withdrawal_paid.asset,
					.amount = e.withdrawal_paid.amount,
					.credited = e.withdrawal_paid.credited};
	return true;
}

static void take(struct witness *w, const struct follow_step *step)
{
	struct seen seen;
	struct paid paid;

	for (size_t i = 0; i < step->n_logs; i++) {
		if (is_exit_to(&step->logs[i], &seen))
			w->list[w->n++ % WITNESSED_MAX] = seen;
		if (is_payment(&step->logs[i], &paid))
			w->paid[w->n_paid++ % WITNESSED_MAX] = paid;
	}
	w->through = step->block.number;
}

void witness_turn(struct witness *w, struct turn *t, bool wanted)
{
	w->next_ms = UINT64_MAX;
	if (!turn_sees(t))
		return;
	if (!wanted) {
		stop(w);
		return;
	}
	if (!w->follow)
		begin(w, t);
	w->next_ms = follow_turn(w->follow, t->now_ms);
	for (size_t i = 0; i < FOLLOW_AHEAD; i++) {
		struct follow_step step = follow_peek(w->follow);
		if (step.move == FOLLOW_NONE)
			return;
		if (step.move == FOLLOW_BACK) { /* what was final is not */
			stop(w);
			break;
		}
		take(w, &step);
		follow_ack(w->follow, &step.block);
	}
	w->next_ms = t->now_ms; /* there may be more */
}

uint64_t witness_next(const struct witness *w)
{
	return w->next_ms;
}

enum witnessed witness_of(const struct witness *w, const struct exit_to *wish,
			  uint64_t in, uint64_t out)
{
	size_t n = w->n < WITNESSED_MAX ? w->n : WITNESSED_MAX;

	if (!w->follow || w->through < out)
		return WITNESS_WAITS;
	for (size_t i = 0; i < n; i++)
		if (w->list[i].index == wish->index &&
		    address_eq(w->list[i].recipient, wish->recipient))
			return w->list[i].credited ? WITNESS_CREDITED
						   : WITNESS_PAID;
	return in && in >= w->from ? WITNESS_OTHER : WITNESS_UNSEEN;
}

enum witnessed witness_payment(const struct witness *w, uint64_t id,
			       uint64_t at, struct payment *ret)
{
	size_t n = w->n_paid < WITNESSED_MAX ? w->n_paid : WITNESSED_MAX;

	if (!w->follow || w->through < at)
		return WITNESS_WAITS;
	for (size_t i = 0; i < n; i++) {
		if (w->paid[i].id != id)
			continue;
		*ret = w->paid[i].payment;
		return WITNESS_PAID;
	}
	return WITNESS_UNSEEN;
}
