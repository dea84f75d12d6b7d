/* The rules of a request: pure, and used by intake's threads too. */
#include "relayer/request.h"

#include "relayer/limits.h"

bool request_may_become(enum request_state from, enum request_state to)
{
	switch (from) {
	case REQUEST_QUEUED:
		/* INCLUDED: somebody else brought it to L1; FINAL: its
		 * recipient was paid by somebody else */
		return to == REQUEST_SIGNED || to == REQUEST_INCLUDED ||
		       to == REQUEST_FINAL || to == REQUEST_FAILED;
	case REQUEST_SIGNED:
		return to == REQUEST_SENT || to == REQUEST_INCLUDED ||
		       to == REQUEST_QUEUED;
	case REQUEST_SENT:
		return to == REQUEST_INCLUDED || to == REQUEST_QUEUED;
	case REQUEST_INCLUDED: /* QUEUED: another's block, and it is gone */
		return to == REQUEST_FINAL || to == REQUEST_FAILED ||
		       to == REQUEST_SENT || to == REQUEST_QUEUED;
	case REQUEST_FAILED: /* sent again, proven this time */
		return to == REQUEST_QUEUED;
	case REQUEST_FINAL:
		return false;
	}
	return false;
}

bool request_refusal_is_hearsay(const char *why)
{
	static const char *const names[] = {"AlreadyExited", "NotOwner",
					    "NotBalance", "ExitsNotOpen",
					    "BadProof"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strstr(why, names[i]))
			return true;
	return false;
}

/* Nobody carries a wish while the exits are closed: its promise begins with
 * them. */
static uint64_t wish_deadline(const struct request_times *times,
			      uint64_t promise)
{
	if (!times->exits_from)
		return 0;
	return promise + (times->exits_from > times->now ? times->exits_from
							 : times->now);
}

uint64_t request_deadline(const struct request *r,
			  const struct request_times *times)
{
	uint64_t promise = times->inclusion_window < REQUEST_PROMISE_S
				   ? times->inclusion_window
				   : REQUEST_PROMISE_S;
	uint64_t deadline = times->now + promise;

	if (r->kind == REQUEST_EXIT)
		return wish_deadline(times, promise);
	if (r->kind == REQUEST_WITHDRAWAL && r->withdraw.expiry < deadline)
		return r->withdraw.expiry;
	return deadline;
}

uint64_t request_eta(const struct request *r, const struct request_times *times)
{
	struct request_times then = *times;

	if (r->state == REQUEST_FINAL || r->state == REQUEST_FAILED)
		return 0;
	then.now = r->accepted_at;
	return r->kind == REQUEST_EXIT ? request_deadline(r, &then)
				       : r->deadline;
}

enum err request_signer(const struct request *r, uint64_t chain_id,
			struct address rollup, struct address *ret)
{
	switch (r->kind) {
	case REQUEST_WITHDRAWAL:
		return key_recover(
			withdraw_digest(chain_id, rollup, &r->withdraw),
			&r->signature, ret);
	case REQUEST_EXIT:
		return key_recover(
			exit_to_digest(chain_id, rollup, &r->exit_to),
			&r->signature, ret);
	case REQUEST_TRANSACTION:
		break;
	}
	return ERR_INVALID;
}
