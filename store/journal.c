#include "store/journal.h"

#define HEAD_SIZE (1 + 8 + 8 + MARK_SIZE)

void mark_encode(const struct ledger_mark *m, uint8_t to[MARK_SIZE])
{
	put_be(to, m->change, 8);
	put_be(to + 8, m->batch, 8);
	put_be(to + 16, m->leaf_count, 8);
	put_be(to + 24, m->inbox_through, 8);
	memcpy(to + 32, m->root.b, 32);
	put_be(to + 64, m->block, 8);
	put_be(to + 72, m->time, 8);
	memcpy(to + 80, m->block_hash.b, 32);
}

void mark_decode(const uint8_t from[MARK_SIZE], struct ledger_mark *ret)
{
	ret->change = get_be(from, 8);
	ret->batch = get_be(from + 8, 8);
	ret->leaf_count = get_be(from + 16, 8);
	ret->inbox_through = get_be(from + 24, 8);
	memcpy(ret->root.b, from + 32, 32);
	ret->block = get_be(from + 64, 8);
	ret->time = get_be(from + 72, 8);
	memcpy(ret->block_hash.b, from + 80, 32);
}

void journal_begin(struct buf *b, enum ledger_change kind,
		   const struct ledger_mark *next,
		   const struct ledger_mark *before)
{
	uint8_t mark[MARK_SIZE];

	mark_encode(before, mark);
	buf_clear(b);
	buf_add_byte(b, (uint8_t)kind);
	buf_add_be(b, next->block, 8);
	buf_add_be(b, next->time, 8);
	buf_add(b, mark, sizeof(mark));
}

enum err journal_decode(struct slice bytes, struct journal_entry *ret)
{
	if (bytes.len < HEAD_SIZE || (bytes.len - HEAD_SIZE) % DIFF_ENTRY ||
	    bytes.p[0] < LEDGER_BATCH || bytes.p[0] > LEDGER_REWOUND)
		return ERR_UNSAFE;
	ret->kind = bytes.p[0];
	ret->block = get_be(bytes.p + 1, 8);
	ret->time = get_be(bytes.p + 9, 8);
	mark_decode(bytes.p + 17, &ret->before);
	ret->old = slice_of(bytes.p + HEAD_SIZE, bytes.len - HEAD_SIZE);
	ret->n = ret->old.len / DIFF_ENTRY;
	return OK;
}
