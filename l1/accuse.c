#include "l1/accuse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"

#define BATCH_DEEP 16 /* of what we ask ourselves */

static struct lie_words words_of(const struct buf *b, bool whole)
{
	return (struct lie_words){.text = buf_slice(b), .cut = !whole};
}

struct lie_words accuse_words(const struct rpc_answer *answer, struct buf *to)
{
	struct json_writer w = json_writer(to);

	buf_init(to, LIE_SAID_MAX);
	if (answer->kind == RPC_RESULT)
		return words_of(to, json_text(answer->result, false, to));
	json_begin(&w, NULL);
	json_begin(&w, "error");
	json_put_string(&w, "message", answer->text);
	if (answer->data.len < LIE_SAID_MAX / 4)
		json_put_hex(&w, "data", answer->data.p, answer->data.len);
	json_end(&w);
	json_end(&w);
	return words_of(to, answer->data.len < LIE_SAID_MAX / 4);
}

struct lie_words accuse_asked(struct slice body, size_t call, struct buf *to)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct err_text error;
	const json_node *params = NULL;

	buf_init(to, LIE_ASKED_MAX);
	if (!json_parse_reply(body, L1_REPLY_MAX, BATCH_DEEP, &doc, &error))
		params = json_get(json_at(json_root(doc), call), "params");
	return words_of(to, params && json_text(params, false, to));
}

void accuse_name(char *names, size_t size, const char *name)
{
	size_t used = strlen(names);

	(void)snprintf(names + used, size - used, "%s%s", used ? ", " : "",
		       name);
}

/* "0x…" of 32 bytes. */
static bool read_hash(const json_node *node, const char *key,
		      struct hash32 *ret)
{
	struct json_reader r = {0};

	*ret = json_hash(&r, node, key);
	return !r.failed;
}

static void find_hash(const json_node *params, struct hash32 *found)
{
	struct hash32 hash;

	for (size_t i = 0; i < json_len(params); i++) {
		const json_node *param = json_at(params, i);
		if (read_hash(param, NULL, &hash) ||
		    read_hash(param, "blockHash", &hash))
			*found = hash;
	}
}

/* The block that calls by hash were about: EIP-1898, EIP-234, or the last of
 * the parameters.  asked: a call's parameters, or a batch's calls. */
static struct hash32 block_of(const struct accusation *a)
{
	CLEANUP(json_freep) struct json_doc *doc = NULL;
	struct hash32 found = a->hash;
	struct err_text error;

	if (!hash_is_zero(found) || strstr(a->method, "Transaction") ||
	    json_parse_reply(a->asked.text, L1_REPLY_MAX, BATCH_DEEP, &doc,
			     &error))
		return found;
	const json_node *root = json_root(doc);
	find_hash(root, &found);
	for (size_t i = 0; hash_is_zero(found) && i < json_len(root); i++)
		find_hash(json_get(json_at(root, i), "params"), &found);
	return found;
}

static uint64_t number_of(const struct accuse_queue *q, struct hash32 hash)
{
	if (q->head && hash_eq(q->head->hash, hash))
		return q->head->number;
	for (size_t i = 0; q->known && i < q->known->n; i++)
		if (hash_eq(q->known->seen[i].ref.hash, hash))
			return q->known->seen[i].ref.number;
	return 0;
}

void accuse_record(struct accuse_queue *q, const void *provider,
		   const char *name, const char *why,
		   const struct accusation *a, uint64_t lying_ms)
{
	uint64_t unix_ms = clock_unix_ms();
	struct lie lie = {.kind = a->kind,
			  .at = unix_ms / 1000,
			  .until = (unix_ms + lying_ms) / 1000,
			  .l1_time = q->head ? q->head->time : 0,
			  .number = a->number,
			  .hash = block_of(a),
			  .provider = slice_str(name),
			  .why = slice_str(why),
			  .method = slice_str(a->method),
			  .against = a->against,
			  .asked = a->asked,
			  .said = a->said,
			  .stands = a->stands};
	struct accuse_record *to, oldest;

	if (!lie.number && !hash_is_zero(lie.hash))
		lie.number = number_of(q, lie.hash);
	if (q->n == L1_RECORDS_MAX && accuse_take(q, &oldest))
		buf_done(&oldest.bytes);
	to = &q->records[q->n++];
	to->provider = provider;
	buf_init(&to->bytes, LIE_MAX);
	lie_encode(&lie, &to->bytes);
}

bool accuse_take(struct accuse_queue *q, struct accuse_record *ret)
{
	if (!q->n)
		return false;
	*ret = q->records[0];
	q->n--;
	memmove(q->records, q->records + 1, q->n * sizeof(*q->records));
	return true;
}

void accuse_done(struct accuse_queue *q)
{
	struct accuse_record r;

	while (accuse_take(q, &r))
		buf_done(&r.bytes);
}

/* ---- what it said lately --------------------------------------------------
 */

static bool same(const struct rpc_block *a, const struct rpc_block *b)
{
	return a->ref.number == b->ref.number && a->ref.time == b->ref.time &&
	       hash_eq(a->ref.hash, b->ref.hash) &&
	       hash_eq(a->ref.parent, b->ref.parent) &&
	       a->base_fee == b->base_fee;
}

void spoken_add(struct spoken_ring *ring, const struct rpc_block *block,
		const json_node *node)
{
	for (size_t i = 0; i < L1_SPOKEN_MAX; i++)
		if (ring->blocks[i].text.len &&
		    same(&ring->blocks[i].block, block))
			return;
	struct spoken *to = &ring->blocks[ring->at];
	ring->at = (ring->at + 1) % L1_SPOKEN_MAX;
	buf_done(&to->text);
	buf_init(&to->text, L1_HEADER_TEXT_MAX);
	to->block = *block;
	(void)json_text(node, true, &to->text);
}

static const struct spoken *find(const struct spoken_ring *ring,
				 uint64_t number, struct hash32 hash,
				 bool parent)
{
	for (size_t i = 0; ring && i < L1_SPOKEN_MAX; i++) {
		const struct spoken *s = &ring->blocks[i];
		const struct block_ref *b = &s->block.ref;
		if (s->text.len && b->number == number &&
		    hash_eq(parent ? b->parent : b->hash, hash))
			return s;
	}
	return NULL;
}

struct lie_words spoken_find(const struct spoken_ring *ring, uint64_t number,
			     struct hash32 hash, struct buf *spare)
{
	const struct spoken *s = find(ring, number, hash, false);
	struct json_writer w = json_writer(spare);

	buf_init(spare, LIE_TEXT_MAX);
	if (!s)
		s = find(ring, number + 1, hash, true);
	if (s)
		return words_of(&s->text, s->text.len < s->text.max);
	json_begin(&w, NULL);
	json_put_quantity(&w, "number", number);
	json_put_hash(&w, "hash", hash);
	json_end(&w);
	return words_of(spare, false);
}

void spoken_clear(struct spoken_ring *ring)
{
	for (size_t i = 0; i < L1_SPOKEN_MAX; i++)
		buf_done(&ring->blocks[i].text);
	*ring = (struct spoken_ring){0};
}
