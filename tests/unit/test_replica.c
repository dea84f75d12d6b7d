/* The ledger rebuilt from events: good batches, bad ones, what L1 itself
 * writes, and blocks taken back.  Roots come from the whole bucket at once. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "abi/contracts_tables.h"
#include "abi/family/sovereign.h"
#include "abi/words.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"
#include "watcher/limits.h"
#include "watcher/replica.h"

#define LOGS_MAX 4

static const struct store_identity identity = {.chain_id = 1,
					       .program = "watcher"};

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct replica r;
	/* The country: what the sequencer believes. */
	struct record records[BUCKET_LEAVES];
	uint64_t leaf_count, batch;
	/* The block being made. */
	uint64_t block;
	size_t n_logs;
	struct l1_log logs[LOGS_MAX];
	struct buf data[LOGS_MAX], input[LOGS_MAX];
};

static void reopen(struct fixture *f)
{
	struct err_text error;

	if (f->store)
		replica_done(&f->r);
	store_close(f->store);
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), 64 << 20,
				    &identity, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(
		replica_open(f->store, 8, an_address(0x11), 5, &f->r, &error),
		OK);
	assert_int_equal(replica_set_rollup(&f->r, an_address(0x22)), OK);
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->scratch = scratch_new();
	f->block = 5;
	for (size_t i = 0; i < LOGS_MAX; i++) {
		buf_init(&f->data[i], 1 << 20);
		buf_init(&f->input[i], 1 << 20);
	}
	reopen(f);
}

static void teardown(struct fixture *f)
{
	replica_done(&f->r);
	store_close(f->store);
	for (size_t i = 0; i < LOGS_MAX; i++) {
		buf_done(&f->data[i]);
		buf_done(&f->input[i]);
	}
	scratch_remove(f->scratch.dir);
}

static struct hash32 model_root(const struct fixture *f)
{
	return merkle_bucket_root(f->records, BUCKET_LEAVES);
}

static struct ledger_mark mark(struct fixture *f)
{
	struct ledger_mark m;

	ledger_mark(f->r.ledger, &m);
	return m;
}

static void expect_root(struct fixture *f, struct hash32 root)
{
	struct ledger_mark m = mark(f);

	assert_memory_equal(m.root.b, root.b, sizeof(root.b));
}

/* ---- making blocks ---- */

static struct l1_log *new_log(struct fixture *f, enum sovereign_event event)
{
	struct l1_log *log = &f->logs[f->n_logs];

	assert_true(f->n_logs < LOGS_MAX);
	buf_clear(&f->data[f->n_logs]);
	buf_clear(&f->input[f->n_logs]);
	*log = (struct l1_log){
		.address = sovereign_emitter(event) == SOVEREIGN_HATCH
				   ? an_address(0x11)
				   : an_address(0x22),
		.n_topics = 1,
		.topics = {sovereign_topic(event)},
	};
	return log;
}

static struct buf *data_of(struct fixture *f)
{
	return &f->data[f->n_logs];
}

static void end_log(struct fixture *f)
{
	f->logs[f->n_logs].data = buf_slice(&f->data[f->n_logs]);
	f->logs[f->n_logs].input = buf_slice(&f->input[f->n_logs]);
	f->n_logs++;
}

static struct block_ref block_at(uint64_t number)
{
	struct block_ref b = {.number = number, .time = 1000 + number};

	put_be(b.hash.b, number, 32);
	put_be(b.parent.b, number - 1, 32);
	return b;
}

static void forward(struct fixture *f)
{
	struct follow_step step = {.move = FOLLOW_FORWARD,
				   .block = block_at(f->block++),
				   .n_logs = f->n_logs,
				   .logs = f->logs};

	assert_true(replica_forward(&f->r, &step, true));
	f->n_logs = 0;
}

static void put_batch(struct buf *b, const struct batch *batch)
{
	abi_put_u64(b, batch->number);
	abi_put_hash(b, batch->prev_root);
	abi_put_hash(b, batch->root);
	abi_put_u64(b, batch->leaf_count);
	abi_put_u64(b, batch->inbox_through);
	abi_put_hash(b, batch->inbox_acc);
	abi_put_hash(b, batch->diff_hash);
}

enum lie {
	HONEST,
	LIE_ROOT,
	LIE_OWNER,
	LIE_DATA,
	LIE_EMPTY,  /* 53 zero bytes where a record was */
	LIE_KIND,   /* a kind that there is not */
	LIE_NOBODY, /* owner zero */
};

/* What the last entry of a lying batch writes over a good record. */
static void distort(struct record *r, enum lie lie)
{
	if (lie == LIE_EMPTY)
		memset(r->b, 0, sizeof(r->b));
	if (lie == LIE_KIND)
		r->b[0] = 3;
	if (lie == LIE_NOBODY)
		memset(r->b + 1, 0, 20);
}

/* A batch that writes n records from index `from` on, in steps of 64. */
static void commit(struct fixture *f, uint64_t from, size_t n, uint64_t amount,
		   enum lie lie)
{
	struct commit_call call = {
		.batch = {.number = ++f->batch, .prev_root = model_root(f)}};
	struct batch_before before = {.leaf_count = f->leaf_count};
	struct l1_log *log = new_log(f, SOVEREIGN_COMMITTED);
	struct address native = {{0}};
	struct buf diff;

	buf_init(&diff, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		struct address owner = an_address((uint8_t)(from + i + 1));
		if (lie == LIE_OWNER && i == n - 1)
			owner = an_address(0xee);
		f->records[from + i] =
			record_balance(owner, native, u256_from(amount));
		if (i == n - 1)
			distort(&f->records[from + i], lie);
		diff_put(&diff, from + i, &f->records[from + i]);
		if (i % DIFF_STEP == DIFF_STEP - 1 || i == n - 1)
			call.roots[call.steps++] = model_root(f);
	}
	if (lie == LIE_ROOT)
		call.roots[call.steps - 1].b[7] ^= 1;
	if (from + n > f->leaf_count)
		f->leaf_count = from + n;
	call.batch.root =
		call.steps ? call.roots[call.steps - 1] : call.batch.prev_root;
	call.batch.leaf_count = f->leaf_count;
	call.diff = buf_slice(&diff);
	call.batch.diff_hash = diff_hash(call.diff, call.roots, call.steps);
	put_batch(data_of(f), &call.batch);
	abi_put_u64(data_of(f), before.committed_at);
	abi_put_u64(data_of(f), before.leaf_count);
	abi_put_u64(data_of(f), 0);
	abi_put_u64(data_of(f), 0);
	abi_put_u64(data_of(f), (7 + 4 + 1) * ABI_WORD);
	abi_put_hashes(data_of(f), call.roots, call.steps);
	if (lie == LIE_DATA)
		diff.p[DIFF_ENTRY - 1] ^= 1;
	commit_encode(&call, &f->input[f->n_logs]);
	buf_done(&diff);
	log->n_topics = 3;
	log->topics[1] = typed_u64(f->batch);
	log->topics[2] = typed_address(an_address(0x33));
	end_log(f);
}

/* L1 takes `debited` from leaf index; says that it gives `root`. */
static void execute(struct fixture *f, uint64_t index, uint64_t debited,
		    const struct hash32 *root)
{
	struct l1_log *log = new_log(f, SOVEREIGN_WITHDRAWAL_EXECUTED);
	struct u256 left;

	assert_true(u256_sub(record_amount(&f->records[index]),
			     u256_from(debited), &left));
	f->records[index] = record_with_amount(&f->records[index], left);
	log->n_topics = 3;
	log->topics[1] = typed_u64(1);
	log->topics[2] = typed_u64(index);
	abi_put_u64(data_of(f), debited);
	abi_put_address(data_of(f), an_address(0x44));
	abi_put_hash(data_of(f), root ? *root : model_root(f));
	end_log(f);
}

static void settle(struct fixture *f, uint64_t from, uint64_t to)
{
	struct l1_log *log = new_log(f, SOVEREIGN_SETTLED);
	struct hash32 mask = {{0}};

	for (uint64_t i = from; i < to; i++) {
		mask.b[31 - i / 8] |= (uint8_t)(1 << i % 8);
		f->records[i] =
			record_with_amount(&f->records[i], u256_from(0));
	}
	log->n_topics = 2;
	log->topics[1] = typed_u64(0);
	abi_put_hash(data_of(f), mask);
	abi_put_hash(data_of(f), model_root(f));
	abi_put_u64(data_of(f), 0);
	end_log(f);
}

static void rewind_to(struct fixture *f, uint64_t bad_batch, struct hash32 root,
		      uint64_t leaf_count)
{
	struct l1_log *log = new_log(f, SOVEREIGN_REWOUND);

	log->n_topics = 2;
	log->topics[1] = typed_u64(bad_batch);
	abi_put_hash(data_of(f), root);
	abi_put_u64(data_of(f), leaf_count);
	abi_put_u64(data_of(f), 0);
	abi_put_u64(data_of(f), 0);
	end_log(f);
}

static void promote(struct fixture *f, uint8_t to, uint64_t epoch,
		    uint64_t progress)
{
	struct l1_log *log = new_log(f, SOVEREIGN_PROMOTED);

	log->n_topics = 4;
	log->topics[1] = typed_u64(epoch);
	log->topics[2] = typed_address(an_address(0x55));
	log->topics[3] = typed_address(an_address(to));
	abi_put_u64(data_of(f), progress);
	end_log(f);
}

/* ---- the promises ---- */

static void test_batches_give_the_roots_of_the_country(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 130, 1000, HONEST); /* three steps */
	forward(&f);
	commit(&f, 10, 20, 7, HONEST);
	commit(&f, 0, 0, 0, HONEST); /* an empty one is progress too */
	forward(&f);
	expect_root(&f, model_root(&f));
	assert_int_equal(mark(&f).batch, 3);
	assert_int_equal(mark(&f).leaf_count, 130);
	reopen(&f);
	expect_root(&f, model_root(&f));
	assert_int_equal(f.r.tip.number, 6);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	teardown(&f);
}

static void test_follows_what_l1_itself_writes(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 40, 1000, HONEST);
	execute(&f, 3, 400, NULL);
	forward(&f);
	execute(&f, 3, 0, NULL); /* void: the root stays */
	settle(&f, 2, 9);
	forward(&f);
	expect_root(&f, model_root(&f));
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	teardown(&f);
}

/* Bad in its second step: the first is undone too, the proof is kept. */
static void bad_batch_stops(enum lie lie, uint64_t step)
{
	struct hash32 good, unlike;
	struct fixture f;
	struct buf proof;

	setup(&f);
	commit(&f, 0, 200, 1000, HONEST);
	forward(&f);
	good = model_root(&f);
	commit(&f, 0, 100, 5, lie);
	commit(&f, 0, 1, 6, HONEST); /* another on top */
	forward(&f);
	expect_root(&f, good);
	assert_int_equal(f.r.history.stop.kind, STOP_BAD_BATCH);
	assert_int_equal(f.r.history.stop.batch, 2);
	assert_int_equal(f.r.history.stop.step, step);
	assert_int_equal(mark(&f).batch, 1);
	buf_init(&proof, 1 << 20);
	buf_add_slice(&proof, buf_slice(&f.r.history.stop.proof));
	assert_true(proof.len > 10 * ABI_WORD);
	reopen(&f);
	assert_true(slice_eq(buf_slice(&proof),
			     buf_slice(&f.r.history.stop.proof)));
	buf_done(&proof);
	unlike = good;
	unlike.b[0] ^= 1;
	rewind_to(&f, 3, unlike, 200); /* a later one: ours still stands */
	forward(&f);
	assert_int_equal(f.r.history.stop.kind, STOP_BAD_BATCH);
	rewind_to(&f, 2, good, 200);
	forward(&f);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	expect_root(&f, good);
	replica_back(&f.r); /* the rewind was not final after all */
	assert_int_equal(f.r.history.stop.kind, STOP_BAD_BATCH);
	teardown(&f);
}

static void test_a_wrong_root_is_proven(void **state)
{
	(void)state;
	bad_batch_stops(LIE_ROOT, 1);
}

static void test_a_leaf_given_away_is_proven(void **state)
{
	(void)state;
	bad_batch_stops(LIE_OWNER, 1);
}

/* L1 takes any update, so whatever one writes must be provable. */
static void test_a_leaf_that_is_no_record_any_more_is_proven(void **state)
{
	(void)state;
	bad_batch_stops(LIE_EMPTY, 1);
	bad_batch_stops(LIE_KIND, 1);
	bad_batch_stops(LIE_NOBODY, 1);
}

static void test_data_that_are_not_the_batchs_prove_nothing(void **state)
{
	struct hash32 good;
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	good = model_root(&f);
	commit(&f, 0, 30, 5, LIE_DATA);
	forward(&f);
	assert_int_equal(f.r.history.stop.kind, STOP_UNVERIFIABLE);
	assert_int_equal(f.r.history.stop.proof.len, 0);
	expect_root(&f, good);
	teardown(&f);
}

/* As far as blocks are kept. */
static void reread(struct fixture *f, int blocks)
{
	while (blocks && replica_reread(&f->r))
		blocks--;
}

static void test_what_makes_no_sense_is_read_again_first(void **state)
{
	struct follow_step step = {.move = FOLLOW_FORWARD};
	struct hash32 good, other = {{1}};
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	forward(&f);
	good = model_root(&f);
	execute(&f, 4, 10, &other);
	step.block = block_at(f.block);
	step.n_logs = f.n_logs;
	step.logs = f.logs;
	assert_false(replica_forward(&f.r, &step, false));
	assert_int_equal(f.r.tip.number, 6);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	expect_root(&f, good);
	forward(&f); /* again, and no better */
	assert_int_equal(f.r.history.stop.kind, STOP_UNVERIFIABLE);
	forward(&f);
	reopen(&f);
	replica_retry(&f.r); /* a new start tries once more */
	assert_int_equal(f.r.tip.number, 6);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	reread(&f, 99);
	assert_int_equal(f.r.tip.number, 5);
	teardown(&f);
}

/* Whoever makes up a range's list can make up a bad batch in it. */
static void test_a_bad_batch_of_a_range_is_read_again_first(void **state)
{
	struct follow_step step = {.move = FOLLOW_FORWARD, .jumps = true};
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	commit(&f, 0, 30, 5, LIE_ROOT);
	step.block = block_at(f.block + 9);
	step.n_logs = f.n_logs;
	step.logs = f.logs;
	assert_false(replica_forward(&f.r, &step, false));
	assert_int_equal(f.r.tip.number, 5);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	step.block = block_at(f.block);
	step.jumps = false; /* as the block itself tells */
	assert_true(replica_forward(&f.r, &step, false));
	assert_int_equal(f.r.history.stop.kind, STOP_BAD_BATCH);
	teardown(&f);
}

/* A block far above the tip, with nothing of ours in between. */
static void jump_to(struct fixture *f, uint64_t number, uint8_t branch)
{
	struct follow_step step = {.move = FOLLOW_FORWARD,
				   .block = block_at(number),
				   .jumps = true,
				   .n_logs = f->n_logs,
				   .logs = f->logs};

	step.block.hash.b[0] = branch;
	step.block.parent.b[0] = branch;
	assert_true(replica_forward(&f->r, &step, true));
	f->n_logs = 0;
	f->block = number + 1;
}

/* What a node that saw only the final chain has. */
static void test_a_reorg_below_a_jump_leaves_the_final_chain_alone(void **state)
{
	struct hash32 good, last;
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	jump_to(&f, 3000, 0);
	good = model_root(&f);
	commit(&f, 30, 9, 7, HONEST);
	jump_to(&f, 5000, 0);
	jump_to(&f, 7000, 0);
	reopen(&f);
	assert_int_equal(f.r.tip.number, 7000);
	replica_back(&f.r);
	assert_int_equal(f.r.tip.number, 5000);
	replica_back(&f.r);
	assert_int_equal(f.r.tip.number, 3000);
	expect_root(&f, good);
	/* the batch came in another block, below where it had been */
	f.batch--;
	memset(f.records + 30, 0, 9 * sizeof(*f.records));
	f.leaf_count = 30;
	commit(&f, 30, 12, 8, HONEST);
	jump_to(&f, 4000, 1);
	last = model_root(&f);
	jump_to(&f, 7000, 1);
	reopen(&f);
	expect_root(&f, last);
	assert_int_equal(f.r.tip.hash.b[0], 1);
	assert_int_equal(mark(&f).block, 4000);
	teardown(&f);
}

/* Kept blocks that lie far apart are all undone as those side by side. */
static void test_what_kept_blocks_may_undo_is_not_forgotten(void **state)
{
	struct hash32 good;
	struct fixture f;

	(void)state;
	setup(&f);
	f.r.finality = 1;
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	good = model_root(&f);
	for (uint64_t i = 1; i <= 5; i++) {
		commit(&f, 0, 30, 1000 + i, HONEST);
		jump_to(&f, 5000 * i, 0);
	}
	assert_int_equal(replica_since_change(&f.r), 1);
	jump_to(&f, 50000, 0);
	assert_int_equal(replica_since_change(&f.r), 2);
	reread(&f, 99);
	assert_int_equal(f.r.tip.number, 5);
	expect_root(&f, good);
	teardown(&f);
}

/* More was taken back than is known of: in a child, since it ends there. */
static void test_nothing_is_followed_below_the_blocks_kept(void **state)
{
	struct fixture f;
	int status;

	(void)state;
	setup(&f);
	for (int i = 0; i <= CHAIN_KEEP; i++)
		forward(&f);
	reread(&f, 2 * CHAIN_KEEP);
	assert_int_equal(f.r.tip.number, 6);
	pid_t child = fork();
	if (!child) {
		prctl(PR_SET_DUMPABLE, 0);
		signal(SIGABRT, SIG_DFL);
		replica_back(&f.r);
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	teardown(&f);
}

static uint64_t journal_length(struct fixture *f)
{
	struct store_table t;
	struct store_txn *txn;
	uint64_t n;

	assert_int_equal(store_begin(f->store, false, &txn), OK);
	assert_int_equal(store_table_open(txn, "journal", true, false, &t), OK);
	n = store_count(txn, &t);
	store_abort(txn);
	return n;
}

/* Blocks are a second apart. */
static void test_what_is_final_and_deep_is_forgotten(void **state)
{
	struct hash32 good;
	struct fixture f;

	(void)state;
	setup(&f);
	f.r.finality = CHAIN_KEEP + 10;
	for (int i = 0; i < CHAIN_KEEP; i++) {
		if (i < 20)
			commit(&f, 0, 3, (uint64_t)i, HONEST);
		forward(&f);
	}
	good = model_root(&f);
	f.r.finality = CHAIN_KEEP - 9;
	commit(&f, 0, 3, 77, HONEST); /* at 1029: all are within the blocks */
	forward(&f);
	assert_int_equal(journal_length(&f), 21);
	for (int i = 0; i < 9; i++)
		forward(&f);
	assert_int_equal(journal_length(&f), 21); /* only with a change */
	commit(&f, 0, 3, 78, HONEST); /* 1039: below 15 is deep, and final */
	forward(&f);
	assert_int_equal(journal_length(&f), 12);
	f.r.finality = 2 * CHAIN_KEEP; /* deep is not enough */
	for (int i = 0; i < 9; i++)
		forward(&f);
	commit(&f, 0, 3, 79, HONEST);
	forward(&f);
	assert_int_equal(journal_length(&f), 13);
	f.batch = 20;
	rewind_to(&f, 21, good, 3); /* and what is not can be undone */
	forward(&f);
	expect_root(&f, good);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	reread(&f, 11);
	assert_int_equal(mark(&f).batch, 22);
	teardown(&f);
}

static void test_a_root_that_l1_did_not_get_stops_the_ledger(void **state)
{
	struct hash32 good, other = {{1}};
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	good = model_root(&f);
	execute(&f, 4, 10, &other);
	forward(&f);
	assert_int_equal(f.r.history.stop.kind, STOP_UNVERIFIABLE);
	expect_root(&f, good);
	teardown(&f);
}

static void test_a_rewind_drops_batches_and_what_came_after(void **state)
{
	struct hash32 good;
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	execute(&f, 4, 10, NULL);
	forward(&f);
	good = model_root(&f);
	commit(&f, 30, 30, 5, HONEST);
	execute(&f, 40, 1, NULL);
	forward(&f);
	commit(&f, 0, 60, 8, HONEST);
	forward(&f);
	rewind_to(&f, 2, good, 30);
	forward(&f);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	expect_root(&f, good);
	assert_int_equal(mark(&f).batch, 1);
	replica_back(&f.r);
	expect_root(&f, model_root(&f));
	assert_int_equal(mark(&f).batch, 3);
	teardown(&f);
}

static void test_back_undoes_a_block_and_all_it_taught(void **state)
{
	const struct history_when p = {.progress = 1, .block = 99};
	struct hash32 good;
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	good = model_root(&f);
	commit(&f, 0, 10, 1, HONEST);
	promote(&f, 9, 1, 1);
	forward(&f);
	assert_true(history_was_promoted(&f.r.history, an_address(9), p));
	replica_back(&f.r);
	assert_false(history_was_promoted(&f.r.history, an_address(9), p));
	expect_root(&f, good);
	replica_back(&f.r);
	assert_true(hash_is_zero(f.r.tip.hash));
	assert_int_equal(f.r.tip.number, 5); /* starts where it should */
	teardown(&f);
}

static void test_hand_overs_use_no_standby_up(void **state)
{
	struct history_when p = {.progress = 4, .block = 99};
	struct fixture f;

	(void)state;
	setup(&f);
	promote(&f, 9, 0, 4); /* epoch as it was: handOver */
	forward(&f);
	assert_false(history_was_promoted(&f.r.history, an_address(9), p));
	promote(&f, 9, 1, 4);
	forward(&f); /* block 6 */
	reopen(&f);
	assert_true(history_was_promoted(&f.r.history, an_address(9), p));
	assert_true(history_was_replaced(&f.r.history, an_address(0x55), p));
	assert_false(history_was_replaced(&f.r.history, an_address(9), p));
	p.block = 5; /* not yet, for what is decided at block 5 */
	assert_false(history_was_promoted(&f.r.history, an_address(9), p));
	p.block = 6;
	assert_false(f.r.history.gap);
	p.progress = 5; /* a batch since: it may be promoted again */
	assert_false(history_was_promoted(&f.r.history, an_address(9), p));
	teardown(&f);
}

static void test_epochs_before_the_first_block_are_missed(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	promote(&f, 9, 3, 4); /* where are 1 and 2? */
	forward(&f);
	assert_true(f.r.history.gap);
	replica_back(&f.r);
	assert_false(f.r.history.gap);
	teardown(&f);
}

static void test_strangers_events_are_not_heard(void **state)
{
	struct hash32 good;
	struct fixture f;

	(void)state;
	setup(&f);
	commit(&f, 0, 30, 1000, HONEST);
	forward(&f);
	good = model_root(&f);
	execute(&f, 4, 10, NULL);
	f.logs[0].address = an_address(0x11); /* the hatch says it */
	forward(&f);
	expect_root(&f, good);
	assert_int_equal(f.r.history.stop.kind, STOP_NONE);
	teardown(&f);
}

/* ---- the smallest store ---------------------------------------------------
 */

#define NEW_BATCHES 8 /* full: so many leaves has the nation after them */

/* A full batch of new leaves, each another owner's; later ones spread over all
 * there are. */
static enum err full_batch(struct fixture *f, struct store_txn *txn,
			   uint64_t batch)
{
	static struct diff_entry entries[DIFF_ENTRIES_MAX];
	uint64_t first = batch * DIFF_ENTRIES_MAX, stride = 1;
	struct ledger_mark next = {.batch = batch + 1, .block = 2000 + batch};
	struct hash32 root;

	next.leaf_count = first + DIFF_ENTRIES_MAX;
	if (batch >= NEW_BATCHES) {
		first = batch % NEW_BATCHES;
		stride = NEW_BATCHES;
		next.leaf_count = NEW_BATCHES * DIFF_ENTRIES_MAX;
	}
	for (size_t i = 0; i < DIFF_ENTRIES_MAX; i++) {
		uint64_t index = first + i * stride;
		struct hash32 h = keccak256(&index, sizeof(index));
		struct address owner;
		memcpy(owner.b, h.b, sizeof(owner.b));
		entries[i].index = index;
		entries[i].record = record_balance(owner, an_address(0),
						   u256_from(batch + 1));
	}
	return ledger_apply(txn, f->r.ledger, LEDGER_BATCH, &next, entries,
			    DIFF_ENTRIES_MAX, &root);
}

static void open_small(struct fixture *f, uint64_t map_size)
{
	struct err_text error;

	replica_done(&f->r);
	store_close(f->store);
	scratch_remove(f->scratch.dir);
	f->scratch = scratch_new();
	assert_int_equal(store_open(scratch_path(&f->scratch, "db"), map_size,
				    &identity, &f->store, &error),
			 OK);
	store_set_nosync(f->store);
	assert_int_equal(
		replica_open(f->store, 8, an_address(0x11), 5, &f->r, &error),
		OK);
}

static void test_the_smallest_store_holds_a_fresh_nation(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	open_small(&f, WATCHER_MAP_MIN);
	for (int i = 0; i < CHAIN_KEEP + 64; i++)
		forward(&f);
	for (uint64_t batch = 0; batch < 3 * NEW_BATCHES; batch++) {
		struct store_txn *txn;
		assert_int_equal(store_begin(f.store, true, &txn), OK);
		assert_int_equal(full_batch(&f, txn, batch), OK);
		assert_int_equal(ledger_commit(f.r.ledger, txn), OK);
	}
	assert_true(store_fill_percent(f.store) < 50); /* nobody is warned */
	teardown(&f);
}

/* What a process writes before it ends by fatal(). */
static void last_words(void (*does)(struct fixture *f), struct fixture *f,
		       char *to, size_t size)
{
	int ends[2], status;
	size_t n = 0;
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		prctl(PR_SET_DUMPABLE, 0);
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		does(f);
		_exit(0);
	}
	close(ends[1]);
	while (n + 1 < size && (got = read(ends[0], to + n, size - 1 - n)) > 0)
		n += (size_t)got;
	to[n] = 0;
	close(ends[0]);
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Catches up in no time. */
static void fill_store(struct fixture *f)
{
	struct store_txn *txn;

	open_small(f, 1 << 20);
	for (uint64_t batch = 0; batch < NEW_BATCHES; batch++) {
		forward(f);
		assert_int_equal(store_begin(f->store, true, &txn), OK);
		enum err err = full_batch(f, txn, batch);
		if (!err)
			err = ledger_commit(f->r.ledger, txn);
		if (err)
			replica_fatal("a block cannot be committed", err);
	}
}

static void test_a_full_store_says_what_to_do(void **state)
{
	static char words[1 << 16];
	struct fixture f;

	(void)state;
	setup(&f);
	last_words(fill_store, &f, words, sizeof(words));
	char *warned = strstr(words, "filling up: raise store.map_size");
	char *ended = strstr(words, "full: raise store.map_size in the config");
	assert_true(warned && ended && warned < ended);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_reorg_below_a_jump_leaves_the_final_chain_alone),
		cmocka_unit_test(
			test_what_kept_blocks_may_undo_is_not_forgotten),
		cmocka_unit_test(test_batches_give_the_roots_of_the_country),
		cmocka_unit_test(test_follows_what_l1_itself_writes),
		cmocka_unit_test(test_a_wrong_root_is_proven),
		cmocka_unit_test(test_a_leaf_given_away_is_proven),
		cmocka_unit_test(
			test_a_leaf_that_is_no_record_any_more_is_proven),
		cmocka_unit_test(
			test_data_that_are_not_the_batchs_prove_nothing),
		cmocka_unit_test(test_what_makes_no_sense_is_read_again_first),
		cmocka_unit_test(
			test_a_bad_batch_of_a_range_is_read_again_first),
		cmocka_unit_test(
			test_nothing_is_followed_below_the_blocks_kept),
		cmocka_unit_test(test_what_is_final_and_deep_is_forgotten),
		cmocka_unit_test(
			test_a_root_that_l1_did_not_get_stops_the_ledger),
		cmocka_unit_test(
			test_a_rewind_drops_batches_and_what_came_after),
		cmocka_unit_test(test_back_undoes_a_block_and_all_it_taught),
		cmocka_unit_test(test_hand_overs_use_no_standby_up),
		cmocka_unit_test(test_epochs_before_the_first_block_are_missed),
		cmocka_unit_test(test_strangers_events_are_not_heard),
		cmocka_unit_test(test_the_smallest_store_holds_a_fresh_nation),
		cmocka_unit_test(test_a_full_store_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
