/* The watcher's parts: watcher.c makes and ends them, step.c turns them. */
#ifndef EGRESS_WATCHER_WATCHER_INSIDE_H
#define EGRESS_WATCHER_WATCHER_INSIDE_H

#include "l1/tell.h"
#include "store/evidence.h"
#include "watcher/api.h"
#include "watcher/gossip.h"
#include "watcher/progress.h"
#include "watcher/report.h"
#include "watcher/vote.h"
#include "watcher/watcher.h"
#include "watcher/windows.h"

struct watcher {
	const struct watcher_config *config;
	struct http_client *http;
	struct store *store;
	struct l1 *l1;
	struct signer_client *signer; /* NULL: observer */
	struct replica replica;
	struct evidence evidence;
	struct follow *follow; /* NULL until the rollup is known */
	struct sight sight;
	struct standbys standbys;
	struct gossip gossip;
	struct pool pool;
	struct voter voter;
	struct intake *intake;
	struct board *board;
	struct report report;
	struct api api;
	struct http_server *server;
	struct verdict verdict;
	char voting[ASK_ANSWER_TEXT + 64]; /* "" or why we do not vote */
	bool ballots_changed;
	uint64_t reaped_ms;
	struct progress progress;
	uint64_t followed_ms; /* the ledger moved last, or had nothing to do */
	/* A block that could not be followed, how often, and until when it is
	 * not read again. */
	uint64_t doubted, doubt_ms;
	unsigned doubts;
	uint64_t distrust; /* blocks read themselves after such a one */
	uint64_t reread;   /* so many kept blocks are still to be undone */
	struct lateness late;
	struct gossip_of { /* what peers' ballots were judged by last */
		uint64_t epoch, progress, round;
	} gossip_of;
	struct tell tell;
	struct windows windows;
	bool quiet; /* and said so */
	char fatal[sizeof(struct err_text)];
};

/* watch_windows.c: our windows against the contract's, and whether it is quiet;
 * blind: "" or why the facts are not to be relied on. */
void watch_windows(struct watcher *w, const char *blind);

#endif
