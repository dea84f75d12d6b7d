/* The signer as its clients meet it: asks in, answers out, and never two
 * choices whose lives meet, whatever happens in between. */
#include "tests/unit/values.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "signer/choices.h"
#include "signer/signer.h"
#include "store/store_test.h"
#include "tests/unit/scratch.h"

#define HATCH an_address(0x11)
#define ALL   (1u << ASK_BALLOT | 1u << ASK_STATEMENT | 1u << ASK_TRANSACTION)

struct fixture {
	struct scratch scratch;
	char dir[128];
	struct policy policy;
	struct keyring *keys;
	struct address key;
	struct choices choices;
	struct signer signer;
	struct err_text error;
};

static void start(struct fixture *f)
{
	assert_int_equal(choices_open(f->dir, &f->policy, f->keys, &f->choices,
				      &f->error),
			 OK);
	f->signer = (struct signer){.policy = &f->policy,
				    .keyring = f->keys,
				    .store = f->choices.store,
				    .ballots = f->choices.ballots};
}

static struct keyring *a_keyring(struct scratch *s, uint8_t number)
{
	struct keyring *keys = keyring_new();
	struct key_secret secret = a_secret(number);
	struct err_text error;
	char text[80];

	assert_non_null(keys);
	hex_encode(secret.b, 32, text);
	scratch_secret(scratch_path(s, "key"), text, strlen(text));
	assert_int_equal(
		keyring_add_plain(keys, scratch_path(s, "key"), NULL, &error),
		OK);
	return keys;
}

/* cmocka turns them into a jump out of the test: not in a child. */
static void default_signals(void)
{
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
}

static void setup(struct fixture *f)
{
	bool made = false;

	memset(f, 0, sizeof(*f));
	f->scratch = scratch_new();
	snprintf(f->dir, sizeof(f->dir), "%s/ballots", f->scratch.dir);
	f->keys = a_keyring(&f->scratch, 1);
	f->key = keyring_address(f->keys, 0);
	f->policy =
		(struct policy){.chain_id = 56,
				.hatch = HATCH,
				.rollup = an_address(0x22),
				.actions = 1u << VOTE_PROMOTE | 1u << VOTE_OPEN,
				.any_standby = true,
				.round = 10};
	assert_int_equal(
		choices_init(f->dir, &f->policy, f->keys, &made, &f->error),
		OK);
	start(f);
}

static void stop(struct fixture *f)
{
	choices_close(&f->choices);
	f->signer.store = NULL;
}

static void teardown(struct fixture *f)
{
	stop(f);
	keyring_free(f->keys);
	scratch_remove(f->scratch.dir);
}

static struct ask a_vote(const struct fixture *f, uint8_t standby,
			 uint64_t expiry)
{
	return (struct ask){
		.kind = ASK_BALLOT,
		.key = f->key,
		.vote = {.chain_id = 56,
			 .hatch = HATCH,
			 .action = VOTE_PROMOTE,
			 .epoch = 1,
			 .progress = 9,
			 .subject = vote_subject_address(an_address(standby)),
			 .expiry = expiry}};
}

static struct ask_answer answer_to(struct signer *s, unsigned may,
				   const struct ask *ask)
{
	struct ask_answer answer;
	struct buf bytes;

	buf_init(&bytes, ASK_MAX);
	ask_encode(ask, &bytes);
	assert_false(bytes.failed);
	signer_answer(s, may, buf_slice(&bytes), &answer);
	buf_done(&bytes);
	return answer;
}

static enum ask_status status_of(struct fixture *f, const struct ask *ask)
{
	return answer_to(&f->signer, ALL, ask).status;
}

static void test_signature_is_over_what_was_asked(void **state)
{
	struct fixture f;
	struct hash32 digest;
	struct address who;

	(void)state;
	setup(&f);
	struct ask asks[3] = {
		a_vote(&f, 1, 1000), {.key = f.key}, {.key = f.key}};
	asks[1].kind = ASK_STATEMENT;
	asks[1].statement =
		(struct statement){.domain = {DOMAIN_EGRESS, 56, HATCH},
				   .type = STATEMENT_INCIDENT,
				   .n = 1,
				   .fields = {a_hash(3)}};
	asks[2].kind = ASK_TRANSACTION;
	asks[2].purpose = PURPOSE_DEPLOY;
	asks[2].tx = (struct tx){.chain_id = 56,
				 .gas = 100000,
				 .create = true,
				 .data = slice_str("code")};
	f.policy.deploy = true;
	for (size_t i = 0; i < 3; i++) {
		struct ask_answer a = answer_to(&f.signer, ALL, &asks[i]);
		assert_string_equal(a.text, "");
		assert_int_equal(a.status, ASK_SIGNED);
		assert_int_equal(ask_digest(&asks[i], &digest), OK);
		assert_int_equal(key_recover(digest, &a.signature, &who), OK);
		assert_true(address_eq(who, f.key));
	}
	teardown(&f);
}

static void test_client_gets_only_what_it_may(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	struct ask vote = a_vote(&f, 1, 1000);
	struct ask_answer a =
		answer_to(&f.signer, ALL & ~(1u << ASK_BALLOT), &vote);
	assert_int_equal(a.status, ASK_REFUSED);
	assert_non_null(strstr(a.text, "ballots"));
	vote.key = an_address(9);
	assert_int_equal(status_of(&f, &vote), ASK_NOT_OUR_KEY);
	vote = a_vote(&f, 1, 1001);
	assert_int_equal(status_of(&f, &vote), ASK_REFUSED);
	teardown(&f);
}

static void test_refused_choices_leave_no_trace(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	struct ask bad = a_vote(&f, 1, 1000);
	bad.vote.chain_id = 1;
	assert_int_equal(status_of(&f, &bad), ASK_REFUSED);
	struct ask good = a_vote(&f, 2, 1000);
	assert_int_equal(status_of(&f, &good), ASK_SIGNED);
	bad = a_vote(&f, 1, 1000);
	assert_int_equal(status_of(&f, &bad), ASK_CONFLICT);
	struct ask again = a_vote(&f, 2, 1000);
	assert_int_equal(status_of(&f, &again), ASK_SIGNED);
	teardown(&f);
}

static void test_nonsense_is_a_bad_request(void **state)
{
	struct fixture f;
	struct ask_answer answer;
	struct buf bytes;

	(void)state;
	setup(&f);
	struct ask ask = a_vote(&f, 1, 1000);
	buf_init(&bytes, ASK_MAX);
	ask_encode(&ask, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		signer_answer(&f.signer, ALL, slice_of(bytes.p, len), &answer);
		assert_int_equal(answer.status, ASK_BAD_REQUEST);
	}
	buf_add_byte(&bytes, 0);
	signer_answer(&f.signer, ALL, buf_slice(&bytes), &answer);
	assert_int_equal(answer.status, ASK_BAD_REQUEST);
	buf_done(&bytes);
	ask = a_vote(&f, 1, 1000);
	assert_int_equal(status_of(&f, &ask), ASK_SIGNED);
	teardown(&f);
}

static void test_choice_outlives_a_restart(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	struct ask first = a_vote(&f, 1, 1000), second = a_vote(&f, 2, 1000);
	assert_int_equal(status_of(&f, &first), ASK_SIGNED);
	stop(&f);
	start(&f);
	assert_int_equal(status_of(&f, &second), ASK_CONFLICT);
	assert_int_equal(status_of(&f, &first), ASK_SIGNED);
	second.vote.expiry = 1030;
	assert_int_equal(status_of(&f, &second), ASK_SIGNED);
	teardown(&f);
}

/* Dies between the commit and the signature. */
static enum err die_after_commit(void *ctx, enum store_moment moment)
{
	if (moment == STORE_AFTER_COMMIT)
		kill(getpid(), SIGKILL);
	(void)ctx;
	return OK;
}

static enum err die_before_commit(void *ctx, enum store_moment moment)
{
	if (moment == STORE_BEFORE_COMMIT)
		kill(getpid(), SIGKILL);
	(void)ctx;
	return OK;
}

static void killed_while_signing(struct fixture *f, store_hook *hook)
{
	int status;
	pid_t child = fork();

	if (!child) {
		/* Keys do not survive a fork: they are read anew. */
		struct scratch s = f->scratch;
		f->keys = a_keyring(&s, 1);
		if (choices_open(f->dir, &f->policy, f->keys, &f->choices,
				 &f->error))
			_exit(2);
		struct signer signer = {.policy = &f->policy,
					.keyring = f->keys,
					.store = f->choices.store,
					.ballots = f->choices.ballots};
		struct ask ask = a_vote(f, 1, 1000);
		store_set_hook(f->choices.store, hook, NULL);
		answer_to(&signer, ALL, &ask);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void test_kill_between_commit_and_answer_keeps_the_choice(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	stop(&f);
	killed_while_signing(&f, die_after_commit);
	start(&f);
	struct ask other = a_vote(&f, 2, 1000), same = a_vote(&f, 1, 1000);
	assert_int_equal(status_of(&f, &other), ASK_CONFLICT);
	assert_int_equal(status_of(&f, &same), ASK_SIGNED);
	teardown(&f);
}

static void test_kill_before_commit_leaves_the_choice_free(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	stop(&f);
	killed_while_signing(&f, die_before_commit);
	start(&f);
	struct ask other = a_vote(&f, 2, 1000);
	assert_int_equal(status_of(&f, &other), ASK_SIGNED);
	teardown(&f);
}

static enum err disk_full(void *ctx, enum store_moment moment)
{
	(void)ctx;
	return moment == STORE_BEFORE_COMMIT ? ERR_FULL : OK;
}

static void test_nothing_is_signed_after_a_failed_commit(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	store_set_hook(f.choices.store, disk_full, NULL);
	struct ask ask = a_vote(&f, 1, 1000);
	assert_int_equal(status_of(&f, &ask), ASK_STORE_UNSAFE);
	store_set_hook(f.choices.store, NULL, NULL);
	assert_int_equal(status_of(&f, &ask), ASK_STORE_UNSAFE);
	teardown(&f);
}

struct racer {
	struct fixture *f;
	uint8_t standby;
	enum ask_status status;
	pthread_t thread;
	pthread_barrier_t *line;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct ask ask = a_vote(r->f, r->standby, 1000);

	pthread_barrier_wait(r->line);
	r->status = status_of(r->f, &ask);
	return NULL;
}

static void test_eight_threads_never_get_two_choices(void **state)
{
	(void)state;
	for (int round = 0; round < 4; round++) {
		struct fixture f;
		struct racer racers[8];
		pthread_barrier_t line;
		int signed_ones = 0;

		setup(&f);
		store_set_nosync(f.choices.store);
		pthread_barrier_init(&line, NULL, 8);
		for (int i = 0; i < 8; i++) {
			racers[i] = (struct racer){.f = &f,
						   .standby = (uint8_t)(i + 1),
						   .line = &line};
			pthread_create(&racers[i].thread, NULL, race,
				       &racers[i]);
		}
		for (int i = 0; i < 8; i++) {
			pthread_join(racers[i].thread, NULL);
			signed_ones += racers[i].status == ASK_SIGNED;
			if (racers[i].status != ASK_SIGNED)
				assert_int_equal(racers[i].status,
						 ASK_CONFLICT);
		}
		assert_int_equal(signed_ones, 1);
		pthread_barrier_destroy(&line);
		teardown(&f);
	}
}

static void test_missing_ledger_refuses_ballots_and_nothing_else(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	stop(&f);
	scratch_remove(f.dir);
	assert_int_equal(
		choices_open(f.dir, &f.policy, f.keys, &f.choices, &f.error),
		ERR_UNSAFE);
	assert_non_null(strstr(f.error.text, "--init"));
	assert_int_not_equal(access(f.dir, F_OK), 0); /* and made none */
	struct ask vote = a_vote(&f, 1, 1000);
	struct ask_answer answer = answer_to(&f.signer, ALL, &vote);
	assert_int_equal(answer.status, ASK_STORE_UNSAFE);
	/* A wrong or unmounted folder looks the same: never only "--init". */
	assert_non_null(strstr(answer.text, "only if this key never signed a "
					    "ballot"));
	struct ask incident = {
		.kind = ASK_STATEMENT,
		.key = f.key,
		.statement = {.domain = {DOMAIN_EGRESS, 56, HATCH},
			      .type = STATEMENT_INCIDENT,
			      .n = 1}};
	assert_int_equal(status_of(&f, &incident), ASK_SIGNED);
	teardown(&f);
}

static void test_another_guardians_ledger_is_refused(void **state)
{
	bool made = false;
	struct fixture f;

	(void)state;
	setup(&f);
	stop(&f);
	keyring_free(f.keys);
	f.keys = a_keyring(&f.scratch, 2);
	assert_int_equal(
		choices_open(f.dir, &f.policy, f.keys, &f.choices, &f.error),
		ERR_UNSAFE);
	assert_non_null(strstr(f.error.text, "not made for"));
	assert_int_equal(
		choices_init(f.dir, &f.policy, f.keys, &made, &f.error),
		ERR_UNSAFE);
	f.policy.chain_id = 1;
	assert_int_equal(
		choices_open(f.dir, &f.policy, f.keys, &f.choices, &f.error),
		ERR_UNSAFE);
	assert_non_null(strstr(f.error.text, "another chain"));
	assert_non_null(strstr(f.error.text, "only when every ballot signed"));
	teardown(&f);
}

static void test_one_signer_per_ledger(void **state)
{
	struct fixture f;
	int status;

	(void)state;
	setup(&f);
	pid_t child = fork();
	if (!child) {
		struct choices other;
		struct scratch s = f.scratch;
		_exit(choices_open(f.dir, &f.policy, a_keyring(&s, 1), &other,
				   &f.error) == ERR_BUSY
			      ? 0
			      : 1);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	teardown(&f);
}

/* In a child: a damaged page may still kill, but must never sign. */
static int asked_in_child(struct fixture *f, const struct ask *ask)
{
	int status;
	pid_t child = fork();

	if (!child) {
		struct scratch s = f->scratch;
		default_signals();
		f->keys = a_keyring(&s, 1);
		if (choices_open(f->dir, &f->policy, f->keys, &f->choices,
				 &f->error))
			_exit(100 + (int)ASK_STORE_UNSAFE);
		struct signer signer = {.policy = &f->policy,
					.keyring = f->keys,
					.store = f->choices.store,
					.ballots = f->choices.ballots};
		_exit(100 + (int)answer_to(&signer, ALL, ask).status);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_flipped_bits_never_free_a_choice(void **state)
{
	static uint8_t bytes[1 << 17];
	struct fixture f;
	char path[256];
	unsigned refused = 0, tried = 0;

	(void)state;
	setup(&f);
	struct ask first = a_vote(&f, 1, 1000), second = a_vote(&f, 2, 1000);
	assert_int_equal(status_of(&f, &first), ASK_SIGNED);
	stop(&f);
	snprintf(path, sizeof(path), "%s/data.mdb", f.dir);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	/* Every byte that holds something, a bit of each. */
	for (size_t i = 0; i < len; i++) {
		if (!bytes[i])
			continue;
		bytes[i] ^= (uint8_t)(1 << i % 8);
		scratch_write(path, bytes, len);
		int status = asked_in_child(&f, &second);
		if (status == 100 + (int)ASK_SIGNED || status == -1)
			fail_msg("flip at %zu: %d", i, status);
		refused += status == 100 + (int)ASK_STORE_UNSAFE;
		tried++;
		bytes[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_true(tried > 30 && refused > 5);
	for (size_t cut = 0; cut < len; cut += 3000) {
		scratch_write(path, bytes, cut);
		assert_int_not_equal(asked_in_child(&f, &second),
				     100 + (int)ASK_SIGNED);
	}
	scratch_write(path, bytes, len);
	start(&f);
	assert_int_equal(status_of(&f, &second), ASK_CONFLICT);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature_is_over_what_was_asked),
		cmocka_unit_test(test_client_gets_only_what_it_may),
		cmocka_unit_test(test_refused_choices_leave_no_trace),
		cmocka_unit_test(test_nonsense_is_a_bad_request),
		cmocka_unit_test(test_choice_outlives_a_restart),
		cmocka_unit_test(
			test_kill_between_commit_and_answer_keeps_the_choice),
		cmocka_unit_test(
			test_kill_before_commit_leaves_the_choice_free),
		cmocka_unit_test(test_nothing_is_signed_after_a_failed_commit),
		cmocka_unit_test(test_eight_threads_never_get_two_choices),
		cmocka_unit_test(
			test_missing_ledger_refuses_ballots_and_nothing_else),
		cmocka_unit_test(test_another_guardians_ledger_is_refused),
		cmocka_unit_test(test_one_signer_per_ledger),
		cmocka_unit_test(test_flipped_bits_never_free_a_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
