#include "http/admit.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

void admit_url(struct admit_facts *f, const char *raw)
{
	f->url_long = strlen(raw) > HTTP_URL_MAX;
	/* a decoded NUL would cut the path short */
	f->url_bad = raw[0] != '/' || strstr(raw, "%00");
}

static void take_length(struct admit_facts *f, const char *value)
{
	char *end = NULL;
	f->lengths++;
	if (!value || value[0] < '0' || value[0] > '9') {
		f->length_bad = true;
		return;
	}
	errno = 0;
	f->length = strtoull(value, &end, 10);
	f->length_bad |= errno || *end;
}

/* RFC 9110, 5.6.2: "token = 1*tchar".  "Content-Length " is no header here and
 * perhaps one to a proxy. */
static bool is_token(const char *name)
{
	static const char tchar[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	return *name && !name[strspn(name, tchar)];
}

void admit_header(struct admit_facts *f, const char *name, const char *value)
{
	f->bytes += strlen(name) + (value ? strlen(value) : 0) + 4;
	f->name_bad |= !is_token(name);
	if (!strcasecmp(name, "Host"))
		f->hosts++;
	else if (!strcasecmp(name, "Transfer-Encoding"))
		f->encodings++;
	else if (!strcasecmp(name, "Content-Length"))
		take_length(f, value);
}

const struct admit_refusal *admit_check(const struct admit_facts *f)
{
	static const struct admit_refusal
		url_long = {414, "too_large", "URL over 2048 characters",
			    "shorten it"},
		headers = {431, "too_large", "headers over 16 KiB",
			   "send fewer"},
		body = {413, "too_large", "body over 64 KiB", "send less"},
		ambiguous = {400, "bad_field", "ambiguous request",
			     "one Host, one Content-Length or "
			     "Transfer-Encoding, names of token characters, "
			     "a path from /"};
	if (f->url_long)
		return &url_long;
	if (f->bytes > HTTP_HEADERS_MAX)
		return &headers;
	if (f->url_bad || f->hosts > 1 || f->lengths > 1 || f->encodings > 1 ||
	    (f->lengths && f->encodings) || f->length_bad || f->name_bad)
		return &ambiguous;
	return f->length > HTTP_BODY_MAX ? &body : NULL;
}
