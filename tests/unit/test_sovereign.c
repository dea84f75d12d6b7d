#include "tests/unit/values.h"

#include "abi/family/sovereign.h"
#include "abi/words.h"

/* A log as L1 hands it over: topics and data. */
struct log {
	struct hash32 topics[4];
	size_t n;
	struct buf data;
};

static void begin(struct log *log, enum sovereign_event event)
{
	log->topics[0] = sovereign_topic(event);
	log->n = 1;
	buf_init(&log->data, 65536);
}

static void topic_u64(struct log *log, uint64_t value)
{
	log->topics[log->n++] = typed_u64(value);
}

static void topic_address(struct log *log, struct address a)
{
	log->topics[log->n++] = typed_address(a);
}

static enum sovereign_event decode(const struct log *log,
				   struct sovereign_log *ret)
{
	return sovereign_decode(log->topics, log->n, buf_slice(&log->data),
				ret);
}

static void committed(struct log *log, size_t steps)
{
	begin(log, SOVEREIGN_COMMITTED);
	topic_u64(log, 9);
	topic_address(log, an_address(5));
	abi_put_u64(&log->data, 9);
	abi_put_hash(&log->data, a_hash(1));
	abi_put_hash(&log->data, a_hash(2));
	abi_put_u64(&log->data, 70);
	abi_put_u64(&log->data, 4);
	abi_put_hash(&log->data, a_hash(3));
	abi_put_hash(&log->data, a_hash(4));
	for (uint64_t i = 1; i <= 4; i++)
		abi_put_u64(&log->data, i);
	abi_put_u64(&log->data, 12 * 32);
	abi_put_u64(&log->data, steps);
	for (size_t i = 0; i < steps; i++)
		abi_put_hash(&log->data, a_hash((uint8_t)(0x30 + i)));
}

static void test_committed_gives_batch_before_and_roots(void **state)
{
	struct sovereign_log got;
	struct log log;

	(void)state;
	committed(&log, 2);
	assert_int_equal(decode(&log, &got), SOVEREIGN_COMMITTED);
	assert_int_equal(got.event, SOVEREIGN_COMMITTED);
	assert_address_equal(got.committed.sequencer, an_address(5));
	assert_int_equal(got.committed.batch.number, 9);
	assert_hash_equal(got.committed.batch.prev_root, a_hash(1));
	assert_hash_equal(got.committed.batch.root, a_hash(2));
	assert_int_equal(got.committed.batch.leaf_count, 70);
	assert_int_equal(got.committed.batch.inbox_through, 4);
	assert_hash_equal(got.committed.batch.inbox_acc, a_hash(3));
	assert_hash_equal(got.committed.batch.diff_hash, a_hash(4));
	assert_int_equal(got.committed.before.committed_at, 1);
	assert_int_equal(got.committed.before.leaf_count, 2);
	assert_int_equal(got.committed.before.inbox_through, 3);
	assert_int_equal(got.committed.before.withdraw_head, 4);
	assert_int_equal(got.committed.steps, 2);
	assert_hash_equal(got.committed.roots[1], a_hash(0x31));
	buf_done(&log.data);
}

static void test_committed_refuses_two_numbers_and_many_roots(void **state)
{
	struct sovereign_log got;
	struct log log;

	(void)state;
	committed(&log, DIFF_STEPS_MAX);
	assert_int_equal(decode(&log, &got), SOVEREIGN_COMMITTED);
	log.data.p[31] = 8;
	assert_int_equal(decode(&log, &got), SOVEREIGN_OTHER);
	buf_done(&log.data);
	committed(&log, DIFF_STEPS_MAX + 1);
	assert_int_equal(decode(&log, &got), SOVEREIGN_OTHER);
	buf_done(&log.data);
}

static void test_inbox_item_keeps_its_data(void **state)
{
	struct sovereign_log got;
	struct log log;

	(void)state;
	begin(&log, SOVEREIGN_INBOX_QUEUED);
	topic_u64(&log, 7);
	topic_address(&log, an_address(1));
	abi_put_u64(&log.data, 2);
	abi_put_address(&log.data, an_address(0));
	abi_put_u64(&log.data, 0);
	abi_put_address(&log.data, an_address(0));
	abi_put_u64(&log.data, 7 * 32);
	abi_put_hash(&log.data, a_hash(9));
	abi_put_u64(&log.data, 1800000000);
	abi_put_bytes(&log.data, slice_str("an opaque transaction"));
	assert_int_equal(decode(&log, &got), SOVEREIGN_INBOX_QUEUED);
	assert_int_equal(got.inbox_queued.id, 7);
	assert_int_equal(got.inbox_queued.kind, 2);
	assert_slice_equal(got.inbox_queued.data,
			   slice_str("an opaque transaction"));
	assert_hash_equal(got.inbox_queued.acc, a_hash(9));
	assert_int_equal(got.inbox_queued.due, 1800000000);
	buf_done(&log.data);
}

/* Any static event: words of small numbers, which fit every type. */
static void small_words(struct log *log, enum sovereign_event event,
			size_t indexed, size_t words)
{
	begin(log, event);
	for (size_t i = 0; i < indexed; i++)
		topic_u64(log, i + 1);
	for (size_t i = 0; i < words; i++)
		abi_put_u64(&log->data, i == 2 ? 1 : i + 1);
}

static const struct {
	enum sovereign_event event;
	size_t indexed, words;
} statics[] = {
	{SOVEREIGN_PROMOTED, 3, 1},
	{SOVEREIGN_OPENED, 1, 3},
	{SOVEREIGN_RESUMED, 2, 1},
	{SOVEREIGN_ENACTED, 2, 0},
	{SOVEREIGN_WITHDRAWAL_REQUESTED, 3, 4},
	{SOVEREIGN_WITHDRAWAL_EXECUTED, 2, 3},
	{SOVEREIGN_WITHDRAWAL_PAID, 2, 3},
	{SOVEREIGN_REWOUND, 1, 4},
	{SOVEREIGN_EXITED, 1, 3},
	{SOVEREIGN_SETTLED, 1, 3},
};

static void test_events_want_every_topic_and_every_word(void **state)
{
	struct sovereign_log got;
	struct log log;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statics); i++) {
		small_words(&log, statics[i].event, statics[i].indexed,
			    statics[i].words);
		assert_int_equal(decode(&log, &got), statics[i].event);
		assert_int_equal(got.event, statics[i].event);
		log.topics[3] = typed_u64(1);
		for (size_t n = 0; n <= 4; n++)
			assert_int_equal(sovereign_decode(log.topics, n,
							  buf_slice(&log.data),
							  &got),
					 n == log.n ? statics[i].event
						    : SOVEREIGN_OTHER);
		for (size_t len = 0; len < log.data.len; len++)
			assert_int_equal(
				sovereign_decode(log.topics, log.n,
						 slice_of(log.data.p, len),
						 &got),
				SOVEREIGN_OTHER);
		buf_done(&log.data);
	}
}

static void test_dirty_words_are_refused(void **state)
{
	struct sovereign_log got;
	struct log log;

	(void)state;
	small_words(&log, SOVEREIGN_PROMOTED, 3, 1);
	log.topics[1].b[0] = 1; /* epoch */
	assert_int_equal(decode(&log, &got), SOVEREIGN_OTHER);
	log.topics[1].b[0] = 0;
	log.topics[2].b[0] = 1; /* an address */
	assert_int_equal(decode(&log, &got), SOVEREIGN_OTHER);
	log.topics[2].b[0] = 0;
	log.data.p[23] = 1; /* progress */
	assert_int_equal(decode(&log, &got), SOVEREIGN_OTHER);
	log.data.p[23] = 0;
	assert_int_equal(decode(&log, &got), SOVEREIGN_PROMOTED);
	buf_done(&log.data);
	small_words(&log, SOVEREIGN_WITHDRAWAL_REQUESTED, 3, 4);
	log.topics[3].b[26] = 1; /* index is uint40 */
	assert_int_equal(decode(&log, &got), SOVEREIGN_OTHER);
	log.topics[3].b[26] = 0;
	log.data.p[19] = 1; /* amount is uint96 */
	assert_int_equal(decode(&log, &got), SOVEREIGN_OTHER);
	buf_done(&log.data);
}

static void test_foreign_topic_is_other(void **state)
{
	struct sovereign_log got;
	struct hash32 topics[4] = {a_hash(1)};

	(void)state;
	assert_int_equal(sovereign_decode(topics, 4, slice_of(NULL, 0), &got),
			 SOVEREIGN_OTHER);
	assert_int_equal(sovereign_decode(NULL, 0, slice_of(NULL, 0), &got),
			 SOVEREIGN_OTHER);
}

static void test_every_event_has_its_own_topic_and_name(void **state)
{
	(void)state;
	for (unsigned i = 1; i < SOVEREIGN_EVENTS; i++) {
		assert_non_null(sovereign_name(i));
		assert_int_equal(sovereign_emitter(i),
				 i <= SOVEREIGN_ENACTED ? SOVEREIGN_HATCH
							: SOVEREIGN_ROLLUP);
		for (unsigned j = 1; j < i; j++)
			assert_false(hash_eq(sovereign_topic(i),
					     sovereign_topic(j)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_committed_gives_batch_before_and_roots),
		cmocka_unit_test(
			test_committed_refuses_two_numbers_and_many_roots),
		cmocka_unit_test(test_inbox_item_keeps_its_data),
		cmocka_unit_test(test_events_want_every_topic_and_every_word),
		cmocka_unit_test(test_dirty_words_are_refused),
		cmocka_unit_test(test_foreign_topic_is_other),
		cmocka_unit_test(test_every_event_has_its_own_topic_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
