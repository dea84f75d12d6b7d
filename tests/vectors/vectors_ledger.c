/* The ledger's tree, its calls and text forms, for an independent encoder. */
#include "tests/vectors/vectors_words.h"

#include "abi/ballot.h"
#include "abi/diff.h"
#include "abi/pack.h"

/* A tree's life: "size N" resizes, "set N I HASH … " sets N nodes of the
 * bottom and says the root. */
static bool run_tree(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	uint64_t at[VECTORS_ARGS_MAX];
	struct tree t;

	if (tree_init(&t, (unsigned)small(&w)))
		return false;
	while (w.n && !w.failed) {
		bool size = slice_eq(next(&w), slice_str("size"));
		uint64_t count = small(&w);

		if (size && tree_resize(&t, count))
			break;
		for (uint64_t i = 0; !size && i < count && !w.failed; i++) {
			at[i] = small(&w);
			tree_set(&t, at[i], hash(&w));
		}
		if (size)
			continue;
		tree_rehash(&t, at, count);
		buf_printf(out, "%s%s", out->len ? " " : "",
			   hash_text(tree_root(&t)).s);
	}
	tree_done(&t);
	return all_read(&w);
}

static size_t hashes(struct words *w, struct hash32 *to, size_t max)
{
	uint64_t n = small(w);

	w->failed |= n > max;
	for (uint64_t i = 0; i < n && !w->failed; i++)
		to[i] = hash(w);
	return w->failed ? 0 : (size_t)n;
}

static bool run_diff_hash(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf diff;
	struct words w = words(args, n);
	struct hash32 roots[DIFF_STEPS_MAX];
	struct err_text error;
	size_t steps;

	bytes(&w, &diff);
	steps = hashes(&w, roots, DIFF_STEPS_MAX);
	if (!all_read(&w) || diff_check(buf_slice(&diff), &error) ||
	    steps != diff_steps(buf_slice(&diff)))
		return false;
	buf_add_str(out,
		    hash_text(diff_hash(buf_slice(&diff), roots, steps)).s);
	return true;
}

static bool run_commit(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf diff, signatures, b, again;
	struct words w = words(args, n);
	struct commit_call call = {.batch = batch(&w)}, got;

	call.steps = hashes(&w, call.roots, DIFF_STEPS_MAX);
	bytes(&w, &diff);
	bytes(&w, &signatures);
	buf_init(&b, VECTORS_OUT_MAX);
	buf_init(&again, VECTORS_OUT_MAX);
	call.diff = buf_slice(&diff);
	call.signatures = buf_slice(&signatures);
	if (!all_read(&w))
		return false;
	commit_encode(&call, &b);
	if (b.failed || commit_decode(buf_slice(&b), &got))
		return false;
	commit_encode(&got, &again);
	if (!slice_eq(buf_slice(&b), buf_slice(&again)))
		return false;
	put_hex(out, b.p, b.len);
	return true;
}

static bool run_bad_step(const struct slice *args, size_t n, struct buf *out)
{
	CLEANUP(buf_done) struct buf diff, old, b;
	struct words w = words(args, n);
	struct batch batch_ = batch(&w);
	struct batch_before before_ = before(&w);
	struct hash32 roots[DIFF_STEPS_MAX], siblings[1024];
	struct bad_step proof = {.batch = &batch_, .before = &before_};

	proof.step = small(&w);
	bytes(&w, &diff);
	proof.diff = buf_slice(&diff);
	proof.steps = hashes(&w, roots, DIFF_STEPS_MAX);
	proof.roots = roots;
	proof.root_before = hash(&w);
	bytes(&w, &old);
	proof.old_records = (const struct record *)(const void *)old.p;
	proof.sibling_count = hashes(&w, siblings, ARRAY_LEN(siblings));
	proof.siblings = siblings;
	buf_init(&b, VECTORS_OUT_MAX);
	if (!all_read(&w) || proof.steps != diff_steps(proof.diff) ||
	    proof.step >= proof.steps)
		return false;
	bad_step_encode(&proof, &b);
	put_hex(out, b.p, b.len);
	return !b.failed;
}

struct walk {
	struct buf *out;
};

static void say_sibling(void *ctx, unsigned height, uint64_t at)
{
	struct walk *walk = ctx;

	buf_printf(walk->out, "%s%u:%llu", walk->out->len ? " " : "", height,
		   (unsigned long long)at);
}

static bool run_multiproof(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	uint64_t indices[VECTORS_ARGS_MAX], depth = small(&w);
	struct walk walk = {out};
	size_t count = 0;

	while (w.n)
		indices[count++] = small(&w);
	multiproof_walk(indices, count, (unsigned)depth, say_sibling, &walk);
	return all_read(&w);
}

static bool run_bundle(const struct slice *args, size_t n, struct buf *out)
{
	struct json_writer w = json_writer(out);
	struct err_text error;
	struct bundle b;

	if (n != 1 || bundle_parse_text(args[0], &b, &error))
		return false;
	bundle_json(&b, &w, NULL);
	return true;
}

static bool run_bundle_text(const struct slice *args, size_t n, struct buf *out)
{
	struct words w = words(args, n);
	struct bundle b = {.vote = vote(&w)};

	while (w.n) {
		struct signature s = signature(&w);

		if (w.failed || bundle_add(&b, &s))
			return false;
	}
	bundle_text(&b, out);
	return all_read(&w);
}

static bool run_pack(const struct slice *args, size_t n, struct buf *out)
{
	struct json_writer w = json_writer(out);
	struct err_text error;
	struct pack p;

	if (n != 1 || pack_parse(args[0], &p, &error) ||
	    pack_verify(&p, &error))
		return false;
	pack_json(&p, &w, NULL);
	return true;
}

const struct vectors_command vectors_ledger[] = {
	{"tree", 1, run_tree},
	{"diff.hash", 2, run_diff_hash},
	{"commit", 10, run_commit},
	{"bad_step", 16, run_bad_step},
	{"multiproof", 2, run_multiproof},
	{"bundle.read", 1, run_bundle},
	{"bundle.text", 8, run_bundle_text},
	{"pack.read", 1, run_pack},
	{NULL},
};
