/* EIP-712 digests.  Pure: bytes in, hashes out; the one place where the types
 * that are signed here are spelt. */
#include "abi/typed.h"

#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/keccak.h"

static const char *const types[TYPED_TYPES] = {
	[TYPED_VOTE] = "Vote(uint8 action,uint64 epoch,uint64 progress,"
		       "bytes32 subject,uint64 expiry)",
	[TYPED_BATCH] = "Batch(uint64 number,bytes32 prevRoot,bytes32 root,"
			"uint64 leafCount,uint64 inboxThrough,bytes32 inboxAcc,"
			"bytes32 diffHash,address sequencer)",
	[TYPED_WITHDRAW] = "Withdraw(uint40 index,uint96 amount,"
			   "address recipient,uint256 salt,uint64 expiry)",
	[TYPED_EXIT_TO] = "ExitTo(uint40 index,address recipient,uint64 count)",
	[TYPED_CLAIM_TO] = "ClaimTo(address asset,address recipient,"
			   "uint256 salt,uint64 expiry)",
	[TYPED_RECEIPTS] = "Receipts(bytes32 root,uint64 acceptedAt)",
	[TYPED_HEARTBEAT] = "Heartbeat(uint64 block,bytes32 blockHash,"
			    "uint8 phase,uint64 batch,bytes32 stateRoot,"
			    "uint64 at)",
	[TYPED_READY] = "Ready(address standby,uint64 batch,bytes32 root,"
			"uint64 at)",
	[TYPED_INCIDENT] = "Incident(bytes32 documentHash)",
};

static struct hash32 hash_text_of(const char *s)
{
	return keccak256(s, strlen(s));
}

const char *typed_type_text(enum typed_type type)
{
	assert((unsigned)type < TYPED_TYPES);
	return types[type];
}

/* Those of the contracts as compiled; the rest is checked by nobody on L1. */
struct hash32 typed_type_hash(enum typed_type type)
{
	switch (type) {
	case TYPED_VOTE:
		return TYPEHASH_VOTE;
	case TYPED_BATCH:
		return TYPEHASH_BATCH;
	case TYPED_WITHDRAW:
		return TYPEHASH_WITHDRAW;
	case TYPED_EXIT_TO:
		return TYPEHASH_EXIT_TO;
	case TYPED_CLAIM_TO:
		return TYPEHASH_CLAIM_TO;
	case TYPED_RECEIPTS:
	case TYPED_HEARTBEAT:
	case TYPED_READY:
	case TYPED_INCIDENT:
		break;
	}
	return hash_text_of(typed_type_text(type));
}

struct hash32 typed_u64(uint64_t value)
{
	struct hash32 ret = {{0}};

	put_be(ret.b + 24, value, 8);
	return ret;
}

struct hash32 typed_u256(struct u256 value)
{
	struct hash32 ret;

	u256_to_be(value, ret.b, sizeof(ret.b));
	return ret;
}

struct hash32 typed_address(struct address a)
{
	struct hash32 ret = {{0}};

	memcpy(ret.b + 12, a.b, sizeof(a.b));
	return ret;
}

struct hash32 typed_struct_hash(struct hash32 type_hash,
				const struct hash32 *fields, size_t n)
{
	struct hash32 words[1 + TYPED_FIELDS_MAX];

	assert(n <= TYPED_FIELDS_MAX);
	words[0] = type_hash;
	memcpy(words + 1, fields, n * sizeof(*fields));
	return keccak256(words, (1 + n) * sizeof(*words));
}

static const char *domain_name(enum typed_domain letter)
{
	switch (letter) {
	case DOMAIN_HATCH:
		return "EscapeHatch";
	case DOMAIN_ROLLUP:
		return "SovereignRollup";
	case DOMAIN_EGRESS:
		return "Egress";
	}
	assert(!"a domain letter");
	return "";
}

struct hash32 typed_domain_separator(const struct domain *domain)
{
	const struct hash32 fields[] = {
		hash_text_of(domain_name(domain->letter)),
		hash_text_of("1"),
		typed_u64(domain->chain_id),
		typed_address(domain->contract),
	};

	return typed_struct_hash(TYPEHASH_EIP712_DOMAIN, fields,
				 ARRAY_LEN(fields));
}

struct hash32 typed_digest(const struct domain *domain,
			   struct hash32 struct_hash)
{
	struct hash32 separator = typed_domain_separator(domain);
	uint8_t bytes[2 + 64] = {0x19, 0x01};

	memcpy(bytes + 2, separator.b, 32);
	memcpy(bytes + 34, struct_hash.b, 32);
	return keccak256(bytes, sizeof(bytes));
}

static struct hash32 digest_of(const struct domain *domain,
			       enum typed_type type,
			       const struct hash32 *fields, size_t n)
{
	struct hash32 hash = typed_type_hash(type);

	return typed_digest(domain, typed_struct_hash(hash, fields, n));
}

static const char *const actions[] = {
	[VOTE_PROMOTE] = "promote",
	[VOTE_OPEN] = "open",
	[VOTE_RESUME] = "resume",
	[VOTE_AMEND] = "amend",
};

const char *vote_action_name(enum vote_action action)
{
	assert(action >= VOTE_PROMOTE && action <= VOTE_AMEND);
	return actions[action];
}

enum vote_action vote_action_parse(const char *text)
{
	for (unsigned i = VOTE_PROMOTE; i <= VOTE_AMEND; i++)
		if (!strcmp(actions[i], text))
			return (enum vote_action)i;
	return (enum vote_action)0;
}

struct hash32 vote_digest(const struct vote *vote)
{
	const struct domain domain = {DOMAIN_HATCH, vote->chain_id,
				      vote->hatch};
	const struct hash32 fields[] = {
		typed_u64(vote->action),   typed_u64(vote->epoch),
		typed_u64(vote->progress), vote->subject,
		typed_u64(vote->expiry),
	};

	return digest_of(&domain, TYPED_VOTE, fields, ARRAY_LEN(fields));
}

struct hash32 vote_subject_address(struct address a)
{
	return typed_address(a);
}

struct hash32 vote_subject_bytes(struct slice args)
{
	return keccak256(args.p, args.len);
}

struct hash32 batch_digest(uint64_t chain_id, struct address rollup,
			   const struct batch *batch, struct address sequencer)
{
	const struct domain domain = {DOMAIN_ROLLUP, chain_id, rollup};
	const struct hash32 fields[] = {
		typed_u64(batch->number),
		batch->prev_root,
		batch->root,
		typed_u64(batch->leaf_count),
		typed_u64(batch->inbox_through),
		batch->inbox_acc,
		batch->diff_hash,
		typed_address(sequencer),
	};

	return digest_of(&domain, TYPED_BATCH, fields, ARRAY_LEN(fields));
}

struct hash32 batch_hash(const struct batch *batch,
			 const struct batch_before *before)
{
	const struct hash32 words[] = {
		typed_u64(batch->number),
		batch->prev_root,
		batch->root,
		typed_u64(batch->leaf_count),
		typed_u64(batch->inbox_through),
		batch->inbox_acc,
		batch->diff_hash,
		typed_u64(before->committed_at),
		typed_u64(before->leaf_count),
		typed_u64(before->inbox_through),
		typed_u64(before->withdraw_head),
	};

	return keccak256(words, sizeof(words));
}

void withdraw_fields(const struct withdraw *withdraw,
		     struct hash32 ret[WITHDRAW_FIELDS])
{
	ret[0] = typed_u64(withdraw->index);
	ret[1] = typed_u256(withdraw->amount);
	ret[2] = typed_address(withdraw->recipient);
	ret[3] = withdraw->salt;
	ret[4] = typed_u64(withdraw->expiry);
}

struct hash32 withdraw_digest(uint64_t chain_id, struct address rollup,
			      const struct withdraw *withdraw)
{
	const struct domain domain = {DOMAIN_ROLLUP, chain_id, rollup};
	struct hash32 fields[WITHDRAW_FIELDS];

	withdraw_fields(withdraw, fields);
	return digest_of(&domain, TYPED_WITHDRAW, fields, WITHDRAW_FIELDS);
}

void exit_to_fields(const struct exit_to *exit_to,
		    struct hash32 ret[EXIT_TO_FIELDS])
{
	ret[0] = typed_u64(exit_to->index);
	ret[1] = typed_address(exit_to->recipient);
	ret[2] = typed_u64(exit_to->count);
}

struct hash32 exit_to_digest(uint64_t chain_id, struct address rollup,
			     const struct exit_to *exit_to)
{
	const struct domain domain = {DOMAIN_ROLLUP, chain_id, rollup};
	struct hash32 fields[EXIT_TO_FIELDS];

	exit_to_fields(exit_to, fields);
	return digest_of(&domain, TYPED_EXIT_TO, fields, EXIT_TO_FIELDS);
}

void claim_to_fields(const struct claim_to *claim_to,
		     struct hash32 ret[CLAIM_TO_FIELDS])
{
	ret[0] = typed_address(claim_to->asset);
	ret[1] = typed_address(claim_to->recipient);
	ret[2] = claim_to->salt;
	ret[3] = typed_u64(claim_to->expiry);
}

struct hash32 claim_to_digest(uint64_t chain_id, struct address rollup,
			      const struct claim_to *claim_to)
{
	const struct domain domain = {DOMAIN_ROLLUP, chain_id, rollup};
	struct hash32 fields[CLAIM_TO_FIELDS];

	claim_to_fields(claim_to, fields);
	return digest_of(&domain, TYPED_CLAIM_TO, fields, CLAIM_TO_FIELDS);
}
