/* Inside of book.c, which is in two files: the slots and their states. */
#ifndef EGRESS_RELAYER_BOOK_H
#define EGRESS_RELAYER_BOOK_H

#include "relayer/limits.h"
#include "relayer/request.h"

struct slot {
	struct book *book;
	bool used;
	unsigned asking; /* answers under way: not reused before they came */
	struct hash32 id;
	enum request_kind kind;
	enum request_state state;
	/* QUEUED: whose leaf it is, by proof */
	bool owner_ok, owner_known, owner_asked;
	struct address owner;
	uint64_t proven, owner_head, owner_leaf;
	unsigned refused; /* a wish: by L1, so often */
	/* SIGNED, SENT: the block, then the id that L1 gave */
	struct hash32 tx, block_hash;
	uint64_t block, event_head, l1_id;
	bool want_status, status_asked, lost;
	bool paid; /* a wish: its block is at or below the one acted on */
	uint64_t status_head;
	bool want_event, event_asked, id_known;
	/* INCLUDED: what the contract says */
	bool seen_fate, has_fate, changed;
	unsigned fate;
	uint64_t stamp, l1_index;
	struct address l1_recipient;
	struct u256 l1_amount;
};

struct book {
	struct parts *parts;
	/* places; of these, as many as the config says are for new requests */
	size_t max, limit, top, open, next;
	size_t unproven; /* QUEUED, and whose leaf it is is not known */
	struct slot *slots;
	/* of this turn */
	uint64_t now_ms, head, acted;
	struct hash32 root;
	struct u256 bounty;
	bool bounty_known, bounty_asked;
	uint64_t bounty_head;
	bool fates_asked;
	size_t fate_at, n_fates;
	struct slot *fates[FATES_MAX];
};

struct change { /* of a request's state */
	enum request_state state;
	const char *outcome;	      /* "" keeps what stands */
	const struct task_news *news; /* whose nonce and hash it takes */
};

struct slot *book_slot(struct book *b, struct hash32 id);
/* The signer is the leaf's owner: a wish is published from now on. */
MUST_CHECK enum err book_prove(struct book *b, struct turn *t,
			       struct slot *slot);
MUST_CHECK enum err book_set(struct book *b, struct turn *t, struct slot *slot,
			     const struct change *change);
MUST_CHECK enum err book_set_plain(struct book *b, struct turn *t,
				   struct slot *slot, enum request_state state,
				   const char *outcome);

/* states.c; ERR_BUSY: no place for another transaction. */
MUST_CHECK enum err book_turn_queued(struct book *b, struct turn *t,
				     struct slot *slot);
MUST_CHECK enum err book_turn_sent(struct book *b, struct turn *t,
				   struct slot *slot); /* and SIGNED */
MUST_CHECK enum err book_turn_fate(struct book *b, struct turn *t,
				   struct slot *slot); /* INCLUDED */
void book_ask_fates(struct book *b, struct turn *t);

#endif
