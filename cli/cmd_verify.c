/* egress verify: does a pack lead to the root?  Offline against --root, or
 * against what a quorum of L1 endpoints says (--rpc and --hatch). */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "abi/pack.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "sys/clock.h"

struct verifying {
	struct where where;
	const char *file;
	struct hash32 root;
	bool root_set;
	bool outdated; /* true once, of an older block */
	struct pack pack;
	struct session session;
};

enum { OPT_ROOT = 0x300 };

static const struct argp_option options[] = {
	{"root", OPT_ROOT, "0x…", 0, "offline: the root to trust", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct verifying *v = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &v->where;
		return 0;
	case OPT_ROOT:
		v->root = cli_hash(state, "--root", arg);
		v->root_set = true;
		return 0;
	case ARGP_KEY_ARG:
		if (v->file)
			argp_error(state, "unexpected argument \"%s\"", arg);
		v->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!v->file)
			argp_error(state, "which pack? Give its file, or -");
		if (v->root_set == !!v->where.rpc)
			argp_error(state, "against what? Give --root, or "
					  "--rpc and --hatch");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&where_argp, 0, 0, 1}, {0}};
static const struct argp argp = {
	options,
	parse,
	"FILE",
	"Checks an exit pack (JSON, text or binary): against L1, through "
	"--rpc and --hatch, or offline against --root.",
	children,
	0,
	0};

static int read_pack(struct verifying *v)
{
	struct err_text error = {0};
	struct buf bytes;
	int status;

	buf_init(&bytes, CLI_FILE_MAX);
	status = cli_read_file(v->file, &bytes);
	if (!status && pack_parse(buf_slice(&bytes), &v->pack, &error))
		status = cli_fail("%s: not a pack: %s", v->file, error.text);
	if (!status && pack_verify(&v->pack, &error))
		status = cli_fail("%s: does not verify: %s", v->file,
				  error.text);
	buf_done(&bytes);
	return status;
}

static int same_place(const struct verifying *v)
{
	const struct pack *p = &v->pack;
	uint64_t chain = l1_chain_id(v->session.l1);

	if (p->chain_id != chain)
		return cli_fail("%s: is of chain %" PRIu64 ", L1 is %" PRIu64,
				v->file, p->chain_id, chain);
	if (!address_eq(p->hatch, v->where.hatch))
		return cli_fail("%s: is of hatch %s, not of %s", v->file,
				address_text(p->hatch).s,
				address_text(v->where.hatch).s);
	if (!address_eq(p->rollup, v->session.facts.rollup))
		return cli_fail("%s: names rollup %s, the hatch's is %s",
				v->file, address_text(p->rollup).s,
				address_text(v->session.facts.rollup).s);
	return CLI_OK;
}

/* The watcher may be a block ahead of what our endpoints call final. */
static void await_block(struct verifying *v)
{
	const struct l1_view *view = l1_view(v->session.l1);
	uint64_t end = clock_mono_ms() + v->session.timeout_ms;

	while (view->acted.number < v->pack.block && clock_mono_ms() < end)
		session_wait(&v->session, 100);
}

/* The root that L1 had at the block which the pack names. */
static bool was_true(struct verifying *v)
{
	struct block_ref at = {.number = v->pack.block,
			       .hash = v->pack.block_hash};
	struct err_text why = {0};
	struct hatch_facts now = v->session.facts;
	bool good = at.number <= now.block.number &&
		    !session_read(&v->session, v->where.hatch, &at, &why) &&
		    hash_eq(v->session.facts.root, v->pack.root);

	v->session.facts = now;
	return good;
}

static int against_l1(struct verifying *v)
{
	const struct hatch_facts *f = &v->session.facts;
	const struct pack *p = &v->pack;
	struct err_text why = {0};

	if (session_open(&v->session, &v->where, true) || same_place(v))
		return CLI_FAILED;
	if (hash_eq(f->root, p->root))
		return CLI_OK;
	await_block(v);
	if (session_read(&v->session, v->where.hatch,
			 &l1_view(v->session.l1)->acted, &why))
		return cli_fail("--hatch %s: %s",
				address_text(v->where.hatch).s, why.text);
	if (hash_eq(f->root, p->root))
		return CLI_OK;
	v->outdated = was_true(v);
	if (v->outdated)
		return CLI_OK;
	if (p->batch < f->count)
		return cli_fail("%s: this pack is of batch %" PRIu64 ", L1 "
				"stands at %" PRIu64 ": fetch a new one",
				v->file, p->batch, f->count);
	return cli_fail("%s: its root is %s, L1's is %s: it is not true; ask "
			"another watcher",
			v->file, hash_text(p->root).s, hash_text(f->root).s);
}

static void print_leaf(const struct pack_leaf *leaf)
{
	const struct record *r = &leaf->record;

	printf("  leaf %-8" PRIu64 " of %s: ", leaf->index,
	       address_text(record_owner(r)).s);
	switch (record_kind(r)) {
	case RECORD_BALANCE:
		if (address_is_zero(record_asset(r)))
			printf("%s\n", cli_wei(record_amount(r)).s);
		else
			printf("%s of token %s\n",
			       u256_text(record_amount(r)).s,
			       address_text(record_asset(r)).s);
		return;
	case RECORD_CREDENTIAL: {
		struct hash32 commitment;
		memcpy(commitment.b, r->b + 21, sizeof(commitment.b));
		if (hash_is_zero(commitment))
			puts("a credential, revoked");
		else
			printf("a credential, %s\n", hash_text(commitment).s);
		return;
	}
	case RECORD_EMPTY:
		puts("nothing");
		return;
	}
}

static void print(const struct verifying *v)
{
	const struct pack *p = &v->pack;

	printf("true: root %.10s… of batch %" PRIu64 ", %s\n",
	       hash_text(p->root).s, p->batch,
	       v->root_set ? "the one you trust" : "as L1 says");
	for (size_t i = 0; i < p->n; i++)
		print_leaf(&p->leaves[i]);
	if (v->outdated)
		printf("  but L1 has moved on to batch %" PRIu64 ": fetch a "
		       "new one before you leave with it\n",
		       v->session.facts.count);
}

static void print_json(const struct verifying *v)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, CLI_FILE_MAX);
	w = json_writer(&out);
	json_begin(&w, NULL);
	json_put_bool(&w, "current", !v->outdated);
	json_put_u64(&w, "batch", v->pack.batch);
	json_put_hash(&w, "root", v->pack.root);
	json_begin_array(&w, "leaves");
	for (size_t i = 0; i < v->pack.n; i++) {
		const struct record *r = &v->pack.leaves[i].record;
		json_begin(&w, NULL);
		json_put_u64(&w, "index", v->pack.leaves[i].index);
		json_put_u64(&w, "kind", record_kind(r));
		json_put_address(&w, "owner", record_owner(r));
		json_put_address(&w, "asset", record_asset(r));
		json_put_amount(&w, "amount", record_amount(r));
		json_end(&w);
	}
	json_end_array(&w);
	json_end(&w);
	puts(buf_cstr(&out));
	buf_done(&out);
}

int cmd_verify(int argc, char **argv)
{
	struct verifying v = {.where = where_defaults()};
	int status;

	cli_parse(&argp, argc, argv, &v);
	status = read_pack(&v);
	if (!status && v.root_set && !hash_eq(v.root, v.pack.root))
		status = cli_fail("%s: leads to root %s, not to --root", v.file,
				  hash_text(v.pack.root).s);
	else if (!status && !v.root_set)
		status = against_l1(&v);
	if (!status && v.where.json)
		print_json(&v);
	else if (!status)
		print(&v);
	session_close(&v.session);
	return status;
}
