/* Merkle-Patricia tries: roots, and witnesses checked against a root.  Pure.
 * (Ethereum yellow paper, appendix D; EIP-1186 for the witness.) */
#ifndef EGRESS_ABI_TRIE_H
#define EGRESS_ABI_TRIE_H

#include "abi/buf.h"
#include "abi/types.h"
#include "abi/u256.h"

#define TRIE_KEY_MAX 32 /* bytes; two nibbles each */
/* Each node on the way takes a nibble at least; the last may take none. */
#define TRIE_PROOF_MAX (2 * TRIE_KEY_MAX + 1)
/* Items of one block: the cheapest transaction takes 21,000 gas. */
#define TRIE_LIST_MAX 65536

/* The root of a trie that holds nothing: keccak256(0x80). */
extern const struct hash32 trie_empty_root;

struct trie_entry {
	struct slice key, value; /* borrowed; a value is never empty */
};

/* Sorts the entries by key, then folds them.  ERR_INVALID: a key twice or
 * over TRIE_KEY_MAX, or an empty value.  ERR_FULL: out of memory. */
MUST_CHECK enum err trie_root(struct trie_entry *entries, size_t n,
			      struct hash32 *ret);

/* What stands under the whole key, by exactly these nodes from the root
 * downward.  *ret_value borrows from them.  Allocates nothing.
 *
 * ERR_NOT_FOUND: they prove that nothing does.  ERR_INVALID: they prove
 * neither: a node that is missing, foreign, malformed or to spare.
 * A node under 32 bytes stands inside its parent; it may be repeated behind it,
 * as some nodes' replies do. */
MUST_CHECK enum err trie_prove(struct hash32 root, struct slice key,
			       const struct slice *nodes, size_t n,
			       struct slice *ret_value);

struct trie_account {
	bool exists; /* false: all the rest is that of an empty account */
	uint64_t nonce;
	struct u256 balance; /* wei */
	struct hash32 storage_root, code_hash;
};

/* The account, or the proof that there is none.  ERR_INVALID. */
MUST_CHECK enum err trie_prove_account(struct hash32 state_root,
				       struct address address,
				       const struct slice *nodes, size_t n,
				       struct trie_account *ret);
/* The slot's value; zero when its absence is proved.  ERR_INVALID. */
MUST_CHECK enum err trie_prove_slot(struct hash32 storage_root,
				    struct hash32 slot,
				    const struct slice *nodes, size_t n,
				    struct u256 *ret);

/* The key of item i in a block's trie of transactions or receipts: rlp(i). */
struct trie_index {
	uint8_t b[9];
	size_t len;
};
struct trie_index trie_index(uint64_t i);

/* The items of a block in order, one after the other.  An item is appended to
 * `bytes`, then closed. */
struct trie_list {
	struct buf bytes;
	struct buf ends; /* a size_t for each closed item */
};

void trie_list_init(struct trie_list *l, size_t max_bytes);
void trie_list_done(struct trie_list *l);  /* safe twice and on zeros */
void trie_list_clear(struct trie_list *l); /* keeps the memory */
void trie_list_close(struct trie_list *l);
size_t trie_list_len(const struct trie_list *l);
/* Borrowed, until the next item is appended. */
struct slice trie_list_at(const struct trie_list *l, size_t i);
/* ERR_INVALID: an empty item.  ERR_TOO_LARGE: over a maximum.  ERR_FULL. */
MUST_CHECK enum err trie_list_root(const struct trie_list *l,
				   struct hash32 *ret);

#endif
