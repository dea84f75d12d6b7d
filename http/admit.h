/* Which requests are let in, by URL and headers alone.  Pure.
 *
 * What two readers of one request could read differently (a proxy in front
 * and we) is not served. */
#ifndef EGRESS_HTTP_ADMIT_H
#define EGRESS_HTTP_ADMIT_H

#include "http/server.h"

struct admit_facts { /* zero at first */
	bool url_bad, url_long, length_bad, name_bad;
	unsigned hosts, lengths, encodings;
	size_t bytes; /* of headers */
	uint64_t length;
};

struct admit_refusal {
	unsigned status;
	const char *code, *message, *hint;
};

void admit_url(struct admit_facts *f, const char *raw);
void admit_header(struct admit_facts *f, const char *name, const char *value);
/* NULL: let in.  After a refusal the connection is closed. */
const struct admit_refusal *admit_check(const struct admit_facts *f);

#endif
