/* Checks witnesses: a provider's bytes against a root that it did not choose.
 * Every node is bound by a hash before it is looked into. */
#include "abi/keccak.h"
#include "abi/rlp.h"
#include "abi/trie.h"

#define HASH_LEN     sizeof(struct hash32)
#define BRANCH_ITEMS 17
#define PATH_ITEMS   2
/* Hex prefix, yellow paper (200): the flags in a path's first nibble. */
#define FLAG_ODD  1u
#define FLAG_LEAF 2u

struct walk {
	struct slice key;
	size_t at; /* nibbles of the key behind us */
	const struct slice *nodes;
	size_t n, used;
};

/* The item behind a reference, and what to do with it. */
enum step {
	STEP_DOWN,   /* to the child */
	STEP_FOUND,  /* a value */
	STEP_ABSENT, /* the key has no place here */
	STEP_BAD,
};

struct node {
	size_t n;
	struct slice item[BRANCH_ITEMS]; /* whole, headers included */
};

static unsigned key_nibble(struct slice key, size_t i)
{
	return i % 2 ? key.p[i / 2] & 0x0f : key.p[i / 2] >> 4;
}

/* A list of 2 or of 17 and nothing else. */
static bool split(struct slice bytes, struct node *ret)
{
	struct rlp_reader outer = rlp_reader(bytes);
	struct rlp_reader list = rlp_list(&outer);
	if (!rlp_end(&outer))
		return false;
	for (ret->n = 0; ret->n < BRANCH_ITEMS && list.rest.len; ret->n++)
		ret->item[ret->n] = rlp_item(&list);
	return rlp_end(&list) &&
	       (ret->n == PATH_ITEMS || ret->n == BRANCH_ITEMS);
}

/* A string, whole and alone in item. */
static bool as_string(struct slice item, struct slice *ret)
{
	struct rlp_reader r = rlp_reader(item);
	*ret = rlp_bytes(&r);
	return rlp_end(&r);
}

static bool is_list(struct slice item)
{
	struct rlp_reader r = rlp_reader(item);
	return rlp_is_list(&r);
}

/* A hash, or a node short enough to stand here itself. */
static bool is_reference(struct slice item)
{
	struct slice s;
	if (is_list(item))
		return item.len < HASH_LEN;
	return as_string(item, &s) && s.len == HASH_LEN;
}

static bool is_empty(struct slice item)
{
	return item.len == 1 && item.p[0] == 0x80;
}

/* Nibbles of a hex-prefixed path, from its first behind the flags. */
struct path {
	struct slice bytes; /* flags' nibble first */
	size_t first, n;
	bool leaf;
};

static bool read_path(struct slice item, struct path *ret)
{
	struct slice s;
	if (!as_string(item, &s) || !s.len || s.len > 1 + TRIE_KEY_MAX)
		return false;
	unsigned flags = s.p[0] >> 4;
	bool odd = flags & FLAG_ODD;
	if (flags > (FLAG_ODD | FLAG_LEAF) || (!odd && s.p[0] & 0x0f))
		return false;
	*ret = (struct path){.bytes = s,
			     .first = odd ? 1 : 2,
			     .n = 2 * (s.len - 1) + odd,
			     .leaf = flags & FLAG_LEAF};
	return true;
}

/* Does the rest of the key begin with the path? */
static bool path_fits(const struct walk *w, const struct path *path)
{
	if (path->n > 2 * w->key.len - w->at)
		return false;
	for (size_t i = 0; i < path->n; i++)
		if (key_nibble(path->bytes, path->first + i) !=
		    key_nibble(w->key, w->at + i))
			return false;
	return true;
}

static enum step walk_path(struct walk *w, const struct node *node,
			   struct slice *ret)
{
	struct path path;
	if (!read_path(node->item[0], &path))
		return STEP_BAD;
	bool fits = path_fits(w, &path);
	if (path.leaf) {
		if (!as_string(node->item[1], ret) || !ret->len)
			return STEP_BAD;
		fits = fits && w->at + path.n == 2 * w->key.len;
		return fits ? STEP_FOUND : STEP_ABSENT;
	}
	if (!path.n || !is_reference(node->item[1]))
		return STEP_BAD;
	w->at += fits ? path.n : 0;
	*ret = node->item[1];
	return fits ? STEP_DOWN : STEP_ABSENT;
}

static enum step walk_branch(struct walk *w, const struct node *node,
			     struct slice *ret)
{
	size_t occupied = 0;
	struct slice value;
	for (size_t i = 0; i < BRANCH_ITEMS - 1; i++) {
		if (is_empty(node->item[i]))
			continue;
		if (!is_reference(node->item[i]))
			return STEP_BAD;
		occupied++;
	}
	if (!as_string(node->item[BRANCH_ITEMS - 1], &value))
		return STEP_BAD;
	if (occupied + (value.len > 0) < 2) /* would have been a path */
		return STEP_BAD;
	if (w->at == 2 * w->key.len) {
		*ret = value;
		return value.len ? STEP_FOUND : STEP_ABSENT;
	}
	*ret = node->item[key_nibble(w->key, w->at++)];
	return is_empty(*ret) ? STEP_ABSENT : STEP_DOWN;
}

/* The bytes behind a reference. */
static bool follow(struct walk *w, struct slice reference, struct slice *ret)
{
	const struct slice *next = w->used < w->n ? &w->nodes[w->used] : NULL;
	struct slice hash;
	if (is_list(reference)) {
		w->used += next && slice_eq(*next, reference);
		*ret = reference;
		return true;
	}
	if (!next || next->len < HASH_LEN || !as_string(reference, &hash))
		return false;
	struct hash32 found = keccak256(next->p, next->len);
	if (!slice_eq(slice_of(found.b, HASH_LEN), hash))
		return false;
	w->used++;
	*ret = *next;
	return true;
}

/* From the root's bytes down; ends, for each step but the last takes a nibble
 * of the key. */
static enum step walk_down(struct walk *w, struct slice bytes,
			   struct slice *ret)
{
	bool was_path = false;
	for (;;) {
		struct node node;
		enum step step;
		if (!split(bytes, &node))
			return STEP_BAD;
		bool is_path = node.n == PATH_ITEMS;
		if (is_path && was_path) /* two paths in a row are one */
			return STEP_BAD;
		was_path = is_path;
		step = is_path ? walk_path(w, &node, ret)
			       : walk_branch(w, &node, ret);
		if (step != STEP_DOWN)
			return step;
		if (!follow(w, *ret, &bytes))
			return STEP_BAD;
	}
}

enum err trie_prove(struct hash32 root, struct slice key,
		    const struct slice *nodes, size_t n,
		    struct slice *ret_value)
{
	struct walk w = {.key = key, .nodes = nodes, .n = n, .used = 1};
	struct slice value;
	if (key.len > TRIE_KEY_MAX || n > TRIE_PROOF_MAX)
		return ERR_INVALID;
	if (hash_eq(root, trie_empty_root))
		return !n || (n == 1 && is_empty(nodes[0])) ? ERR_NOT_FOUND
							    : ERR_INVALID;
	if (!n || !hash_eq(keccak256(nodes[0].p, nodes[0].len), root))
		return ERR_INVALID;
	enum step step = walk_down(&w, nodes[0], &value);
	if (step == STEP_BAD || w.used != n)
		return ERR_INVALID;
	if (step == STEP_ABSENT)
		return ERR_NOT_FOUND;
	*ret_value = value;
	return OK;
}

/* [nonce, balance, storageRoot, codeHash] */
static bool read_account(struct slice value, struct trie_account *ret)
{
	struct rlp_reader outer = rlp_reader(value);
	struct rlp_reader r = rlp_list(&outer);
	struct trie_account a = {.exists = true};
	a.nonce = rlp_u64(&r);
	a.balance = rlp_u256(&r);
	struct slice storage_root = rlp_bytes(&r);
	struct slice code_hash = rlp_bytes(&r);
	if (!rlp_end(&outer) || !rlp_end(&r) || storage_root.len != HASH_LEN ||
	    code_hash.len != HASH_LEN)
		return false;
	memcpy(a.storage_root.b, storage_root.p, HASH_LEN);
	memcpy(a.code_hash.b, code_hash.p, HASH_LEN);
	*ret = a;
	return true;
}

enum err trie_prove_account(struct hash32 state_root, struct address address,
			    const struct slice *nodes, size_t n,
			    struct trie_account *ret)
{
	struct hash32 key = keccak256(address.b, sizeof(address.b));
	struct slice value;
	enum err err = trie_prove(state_root, slice_of(key.b, sizeof(key.b)),
				  nodes, n, &value);
	if (err == ERR_NOT_FOUND) {
		*ret = (struct trie_account){.storage_root = trie_empty_root,
					     .code_hash = keccak256("", 0)};
		return OK;
	}
	return err || !read_account(value, ret) ? ERR_INVALID : OK;
}

enum err trie_prove_slot(struct hash32 storage_root, struct hash32 slot,
			 const struct slice *nodes, size_t n, struct u256 *ret)
{
	struct hash32 key = keccak256(slot.b, sizeof(slot.b));
	struct slice value;
	enum err err = trie_prove(storage_root, slice_of(key.b, sizeof(key.b)),
				  nodes, n, &value);
	if (err == ERR_NOT_FOUND) {
		*ret = u256_from(0);
		return OK;
	}
	if (err)
		return err;
	struct rlp_reader r = rlp_reader(value);
	struct u256 word = rlp_u256(&r);
	/* A slot that turned zero is deleted from the trie, but by anvil, which
	 * keeps a leaf of zero: the same value under either root. */
	if (!rlp_end(&r))
		return ERR_INVALID;
	*ret = word;
	return OK;
}
