/* What the relayer's modules share; all of it outlives them. */
#ifndef EGRESS_RELAYER_PARTS_H
#define EGRESS_RELAYER_PARTS_H

#include "relayer/config.h"
#include "relayer/events.h"
#include "relayer/nonce.h"
#include "relayer/peers.h"
#include "relayer/submit.h"
#include "relayer/witness.h"
#include "store/evidence.h"

struct parts {
	const struct relayer_config *config;
	struct l1 *l1;
	struct store *store;
	struct requests requests;
	struct nonces nonces;
	struct evidence evidence;
	struct peers *peers;
	struct events *events;
	struct submit *submit;
	struct witness *witness;
};

#endif
