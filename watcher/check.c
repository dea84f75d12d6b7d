#include "watcher/check.h"

#include "abi/hex.h"
#include "l1/check.h"
#include "sys/log.h"
#include "watcher/windows.h"

static enum err compare(const struct watcher_config *c,
			const struct hatch_facts *f, struct err_text *error)
{
	bool among = !c->guardian_set;

	for (size_t i = 0; i < f->n_guardians; i++)
		among = among || address_eq(f->guardians[i], c->guardian);
	if (!among) {
		settings_complain(&c->shared, "guardian", error,
				  "%s is not among the hatch's guardians",
				  address_text(c->guardian).s);
		return ERR_REFUSED;
	}
	return OK;
}

static enum err compare_windows(const struct watcher_config *c,
				const struct hatch_facts *f,
				const struct l1_view *view,
				struct err_text *error)
{
	uint64_t head = view->head.time, acted = view->acted.time;
	struct settings_warnings w;
	enum err err = windows_judge(c, &f->terms, error);

	if (err)
		return err;
	windows_warn(c, &f->terms, head > acted ? head - acted : 0, &w);
	for (size_t i = 0; i < w.n; i++)
		log_warn(w.lines[i].text);
	return OK;
}

/* A ballot for no hatch: the answer tells whether the key is there. */
static enum err check_key(const struct watcher_config *c,
			  struct err_text *error)
{
	struct ask ask = {
		.kind = ASK_BALLOT,
		.key = c->guardian,
		.vote = {.chain_id = c->shared.chain.id, .action = VOTE_OPEN},
	};

	return check_signer(c->signer, &ask, CHECK_SIGNER_MS, "guardian",
			    error);
}

enum err check_world(const struct watcher_config *c, struct err_text *error)
{
	struct http_client *http = http_client_new();
	struct hatch_facts facts;
	struct l1 *l1 = NULL;
	enum err err = http ? OK : ERR_FULL;

	err_text_set(error, "out of memory");
	if (!err)
		err = l1_new(&c->shared, http, &l1, error);
	if (!err)
		err = check_hatch(l1, &c->shared, CHECK_L1_MS, &facts, error);
	if (!err)
		err = compare(c, &facts, error);
	if (!err)
		err = compare_windows(c, &facts, l1_view(l1), error);
	if (!err && c->signer)
		err = check_key(c, error);
	l1_free(l1);
	http_client_free(http);
	return err;
}
