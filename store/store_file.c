#include "store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_pages.h"

/* LMDB's data format 1 on a 64-bit machine: page header 16 bytes, then
 * struct MDB_meta.  All little-endian there, native here. */
#define META_SIZE     152
#define META_FLAGS_AT 10
#define META_FLAG     0x08
#define META_MAGIC_AT 16
#define META_MAGIC    0xBEEFC0DEu
#define META_VERSION  1u
#define META_PSIZE_AT 40
#define META_FREE_AT  80
#define META_MAIN_AT  128
#define META_LAST_AT  136
#define META_TXN_AT   144
#define PAGE_SIZE_MIN 512u

/* A page allocated and dropped in one transaction at the very end of the file
 * is never written: so many may be missing without anything being lost. */
#define LOOSE_PAGES_MAX 64

struct meta {
	struct store_roots roots;
	uint64_t txn;
};

static bool meta_parse(const uint8_t *page, struct meta *ret)
{
	struct store_roots *r = &ret->roots;
	uint16_t flags;
	uint32_t magic, version;

	memcpy(&flags, page + META_FLAGS_AT, sizeof(flags));
	memcpy(&magic, page + META_MAGIC_AT, sizeof(magic));
	memcpy(&version, page + META_MAGIC_AT + 4, sizeof(version));
	memcpy(&r->page_size, page + META_PSIZE_AT, sizeof(r->page_size));
	memcpy(&r->free, page + META_FREE_AT, sizeof(r->free));
	memcpy(&r->tables, page + META_MAIN_AT, sizeof(r->tables));
	memcpy(&r->last_page, page + META_LAST_AT, sizeof(r->last_page));
	memcpy(&ret->txn, page + META_TXN_AT, sizeof(ret->txn));
	return (flags & META_FLAG) && magic == META_MAGIC &&
	       version == META_VERSION && r->page_size >= PAGE_SIZE_MIN &&
	       r->page_size <= STORE_PAGE_MAX &&
	       !(r->page_size & (r->page_size - 1)) && r->last_page >= 1 &&
	       r->last_page < UINT64_MAX / STORE_PAGE_MAX - 1;
}

static enum err unsafe(struct err_text *error, const char *path,
		       const char *what)
{
	err_text_set(error, "%s: %s: " STORE_REMEDY, path, what);
	return ERR_UNSAFE;
}

static enum err check_open(int fd, const char *path, struct store_extent *ret,
			   struct err_text *error)
{
	uint8_t page[META_SIZE];
	struct meta first, second;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return unsafe(error, path, "not a regular file");
	if (pread(fd, page, sizeof(page), 0) != (ssize_t)sizeof(page) ||
	    !meta_parse(page, &first))
		return unsafe(error, path, "its first meta page is not LMDB's");
	if (pread(fd, page, sizeof(page), first.roots.page_size) !=
		    (ssize_t)sizeof(page) ||
	    !meta_parse(page, &second) ||
	    second.roots.page_size != first.roots.page_size)
		return unsafe(error, path, "its second meta page is damaged");
	/* Transaction n is written to page n mod 2, so the two are neighbours
	 * unless one of them was damaged: the older would be taken for the
	 * newer, and what was committed last forgotten. */
	if ((first.txn & 1) || !(second.txn & 1) ||
	    (first.txn + 1 != second.txn && second.txn + 1 != first.txn))
		return unsafe(error, path, "its meta pages contradict");
	const struct store_roots *newest =
		first.txn > second.txn ? &first.roots : &second.roots;
	ret->have = (uint64_t)st.st_size;
	ret->want = (newest->last_page + 1) * newest->page_size;
	if (ret->have + LOOSE_PAGES_MAX * (uint64_t)newest->page_size <
	    ret->want)
		return unsafe(error, path, "it was cut short");
	if (store_pages_check(fd, newest))
		return unsafe(error, path, "damaged");
	return OK;
}

enum err store_file_check(const char *path, struct store_extent *ret,
			  struct err_text *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		err_text_set(error, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	}
	enum err err = check_open(fd, path, ret, error);
	close(fd);
	return err;
}

enum err store_file_make_dir(const char *dir, struct err_text *error)
{
	if (!mkdir(dir, 0700) || errno == EEXIST)
		return OK;
	err_text_set(error, "%s: cannot be made: %s", dir, strerror(errno));
	return ERR_IO;
}

enum err store_file_lock(const char *dir, int *ret, struct err_text *error)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_text_set(error, "%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		enum err err = errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;
		err_text_set(error, "%s: %s", path,
			     err == ERR_BUSY
				     ? "held by another process: stop it first"
				     : strerror(errno));
		close(fd);
		return err;
	}
	*ret = fd;
	return OK;
}

static bool sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool good = !fsync(fd);
	close(fd);
	return good;
}

static void remove_new(const char *fresh)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/data.mdb", fresh);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/lock.mdb", fresh);
	(void)unlink(path);
	(void)rmdir(fresh);
}

enum err store_file_begin_new(const char *fresh, struct err_text *error)
{
	/* What a crash during an earlier creation left. */
	remove_new(fresh);
	return store_file_make_dir(fresh, error);
}

enum err store_file_end_new(const char *fresh, const char *dir,
			    struct err_text *error)
{
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(from, sizeof(from), "%s/data.mdb", fresh);
	snprintf(to, sizeof(to), "%s/data.mdb", dir);
	if (!sync_path(from) || !sync_path(fresh) || rename(from, to) ||
	    !sync_path(dir)) {
		err_text_set(error, "%s: cannot be made durable: %s", to,
			     strerror(errno));
		return errno == ENOSPC ? ERR_FULL : ERR_IO;
	}
	remove_new(fresh);
	return OK;
}
