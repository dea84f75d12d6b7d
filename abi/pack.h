/* Exit packs: everything a citizen needs to leave, in one file.
 * formats.md PACK. */
#ifndef EGRESS_ABI_PACK_H
#define EGRESS_ABI_PACK_H

#include "abi/json.h"
#include "abi/merkle.h"

#define PACK_LEAVES_MAX 16
#define PACK_BYTES_MAX	32768
#define PACK_TEXT_MAX	49152

struct pack_leaf {
	uint64_t index;
	struct record record;
	struct hash32 siblings[MERKLE_DEPTH_MAX]; /* leaf upward */
};

struct pack {
	uint64_t chain_id;
	struct address hatch, rollup;
	uint64_t batch;
	uint64_t block;
	struct hash32 block_hash, root;
	uint64_t leaf_count;
	size_t n;
	struct pack_leaf leaves[PACK_LEAVES_MAX];
};

void pack_encode(const struct pack *p, struct buf *to);
MUST_CHECK enum err pack_decode(struct slice bytes, struct pack *ret,
				struct err_text *error);
void pack_text(const struct pack *p, struct buf *to); /* egress-pack1:… */
MUST_CHECK enum err pack_parse_text(struct slice text, struct pack *ret,
				    struct err_text *error);
void pack_json(const struct pack *p, struct json_writer *w, const char *key);
MUST_CHECK enum err pack_parse_json(const json_node *o, struct pack *ret,
				    struct err_text *error);
/* Any of the three forms: binary, text or JSON. */
MUST_CHECK enum err pack_parse(struct slice bytes, struct pack *ret,
			       struct err_text *error);
/* Every leaf leads to p->root. ERR_INVALID, which leaf in error. */
MUST_CHECK enum err pack_verify(const struct pack *p, struct err_text *error);

#endif
