/* L1 for one command: see session.h. */
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "sys/clock.h"

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
	for (char *url = s->urls, *end; url && n < CLI_RPC_MAX; url = end) {
		end = strchr(url, ',');
		if (end)
			*end++ = '\0';
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

enum err session_read_once(struct session *s, struct address hatch,
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
		err = session_read_once(s, hatch, at, why);
		if (!err || err == ERR_INVALID || clock_mono_ms() >= end)
			return err;
		session_wait(s, RETRY_MS);
	}
}

struct number_wait {
	bool done;
	enum err err;
	uint64_t number;
};

static void number_arrived(void *ctx, const struct quorum_result *results,
			   size_t n)
{
	struct number_wait *wait = ctx;
	struct json_reader r = {0};

	(void)n;
	wait->done = true;
	wait->err = results[0].err;
	if (wait->err)
		return;
	if (json_is_null(results[0].result, NULL)) {
		wait->err = ERR_NOT_FOUND;
		return;
	}
	wait->number = json_quantity(&r, results[0].result, "number");
	wait->err = r.failed ? ERR_INVALID : OK;
}

enum err session_block_number(struct session *s, struct hash32 hash,
			      uint64_t *ret)
{
	static const char *const fields[] = {"hash", "number", NULL};
	struct number_wait wait = {0};
	char params[96];
	struct rpc_call call = {.method = "eth_getBlockByHash",
				.fields = fields};
	enum err err;

	snprintf(params, sizeof(params), "[\"%s\",false]", hash_text(hash).s);
	call.params = slice_str(params);
	err = quorum_ask(l1_quorum(s->l1), &call, 1, QUORUM_AGREE, PROVIDER_MS,
			 number_arrived, &wait);
	if (!err)
		err = l1_wait(s->l1, &wait.done, 2 * PROVIDER_MS);
	if (err)
		quorum_cancel(l1_quorum(s->l1), &wait);
	*ret = wait.number;
	return err ? err : wait.err;
}

int session_facts_at_head(struct session *s, struct address hatch)
{
	struct err_text why = {0};
	struct block_ref head = l1_view(s->l1)->head;

	if (!session_read(s, hatch, &head, &why))
		return CLI_OK;
	return cli_fail("--hatch %s: %s", address_text(hatch).s, why.text);
}
