#include "relayer/config.h"

#include "relayer/limits.h"

#define GWEI 1000000000ULL

static const struct config_field fee_fields[] = {
	{"max_fee", CONFIG_AMOUNT,
	 offsetof(struct relayer_config, fees.max_fee),
	 .hint = "the most for one gas: 300 gwei"},
	{"max_tip", CONFIG_AMOUNT,
	 offsetof(struct relayer_config, fees.max_tip)},
	{"replace", CONFIG_PERCENT,
	 offsetof(struct relayer_config, fees.replace), .min = 1250,
	 .max = 100000, .hint = "nodes refuse less than 12.5%"},
	{"per_hour", CONFIG_AMOUNT,
	 offsetof(struct relayer_config, fees.per_hour)},
	{"per_incident", CONFIG_AMOUNT,
	 offsetof(struct relayer_config, fees.per_incident)},
	{NULL},
};

static const struct config_field evacuate_fields[] = {
	{"enabled", CONFIG_BOOL,
	 offsetof(struct relayer_config, evacuate.enabled)},
	{"budget", CONFIG_AMOUNT,
	 offsetof(struct relayer_config, evacuate.budget)},
	{NULL},
};

static const struct config_field request_fields[] = {
	{"open", CONFIG_U64, offsetof(struct relayer_config, requests.open),
	 .min = 1, .max = REQUESTS_OPEN_MAX},
	{NULL},
};

/* Groups are relative to the whole: offsets above are absolute. */
static const struct config_field fields[] = {
	SETTINGS_FIELDS(offsetof(struct relayer_config, shared), "watchers"),
	{"account", CONFIG_ADDRESS, offsetof(struct relayer_config, account),
	 .required = true, .hint = "the L1 account that pays the gas"},
	{"signer", CONFIG_PATH, offsetof(struct relayer_config, signer),
	 .required = true, .hint = "the socket of egress-signer"},
	{"relayers", CONFIG_LIST, offsetof(struct relayer_config, relayers),
	 .element_type = CONFIG_URL, .element_size = sizeof(char *),
	 .max_items = SETTINGS_PEERS_MAX},
	{"fees", CONFIG_GROUP, 0, .fields = fee_fields},
	{"evacuate", CONFIG_GROUP, 0, .fields = evacuate_fields},
	{"requests", CONFIG_GROUP, 0, .fields = request_fields},
	{NULL},
};

static enum err check(const struct config *c, struct relayer_config *config,
		      struct settings_warnings *ret_warnings,
		      struct err_text *error)
{
	enum err err = settings_check(c, &config->shared, ret_warnings, error);
	if (err)
		return err;
	if (address_is_zero(config->account)) {
		config_complain(c, "account", error,
				"is zero: give the account that pays the gas");
		return ERR_INVALID;
	}
	if (!config->shared.peers.n) {
		config_complain(c, "watchers", error,
				"missing: proofs and ballots come from "
				"watchers, name at least one URL");
		return ERR_INVALID;
	}
	if (!u256_fits(config->fees.max_fee, 63) ||
	    u256_is_zero(config->fees.max_fee)) {
		config_complain(c, "fees.max_fee", error,
				"is not a price of one gas: 300 gwei is");
		return ERR_INVALID;
	}
	if (u256_cmp(config->fees.max_tip, config->fees.max_fee) > 0) {
		config_complain(c, "fees.max_tip", error,
				"is above max_fee: the tip is a part of it");
		return ERR_INVALID;
	}
	return OK;
}

enum err relayer_config_read(const char *path,
			     struct relayer_config *ret_config,
			     struct config **ret,
			     struct settings_warnings *ret_warnings,
			     struct err_text *error)
{
	struct relayer_config config = {
		.shared = settings_defaults(),
		.fees = {.max_fee = u256_from(300 * GWEI),
			 .max_tip = u256_from(5 * GWEI),
			 .replace = 1250},
		.evacuate = {.enabled = true},
		.requests = {.open = 100000},
	};
	struct config *c = NULL;
	enum err err = config_read(path, fields, &config, &c, error);
	if (err)
		return err;
	err = check(c, &config, ret_warnings, error);
	if (err) {
		config_free(c);
		return err;
	}
	*ret_config = config;
	*ret = c;
	return OK;
}

struct fee_policy relayer_fee_policy(const struct relayer_config *config)
{
	return (struct fee_policy){
		.max_fee = u256_u64(config->fees.max_fee),
		.max_tip = u256_u64(config->fees.max_tip),
		.replace = config->fees.replace,
	};
}
