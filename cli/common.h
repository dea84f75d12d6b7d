/* What the commands share: one line for an error, small files, and amounts and
 * times as people read them. */
#ifndef EGRESS_CLI_COMMON_H
#define EGRESS_CLI_COMMON_H

#include <argp.h>
#include "abi/json.h"
#include "abi/u256.h"

#define CLI_FILE_MAX	  (1u << 20)
#define CLI_TIMEOUT_MS	  20000
#define CLI_TIMEOUT_MAX_S 3600

/* Exit statuses, as everywhere: 1 it did not work, 2 it was asked wrongly. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* "egress COMMAND: what: where: what to do" on stderr; returns CLI_FAILED. */
int cli_fail(const char *format, ...) PRINTF_LIKE(1, 2);
/* "egress: warning: what: what to do" on stderr. */
void cli_warn(const char *format, ...) PRINTF_LIKE(1, 2);
/* For atexit(): an answer that could not be written whole is a failure, told,
 * whatever the command returned. */
void cli_close_stdout(void);
/* Makes somebody else's text fit for a terminal, in place. */
void cli_clean(char *text);

/* Parses a whole command line; exits with 2 on a wrong one. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* At ARGP_KEY_ARG, where no argument belongs: exits with 2. */
void cli_unexpected(struct argp_state *state, const char *arg);

/* A line of JSON on standard output. */
struct cli_json {
	struct buf text;
	struct json_writer w;
};
void cli_json_begin(struct cli_json *j);
void cli_json_end(struct cli_json *j); /* prints it */
/* A daemon's own JSON, on one line. */
void cli_print_line(struct buf *answer);

/* "-" is standard input. what: "a pack". CLI_OK, or told. */
int cli_read_file(const char *path, const char *what, struct buf *to);

/* "0.5 ETH", "1,000 wei": short and exact. */
struct cli_text {
	char s[96];
};
struct cli_text cli_wei(struct u256 wei);
/* "in 7 s", "3 min ago", "just now", "never" for 0; now and then in unix
 * seconds. */
struct cli_text cli_when(uint64_t then, uint64_t now);
/* "8 s", "36 h", "30 days" */
struct cli_text cli_duration(uint64_t seconds);

/* A daemon's text with its unix times as times of the day. */
struct cli_line {
	char s[320];
};
struct cli_line cli_times(const char *text, uint64_t now);
/* "  what       text", in as many lines as it takes. */
void cli_wrap(const char *what, const char *text);

/* Parse an argument or exit with 2 and a clear line. */
struct address cli_address(struct argp_state *state, const char *option,
			   const char *text);
struct hash32 cli_hash(struct argp_state *state, const char *option,
		       const char *text);
uint64_t cli_u64(struct argp_state *state, const char *option,
		 const char *text);
struct u256 cli_amount(struct argp_state *state, const char *option,
		       const char *text);

#endif
