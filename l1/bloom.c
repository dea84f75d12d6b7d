#include "l1/bloom.h"

#include "abi/keccak.h"

/* Yellow paper, M3:2048: "the low-order 11 bits of each of the first three
 * pairs of bytes in a Keccak-256 hash"; bit 0 is the last byte's lowest. */
bool bloom_may_hold(const uint8_t bloom[BLOOM_BYTES], struct address address)
{
	struct hash32 hash = keccak256(address.b, sizeof(address.b));
	for (size_t i = 0; i < 6; i += 2) {
		uint64_t bit = get_be(hash.b + i, 2) & 2047;
		if (!(bloom[BLOOM_BYTES - 1 - bit / 8] >> (bit % 8) & 1))
			return false;
	}
	return true;
}
