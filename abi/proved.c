#include "abi/proved.h"

#include "abi/hex.h"

static enum proved encode_all(const json_node *array, proved_encode *encode,
			      const char *what, struct trie_list *list,
			      struct err_text *error)
{
	struct json_reader r = {0};
	size_t n = json_len(json_array(&r, array, NULL));
	for (size_t i = 0; i < n && !r.failed; i++) {
		enum err err = encode(&r, json_at(array, i), &list->bytes);
		if (err == ERR_NOT_FOUND) {
			err_text_set(error, "%s: %zu is of an unknown type",
				     what, i);
			return PROVED_UNKNOWN;
		}
		trie_list_close(list);
	}
	if (r.failed) {
		err_text_set(error, "%s: %s: %s", what, r.field, r.what);
		return PROVED_SHAPE;
	}
	return PROVED;
}

enum proved proved_list(const json_node *array, struct hash32 root,
			proved_encode *encode, const char *what,
			struct trie_list *ret, struct err_text *error)
{
	struct hash32 found;
	trie_list_clear(ret);
	enum proved proved = encode_all(array, encode, what, ret, error);
	if (proved == PROVED) {
		enum err err = trie_list_root(ret, &found);
		if (err) {
			err_text_set(error, "%s: %s", what, err_name(err));
			proved = PROVED_TOO_LARGE;
		} else if (!hash_eq(found, root)) {
			err_text_set(error, "%s: their root is %s, not %s",
				     what, hash_text(found).s,
				     hash_text(root).s);
			proved = PROVED_FALSE;
		}
	}
	if (proved != PROVED)
		trie_list_clear(ret);
	return proved;
}
