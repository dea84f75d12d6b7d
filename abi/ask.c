/* Asks and answers between a daemon and the signer.  Decoding rebuilds the
 * thing that will be signed: there is no form for a bare digest. */
#include "abi/ask.h"

#include <assert.h>

#define ASK_VERSION    1
#define ASK_HEAD       (1 + 1 + 20)
#define VOTE_SIZE      (8 + 20 + 1 + 8 + 8 + 32 + 8)
#define STATEMENT_HEAD (1 + 1 + 8 + 20)

static void put_vote(const struct vote *v, struct buf *to)
{
	buf_add_be(to, v->chain_id, 8);
	buf_add(to, v->hatch.b, 20);
	buf_add_be(to, v->action, 1);
	buf_add_be(to, v->epoch, 8);
	buf_add_be(to, v->progress, 8);
	buf_add(to, v->subject.b, 32);
	buf_add_be(to, v->expiry, 8);
}

static enum err read_vote(struct slice s, struct vote *ret)
{
	if (s.len != VOTE_SIZE)
		return ERR_INVALID;
	if (s.p[28] < VOTE_PROMOTE || s.p[28] > VOTE_AMEND)
		return ERR_INVALID;
	ret->chain_id = get_be(s.p, 8);
	memcpy(ret->hatch.b, s.p + 8, 20);
	ret->action = (enum vote_action)s.p[28];
	ret->epoch = get_be(s.p + 29, 8);
	ret->progress = get_be(s.p + 37, 8);
	memcpy(ret->subject.b, s.p + 45, 32);
	ret->expiry = get_be(s.p + 77, 8);
	return OK;
}

static void put_statement(const struct statement *s, struct buf *to)
{
	buf_add_be(to, s->domain.letter, 1);
	buf_add_be(to, s->type, 1);
	buf_add_be(to, s->domain.chain_id, 8);
	buf_add(to, s->domain.contract.b, 20);
	for (size_t i = 0; i < s->n; i++)
		buf_add(to, s->fields[i].b, 32);
}

static enum err read_statement(struct slice s, struct statement *ret)
{
	struct hash32 digest;

	if (s.len < STATEMENT_HEAD || (s.len - STATEMENT_HEAD) % 32)
		return ERR_INVALID;
	ret->domain.letter = (enum typed_domain)s.p[0];
	ret->type = (enum statement_type)s.p[1];
	ret->domain.chain_id = get_be(s.p + 2, 8);
	memcpy(ret->domain.contract.b, s.p + 10, 20);
	ret->n = (s.len - STATEMENT_HEAD) / 32;
	if (ret->n > STATEMENT_FIELDS_MAX)
		return ERR_INVALID;
	memcpy(ret->fields, s.p + STATEMENT_HEAD, s.len - STATEMENT_HEAD);
	return statement_digest(ret, &digest);
}

static enum err read_transaction(struct slice s, struct ask *ret)
{
	if (!s.len)
		return ERR_INVALID;
	s.len--;
	if (s.p[s.len] < PURPOSE_CARRY || s.p[s.len] > PURPOSE_DEPLOY)
		return ERR_INVALID;
	ret->purpose = (enum ask_purpose)s.p[s.len];
	return tx_decode_unsigned(s, &ret->tx);
}

void ask_encode(const struct ask *ask, struct buf *to)
{
	buf_add_byte(to, ASK_VERSION);
	buf_add_be(to, ask->kind, 1);
	buf_add(to, ask->key.b, 20);
	switch (ask->kind) {
	case ASK_BALLOT:
		put_vote(&ask->vote, to);
		break;
	case ASK_STATEMENT:
		put_statement(&ask->statement, to);
		break;
	case ASK_TRANSACTION:
		tx_encode_unsigned(&ask->tx, to);
		buf_add_be(to, ask->purpose, 1);
		break;
	}
}

enum err ask_decode(struct slice bytes, struct ask *ret)
{
	struct ask ask = {0};
	struct slice body;
	enum err err = ERR_INVALID;

	if (bytes.len < ASK_HEAD || bytes.len > ASK_MAX ||
	    bytes.p[0] != ASK_VERSION)
		return ERR_INVALID;
	memcpy(ask.key.b, bytes.p + 2, 20);
	body = slice_of(bytes.p + ASK_HEAD, bytes.len - ASK_HEAD);
	switch (bytes.p[1]) {
	case ASK_BALLOT:
		ask.kind = ASK_BALLOT;
		err = read_vote(body, &ask.vote);
		break;
	case ASK_STATEMENT:
		ask.kind = ASK_STATEMENT;
		err = read_statement(body, &ask.statement);
		break;
	case ASK_TRANSACTION:
		ask.kind = ASK_TRANSACTION;
		err = read_transaction(body, &ask);
		break;
	}
	if (err)
		return err;
	*ret = ask;
	return OK;
}

void ask_answer_encode(const struct ask_answer *answer, struct buf *to)
{
	buf_add_be(to, answer->status, 1);
	if (answer->status == ASK_SIGNED)
		buf_add(to, answer->signature.b, 65);
	else
		buf_add(to, answer->text,
			strnlen(answer->text, ASK_ANSWER_TEXT));
}

/* It goes into a log: one line, nothing that moves a terminal's cursor. */
static bool is_one_line(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

enum err ask_answer_decode(struct slice bytes, struct ask_answer *ret)
{
	struct ask_answer answer = {0};
	struct slice rest;

	if (!bytes.len || bytes.p[0] > ASK_STORE_UNSAFE)
		return ERR_INVALID;
	answer.status = (enum ask_status)bytes.p[0];
	rest = slice_of(bytes.p + 1, bytes.len - 1);
	if (answer.status == ASK_SIGNED) {
		if (rest.len != sizeof(answer.signature.b))
			return ERR_INVALID;
		memcpy(answer.signature.b, rest.p, rest.len);
	} else {
		if (rest.len > ASK_ANSWER_TEXT || !is_one_line(rest))
			return ERR_INVALID;
		memcpy(answer.text, rest.p, rest.len);
	}
	*ret = answer;
	return OK;
}

enum err ask_digest(const struct ask *ask, struct hash32 *ret)
{
	switch (ask->kind) {
	case ASK_BALLOT:
		*ret = vote_digest(&ask->vote);
		return OK;
	case ASK_STATEMENT:
		return statement_digest(&ask->statement, ret);
	case ASK_TRANSACTION:
		*ret = tx_digest(&ask->tx);
		return OK;
	}
	return ERR_INVALID;
}
