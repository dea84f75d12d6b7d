/* A folder of its own for each test, in memory where there is some, and gone
 * afterwards. */
#ifndef EGRESS_TESTS_UNIT_SCRATCH_H
#define EGRESS_TESTS_UNIT_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	char dir[64];
};

static inline struct scratch scratch_new(void)
{
	struct scratch s;

	snprintf(s.dir, sizeof(s.dir), "%s/egress-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(s.dir))
		abort();
	return s;
}

/* "dir/name"; one at a time. */
static inline const char *scratch_path(const struct scratch *s,
				       const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

static inline void scratch_write(const char *path, const void *p, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(p, 1, len, f) != len || fclose(f))
		abort();
}

/* The same, for the owner's eyes only: a key. */
static inline void scratch_secret(const char *path, const void *p, size_t len)
{
	scratch_write(path, p, len);
	if (chmod(path, 0600))
		abort();
}

static inline int scratch_visit(const char *path, const struct stat *st,
				int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void scratch_remove(const char *dir)
{
	nftw(dir, scratch_visit, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
