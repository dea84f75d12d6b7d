/* What must hold after every step.  Nothing here asks the product what is
 * true: the chain knows. */
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/world.h"

static void say(const char *format, va_list args, char *to, size_t size)
{
	(void)vsnprintf(to, size, format, args);
}

void sim_break(const char *format, ...)
{
	va_list args;

	if (world->failed)
		return;
	world->failed = true;
	va_start(args, format);
	say(format, args, world->why, sizeof(world->why));
	va_end(args);
}

void sim_say(const char *format, ...)
{
	char text[400];
	va_list args;

	if (!world->verbose)
		return;
	va_start(args, format);
	say(format, args, text, sizeof(text));
	va_end(args);
	printf("%8llu -- %s\n", (unsigned long long)world->now_ms, text);
}

/* What a node sees, for whoever looks into a seed. */
static void say_view(const struct sim_node *n)
{
	const struct l1_view *v = l1_view(n->w->l1);

	sim_say("node %u: head %llu, acted %llu, tip %llu, %s", n->at,
		(unsigned long long)v->head.number,
		(unsigned long long)v->acted.number,
		(unsigned long long)n->w->replica.tip.number,
		n->w->follow ? follow_trouble(n->w->follow) : v->why);
	for (size_t i = 0; i < v->n; i++)
		sim_say("  %s: %s, head %llu, %s", v->providers[i].name,
			v->providers[i].state,
			(unsigned long long)v->providers[i].head,
			v->providers[i].why);
}

/* ---- ballots ---- */

/* I7: another choice of one (epoch, progress) lives at another time. */
static void check_disjoint(unsigned guardian, const struct vote *v)
{
	uint64_t life = 3 * (uint64_t)world->chain.terms.round;

	for (size_t i = 0; i < world->n_signed; i++) {
		const struct vote *o = &world->votes[i].vote;
		uint64_t gap = o->expiry > v->expiry ? o->expiry - v->expiry
						     : v->expiry - o->expiry;

		if (world->votes[i].guardian != guardian ||
		    o->epoch != v->epoch || o->progress != v->progress ||
		    (o->action == v->action && hash_eq(o->subject, v->subject)))
			continue;
		if (gap < life)
			sim_break("I7: guardian %u signed two choices %llu s "
				  "apart",
				  guardian, (unsigned long long)gap);
	}
}

/* A block of L1, deep enough to act on, at which what the ballot says is so. */
static bool was_late(const struct vote *v)
{
	const struct sim_chain *c = &world->chain;
	unsigned acted = chain_acted(c, chain_head_at(c, world->now_ms));

	for (unsigned i = c->n; i-- > 0;) {
		const struct sim_block *b = c->blocks[i];

		if (b->forger || b->state.epoch != v->epoch ||
		    b->state.count != v->progress)
			continue;
		if (!c->by_confirmations &&
		    (b->ref.number > c->blocks[acted]->ref.number ||
		     !chain_on_branch(c, i, acted)))
			continue;
		if (chain_late(c, &b->state, b->ref.time))
			return true;
	}
	return false;
}

void check_signed(unsigned guardian, const struct vote *v)
{
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms);
	uint64_t round = c->terms.round;
	uint64_t latest = c->blocks[head]->ref.time;

	check_disjoint(guardian, v);
	world->counts[COUNT_BALLOTS]++;
	if (world->n_signed < SIM_VOTES)
		world->votes[world->n_signed++] =
			(struct sim_signed){guardian, *v};
	if (v->epoch >= SIM_WILD)
		return;
	if (world->by_hand)
		sim_break("guardian %u voted though it is for a human",
			  guardian);
	sim_say("guardian %u signs %s of progress %llu until %llu", guardian,
		vote_action_name(v->action), (unsigned long long)v->progress,
		(unsigned long long)v->expiry);
	if (!was_late(v))
		sim_break("false ballot: guardian %u, %s, epoch %llu, progress "
			  "%llu: L1 never was late there",
			  guardian, vote_action_name(v->action),
			  (unsigned long long)v->epoch,
			  (unsigned long long)v->progress);
	else if (v->expiry > ballot_expiry(latest, round) + round)
		sim_break("false ballot: guardian %u signs until %llu, L1's "
			  "head is at %llu",
			  guardian, (unsigned long long)v->expiry,
			  (unsigned long long)latest);
}

/* ---- what a node believes ---- */

/* A block as somebody believes it: that it was mined, just so. */
static const struct sim_block *true_block(const struct sim_node *n,
					  const struct block_ref *b,
					  const char *what)
{
	int at = chain_find(&world->chain, b->hash);
	const struct sim_block *is = at < 0 ? NULL : world->chain.blocks[at];

	if (!is || is->forger)
		sim_break("node %u believes a block nobody mined: its %s %llu",
			  n->at, what, (unsigned long long)b->number);
	else if (is->ref.number != b->number || is->ref.time != b->time ||
		 !hash_eq(is->ref.parent, b->parent))
		sim_break("node %u believes a wrong %s of its %s %llu", n->at,
			  is->ref.number != b->number ? "number"
			  : is->ref.time != b->time   ? "time"
						      : "parent",
			  what, (unsigned long long)b->number);
	return is;
}

static void check_view(const struct sim_node *n)
{
	const struct l1_view *v = l1_view(n->w->l1);
	const struct sim_chain *c = &world->chain;
	unsigned true_acted = chain_acted(c, chain_head_at(c, world->now_ms));
	const struct sim_block *acted;

	if (!v->healthy)
		return;
	(void)true_block(n, &v->head, "head");
	acted = true_block(n, &v->acted, "acted block");
	if (acted && !c->by_confirmations &&
	    acted->ref.number > c->blocks[true_acted]->ref.number)
		sim_break("node %u acts on block %llu, which is not final",
			  n->at, (unsigned long long)acted->ref.number);
}

static void check_facts(struct sim_node *n)
{
	const struct hatch_facts *f = &n->w->sight.facts;
	const struct sim_chain *c = &world->chain;
	const struct sim_block *b;
	const struct sim_state *s;
	bool same;

	if (!n->w->sight.known)
		return;
	b = true_block(n, &f->block, "facts' block");
	if (!b)
		return;
	if (!hash_eq(n->facts_at, f->block.hash))
		world->counts[f->proved ? COUNT_PROVED : COUNT_AGREED]++;
	n->facts_at = f->block.hash;
	s = &b->state;
	same = f->epoch == s->epoch && f->promoted_at == s->promoted_at &&
	       f->opened_at == s->opened_at && f->count == s->count &&
	       f->last_at == s->last_at && f->state == s->state &&
	       hash_eq(f->root, s->root) &&
	       address_eq(f->sequencer, c->sequencers[s->active]) &&
	       f->n_standbys == s->n_standbys &&
	       f->n_guardians == c->n_guardians;
	for (unsigned i = 0; same && i < s->n_standbys; i++)
		same = address_eq(f->standbys[i],
				  c->sequencers[s->standbys[i]]);
	if (!same)
		sim_break("node %u believes wrong facts at block %llu", n->at,
			  (unsigned long long)b->ref.number);
}

/* The ledger and the history are those of a node that saw nothing but the
 * branch that leads to the tip. */
static void check_replica(const struct sim_node *n)
{
	const struct replica *r = &n->w->replica;
	const struct sim_block *b;
	struct ledger_mark mark;

	if (hash_is_zero(r->tip.hash))
		return;
	b = true_block(n, &r->tip, "tip");
	if (!b)
		return;
	ledger_mark(r->ledger, &mark);
	if (r->history.stop.kind != STOP_NONE)
		sim_break("node %u: its ledger stops: %s", n->at,
			  r->history.stop.why);
	else if (!hash_eq(mark.root, b->state.root) ||
		 mark.batch != b->state.count ||
		 mark.leaf_count != b->state.leaf_count)
		sim_break("node %u: its ledger at block %llu is another", n->at,
			  (unsigned long long)b->ref.number);
	else if (r->history.epoch != b->state.epoch)
		sim_break("node %u: its epoch at block %llu is %llu, not %llu",
			  n->at, (unsigned long long)b->ref.number,
			  (unsigned long long)r->history.epoch,
			  (unsigned long long)b->state.epoch);
	for (unsigned i = 0; i < SIM_SEQUENCERS; i++) {
		const struct history_when when = {.progress = b->state.count,
						  .block = b->ref.number};

		if (history_was_promoted(&r->history,
					 world->chain.sequencers[i], when) !=
		    (b->state.promoted_for[i] == b->state.count + 1))
			sim_break("node %u: standby %u's promotion at block "
				  "%llu",
				  n->at, i, (unsigned long long)b->ref.number);
	}
}

/* Blocks that were acted on and are gone: a reply shows that one does not lead
 * on, and each is then read anew. */
static uint64_t undo_ms(void)
{
	return 3 * SIM_TICK_MS * world->undone;
}

void check_node(struct sim_node *n)
{
	check_view(n);
	check_facts(n);
	check_replica(n);
	seen_node(n);
	if (world->verbose && world->now_ms % 20000 == 0)
		say_view(n);
}

/* ---- nothing is missed ---- */

/* All that may lie between a block one can act on and the action, when
 * nothing fails: providers' lag, polls, the expulsion of the liar, and the
 * three rounds in which a split vote heals, once for each choice there is. */
static uint64_t patience_ms(void)
{
	const struct sim_chain *c = &world->chain;

	return 40000 + undo_ms() + 2 * world->block_ms +
	       2 * 3000ULL * c->terms.round;
}

static bool overdue(const struct sim_block *b)
{
	return b->state.state == ROLLUP_RUNNING && b->state.last_at &&
	       b->ref.time >
		       b->state.last_at + world->chain.terms.hard_deadline;
}

void check_progress(void)
{
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms);
	const struct sim_block *acted = c->blocks[chain_acted(c, head)];
	const struct sim_state *now = &c->blocks[head]->state;
	bool due = world->by_hand
			   ? overdue(acted)
			   : chain_late(c, &acted->state, acted->ref.time);
	bool late = due && now->epoch == acted->state.epoch &&
		    now->count == acted->state.count;

	if (!late || world->now_ms < world->quiet_ms) {
		world->late_ms = world->now_ms;
		return;
	}
	if (world->now_ms - world->late_ms > patience_ms())
		sim_break("a missed stall: late at the depth acted on for "
			  "%llu s, and nothing done",
			  (unsigned long long)(world->now_ms - world->late_ms) /
				  1000);
}

/* Why a node is not where L1 is; NULL: it is. */
static const char *lagging(const struct sim_node *n, char *why, size_t size)
{
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms);
	unsigned acted = chain_acted(c, head);
	uint64_t behind = 20000 / world->block_ms + 2;
	uint64_t goal = c->blocks[acted]->ref.number;
	int tip = n->w ? chain_find(c, n->w->replica.tip.hash) : -1;

	if (tip < 0)
		snprintf(why, size, "node %u follows nothing", n->at);
	else if (!chain_on_branch(c, (unsigned)tip, head))
		snprintf(why, size, "node %u stands on a branch that is gone",
			 n->at);
	else if (c->blocks[tip]->ref.number + behind < goal)
		snprintf(why, size, "node %u stays at block %llu of %llu: %s",
			 n->at, (unsigned long long)c->blocks[tip]->ref.number,
			 (unsigned long long)goal,
			 n->w->follow ? follow_trouble(n->w->follow) : "");
	else
		return NULL;
	return why;
}

void check_end(void)
{
	char why[256];

	for (unsigned i = 0; i < world->n_nodes && !world->failed; i++)
		if (lagging(&world->nodes[i], why, sizeof(why)))
			sim_break("%s", why);
}

bool check_unfinished(void)
{
	const struct sim_chain *c = &world->chain;
	unsigned head = chain_head_at(c, world->now_ms);
	const struct sim_state *s = &c->blocks[head]->state;
	bool behind = false;
	char why[256];

	for (unsigned i = 0; i < world->n_nodes; i++)
		behind |= lagging(&world->nodes[i], why, sizeof(why)) != NULL;
	return (s->state == ROLLUP_RUNNING && !world->alive[s->active]) ||
	       (behind && world->now_ms < world->end_ms + undo_ms());
}
