/* Gathers what this watcher knows into its status, its alerts and the board
 * that the server's threads read. */
#ifndef EGRESS_WATCHER_REPORT_H
#define EGRESS_WATCHER_REPORT_H

#include "watcher/board.h"
#include "watcher/progress.h"
#include "watcher/replica.h"
#include "watcher/shown.h"
#include "watcher/sight.h"
#include "watcher/standby.h"
#include "watcher/status.h"

struct report {
	struct board *board; /* borrowed */
	bool insolvent;
	uint64_t insolvent_since, unknown_since; /* L1 time */
	enum stop_kind stop_shown;
	uint64_t stop_batch;
	bool pages; /* the pages were written once */
	struct shown shown;
};

struct report_input {
	uint64_t chain_id;
	const struct sight *sight;
	const struct l1_view *l1;
	const struct replica *replica;
	const struct pool *pool;
	const struct verdict *verdict;
	const struct verdict_input *standbys; /* their states */
	const char *standby_why[HATCH_KEYS_MAX];
	const char *blind;	    /* "" or why nothing is known */
	const char *voting;	    /* "" or why we do not vote */
	uint64_t behind;	    /* blocks */
	struct progress_pace pace;  /* of catching up */
	bool following;		    /* the ledger is being followed */
	const char *follow_proofs;  /* how its logs are known, or "" */
	const char *follow_trouble; /* "" or why it does not move */
	bool ballots_changed;
	uint64_t now_ms;
	const char *unsafe; /* "" or which window is looser than L1's */
	bool quiet;	    /* no batch for longer than quiet_after seconds */
	uint64_t quiet_after;
};

void report_publish(struct report *r, const struct report_input *in);

#endif
