/* No provider bends the view, makes it blind, or has another one blamed. */
#include "view_bench.h"
#include "kept.h"

/* ---- liars --------------------------------------------------------------- */

static void test_a_lasting_contradiction_of_what_is_final_is_a_lie(void **state)
{
	const struct l1_view *v = pass(POLL_MS);
	(void)state;
	fork_at(2, 5, 91);
	all_at(102, 92);
	v = pass(2 * POLL_MS);
	assert_string_equal(v->providers[2].state, "good");
	v = pass(L1_DISPUTE_MS);
	assert_string_equal(v->providers[2].state, "lying");
	assert_non_null(strstr(v->providers[2].why, "a quorum says"));
	assert_true(v->healthy);
	/* believed again later, if it says what is so */
	fork_at(2, 0, NO_FORK);
	for (int i = 0; i < 8; i++) {
		all_at(103 + (uint64_t)i, 93);
		v = pass(L1_LYING_FIRST_MS / 8);
	}
	v = pass(2 * POLL_MS);
	assert_string_equal(v->providers[2].state, "good");
}

static void test_headers_that_do_not_hash_never_count(void **state)
{
	(void)state;
	claims[0].ahead = AHEAD_S; /* the first voice */
	const struct l1_view *v = pass(2 * POLL_MS);
	assert_true(v->healthy);
	assert_int_equal(v->head.time, 5100);
	assert_int_equal(v->acted.time, 5090);
	assert_string_equal(v->providers[0].state, "lying");
	assert_non_null(strstr(v->providers[0].why, "other contents"));
	claims[1].silent = true; /* it and one honest one are no quorum */
	all_at(101, 91);
	v = pass(2 * L1_HEARD_MS);
	assert_false(v->healthy);
	assert_int_equal(v->acted.time, 5090);
}

/* Two alike, from the first moment on, and no one else; the third comes. */
static void test_forgers_are_no_quorum_however_many(void **state)
{
	const struct l1_view *v;
	(void)state;
	claims[0].ahead = claims[1].ahead = AHEAD_S;
	claims[2].silent = true;
	v = pass(10 * POLL_MS);
	assert_false(v->healthy);
	assert_int_equal(v->head.number, 0);
	assert_int_equal(v->acted.number, 0);
	assert_string_equal(v->providers[0].state, "down"); /* or it is us */
	assert_non_null(strstr(v->why, "a: its block"));
	assert_non_null(strstr(v->why, "does not hash to its hash"));
	claims[2].silent = false;
	v = pass(2 * L1_BACKOFF_MAX_MS);
	assert_false(v->healthy);
	assert_string_equal(v->providers[0].state, "lying");
	assert_string_equal(v->providers[1].state, "lying");
	assert_string_equal(v->providers[2].state, "good");
}

static void test_a_field_that_nobody_can_hash_is_for_a_quorum(void **state)
{
	(void)state;
	newer = true;
	claims[2].ahead = AHEAD_S;
	const struct l1_view *v = pass(2 * POLL_MS);
	assert_true(v->healthy);
	assert_int_equal(v->head.number, 100);
	assert_int_equal(v->head.time, 5100);
	assert_non_null(strstr(v->headers, "by quorum: block "));
	assert_non_null(strstr(v->headers, "has a field fooRoot that"));
	assert_string_equal(v->providers[2].state, "lying");
	claims[1].silent = true;
	all_at(110, 95);
	v = pass(2 * L1_HEARD_MS);
	assert_false(v->healthy); /* one alone proves nothing */
	assert_int_equal(v->head.number, 100);
}

/* One has no tag, one has not been heard of yet: how deep a block is, is not
 * for the third to say alone. */
static void test_one_alone_never_says_what_is_final(void **state)
{
	const struct l1_view *v;
	(void)state;
	claims[0].lacks = true;
	claims[1].silent = true;
	claims[2].safe = claims[2].final = FIRST_HEAD;
	v = pass(10 * POLL_MS);
	assert_int_equal(v->head.number, FIRST_HEAD);
	assert_int_equal(v->acted.number, 0);
	assert_false(v->healthy);
	claims[1].silent = false;
	v = pass(2 * L1_BACKOFF_MAX_MS);
	assert_int_equal(v->acted.number, 90);
	assert_true(v->healthy);
}

/* a has no tag safe; c stops telling it. */
static void test_a_safe_block_that_stands_is_not_waited_for(void **state)
{
	const struct l1_view *v;
	uint64_t head = FIRST_HEAD;
	(void)state;
	settings.chain.act_on = ACT_ON_AUTO;
	claims[0].lacks_safe = true;
	begin(3, 2);
	l1_set_sla(l1, 16);
	v = pass(4 * POLL_MS);
	assert_string_equal(v->depth, "safe");
	assert_int_equal(v->acted.number, 95);
	claims[2].lacks_safe = true;
	for (int i = 0; i < 30; i++) {
		head++;
		all_at(head, head - 10);
		v = pass(POLL_MS);
		assert_true(v->healthy);
	}
	assert_string_equal(v->depth, "finalized");
	assert_true(v->acted.number + 12 > head);
}

/* Words that do not hash, and a field that would excuse it. */
static void test_one_proof_is_enough_for_a_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(set_up(state), 0);
		claims[i].excuse = true;
		const struct l1_view *v = pass(4 * POLL_MS);
		assert_true(v->healthy);
		assert_int_equal(v->acted.number, 90);
		assert_string_equal(v->headers, "proved");
	}
}

/* What one of them says, as time goes by. */
static size_t liar_at;
static unsigned lie_kind;
static uint64_t began_ms, last_head;

#define LIE_KINDS 12

static void lie(void)
{
	struct claim *c = &claims[liar_at];
	uint64_t head = FIRST_HEAD + (fake_now - began_ms) / block_ms;
	all_at(head, head - 10);
	switch (lie_kind) {
	case 0: /* a branch of its own, above what is final */
		fork_at(liar_at, 5, FIRST_HEAD - 5);
		return;
	case 1: /* one that it starts and leaves */
		fork_at(liar_at, (unsigned)(fake_now / 7000 % 2) * 5,
			FIRST_HEAD - 5);
		return;
	case 2: /* another for every while */
		fork_at(liar_at, 1 + (unsigned)(fake_now / 9000 % 6),
			FIRST_HEAD - 5);
		return;
	case 3:
		c->ahead = AHEAD_S;
		return;
	case 4:
		c->head += 50;
		return;
	case 5:
		c->head -= 40;
		c->safe = c->final = c->head - 10;
		return;
	case 6:
		c->safe = c->final = c->head;
		return;
	case 7:
		c->final = c->safe = 60;
		return;
	case 8:
		c->lacks = true;
		return;
	case 9:
		c->lacks_latest = fake_now / 5000 % 2;
		return;
	case 10:
		c->silent = fake_now / 3000 % 2;
		fork_at(liar_at, 5, FIRST_HEAD - 5);
		return;
	default:
		c->html = true;
	}
}

/* Whatever one says, and when it comes back from its expulsion: what the others
 * say is taken within a poll, and moves. */
static void assert_never_blind(uint64_t ms)
{
	began_ms = fake_now;
	last_head = 0;
	tick = lie;
	(void)pass(2 * POLL_MS);
	for (uint64_t at = fake_now; fake_now - at < ms;) {
		const struct l1_view *v = pass(step_ms);
		uint64_t then = (fake_now - began_ms - POLL_MS - step_ms);
		uint64_t head = FIRST_HEAD + then / block_ms;
		if (!v->healthy || v->head.number < head ||
		    v->acted.number < head - 10)
			fail_msg("lie %u of %zu at %llu: head %llu, acted "
				 "%llu of %llu: %s",
				 lie_kind, liar_at,
				 (unsigned long long)(fake_now - began_ms),
				 (unsigned long long)v->head.number,
				 (unsigned long long)v->acted.number,
				 (unsigned long long)head, v->why);
		struct hash32 is =
			hash_of(&claims[(liar_at + 1) % n], v->head.number);
		assert_true(hash_eq(v->head.hash, is));
		is = hash_of(&claims[(liar_at + 1) % n], v->acted.number);
		assert_true(hash_eq(v->acted.hash, is));
		for (size_t i = 0; i < n; i++)
			if (i != liar_at)
				assert_string_equal(v->providers[i].state,
						    "good");
	}
	tick = NULL;
}

static void never_blind_by(int act_on, void **state)
{
	for (lie_kind = 0; lie_kind < LIE_KINDS; lie_kind++) {
		assert_int_equal(set_up(state), 0);
		settings.chain.act_on = act_on;
		settings.chain.confirmations =
			act_on == ACT_ON_CONFIRMATIONS ? 10 : 0;
		liar_at = lie_kind % 3;
		begin(3, 2);
		assert_never_blind(80000);
	}
}

static void test_a_liar_never_blinds_who_acts_on_finalized(void **state)
{
	never_blind_by(ACT_ON_FINALIZED, state);
}

static void test_a_liar_never_blinds_who_acts_on_safe(void **state)
{
	never_blind_by(ACT_ON_SAFE, state);
}

static void test_a_liar_never_blinds_who_counts_confirmations(void **state)
{
	never_blind_by(ACT_ON_CONFIRMATIONS, state);
}

static void test_a_liar_never_blinds_whatever_it_weighs(void **state)
{
	for (lie_kind = 0; lie_kind < LIE_KINDS; lie_kind++) {
		assert_int_equal(set_up(state), 0);
		providers[0].weight = 3; /* of 7: the others are a quorum */
		liar_at = 0;
		begin(5, 4);
		assert_never_blind(40000);
	}
}

static void test_two_liars_of_five_never_blind(void **state)
{
	for (lie_kind = 0; lie_kind < LIE_KINDS; lie_kind++) {
		assert_int_equal(set_up(state), 0);
		claims[3].silent = lie_kind % 2;
		claims[3].html = !claims[3].silent;
		liar_at = 4;
		begin(5, 3);
		/* the third voice that is not there is no matter */
		began_ms = fake_now;
		tick = lie;
		(void)pass(2 * POLL_MS);
		for (int i = 0; i < 100; i++) {
			assert_true(pass(step_ms)->healthy);
			for (size_t k = 0; k < 3; k++)
				assert_string_equal(
					l1_view(l1)->providers[k].state,
					"good");
		}
		tick = NULL;
	}
}

/* ---- reorganisations ----------------------------------------------------- */

static void test_a_shared_contradiction_is_a_reorganisation(void **state)
{
	(void)state;
	assert_int_equal(pass(POLL_MS)->acted.number, 90);
	for (size_t i = 0; i < n; i++)
		fork_at(i, 5, 91);
	all_at(101, 90); /* above what is final: nobody is accused */
	const struct l1_view *v = pass(2 * POLL_MS);
	assert_true(v->healthy);
	struct hash32 expected = hash_of(&claims[0], 101);
	assert_true(hash_eq(v->head.hash, expected));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(v->providers[i].state, "good");
}

/* Deeper than one acts on: providers see it one after the other, for longer
 * than it takes to call somebody a liar. */
static void test_a_deep_reorganisation_blames_nobody(void **state)
{
	(void)state;
	count_confirmations(3);
	uint64_t head = FIRST_HEAD;
	all_at(head, 1);
	const struct l1_view *v = pass(2 * POLL_MS);
	assert_string_equal(v->depth, "3 confirmations");
	assert_int_equal(v->acted.number, 97);
	for (size_t seen = 0; seen < n; seen++) {
		fork_at(seen, 5, 90);
		for (int i = 0; i < 10; i++) {
			all_at(++head, 1);
			v = pass(1000);
			assert_nobody_blamed();
			assert_true(v->healthy);
			/* one alone changes nothing, two do, within a poll */
			struct hash32 is =
				hash_of(&claims[seen ? 0 : 1], v->acted.number);
			if (i > 1)
				assert_true(hash_eq(v->acted.hash, is));
			assert_true(v->acted.number + 5 >= head);
			if (i > 1)
				assert_string_equal(
					v->providers[seen ? 2 : 0].state,
					seen == 2 ? "good" : "forked");
		}
	}
	v = pass(2 * POLL_MS);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(v->providers[i].state, "good");
}

/* No poll is waited for once the heads are known. */
static void test_confirmations_are_counted_from_the_first_answer(void **state)
{
	(void)state;
	count_confirmations(3);
	all_at(100, 1);
	turn();
	turn();
	assert_true(l1_view(l1)->healthy);
	assert_int_equal(l1_view(l1)->acted.number, 97);
}

/* To a lower block than the one acted on, too. */
static void test_an_undone_block_is_left_for_a_lower_one(void **state)
{
	(void)state;
	count_confirmations(3);
	all_at(100, 1);
	assert_int_equal(pass(2 * POLL_MS)->acted.number, 97);
	for (size_t i = 0; i < n; i++)
		fork_at(i, 5, 90);
	all_at(98, 1);
	const struct l1_view *v = pass(3 * POLL_MS);
	struct hash32 is = hash_of(&claims[0], 95);
	assert_int_equal(v->acted.number, 95);
	assert_true(hash_eq(v->acted.hash, is));
	assert_true(v->healthy);
	assert_nobody_blamed();
}

static void test_who_stays_on_another_branch_lies_in_the_end(void **state)
{
	(void)state;
	count_confirmations(3);
	uint64_t head = FIRST_HEAD;
	all_at(head, 1);
	(void)pass(2 * POLL_MS);
	fork_at(2, 5, 90);
	const struct l1_view *v = l1_view(l1);
	for (uint64_t ms = 0; ms < L1_REORG_MS; ms += 1000) {
		all_at(++head, 1);
		v = pass(1000);
		assert_true(v->healthy);
		assert_nobody_blamed();
	}
	assert_string_equal(v->providers[2].state, "forked");
	assert_non_null(strstr(v->providers[2].why, "another block"));
	assert_false(v->providers[2].agrees);
	for (int i = 0; i < 6; i++) {
		all_at(++head, 1);
		v = pass(1000);
		assert_true(v->healthy);
	}
	assert_string_equal(v->providers[2].state, "lying");
	assert_non_null(strstr(v->providers[2].why, "a quorum says"));
}

/* It said so before it fell silent, and L1 moved on without it. */
static void test_old_words_of_a_silent_one_are_no_lie(void **state)
{
	(void)state;
	count_confirmations(3);
	uint64_t head = FIRST_HEAD;
	all_at(head, 1);
	(void)pass(2 * POLL_MS);
	claims[2].silent = true;
	fork_at(0, 5, 90);
	fork_at(1, 5, 90);
	for (uint64_t ms = 0; ms < 3 * L1_REORG_MS; ms += 1000) {
		all_at(++head, 1);
		assert_true(pass(1000)->healthy || ms < 4000);
		assert_nobody_blamed();
	}
	fork_at(2, 5, 90);
	claims[2].silent = false;
	for (int i = 0; i < 12; i++) {
		all_at(++head, 1);
		(void)pass(1000);
		assert_nobody_blamed();
	}
	assert_string_equal(l1_view(l1)->providers[2].state, "good");
}

static void
test_a_split_without_a_quorum_is_unknown_and_expels_nobody(void **state)
{
	const struct l1_view *v;
	uint64_t head = FIRST_HEAD;
	(void)state;
	count_confirmations(3);
	all_at(head, 1);
	assert_true(pass(2 * POLL_MS)->healthy);
	fork_at(0, 5, 90);
	fork_at(1, 6, 90);
	claims[2].silent = true;
	for (uint64_t ms = 0; ms < 2 * L1_REORG_MS; ms += 1000) {
		all_at(++head, 1);
		v = pass(1000);
		assert_nobody_blamed();
		if (ms >= L1_HEARD_MS)
			assert_false(v->healthy);
	}
	assert_non_null(strstr(v->why, "a and b contradict each other"));
}

static void test_two_against_each_other_is_unknown(void **state)
{
	(void)state;
	claims[2].silent = true;
	assert_true(pass(POLL_MS)->healthy);
	fork_at(1, 5, 91);
	all_at(102, 92);
	(void)pass(2 * POLL_MS);
	const struct l1_view *v = pass(L1_DISPUTE_MS + POLL_MS);
	assert_false(v->healthy);
	assert_non_null(strstr(v->why, "a and b contradict each other"));
	assert_int_equal(v->acted.number, 90);
}

/* ---- evidence ----------------------------------------------------------- */

static struct kept kept(size_t provider)
{
	struct buf bytes;
	size_t who;
	assert_true(l1_evidence_take(l1, &bytes, &who));
	assert_int_equal(who, provider);
	return kept_read(&bytes);
}

static void assert_none_kept(void)
{
	struct buf bytes;
	size_t who;
	assert_false(l1_evidence_take(l1, &bytes, &who));
}

static void test_another_block_is_kept_as_evidence(void **state)
{
	(void)state;
	(void)pass(POLL_MS);
	fork_at(2, 5, 91);
	all_at(102, 92);
	const struct l1_view *v = pass(2 * POLL_MS);
	assert_none_kept();
	assert_int_equal(v->providers[2].expelled_at, 0);
	v = pass(L1_DISPUTE_MS + POLL_MS);
	const struct kept k = kept(2);
	assert_none_kept();
	assert_int_equal(k.lie.kind, LIE_OTHER_BLOCK);
	assert_string_equal(k.provider, "c");
	assert_int_equal(k.lie.number, 92);
	assert_true(hash_eq(k.lie.hash, hash_of(&claims[0], 92)));
	assert_non_null(strstr(k.said, hash_text(hash_of(&claims[2], 92)).s));
	assert_non_null(strstr(k.said, "\"timestamp\""));
	assert_non_null(strstr(k.stands, hash_text(k.lie.hash).s));
	assert_non_null(strstr(k.stands, "\"timestamp\""));
	assert_string_equal(k.against, "a, b");
	assert_int_equal(k.lie.l1_time, v->head.time);
	/* the view says until when, why, and where the evidence is */
	assert_int_equal(v->providers[2].expelled_at, k.lie.at);
	assert_int_equal(v->providers[2].expelled_until, k.lie.until);
	assert_string_equal(v->providers[2].expelled_for, "other_block");
	l1_evidence_kept(l1, 2, 7);
	assert_int_equal(pass(2 * POLL_MS)->providers[2].evidence, 7);
}

static void test_a_forged_header_is_kept_as_evidence(void **state)
{
	(void)state;
	claims[0].ahead = 3600;
	(void)pass(2 * POLL_MS);
	const struct kept k = kept(0);
	assert_int_equal(k.lie.kind, LIE_FORGED_HEADER);
	char want[40];
	(void)snprintf(want, sizeof(want), "\"timestamp\":\"0x%llx\"",
		       (unsigned long long)(5000 + k.lie.number + 3600));
	assert_non_null(strstr(k.said, want));
	(void)snprintf(want, sizeof(want), "\"timestamp\":\"0x%llx\"",
		       (unsigned long long)(5000 + k.lie.number));
	assert_non_null(strstr(k.stands, want));
	assert_string_equal(k.against, "b, c");
}

static void test_another_final_block_is_kept_as_evidence(void **state)
{
	(void)state;
	(void)pass(POLL_MS);
	all_at(101, 91);
	(void)pass(2 * POLL_MS);
	fork_at(1, 5, 91);
	(void)pass(2 * POLL_MS);
	const struct kept k = kept(1);
	assert_none_kept();
	assert_int_equal(k.lie.kind, LIE_OTHER_FINALIZED);
	assert_non_null(strstr(k.said, hash_text(hash_of(&claims[1], 91)).s));
	assert_non_null(strstr(k.stands, hash_text(hash_of(&claims[0], 91)).s));
	assert_string_equal(k.against, "b"); /* itself */
}

/* Told once when its evidence is kept, and once when it is used again. */
static void test_an_expulsion_is_told_once(void **state)
{
	(void)state;
	claims[0].ahead = 3600;
	(void)pass(2 * POLL_MS);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE); /* not kept yet */
	(void)kept(0);
	l1_evidence_kept(l1, 0, 1);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_EXPELLED);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE);
	claims[0].ahead = 0;
	(void)pass(L1_LYING_FIRST_MS / 2);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE);
	(void)pass(L1_LYING_FIRST_MS);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_BACK);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_NONE);
	/* again is another expulsion */
	claims[0].ahead = 60;
	all_at(101, 91);
	(void)pass(4 * POLL_MS);
	(void)kept(0);
	l1_evidence_kept(l1, 0, 0);
	assert_int_equal(l1_news_take(l1, 0), L1_NEWS_EXPELLED);
	assert_int_equal(l1_view(l1)->providers[0].expulsions, 2);
}

static uint64_t expelled_for_s(void)
{
	(void)kept(0);
	const struct l1_provider_view *p = &l1_view(l1)->providers[0];
	return p->expelled_until - p->expelled_at;
}

static void test_an_old_lie_is_forgotten_by_who_agrees(void **state)
{
	(void)state;
	claims[0].ahead = AHEAD_S;
	(void)pass(2 * POLL_MS);
	assert_int_equal(expelled_for_s(), L1_LYING_FIRST_MS / 1000);
	claims[0].ahead = 0;
	(void)pass(2 * L1_LYING_FIRST_MS);
	claims[0].ahead = AHEAD_S;
	all_at(101, 91);
	(void)pass(2 * POLL_MS);
	assert_int_equal(expelled_for_s(), 2 * L1_LYING_FIRST_MS / 1000);
	claims[0].ahead = 0;
	(void)pass(2 * L1_LYING_FIRST_MS + 2 * L1_FORGIVE_MS + 4 * POLL_MS);
	claims[0].ahead = AHEAD_S;
	all_at(102, 92);
	(void)pass(2 * POLL_MS);
	assert_int_equal(expelled_for_s(), L1_LYING_FIRST_MS / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_lasting_contradiction_of_what_is_final_is_a_lie),
		TEST(test_headers_that_do_not_hash_never_count),
		TEST(test_forgers_are_no_quorum_however_many),
		TEST(test_a_field_that_nobody_can_hash_is_for_a_quorum),
		TEST(test_one_alone_never_says_what_is_final),
		TEST(test_a_safe_block_that_stands_is_not_waited_for),
		TEST(test_one_proof_is_enough_for_a_header),
		TEST(test_a_liar_never_blinds_who_acts_on_finalized),
		TEST(test_a_liar_never_blinds_who_acts_on_safe),
		TEST(test_a_liar_never_blinds_who_counts_confirmations),
		TEST(test_a_liar_never_blinds_whatever_it_weighs),
		TEST(test_two_liars_of_five_never_blind),
		TEST(test_a_shared_contradiction_is_a_reorganisation),
		TEST(test_a_deep_reorganisation_blames_nobody),
		TEST(test_confirmations_are_counted_from_the_first_answer),
		TEST(test_an_undone_block_is_left_for_a_lower_one),
		TEST(test_who_stays_on_another_branch_lies_in_the_end),
		TEST(test_old_words_of_a_silent_one_are_no_lie),
		TEST(test_a_split_without_a_quorum_is_unknown_and_expels_nobody),
		TEST(test_two_against_each_other_is_unknown),
		TEST(test_another_block_is_kept_as_evidence),
		TEST(test_a_forged_header_is_kept_as_evidence),
		TEST(test_another_final_block_is_kept_as_evidence),
		TEST(test_an_expulsion_is_told_once),
		TEST(test_an_old_lie_is_forgotten_by_who_agrees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
