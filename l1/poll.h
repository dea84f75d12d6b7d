/* One provider's polling: a batch now and then, answers into its sightings.
 * Each provider is polled on its own, so that none waits for another. */
#ifndef EGRESS_L1_POLL_H
#define EGRESS_L1_POLL_H

#include "l1/provider.h"

struct poll {
	struct provider *provider;
	const struct settings *settings;
	uint64_t next_ms;
	bool asked;	/* in flight */
	bool answered;	/* news since poll_judged() */
	size_t n;	/* calls in flight */
	bool identity;	/* the first two are chain id and genesis */
	bool has_depth; /* the acted block was asked for */
	uint64_t fill[2 * L1_FILL_MAX];
	size_t n_latest, n_acted; /* of fill */
};

void poll_init(struct poll *p, struct provider *provider,
	       const struct settings *settings);
/* Starts a poll when one is due; latest and acted are all providers' voices,
 * i this one's place.  Returns the clock_mono_ms() of the next. */
uint64_t poll_turn(struct poll *p, const struct voice *latest,
		   const struct voice *acted, size_t n, size_t i,
		   uint64_t now_ms);

#endif
