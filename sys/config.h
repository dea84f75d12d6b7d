/* YAML configuration through libyaml's document API and one table of fields.
 *
 * Every complaint reads file:line:col: field: what: what to do
 *   watcher.yaml:7:9: providers.list[1].url: missing: give the endpoint's URL
 * Unknown and duplicate fields are refused.  Nothing is read twice. */
#ifndef EGRESS_SYS_CONFIG_H
#define EGRESS_SYS_CONFIG_H

#include "abi/err.h"
#include "abi/types.h"
#include "abi/u256.h"

#define CONFIG_BYTES_MAX 262144
#define CONFIG_TEXT_MAX	 512 /* characters in one value */

enum config_type {
	CONFIG_STRING,	 /* char * (owned by the config) */
	CONFIG_PATH,	 /* char *, made absolute against the file's folder */
	CONFIG_URL,	 /* char *, http:// or https:// */
	CONFIG_BOOL,	 /* bool: true, false */
	CONFIG_U64,	 /* uint64_t */
	CONFIG_DURATION, /* uint64_t ms: 250ms 3s 10m 2h 1d */
	CONFIG_SIZE,	 /* uint64_t bytes: 512 KiB, 16 GiB */
	CONFIG_RATE,	 /* uint64_t a second: 25/s */
	CONFIG_AMOUNT,	 /* struct u256 wei: 5 gwei, 1.5 ether, 300 wei */
	CONFIG_PERCENT,	 /* uint64_t hundredths of a percent: 12.5% = 1250 */
	CONFIG_ADDRESS,	 /* struct address */
	CONFIG_HASH,	 /* struct hash32 */
	CONFIG_ENUM,	 /* int: position in `names` */
	CONFIG_LISTEN,	 /* struct config_listen: 127.0.0.1:8080 */
	CONFIG_GROUP, /* nested mapping: `fields` at the same base + offset */
	CONFIG_LIST,  /* struct config_list: of groups (element_size,
		       * fields) or of scalars (element_type) */
};

struct config_listen {
	char host[64]; /* numeric */
	uint16_t port; /* 0: the kernel chooses */
};

struct config_list {
	void *items; /* element_size × n, owned by the config */
	size_t n;
};

struct config_field {
	const char *name;
	enum config_type type;
	size_t offset;
	bool required;
	const char *hint;	  /* what to do when it is missing or wrong */
	uint64_t min, max;	  /* numbers; max 0: no bound */
	const char *const *names; /* CONFIG_ENUM, NULL-terminated */
	const struct config_field *fields; /* GROUP, LIST of groups; ends with
					    * a NULL name */
	enum config_type element_type;	   /* LIST of scalars */
	size_t element_size;
	size_t max_items;
	size_t set_offset; /* if not 0: a bool there becomes true when given */
};

struct config; /* owns the strings and lists; keep it while they are used */

/* Fills *base (preset it with the defaults). ERR_IO: cannot be read;
 * ERR_INVALID; the line for the human in error. */
MUST_CHECK enum err config_read(const char *path,
				const struct config_field *fields, void *base,
				struct config **ret, struct err_text *error);
void config_free(struct config *c);
/* "file:line:col: " of a field by its dotted path ("chain.hatch"), for checks
 * that come after reading; "file: " when the field was not given. */
void config_complain(const struct config *c, const char *path,
		     struct err_text *error, const char *format, ...)
	PRINTF_LIKE(4, 5);

#endif
