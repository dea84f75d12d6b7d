/* Owns stderr.  One line is one write(), so that lines of several threads
 * never mix; what does not fit is cut, never split. */
#include "sys/log.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static struct {
	char program[32];
	_Atomic int max;
	bool journal;
} state = {"egress", LOG_LEVEL_INFO, false};

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{"error", LOG_LEVEL_ERROR},   {"warn", LOG_LEVEL_WARN},
	{"notice", LOG_LEVEL_NOTICE}, {"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
};

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
};

void log_init(const char *program, enum log_level max)
{
	snprintf(state.program, sizeof(state.program), "%s", program);
	state.max = (int)max;
	state.journal = getenv("JOURNAL_STREAM") != NULL;
}

enum err log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (!strcmp(text, levels[i].name)) {
			*ret = levels[i].level;
			return OK;
		}
	}
	return ERR_INVALID;
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "?";
}

/* One place is always kept for the newline. */
static void add_char(struct line *l, char c)
{
	if (l->len + 1 < sizeof(l->text))
		l->text[l->len++] = c;
}

static void add_text(struct line *l, const char *s)
{
	while (*s)
		add_char(l, *s++);
}

/* A newline or an escape sequence from outside must not forge a line. */
static void add_escaped(struct line *l, const char *s)
{
	static const char digits[] = "0123456789abcdef";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < 0x20 || c == 0x7f) {
			add_text(l, "\\x");
			add_char(l, digits[c >> 4]);
			add_char(l, digits[c & 15]);
		} else {
			add_char(l, (char)c);
		}
	}
}

static void add_value(struct line *l, const char *s)
{
	if (*s && !strpbrk(s, " \"\\=\t\n")) {
		add_escaped(l, s);
		return;
	}
	add_char(l, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			add_char(l, '\\');
		add_escaped(l, (const char[2]){*s, 0});
	}
	add_char(l, '"');
}

static void add_prefix(struct line *l, enum log_level level)
{
	if (state.journal) {
		add_char(l, '<');
		add_char(l, (char)('0' + (int)level));
		add_char(l, '>');
		return;
	}
	char stamp[40];
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	add_text(l, stamp);
	snprintf(stamp, sizeof(stamp), ".%03ldZ ", now.tv_nsec / 1000000);
	add_text(l, stamp);
	add_text(l, state.program);
	add_char(l, ' ');
	add_text(l, level_name(level));
	add_char(l, ' ');
}

static void write_line(struct line *l)
{
	size_t at = 0;

	l->text[l->len++] = '\n';
	while (at < l->len) {
		ssize_t n = write(STDERR_FILENO, l->text + at, l->len - at);
		if (n <= 0)
			return; /* nowhere left to complain */
		at += (size_t)n;
	}
}

void log_line(enum log_level level, const char *event, ...)
{
	if ((int)level > state.max)
		return;
	struct line l;
	l.len = 0;
	add_prefix(&l, level);
	add_escaped(&l, event);

	va_list ap;
	va_start(ap, event);
	for (;;) {
		const char *key = va_arg(ap, const char *);
		const char *value = key ? va_arg(ap, const char *) : NULL;
		if (!key)
			break;
		add_char(&l, ' ');
		add_escaped(&l, key);
		add_char(&l, '=');
		add_value(&l, value ? value : "");
		if (!value)
			break;
	}
	va_end(ap);
	write_line(&l);
}

struct log_number log_u64(uint64_t value)
{
	struct log_number n;

	snprintf(n.s, sizeof(n.s), "%llu", (unsigned long long)value);
	return n;
}

void fatal(const char *what, const char *where)
{
	log_error("fatal", "what", what, "where", where);
	abort();
}
