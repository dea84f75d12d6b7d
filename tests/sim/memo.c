/* Many nodes are told the same bytes: what follows from bytes alone is worked
 * out once for all of them.  json_parse_reply(): what is read from a document
 * never changes it, so that one tree serves all.  keccak256() of much, and
 * key_recover().  The linker sends calls here (--wrap). */
#include "tests/sim/memo.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/json.h"
#include "abi/keccak.h"
#include "abi/key.h"

#define KEPT	  512
#define BYTES_MAX (256u << 10) /* longer ones are not kept */

struct memo {
	struct memo *next; /* of by_doc */
	struct json_doc *doc;
	uint64_t sum;
	uint8_t *text;
	size_t len, max_bytes;
	unsigned max_depth, refs; /* the table's own counts too */
};

static struct memo *table[KEPT];
static struct memo *by_doc[KEPT]; /* of all, in lists */

enum err __real_json_parse_reply(struct slice text, size_t max_bytes,
				 unsigned max_depth, struct json_doc **ret,
				 struct err_text *error);
void __real_json_free(struct json_doc *doc);
enum err __wrap_json_parse_reply(struct slice text, size_t max_bytes,
				 unsigned max_depth, struct json_doc **ret,
				 struct err_text *error);
void __wrap_json_free(struct json_doc *doc);
void __wrap_json_freep(struct json_doc **doc);

uint64_t bytes_sum(struct slice text)
{
	uint64_t sum = text.len, word;
	size_t i = 0;

	for (; i + 8 <= text.len; i += 8) {
		memcpy(&word, text.p + i, 8);
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	for (; i < text.len; i++)
		sum = (sum ^ text.p[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static struct memo **list_of(const struct json_doc *doc)
{
	return &by_doc[(uintptr_t)doc / 32 % KEPT];
}

static void release(struct memo *m)
{
	struct memo **at = list_of(m->doc);

	if (--m->refs)
		return;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	__real_json_free(m->doc);
	free(m->text);
	free(m);
}

static void keep(struct memo **slot, const struct memo *what, struct slice text)
{
	struct memo *m = malloc(sizeof(*m));

	assert(m);
	*m = *what;
	m->text = malloc(text.len);
	assert(m->text);
	memcpy(m->text, text.p, text.len);
	m->refs = 2; /* the table's, and the caller's */
	m->next = *list_of(m->doc);
	*list_of(m->doc) = m;
	if (*slot)
		release(*slot);
	*slot = m;
}

enum err __wrap_json_parse_reply(struct slice text, size_t max_bytes,
				 unsigned max_depth, struct json_doc **ret,
				 struct err_text *error)
{
	struct memo what = {.sum = bytes_sum(text),
			    .len = text.len,
			    .max_bytes = max_bytes,
			    .max_depth = max_depth};
	struct memo **slot = &table[what.sum % KEPT], *m = *slot;
	enum err err;

	if (m && m->sum == what.sum && m->len == text.len &&
	    m->max_bytes == max_bytes && m->max_depth == max_depth &&
	    !memcmp(m->text, text.p, text.len)) {
		m->refs++;
		*ret = m->doc;
		return OK;
	}
	err = __real_json_parse_reply(text, max_bytes, max_depth, ret, error);
	what.doc = *ret;
	if (!err && text.len && text.len <= BYTES_MAX)
		keep(slot, &what, text);
	return err;
}

void __wrap_json_free(struct json_doc *doc)
{
	struct memo *m = *list_of(doc);

	if (!doc)
		return;
	while (m && m->doc != doc)
		m = m->next;
	if (m)
		release(m);
	else
		__real_json_free(doc);
}

void __wrap_json_freep(struct json_doc **doc)
{
	__wrap_json_free(*doc);
	*doc = NULL;
}

/* ---- hashes and signatures ---- */

#define HASHES	   2048
#define HASHED_MAX 640 /* a branch of a trie, a header */
#define SIGNATURES 512

struct hashed {
	uint64_t sum;
	size_t len;
	uint8_t *bytes; /* room for HASHED_MAX, once used */
	struct hash32 hash;
};

struct recovered {
	bool known;
	struct hash32 digest;
	struct signature signature;
	enum err err;
	struct address signer;
};

struct hash32 __real_keccak256(const void *p, size_t len);
struct hash32 __wrap_keccak256(const void *p, size_t len);
struct hash32 __wrap_keccak256_pair(const struct hash32 *left,
				    const struct hash32 *right);
enum err __real_key_recover(struct hash32 digest,
			    const struct signature *signature,
			    struct address *ret);
enum err __wrap_key_recover(struct hash32 digest,
			    const struct signature *signature,
			    struct address *ret);

struct hash32 __wrap_keccak256(const void *p, size_t len)
{
	static struct hashed memo[HASHES];
	uint64_t sum = bytes_sum(slice_of(p, len));
	struct hashed *h = &memo[sum % HASHES];

	if (!len || len > HASHED_MAX)
		return __real_keccak256(p, len);
	if (h->sum != sum || h->len != len || memcmp(h->bytes, p, len)) {
		if (!h->bytes)
			h->bytes = malloc(HASHED_MAX);
		assert(h->bytes);
		h->sum = sum;
		h->len = len;
		memcpy(h->bytes, p, len);
		h->hash = __real_keccak256(p, len);
	}
	return h->hash;
}

struct hash32 __wrap_keccak256_pair(const struct hash32 *left,
				    const struct hash32 *right)
{
	struct hash32 both[2] = {*left, *right};

	return __wrap_keccak256(both, sizeof(both));
}

enum err __wrap_key_recover(struct hash32 digest,
			    const struct signature *signature,
			    struct address *ret)
{
	static struct recovered memo[SIGNATURES];
	struct slice bytes = slice_of(signature->b, sizeof(signature->b));
	struct recovered *m = &memo[bytes_sum(bytes) % SIGNATURES];

	if (!m->known || !hash_eq(m->digest, digest) ||
	    memcmp(m->signature.b, signature->b, sizeof(signature->b))) {
		*m = (struct recovered){.known = true,
					.digest = digest,
					.signature = *signature};
		m->err = __real_key_recover(digest, signature, &m->signer);
	}
	if (!m->err)
		*ret = m->signer;
	return m->err;
}
