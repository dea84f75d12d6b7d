#include "relayer/calls.h"

#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/words.h"

/* Bytes that abi_put_bytes(len) appends. */
static size_t tail_bytes(size_t len)
{
	return abi_bytes_words(len) * ABI_WORD;
}

static void put_path(struct buf *b, struct path path)
{
	abi_put_hashes(b, path.siblings, path.n);
}

void call_request_withdrawal(struct buf *b, const struct withdraw *w,
			     const struct signature *signature)
{
	abi_put_selector(b, SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL_FOR);
	abi_put_u64(b, w->index);
	abi_put_u256(b, w->amount);
	abi_put_address(b, w->recipient);
	abi_put_hash(b, w->salt);
	abi_put_u64(b, w->expiry);
	abi_put_u64(b, 6 * ABI_WORD);
	abi_put_bytes(b, slice_of(signature->b, sizeof(signature->b)));
}

uint64_t call_value_gas(struct slice data)
{
	return data.len >= 4 &&
			       get_be(data.p, 4) ==
				       SEL_SOVEREIGNROLLUP_REQUEST_WITHDRAWAL_FOR
		       ? EGRESS_BOUNTY_GAS
		       : 0;
}

void call_request_transaction(struct buf *b, struct slice raw)
{
	abi_put_selector(b, SEL_SOVEREIGNROLLUP_REQUEST_TRANSACTION);
	abi_put_u64(b, ABI_WORD);
	abi_put_bytes(b, raw);
}

void call_execute_withdrawal(struct buf *b, uint64_t id, struct slice record,
			     struct path path)
{
	const size_t head = 3 * ABI_WORD;
	abi_put_selector(b, SEL_SOVEREIGNROLLUP_EXECUTE_WITHDRAWAL);
	abi_put_u64(b, id);
	abi_put_u64(b, head);
	abi_put_u64(b, head + tail_bytes(record.len));
	abi_put_bytes(b, record);
	put_path(b, path);
}

void call_pay(struct buf *b, uint64_t id)
{
	abi_put_selector(b, SEL_SOVEREIGNROLLUP_PAY);
	abi_put_u64(b, id);
}

void call_bundle(struct buf *b, const struct bundle *bundle)
{
	const struct vote *vote = &bundle->vote;
	struct buf signatures;

	buf_init(&signatures, BUNDLE_MAX * sizeof(struct signature));
	bundle_signatures(bundle, &signatures);
	assert(!signatures.failed && vote->action != VOTE_AMEND);
	if (vote->action == VOTE_OPEN) {
		abi_put_selector(b, SEL_ESCAPEHATCH_OPEN);
		abi_put_u64(b, 3 * ABI_WORD); /* args: empty */
		abi_put_u64(b, vote->expiry);
		abi_put_u64(b, 4 * ABI_WORD);
		abi_put_bytes(b, (struct slice){0});
	} else {
		abi_put_selector(b, vote->action == VOTE_PROMOTE
					    ? SEL_ESCAPEHATCH_PROMOTE
					    : SEL_ESCAPEHATCH_RESUME);
		abi_put_hash(b, vote->subject);
		abi_put_u64(b, vote->expiry);
		abi_put_u64(b, 3 * ABI_WORD);
	}
	abi_put_bytes(b, buf_slice(&signatures));
	buf_done(&signatures);
}

void call_open_after_deadline(struct buf *b)
{
	abi_put_selector(b, SEL_ESCAPEHATCH_OPEN_AFTER_DEADLINE);
}

void call_open_on_bad_batch(struct buf *b, struct slice proof)
{
	abi_put_selector(b, SEL_ESCAPEHATCH_OPEN_ON_BAD_BATCH);
	abi_put_u64(b, ABI_WORD);
	abi_put_bytes(b, proof);
}

void call_exit_to(struct buf *b, const struct exit_to *wish,
		  const struct record *record, struct path path,
		  const struct signature *signature)
{
	const size_t at_record = 5 * ABI_WORD;
	const size_t at_path = at_record + tail_bytes(RECORD_SIZE);

	abi_put_selector(b, SEL_SOVEREIGNROLLUP_EXIT_TO);
	abi_put_u64(b, wish->index);
	abi_put_u64(b, at_record);
	abi_put_u64(b, at_path);
	abi_put_address(b, wish->recipient);
	abi_put_u64(b, at_path + (1 + path.n) * ABI_WORD);
	abi_put_bytes(b, slice_of(record->b, RECORD_SIZE));
	put_path(b, path);
	abi_put_bytes(b, slice_of(signature->b, sizeof(signature->b)));
}

void call_exit_bucket(struct buf *b, uint64_t bucket, struct u256 mask,
		      const struct record *records, size_t n, struct path path)
{
	const size_t head = 4 * ABI_WORD;

	abi_put_selector(b, SEL_SOVEREIGNROLLUP_EXIT_BUCKET);
	abi_put_u64(b, bucket);
	abi_put_u256(b, mask);
	abi_put_u64(b, head);
	abi_put_u64(b, head + tail_bytes(n * RECORD_SIZE));
	abi_put_bytes(b, slice_of(records, n * RECORD_SIZE));
	put_path(b, path);
}

/* owner(20) ‖ amount(12), or zero for an empty leaf. */
static struct hash32 owner_amount(const struct record *r)
{
	struct hash32 word = {{0}};

	if (record_is_empty(r))
		return word;
	struct address owner = record_owner(r);
	memcpy(word.b, owner.b, sizeof(owner.b));
	u256_to_be(record_amount(r), word.b + sizeof(owner.b), 12);
	return word;
}

void call_exit_uniform(struct buf *b, uint64_t bucket, struct u256 mask,
		       struct address asset, const struct record *records,
		       size_t n, struct path path)
{
	const size_t head = 5 * ABI_WORD;

	abi_put_selector(b, SEL_SOVEREIGNROLLUP_EXIT_UNIFORM);
	abi_put_u64(b, bucket);
	abi_put_u256(b, mask);
	abi_put_address(b, asset);
	abi_put_u64(b, head);
	abi_put_u64(b, head + (1 + n) * ABI_WORD);
	abi_put_u64(b, n);
	for (size_t i = 0; i < n; i++)
		abi_put_hash(b, owner_amount(&records[i]));
	put_path(b, path);
}

void call_settle_bucket(struct buf *b, uint64_t bucket,
			const struct record *records, size_t n,
			struct path path)
{
	const size_t head = 3 * ABI_WORD;

	abi_put_selector(b, SEL_SOVEREIGNROLLUP_SETTLE_BUCKET);
	abi_put_u64(b, bucket);
	abi_put_u64(b, head);
	abi_put_u64(b, head + tail_bytes(n * RECORD_SIZE));
	abi_put_bytes(b, slice_of(records, n * RECORD_SIZE));
	put_path(b, path);
}

bool mask_has(struct u256 mask, unsigned leaf)
{
	assert(leaf < BUCKET_LEAVES);
	return mask.w[leaf / 64] >> leaf % 64 & 1;
}

struct u256 mask_with(struct u256 mask, unsigned leaf)
{
	assert(leaf < BUCKET_LEAVES);
	mask.w[leaf / 64] |= (uint64_t)1 << leaf % 64;
	return mask;
}

struct u256 mask_without(struct u256 mask, struct u256 gone)
{
	for (unsigned i = 0; i < ARRAY_LEN(mask.w); i++)
		mask.w[i] &= ~gone.w[i];
	return mask;
}

unsigned mask_count(struct u256 mask)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_LEN(mask.w); i++)
		n += (unsigned)__builtin_popcountll(mask.w[i]);
	return n;
}
