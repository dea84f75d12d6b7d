#include "store/ballots.h"

#include <assert.h>

#include "abi/hex.h"

/* contracts.md: "SLOW_BALLOT = 30 days" */
#define SLOW_LIFE (30ULL * 24 * 3600)

#define SCOPE_SIZE  (20 + 8 + 20 + 8 + 8) /* key chain hatch epoch progress */
#define CHOICE_SIZE (SCOPE_SIZE + 1 + 32) /* … action subject */
#define VALUE_SIZE  16			  /* highest expiry, longest round */

enum err ballots_open(struct store_txn *txn, struct ballots *ret)
{
	return store_table_open(txn, "ballots", false, false, &ret->choices);
}

static void choice_encode(struct address key, const struct vote *v,
			  uint8_t to[CHOICE_SIZE])
{
	memcpy(to, key.b, 20);
	put_be(to + 20, v->chain_id, 8);
	memcpy(to + 28, v->hatch.b, 20);
	put_be(to + 48, v->epoch, 8);
	put_be(to + 56, v->progress, 8);
	to[SCOPE_SIZE] = (uint8_t)v->action;
	memcpy(to + SCOPE_SIZE + 1, v->subject.b, 32);
}

static bool is_fast(unsigned action)
{
	return action == VOTE_PROMOTE || action == VOTE_OPEN;
}

/* What the walk over one scope's choices looks for. */
struct search {
	const uint8_t *choice; /* the one asked for */
	uint64_t expiry, round;
	uint64_t highest; /* expiry already signed for that very choice */
	uint64_t longest; /* round under which it was */
	bool conflict;
	unsigned other_action;
	struct hash32 other_subject;
	uint64_t other_expiry;
	enum err err;
};

/* protocol.md: "A signer takes another choice of one (epoch, progress) only
 * with expiry ≥ every earlier one's expiry + 3·round" */
static bool disjoint(const struct search *s, uint64_t earlier,
		     uint64_t earlier_round)
{
	uint64_t round = s->round > earlier_round ? s->round : earlier_round;

	if (s->expiry < earlier)
		return false;
	uint64_t gap = s->expiry - earlier;
	if (is_fast(s->choice[SCOPE_SIZE]))
		return gap / 3 >= round; /* no product to overflow */
	return gap > SLOW_LIFE; /* both ends of a slow life belong to it */
}

static bool visit_choice(void *ctx, struct slice key, struct slice value)
{
	struct search *s = ctx;

	if (key.len != CHOICE_SIZE || value.len != VALUE_SIZE) {
		s->err = ERR_UNSAFE;
		return false;
	}
	if (memcmp(key.p, s->choice, SCOPE_SIZE) != 0)
		return false; /* past the scope */
	uint64_t expiry = get_be(value.p, 8);
	uint64_t round = get_be(value.p + 8, 8);
	if (!memcmp(key.p, s->choice, CHOICE_SIZE)) {
		s->highest = expiry;
		s->longest = round;
		return true;
	}
	unsigned action = key.p[SCOPE_SIZE];
	if (is_fast(action) != is_fast(s->choice[SCOPE_SIZE]) ||
	    disjoint(s, expiry, round))
		return true;
	s->conflict = true;
	s->other_action = action;
	memcpy(s->other_subject.b, key.p + SCOPE_SIZE + 1, 32);
	s->other_expiry = expiry;
	return false;
}

enum err ballots_put(struct store_txn *txn, const struct ballots *b,
		     struct address key, const struct vote *vote,
		     uint64_t round, struct err_text *error)
{
	uint8_t choice[CHOICE_SIZE], value[VALUE_SIZE];
	struct search s = {
		.choice = choice, .expiry = vote->expiry, .round = round};

	assert(round > 0);
	choice_encode(key, vote, choice);
	enum err err =
		store_walk(txn, &b->choices, slice_of(choice, SCOPE_SIZE),
			   false, visit_choice, &s);
	if (err || s.err) {
		err_text_set(error, "the ballot ledger is damaged");
		return err ? err : s.err;
	}
	if (s.conflict) {
		err_text_set(error, "already signed %s %s until %llu",
			     vote_action_name(s.other_action),
			     hash_text(s.other_subject).s,
			     (unsigned long long)s.other_expiry);
		return ERR_CONFLICT;
	}
	if (s.highest >= vote->expiry && s.longest >= round)
		return OK; /* nothing new to remember */
	put_be(value, s.highest > vote->expiry ? s.highest : vote->expiry, 8);
	put_be(value + 8, s.longest > round ? s.longest : round, 8);
	return store_put(txn, &b->choices, slice_of(choice, sizeof(choice)),
			 slice_of(value, sizeof(value)));
}
