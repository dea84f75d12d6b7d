/* Facts, L1's health, the standing policy and the time → abstain, promote or
 * open.  Pure: never calls L1, the store or the log.
 *
 * protocol.md: "When L1 is unhealthy the phase is UNKNOWN: it abstains and
 * says so."  "Every honest watcher prefers the first ready standby in the
 * list, so a split vote heals in three rounds." */
#ifndef EGRESS_WATCHER_VERDICT_H
#define EGRESS_WATCHER_VERDICT_H

#include "l1/phase.h"

enum verdict_act { VERDICT_ABSTAIN, VERDICT_PROMOTE, VERDICT_OPEN };

enum standby_state {
	STANDBY_UNKNOWN, /* not asked yet, or failed once or twice */
	STANDBY_READY,
	STANDBY_UNREADY,
};

struct verdict_policy {
	bool observer;	    /* has no vote: says what others decide */
	bool promote, open; /* true: without asking a human */
	uint64_t hold_off;  /* seconds, of L1's time and of ours, that the
			     * condition must last */
};

/* What this watcher chose before, for the same epoch and progress. */
struct verdict_prior {
	enum verdict_act act; /* ABSTAIN: nothing yet */
	struct address standby;
	bool young; /* its ballots may still meet others' */
};

struct verdict_input {
	const struct hatch_facts *facts; /* NULL: not read yet */
	bool l1_healthy;
	const char *l1_why;
	struct verdict_policy policy;
	/* lateness_seen(): the first block after L1 stood still is late by
	 * hours at once. */
	uint64_t seen_late;
	/* By position in facts->standbys. */
	enum standby_state standby[HATCH_KEYS_MAX];
	bool promoted[HATCH_KEYS_MAX]; /* once since the last commit */
	struct verdict_prior prior;
};

struct verdict {
	enum verdict_act act;
	enum phase phase;
	struct address standby; /* PROMOTE */
	char why[160];		/* one line for a human, in any case */
};

/* For how long a lateness has been seen, in local time. */
struct lateness {
	bool late;
	uint64_t since; /* verdict_late_since(): which one */
	uint64_t seen_ms;
	uint64_t seeing_ms; /* clock of the last look; 0: L1 was out of sight */
};

/* At every turn; facts NULL: L1 is out of sight.  That time is not counted, and
 * what was seen before it stays.  Whole seconds. */
uint64_t lateness_seen(struct lateness *l, const struct hatch_facts *facts,
		       uint64_t now_ms);

struct verdict verdict_of(const struct verdict_input *in);
/* When today's lateness began, unix seconds: the SLA ran out, or after that the
 * promoted standby's own window did. */
uint64_t verdict_late_since(const struct hatch_facts *facts);
const char *verdict_act_name(enum verdict_act act);

#endif
