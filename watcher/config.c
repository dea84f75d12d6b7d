#include "watcher/config.h"

#include "watcher/limits.h"

static const char *const policy_names[] = {"manual", "auto", NULL};

#define VOTE(member) offsetof(struct watcher_config, vote.member)

static const struct config_field ledger_fields[] = {
	{"nodes_from", CONFIG_U64,
	 offsetof(struct watcher_config, ledger.nodes_from) -
		 offsetof(struct watcher_config, ledger),
	 .max = 8, .hint = "0 … 8: 8 needs least memory, 0 is fastest"},
	{NULL},
};

static const struct config_field vote_fields[] = {
	{"promote", CONFIG_ENUM, VOTE(promote) - VOTE(promote),
	 .names = policy_names},
	{"open", CONFIG_ENUM, VOTE(open) - VOTE(promote),
	 .names = policy_names},
	{"hold_off", CONFIG_DURATION, VOTE(hold_off_ms) - VOTE(promote),
	 .max = 7ULL * 24 * 3600 * 1000},
	{NULL},
};

static const struct config_field standby_fields[] = {
	{"address", CONFIG_ADDRESS, offsetof(struct watcher_standby, address),
	 .required = true, .hint = "give the sequencer's L1 address"},
	{"probe", CONFIG_URL, offsetof(struct watcher_standby, probe)},
	{NULL},
};

static const struct config_field fields[] = {
	SETTINGS_FIELDS(offsetof(struct watcher_config, shared), "peers"),
	{"ledger", CONFIG_GROUP, offsetof(struct watcher_config, ledger),
	 .fields = ledger_fields},
	{"sla", CONFIG_DURATION, offsetof(struct watcher_config, sla_ms),
	 .min = 1000},
	{"signer", CONFIG_PATH, offsetof(struct watcher_config, signer)},
	{"guardian", CONFIG_ADDRESS, offsetof(struct watcher_config, guardian),
	 .set_offset = offsetof(struct watcher_config, guardian_set)},
	{"vote", CONFIG_GROUP, VOTE(promote), .fields = vote_fields},
	{"standbys", CONFIG_LIST, offsetof(struct watcher_config, standbys),
	 .fields = standby_fields,
	 .element_size = sizeof(struct watcher_standby),
	 .max_items = STANDBYS_MAX},
	{NULL},
};

static enum err check(const struct config *owner, struct watcher_config *c,
		      struct settings_warnings *ret_warnings,
		      struct err_text *error)
{
	enum err err = settings_check(owner, &c->shared, ret_warnings, error);

	if (err)
		return err;
	if (c->shared.store.map_size < WATCHER_MAP_MIN) {
		config_complain(owner, "store.map_size", error,
				"too small for a young nation's ledger: give "
				"it %u MiB or more",
				WATCHER_MAP_MIN >> 20);
		return ERR_INVALID;
	}
	if (c->guardian_set && !c->signer) {
		config_complain(owner, "guardian", error,
				"a guardian needs its key: add signer: SOCKET, "
				"or take guardian out to observe");
		return ERR_INVALID;
	}
	if (c->signer && !c->guardian_set) {
		config_complain(owner, "signer", error,
				"nothing to sign with it: add guardian: "
				"ADDRESS, or take signer out to observe");
		return ERR_INVALID;
	}
	return OK;
}

enum err watcher_config_read(const char *path, struct watcher_config *ret,
			     struct config **ret_owner,
			     struct settings_warnings *ret_warnings,
			     struct err_text *error)
{
	struct watcher_config c = {
		.shared = settings_defaults(),
		.ledger = {.nodes_from = 8},
		.vote = {.promote = VOTE_MANUAL,
			 .open = VOTE_MANUAL,
			 .hold_off_ms = 600 * 1000},
	};
	struct config *owner = NULL;
	enum err err = config_read(path, fields, &c, &owner, error);

	if (err)
		return err;
	err = check(owner, &c, ret_warnings, error);
	if (err) {
		config_free(owner);
		return err;
	}
	*ret = c;
	*ret_owner = owner;
	return OK;
}

const struct watcher_standby *
watcher_config_standby(const struct watcher_config *c, size_t i)
{
	return (const struct watcher_standby *)c->standbys.items + i;
}
