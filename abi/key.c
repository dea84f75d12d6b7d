/* Keys: addresses, RFC 6979 signatures, recovery.
 * Owns the one secp256k1 context; signing through it is safe from several
 * threads, because it is written once and never randomised again. */
#include "abi/key.h"

#include <assert.h>
#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "abi/keccak.h"

/* The curve's order halved, rounded down.  EIP-2: "s-value greater than
 * secp256k1n/2 are now considered invalid". */
static const uint8_t half_order[32] = {
	0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
	0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static secp256k1_context *shared;

static void context_make(void)
{
	shared = secp256k1_context_create(SECP256K1_CONTEXT_SIGN |
					  SECP256K1_CONTEXT_VERIFY);
}

static const secp256k1_context *context(void)
{
	int failed = pthread_once(&once, context_make);

	assert(!failed && shared);
	return shared;
}

/* The last 20 bytes of keccak256(x ‖ y). */
static struct address address_of(const secp256k1_pubkey *key)
{
	uint8_t point[65];
	size_t len = sizeof(point);
	struct address ret;
	struct hash32 hash;

	secp256k1_ec_pubkey_serialize(context(), point, &len, key,
				      SECP256K1_EC_UNCOMPRESSED);
	assert(len == sizeof(point));
	hash = keccak256(point + 1, 64);
	memcpy(ret.b, hash.b + 12, sizeof(ret.b));
	return ret;
}

enum err key_address(const struct key_secret *secret, struct address *ret)
{
	secp256k1_pubkey key;

	if (!secp256k1_ec_pubkey_create(context(), &key, secret->b))
		return ERR_INVALID;
	*ret = address_of(&key);
	return OK;
}

enum err key_sign(const struct key_secret *secret, struct hash32 digest,
		  struct signature *ret)
{
	secp256k1_ecdsa_recoverable_signature made;
	struct address ours, recovered;
	struct signature s;
	int parity;

	if (key_address(secret, &ours))
		return ERR_INVALID;
	if (!secp256k1_ecdsa_sign_recoverable(context(), &made, digest.b,
					      secret->b, NULL, NULL))
		return ERR_INVALID;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), s.b,
								&parity, &made);
	s.b[64] = (uint8_t)(27 + parity);
	/* A glitch while signing can give the key away; a signature that does
	 * not recover to us never leaves. */
	if (key_recover(digest, &s, &recovered) || !address_eq(ours, recovered))
		return ERR_INVALID;
	*ret = s;
	return OK;
}

enum err key_recover(struct hash32 digest, const struct signature *signature,
		     struct address *ret)
{
	secp256k1_ecdsa_recoverable_signature parsed;
	secp256k1_pubkey key;
	uint8_t v = signature->b[64];

	if (v != 27 && v != 28)
		return ERR_INVALID;
	/* secp256k1 itself recovers from a high s. */
	if (memcmp(signature->b + 32, half_order, sizeof(half_order)) > 0)
		return ERR_INVALID;
	if (!secp256k1_ecdsa_recoverable_signature_parse_compact(
		    context(), &parsed, signature->b, v - 27))
		return ERR_INVALID;
	if (!secp256k1_ecdsa_recover(context(), &key, &parsed, digest.b))
		return ERR_INVALID;
	*ret = address_of(&key);
	return OK;
}

void key_erase(struct key_secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}
