#include "abi/witness.h"

#include "abi/hex.h"

/* One proof's nodes, side by side. */
struct nodes {
	struct buf bytes;
	size_t n;
	struct slice node[TRIE_PROOF_MAX];
};

static void read_nodes(struct json_reader *r, const json_node *o,
		       const char *key, struct nodes *nodes)
{
	size_t end[TRIE_PROOF_MAX];
	const json_node *array = json_array(r, o, key);
	nodes->n = json_len(array);
	if (nodes->n > TRIE_PROOF_MAX) {
		json_fail(r, key, "expected at most 65 nodes");
		nodes->n = 0;
	}
	buf_clear(&nodes->bytes);
	for (size_t i = 0; i < nodes->n; i++) {
		json_bytes(r, json_at(array, i), NULL, &nodes->bytes);
		end[i] = nodes->bytes.len;
	}
	for (size_t i = 0, at = 0; i < nodes->n && !r->failed; i++) {
		nodes->node[i] = slice_of(nodes->bytes.p + at, end[i] - at);
		at = end[i];
	}
}

static enum proved fail(struct err_text *error, const struct json_reader *r,
			const char *what, const char *which)
{
	if (r->failed) {
		err_text_set(error, "eth_getProof: %s: %s", r->field, r->what);
		return PROVED_SHAPE;
	}
	err_text_set(error, "eth_getProof: the proof of %s %s is wrong", what,
		     which);
	return PROVED_FALSE;
}

static enum proved prove(const json_node *reply, struct hash32 state_root,
			 struct address address, const struct hash32 *slots,
			 size_t n, struct trie_account *account,
			 struct u256 *values, struct nodes *nodes,
			 struct err_text *error)
{
	struct json_reader r = {0};
	const json_node *o = json_object(&r, reply, NULL);
	const json_node *proofs = json_array(&r, o, "storageProof");
	read_nodes(&r, o, "accountProof", nodes);
	if (!r.failed && json_len(proofs) != n)
		json_fail(&r, "storageProof", "expected one for each slot");
	if (r.failed || trie_prove_account(state_root, address, nodes->node,
					   nodes->n, account))
		return fail(error, &r, "account", address_text(address).s);
	for (size_t i = 0; i < n; i++) {
		read_nodes(&r, json_at(proofs, i), "proof", nodes);
		if (r.failed ||
		    trie_prove_slot(account->storage_root, slots[i],
				    nodes->node, nodes->n, &values[i]))
			return fail(error, &r, "slot", hash_text(slots[i]).s);
	}
	return PROVED;
}

enum proved witness_prove(const json_node *reply, struct hash32 state_root,
			  struct address address, const struct hash32 *slots,
			  size_t n, struct trie_account *ret_account,
			  struct u256 *ret_values, struct err_text *error)
{
	struct nodes nodes = {.n = 0};
	buf_init(&nodes.bytes, WITNESS_BYTES_MAX);
	enum proved proved = prove(reply, state_root, address, slots, n,
				   ret_account, ret_values, &nodes, error);
	buf_done(&nodes.bytes);
	return proved;
}
