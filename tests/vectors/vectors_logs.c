/* Logs of the sovereign family: name and fields in the ABI's order. */
#include "tests/vectors/vectors.h"

#include "abi/family/sovereign.h"

static void put_u64(struct buf *out, uint64_t value)
{
	buf_printf(out, " %llu", (unsigned long long)value);
}

static void put_u256(struct buf *out, struct u256 value)
{
	buf_printf(out, " %s", u256_text(value).s);
}

static void put_hash(struct buf *out, struct hash32 h)
{
	buf_printf(out, " %s", hash_text(h).s);
}

static void put_address(struct buf *out, struct address a)
{
	buf_printf(out, " %s", address_text(a).s);
}

static void put_bytes(struct buf *out, struct slice s)
{
	buf_add_str(out, " 0x");
	buf_add_hex(out, s.p, s.len);
}

static void put_committed(const struct sovereign_log *log, struct buf *out)
{
	const struct batch *b = &log->committed.batch;
	const struct batch_before *f = &log->committed.before;

	put_u64(out, b->number);
	put_address(out, log->committed.sequencer);
	put_u64(out, b->number);
	put_hash(out, b->prev_root);
	put_hash(out, b->root);
	put_u64(out, b->leaf_count);
	put_u64(out, b->inbox_through);
	put_hash(out, b->inbox_acc);
	put_hash(out, b->diff_hash);
	put_u64(out, f->committed_at);
	put_u64(out, f->leaf_count);
	put_u64(out, f->inbox_through);
	put_u64(out, f->withdraw_head);
	for (size_t i = 0; i < log->committed.steps; i++)
		put_hash(out, log->committed.roots[i]);
}

static void put_hatch_log(const struct sovereign_log *log, struct buf *out)
{
	if (log->event == SOVEREIGN_PROMOTED) {
		put_u64(out, log->promoted.epoch);
		put_address(out, log->promoted.from);
		put_address(out, log->promoted.to);
		put_u64(out, log->promoted.progress);
	} else if (log->event == SOVEREIGN_OPENED) {
		put_u64(out, log->opened.epoch);
		put_u64(out, log->opened.cause);
		put_hash(out, log->opened.root);
		put_u64(out, log->opened.progress);
	} else if (log->event == SOVEREIGN_RESUMED) {
		put_u64(out, log->resumed.epoch);
		put_address(out, log->resumed.sequencer);
		put_hash(out, log->resumed.root);
	} else if (log->event == SOVEREIGN_AMENDED) {
		put_u64(out, log->amended.epoch);
		put_hash(out, log->amended.amendment);
		put_u64(out, log->amended.enact_from);
		put_bytes(out, log->amended.args);
	} else {
		put_u64(out, log->enacted.epoch);
		put_hash(out, log->enacted.amendment);
	}
}

static void put_withdrawal(const struct sovereign_log *log, struct buf *out)
{
	if (log->event == SOVEREIGN_WITHDRAWAL_REQUESTED) {
		put_u64(out, log->withdrawal_requested.id);
		put_address(out, log->withdrawal_requested.owner);
		put_u64(out, log->withdrawal_requested.index);
		put_u256(out, log->withdrawal_requested.amount);
		put_address(out, log->withdrawal_requested.recipient);
		put_u256(out, log->withdrawal_requested.bounty);
		put_u64(out, log->withdrawal_requested.due);
	} else if (log->event == SOVEREIGN_WITHDRAWAL_EXECUTED) {
		put_u64(out, log->withdrawal_executed.id);
		put_u64(out, log->withdrawal_executed.index);
		put_u256(out, log->withdrawal_executed.debited);
		put_address(out, log->withdrawal_executed.executor);
		put_hash(out, log->withdrawal_executed.new_root);
	} else {
		put_u64(out, log->withdrawal_paid.id);
		put_address(out, log->withdrawal_paid.to);
		put_address(out, log->withdrawal_paid.asset);
		put_u256(out, log->withdrawal_paid.amount);
		buf_add_str(out,
			    log->withdrawal_paid.credited ? " true" : " false");
	}
}

static void put_inbox(const struct sovereign_log *log, struct buf *out)
{
	put_u64(out, log->inbox_queued.id);
	put_address(out, log->inbox_queued.from);
	put_u64(out, log->inbox_queued.kind);
	put_address(out, log->inbox_queued.asset);
	put_u256(out, log->inbox_queued.amount);
	put_address(out, log->inbox_queued.owner);
	put_bytes(out, log->inbox_queued.data);
	put_hash(out, log->inbox_queued.acc);
	put_u64(out, log->inbox_queued.due);
}

/* A mask is a uint256 in the ABI. */
static void put_mask(struct buf *out, struct hash32 mask)
{
	put_u256(out, u256_from_be(mask.b, sizeof(mask.b)));
}

static void put_log(const struct sovereign_log *log, struct buf *out)
{
	switch (log->event) {
	case SOVEREIGN_OTHER:
		break;
	case SOVEREIGN_PROMOTED:
	case SOVEREIGN_OPENED:
	case SOVEREIGN_RESUMED:
	case SOVEREIGN_AMENDED:
	case SOVEREIGN_ENACTED:
		put_hatch_log(log, out);
		break;
	case SOVEREIGN_COMMITTED:
		put_committed(log, out);
		break;
	case SOVEREIGN_WITHDRAWAL_REQUESTED:
	case SOVEREIGN_WITHDRAWAL_EXECUTED:
	case SOVEREIGN_WITHDRAWAL_PAID:
		put_withdrawal(log, out);
		break;
	case SOVEREIGN_INBOX_QUEUED:
		put_inbox(log, out);
		break;
	case SOVEREIGN_REWOUND:
		put_u64(out, log->rewound.bad_batch);
		put_hash(out, log->rewound.root);
		put_u64(out, log->rewound.leaf_count);
		put_u64(out, log->rewound.inbox_through);
		put_u64(out, log->rewound.cancelled_from);
		break;
	case SOVEREIGN_EXITED:
		put_u256(out, log->exited.bucket);
		put_mask(out, log->exited.mask);
		put_mask(out, log->exited.credited);
		put_u256(out, log->exited.refund);
		break;
	case SOVEREIGN_SETTLED:
		put_u256(out, log->settled.bucket);
		put_mask(out, log->settled.mask);
		put_hash(out, log->settled.new_root);
		put_u64(out, log->settled.dirty);
		break;
	}
}

/* data topic… */
static bool run_log(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf data;
	struct hash32 topics[4];
	struct sovereign_log log;
	size_t count = n - 1;

	buf_init(&data, VECTORS_OUT_MAX);
	if (count > ARRAY_LEN(topics) || hex_decode_buf(args[0], &data))
		return false;
	for (size_t i = 0; i < count; i++)
		if (hash_parse(args[1 + i], &topics[i]))
			return false;
	if (!sovereign_decode(topics, count, buf_slice(&data), &log))
		return false;
	buf_add_str(out, sovereign_name(log.event));
	put_log(&log, out);
	return true;
}

const struct vectors_command vectors_logs[] = {
	{"log", 2, run_log},
	{NULL},
};
