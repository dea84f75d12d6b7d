#include "signer/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/hex.h"

struct keyring {
	size_t n;
	struct address addresses[SIGNER_KEYS_MAX];
	struct key_secret secrets[SIGNER_KEYS_MAX];
	char file[SIGNER_KEY_FILE_MAX + 1]; /* being read: as secret */
};

struct keyring *keyring_new(void)
{
	struct keyring *k = mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (k == MAP_FAILED)
		return NULL;
	if (mlock(k, sizeof(*k)) || madvise(k, sizeof(*k), MADV_DONTDUMP) ||
	    madvise(k, sizeof(*k), MADV_WIPEONFORK)) {
		munmap(k, sizeof(*k));
		return NULL;
	}
	return k;
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	explicit_bzero(k, sizeof(*k));
	munmap(k, sizeof(*k));
}

/* A plain key is a file that whoever reads it can sign with, and whoever
 * changes it can choose who signs. */
static enum err check_private(int fd, const char *path, struct err_text *error)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		err_text_set(error, "%s: is no file: name a key file", path);
		return ERR_IO;
	}
	if (!(st.st_mode & (S_IRWXG | S_IRWXO)))
		return OK;
	err_text_set(error, "%s: others can %s it: chmod 600 %s", path,
		     st.st_mode & (S_IRGRP | S_IROTH) ? "read" : "change",
		     path);
	return ERR_REFUSED;
}

static enum err read_key_file(struct keyring *k, const char *path,
			      size_t *ret_len, struct err_text *error)
{
	/* Without waiting for who might write to a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		err_text_set(error, "%s: %s: name a readable key file", path,
			     strerror(errno));
		return ERR_IO;
	}
	enum err err = check_private(fd, path, error);
	if (err) {
		close(fd);
		return err;
	}
	ssize_t n = read(fd, k->file, sizeof(k->file));
	close(fd);
	if (n < 0) {
		err_text_set(error, "%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	*ret_len = (size_t)n;
	return OK;
}

static enum err parse_key(struct keyring *k, size_t len, struct key_secret *ret)
{
	const char *p = k->file;

	if (len > SIGNER_KEY_FILE_MAX)
		return ERR_INVALID;
	while (len && strchr(" \t\r\n", p[len - 1]))
		len--;
	while (len && strchr(" \t\r\n", *p)) {
		p++;
		len--;
	}
	return hex_decode(slice_of(p, len), ret->b, sizeof(ret->b));
}

static enum err add(struct keyring *k, const char *path,
		    const struct address *expected, struct err_text *error)
{
	struct key_secret *secret = &k->secrets[k->n];
	struct address address;
	size_t len;
	enum err err = read_key_file(k, path, &len, error);

	if (err)
		return err;
	if (parse_key(k, len, secret) || key_address(secret, &address)) {
		err_text_set(error, "%s: not a key: write 0x and 64 hex digits",
			     path);
		return ERR_INVALID;
	}
	if (expected && !address_eq(address, *expected)) {
		err_text_set(error, "%s: holds the key of %s, not of %s", path,
			     address_text(address).s,
			     address_text(*expected).s);
		return ERR_INVALID;
	}
	if (keyring_has(k, address)) {
		err_text_set(error, "%s: the key of %s is given twice", path,
			     address_text(address).s);
		return ERR_CONFLICT;
	}
	k->addresses[k->n++] = address;
	return OK;
}

enum err keyring_add_plain(struct keyring *k, const char *path,
			   const struct address *expected,
			   struct err_text *error)
{
	if (k->n == SIGNER_KEYS_MAX) {
		err_text_set(error, "%s: at most %d keys", path,
			     SIGNER_KEYS_MAX);
		return ERR_TOO_LARGE;
	}
	enum err err = add(k, path, expected, error);
	explicit_bzero(k->file, sizeof(k->file));
	if (err)
		key_erase(&k->secrets[k->n]);
	return err;
}

size_t keyring_count(const struct keyring *k)
{
	return k->n;
}

struct address keyring_address(const struct keyring *k, size_t i)
{
	return k->addresses[i];
}

static bool find(const struct keyring *k, struct address address, size_t *ret)
{
	for (size_t i = 0; i < k->n; i++) {
		if (address_eq(k->addresses[i], address)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

bool keyring_has(const struct keyring *k, struct address address)
{
	size_t i;

	return find(k, address, &i);
}

enum err keyring_sign(const struct keyring *k, struct address address,
		      struct hash32 digest, struct signature *ret)
{
	size_t i;

	if (!find(k, address, &i))
		return ERR_NOT_FOUND;
	return key_sign(&k->secrets[i], digest, ret);
}
