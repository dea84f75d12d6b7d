/* One scalar of a configuration as a typed value.  Pure: texts in, values
 * out; knows nothing of files or of YAML. */
#ifndef EGRESS_SYS_CONFIG_VALUE_H
#define EGRESS_SYS_CONFIG_VALUE_H

#include "sys/config.h"

/* Writes the value of a type without memory of its own (not STRING, PATH,
 * URL, GROUP, LIST) to `to`. ERR_INVALID: what is wrong in ret_what, "" when
 * the text is simply not of the type. */
MUST_CHECK enum err config_value_parse(const struct config_field *field,
				       const char *text, void *to,
				       struct err_text *ret_what);
/* "http://" or "https://", a host, no space; a port is 1 … 65535.
 * ERR_INVALID: what is wrong in ret_what, "" when it is simply no URL. */
MUST_CHECK enum err config_value_url(const char *text,
				     struct err_text *ret_what);
bool config_value_is_url(const char *text);
/* "2h", "90s", "250ms": as it may be written, in the largest unit that is
 * exact. */
struct config_text {
	char s[24];
};
struct config_text config_value_duration(uint64_t ms);
/* Bytes that a value of this type takes in a list. */
size_t config_value_size(enum config_type type);
/* "a duration" and "write 250ms, 3s, 10m, 2h or 1d" */
const char *config_value_noun(enum config_type type);
const char *config_value_advice(enum config_type type);

#endif
