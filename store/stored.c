#include "store/stored.h"

#include "abi/keccak.h"

#define STORED_VERSION 1
#define STORED_CHECK   4

static void check_of(const char *table, struct slice key,
		     struct slice versioned, uint8_t ret[STORED_CHECK])
{
	struct keccak k;

	keccak_init(&k);
	keccak_add(&k, table, strlen(table));
	keccak_add(&k, key.p, key.len);
	keccak_add(&k, versioned.p, versioned.len);
	struct hash32 h = keccak_end(&k);
	memcpy(ret, h.b, STORED_CHECK);
}

void stored_wrap(const char *table, struct slice key, struct slice bytes,
		 struct buf *to)
{
	uint8_t check[STORED_CHECK];

	buf_clear(to);
	buf_add_byte(to, STORED_VERSION);
	buf_add_slice(to, bytes);
	if (to->failed)
		return;
	check_of(table, key, buf_slice(to), check);
	buf_add(to, check, sizeof(check));
}

enum err stored_unwrap(const char *table, struct slice key, struct slice stored,
		       struct slice *ret)
{
	uint8_t check[STORED_CHECK];

	if (stored.len < 1 + STORED_CHECK || stored.p[0] != STORED_VERSION)
		return ERR_UNSAFE;
	struct slice versioned = slice_of(stored.p, stored.len - STORED_CHECK);
	check_of(table, key, versioned, check);
	if (memcmp(check, stored.p + versioned.len, STORED_CHECK) != 0)
		return ERR_UNSAFE;
	*ret = slice_of(stored.p + 1, versioned.len - 1);
	return OK;
}
