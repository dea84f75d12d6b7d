/* A watcher's or a relayer's HTTP API, asked once and waited for. */
#ifndef EGRESS_CLI_DAEMON_H
#define EGRESS_CLI_DAEMON_H

#include "abi/json.h"
#include "cli/where.h"

#define DAEMON_ANSWER_MAX (4u << 20) /* a list of every ballot fits */

struct daemon {
	const char *base; /* URL */
	const char *kind; /* "watcher", "relayer" */
	uint64_t timeout_ms;
};
struct daemon daemon_watcher(const struct where *where);
struct daemon daemon_relayer(const struct where *where);

/* GET (body.p NULL) or POST of JSON. Appends the answer, whatever its status.
 * CLI_OK: there is one; else told. */
int daemon_ask(const struct daemon *d, const char *path, struct slice body,
	       const char *accept, long *ret_status, struct buf *answer);
/* The same, and an answer other than 2xx is told in its own words. */
int daemon_ask_ok(const struct daemon *d, const char *path, struct slice body,
		  const char *accept, struct buf *answer);
/* The same, parsed; the caller frees *ret. */
int daemon_ask_json(const struct daemon *d, const char *path, struct slice body,
		    struct buf *answer, struct json_doc **ret);
/* After the answer's fields were read: CLI_OK, or which one is wrong, told. */
int daemon_told(const struct daemon *d, const char *path,
		const struct json_reader *r);

#endif
