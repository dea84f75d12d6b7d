/* Whether one more request can be taken: room in the store, coin in the
 * account.  What was accepted must never be stopped by what comes after it, so
 * the door shuts while there is enough of both for the work that is owed.
 * Pure. */
#ifndef EGRESS_RELAYER_ROOM_H
#define EGRESS_RELAYER_ROOM_H

#include "l1/account.h"
#include "store/requests.h"

struct room {
	struct store_space space; /* as of the last commit */
	uint64_t added;		  /* bytes written since, at most */
	uint64_t owed; /* bytes that the work on what is open may still take */
};

/* Bytes of the map that a request takes, and that the work on it takes on
 * top: its signed transaction, and a page for each record that changes. */
uint64_t room_takes(const struct request *r);
uint64_t room_owes(const struct request *r);
/* The store has room for it. */
bool room_for(const struct room *room, const struct request *r);
/* … and for the smallest there is. */
bool room_for_any(const struct room *room);
/* Of the map: in use, or kept for what is open. */
unsigned room_percent(const struct room *room);

/* The balance covers one request at today's price. */
bool room_in_purse(const struct account_state *account);

#endif
