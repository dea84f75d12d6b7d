/* egress verify: does a pack lead to the root?  Offline against --root, or
 * against what a quorum of L1 endpoints says (--rpc and --hatch). */
#include <inttypes.h>
#include <stdio.h>

#include "abi/hex.h"
#include "cli/commands.h"
#include "cli/pack_check.h"

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

static const struct argp_child children[] = {{&where_l1, 0, 0, 1},
					     {&where_timeout, 0, 0, 1},
					     {&where_json, 0, 0, 1},
					     {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct verifying *v = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		where_inputs(state, children, &v->where, NULL);
		return 0;
	case OPT_ROOT:
		v->root = cli_hash(state, "--root", arg);
		v->root_set = true;
		return 0;
	case ARGP_KEY_ARG:
		if (v->file)
			cli_unexpected(state, arg);
		v->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!v->file)
			argp_error(state, "which pack? Give its file, or -");
		if (v->root_set == !!v->where.rpc)
			argp_error(state, "against what? Give --root, or "
					  "--rpc and --hatch");
		if (!v->root_set)
			where_need_l1(state, &v->where);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options,
	parse,
	"FILE",
	"Checks an exit pack (JSON, text or binary): against L1, through "
	"--rpc and --hatch, or offline against --root.\v"
	"Example: egress verify pack.json --rpc URL,URL,URL --hatch 0x…",
	children,
	0,
	0};

static int read_pack(struct verifying *v)
{
	struct err_text error = {0};
	struct buf bytes;
	int status;

	buf_init(&bytes, CLI_FILE_MAX);
	status = cli_read_file(v->file, "a pack", &bytes);
	if (!status && pack_parse(buf_slice(&bytes), &v->pack, &error))
		status = cli_fail("%s: not a pack: %s", v->file, error.text);
	if (!status && pack_check(&v->pack, &error))
		status = cli_fail("%s: does not verify: %s", v->file,
				  error.text);
	buf_done(&bytes);
	return status;
}

static int against_root(const struct verifying *v)
{
	const struct pack *p = &v->pack;

	if (!hash_eq(v->root, p->root))
		return cli_fail("%s: leads to root %s, not to --root", v->file,
				hash_text(p->root).s);
	return where_agrees(&v->where, v->file, p->chain_id, p->hatch);
}

static int against_l1(struct verifying *v)
{
	if (session_open(&v->session, &v->where, true))
		return CLI_FAILED;
	return pack_against_l1(&v->session, &v->where, v->file, &v->pack,
			       &v->outdated);
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

	if (v->root_set)
		printf("true: it leads to root %.10s…, the one you trust; that "
		       "this is batch %" PRIu64 " of chain %" PRIu64
		       " is the pack's own word\n",
		       hash_text(p->root).s, p->batch, p->chain_id);
	else
		printf("true: root %.10s… of batch %" PRIu64 ", as L1 says\n",
		       hash_text(p->root).s, p->batch);
	for (size_t i = 0; i < p->n; i++)
		print_leaf(&p->leaves[i]);
	if (v->outdated)
		printf("  but L1 has moved on to batch %" PRIu64 ": fetch a "
		       "new one before you leave with it\n",
		       v->session.facts.count);
}

/* current: only L1 can tell. */
static void print_json(const struct verifying *v)
{
	struct cli_json j;

	cli_json_begin(&j);
	json_begin(&j.w, NULL);
	if (!v->root_set)
		json_put_bool(&j.w, "current", !v->outdated);
	json_put_u64(&j.w, "batch", v->pack.batch);
	json_put_hash(&j.w, "root", v->pack.root);
	json_begin_array(&j.w, "leaves");
	for (size_t i = 0; i < v->pack.n; i++) {
		const struct record *r = &v->pack.leaves[i].record;
		json_begin(&j.w, NULL);
		json_put_u64(&j.w, "index", v->pack.leaves[i].index);
		json_put_u64(&j.w, "kind", record_kind(r));
		json_put_address(&j.w, "owner", record_owner(r));
		json_put_address(&j.w, "asset", record_asset(r));
		json_put_amount(&j.w, "amount", record_amount(r));
		json_end(&j.w);
	}
	json_end_array(&j.w);
	json_end(&j.w);
	cli_json_end(&j);
}

int cmd_verify(int argc, char **argv)
{
	struct verifying v = {.where = where_defaults()};
	int status;

	cli_parse(&argp, argc, argv, &v);
	status = read_pack(&v);
	if (!status)
		status = v.root_set ? against_root(&v) : against_l1(&v);
	if (!status && v.where.json)
		print_json(&v);
	else if (!status)
		print(&v);
	session_close(&v.session);
	return status;
}
