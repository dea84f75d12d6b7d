/* EIP-712: what is signed here, and its digests.  Type hashes come from the
 * compiled contracts (abi/contracts). */
#ifndef EGRESS_ABI_TYPED_H
#define EGRESS_ABI_TYPED_H

#include "abi/types.h"
#include "abi/u256.h"

/* Domain A "EscapeHatch" (contract = hatch), B "SovereignRollup" (rollup),
 * C "Egress" (hatch).  Version "1". */
enum typed_domain {
	DOMAIN_HATCH = 'A',
	DOMAIN_ROLLUP = 'B',
	DOMAIN_EGRESS = 'C'
};

struct domain {
	enum typed_domain letter;
	uint64_t chain_id;
	struct address contract;
};

struct hash32 typed_domain_separator(const struct domain *domain);
/* keccak256(0x1901 ‖ separator ‖ struct_hash) */
struct hash32 typed_digest(const struct domain *domain,
			   struct hash32 struct_hash);

/* Every type that is signed here.  A test compares those of the contracts with
 * the compiled ones. */
enum typed_type {
	TYPED_VOTE,
	TYPED_BATCH,
	TYPED_WITHDRAW,
	TYPED_EXIT_TO,
	TYPED_CLAIM_TO,
	TYPED_RECEIPTS,
	TYPED_HEARTBEAT,
	TYPED_READY,
	TYPED_INCIDENT,
};
#define TYPED_TYPES (TYPED_INCIDENT + 1)
/* "Vote(uint8 action,…)" and its keccak256. */
const char *typed_type_text(enum typed_type type);
struct hash32 typed_type_hash(enum typed_type type);

/* keccak256(type_hash ‖ fields), n ≤ TYPED_FIELDS_MAX */
#define TYPED_FIELDS_MAX 8
struct hash32 typed_struct_hash(struct hash32 type_hash,
				const struct hash32 *fields, size_t n);
/* One field as EIP-712 encodes it: big-endian, left-padded to 32 bytes. */
struct hash32 typed_u64(uint64_t value);
struct hash32 typed_u256(struct u256 value);
struct hash32 typed_address(struct address a);

enum vote_action {
	VOTE_PROMOTE = 1,
	VOTE_OPEN = 2,
	VOTE_RESUME = 3,
	VOTE_AMEND = 4,
};
const char *vote_action_name(enum vote_action action); /* "promote" … */
/* 0 when the text names none. */
enum vote_action vote_action_parse(const char *text);

/* Vote(uint8 action,uint64 epoch,uint64 progress,bytes32 subject,
 *      uint64 expiry) of one hatch on one chain. */
struct vote {
	uint64_t chain_id;
	struct address hatch;
	enum vote_action action;
	uint64_t epoch, progress;
	struct hash32 subject;
	uint64_t expiry; /* unix seconds of L1 */
};
struct hash32 vote_digest(const struct vote *vote);
struct hash32 vote_subject_address(struct address a); /* PROMOTE, RESUME */
struct hash32 vote_subject_bytes(struct slice args);  /* OPEN, AMEND */

/* A batch as the validators sign it. */
struct batch {
	uint64_t number;
	struct hash32 prev_root, root;
	uint64_t leaf_count, inbox_through;
	struct hash32 inbox_acc, diff_hash;
};
/* State that a batch was built on. */
struct batch_before {
	uint64_t committed_at, leaf_count, inbox_through, withdraw_head;
};
struct hash32 batch_digest(uint64_t chain_id, struct address rollup,
			   const struct batch *batch, struct address sequencer);
/* keccak256(abi.encode(Batch, Before)): SovereignRollup.batchHash(number) */
struct hash32 batch_hash(const struct batch *batch,
			 const struct batch_before *before);

/* Withdraw(uint40 index,uint96 amount,address recipient,uint256 salt,
 *          uint64 expiry) */
struct withdraw {
	uint64_t index;
	struct u256 amount; /* < 2^96 */
	struct address recipient;
	struct hash32 salt;
	uint64_t expiry;
};
#define WITHDRAW_FIELDS 5
void withdraw_fields(const struct withdraw *withdraw,
		     struct hash32 ret[WITHDRAW_FIELDS]);
struct hash32 withdraw_digest(uint64_t chain_id, struct address rollup,
			      const struct withdraw *withdraw);

/* ExitTo(uint40 index,address recipient,uint64 count) */
struct exit_to {
	uint64_t index;
	struct address recipient;
	uint64_t count; /* progress().count at which the root is frozen */
};
#define EXIT_TO_FIELDS 3
void exit_to_fields(const struct exit_to *exit_to,
		    struct hash32 ret[EXIT_TO_FIELDS]);
struct hash32 exit_to_digest(uint64_t chain_id, struct address rollup,
			     const struct exit_to *exit_to);

/* ClaimTo(address asset,address recipient,uint256 salt,uint64 expiry) */
struct claim_to {
	struct address asset, recipient;
	struct hash32 salt;
	uint64_t expiry;
};
#define CLAIM_TO_FIELDS 4
void claim_to_fields(const struct claim_to *claim_to,
		     struct hash32 ret[CLAIM_TO_FIELDS]);
struct hash32 claim_to_digest(uint64_t chain_id, struct address rollup,
			      const struct claim_to *claim_to);

#endif
