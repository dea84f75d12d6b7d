/* What a daemon or a citizen signs that is neither a ballot nor a
 * transaction.  Domain B types are the citizens', domain C the daemons'. */
#ifndef EGRESS_ABI_STATEMENT_H
#define EGRESS_ABI_STATEMENT_H

#include "abi/err.h"
#include "abi/typed.h"

enum statement_type {
	STATEMENT_WITHDRAW = 1,	 /* domain B */
	STATEMENT_EXIT_TO = 2,	 /* domain B */
	STATEMENT_CLAIM_TO = 3,	 /* domain B */
	STATEMENT_RECEIPTS = 1,	 /* domain C: root, acceptedAt */
	STATEMENT_HEARTBEAT = 2, /* domain C: block, blockHash, phase, batch,
				  * stateRoot, at */
	STATEMENT_READY = 3,	 /* domain C: standby, batch, root, at */
	STATEMENT_INCIDENT = 4,	 /* domain C: documentHash */
};
#define STATEMENT_FIELDS_MAX 6

struct statement {
	struct domain domain; /* letter B or C */
	enum statement_type type;
	size_t n; /* fields, in the type's order, 32 bytes each as in EIP-712 */
	struct hash32 fields[STATEMENT_FIELDS_MAX];
};

/* ERR_INVALID: unknown (domain, type), wrong n, or a field that does not fit
 * its type (dirty high bytes). */
MUST_CHECK enum err statement_digest(const struct statement *s,
				     struct hash32 *ret);
struct statement statement_withdraw(uint64_t chain_id, struct address rollup,
				    const struct withdraw *w);
struct statement statement_exit_to(uint64_t chain_id, struct address rollup,
				   const struct exit_to *e);
struct statement statement_claim_to(uint64_t chain_id, struct address rollup,
				    const struct claim_to *c);

/* REQUEST (formats.md): what a citizen hands to a relayer. */
enum request_kind {
	REQUEST_WITHDRAWAL = 1,
	REQUEST_TRANSACTION = 2,
	REQUEST_EXIT = 3,
};
#define REQUEST_RAW_MAX 32768 /* MAX_FORCED_BYTES */
/* id = keccak256(kind(1) ‖ chainId(8) ‖ rollup(20) ‖ canonical body), body:
 * 1: index(5) amount(12) recipient(20) salt(32) expiry(8)
 * 2: raw      3: index(5) recipient(20) count(8)
 * Signatures are no part of it: same wish, same id. */
struct hash32 request_id_withdrawal(uint64_t chain_id, struct address rollup,
				    const struct withdraw *w);
struct hash32 request_id_transaction(uint64_t chain_id, struct address rollup,
				     struct slice raw);
struct hash32 request_id_exit(uint64_t chain_id, struct address rollup,
			      const struct exit_to *e);

#endif
