#include "relayer/room.h"

#include "relayer/limits.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whole pages: LMDB gives a large value its own. */
static uint64_t raw_pages(const struct request *r)
{
	return r->raw.len ? (r->raw.len / STORE_PAGE + 2) * STORE_PAGE : 0;
}

uint64_t room_takes(const struct request *r)
{
	return REQUEST_PAGES * STORE_PAGE + raw_pages(r);
}

uint64_t room_owes(const struct request *r)
{
	return WORK_PAGES * STORE_PAGE + raw_pages(r);
}

/* No more are on their way at once, however many are open. */
static uint64_t owed(const struct room *room, uint64_t more)
{
	return smaller(room->owed + more,
		       FLIGHTS_ALL *
			       (REQUEST_RAW_MAX + WORK_PAGES * STORE_PAGE));
}

static uint64_t spoken_for(const struct room *room, uint64_t more)
{
	return room->space.used + room->added + owed(room, more);
}

bool room_for(const struct room *room, const struct request *r)
{
	return spoken_for(room, room_owes(r)) + room_takes(r) <=
	       room->space.size / 100 * STORE_FULL_PERCENT;
}

bool room_for_any(const struct room *room)
{
	const struct request least = {.kind = REQUEST_EXIT};

	return room_for(room, &least);
}

unsigned room_percent(const struct room *room)
{
	if (!room->space.size)
		return 0;
	return (unsigned)(spoken_for(room, 0) * 100 / room->space.size);
}

bool room_in_purse(const struct account_state *account)
{
	struct u256 price, least;

	if (u256_is_zero(account->balance))
		return false;
	return u256_add(u256_from(account->base_fee), u256_from(account->tip),
			&price) &&
	       u256_mul64(price, REQUEST_GAS_LEAST, &least) &&
	       u256_cmp(account->balance, least) >= 0;
}
