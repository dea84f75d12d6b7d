#include "abi/bloom.h"

#include "abi/keccak.h"

#define BITS 3

struct bits {
	size_t byte[BITS];
	uint8_t mask[BITS];
};

/* Yellow paper, M3:2048: "the low-order 11 bits of each of the first three
 * pairs of bytes in a Keccak-256 hash"; bit 0 is the last byte's lowest. */
static struct bits bits_of(struct slice bytes)
{
	struct hash32 hash = keccak256(bytes.p, bytes.len);
	struct bits bits;
	for (size_t i = 0; i < BITS; i++) {
		uint64_t bit = get_be(hash.b + 2 * i, 2) & 2047;
		bits.byte[i] = BLOOM_BYTES - 1 - bit / 8;
		bits.mask[i] = (uint8_t)(1u << bit % 8);
	}
	return bits;
}

static bool may_hold(const uint8_t *bloom, struct slice bytes)
{
	struct bits bits = bits_of(bytes);
	for (size_t i = 0; i < BITS; i++)
		if (!(bloom[bits.byte[i]] & bits.mask[i]))
			return false;
	return true;
}

bool bloom_may_hold(const uint8_t bloom[BLOOM_BYTES], struct address address)
{
	return may_hold(bloom, slice_of(address.b, sizeof(address.b)));
}

bool bloom_may_hold_topic(const uint8_t bloom[BLOOM_BYTES], struct hash32 topic)
{
	return may_hold(bloom, slice_of(topic.b, sizeof(topic.b)));
}

void bloom_add(uint8_t bloom[BLOOM_BYTES], struct slice bytes)
{
	struct bits set = bits_of(bytes);
	for (size_t i = 0; i < BITS; i++)
		bloom[set.byte[i]] |= set.mask[i];
}
