/* The sovereign family: what EscapeHatch and SovereignRollup say on L1.
 * Logs are history; whoever decides, reads storage. */
#ifndef EGRESS_ABI_FAMILY_SOVEREIGN_H
#define EGRESS_ABI_FAMILY_SOVEREIGN_H

#include "abi/diff.h"

enum sovereign_event {
	SOVEREIGN_OTHER = 0, /* another topic, or not of its shape */
	/* the hatch's */
	SOVEREIGN_PROMOTED,
	SOVEREIGN_OPENED,
	SOVEREIGN_RESUMED,
	SOVEREIGN_AMENDED,
	SOVEREIGN_ENACTED,
	/* the rollup's */
	SOVEREIGN_COMMITTED,
	SOVEREIGN_WITHDRAWAL_REQUESTED,
	SOVEREIGN_WITHDRAWAL_EXECUTED,
	SOVEREIGN_WITHDRAWAL_PAID,
	SOVEREIGN_INBOX_QUEUED,
	SOVEREIGN_REWOUND,
	SOVEREIGN_EXITED,
	SOVEREIGN_SETTLED,
};
#define SOVEREIGN_EVENTS (SOVEREIGN_SETTLED + 1)

/* Which contract's log it must be: anybody can emit anything. */
enum sovereign_emitter { SOVEREIGN_HATCH, SOVEREIGN_ROLLUP };

/* One event of the ABI; what is borrowed lives as long as the log's data. */
struct sovereign_log {
	enum sovereign_event event;
	union {
		struct {
			uint64_t epoch, progress;
			struct address from, to;
		} promoted;
		struct {
			uint64_t epoch, progress;
			unsigned cause; /* 1 vote 2 silence 3 overdue 4 bad */
			struct hash32 root;
		} opened;
		struct {
			uint64_t epoch;
			struct address sequencer;
			struct hash32 root;
		} resumed;
		struct {
			uint64_t epoch, enact_from;
			struct hash32 amendment;
			struct slice args; /* borrowed */
		} amended;
		struct {
			uint64_t epoch;
			struct hash32 amendment;
		} enacted;
		struct {
			struct address sequencer;
			struct batch batch; /* its number is the topic's */
			struct batch_before before;
			struct hash32 roots[DIFF_STEPS_MAX];
			size_t steps;
		} committed;
		struct {
			uint64_t id, index, due;
			struct address owner, recipient;
			struct u256 amount, bounty;
		} withdrawal_requested;
		struct {
			uint64_t id, index;
			struct u256 debited; /* 0: void */
			struct address executor;
			struct hash32 new_root;
		} withdrawal_executed;
		struct {
			uint64_t id;
			struct address to, asset;
			struct u256 amount;
			bool credited;
		} withdrawal_paid;
		struct {
			uint64_t id, due;
			unsigned kind; /* 1 deposit 2 transaction */
			struct address from, asset, owner;
			struct u256 amount;
			struct slice data; /* borrowed */
			struct hash32 acc;
		} inbox_queued;
		struct {
			uint64_t bad_batch, leaf_count, inbox_through;
			uint64_t cancelled_from;
			struct hash32 root;
		} rewound;
		struct {
			struct u256 bucket, refund;
			struct hash32 mask, credited; /* bit i: low end first */
		} exited;
		struct {
			struct u256 bucket;
			struct hash32 mask, new_root;
			uint64_t dirty;
		} settled;
	};
};

/* For a filter of logs. */
struct hash32 sovereign_topic(enum sovereign_event event);
enum sovereign_emitter sovereign_emitter(enum sovereign_event event);
const char *sovereign_name(enum sovereign_event event); /* "Promoted" … */

/* topics[0] says which; indexed fields are in the others.  Returns
 * SOVEREIGN_OTHER, ret untouched, for a topic that is none of these, another
 * number of topics, or data that does not decode.  The caller has compared the
 * log's address with the emitter's. */
enum sovereign_event sovereign_decode(const struct hash32 *topics, size_t n,
				      struct slice data,
				      struct sovereign_log *ret);

#endif
