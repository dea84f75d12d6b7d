#include "sys/settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "sys/log.h"

static const char *const act_on_names[] = {"auto", "finalized", "safe",
					   "confirmations", NULL};
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
	 offsetof(struct settings_chain, confirmations), .min = 1, .max = 1000,
	 .hint = "say how many blocks deep one is acted on: a newer one may "
		 "be taken back"},
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

/* Behind the scheme and whatever credentials there are. */
static const char *place_of(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	for (const char *c = host; *c && *c != '/'; c++)
		if (*c == '@')
			host = c + 1;
	return host;
}

bool settings_same_url(const char *a, const char *b)
{
	const char *x = place_of(a), *y = place_of(b);
	size_t n = strlen(x), m = strlen(y);

	n -= n && x[n - 1] == '/';
	m -= m && y[m - 1] == '/';
	return n == m && strncasecmp(x, y, n) == 0 &&
	       strncasecmp(a, b, strcspn(a, ":")) == 0;
}

#define KEY_MIN 16 /* characters in a row that are no word of a path */

struct settings_url settings_url_shown(const char *url)
{
	const char *host = place_of(url);
	size_t len = strcspn(host, "/?#"), longest = 0;
	struct settings_url shown;

	for (const char *c = host + len; *c; c += *c != 0) {
		size_t word = strcspn(c + 1, "/?#&=");
		longest = word > longest ? word : longest;
		c += word;
	}
	snprintf(shown.s, sizeof(shown.s), "%.*s://%.*s%s",
		 (int)strcspn(url, ":"), url, (int)len, host,
		 longest >= KEY_MIN ? "/…" : host + len);
	return shown;
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
		if (name)
			config_complain(c, path, error,
					"\"%.60s\" is list[%zu]'s: give each "
					"provider its own name",
					p->name, j);
		else /* it may hold a key: it is not shown */
			config_complain(c, path, error,
					"the same as list[%zu]'s: a quorum "
					"takes endpoints of their own; to "
					"count one more, give it a weight",
					j);
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

static struct err_text *next_line(struct settings_warnings *w,
				  struct err_text *spare)
{
	return w->n < SETTINGS_WARNINGS_MAX ? &w->lines[w->n++] : spare;
}

static void warn_of_listen(const struct config *c, const struct settings *s,
			   struct settings_warnings *w)
{
	struct err_text spare;

	if (!s->http.listen_set || is_loopback(s->http.listen.host))
		return;
	config_complain(c, "http.listen", next_line(w, &spare),
			"not loopback: whoever reaches this machine reaches "
			"it, without TLS: listen on 127.0.0.1 behind a "
			"reverse proxy");
}

/* Keys of an RPC plan that everybody on this machine may read. */
static void warn_of_headers(const struct config *c, const struct settings *s,
			    struct settings_warnings *w)
{
	struct err_text spare;
	struct stat st;
	char path[64];

	for (size_t i = 0; i < s->providers.list.n; i++) {
		const char *file = provider(s, i)->headers_file;
		if (!file || stat(file, &st) || !(st.st_mode & S_IRWXO))
			continue;
		snprintf(path, sizeof(path), "providers.list[%zu].headers_file",
			 i);
		config_complain(c, path, next_line(w, &spare),
				"others may read it: chmod o= %.120s", file);
	}
}

static void warn_of_weight(const struct config *c, const struct settings *s,
			   struct settings_warnings *w)
{
	struct err_text spare;

	for (size_t i = 0; i < s->providers.list.n; i++)
		if (provider(s, i)->weight >= s->providers.quorum)
			config_complain(c, "providers.quorum",
					next_line(w, &spare),
					"%.40s alone weighs as much: it is "
					"believed whatever the others say: "
					"give it less weight, or raise the "
					"quorum",
					provider(s, i)->name);
}

static void warn_of_quorum(const struct config *c, const struct settings *s,
			   uint64_t weight, struct settings_warnings *w)
{
	struct err_text spare;

	if (s->providers.list.n == 1)
		config_complain(c, "providers.list", next_line(w, &spare),
				"one provider alone: nobody can contradict "
				"it, what it says of L1 is believed: add "
				"providers of other owners");
	if (s->providers.quorum * 2 <= weight)
		config_complain(c, "providers.quorum", next_line(w, &spare),
				"two quorums of %llu can disagree, weights are "
				"%llu in all: more than half is safe",
				(unsigned long long)s->providers.quorum,
				(unsigned long long)weight);
	else if (s->providers.list.n > 1)
		warn_of_weight(c, s, w);
}

enum err settings_check(const struct config *c, struct settings *s,
			struct settings_warnings *ret_warnings,
			struct err_text *error)
{
	uint64_t weight;
	enum err err = check_providers(c, s, &weight, error);

	if (err)
		return err;
	s->file = c;
	ret_warnings->n = 0;
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
	warn_of_quorum(c, s, weight, ret_warnings);
	warn_of_headers(c, s, ret_warnings);
	warn_of_listen(c, s, ret_warnings);
	bool counted = s->chain.act_on == ACT_ON_CONFIRMATIONS;
	if (counted == (s->chain.confirmations != 0))
		return OK;
	config_complain(c, counted ? "chain.act_on" : "chain.confirmations",
			error, "%s",
			counted ? "without a number: add confirmations: N"
				: "not used: write act_on: confirmations");
	return ERR_INVALID;
}

void settings_complain(const struct settings *s, const char *path,
		       struct err_text *error, const char *format, ...)
{
	char what[sizeof(error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (s->file)
		config_complain(s->file, path, error, "%s", what);
	else
		err_text_set(error, "%s: %s", path, what);
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
