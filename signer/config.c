#include "signer/config.h"

#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/log.h"

#define CLIENT_KINDS_MAX 4

struct raw_client {
	char *user;
	struct config_list may; /* of int: position in kind_names */
};

struct raw_key {
	struct address address;
	char *plain, *keystore, *credential, *pkcs11, *pin_credential;
};

struct raw {
	char *listen;
	struct config_list clients, keys;
	struct raw_store {
		char *path;
	} store;
	struct raw_policy {
		uint64_t chain, round;
		struct address hatch, rollup;
		struct config_list actions, standbys;
		struct u256 value, fee;
		bool citizen, deploy;
	} policy;
	struct raw_log {
		int level;
	} log;
};

static const char *const kind_names[] = {"ballot", "statement", "transaction",
					 NULL};
static const char *const action_names[] = {"promote", "open", "resume", "amend",
					   NULL};
static const char *const level_names[] = {"error", "warn",  "notice",
					  "info",  "debug", NULL};

static const struct config_field client_fields[] = {
	{"user", CONFIG_STRING, offsetof(struct raw_client, user),
	 .required = true, .hint = "give a user's name or number"},
	{"may", CONFIG_LIST, offsetof(struct raw_client, may), .required = true,
	 .hint = "list ballot, statement, transaction",
	 .element_type = CONFIG_ENUM, .element_size = sizeof(int),
	 .names = kind_names, .max_items = CLIENT_KINDS_MAX},
	{NULL},
};

static const struct config_field key_fields[] = {
	{"address", CONFIG_ADDRESS, offsetof(struct raw_key, address),
	 .required = true, .hint = "give the address of the key"},
	{"plain", CONFIG_PATH, offsetof(struct raw_key, plain)},
	{"keystore", CONFIG_PATH, offsetof(struct raw_key, keystore)},
	{"credential", CONFIG_STRING, offsetof(struct raw_key, credential)},
	{"pkcs11", CONFIG_STRING, offsetof(struct raw_key, pkcs11)},
	{"pin_credential", CONFIG_STRING,
	 offsetof(struct raw_key, pin_credential)},
	{NULL},
};

static const struct config_field store_fields[] = {
	{"path", CONFIG_PATH, offsetof(struct raw_store, path),
	 .required = true, .hint = "give the folder of the ballot ledger"},
	{NULL},
};

static const struct config_field policy_fields[] = {
	{"chain", CONFIG_U64, offsetof(struct raw_policy, chain),
	 .required = true, .hint = "give the chain's EIP-155 number", .min = 1},
	{"hatch", CONFIG_ADDRESS, offsetof(struct raw_policy, hatch),
	 .required = true, .hint = "give the EscapeHatch's address"},
	{"rollup", CONFIG_ADDRESS, offsetof(struct raw_policy, rollup)},
	{"actions", CONFIG_LIST, offsetof(struct raw_policy, actions),
	 .element_type = CONFIG_ENUM, .element_size = sizeof(int),
	 .names = action_names, .max_items = 4},
	{"standbys", CONFIG_LIST, offsetof(struct raw_policy, standbys),
	 .element_type = CONFIG_ADDRESS, .element_size = sizeof(struct address),
	 .max_items = SIGNER_STANDBYS_MAX},
	{"round", CONFIG_U64, offsetof(struct raw_policy, round), .min = 1,
	 .max = UINT32_MAX, .hint = "give the round of the hatch's terms"},
	{"value", CONFIG_AMOUNT, offsetof(struct raw_policy, value)},
	{"fee", CONFIG_AMOUNT, offsetof(struct raw_policy, fee)},
	{"citizen", CONFIG_BOOL, offsetof(struct raw_policy, citizen)},
	{"deploy", CONFIG_BOOL, offsetof(struct raw_policy, deploy)},
	{NULL},
};

static const struct config_field log_fields[] = {
	{"level", CONFIG_ENUM, offsetof(struct raw_log, level),
	 .names = level_names},
	{NULL},
};

static const struct config_field fields[] = {
	{"listen", CONFIG_PATH, offsetof(struct raw, listen), .required = true,
	 .hint = "give the socket's path"},
	{"clients", CONFIG_LIST, offsetof(struct raw, clients),
	 .required = true, .hint = "list who may ask: [{user, may}]",
	 .fields = client_fields, .element_size = sizeof(struct raw_client),
	 .max_items = SIGNER_CLIENTS_MAX},
	{"keys", CONFIG_LIST, offsetof(struct raw, keys), .required = true,
	 .hint = "list the keys: [{address, plain: FILE}]",
	 .fields = key_fields, .element_size = sizeof(struct raw_key),
	 .max_items = SIGNER_KEYS_MAX},
	{"store", CONFIG_GROUP, offsetof(struct raw, store),
	 .fields = store_fields},
	{"policy", CONFIG_GROUP, offsetof(struct raw, policy), .required = true,
	 .hint = "add policy: {chain, hatch}", .fields = policy_fields},
	{"log", CONFIG_GROUP, offsetof(struct raw, log), .fields = log_fields},
	{NULL},
};

static enum err complain(const struct config *c, struct err_text *error,
			 const char *list, size_t i, const char *field,
			 const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "%s[%zu].%s", list, i, field);
	config_complain(c, path, error, "%s", what);
	return ERR_INVALID;
}

static bool find_user(const char *name, uid_t *ret)
{
	struct u256 number;
	const struct passwd *user;

	if (!u256_parse(slice_str(name), &number) && u256_fits(number, 31)) {
		*ret = (uid_t)u256_u64(number);
		return true;
	}
	user = getpwnam(name);
	if (user)
		*ret = user->pw_uid;
	return user != NULL;
}

static enum err take_clients(const struct raw *raw, struct signer_config *c,
			     struct err_text *error)
{
	const struct raw_client *from = raw->clients.items;

	for (size_t i = 0; i < raw->clients.n; i++) {
		struct signer_client_rule *to = &c->clients[i];
		const int *may = from[i].may.items;
		if (!find_user(from[i].user, &to->uid))
			return complain(c->file, error, "clients", i, "user",
					"no such user: create it or correct "
					"the name");
		for (size_t k = 0; k < from[i].may.n; k++)
			to->may |= 1u << (ASK_BALLOT + may[k]);
	}
	c->n_clients = raw->clients.n;
	return OK;
}

static enum err take_keys(const struct raw *raw, const struct config *file,
			  struct keyring *keys, struct err_text *error)
{
	const struct raw_key *from = raw->keys.items;

	for (size_t i = 0; i < raw->keys.n; i++) {
		const struct raw_key *k = &from[i];
		const char *other = k->keystore		? "keystore"
				    : k->pkcs11		? "pkcs11"
				    : k->credential	? "credential"
				    : k->pin_credential ? "pin_credential"
							: NULL;
		if (other)
			return complain(file, error, "keys", i, other,
					"not supported in this version: use "
					"plain: FILE, for drills only");
		if (!k->plain)
			return complain(file, error, "keys", i, "address",
					"no key file: add plain: FILE");
		struct err_text why;
		enum err err =
			keyring_add_plain(keys, k->plain, &k->address, &why);
		if (err) {
			complain(file, error, "keys", i, "plain", why.text);
			return err;
		}
	}
	if (raw->keys.n)
		return OK;
	config_complain(file, "keys", error, "no key: list at least one");
	return ERR_INVALID;
}

static void take_policy(const struct raw_policy *from, struct policy *to)
{
	const int *actions = from->actions.items;

	*to = (struct policy){.chain_id = from->chain,
			      .hatch = from->hatch,
			      .rollup = from->rollup,
			      .round = from->round,
			      .citizen = from->citizen,
			      .deploy = from->deploy,
			      .value = from->value,
			      .fee = from->fee,
			      .n_standbys = from->standbys.n};
	for (size_t i = 0; i < from->actions.n; i++)
		to->actions |= 1u << (VOTE_PROMOTE + actions[i]);
	memcpy(to->standbys, from->standbys.items ? from->standbys.items : "",
	       from->standbys.n * sizeof(struct address));
}

static enum err check_listen(const struct signer_config *c,
			     struct err_text *error)
{
	const size_t len = strlen(c->listen);

	if (len <= SIGNER_LISTEN_MAX)
		return OK;
	config_complain(c->file, "listen", error,
			"%zu bytes: a socket's path holds at most %zu: "
			"shorten it",
			len, SIGNER_LISTEN_MAX);
	return ERR_INVALID;
}

static enum err check(const struct signer_config *c, struct err_text *error)
{
	unsigned may = 0;

	if (check_listen(c, error))
		return ERR_INVALID;
	for (size_t i = 0; i < c->n_clients; i++)
		may |= c->clients[i].may;
	if (!c->policy.actions || !(may & 1u << ASK_BALLOT))
		return OK;
	if (!c->policy.round) {
		config_complain(c->file, "policy.round", error,
				"missing: ballots need the round of the "
				"hatch's terms");
		return ERR_INVALID;
	}
	if (!c->store) {
		config_complain(c->file, "store", error,
				"missing: ballots need a ledger: add store: "
				"{path: FOLDER}");
		return ERR_INVALID;
	}
	return OK;
}

static enum err take(const struct raw *raw, struct signer_config *c,
		     struct keyring *keys, struct err_text *error)
{
	static const enum log_level levels[] = {
		LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_NOTICE,
		LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};

	c->listen = raw->listen;
	c->store = raw->store.path;
	c->log_level = (int)levels[raw->log.level];
	take_policy(&raw->policy, &c->policy);
	enum err err = take_clients(raw, c, error);
	if (!err)
		err = check(c, error);
	return err ? err : take_keys(raw, c->file, keys, error);
}

enum err signer_config_read(const char *path, struct signer_config *ret,
			    struct keyring *keys, struct err_text *error)
{
	struct raw raw = {.log = {.level = 3}};
	struct signer_config c = {0};
	bool fits = u256_mul64(u256_from(500), 1000000000, &raw.policy.fee);

	assert(fits);
	enum err err = config_read(path, fields, &raw, &c.file, error);
	if (!err)
		err = take(&raw, &c, keys, error);
	if (err) {
		signer_config_done(&c);
		return err;
	}
	*ret = c;
	return OK;
}

void signer_config_done(struct signer_config *c)
{
	config_free(c->file);
	c->file = NULL;
}

enum err signer_config_may(const char *words, unsigned *ret, bool *ret_deploy)
{
	unsigned may = 0;
	bool deploy = false;

	while (*words) {
		size_t len = strcspn(words, ",");
		bool known = len == 6 && !strncmp(words, "deploy", len);
		deploy |= known;
		may |= known ? 1u << ASK_TRANSACTION : 0;
		for (int i = 0; kind_names[i]; i++) {
			if (strlen(kind_names[i]) == len &&
			    !strncmp(words, kind_names[i], len)) {
				may |= 1u << (ASK_BALLOT + i);
				known = true;
			}
		}
		if (!known)
			return ERR_INVALID;
		words += len + (words[len] == ',');
	}
	if (!may)
		return ERR_INVALID;
	*ret = may;
	*ret_deploy = deploy;
	return OK;
}
