/* Is a pack sound in itself, and was it true on L1: see pack_check.h. */
#include "cli/pack_check.h"

#include <inttypes.h>

#include "abi/hex.h"
#include "sys/clock.h"

#define AHEAD_MAX                                                              \
	64 /* blocks that a watcher's endpoints may be ahead of ours */

struct checking {
	struct session *session;
	const struct where *where;
	const char *file;
	const struct pack *pack;
};

enum err pack_check(const struct pack *p, struct err_text *error)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < i; k++)
			if (p->leaves[i].index == p->leaves[k].index) {
				err_text_set(error,
					     "leaf %" PRIu64 " stands there "
					     "twice",
					     p->leaves[i].index);
				return ERR_INVALID;
			}
	return pack_verify(p, error);
}

static int same_place(const struct checking *c)
{
	const struct pack *p = c->pack;
	struct address rollup = c->session->facts.rollup;
	struct where l1 = *c->where;

	l1.chain_id = l1_chain_id(c->session->l1);
	if (where_agrees(&l1, c->file, p->chain_id, p->hatch))
		return CLI_FAILED;
	if (address_eq(p->rollup, rollup))
		return CLI_OK;
	return cli_fail("%s: names rollup %s, the hatch's is %s", c->file,
			address_text(p->rollup).s, address_text(rollup).s);
}

/* The watcher may be a block ahead of what our endpoints call final. */
static int await_block(const struct checking *c)
{
	const struct l1_view *view = l1_view(c->session->l1);
	uint64_t end = clock_mono_ms() + c->session->timeout_ms;
	uint64_t block = c->pack->block;

	while (view->acted.number < block &&
	       block <= view->head.number + AHEAD_MAX && clock_mono_ms() < end)
		session_wait(c->session, 100);
	if (view->acted.number >= block)
		return CLI_OK;
	return cli_fail("%s: is of block %" PRIu64
			", L1 (%s) stands at %" PRIu64
			": it cannot be true yet",
			c->file, block, view->depth, view->acted.number);
}

/* Its block's hash is of that number, for as long as a quorum says so. */
static int check_block(const struct checking *c)
{
	const struct pack *p = c->pack;
	uint64_t number = 0;
	enum err err = session_block_number(c->session, p->block_hash, &number);

	if (err == ERR_NOT_FOUND)
		return cli_fail("%s: L1 knows no block %s: it is not true, or "
				"of a fork that is gone; ask another watcher",
				c->file, hash_text(p->block_hash).s);
	if (err)
		return cli_fail("%s: the L1 endpoints do not tell whether "
				"there is a block %s: ask again, or ask others",
				c->file, hash_text(p->block_hash).s);
	if (number == p->block)
		return CLI_OK;
	return cli_fail("%s: says block %" PRIu64 ", the hash is of block "
			"%" PRIu64 ": it was altered; ask another watcher",
			c->file, p->block, number);
}

/* f: as of the pack's block, or of now, when old state is not kept. */
static int check_facts(const struct checking *c, const struct hatch_facts *f)
{
	const struct pack *p = c->pack;

	if (!hash_eq(f->root, p->root) && p->batch < f->count)
		return cli_fail("%s: this pack is of batch %" PRIu64 ", L1 "
				"stood at %" PRIu64 ": fetch a new one",
				c->file, p->batch, f->count);
	if (!hash_eq(f->root, p->root))
		return cli_fail("%s: its root is %s, L1's is %s: it is not "
				"true; ask another watcher",
				c->file, hash_text(p->root).s,
				hash_text(f->root).s);
	if (p->batch != f->count)
		return cli_fail("%s: says batch %" PRIu64 ", L1 says %" PRIu64
				": it was altered; ask another watcher",
				c->file, p->batch, f->count);
	if (p->leaf_count != f->leaf_count)
		return cli_fail("%s: says %" PRIu64 " leaves, L1 says %" PRIu64
				": it was altered; ask another watcher",
				c->file, p->leaf_count, f->leaf_count);
	return CLI_OK;
}

int pack_against_l1(struct session *s, const struct where *where,
		    const char *file, const struct pack *p, bool *outdated)
{
	struct checking c = {s, where, file, p};
	struct block_ref at = {.number = p->block, .hash = p->block_hash};
	struct err_text why = {0};
	struct hatch_facts then;

	if (same_place(&c) || await_block(&c) || check_block(&c))
		return CLI_FAILED;
	then = session_read_once(s, where->hatch, &at, &why)
		       ? (struct hatch_facts){0}
		       : s->facts;
	if (session_read(s, where->hatch, &l1_view(s->l1)->acted, &why))
		return cli_fail("--hatch %s: %s", address_text(where->hatch).s,
				why.text);
	*outdated = !hash_eq(s->facts.root, p->root);
	if (!address_is_zero(then.hatch))
		return check_facts(&c, &then);
	if (!*outdated)
		return check_facts(&c, &s->facts);
	return cli_fail("%s: these L1 endpoints keep no state of block %" PRIu64
			": fetch a new pack: L1 stands at batch %" PRIu64,
			file, p->block, s->facts.count);
}
