/* Events of the sovereign family, one table.  Pure. */
#include "abi/family/sovereign.h"

#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/words.h"

/* No transaction carries a longer one. */
#define AMENDMENT_MAX 131072

/* A log as one row of words: indexed fields are read from `topics`, the rest
 * from `data`, each with the same checks. */
struct log_reader {
	struct abi_reader topics, data;
};

typedef void decode_fn(struct log_reader *r, struct sovereign_log *ret);

static void promoted(struct log_reader *r, struct sovereign_log *ret)
{
	ret->promoted.epoch = abi_u64(&r->topics, 64);
	ret->promoted.from = abi_address(&r->topics);
	ret->promoted.to = abi_address(&r->topics);
	ret->promoted.progress = abi_u64(&r->data, 64);
}

static void opened(struct log_reader *r, struct sovereign_log *ret)
{
	ret->opened.epoch = abi_u64(&r->topics, 64);
	ret->opened.cause = (unsigned)abi_u64(&r->data, 8);
	ret->opened.root = abi_hash(&r->data);
	ret->opened.progress = abi_u64(&r->data, 64);
}

static void resumed(struct log_reader *r, struct sovereign_log *ret)
{
	ret->resumed.epoch = abi_u64(&r->topics, 64);
	ret->resumed.sequencer = abi_address(&r->topics);
	ret->resumed.root = abi_hash(&r->data);
}

static void amended(struct log_reader *r, struct sovereign_log *ret)
{
	ret->amended.epoch = abi_u64(&r->topics, 64);
	ret->amended.amendment = abi_hash(&r->topics);
	ret->amended.enact_from = abi_u64(&r->data, 64);
	ret->amended.args = abi_bytes(&r->data, AMENDMENT_MAX);
}

static void enacted(struct log_reader *r, struct sovereign_log *ret)
{
	ret->enacted.epoch = abi_u64(&r->topics, 64);
	ret->enacted.amendment = abi_hash(&r->topics);
}

static void committed(struct log_reader *r, struct sovereign_log *ret)
{
	struct abi_reader roots;
	uint64_t number;

	number = abi_u64(&r->topics, 64);
	ret->committed.sequencer = abi_address(&r->topics);
	ret->committed.batch.number = abi_u64(&r->data, 64);
	ret->committed.batch.prev_root = abi_hash(&r->data);
	ret->committed.batch.root = abi_hash(&r->data);
	ret->committed.batch.leaf_count = abi_u64(&r->data, 64);
	ret->committed.batch.inbox_through = abi_u64(&r->data, 64);
	ret->committed.batch.inbox_acc = abi_hash(&r->data);
	ret->committed.batch.diff_hash = abi_hash(&r->data);
	ret->committed.before.committed_at = abi_u64(&r->data, 64);
	ret->committed.before.leaf_count = abi_u64(&r->data, 64);
	ret->committed.before.inbox_through = abi_u64(&r->data, 64);
	ret->committed.before.withdraw_head = abi_u64(&r->data, 64);
	roots = abi_array(&r->data, 1, DIFF_STEPS_MAX, &ret->committed.steps);
	for (size_t i = 0; i < ret->committed.steps; i++)
		ret->committed.roots[i] = abi_hash(&roots);
	if (number != ret->committed.batch.number)
		r->data.failed = true;
}

static void withdrawal_requested(struct log_reader *r,
				 struct sovereign_log *ret)
{
	ret->withdrawal_requested.id = abi_u64(&r->topics, 64);
	ret->withdrawal_requested.owner = abi_address(&r->topics);
	ret->withdrawal_requested.index = abi_u64(&r->topics, 40);
	ret->withdrawal_requested.amount = abi_u256(&r->data);
	ret->withdrawal_requested.recipient = abi_address(&r->data);
	ret->withdrawal_requested.bounty = abi_u256(&r->data);
	ret->withdrawal_requested.due = abi_u64(&r->data, 40);
	if (!u256_fits(ret->withdrawal_requested.amount, 96) ||
	    !u256_fits(ret->withdrawal_requested.bounty, 96))
		r->data.failed = true;
}

static void withdrawal_executed(struct log_reader *r, struct sovereign_log *ret)
{
	ret->withdrawal_executed.id = abi_u64(&r->topics, 64);
	ret->withdrawal_executed.index = abi_u64(&r->topics, 40);
	ret->withdrawal_executed.debited = abi_u256(&r->data);
	ret->withdrawal_executed.executor = abi_address(&r->data);
	ret->withdrawal_executed.new_root = abi_hash(&r->data);
	if (!u256_fits(ret->withdrawal_executed.debited, 96))
		r->data.failed = true;
}

static void withdrawal_paid(struct log_reader *r, struct sovereign_log *ret)
{
	ret->withdrawal_paid.id = abi_u64(&r->topics, 64);
	ret->withdrawal_paid.to = abi_address(&r->topics);
	ret->withdrawal_paid.asset = abi_address(&r->data);
	ret->withdrawal_paid.amount = abi_u256(&r->data);
	ret->withdrawal_paid.credited = abi_bool(&r->data);
	if (!u256_fits(ret->withdrawal_paid.amount, 96))
		r->data.failed = true;
}

static void inbox_queued(struct log_reader *r, struct sovereign_log *ret)
{
	ret->inbox_queued.id = abi_u64(&r->topics, 64);
	ret->inbox_queued.from = abi_address(&r->topics);
	ret->inbox_queued.kind = (unsigned)abi_u64(&r->data, 8);
	ret->inbox_queued.asset = abi_address(&r->data);
	ret->inbox_queued.amount = abi_u256(&r->data);
	ret->inbox_queued.owner = abi_address(&r->data);
	ret->inbox_queued.data = abi_bytes(&r->data, EGRESS_MAX_FORCED_BYTES);
	ret->inbox_queued.acc = abi_hash(&r->data);
	ret->inbox_queued.due = abi_u64(&r->data, 64);
	if (!u256_fits(ret->inbox_queued.amount, 96))
		r->data.failed = true;
}

static void rewound(struct log_reader *r, struct sovereign_log *ret)
{
	ret->rewound.bad_batch = abi_u64(&r->topics, 64);
	ret->rewound.root = abi_hash(&r->data);
	ret->rewound.leaf_count = abi_u64(&r->data, 64);
	ret->rewound.inbox_through = abi_u64(&r->data, 64);
	ret->rewound.cancelled_from = abi_u64(&r->data, 64);
}

static void exited(struct log_reader *r, struct sovereign_log *ret)
{
	ret->exited.bucket = abi_u256(&r->topics);
	ret->exited.mask = abi_hash(&r->data);
	ret->exited.credited = abi_hash(&r->data);
	ret->exited.refund = abi_u256(&r->data);
}

static void settled(struct log_reader *r, struct sovereign_log *ret)
{
	ret->settled.bucket = abi_u256(&r->topics);
	ret->settled.mask = abi_hash(&r->data);
	ret->settled.new_root = abi_hash(&r->data);
	ret->settled.dirty = abi_u64(&r->data, 64);
}

static const struct row {
	const char *name;
	const struct hash32 *topic;
	enum sovereign_emitter emitter;
	size_t indexed;
	decode_fn *decode;
} table[SOVEREIGN_EVENTS] = {
	[SOVEREIGN_PROMOTED] = {"Promoted", &TOPIC_ESCAPEHATCH_PROMOTED,
				SOVEREIGN_HATCH, 3, promoted},
	[SOVEREIGN_OPENED] = {"Opened", &TOPIC_ESCAPEHATCH_OPENED,
			      SOVEREIGN_HATCH, 1, opened},
	[SOVEREIGN_RESUMED] = {"Resumed", &TOPIC_ESCAPEHATCH_RESUMED,
			       SOVEREIGN_HATCH, 2, resumed},
	[SOVEREIGN_AMENDED] = {"Amended", &TOPIC_ESCAPEHATCH_AMENDED,
			       SOVEREIGN_HATCH, 2, amended},
	[SOVEREIGN_ENACTED] = {"Enacted", &TOPIC_ESCAPEHATCH_ENACTED,
			       SOVEREIGN_HATCH, 2, enacted},
	[SOVEREIGN_COMMITTED] = {"Committed", &TOPIC_SOVEREIGNROLLUP_COMMITTED,
				 SOVEREIGN_ROLLUP, 2, committed},
	[SOVEREIGN_WITHDRAWAL_REQUESTED] =
		{"WithdrawalRequested",
		 &TOPIC_SOVEREIGNROLLUP_WITHDRAWAL_REQUESTED, SOVEREIGN_ROLLUP,
		 3, withdrawal_requested},
	[SOVEREIGN_WITHDRAWAL_EXECUTED] =
		{"WithdrawalExecuted",
		 &TOPIC_SOVEREIGNROLLUP_WITHDRAWAL_EXECUTED, SOVEREIGN_ROLLUP,
		 2, withdrawal_executed},
	[SOVEREIGN_WITHDRAWAL_PAID] = {"WithdrawalPaid",
				       &TOPIC_SOVEREIGNROLLUP_WITHDRAWAL_PAID,
				       SOVEREIGN_ROLLUP, 2, withdrawal_paid},
	[SOVEREIGN_INBOX_QUEUED] = {"InboxQueued",
				    &TOPIC_SOVEREIGNROLLUP_INBOX_QUEUED,
				    SOVEREIGN_ROLLUP, 2, inbox_queued},
	[SOVEREIGN_REWOUND] = {"Rewound", &TOPIC_SOVEREIGNROLLUP_REWOUND,
			       SOVEREIGN_ROLLUP, 1, rewound},
	[SOVEREIGN_EXITED] = {"Exited", &TOPIC_SOVEREIGNROLLUP_EXITED,
			      SOVEREIGN_ROLLUP, 1, exited},
	[SOVEREIGN_SETTLED] = {"Settled", &TOPIC_SOVEREIGNROLLUP_SETTLED,
			       SOVEREIGN_ROLLUP, 1, settled},
};

static const struct row *row_of(enum sovereign_event event)
{
	assert(event > SOVEREIGN_OTHER && event < SOVEREIGN_EVENTS);
	return &table[event];
}

struct hash32 sovereign_topic(enum sovereign_event event)
{
	return *row_of(event)->topic;
}

enum sovereign_emitter sovereign_emitter(enum sovereign_event event)
{
	return row_of(event)->emitter;
}

const char *sovereign_name(enum sovereign_event event)
{
	return row_of(event)->name;
}

static enum sovereign_event event_of(struct hash32 topic)
{
	for (unsigned i = SOVEREIGN_OTHER + 1; i < SOVEREIGN_EVENTS; i++)
		if (hash_eq(*table[i].topic, topic))
			return (enum sovereign_event)i;
	return SOVEREIGN_OTHER;
}

enum sovereign_event sovereign_decode(const struct hash32 *topics, size_t n,
				      struct slice data,
				      struct sovereign_log *ret)
{
	enum sovereign_event event = n ? event_of(topics[0]) : SOVEREIGN_OTHER;
	struct sovereign_log log = {.event = event};
	struct log_reader r;

	if (!event || n != 1 + table[event].indexed)
		return SOVEREIGN_OTHER;
	r.topics = abi_reader(slice_of(topics + 1, (n - 1) * sizeof(*topics)));
	r.data = abi_reader(data);
	table[event].decode(&r, &log);
	if (r.topics.failed || r.data.failed)
		return SOVEREIGN_OTHER;
	*ret = log;
	return event;
}
