/* What is asked of the signer and what it answers.  formats.md SIGNER. */
#ifndef EGRESS_ABI_ASK_H
#define EGRESS_ABI_ASK_H

#include "abi/buf.h"
#include "abi/statement.h"
#include "abi/tx.h"
#include "abi/typed.h"

#define ASK_MAX		(128 * 1024 + 4096)
#define ASK_ANSWER_TEXT 200
/* So begins ASK_REFUSED's text when it is the asker, not the ask, that the
 * signer turns away; any other refusal is its policy's. */
#define ASK_TEXT_MAY_NOT "this client may not ask"

enum ask_kind { ASK_BALLOT = 1, ASK_STATEMENT = 2, ASK_TRANSACTION = 3 };

enum ask_purpose {
	PURPOSE_CARRY = 1,    /* citizens' requests, bundles */
	PURPOSE_EXECUTE = 2,  /* overdue withdrawals and their pay */
	PURPOSE_EVACUATE = 3, /* exits and settling */
	PURPOSE_OPEN = 4,     /* no-vote openings */
	PURPOSE_DEPLOY = 5,
};

struct ask {
	enum ask_kind kind;
	struct address key;
	struct vote vote;	    /* ASK_BALLOT */
	struct statement statement; /* ASK_STATEMENT */
	struct tx tx;		    /* ASK_TRANSACTION; data borrowed */
	enum ask_purpose purpose;
};

enum ask_status {
	ASK_SIGNED = 0,
	ASK_REFUSED = 1,
	ASK_CONFLICT = 2,
	ASK_NOT_OUR_KEY = 3,
	ASK_BAD_REQUEST = 4,
	ASK_STORE_UNSAFE = 5,
};

struct ask_answer {
	enum ask_status status;
	struct signature signature;	/* ASK_SIGNED */
	char text[ASK_ANSWER_TEXT + 1]; /* otherwise: why, in one line */
};

void ask_encode(const struct ask *ask, struct buf *to);
MUST_CHECK enum err ask_decode(struct slice bytes, struct ask *ret);
void ask_answer_encode(const struct ask_answer *answer, struct buf *to);
MUST_CHECK enum err ask_answer_decode(struct slice bytes,
				      struct ask_answer *ret);
/* The digest that the signature is over. ERR_INVALID: see statement_digest */
MUST_CHECK enum err ask_digest(const struct ask *ask, struct hash32 *ret);

#endif
