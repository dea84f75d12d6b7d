/* keccak-f[1600] with rate 136, scalar.  (FIPS 202, "KECCAK-p"; Ethereum
 * kept the padding of the submission.) */
#include "abi/keccak.h"

#include <endian.h>

#define RATE   136
#define ROUNDS 24

static const uint64_t round_constant[ROUNDS] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a,
	0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
	0x8000000080008081, 0x8000000000008009, 0x000000000000008a,
	0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
	0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
	0x000000000000800a, 0x800000008000000a, 0x8000000080008081,
	0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline uint64_t rol(uint64_t x, unsigned n)
{
	return n ? x << n | x >> (64 - n) : x;
}

static inline uint64_t load_le(const uint8_t *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

/* One row of the next state: theta's column mask, rho's turn and pi's place
 * for five lanes (index, turn), then chi along the row. */
#define ROW(y, i0, r0, i1, r1, i2, r2, i3, r3, i4, r4)                         \
	do {                                                                   \
		uint64_t b0 = rol(from[i0] ^ d[(i0) % 5], r0);                 \
		uint64_t b1 = rol(from[i1] ^ d[(i1) % 5], r1);                 \
		uint64_t b2 = rol(from[i2] ^ d[(i2) % 5], r2);                 \
		uint64_t b3 = rol(from[i3] ^ d[(i3) % 5], r3);                 \
		uint64_t b4 = rol(from[i4] ^ d[(i4) % 5], r4);                 \
		to[5 * (y) + 0] = b0 ^ (~b1 & b2);                             \
		to[5 * (y) + 1] = b1 ^ (~b2 & b3);                             \
		to[5 * (y) + 2] = b2 ^ (~b3 & b4);                             \
		to[5 * (y) + 3] = b3 ^ (~b4 & b0);                             \
		to[5 * (y) + 4] = b4 ^ (~b0 & b1);                             \
	} while (0)

#define COLUMN(x)                                                              \
	(from[x] ^ from[(x) + 5] ^ from[(x) + 10] ^ from[(x) + 15] ^           \
	 from[(x) + 20])

__attribute__((always_inline)) static inline void
permute_round(const uint64_t *restrict from, uint64_t *restrict to,
	      uint64_t constant)
{
	uint64_t c0 = COLUMN(0), c1 = COLUMN(1), c2 = COLUMN(2);
	uint64_t c3 = COLUMN(3), c4 = COLUMN(4);
	uint64_t d[5] = {c4 ^ rol(c1, 1), c0 ^ rol(c2, 1), c1 ^ rol(c3, 1),
			 c2 ^ rol(c4, 1), c3 ^ rol(c0, 1)};
	ROW(0, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14);
	ROW(1, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61);
	ROW(2, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18);
	ROW(3, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56);
	ROW(4, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2);
	to[0] ^= constant;
}

static void permute(uint64_t lane[25])
{
	uint64_t a[25], b[25];
	memcpy(a, lane, sizeof(a));
	for (size_t i = 0; i < ROUNDS; i += 2) {
		permute_round(a, b, round_constant[i]);
		permute_round(b, a, round_constant[i + 1]);
	}
	memcpy(lane, a, sizeof(a));
}

static void absorb_block(uint64_t lane[25], const uint8_t *p)
{
	for (size_t i = 0; i < RATE / 8; i++)
		lane[i] ^= load_le(p + 8 * i);
	permute(lane);
}

static inline void absorb_byte(uint64_t lane[25], size_t at, uint8_t byte)
{
	lane[at / 8] ^= (uint64_t)byte << 8 * (at % 8);
}

static struct hash32 squeeze(const uint64_t lane[25])
{
	struct hash32 ret;
	for (size_t i = 0; i < 4; i++) {
		uint64_t x = htole64(lane[i]);
		memcpy(ret.b + 8 * i, &x, sizeof(x));
	}
	return ret;
}

void keccak_init(struct keccak *k)
{
	*k = (struct keccak){0};
}

void keccak_add(struct keccak *k, const void *p, size_t len)
{
	const uint8_t *from = p;
	while (len) {
		if (k->at == 0 && len >= RATE) {
			absorb_block(k->lane, from);
			from += RATE;
			len -= RATE;
			continue;
		}
		absorb_byte(k->lane, k->at++, *from++);
		len--;
		if (k->at == RATE) {
			permute(k->lane);
			k->at = 0;
		}
	}
}

struct hash32 keccak_end(struct keccak *k)
{
	absorb_byte(k->lane, k->at, 0x01);
	absorb_byte(k->lane, RATE - 1, 0x80);
	permute(k->lane);
	return squeeze(k->lane);
}

struct hash32 keccak256(const void *p, size_t len)
{
	struct keccak k;
	keccak_init(&k);
	keccak_add(&k, p, len);
	return keccak_end(&k);
}

struct hash32 keccak256_pair(const struct hash32 *left,
			     const struct hash32 *right)
{
	uint64_t lane[25] = {0};
	for (size_t i = 0; i < 4; i++) {
		lane[i] = load_le(left->b + 8 * i);
		lane[i + 4] = load_le(right->b + 8 * i);
	}
	absorb_byte(lane, 64, 0x01);
	absorb_byte(lane, RATE - 1, 0x80);
	permute(lane);
	return squeeze(lane);
}
