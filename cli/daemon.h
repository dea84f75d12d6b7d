/* A watcher's or a relayer's HTTP API, asked once and waited for. */
#ifndef EGRESS_CLI_DAEMON_H
#define EGRESS_CLI_DAEMON_H

#include "abi/json.h"
#include "cli/common.h"

#define DAEMON_ANSWER_MAX (4u << 20) /* a list of every ballot fits */

/* GET (body.p NULL) or POST of JSON. Appends the answer, whatever its status.
 * CLI_OK: there is one; else told. */
int daemon_ask(const char *base, const char *path, struct slice body,
	       const char *accept, long *ret_status, struct buf *answer);
/* The same, and an answer other than 2xx is told in its own words. */
int daemon_ask_ok(const char *base, const char *path, struct slice body,
		  const char *accept, struct buf *answer);
/* The same, parsed; the caller frees *ret. */
int daemon_ask_json(const char *base, const char *path, struct slice body,
		    struct buf *answer, struct json_doc **ret);
/* After the answer's fields were read: CLI_OK, or which one is wrong, told. */
int daemon_told(const char *base, const char *path,
		const struct json_reader *r);

#endif
