/* The part of the configuration that watcher and relayer share, as one struct
 * and one list of fields, so that it is written, checked and explained once.
 *
 *   struct watcher_config { struct settings shared; … };
 *   static const struct config_field fields[] = {
 *           SETTINGS_FIELDS(offsetof(struct watcher_config, shared), "peers"),
 *           {"guardian", CONFIG_ADDRESS, …},
 *           {NULL},
 *   };
 *   config.shared = settings_defaults();
 *   config_read(path, fields, &config, &c, &error); settings_check(…); */
#ifndef EGRESS_SYS_SETTINGS_H
#define EGRESS_SYS_SETTINGS_H

#include "sys/config.h"

#define SETTINGS_PROVIDERS_MAX 16
#define SETTINGS_PEERS_MAX     64
#define SETTINGS_WARNINGS_MAX  8 /* more at a start are not read */

/* What decisions rest on.  AUTO: finalized, and safe while finality takes
 * longer than a quarter of slaWindow. */
enum settings_act_on {
	ACT_ON_AUTO,
	ACT_ON_FINALIZED,
	ACT_ON_SAFE,
	ACT_ON_CONFIRMATIONS,
};

struct settings_provider { /* one of providers.list */
	char *name, *url;
	char *headers_file;  /* NULL: none; "Name: value" lines */
	uint64_t weight;     /* absent: 1 */
	uint64_t rate;	     /* requests a second; absent: 25 */
	uint64_t timeout_ms; /* absent: 3 s */
};

struct settings_chain {
	uint64_t id;
	struct hash32 genesis; /* block 0's hash, when genesis_set */
	bool genesis_set;
	struct address hatch;
	int act_on;		/* enum settings_act_on */
	uint64_t confirmations; /* with ACT_ON_CONFIRMATIONS */
	uint64_t from; /* first L1 block to follow: the deployment's, or less */
};

struct settings_providers {
	uint64_t quorum; /* sum of weights that must agree; 0 in the file's
			  * absence: settings_check() sets the majority */
	struct config_list list; /* of struct settings_provider */
};

struct settings_http {
	struct config_listen listen;
	bool listen_set; /* false: no HTTP server */
	uint64_t threads, connections;
};

struct settings_store {
	char *path;
	uint64_t map_size; /* bytes */
};

struct settings {
	const struct config *file; /* where they stand; NULL: nowhere */
	struct settings_chain chain;
	struct settings_providers providers;
	uint64_t poll_ms;
	struct settings_http http;
	struct settings_store store;
	struct settings_log {
		int level; /* position in error warn notice info debug:
			    * settings_log_level() */
	} log;
	struct config_list peers; /* of char *: URLs */
};

extern const struct config_field settings_chain_fields[];
extern const struct config_field settings_providers_fields[];
extern const struct config_field settings_http_fields[];
extern const struct config_field settings_store_fields[];
extern const struct config_field settings_log_fields[];

/* offset: of the struct settings in the program's own struct; peers_name:
 * what the list of URLs is called there ("peers", "watchers"). */
#define SETTINGS_FIELDS(at, peers_name)                                        \
	{"chain",                                                              \
	 CONFIG_GROUP,                                                         \
	 (at) + offsetof(struct settings, chain),                              \
	 .required = true,                                                     \
	 .hint = "add chain: {id, hatch}",                                     \
	 .fields = settings_chain_fields},                                     \
		{"providers",                                                  \
		 CONFIG_GROUP,                                                 \
		 (at) + offsetof(struct settings, providers),                  \
		 .required = true,                                             \
		 .hint = "add providers: {list: [{name, url}]}",               \
		 .fields = settings_providers_fields},                         \
		{"poll", CONFIG_DURATION,                                      \
		 (at) + offsetof(struct settings, poll_ms), .min = 100,        \
		 .max = 60000},                                                \
		{"http", CONFIG_GROUP, (at) + offsetof(struct settings, http), \
		 .fields = settings_http_fields},                              \
		{"store",                                                      \
		 CONFIG_GROUP,                                                 \
		 (at) + offsetof(struct settings, store),                      \
		 .required = true,                                             \
		 .hint = "add store: {path: FOLDER}",                          \
		 .fields = settings_store_fields},                             \
		{"log", CONFIG_GROUP, (at) + offsetof(struct settings, log),   \
		 .fields = settings_log_fields},                               \
	{                                                                      \
		peers_name, CONFIG_LIST,                                       \
			(at) + offsetof(struct settings, peers),               \
			.element_type = CONFIG_URL,                            \
			.element_size = sizeof(char *),                        \
			.max_items = SETTINGS_PEERS_MAX                        \
	}

struct settings settings_defaults(void);
struct settings_warnings { /* lines to log */
	size_t n;
	struct err_text lines[SETTINGS_WARNINGS_MAX];
};
/* After reading: provider names and URLs distinct, quorum reachable,
 * confirmations given when they are needed; fills what was left to us (quorum,
 * weights). ERR_INVALID: the line in error. Warns of quorums that can disagree,
 * of a provider that nobody can contradict, of credentials that others may
 * read, of listening beyond loopback.
 */
MUST_CHECK enum err settings_check(const struct config *c, struct settings *s,
				   struct settings_warnings *ret_warnings,
				   struct err_text *error);
/* "file:line:col: field: …", by its dotted path: config_complain() where there
 * is a file, else without its place. */
void settings_complain(const struct settings *s, const char *path,
		       struct err_text *error, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* Two URLs of one endpoint: one under two names would be a quorum of one. */
bool settings_same_url(const char *a, const char *b);
/* A URL as it may be shown: without credentials, and without a path that may
 * hold a key. */
struct settings_url {
	char s[128];
};
struct settings_url settings_url_shown(const char *url);
const struct settings_provider *settings_provider(const struct settings *s,
						  size_t i);
const char *settings_peer(const struct settings *s, size_t i);
/* The position in log.level as enum log_level. */
int settings_log_level(const struct settings *s);

#endif
