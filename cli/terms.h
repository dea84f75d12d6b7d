/* The terms file of `egress deploy`, and whether a nation can live under it.
 * Pure but for reading the file. */
#ifndef EGRESS_CLI_TERMS_H
#define EGRESS_CLI_TERMS_H

#include "abi/buf.h"
#include "l1/hatch.h"
#include "sys/config.h"

struct terms_file {
	struct { /* seconds × 1000, as durations are read */
		uint64_t sla_window, failover_window, inclusion_window,
			hard_deadline, notice, finality, round;
	} ms;
	struct {
		uint64_t promote, open, resume, amend;
	} thresholds;
	struct config_list guardians, standbys, validators; /* of address */
	struct address sequencer;
	uint64_t validators_needed;
	struct u256 min_bounty, bond; /* wei */
};

extern const struct config_field terms_fields[];

/* Everything that the constructors refuse (protocol.md "Terms", "Lists"), and
 * what would make an exit impossible. ERR_INVALID: which rule, with the
 * numbers, in error. warnings: lines, or nothing. */
MUST_CHECK enum err terms_check(const struct config *config,
				const struct terms_file *t,
				struct buf *warnings, struct err_text *error);
struct hatch_terms terms_of(const struct terms_file *t);

/* Constructor arguments, appended to the bytecode. */
void terms_hatch_arguments(const struct terms_file *t, struct address rollup,
			   struct buf *to);
void terms_rollup_arguments(const struct terms_file *t, struct address hatch,
			    struct address bad_batch, struct buf *to);

#endif
