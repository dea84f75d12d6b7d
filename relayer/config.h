/* relayer.yaml, read and checked. */
#ifndef EGRESS_RELAYER_CONFIG_H
#define EGRESS_RELAYER_CONFIG_H

#include "relayer/fee.h"
#include "sys/settings.h"

struct relayer_config {
	struct settings shared;	     /* peers: the watchers */
	struct address account;	     /* pays L1's gas */
	char *signer;		     /* its socket */
	struct config_list relayers; /* of char *: who else publishes exits */
	struct {
		struct u256 max_fee, max_tip; /* wei a gas */
		uint64_t replace;	      /* hundredths of a percent */
		struct u256 per_hour, per_incident; /* wei; 0: no limit */
	} fees;
	struct {
		bool enabled;
		struct u256 budget; /* wei an opening; 0: no limit */
	} evacuate;
	struct {
		uint64_t open; /* requests kept at once */
	} requests;
};

/* ERR_IO, ERR_INVALID: the line for a human in error; the warnings are to be
 * logged. The strings in ret_config live as long as *ret. */
MUST_CHECK enum err relayer_config_read(const char *path,
					struct relayer_config *ret_config,
					struct config **ret,
					struct settings_warnings *ret_warnings,
					struct err_text *error);
struct fee_policy relayer_fee_policy(const struct relayer_config *config);

#endif
