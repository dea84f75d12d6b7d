/* L1 for one command: see session.h. */
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "sys/clock.h"
#include "sys/config_value.h"

#define POLL_MS	    250
#define PROVIDER_MS 5000
#define RATE	    100 /* requests a second to one provider */
#define RETRY_MS    300

/* Splits --rpc at its commas into settings' providers. */
static int split_providers(struct session *s, const char *rpc)
{
	size_t n = 0;

	s->urls = strdup(rpc);
	if (!s->urls)
		return cli_fail("out of memory");
	for (char *url = s->urls, *end; url; url = end) {
		end = strchr(url, ',');
		if (end)
			*end++ = '\0';
		if (!config_value_is_url(url))
			return cli_fail("--rpc: \"%s\" is not an http:// or "
					"https:// URL",
					url);
		if (n == CLI_RPC_MAX)
			return cli_fail("--rpc: more than %d endpoints",
					CLI_RPC_MAX);
		snprintf(s->names[n], sizeof(s->names[n]), "endpoint %zu",
			 n + 1);
		s->providers[n] =
			(struct settings_provider){.name = s->names[n],
						   .url = url,
						   .weight = 1,
						   .rate = RATE,
						   .timeout_ms = PROVIDER_MS};
		n++;
	}
	s->settings.providers.list =
		(struct config_list){.items = s->providers, .n = n};
	s->settings.providers.quorum = n / 2 + 1;
	return CLI_OK;
}

static int connect_l1(struct session *s, const struct where *where)
{
	struct err_text error = {0};

	s->settings = settings_defaults();
	s->settings.chain.id = where->chain_id;
	s->settings.chain.hatch = where->hatch;
	s->settings.poll_ms = POLL_MS;
	if (split_providers(s, where->rpc))
		return CLI_FAILED;
	s->http = http_client_new();
	if (l1_new(&s->settings, s->http, &s->l1, &error))
		return cli_fail("%s", error.text);
	if (l1_wait_healthy(s->l1, where->timeout_ms, &error))
		return cli_fail("%s (through %s)", error.text, where->rpc);
	return CLI_OK;
}

int session_open(struct session *s, const struct where *where, bool facts)
{
	struct err_text why = {0};

	memset(s, 0, sizeof(*s));
	s->timeout_ms = where->timeout_ms;
	if (!where->rpc)
		return cli_fail("--rpc is missing: give an L1 endpoint's URL");
	if (facts && !where->hatch_set)
		return cli_fail("--hatch is missing: give the EscapeHatch's "
				"address");
	if (connect_l1(s, where))
		return CLI_FAILED;
	if (facts &&
	    session_read(s, where->hatch, &l1_view(s->l1)->acted, &why))
		return cli_fail("--hatch %s: %s", address_text(where->hatch).s,
				why.text);
	return CLI_OK;
}

void session_close(struct session *s)
{
	l1_free(s->l1);
	if (s->http)
		http_client_free(s->http);
	free(s->urls);
	*s = (struct session){0};
}

void session_wait(struct session *s, uint64_t ms)
{
	bool never = false;

	(void)!l1_wait(s->l1, &never, ms);
}

struct facts_wait {
	struct session *s;
	struct err_text *why;
	bool done;
	enum err err;
};

static void facts_arrived(void *ctx, enum err err, const char *why,
			  const struct hatch_facts *facts)
{
	struct facts_wait *wait = ctx;

	wait->done = true;
	wait->err = err;
	if (err)
		err_text_set(wait->why, "%s", why);
	else
		wait->s->facts = *facts;
}

static enum err read_once(struct session *s, struct address hatch,
			  const struct block_ref *at, struct err_text *why)
{
	struct facts_wait wait = {.s = s, .why = why};
	enum err err = hatch_read(s->l1, hatch, at, facts_arrived, &wait);

	if (!err)
		err = l1_wait(s->l1, &wait.done, s->timeout_ms);
	if (!err)
		return wait.err;
	hatch_cancel(s->l1, &wait);
	err_text_set(why, "L1 does not answer");
	return err;
}

enum err session_read(struct session *s, struct address hatch,
		      const struct block_ref *at, struct err_text *why)
{
	uint64_t end = clock_mono_ms() + s->timeout_ms;
	enum err err;

	for (;;) {
		err = read_once(s, hatch, at, why);
		if (!err || err == ERR_INVALID || clock_mono_ms() >= end)
			return err;
		session_wait(s, RETRY_MS);
	}
}

int session_facts_at_head(struct session *s, struct address hatch)
{
	struct err_text why = {0};
	struct block_ref head = l1_view(s->l1)->head;

	if (!session_read(s, hatch, &head, &why))
		return CLI_OK;
	return cli_fail("--hatch %s: %s", address_text(hatch).s, why.text);
}
