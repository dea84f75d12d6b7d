/* What the watcher answers over HTTP: formats.md HTTP.  Handlers run on the
 * server's threads; they read the board and the ledger's snapshots, and change
 * nothing: a posted ballot goes through the intake to the worker. */
#ifndef EGRESS_WATCHER_API_H
#define EGRESS_WATCHER_API_H

#include "http/server.h"
#include "store/evidence.h"
#include "store/ledger.h"
#include "watcher/board.h"
#include "watcher/intake.h"

struct api { /* the handlers' ctx; all borrowed */
	uint64_t chain_id;
	struct address hatch;
	struct board *board;
	struct intake *intake;
	struct ledger *ledger;
	struct store *store;
	const struct evidence *evidence;
};

extern const struct http_route api_routes[];

/* The worker's answer to a posted ballot: why it is refused after all (code
 * NULL: it is not), or whether it was known already. */
void api_answer_ballot(struct http_deferred *call,
		       const struct pool_refusal *refusal, bool known);

/* ---- between the api's files ---- */
void api_ok(struct http_answer *answer); /* 200, an empty body to fill */
/* Decimal digits, at most max; NULL is none. */
bool api_number(const char *text, uint64_t max, uint64_t *ret);
bool api_bad(struct http_answer *answer, const char *field,
	     const char *message);
http_handler api_evidence, api_evidence_one;
http_handler api_proof, api_account, api_pack, api_bucket, api_credential;

#endif
