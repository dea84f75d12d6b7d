/* What providers said, and what a quorum of them agrees on. */
#include "unit.h"

#include "l1/heads.h"

/* Block n of chain c, linked to n − 1 of the same chain from `fork` on, below
 * that to chain 0. */
static struct hash32 hash_of(uint64_t number, unsigned chain, uint64_t fork)
{
	struct hash32 h = {{0}};
	h.b[0] = number < fork ? 0 : (uint8_t)chain;
	put_be(h.b + 24, number, 8);
	return h;
}

static struct rpc_block block(uint64_t number, unsigned chain, uint64_t fork)
{
	return (struct rpc_block){
		.proved = true,
		.ref = {.number = number,
			.hash = hash_of(number, chain, fork),
			.parent = hash_of(number - 1, chain, fork),
			.time = 1000 + number}};
}

struct three {
	struct sightings s[3], more[3];
	struct voice v[3];
};

static struct three *three(void)
{
	static struct three t;
	memset(&t, 0, sizeof(t));
	for (size_t i = 0; i < 3; i++)
		t.v[i] = (struct voice){.sightings = &t.s[i], .weight = 1};
	return &t;
}

static void say(struct three *t, size_t i, uint64_t number)
{
	struct rpc_block b = block(number, 0, 0);
	assert_true(sightings_add(&t->s[i], &b));
}

static void test_a_parents_hash_alone_is_no_vote(void **state)
{
	struct three *t = three();
	struct rpc_block got, shown = block(100, 0, 0);
	uint64_t numbers[4];
	(void)state;
	say(t, 0, 100);
	assert_false(heads_agree(t->v, 3, 2, &got));
	say(t, 1, 101); /* its parent is 100, of what time nobody said */
	assert_false(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(heads_missing(t->v, 3, 1, 0, numbers, 4), 1);
	assert_int_equal(numbers[0], 100);
	assert_true(sightings_fill(&t->s[1], &shown));
	assert_true(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(got.ref.number, 100);
	say(t, 0, 101);
	assert_true(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(got.ref.number, 101);
	assert_false(heads_agree(t->v, 3, 3, &got));
}

/* Two of three tell another time alike, as of a fork that nobody knows; the
 * third's words have the hash. */
static void test_a_proved_header_outweighs_any_number(void **state)
{
	struct rpc_block got, lie = block(100, 0, 0), truth = block(100, 0, 0);
	(void)state;
	lie.ref.time += 500;
	lie.proved = false;
	lie.newer = true;
	for (size_t honest = 0; honest < 3; honest++) {
		struct three *t = three();
		assert_true(sightings_add(&t->s[(honest + 1) % 3], &lie));
		assert_true(sightings_add(&t->s[(honest + 2) % 3], &lie));
		assert_true(heads_agree(t->v, 3, 2, &got)); /* all we know */
		assert_int_equal(got.ref.time, 1600);
		assert_true(sightings_add(&t->s[honest], &truth));
		for (uint64_t quorum = 2; quorum <= 3; quorum++) {
			assert_true(heads_agree(t->v, 3, quorum, &got));
			assert_int_equal(got.ref.time, 1100);
			assert_true(got.proved);
		}
		assert_true(sightings_forged(&t->s[(honest + 1) % 3], &got));
		assert_false(sightings_forged(&t->s[honest], &got));
		assert_true(sightings_proves(&t->s[honest], lie.ref.hash));
		assert_false(sightings_proves(&t->s[(honest + 1) % 3],
					      lie.ref.hash));
	}
	/* a proof that it is a block, not that it is this chain's */
	struct three *t = three();
	assert_true(sightings_add(&t->s[0], &truth));
	assert_false(heads_agree(t->v, 3, 2, &got));
}

/* True hashes with another time or base fee, of blocks that nobody can hash,
 * whoever speaks first. */
static void test_contents_are_agreed_on_like_hashes(void **state)
{
	struct rpc_block got, truth = block(100, 0, 0), lies[2];
	(void)state;
	truth.proved = false;
	truth.newer = true;
	lies[0] = lies[1] = truth;
	lies[0].ref.time += 500;
	lies[1].base_fee = 1;
	for (size_t i = 0; i < 6; i++) {
		struct three *t = three();
		size_t liar = i % 3;
		assert_true(sightings_add(&t->s[liar], &lies[i / 3]));
		assert_true(sightings_add(&t->s[(liar + 1) % 3], &truth));
		assert_false(heads_agree(t->v, 3, 2, &got));
		assert_true(sightings_add(&t->s[(liar + 2) % 3], &truth));
		assert_true(heads_agree(t->v, 3, 2, &got));
		assert_int_equal(got.ref.time, 1100);
		assert_int_equal(got.base_fee, 0);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(sightings_forged(&t->s[k], &got),
					 k == liar);
	}
}

static void test_other_contents_contradict_itself(void **state)
{
	struct three *t = three();
	struct rpc_block lie = block(100, 0, 0);
	(void)state;
	say(t, 0, 100);
	lie.ref.time++;
	assert_false(sightings_add(&t->s[0], &lie));
}

static void test_one_liar_moves_nothing(void **state)
{
	struct three *t = three();
	struct rpc_block got, lie = block(200, 7, 90);
	(void)state;
	say(t, 0, 100);
	say(t, 1, 100);
	assert_true(sightings_add(&t->s[2], &lie));
	assert_true(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(got.ref.number, 100);
	t->v[1].weight = 0; /* silenced */
	assert_false(heads_agree(t->v, 3, 2, &got));
	t->v[0].weight = 2; /* heavier than one */
	assert_true(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(got.ref.number, 100);
}

static void test_a_far_laggard_is_met_by_asking_for_its_block(void **state)
{
	struct three *t = three();
	struct rpc_block got, filled = block(100, 0, 0);
	uint64_t numbers[4];
	(void)state;
	say(t, 0, 110);
	say(t, 1, 100);
	assert_false(heads_agree(t->v, 2, 2, &got));
	/* it may know it by now: its newest words are from before */
	assert_int_equal(heads_missing(t->v, 2, 1, 0, numbers, 4), 1);
	assert_int_equal(numbers[0], 110);
	assert_int_equal(heads_missing(t->v, 2, 0, 0, numbers, 4), 1);
	assert_int_equal(numbers[0], 100);
	/* what was agreed on long ago is of no use */
	assert_int_equal(heads_missing(t->v, 2, 0, 101, numbers, 4), 0);
	assert_true(sightings_fill(&t->s[0], &filled));
	assert_int_equal(t->s[0].top, 110);
	assert_int_equal(heads_missing(t->v, 2, 0, 0, numbers, 4), 0);
	assert_true(heads_agree(t->v, 2, 2, &got));
	assert_int_equal(got.ref.number, 100);
}

/* It may have changed its mind meanwhile. */
static void test_who_shows_another_block_is_asked_again(void **state)
{
	struct three *t = three();
	struct rpc_block other = block(100, 3, 90);
	uint64_t numbers[4];
	(void)state;
	say(t, 0, 100);
	say(t, 1, 105);
	assert_true(sightings_add(&t->s[2], &other));
	assert_int_equal(heads_missing(t->v, 3, 0, 0, numbers, 4), 2);
	assert_int_equal(numbers[0], 105);
	assert_int_equal(numbers[1], 100);
	t->v[2].weight = 0; /* a liar's words are not asked for */
	assert_int_equal(heads_missing(t->v, 3, 0, 0, numbers, 4), 1);
}

/* One against a quorum is no split, whatever it says and however heavy. */
static void test_one_against_a_quorum_is_no_split(void **state)
{
	struct three *t = three();
	struct rpc_block lie = block(100, 7, 90);
	struct heads_split split;
	(void)state;
	for (size_t liar = 0; liar < 3; liar++) {
		t = three();
		assert_true(sightings_add(&t->s[liar], &lie));
		say(t, (liar + 1) % 3, 100);
		assert_false(heads_split(t->v, 3, 1, 90, &split));
		assert_true(heads_split(t->v, 3, 3, 90, &split));
		t->v[(liar + 2) % 3].weight = 0; /* one against one */
		assert_true(heads_split(t->v, 3, 2, 90, &split));
		assert_int_equal(split.number, 100);
		assert_int_not_equal(split.a, split.b);
		assert_false(heads_split(t->v, 3, 2, 100, &split));
		t->v[(liar + 2) % 3].weight = 1;
		say(t, (liar + 2) % 3, 100);
		assert_false(heads_split(t->v, 3, 2, 90, &split));
		t->v[liar].weight = 2;
		assert_true(heads_split(t->v, 3, 3, 90, &split));
	}
}

static void test_contradicting_itself_forgets_the_past(void **state)
{
	struct three *t = three();
	struct rpc_block other = block(101, 3, 100);
	struct hash32 hash;
	(void)state;
	say(t, 0, 99);
	say(t, 0, 100);
	assert_false(sightings_add(&t->s[0], &other)); /* parent is another */
	assert_false(sightings_at(&t->s[0], 99, &hash));
	assert_true(sightings_at(&t->s[0], 100, &hash));
	assert_memory_equal(&hash, &other.ref.parent, sizeof(hash));
}

static void test_lower_head_is_no_contradiction(void **state)
{
	struct three *t = three();
	struct hash32 hash;
	(void)state;
	say(t, 0, 100);
	say(t, 0, 98); /* a load balancer's other node */
	assert_int_equal(t->s[0].top, 98);
	assert_true(sightings_at(&t->s[0], 100, &hash));
}

static void test_keeps_the_last_of_many(void **state)
{
	struct three *t = three();
	struct hash32 hash;
	(void)state;
	for (uint64_t n = 1; n <= 3 * L1_SIGHTINGS; n++)
		say(t, 0, n);
	assert_int_equal(t->s[0].n, L1_SIGHTINGS);
	assert_true(sightings_at(&t->s[0], 3 * L1_SIGHTINGS, &hash));
	assert_false(sightings_at(&t->s[0], L1_SIGHTINGS, &hash));
}

static void test_latest_vouches_for_finalized_up_to_its_top(void **state)
{
	struct three *t = three();
	struct rpc_block got, b = block(96, 0, 0);
	(void)state;
	say(t, 0, 96); /* finalized */
	say(t, 1, 98);
	t->v[1].more = &t->more[1];
	assert_false(heads_agree(t->v, 2, 2, &got));
	assert_true(sightings_add(&t->more[1], &b)); /* was its latest once */
	assert_true(heads_agree(t->v, 2, 2, &got));
	assert_int_equal(got.ref.number, 96);
	t->s[1].top = 95; /* says that 96 is not final */
	t->s[1].n = 0;
	assert_false(heads_agree(t->v, 2, 2, &got));
}

/* It names no finalized block, but says on which chain the others' is.  How
 * deep that is, most of those say who can. */
static void test_who_lacks_the_tag_vouches_for_the_hash_alone(void **state)
{
	struct three *t = three();
	struct rpc_block got, b = block(96, 0, 0), head = block(100, 0, 0);
	uint64_t numbers[4];
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		t->v[i].more = &t->more[i];
		assert_true(sightings_add(&t->more[i], &head));
	}
	t->v[2].lacks = true;
	say(t, 0, 96);
	assert_int_equal(heads_missing(t->v, 3, 2, 0, numbers, 4), 1);
	assert_int_equal(numbers[0], 96);
	assert_true(sightings_fill(&t->more[2], &b));
	assert_false(heads_agree(t->v, 3, 2, &got)); /* one of two tells */
	t->v[1].weight = 0;			     /* the other lied */
	assert_true(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(got.ref.number, 96);
	t->v[1].weight = 1;
	say(t, 1, 97); /* eager, or quicker: less is final for both */
	assert_true(sightings_fill(&t->more[1], &b));
	assert_true(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(got.ref.number, 96);
	t->v[0].lacks = t->v[1].lacks = true; /* nobody tells */
	assert_false(heads_agree(t->v, 3, 2, &got));
}

/* What it shows by number and is so deep below its own head. */
static void test_confirmed_is_what_is_deep_enough_by_its_own_head(void **state)
{
	struct three *t = three();
	struct rpc_block got, b = block(96, 0, 0);
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		t->v[i].more = &t->more[i];
		assert_true(sightings_add(&t->more[i], &b));
		t->s[i].top = 96;
	}
	assert_true(heads_agree(t->v, 2, 2, &got));
	assert_int_equal(got.ref.number, 96);
	t->s[1].top = 95;
	assert_false(heads_agree(t->v, 2, 2, &got));
}

/* Both showed block 95 when it was their head; the branch that it was on is
 * gone since, and nothing that they tell now links to it. */
static void test_what_was_told_long_ago_is_no_vote(void **state)
{
	struct three *t = three();
	struct rpc_block got, old = block(95, 7, 50), is = block(95, 0, 0);
	uint64_t numbers[4];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		t->v[i].more = &t->more[i];
		sightings_reply(&t->more[i]);
		assert_true(sightings_add(&t->more[i], &old));
		for (uint64_t k = 1; k <= L1_TOLD_REPLIES + 1; k++) {
			struct rpc_block b = block(150 + 10 * k, 0, 0);
			sightings_reply(&t->more[i]);
			assert_true(sightings_add(&t->more[i], &b));
		}
		t->s[i].top = 95; /* so deep is what is deep enough */
	}
	assert_false(heads_agree(t->v, 3, 2, &got));
	assert_int_equal(heads_missing(t->v, 3, 1, 0, numbers, 4), 0);
	/* what they tell now */
	for (size_t i = 0; i < 2; i++)
		(void)sightings_fill(&t->more[i], &is);
	assert_true(heads_agree(t->v, 3, 2, &got));
	assert_true(hash_eq(got.ref.hash, is.ref.hash));
	/* and told again, it counts on */
	for (size_t i = 0; i < 2; i++) {
		sightings_reply(&t->more[i]);
		sightings_reply(&t->more[i]);
		assert_true(sightings_fill(&t->more[i], &is));
		sightings_reply(&t->more[i]);
		sightings_reply(&t->more[i]);
	}
	assert_true(heads_agree(t->v, 3, 2, &got));
	/* asked for once more before it counts no more */
	struct voice names = {.sightings = &t->s[2], .weight = 1};
	say(t, 2, 95);
	t->v[2] = names;
	assert_int_equal(heads_missing(t->v, 3, 0, 0, numbers, 4), 1);
	assert_int_equal(numbers[0], 95);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_parents_hash_alone_is_no_vote),
		cmocka_unit_test(test_a_proved_header_outweighs_any_number),
		cmocka_unit_test(test_contents_are_agreed_on_like_hashes),
		cmocka_unit_test(test_other_contents_contradict_itself),
		cmocka_unit_test(test_one_liar_moves_nothing),
		cmocka_unit_test(
			test_a_far_laggard_is_met_by_asking_for_its_block),
		cmocka_unit_test(test_who_shows_another_block_is_asked_again),
		cmocka_unit_test(test_one_against_a_quorum_is_no_split),
		cmocka_unit_test(test_contradicting_itself_forgets_the_past),
		cmocka_unit_test(test_lower_head_is_no_contradiction),
		cmocka_unit_test(test_keeps_the_last_of_many),
		cmocka_unit_test(test_what_was_told_long_ago_is_no_vote),
		cmocka_unit_test(
			test_latest_vouches_for_finalized_up_to_its_top),
		cmocka_unit_test(
			test_who_lacks_the_tag_vouches_for_the_hash_alone),
		cmocka_unit_test(
			test_confirmed_is_what_is_deep_enough_by_its_own_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
