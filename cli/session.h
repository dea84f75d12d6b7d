/* L1 for one command: connected, healthy, and the hatch's facts. */
#ifndef EGRESS_CLI_SESSION_H
#define EGRESS_CLI_SESSION_H

#include "cli/where.h"
#include "l1/hatch.h"
#include "l1/l1.h"

struct session {
	struct settings settings;
	struct settings_provider providers[CLI_RPC_MAX];
	char names[CLI_RPC_MAX][24];
	char *urls;
	struct http_client *http;
	struct l1 *l1;
	uint64_t timeout_ms;
	struct hatch_facts facts;
};

/* Connects through --rpc and waits until a quorum agrees. facts: --hatch must
 * be given and is read at the block acted on. CLI_OK, or told; either way
 * session_close() is due. */
int session_open(struct session *s, const struct where *where, bool facts);
/* Safe on a zeroed session. */
void session_close(struct session *s);
/* Fills s->facts as of one block; asks again while L1 does not answer, for as
 * long as --timeout says. ERR_INVALID: not a hatch; why, told to nobody. */
MUST_CHECK enum err session_read(struct session *s, struct address hatch,
				 const struct block_ref *at,
				 struct err_text *why);
/* The same at the newest block that a quorum knows. CLI_OK, or told. */
int session_facts_at_head(struct session *s, struct address hatch);
/* The same at this block alone and asked once: it may be one that L1 never
 * had, or has forgotten. */
MUST_CHECK enum err session_read_once(struct session *s, struct address hatch,
				      const struct block_ref *at,
				      struct err_text *why);
/* The number of the block with this hash. ERR_NOT_FOUND: a quorum knows no such
 * block; ERR_IO: not told. */
MUST_CHECK enum err session_block_number(struct session *s, struct hash32 hash,
					 uint64_t *ret);
/* Lets time pass while L1 is followed. */
void session_wait(struct session *s, uint64_t ms);

#endif
