/* The hatch as this watcher sees it: its facts at the block acted on, read
 * anew whenever that block moves, and now and then the vault. */
#ifndef EGRESS_WATCHER_SIGHT_H
#define EGRESS_WATCHER_SIGHT_H

#include "l1/hatch.h"
#include "l1/l1.h"

struct sight_vault {
	bool known;
	uint64_t block;	     /* as of its end */
	struct u256 balance; /* vault(0), wei */
};

struct sight {
	struct l1 *l1; /* borrowed */
	struct address hatch;
	const struct settings *settings; /* borrowed */
	bool known;			 /* facts were read once */
	struct hatch_facts facts;
	struct sight_vault vault;
	char trouble[HATCH_WHY_MAX]; /* "" or why the last reading failed */
	struct err_text fatal;	     /* "" or why it makes no sense to go on */

	bool reading, at_head, vault_reading, busy;
	bool outdated; /* L1 was out of sight since the facts were read */
	uint64_t read_ms, good_ms, vault_ms;
	struct block_ref at; /* being read, or read last */
	unsigned misses;     /* heads without a hatch, in a row */
	uint64_t now_ms;
};

void sight_init(struct sight *s, struct l1 *l1,
		const struct settings *settings);
void sight_done(struct sight *s);
/* Starts readings; returns when it wants to be called again. */
uint64_t sight_turn(struct sight *s, uint64_t now_mono_ms);
/* "" or why the facts are not to be relied on now: L1 is unhealthy, or the
 * hatch has not been readable for a while. */
const char *sight_blind(const struct sight *s, uint64_t now_mono_ms);

#endif
