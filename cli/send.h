/* One transaction from start to receipt, for `deploy`: asks nonce and fees,
 * estimates, has it signed, broadcasts, waits. */
#ifndef EGRESS_CLI_SEND_H
#define EGRESS_CLI_SEND_H

#include "cli/sign.h"
#include "l1/account.h"

struct sender {
	struct session *session;
	struct signing *signing;
	struct account_state account; /* nonce counts on here */
};

/* Reads nonce, balance and fees. */
int sender_open(struct sender *s, struct session *session,
		struct signing *signing);
/* tx needs create or to, value, data; the rest is filled in. what: for the
 * lines that tell of failure ("EscapeHatch"). Waits for success. */
int sender_run(struct sender *s, struct tx *tx, const char *what,
	       struct tx_status *ret);

#endif
