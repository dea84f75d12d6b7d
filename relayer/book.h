/* Inside of book.c, which is in five files: the slots, their states, what the
 * contract says of them, the news of their transactions, and what others did
 * for them. */
#ifndef EGRESS_RELAYER_BOOK_H
#define EGRESS_RELAYER_BOOK_H

#include "l1/withdrawals.h"
#include "relayer/limits.h"
#include "relayer/request.h"
#include "relayer/room.h"

enum slot_seek {
	SLOT_IDLE,
	SLOT_WANTED, /* in the next pass over L1's queue */
	SLOT_SOUGHT,
	SLOT_LOOKED, /* the pass is through: fit and l1_id say what it found */
};

struct slot {
	struct book *book;
	bool used;
	unsigned asking; /* answers under way: not reused before they came */
	uint64_t owed;	 /* bytes of the store, in room.owed */
	struct hash32 id;
	enum request_kind kind;
	enum request_state state;
	/* QUEUED: whose leaf it is, by proof */
	bool owner_ok, owner_known, owner_asked;
	struct address owner;
	uint64_t proven, owner_head, owner_leaf;
	bool payable;		  /* a balance that is not zero, */
	struct hash32 proof_root; /* … under this root */
	unsigned refused;	  /* a wish: by L1, so often */
	/* QUEUED: its signature is used, says L1's newest block (taken), and
	 * the one acted on (spent) */
	bool taken, spent;
	uint64_t taken_ms; /* L1 is not asked again before */
	uint64_t spent_at; /* acted block that was asked last */
	enum slot_seek seek;
	uint64_t seek_ms; /* not in a pass before */
	unsigned fit;	  /* of l1_id; 0: not found */
	/* SIGNED, SENT: the block, then the id that L1 gave */
	struct hash32 tx, block_hash;
	uint64_t block, event_head, l1_id;
	bool want_status, status_asked, lost;
	/* a wish QUEUED: is its leaf in or out, at blocks acted on */
	uint64_t leaf, count, exit_at, in_at, out_at, out_ms;
	uint64_t status_head;
	bool want_event, event_asked;
	bool id_known; /* the event came: l1_id, or credited of a wish */
	bool credited; /* L1 only owes it to the recipient */
	/* INCLUDED: what the contract says */
	bool seen_fate, has_fate, changed;
	unsigned fate;
	uint64_t stamp, l1_index;
	struct address l1_recipient;
	struct u256 l1_amount;
	uint64_t fate_block, fate_ms; /* acted on when it was first seen */
	bool due_known;		      /* once executed: how much of what */
	struct u256 due;
	struct address asset;
};

struct seek { /* a pass over L1's queue at one block, newest entry first */
	bool running, asked, came, broken;
	struct block_ref block;
	uint64_t head; /* when it was last asked */
	uint64_t next, low;
	size_t n;
	struct l1_withdrawal page[SEEK_PAGE]; /* ids next - 1, next - 2 … */
};

struct book {
	struct parts *parts;
	/* places; of these, as many as the config says are for new requests */
	size_t max, limit, top, open, next;
	size_t unproven; /* QUEUED, and whose leaf it is is not known */
	struct slot *slots;
	struct room room;
	/* of this turn */
	uint64_t now_ms, head, acted;
	struct hash32 root;
	struct u256 bounty;
	bool bounty_known, bounty_asked;
	uint64_t bounty_head, bounty_fee; /* fee: the base fee there */
	bool fates_asked;
	uint64_t fates_at; /* block */
	size_t fate_at, n_fates;
	struct slot *fates[FATES_MAX];
	bool spent_asked;
	size_t n_spent;
	struct slot *spent[FATES_MAX];
	struct seek seek;
	bool exits_asked;
	uint64_t exits_at; /* block */
	size_t n_exits;
	struct slot *exits[FATES_MAX];
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
				   struct slot *slot); /* INCLUDED: fates.c */
void book_ask_fates(struct book *b, struct turn *t);
/* Its leaf is out, to its recipient. */
MUST_CHECK enum err book_wish_paid(struct book *b, struct turn *t,
				   struct slot *slot, enum request_state state,
				   const char *more);
/* elsewhere.c: for those that are taken, or can not be sent any more, and for
 * wishes whose leaf may be out. */
void book_look_elsewhere(struct book *b, struct turn *t);

#endif
