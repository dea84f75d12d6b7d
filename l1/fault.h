/* What a provider may do wrong without contradicting anything: it is counted,
 * named and asked again later.  Pure. */
#ifndef EGRESS_L1_FAULT_H
#define EGRESS_L1_FAULT_H

enum fault {
	FAULT_UNREACHABLE, /* no status: no connection, TLS, time ran out */
	FAULT_TOO_LARGE,   /* above what may be answered */
	FAULT_STATUS,	   /* another HTTP status than 200 */
	FAULT_THROTTLED,   /* its rate limit */
	FAULT_HTML,	   /* a web page */
	FAULT_NOT_JSON,	   /* cut, or never was */
	FAULT_SHAPE,	   /* no batch's answer: a wrong id, too few */
	FAULT_REFUSED,	   /* one error for the whole batch */
	FAULT_UNHASHED,	   /* a block that does not hash to its hash */
	FAULT_NO_BLOCK,	   /* it does not tell its head, depth or identity */
};
#define FAULT_KINDS (FAULT_NO_BLOCK + 1)

/* "unreachable", "html", … */
const char *fault_name(enum fault fault);
/* What to do about an HTTP status that is not 200; "" when nothing is known. */
const char *fault_status_hint(long status);
/* The same of a transfer that failed, by the transport's own words. */
const char *fault_text_hint(const char *text);

#endif
