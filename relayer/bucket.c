#include "relayer/bucket.h"

#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/keccak.h"

#define TOKEN_WEIGHT 3

enum err bucket_parse(const json_node *node, uint64_t number,
		      uint64_t leaf_count, struct hash32 root,
		      struct bucket *ret)
{
	struct json_reader r = {0};
	struct buf bytes;

	buf_init(&bytes, BUCKET_LEAVES * RECORD_SIZE);
	*ret = (struct bucket){.number = json_u64(&r, node, "bucket"),
			       .root = json_hash(&r, node, "root")};
	json_bytes(&r, node, "records", &bytes);
	const json_node *proof = json_array(&r, node, "proof");
	ret->levels = (unsigned)json_len(proof);
	bool good = !r.failed && !bytes.failed && ret->number == number &&
		    bytes.len % RECORD_SIZE == 0 &&
		    ret->levels <= MERKLE_DEPTH_MAX - MERKLE_DEPTH_MIN;
	if (good) {
		ret->n = bytes.len / RECORD_SIZE;
		memcpy(ret->records, bytes.p, bytes.len);
	}
	buf_done(&bytes);
	for (unsigned i = 0; good && i < ret->levels; i++)
		ret->siblings[i] = json_hash(&r, json_at(proof, i), NULL);
	if (!good || r.failed || number >> ret->levels)
		return ERR_INVALID;
	struct hash32 top =
		merkle_root(number, merkle_bucket_root(ret->records, ret->n),
			    ret->siblings, ret->levels);
	if (!hash_eq(top, ret->root))
		return ERR_INVALID;
	while (ret->n && record_is_empty(&ret->records[ret->n - 1]))
		ret->n--;
	if (!hash_eq(top, root) ||
	    ret->levels != merkle_depth(leaf_count) - MERKLE_DEPTH_MIN)
		return ERR_CONFLICT;
	return OK;
}

struct u256 bucket_payable(const struct bucket *b)
{
	struct u256 mask = u256_from(0);

	for (unsigned i = 0; i < b->n; i++)
		if (record_kind(&b->records[i]) == RECORD_BALANCE &&
		    !u256_is_zero(record_amount(&b->records[i])))
			mask = mask_with(mask, i);
	return mask;
}

bool bucket_uniform(const struct bucket *b, struct address *ret_asset)
{
	bool any = false;

	for (size_t i = 0; i < b->n; i++) {
		const struct record *r = &b->records[i];
		if (record_is_empty(r))
			continue;
		if (record_kind(r) != RECORD_BALANCE ||
		    (any && !address_eq(record_asset(r), *ret_asset)))
			return false;
		*ret_asset = record_asset(r);
		any = true;
	}
	return any;
}

void bucket_leaf_path(const struct bucket *b, unsigned leaf, struct hash32 *ret)
{
	struct hash32 level[BUCKET_LEAVES];

	assert(leaf < BUCKET_LEAVES);
	for (size_t i = 0; i < BUCKET_LEAVES; i++)
		level[i] =
			i < b->n ? record_leaf(&b->records[i]) : merkle_zero(0);
	for (unsigned height = 0; height < MERKLE_DEPTH_MIN; height++) {
		ret[height] = level[leaf >> height ^ 1];
		for (size_t i = 0; i < (size_t)BUCKET_LEAVES >> height; i += 2)
			level[i / 2] = keccak256_pair(&level[i], &level[i + 1]);
	}
	memcpy(ret + MERKLE_DEPTH_MIN, b->siblings,
	       b->levels * sizeof(b->siblings[0]));
}

void bucket_settle(struct bucket *b, struct u256 mask)
{
	for (unsigned i = 0; i < b->n; i++)
		if (mask_has(mask, i))
			b->records[i] = record_with_amount(&b->records[i],
							   u256_from(0));
}

struct u256 bucket_cut(const struct bucket *b, struct u256 mask, unsigned max)
{
	struct u256 cut = u256_from(0);
	unsigned weight = 0;

	for (unsigned i = 0; i < b->n; i++) {
		if (!mask_has(mask, i))
			continue;
		struct address asset = record_asset(&b->records[i]);
		weight += address_is_zero(asset) ? 1 : TOKEN_WEIGHT;
		if (weight > max)
			break;
		cut = mask_with(cut, i);
	}
	return cut;
}

uint64_t bucket_pay_gas(const struct bucket *b, struct u256 mask)
{
	uint64_t gas = 0;

	for (unsigned i = 0; i < b->n; i++)
		if (mask_has(mask, i))
			gas += address_is_zero(record_asset(&b->records[i]))
				       ? EGRESS_PAY_GAS_NATIVE
				       : EGRESS_PAY_GAS_TOKEN;
	return gas;
}
