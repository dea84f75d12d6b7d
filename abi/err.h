/* The errors that cross a module's border.  Detail (which provider, what
 * text) lives in a bounded struct err_text of the handle, never here. */
#ifndef EGRESS_ABI_ERR_H
#define EGRESS_ABI_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define MUST_CHECK	       __attribute__((warn_unused_result))
#define CLEANUP(fn)	       __attribute__((cleanup(fn)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err {
	OK = 0,
	ERR_INVALID,   /* the bytes or the value are not of the form asked */
	ERR_NOT_FOUND, /* there is none */
	ERR_TOO_LARGE, /* over a named limit */
	ERR_CONFLICT,  /* contradicts what is already committed */
	ERR_REORG,     /* the parent is not the tip */
	ERR_BUSY,      /* not now: a queue is full, another one holds it */
	ERR_FULL,      /* no space: disk, map, budget */
	ERR_IO,	       /* the world did not answer, or answered an error */
	ERR_UNSAFE,    /* the store is missing, foreign, cut or rolled back */
	ERR_REFUSED,   /* a policy says no */
};

/* A short English name, for logs: "invalid", "not found", … */
const char *err_name(enum err err);

/* One line for a human: what, where, what to do.  Cut at the end, never
 * overflowing. */
struct err_text {
	char text[256];
};

void err_text_set(struct err_text *e, const char *format, ...)
	PRINTF_LIKE(2, 3);

#endif
