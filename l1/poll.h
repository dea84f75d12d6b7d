/* One provider's polling: a batch now and then, answers into its sightings.
 * Each provider is polled on its own, so that none waits for another. */
#ifndef EGRESS_L1_POLL_H
#define EGRESS_L1_POLL_H

#include "l1/provider.h"

/* One block for each of the others at two depths, its own that is deep enough,
 * and the one acted on. */
#define POLL_NUMBERS_MAX (2 * L1_FILL_MAX + 2)
/* Identity, latest and two tags besides. */
#define POLL_CALLS_MAX (5 + POLL_NUMBERS_MAX)

struct poll {
	struct provider *provider;
	const struct settings *settings;
	uint64_t next_ms, shift_ms; /* shift: to fall between the others' */
	uint64_t after_ms; /* a follow-up is out: the poll after it; 0: none is
			    */
	uint64_t tag_ms[DEPTHS]; /* asked for it last */
	bool asked;		 /* in flight */
	bool answered;		 /* news since view_update() */
	size_t n;		 /* calls in flight */
	struct rpc_memo memo;	 /* most bring what the one before brought */
	/* the blocks among its answers whose proof has been seen */
	struct rpc_block proved[POLL_CALLS_MAX];
	bool identity;	   /* the first two are chain id and genesis */
	bool tags[DEPTHS]; /* asked for */
	size_t n_numbers;
	uint64_t numbers[POLL_NUMBERS_MAX], acted;
	bool by_number; /* what is deep enough is one of them, or will be */
};

/* What is known of all providers: what to ask one of them depends on it. */
struct poll_common {
	const struct voice *latest, *acted; /* of all, at two depths */
	size_t n;
	enum depth depth;	 /* to act on */
	bool may_change;	 /* the block acted on is not final */
	uint64_t head, acted_on; /* numbers agreed on so far */
};

/* shift_ms: how long before the others' polls its own should fall. */
void poll_init(struct poll *p, struct provider *provider,
	       const struct settings *settings, uint64_t shift_ms);
void poll_done(struct poll *p);
/* Starts a poll when one is due; i: this one's place.  Returns the
 * clock_mono_ms() of the next. */
uint64_t poll_turn(struct poll *p, const struct poll_common *common, size_t i,
		   uint64_t now_ms);

#endif
