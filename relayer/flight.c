#include "relayer/flight.h"

#include <assert.h>

#include "relayer/calls.h"

struct flight *flight_find(struct submit *s, struct hash32 key)
{
	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		struct flight *f = &s->flights[i];
		if (f->stage != FLIGHT_FREE && hash_eq(f->task.key, key))
			return f;
	}
	return NULL;
}

/* How many of the places for what is not in a block it may take: an opening
 * or a bundle finds one when the executions have theirs, and these when
 * ordinary requests have all of theirs. */
static size_t share(const struct task *task)
{
	if (task->purpose == PURPOSE_OPEN || task->urgency >= FEE_URGENT)
		return FLIGHTS_MAX;
	return task->purpose == PURPOSE_EXECUTE
		       ? FLIGHTS_MAX - FLIGHTS_URGENT
		       : FLIGHTS_MAX - FLIGHTS_URGENT - FLIGHTS_EXECUTE;
}

bool flight_may_start(const struct submit *s, const struct task *task)
{
	size_t pending = 0, taken = 0, mine = share(task);

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		taken += s->flights[i].stage != FLIGHT_FREE;
		pending += s->flights[i].stage != FLIGHT_FREE &&
			   s->flights[i].stage != FLIGHT_MINED;
	}
	return pending < mine && taken + (FLIGHTS_MAX - mine) < FLIGHTS_ALL;
}

struct flight *flight_place(struct submit *s)
{
	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		struct flight *f = &s->flights[i];
		if (f->stage != FLIGHT_FREE || f->asking)
			continue;
		*f = (struct flight){.owner = s, .seq = ++s->seq};
		buf_init(&f->raw, 2 * TX_DATA_MAX);
		return f;
	}
	return NULL;
}

void flight_free(struct flight *f)
{
	buf_done(&f->task.data);
	buf_done(&f->raw);
	f->stage = FLIGHT_FREE;
}

static bool may_become(enum flight_stage from, enum flight_stage to)
{
	switch (from) {
	case FLIGHT_FREE:
		return to == FLIGHT_WANTED || to == FLIGHT_READY ||
		       to == FLIGHT_SENT;
	case FLIGHT_WANTED:
		return to == FLIGHT_READY || to == FLIGHT_REFUSED;
	case FLIGHT_REFUSED:
		return false;
	case FLIGHT_READY: /* REFUSED: no node would take it at this price */
		return to == FLIGHT_SIGNING || to == FLIGHT_REFUSED;
	case FLIGHT_SIGNING:
		return to == FLIGHT_SIGNED || to == FLIGHT_REFUSED ||
		       to == FLIGHT_READY;
	case FLIGHT_SIGNED:
		return to == FLIGHT_SENT;
	case FLIGHT_SENT:
		return to == FLIGHT_MINED;
	case FLIGHT_MINED:
		return to == FLIGHT_SENT;
	}
	return false;
}

void flight_set_stage(struct flight *f, enum flight_stage stage)
{
	assert(may_become(f->stage, stage));
	f->stage = stage;
}

const struct hash32 *flight_hash(const struct flight *f)
{
	static const struct hash32 none;

	return f->n_hashes ? &f->hashes[f->n_hashes - 1] : &none;
}

void flight_add_hash(struct flight *f, struct hash32 hash)
{
	if (f->n_hashes == FLIGHT_HASHES_MAX) {
		memmove(f->hashes, f->hashes + 1,
			(FLIGHT_HASHES_MAX - 1) * sizeof(f->hashes[0]));
		f->n_hashes--;
	}
	f->hashes[f->n_hashes++] = hash;
}

struct task_news flight_news(const struct flight *f, enum task_event event)
{
	struct task_news news = {
		.key = f->task.key,
		.purpose = f->task.purpose,
		.event = event,
		.nonce = f->nonce,
		.tx = *flight_hash(f),
		.why = "",
	};

	if (event == TASK_MINED || event == TASK_FINAL) {
		news.tx = f->hashes[f->mined_version];
		news.block = f->mined.block;
		news.block_hash = f->mined.block_hash;
		news.reverted = f->mined.fate == TX_REVERTED;
	}
	if (event == TASK_REFUSED || event == TASK_UNSIGNED ||
	    event == TASK_DROPPED)
		news.why = f->why;
	news.for_now = f->for_now;
	return news;
}

struct u256 flight_value(const struct flight *f, const struct fee *fee)
{
	uint64_t gas = call_value_gas(buf_slice(&f->task.data));
	struct u256 value;

	if (!u256_mul64(u256_from(gas), fee->max_fee, &value) ||
	    u256_cmp(value, f->task.value) < 0)
		return f->task.value;
	return value;
}

bool flight_cost(const struct flight *f, const struct fee *fee,
		 struct u256 *ret)
{
	struct u256 gas;

	return u256_mul64(u256_from(f->gas), fee->max_fee, &gas) &&
	       u256_add(gas, flight_value(f, fee), ret);
}

bool flight_has_nonce(const struct flight *f)
{
	switch (f->stage) {
	case FLIGHT_SIGNING:
	case FLIGHT_SIGNED:
	case FLIGHT_SENT:
	case FLIGHT_MINED:
		return true;
	case FLIGHT_FREE:
	case FLIGHT_WANTED:
	case FLIGHT_REFUSED:
	case FLIGHT_READY:
		return false;
	}
	return false;
}
