/* What the commands share: options for finding L1 and the daemons, one line
 * for an error, small files, and amounts and times as people read them. */
#ifndef EGRESS_CLI_COMMON_H
#define EGRESS_CLI_COMMON_H

#include <argp.h>
#include "abi/buf.h"
#include "abi/u256.h"

#define CLI_FILE_MAX   (1u << 20)
#define CLI_TIMEOUT_MS 20000

/* Exit statuses, as everywhere: 1 it did not work, 2 it was asked wrongly. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* "egress COMMAND: what: where: what to do" on stderr; returns CLI_FAILED. */
int cli_fail(const char *format, ...) PRINTF_LIKE(1, 2);
/* Makes somebody else's text fit for a terminal, in place. */
void cli_clean(char *text);

/* The options of every command that looks at L1 or asks a daemon. */
struct where {
	const char *rpc; /* URLs, with commas between */
	const char *watcher, *relayer;
	struct address hatch;
	bool hatch_set;
	uint64_t chain_id; /* 0: not given */
	uint64_t timeout_ms;
	bool json;
};
struct where where_defaults(void);
/* An argp child: its input is a struct where *. */
extern const struct argp where_argp;
/* Parses a whole command line; exits with 2 on a wrong one. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* "-" is standard input. CLI_OK, or told. */
int cli_read_file(const char *path, struct buf *to);

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
