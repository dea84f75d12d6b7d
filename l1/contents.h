/* A block's transactions and receipts, proved against its hash: the header by
 * it, both lists by their roots in the header.  One provider's words are
 * enough, and nothing is read but what was proved. */
#ifndef EGRESS_L1_CONTENTS_H
#define EGRESS_L1_CONTENTS_H

#include "abi/header.h"
#include "abi/trie.h"
#include "l1/l1_impl.h"

struct contents {
	struct header header;
	struct trie_list txs, receipts; /* EIP-2718; of one length */
};

struct contents_read;
/* Keeps what it wants of them; borrowed during the call.  PROVED, or
 * PROVED_TOO_LARGE with why in error. */
typedef enum proved contents_take(void *ctx, const struct contents *c,
				  struct err_text *error);
/* OK: it was taken.  Else nobody proves it: ERR_IO, and why, naming providers.
 * ERR_BUSY: too many L1 reads at once. */
typedef void contents_done(void *ctx, enum err err, const char *why);

struct contents_read { /* zero is idle; what it owns is freed when done */
	struct l1 *l1;
	struct hash32 block;
	contents_take *take;
	contents_done *done;
	void *ctx;
	/* one by one */
	bool singly;
	struct contents c;
	struct hash32 *hashes; /* of the transactions */
	size_t n, from;	       /* from: the first receipt that has not come */
	size_t by;	       /* the provider that is asked */
	uint32_t tried, lied;  /* bits of providers; lied: with a false proof */
	char why[QUORUM_TEXT_MAX];
};

/* Starts it; first with all receipts in one call, then, when providers lack
 * eth_getBlockReceipts, with those providers' one by one.  ERR_BUSY. */
MUST_CHECK enum err contents_start(struct contents_read *read);
/* Forgets it; nobody is called back.  Safe when idle. */
void contents_cancel(struct contents_read *read);

#endif
