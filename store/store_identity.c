/* Whose store it is.  Uses the store as everybody else does. */
#include "store/store_identity.h"

#include "store/store_file.h"

#define STORE_IDENTITY_SIZE (8 + 20 + 16)

static void identity_encode(const struct store_identity *id, uint8_t *to)
{
	put_be(to, id->chain_id, 8);
	memcpy(to + 8, id->hatch.b, 20);
	memcpy(to + 28, id->program, 16);
}

enum err store_identity_write(struct store *s, const struct store_identity *id)
{
	uint8_t bytes[STORE_IDENTITY_SIZE];
	struct store_table t;
	CLEANUP(store_abortp) struct store_txn *txn = NULL;
	enum err err = store_begin(s, true, &txn);

	identity_encode(id, bytes);
	if (!err)
		err = store_table_open(txn, "identity", false, false, &t);
	if (!err)
		err = store_put(txn, &t, slice_str("identity"),
				slice_of(bytes, sizeof(bytes)));
	if (!err && id->first)
		err = id->first(txn, id->ctx);
	if (!err) {
		struct store_txn *done = txn;
		txn = NULL;
		err = store_commit(done);
	}
	return err;
}

static const char *identity_difference(const uint8_t *have, const uint8_t *want)
{
	if (memcmp(have + 28, want + 28, 16) != 0)
		return "it belongs to another program";
	if (memcmp(have, want, 8) != 0)
		return "it belongs to another chain";
	if (memcmp(have + 8, want + 8, 20) != 0)
		return "it belongs to another hatch";
	return NULL;
}

enum err store_identity_check(struct store *s, const char *dir,
			      const struct store_identity *id,
			      struct err_text *error)
{
	uint8_t want[STORE_IDENTITY_SIZE];
	const char *why = "it carries no identity";
	struct store_table t;
	struct slice have;
	CLEANUP(store_abortp) struct store_txn *txn = NULL;
	enum err err = store_begin(s, false, &txn);

	identity_encode(id, want);
	if (!err)
		err = store_table_open(txn, "identity", false, false, &t);
	if (!err)
		err = store_get(txn, &t, slice_str("identity"), &have);
	if (!err && have.len == sizeof(want))
		why = identity_difference(have.p, want);
	if (!err && !why)
		return OK;
	if (err && err != ERR_NOT_FOUND && err != ERR_UNSAFE) {
		err_text_set(error, "%s: cannot be read: %s", dir,
			     err_name(err));
		return err;
	}
	if (err == ERR_UNSAFE)
		err_text_set(error,
			     "%s: damaged: its identity does not "
			     "read: " STORE_REMEDY,
			     dir);
	else
		err_text_set(error,
			     "%s: foreign: %s: give this one its own folder",
			     dir, why);
	return ERR_UNSAFE;
}
