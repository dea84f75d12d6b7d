/* What the commands share: see common.h. */
#include "cli/common.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "abi/hex.h"

#define DAY_S  86400u
#define NEAR_S (400 * DAY_S)
#define WRAP   79
#define INDENT 13

/* Others' words reach a terminal without its control sequences: C0, DEL, and
 * C1 in UTF-8. */
void cli_clean(char *text)
{
	uint8_t *p = (uint8_t *)text;

	for (; *p; p++) {
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;
		if (*p < 0x20 || *p == 0x7f || c1)
			*p = ' ';
		if (c1)
			*++p = ' ';
	}
}

static void say(const char *lead, const char *format, va_list args)
{
	char line[2048];

	vsnprintf(line, sizeof(line), format, args);
	cli_clean(line);
	fprintf(stderr, "egress: %s%s\n", lead, line);
}

int cli_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
	return CLI_FAILED;
}

void cli_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

void cli_close_stdout(void)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (!fflush(stdout) && !failed)
		return;
	cli_fail("standard output: cannot write: %s",
		 strerror(errno ? errno : EIO));
	_exit(CLI_FAILED);
}

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_err_exit_status = CLI_USAGE;
	argp_parse(argp, argc, argv, 0, NULL, input);
}

void cli_unexpected(struct argp_state *state, const char *arg)
{
	argp_error(state, "unexpected argument \"%s\"", arg);
}

void cli_json_begin(struct cli_json *j)
{
	buf_init(&j->text, CLI_FILE_MAX);
	j->w = json_writer(&j->text);
}

void cli_json_end(struct cli_json *j)
{
	puts(buf_cstr(&j->text));
	buf_done(&j->text);
}

void cli_print_line(struct buf *answer)
{
	for (size_t i = 0; i < answer->len; i++)
		if (answer->p[i] == '\n')
			answer->p[i] = ' ';
	puts(buf_cstr(answer));
}

int cli_read_file(const char *path, const char *what, struct buf *to)
{
	bool standard = !strcmp(path, "-");
	FILE *f = standard ? stdin : fopen(path, "rb");
	uint8_t part[4096];
	int problem = f ? 0 : errno;
	size_t n;

	while (f && !to->failed && (n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(to, part, n);
	if (f && ferror(f))
		problem = errno ? errno : EIO;
	if (f && !standard)
		fclose(f);
	if (problem)
		return cli_fail("%s: %s: give the file with %s, or - for "
				"standard input",
				path, strerror(problem), what);
	if (to->failed)
		return cli_fail("%s: larger than %zu bytes: is it the file "
				"with %s?",
				path, to->max, what);
	return CLI_OK;
}

struct cli_text cli_wei(struct u256 wei)
{
	struct cli_text t;
	struct u256 unit = u256_from(1000000000000ull); /* below: in wei */
	uint64_t low, rest;

	if (u256_cmp(wei, unit) < 0) {
		snprintf(t.s, sizeof(t.s), "%s wei", u256_text(wei).s);
		return t;
	}
	struct u256 whole = u256_div64(wei, 1000000000ull, &low);
	whole = u256_div64(whole, 1000000000ull, &rest);
	char digits[19];
	snprintf(digits, sizeof(digits), "%09" PRIu64 "%09" PRIu64, rest, low);
	size_t n = 18;
	while (n && digits[n - 1] == '0')
		n--;
	snprintf(t.s, sizeof(t.s), "%s%s%.*s ETH", u256_text(whole).s,
		 n ? "." : "", (int)n, digits);
	return t;
}

struct cli_text cli_duration(uint64_t seconds)
{
	struct cli_text t;

	if (seconds < 180)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 " s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 " min", seconds / 60);
	else if (seconds < 3 * 86400)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 " h", seconds / 3600);
	else
		snprintf(t.s, sizeof(t.s), "%" PRIu64 " days", seconds / 86400);
	return t;
}

struct cli_text cli_when(uint64_t then, uint64_t now)
{
	struct cli_text t;

	if (!then)
		snprintf(t.s, sizeof(t.s), "never");
	else if (then == now)
		snprintf(t.s, sizeof(t.s), "just now");
	else if (then > now)
		snprintf(t.s, sizeof(t.s), "in %.80s",
			 cli_duration(then - now).s);
	else
		snprintf(t.s, sizeof(t.s), "%.80s ago",
			 cli_duration(now - then).s);
	return t;
}

#define UNIX_DIGITS 10 /* from 2001 to 2286 */

/* Characters of one word: so that an address is never taken for a time. */
static size_t word_len(const char *text)
{
	size_t n = 0;

	while ((text[n] >= '0' && text[n] <= '9') ||
	       (text[n] >= 'a' && text[n] <= 'z') ||
	       (text[n] >= 'A' && text[n] <= 'Z'))
		n++;
	return n;
}

/* "1790000000 wei", "… of token 0x…", "… were asked for" */
static bool is_amount(const char *behind)
{
	static const char *const words[] = {" wei", " of token", " were "};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strncmp(behind, words[i], strlen(words[i])))
			return true;
	return false;
}

/* 0: this word is no time, or none that anybody here would speak of. */
static uint64_t unix_time(const char *word, size_t len, uint64_t now)
{
	struct u256 value;

	if (len != UNIX_DIGITS || is_amount(word + len) ||
	    u256_parse(slice_of(word, len), &value))
		return 0;
	uint64_t at = u256_u64(value);
	return at < now + NEAR_S && now < at + NEAR_S ? at : 0;
}

static size_t put_time(char *to, size_t size, uint64_t at, uint64_t now)
{
	bool far = at > now + DAY_S || at + DAY_S < now;
	time_t seconds = (time_t)at;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return strftime(to, size, far ? "%Y-%m-%d %H:%M UTC" : "%H:%M:%S UTC",
			&tm);
}

struct cli_line cli_times(const char *text, uint64_t now)
{
	struct cli_line line = {{0}};
	size_t used = 0, room = sizeof(line.s) - 1;

	while (*text && used < room) {
		size_t len = word_len(text);
		uint64_t at = unix_time(text, len, now);
		if (at) {
			used += put_time(line.s + used, room - used, at, now);
		} else {
			size_t n = len ? len : 1;
			n = n < room - used ? n : room - used;
			memcpy(line.s + used, text, n);
			used += n;
		}
		text += len ? len : 1;
	}
	line.s[used] = '\0';
	return line;
}

void cli_wrap(const char *what, const char *text)
{
	size_t len, room = WRAP - INDENT;

	for (; *text; what = "") {
		len = strlen(text);
		if (len > room) {
			for (len = room; len && text[len] != ' '; len--)
				;
			len = len ? len : room;
		}
		printf("  %-10s %.*s\n", what, (int)len, text);
		text += len;
		text += *text == ' ';
	}
}

/* Right but for the capitals that are its checksum. */
static bool is_address_in_small(const char *text)
{
	char small[ADDRESS_TEXT + 1];
	struct address a;
	size_t n = 0;

	for (; text[n] && n < ADDRESS_TEXT; n++)
		small[n] = text[n] >= 'A' && text[n] <= 'F'
				   ? (char)(text[n] - 'A' + 'a')
				   : text[n];
	return !text[n] && !address_parse(slice_of(small, n), &a);
}

struct address cli_address(struct argp_state *state, const char *option,
			   const char *text)
{
	struct address a = {0};

	if (!address_parse(slice_str(text), &a))
		return a;
	if (is_address_in_small(text))
		argp_error(state,
			   "%s %s: its checksum (the capital letters) is "
			   "wrong: a letter was changed; compare it with where "
			   "you have it from",
			   option, text);
	else
		argp_error(state, "%s %s: give 0x and 40 hex digits", option,
			   text);
	return a;
}

struct hash32 cli_hash(struct argp_state *state, const char *option,
		       const char *text)
{
	struct hash32 h = {0};

	if (hash_parse(slice_str(text), &h))
		argp_error(state, "%s %s: give 0x and 64 hex digits", option,
			   text);
	return h;
}

uint64_t cli_u64(struct argp_state *state, const char *option, const char *text)
{
	struct u256 value = {0};

	if (u256_parse(slice_str(text), &value) || !u256_fits(value, 53))
		argp_error(state, "%s %s: give a whole number below 2^53",
			   option, text);
	return u256_u64(value);
}

struct u256 cli_amount(struct argp_state *state, const char *option,
		       const char *text)
{
	struct u256 value = {0};

	if (u256_parse(slice_str(text), &value) || !u256_fits(value, 96))
		argp_error(state,
			   "%s %s: give a whole number of wei below "
			   "2^96",
			   option, text);
	return value;
}
