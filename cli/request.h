/* What a citizen asks of a relayer: REQUEST (formats.md) out, its receipt
 * back.  Without a relayer the request is printed, to be carried by hand. */
#ifndef EGRESS_CLI_REQUEST_H
#define EGRESS_CLI_REQUEST_H

#include "abi/statement.h"
#include "cli/where.h"

#define REQUEST_JSON_MAX (3 * REQUEST_RAW_MAX)

void request_withdrawal_json(const struct withdraw *w,
			     const struct signature *signature, struct buf *to);
void request_exit_json(const struct exit_to *e,
		       const struct signature *signature, struct buf *to);
void request_transaction_json(struct slice raw, struct buf *to);

/* Hands it to --relayer and prints what it promises, or prints the request.
 * id: by our own reckoning; a relayer that names another has misread us. */
int request_hand_in(const struct where *where, struct hash32 id,
		    const struct buf *request);

#endif
