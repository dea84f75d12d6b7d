/* Where L1 and the daemons are: see where.h. */
#include "cli/where.h"

#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "sys/config_value.h"
#include "sys/settings.h"

#define URL_MAX 1024

enum {
	OPT_RPC = 0x100,
	OPT_HATCH,
	OPT_CHAIN,
	OPT_WATCHER,
	OPT_RELAYER,
	OPT_TIMEOUT,
	OPT_JSON
};

#define RPC                                                                    \
	{                                                                      \
		"rpc", OPT_RPC, "URL[,URL…]", 0,                               \
			"L1 endpoints; a majority must agree", 1               \
	}
#define HATCH                                                                  \
	{                                                                      \
		"hatch", OPT_HATCH, "ADDRESS", 0, "the EscapeHatch contract",  \
			1                                                      \
	}
#define CHAIN                                                                  \
	{                                                                      \
		"chain-id", OPT_CHAIN, "N", 0, "refuse any other chain", 1     \
	}

static const struct argp_option l1_options[] = {RPC, HATCH, CHAIN, {0}};
static const struct argp_option place_options[] = {HATCH, CHAIN, {0}};
static const struct argp_option chain_options[] = {RPC, CHAIN, {0}};
static const struct argp_option watcher_options[] = {
	{"watcher", OPT_WATCHER, "URL", 0, "a watcher's HTTP address", 1}, {0}};
static const struct argp_option relayer_options[] = {
	{"relayer", OPT_RELAYER, "URL", 0, "a relayer's HTTP address", 1}, {0}};
static const struct argp_option timeout_options[] = {
	{"timeout", OPT_TIMEOUT, "SECONDS", 0, "how long to try (20)", 1}, {0}};
static const struct argp_option json_options[] = {
	{"json", OPT_JSON, 0, 0, "one line of JSON instead of text", 1}, {0}};

static void check_url(struct argp_state *state, const char *option,
		      const char *url, size_t len)
{
	char one[URL_MAX];

	snprintf(one, sizeof(one), "%.*s", (int)len, url);
	if (len >= sizeof(one) || !config_value_is_url(one))
		argp_error(state,
			   "%s: \"%s\" is not an http:// or https:// "
			   "URL",
			   option, one);
}

struct rpc_urls {
	size_t n;
	char url[CLI_RPC_MAX][URL_MAX];
};

/* A majority of endpoints: each has to be its own. */
static void add_rpc(struct argp_state *state, struct rpc_urls *all,
		    const char *url, size_t len)
{
	check_url(state, "--rpc", url, len);
	if (all->n == CLI_RPC_MAX)
		argp_error(state, "--rpc: more than %d endpoints", CLI_RPC_MAX);
	snprintf(all->url[all->n], URL_MAX, "%.*s", (int)len, url);
	for (size_t i = 0; i < all->n; i++)
		if (settings_same_url(all->url[i], all->url[all->n]))
			argp_error(state,
				   "--rpc: %s stands there twice: a majority "
				   "takes endpoints of their own",
				   all->url[i]);
	all->n++;
}

static void check_rpc(struct argp_state *state, const char *urls)
{
	struct rpc_urls all = {0};

	for (;; urls++) {
		size_t len = strcspn(urls, ",");
		add_rpc(state, &all, urls, len);
		urls += len;
		if (!*urls)
			return;
	}
}

static error_t where_parse(int key, char *arg, struct argp_state *state)
{
	struct where *w = state->input;
	uint64_t seconds;

	switch (key) {
	case OPT_RPC:
		check_rpc(state, arg);
		w->rpc = arg;
		return 0;
	case OPT_HATCH:
		w->hatch = cli_address(state, "--hatch", arg);
		w->hatch_set = true;
		return 0;
	case OPT_CHAIN:
		w->chain_id = cli_u64(state, "--chain-id", arg);
		return 0;
	case OPT_WATCHER:
		check_url(state, "--watcher", arg, strlen(arg));
		w->watcher = arg;
		return 0;
	case OPT_RELAYER:
		check_url(state, "--relayer", arg, strlen(arg));
		w->relayer = arg;
		return 0;
	case OPT_TIMEOUT:
		seconds = cli_u64(state, "--timeout", arg);
		if (!seconds || seconds > CLI_TIMEOUT_MAX_S)
			argp_error(state, "--timeout %s: give 1 to %d seconds",
				   arg, CLI_TIMEOUT_MAX_S);
		w->timeout_ms = 1000 * seconds;
		return 0;
	case OPT_JSON:
		w->json = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp where_l1 = {l1_options, where_parse, 0, 0, 0, 0, 0};
const struct argp where_place = {place_options, where_parse, 0, 0, 0, 0, 0};
const struct argp where_chain = {chain_options, where_parse, 0, 0, 0, 0, 0};
const struct argp where_watcher = {watcher_options, where_parse, 0, 0, 0, 0, 0};
const struct argp where_relayer = {relayer_options, where_parse, 0, 0, 0, 0, 0};
const struct argp where_timeout = {timeout_options, where_parse, 0, 0, 0, 0, 0};
const struct argp where_json = {json_options, where_parse, 0, 0, 0, 0, 0};

struct where where_defaults(void)
{
	return (struct where){.timeout_ms = CLI_TIMEOUT_MS};
}

void where_inputs(struct argp_state *state, const struct argp_child *children,
		  struct where *where, void *other)
{
	for (size_t i = 0; children[i].argp; i++)
		state->child_inputs[i] =
			children[i].argp->parser == where_parse ? where : other;
}

void where_need_l1(struct argp_state *state, const struct where *where)
{
	if (!where->rpc)
		argp_error(state, "--rpc is missing: give an L1 endpoint's "
				  "URL");
	if (!where->hatch_set)
		argp_error(state, "--hatch is missing: give the EscapeHatch's "
				  "address");
}

void where_need_watcher(struct argp_state *state, const struct where *where)
{
	if (!where->watcher)
		argp_error(state, "--watcher is missing: give any watcher's "
				  "URL");
}

void where_not_both(struct argp_state *state, bool a, bool b, const char *text)
{
	if (a && b)
		argp_error(state, "%s", text);
}

int where_agrees(const struct where *where, const char *name, uint64_t chain_id,
		 struct address hatch)
{
	if (where->chain_id && where->chain_id != chain_id)
		return cli_fail("%s: is of chain %" PRIu64 ", not of %" PRIu64,
				name, chain_id, where->chain_id);
	if (where->hatch_set && !address_eq(where->hatch, hatch))
		return cli_fail("%s: is of another hatch, %s, not of %s", name,
				address_text(hatch).s,
				address_text(where->hatch).s);
	return CLI_OK;
}
