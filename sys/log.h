/* Log lines for journald: "<5>text key=value …" on stderr.  Without a
 * journal (JOURNAL_STREAM unset) the prefix is a UTC time and a level name.
 * Values with spaces or quotes are quoted; control characters escaped. */
#ifndef EGRESS_SYS_LOG_H
#define EGRESS_SYS_LOG_H

#include "abi/err.h"
#include "abi/types.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

void log_init(const char *program, enum log_level max);
/* "error" "warn" "notice" "info" "debug"; ERR_INVALID otherwise. */
MUST_CHECK enum err log_level_parse(const char *text, enum log_level *ret);

/* pairs: key, value, key, value, …, NULL. All strings. */
void log_line(enum log_level level, const char *event, ...)
	__attribute__((sentinel));
#define log_error(...)	log_line(LOG_LEVEL_ERROR, __VA_ARGS__, (char *)NULL)
#define log_warn(...)	log_line(LOG_LEVEL_WARN, __VA_ARGS__, (char *)NULL)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__, (char *)NULL)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__, (char *)NULL)
#define log_debug(...)	log_line(LOG_LEVEL_DEBUG, __VA_ARGS__, (char *)NULL)

/* Decimal text by value, for log_line. */
struct log_number {
	char s[24];
};
struct log_number log_u64(uint64_t value);

/* A damaged store, an impossible state: one line, then abort(); systemd
 * restarts from the last commit. */
_Noreturn void fatal(const char *what, const char *where);

#endif
