/* What came of holding a provider's words against a hash that a quorum chose.
 */
#ifndef EGRESS_ABI_PROVED_H
#define EGRESS_ABI_PROVED_H

#include "abi/json.h"
#include "abi/trie.h"

enum proved {
	PROVED,		 /* only these words have that hash */
	PROVED_FALSE,	 /* well formed, of a known form, of another hash */
	PROVED_SHAPE,	 /* a field is missing or not of its form */
	PROVED_UNKNOWN,	 /* of a form that this program does not know: a fork
			  * younger than it, or a liar's pretext.  Never a
			  * proof: a quorum on the same words must do */
	PROVED_TOO_LARGE /* over a named limit, or out of memory */
};

/* Appends one item as its trie holds it.  ERR_INVALID: r says why.
 * ERR_NOT_FOUND: of a type that is not known. */
typedef enum err proved_encode(struct json_reader *r, const json_node *item,
			       struct buf *to);

/* A whole block's items, in order, against the root of their trie.  ret is the
 * caller's, initialised; it is empty unless PROVED.  what: "transactions". */
MUST_CHECK enum proved proved_list(const json_node *array, struct hash32 root,
				   proved_encode *encode, const char *what,
				   struct trie_list *ret,
				   struct err_text *error);

#endif
