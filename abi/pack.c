/* Exit packs in their three forms.  Decoding checks form only; pack_verify()
 * checks that every leaf leads to the root. */
#include "abi/pack.h"

#include "abi/hex.h"
#include "abi/text_form.h"

#define PACK_NAME    "egress-pack"
#define PACK_FIXED   (8 + 20 + 20 + 8 + 8 + 32 + 32 + 5 + 1)
#define LEAF_FIXED   (5 + RECORD_SIZE)
#define NUMBER_LIMIT (UINT64_C(1) << 53) /* what JSON can say */

static bool is_sound(const struct pack *p, struct err_text *error)
{
	if (p->chain_id >= NUMBER_LIMIT || p->batch >= NUMBER_LIMIT ||
	    p->block >= NUMBER_LIMIT) {
		err_text_set(error, "a number is 2^53 or more");
		return false;
	}
	if (p->leaf_count >> MERKLE_DEPTH_MAX) {
		err_text_set(error, "leaf_count is 2^40 or more");
		return false;
	}
	if (!p->n || p->n > PACK_LEAVES_MAX) {
		err_text_set(error, "%zu leaves; 1 to %d make a pack", p->n,
			     PACK_LEAVES_MAX);
		return false;
	}
	return true;
}

static bool leaf_is_sound(const struct pack *p, size_t i,
			  struct err_text *error)
{
	const struct pack_leaf *leaf = &p->leaves[i];

	if (leaf->index >= p->leaf_count) {
		err_text_set(error, "leaves[%zu]: index beyond leaf_count", i);
		return false;
	}
	if (record_kind(&leaf->record) == RECORD_EMPTY) {
		err_text_set(error, "leaves[%zu]: a record of no known kind",
			     i);
		return false;
	}
	return true;
}

static void put_body(const struct pack *p, struct buf *to)
{
	unsigned depth = merkle_depth(p->leaf_count);

	buf_add_be(to, p->chain_id, 8);
	buf_add(to, p->hatch.b, 20);
	buf_add(to, p->rollup.b, 20);
	buf_add_be(to, p->batch, 8);
	buf_add_be(to, p->block, 8);
	buf_add(to, p->block_hash.b, 32);
	buf_add(to, p->root.b, 32);
	buf_add_be(to, p->leaf_count, 5);
	buf_add_be(to, p->n, 1);
	for (size_t i = 0; i < p->n; i++) {
		const struct pack_leaf *leaf = &p->leaves[i];

		buf_add_be(to, leaf->index, 5);
		buf_add(to, leaf->record.b, RECORD_SIZE);
		for (unsigned h = 0; h < depth; h++)
			buf_add(to, leaf->siblings[h].b, 32);
	}
}

static void read_head(struct slice s, struct pack *p)
{
	p->chain_id = get_be(s.p, 8);
	memcpy(p->hatch.b, s.p + 8, 20);
	memcpy(p->rollup.b, s.p + 28, 20);
	p->batch = get_be(s.p + 48, 8);
	p->block = get_be(s.p + 56, 8);
	memcpy(p->block_hash.b, s.p + 64, 32);
	memcpy(p->root.b, s.p + 96, 32);
	p->leaf_count = get_be(s.p + 128, 5);
	p->n = s.p[133];
}

/* Refuses bytes that are left over, and leaves that are cut. */
static enum err read_body(struct slice s, struct pack *ret,
			  struct err_text *error)
{
	struct pack p = {0};
	size_t size;

	if (s.len < PACK_FIXED) {
		err_text_set(error, "too short: %zu bytes", s.len);
		return ERR_INVALID;
	}
	read_head(s, &p);
	if (!is_sound(&p, error))
		return ERR_INVALID;
	size = LEAF_FIXED + (size_t)merkle_depth(p.leaf_count) * 32;
	if (s.len != PACK_FIXED + p.n * size) {
		err_text_set(error, "%zu bytes do not hold %zu leaves", s.len,
			     p.n);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < p.n; i++) {
		const uint8_t *from = s.p + PACK_FIXED + i * size;

		p.leaves[i].index = get_be(from, 5);
		memcpy(p.leaves[i].record.b, from + 5, RECORD_SIZE);
		memcpy(p.leaves[i].siblings, from + LEAF_FIXED,
		       size - LEAF_FIXED);
		if (!leaf_is_sound(&p, i, error))
			return ERR_INVALID;
	}
	*ret = p;
	return OK;
}

void pack_encode(const struct pack *p, struct buf *to)
{
	size_t start = to->len;

	put_body(p, to);
	text_form_seal(to, start);
}

enum err pack_decode(struct slice bytes, struct pack *ret,
		     struct err_text *error)
{
	struct slice body;

	if (text_form_open(bytes, &body, error))
		return ERR_INVALID;
	return read_body(body, ret, error);
}

void pack_text(const struct pack *p, struct buf *to)
{
	struct buf body;

	buf_init(&body, PACK_BYTES_MAX);
	put_body(p, &body);
	if (body.failed)
		to->failed = true;
	text_form_encode(PACK_NAME, buf_slice(&body), to);
	buf_done(&body);
}

enum err pack_parse_text(struct slice text, struct pack *ret,
			 struct err_text *error)
{
	struct buf body;
	enum err err;

	if (text.len > PACK_TEXT_MAX) {
		err_text_set(error, "longer than %d characters", PACK_TEXT_MAX);
		return ERR_TOO_LARGE;
	}
	buf_init(&body, PACK_BYTES_MAX);
	err = text_form_decode(PACK_NAME, text, &body, error);
	if (!err)
		err = read_body(buf_slice(&body), ret, error);
	buf_done(&body);
	return err;
}

void pack_json(const struct pack *p, struct json_writer *w, const char *key)
{
	unsigned depth = merkle_depth(p->leaf_count);

	json_begin(w, key);
	json_put_u64(w, "chain_id", p->chain_id);
	json_put_address(w, "hatch", p->hatch);
	json_put_address(w, "rollup", p->rollup);
	json_put_u64(w, "batch", p->batch);
	json_put_u64(w, "block", p->block);
	json_put_hash(w, "block_hash", p->block_hash);
	json_put_hash(w, "root", p->root);
	json_put_u64(w, "leaf_count", p->leaf_count);
	json_begin_array(w, "leaves");
	for (size_t i = 0; i < p->n; i++) {
		const struct pack_leaf *leaf = &p->leaves[i];

		json_begin(w, NULL);
		json_put_u64(w, "index", leaf->index);
		json_put_hex(w, "record", leaf->record.b, RECORD_SIZE);
		json_begin_array(w, "proof");
		for (unsigned h = 0; h < depth; h++)
			json_put_hash(w, NULL, leaf->siblings[h]);
		json_end_array(w);
		json_end(w);
	}
	json_end_array(w);
	json_end(w);
}

static void read_leaf(struct json_reader *r, const json_node *o, unsigned depth,
		      struct pack_leaf *leaf)
{
	const json_node *proof = json_array(r, o, "proof");

	leaf->index = json_u64(r, o, "index");
	json_hex(r, o, "record", leaf->record.b, RECORD_SIZE);
	if (!r->failed && json_len(proof) != depth)
		json_fail(r, "leaves",
			  "a proof of another length than the "
			  "tree's depth");
	for (unsigned h = 0; h < depth && !r->failed; h++)
		leaf->siblings[h] = json_hash(r, json_at(proof, h), NULL);
}

enum err pack_parse_json(const json_node *o, struct pack *ret,
			 struct err_text *error)
{
	struct json_reader r = {0};
	struct pack p = {
		.chain_id = json_u64(&r, o, "chain_id"),
		.hatch = json_address(&r, o, "hatch"),
		.rollup = json_address(&r, o, "rollup"),
		.batch = json_u64(&r, o, "batch"),
		.block = json_u64(&r, o, "block"),
		.block_hash = json_hash(&r, o, "block_hash"),
		.root = json_hash(&r, o, "root"),
		.leaf_count = json_u64(&r, o, "leaf_count"),
	};
	const json_node *list = json_array(&r, o, "leaves");

	p.n = json_len(list);
	if (!r.failed && !is_sound(&p, error))
		return ERR_INVALID;
	for (size_t i = 0; i < p.n && !r.failed; i++) {
		read_leaf(&r, json_at(list, i), merkle_depth(p.leaf_count),
			  &p.leaves[i]);
		if (!r.failed && !leaf_is_sound(&p, i, error))
			return ERR_INVALID;
	}
	if (r.failed) {
		err_text_set(error, "%s: %s", r.field, r.what);
		return ERR_INVALID;
	}
	*ret = p;
	return OK;
}

static enum err parse_json_text(struct slice text, struct pack *ret,
				struct err_text *error)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	enum err err;

	err = json_parse(text, JSON_BODY_MAX, JSON_DEPTH_MAX, &doc, error);
	if (err)
		return err;
	return pack_parse_json(json_root(doc), ret, error);
}

enum err pack_parse(struct slice bytes, struct pack *ret,
		    struct err_text *error)
{
	size_t at = 0;

	while (at < bytes.len && strchr(" \t\r\n", bytes.p[at]) && bytes.p[at])
		at++;
	/* A binary pack begins with the high byte of a chain id: 0. */
	if (at < bytes.len && bytes.p[at] == '{')
		return parse_json_text(bytes, ret, error);
	if (at < bytes.len && bytes.p[at] == PACK_NAME[0])
		return pack_parse_text(bytes, ret, error);
	return pack_decode(bytes, ret, error);
}

enum err pack_verify(const struct pack *p, struct err_text *error)
{
	unsigned depth = merkle_depth(p->leaf_count);

	for (size_t i = 0; i < p->n; i++) {
		const struct pack_leaf *leaf = &p->leaves[i];
		struct hash32 root =
			merkle_root(leaf->index, record_leaf(&leaf->record),
				    leaf->siblings, depth);

		if (!hash_eq(root, p->root)) {
			err_text_set(error,
				     "leaves[%zu] (index %llu) does not lead "
				     "to the root",
				     i, (unsigned long long)leaf->index);
			return ERR_INVALID;
		}
	}
	return OK;
}
