/* GET /v1/status and what intake judges by: formats.md STATUS of a relayer. */
#ifndef EGRESS_RELAYER_STATUS_H
#define EGRESS_RELAYER_STATUS_H

#include "relayer/board.h"
#include "relayer/config.h"
#include "relayer/evacuate.h"
#include "relayer/room.h"
#include "relayer/turn.h"

struct status_view {
	const struct relayer_config *config;
	const struct turn *turn;
	const struct account_state *account; /* NULL: not known yet */
	const char *held, *signer, *facts_why;
	const struct room *room;
	size_t open, in_flight, bundles, withdrawals, peers, peers_usable;
	struct evacuate_progress evacuation;
	struct u256 spent;
};

void status_publish(const struct status_view *view, struct board *board);

#endif
