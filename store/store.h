/* One LMDB environment a process; lmdb.h is included by store.c alone.
 * Records are versioned and checksummed: value = version(1) ‖ bytes ‖
 * check(4), check = first 4 of keccak256(table ‖ key ‖ version ‖ bytes).
 * A wrong check is a damaged store: ERR_UNSAFE, and the caller stops. */
#ifndef EGRESS_STORE_STORE_H
#define EGRESS_STORE_STORE_H

#include "abi/buf.h"

#define STORE_TABLES_MAX 24
#define STORE_KEY_MAX	 511

struct store;
struct store_txn; /* one writer at a time; readers see a snapshot */

struct store_identity { /* written at creation, compared at every opening */
	uint64_t chain_id;
	struct address hatch;
	char program[16]; /* "watcher", "relayer", "signer" */
	/* What else a store has from its first moment on, or NULL: called in
	 * the transaction that creates it. Not compared. */
	enum err (*first)(struct store_txn *txn, void *ctx);
	void *ctx;
};

/* Opens or creates DIR/data.mdb (creation: temporary directory, sync,
 * rename). Checks the file's size against its meta pages before mapping,
 * takes DIR/lock (flock). ERR_BUSY: another process holds it;
 * ERR_UNSAFE: foreign, cut or damaged; ERR_IO, ERR_FULL. Why in error. */
MUST_CHECK enum err store_open(const char *dir, uint64_t map_size,
			       const struct store_identity *identity,
			       struct store **ret, struct err_text *error);
/* The same, but a child process first reads every record and walks every
 * page in use: LMDB trusts its pages, and a damaged one can crash it.  For
 * small stores whose loss would be silent; call it before any thread. */
MUST_CHECK enum err store_open_examined(const char *dir, uint64_t map_size,
					const struct store_identity *identity,
					struct store **ret,
					struct err_text *error);
void store_close(struct store *s); /* NULL is legal */
/* DIR holds an environment already. */
bool store_exists(const char *dir);
/* true: this opening created it. */
bool store_is_new(const struct store *s);
/* Fills 0 … 100: part of the map that was ever in use. */
unsigned store_fill_percent(const struct store *s);
/* Bytes of the map, and those in use: what was freed may be used again. As of
 * the last commit. */
struct store_space {
	uint64_t size, used;
};
struct store_space store_space(const struct store *s);
/* mdb_reader_check: at start and every minute. */
void store_reap_readers(struct store *s);

MUST_CHECK enum err store_begin(struct store *s, bool write,
				struct store_txn **ret);
/* Durable when it returns OK. ERR_FULL, ERR_IO: the txn is gone, the process
 * must stop and verify. Frees txn in any case. */
MUST_CHECK enum err store_commit(struct store_txn *txn);
void store_abort(struct store_txn *txn);
void store_abortp(struct store_txn **txn); /* for CLEANUP; NULL is legal */

/* A table is opened by name once, at start, in a txn that is then committed:
 * a write txn makes it when there is none, a read txn says ERR_NOT_FOUND.
 * integer_keys: keys are 8 bytes, big-endian, so that
 * bytes and numbers have one order: store_key_u64(). */
struct store_table {
	unsigned dbi;
	char name[16];
	bool integer_keys;
	bool raw; /* no version, no checksum: the ledger, whose root is one */
};
MUST_CHECK enum err store_table_open(struct store_txn *txn, const char *name,
				     bool integer_keys, bool raw,
				     struct store_table *ret);

struct store_key {
	uint8_t b[8];
};
static inline struct store_key store_key_u64(uint64_t n)
{
	struct store_key k;
	put_be(k.b, n, sizeof(k.b));
	return k;
}

MUST_CHECK enum err store_put(struct store_txn *txn,
			      const struct store_table *t, struct slice key,
			      struct slice value);
/* The same for a key above all that are there: fills pages to the brim.
 * ERR_CONFLICT when it is not above. */
MUST_CHECK enum err store_append(struct store_txn *txn,
				 const struct store_table *t, struct slice key,
				 struct slice value);
/* ret borrows until the txn ends or writes. ERR_NOT_FOUND, ERR_UNSAFE */
MUST_CHECK enum err store_get(struct store_txn *txn,
			      const struct store_table *t, struct slice key,
			      struct slice *ret);
/* ERR_NOT_FOUND is OK to ignore. */
enum err store_delete(struct store_txn *txn, const struct store_table *t,
		      struct slice key);
/* Walks keys ≥ from in order (reverse: ≤ from, downwards; an empty from: all)
 * until visit returns false. ERR_UNSAFE on a damaged record. visit must not
 * write. */
typedef bool store_visit(void *ctx, struct slice key, struct slice value);
MUST_CHECK enum err store_walk(struct store_txn *txn,
			       const struct store_table *t, struct slice from,
			       bool reverse, store_visit *visit, void *ctx);
uint64_t store_count(struct store_txn *txn, const struct store_table *t);

#endif
