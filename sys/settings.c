#include "sys/settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sys/log.h"

static const char *const act_on_names[] = {"finalized", "safe", "confirmations",
					   NULL};
static const char *const level_names[] = {"error", "warn",  "notice",
					  "info",  "debug", NULL};
static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN,
					LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
					LOG_LEVEL_DEBUG};

#define LEVEL_INFO 3 /* in level_names */

const struct config_field settings_chain_fields[] = {
	{"id", CONFIG_U64, offsetof(struct settings_chain, id),
	 .required = true, .hint = "give the chain's EIP-155 number", .min = 1},
	{"genesis", CONFIG_HASH, offsetof(struct settings_chain, genesis),
	 .set_offset = offsetof(struct settings_chain, genesis_set)},
	{"hatch", CONFIG_ADDRESS, offsetof(struct settings_chain, hatch),
	 .required = true, .hint = "give the EscapeHatch's address"},
	{"act_on", CONFIG_ENUM, offsetof(struct settings_chain, act_on),
	 .names = act_on_names},
	{"confirmations", CONFIG_U64,
	 offsetof(struct settings_chain, confirmations), .min = 1, .max = 1000},
	{"from", CONFIG_U64, offsetof(struct settings_chain, from)},
	{NULL},
};

static const struct config_field provider_fields[] = {
	{"name", CONFIG_STRING, offsetof(struct settings_provider, name),
	 .required = true, .hint = "give a short name for logs and alerts"},
	{"url", CONFIG_URL, offsetof(struct settings_provider, url),
	 .required = true, .hint = "give the endpoint's URL"},
	{"headers_file", CONFIG_PATH,
	 offsetof(struct settings_provider, headers_file)},
	{"weight", CONFIG_U64, offsetof(struct settings_provider, weight),
	 .min = 1, .max = 100},
	{"rate", CONFIG_RATE, offsetof(struct settings_provider, rate),
	 .min = 1, .max = 10000},
	{"timeout", CONFIG_DURATION,
	 offsetof(struct settings_provider, timeout_ms), .min = 100,
	 .max = 60000},
	{NULL},
};

const struct config_field settings_providers_fields[] = {
	{"quorum", CONFIG_U64, offsetof(struct settings_providers, quorum),
	 .min = 1, .max = 100ULL * SETTINGS_PROVIDERS_MAX},
	{"list", CONFIG_LIST, offsetof(struct settings_providers, list),
	 .required = true, .hint = "list the L1 endpoints: [{name, url}]",
	 .fields = provider_fields,
	 .element_size = sizeof(struct settings_provider),
	 .max_items = SETTINGS_PROVIDERS_MAX},
	{NULL},
};

const struct config_field settings_http_fields[] = {
	{"listen", CONFIG_LISTEN, offsetof(struct settings_http, listen),
	 .required = true,
	 .set_offset = offsetof(struct settings_http, listen_set)},
	{"threads", CONFIG_U64, offsetof(struct settings_http, threads),
	 .min = 1, .max = 16},
	{"connections", CONFIG_U64, offsetof(struct settings_http, connections),
	 .min = 1, .max = 10000},
	{NULL},
};

const struct config_field settings_store_fields[] = {
	{"path", CONFIG_PATH, offsetof(struct settings_store, path),
	 .required = true, .hint = "give the folder of the store"},
	{"map_size", CONFIG_SIZE, offsetof(struct settings_store, map_size),
	 .min = 1 << 20, .max = 1ULL << 44},
	{NULL},
};

const struct config_field settings_log_fields[] = {
	{"level", CONFIG_ENUM, offsetof(struct settings_log, level),
	 .names = level_names},
	{NULL},
};

struct settings settings_defaults(void)
{
	return (struct settings){
		.poll_ms = 2000,
		.http = {.threads = 2, .connections = 200},
		.store = {.map_size = 1ULL << 30},
		.log = {.level = LEVEL_INFO},
	};
}

static struct settings_provider *provider(const struct settings *s, size_t i)
{
	return (struct settings_provider *)s->providers.list.items + i;
}

bool settings_same_url(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	n -= n && a[n - 1] == '/';
	m -= m && b[m - 1] == '/';
	return n == m && strncasecmp(a, b, n) == 0;
}

/* Neither i's name nor its URL is that of one before it. */
static enum err check_distinct(const struct config *c, const struct settings *s,
			       size_t i, struct err_text *error)
{
	const struct settings_provider *p = provider(s, i);
	char path[64];

	for (size_t j = 0; j < i; j++) {
		bool name = strcmp(provider(s, j)->name, p->name) == 0;

		if (!name && !settings_same_url(provider(s, j)->url, p->url))
			continue;
		snprintf(path, sizeof(path), "providers.list[%zu].%s", i,
			 name ? "name" : "url");
		config_complain(c, path, error, "\"%.60s\" is list[%zu]'s: %s",
				name ? p->name : p->url, j,
				name ? "give each provider its own name"
				     : "a quorum takes endpoints of their own; "
				       "to count one more, give it a weight");
		return ERR_INVALID;
	}
	return OK;
}

static enum err check_providers(const struct config *c, struct settings *s,
				uint64_t *ret_weight, struct err_text *error)
{
	*ret_weight = 0;
	for (size_t i = 0; i < s->providers.list.n; i++) {
		struct settings_provider *p = provider(s, i);

		p->weight = p->weight ? p->weight : 1;
		p->rate = p->rate ? p->rate : 25;
		p->timeout_ms = p->timeout_ms ? p->timeout_ms : 3000;
		*ret_weight += p->weight;

		enum err err = check_distinct(c, s, i, error);

		if (err)
			return err;
	}
	if (s->providers.list.n)
		return OK;
	config_complain(c, "providers.list", error,
			"no provider: list at least one");
	return ERR_INVALID;
}

static bool is_loopback(const char *host)
{
	struct in_addr four;
	struct in6_addr six;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &six) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&six) ||
	       (IN6_IS_ADDR_V4MAPPED(&six) &&
		six.s6_addr[12] == IN_LOOPBACKNET);
}

static void warn_of_listen(const struct config *c, const struct settings *s,
			   struct err_text *ret_warning)
{
	if (!s->http.listen_set || is_loopback(s->http.listen.host))
		return;
	config_complain(c, "http.listen", ret_warning,
			"not loopback: whoever reaches this machine reaches "
			"it, without TLS: listen on 127.0.0.1 behind a "
			"reverse proxy");
}

enum err settings_check(const struct config *c, struct settings *s,
			struct err_text *ret_warning, struct err_text *error)
{
	uint64_t weight;
	enum err err = check_providers(c, s, &weight, error);

	if (err)
		return err;
	err_text_set(ret_warning, "%s", "");
	warn_of_listen(c, s, ret_warning); /* the quorum's weighs more */
	if (!s->providers.quorum)
		s->providers.quorum = weight / 2 + 1;
	if (s->providers.quorum > weight) {
		config_complain(c, "providers.quorum", error,
				"%llu can never be reached, all weights "
				"together are %llu: lower it",
				(unsigned long long)s->providers.quorum,
				(unsigned long long)weight);
		return ERR_INVALID;
	}
	if (s->providers.quorum * 2 <= weight)
		config_complain(c, "providers.quorum", ret_warning,
				"two quorums of %llu can disagree, weights are "
				"%llu in all: more than half is safe",
				(unsigned long long)s->providers.quorum,
				(unsigned long long)weight);
	bool counted = s->chain.act_on == ACT_ON_CONFIRMATIONS;
	if (counted == (s->chain.confirmations != 0))
		return OK;
	config_complain(c, counted ? "chain.act_on" : "chain.confirmations",
			error, "%s",
			counted ? "without a number: add confirmations: N"
				: "not used: write act_on: confirmations");
	return ERR_INVALID;
}

const struct settings_provider *settings_provider(const struct settings *s,
						  size_t i)
{
	return i < s->providers.list.n ? provider(s, i) : NULL;
}

const char *settings_peer(const struct settings *s, size_t i)
{
	return i < s->peers.n ? ((char **)s->peers.items)[i] : NULL;
}

int settings_log_level(const struct settings *s)
{
	return (int)levels[s->log.level];
}
