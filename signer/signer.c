#include "signer/signer.h"

#include <stdio.h>

static void answer(struct ask_answer *ret, enum ask_status status,
		   const char *text)
{
	*ret = (struct ask_answer){.status = status};
	snprintf(ret->text, sizeof(ret->text), "%s", text);
}

/* The choice is durable when this returns true: only then may a signature
 * over it exist. */
static bool remember(struct signer *s, const struct vote *vote,
		     struct address key, struct ask_answer *ret)
{
	struct store_txn *txn;
	struct err_text error = {""};
	enum err err = ERR_UNSAFE;

	if (s->store && !s->store_unsafe)
		err = store_begin(s->store, true, &txn);
	if (err) {
		/* A wrong or unmounted folder looks like a key that is new. */
		answer(ret, ASK_STORE_UNSAFE,
		       s->store ? "the ballot ledger failed: restart the signer"
				: "no sound ballot ledger: see the signer's "
				  "log; "
				  "only if this key never signed a ballot, run "
				  "egress-signer --init");
		return false;
	}
	err = ballots_put(txn, &s->ballots, key, vote, s->policy->round,
			  &error);
	if (err) {
		store_abort(txn);
		if (err != ERR_CONFLICT)
			s->store_unsafe = true;
		answer(ret,
		       err == ERR_CONFLICT ? ASK_CONFLICT : ASK_STORE_UNSAFE,
		       error.text[0] ? error.text : err_name(err));
		return false;
	}
	err = store_commit(txn);
	if (!err)
		return true;
	s->store_unsafe = true;
	answer(ret, ASK_STORE_UNSAFE,
	       "the ballot could not be recorded: restart the signer");
	return false;
}

static const char *kind_name(enum ask_kind kind)
{
	switch (kind) {
	case ASK_BALLOT:
		return "this client may not ask for ballots";
	case ASK_STATEMENT:
		return "this client may not ask for statements";
	case ASK_TRANSACTION:
		return "this client may not ask for transactions";
	}
	return "this client may not ask for that";
}

static bool allowed(const struct signer *s, unsigned may, const struct ask *ask,
		    struct ask_answer *ret)
{
	struct policy_verdict verdict;

	if (!(may & 1u << ask->kind)) {
		answer(ret, ASK_REFUSED, kind_name(ask->kind));
		return false;
	}
	if (!keyring_has(s->keyring, ask->key)) {
		answer(ret, ASK_NOT_OUR_KEY, "no such key here");
		return false;
	}
	verdict = policy_check(s->policy, ask);
	if (!verdict.allowed)
		answer(ret, ASK_REFUSED, verdict.why);
	return verdict.allowed;
}

void signer_answer(struct signer *signer, unsigned may, struct slice bytes,
		   struct ask_answer *ret)
{
	struct signature signature;
	struct hash32 digest;
	struct ask ask;

	if (ask_decode(bytes, &ask) || ask_digest(&ask, &digest)) {
		answer(ret, ASK_BAD_REQUEST, "not an ask of version 1");
		return;
	}
	if (!allowed(signer, may, &ask, ret))
		return;
	if (ask.kind == ASK_BALLOT &&
	    !remember(signer, &ask.vote, ask.key, ret))
		return;
	if (keyring_sign(signer->keyring, ask.key, digest, &signature)) {
		answer(ret, ASK_BAD_REQUEST, "the key cannot sign this");
		return;
	}
	*ret = (struct ask_answer){.status = ASK_SIGNED,
				   .signature = signature};
}
