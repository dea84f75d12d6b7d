#include "l1/layout.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/keccak.h"
#include "abi/u256.h"

struct hash32 layout_plus(struct hash32 key, uint64_t n)
{
	struct u256 sum;
	/* a hash this near to 2^256 is not to be found */
	if (!u256_add(u256_from_be(key.b, 32), u256_from(n), &sum))
		abort();
	return typed_u256(sum);
}

/* Elements stand from keccak256(p) on. */
struct hash32 layout_list(unsigned slot)
{
	struct hash32 p = typed_u64(slot);
	return keccak256(p.b, sizeof(p.b));
}

/* The value of key k at slot p stands at keccak256(k . p). */
struct hash32 layout_entry(struct hash32 key, unsigned slot, unsigned word)
{
	struct hash32 p = typed_u64(slot);
	return layout_plus(keccak256_pair(&key, &p), word);
}

struct hash32 layout_exited(uint64_t bucket)
{
	return layout_entry(typed_u64(bucket), SLOT_SOVEREIGNROLLUP_EXITED, 0);
}

struct hash32 layout_vault(struct address asset)
{
	return layout_entry(typed_address(asset), SLOT_SOVEREIGNROLLUP_VAULT,
			    0);
}

/* keccak256(abi.encode(digest, signer)) */
struct hash32 layout_used(struct hash32 digest, struct address signer)
{
	struct hash32 who = typed_address(signer);
	return layout_entry(keccak256_pair(&digest, &who),
			    SLOT_SOVEREIGNROLLUP_USED, 0);
}

struct address layout_address(struct hash32 word, size_t off, size_t len)
{
	struct address a;
	assert(len == sizeof(a.b) && off + len <= sizeof(word.b));
	memcpy(a.b, word.b + sizeof(word.b) - off - len, len);
	return a;
}
