#include "signer/choices.h"

#include "abi/hex.h"

static struct store_identity identity(const struct policy *policy)
{
	return (struct store_identity){.chain_id = policy->chain_id,
				       .hatch = policy->hatch,
				       .program = "signer"};
}

/* The keys that the ledger was made for: another guardian's ledger knows
 * nothing of our choices, however sound it is. */
static enum err write_keys(struct store_txn *txn, void *ctx)
{
	const struct keyring *keys = ctx;
	struct ballots ballots;
	struct store_table t;
	enum err err = ballots_open(txn, &ballots);

	if (!err)
		err = store_table_open(txn, "keys", false, false, &t);
	for (size_t i = 0; !err && i < keyring_count(keys); i++) {
		struct address a = keyring_address(keys, i);
		err = store_put(txn, &t, slice_of(a.b, sizeof(a.b)),
				slice_str("ballots"));
	}
	return err;
}

static enum err check_keys(struct store_txn *txn, const char *dir,
			   const struct keyring *keys, struct err_text *error)
{
	struct store_table t;
	struct slice value;
	enum err err = store_table_open(txn, "keys", false, false, &t);

	if (err)
		err_text_set(error, "%s: damaged: it names no keys", dir);
	for (size_t i = 0; !err && i < keyring_count(keys); i++) {
		struct address a = keyring_address(keys, i);
		err = store_get(txn, &t, slice_of(a.b, sizeof(a.b)), &value);
		if (err)
			err_text_set(error,
				     "%s: foreign: it was not made for the "
				     "key of %s",
				     dir, address_text(a).s);
	}
	return err ? ERR_UNSAFE : OK;
}

/* What the store advises suits one that can be filled anew; this one is all
 * that is known of what was signed. */
static enum err open_store(const char *dir, const struct store_identity *id,
			   struct store **ret, struct err_text *error)
{
	struct err_text why;
	enum err err = store_open_examined(dir, SIGNER_MAP_SIZE, id, ret, &why);

	if (err == ERR_BUSY)
		err_text_set(error,
			     "%s: held by another process: one signer per key",
			     dir);
	else if (err == ERR_UNSAFE)
		err_text_set(error,
			     "%s (a new ballot ledger: only when every ballot "
			     "signed has expired)",
			     why.text);
	else if (err)
		*error = why;
	return err;
}

/* Made with its keys, in one transaction: a process that ends here leaves a
 * whole ledger or none. */
enum err choices_init(const char *dir, const struct policy *policy,
		      const struct keyring *keys, bool *ret_made,
		      struct err_text *error)
{
	struct store *s;
	struct store_txn *txn;
	struct store_identity id = identity(policy);
	enum err err;

	id.first = write_keys;
	id.ctx = (void *)keys;
	err = open_store(dir, &id, &s, error);
	if (err)
		return err;
	err = store_begin(s, false, &txn);
	if (err) {
		err_text_set(error, "%s: cannot be read: %s", dir,
			     err_name(err));
	} else {
		err = check_keys(txn, dir, keys, error);
		store_abort(txn);
	}
	if (!err)
		*ret_made = store_is_new(s);
	store_close(s);
	return err;
}

static bool visit_any(void *ctx, struct slice key, struct slice value)
{
	(void)ctx;
	(void)key;
	(void)value;
	return true;
}

/* Every checksum: a choice whose key was damaged would not be found again. */
static enum err check_choices(struct store_txn *txn, const struct ballots *b,
			      const char *dir, struct err_text *error)
{
	enum err err = store_walk(txn, &b->choices, slice_of(NULL, 0), false,
				  visit_any, NULL);

	if (err)
		err_text_set(error,
			     "%s: damaged: restore it, or wait until every "
			     "ballot signed has expired and make a new one",
			     dir);
	return err ? ERR_UNSAFE : OK;
}

static enum err open_tables(struct choices *c, const char *dir,
			    const struct keyring *keys, struct err_text *error)
{
	struct store_txn *txn;
	/* For reading: a table whose name was damaged must not be made anew. */
	enum err err = store_begin(c->store, false, &txn);

	if (err) {
		err_text_set(error, "%s: cannot be read: %s", dir,
			     err_name(err));
		return err;
	}
	err = check_keys(txn, dir, keys, error);
	if (!err && ballots_open(txn, &c->ballots)) {
		err_text_set(error, "%s: damaged: it holds no ballots", dir);
		err = ERR_UNSAFE;
	}
	if (!err)
		err = check_choices(txn, &c->ballots, dir, error);
	if (err) {
		store_abort(txn);
		return err;
	}
	return store_commit(txn);
}

enum err choices_open(const char *dir, const struct policy *policy,
		      const struct keyring *keys, struct choices *ret,
		      struct err_text *error)
{
	struct choices c;

	if (!store_exists(dir)) {
		err_text_set(error,
			     "%s: no ballot ledger: mount or restore it; only "
			     "if this key never signed a ballot, run "
			     "egress-signer --init",
			     dir);
		return ERR_UNSAFE;
	}
	struct store_identity id = identity(policy);
	enum err err = open_store(dir, &id, &c.store, error);
	if (err)
		return err;
	err = open_tables(&c, dir, keys, error);
	if (err) {
		store_close(c.store);
		return err;
	}
	*ret = c;
	return OK;
}

void choices_close(struct choices *c)
{
	store_close(c->store);
	c->store = NULL;
}
