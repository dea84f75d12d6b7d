#include "l1/fault.h"

#include <stddef.h>
#include <string.h>

const char *fault_name(enum fault fault)
{
	switch (fault) {
	case FAULT_UNREACHABLE:
		return "unreachable";
	case FAULT_TOO_LARGE:
		return "too_large";
	case FAULT_STATUS:
		return "status";
	case FAULT_THROTTLED:
		return "throttled";
	case FAULT_HTML:
		return "html";
	case FAULT_NOT_JSON:
		return "not_json";
	case FAULT_SHAPE:
		return "shape";
	case FAULT_REFUSED:
		return "refused";
	case FAULT_UNHASHED:
		return "unhashed";
	case FAULT_NO_BLOCK:
		return "no_block";
	}
	return "";
}

const char *fault_status_hint(long status)
{
	if (status >= 300 && status < 400)
		return ": redirects are not followed: give the URL it leads to";
	if (status == 401 || status == 403)
		return ": it wants a key: put one into its headers_file or URL";
	if (status == 404)
		return ": nothing is there: check the URL's path";
	if (status == 429)
		return ": its rate limit: lower its rate";
	return "";
}

const char *fault_text_hint(const char *text)
{
	static const struct {
		const char *words, *hint;
	} table[] = {
		{"wrong version number", ": it speaks no TLS: write http://"},
		{"certificate", ": its certificate is not trusted here: check "
				"the URL and this machine's CA certificates"},
		{"resolve host", ": check the URL's name"},
		{"connect to", ": does it run, is the port right?"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcasestr(text, table[i].words))
			return table[i].hint;
	return "";
}
