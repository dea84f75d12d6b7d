#include "store/store_pages.h"

#include <string.h>
#include <unistd.h>

/* LMDB's data format 1 on a 64-bit machine: MDB_page, MDB_node and MDB_db.
 * Offsets of nodes stand behind the page's header up to `lower`, the nodes
 * from `upper` on. */
#define PAGE_HEADER   16
#define PAGE_FLAGS_AT 10
#define PAGE_LOWER_AT 12
#define PAGE_UPPER_AT 14
#define PAGE_BRANCH   0x01
#define PAGE_LEAF     0x02
#define PAGE_KIND     0x0f /* … overflow and meta */
#define NODE_HEADER   8
#define NODE_FLAGS_AT 4
#define NODE_KEY_AT   6
#define NODE_BIG      0x01 /* its value is elsewhere: a page number */
#define NODE_TABLE    0x02
#define TABLE_SIZE    48
#define TABLE_ROOT_AT 40
#define NO_PAGE	      UINT64_MAX

struct page {
	uint8_t b[STORE_PAGE_MAX];
};

static uint16_t u16_at(const uint8_t *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static uint64_t u64_at(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

/* A page of a tree, with something in it, whose own number it bears. */
static bool header_good(const uint8_t *p, uint64_t number, uint32_t page_size)
{
	unsigned kind = u16_at(p + PAGE_FLAGS_AT) & PAGE_KIND;
	unsigned lower = u16_at(p + PAGE_LOWER_AT);
	unsigned upper = u16_at(p + PAGE_UPPER_AT);

	return u64_at(p) == number &&
	       (kind == PAGE_BRANCH || kind == PAGE_LEAF) &&
	       lower > PAGE_HEADER && lower % 2 == 0 && lower <= upper &&
	       upper <= page_size;
}

static bool read_page(int fd, const struct store_roots *roots, uint64_t number,
		      uint8_t *to, size_t len)
{
	return number > 1 && number <= roots->last_page &&
	       pread(fd, to, len, (off_t)(number * roots->page_size)) ==
		       (ssize_t)len &&
	       header_good(to, number, roots->page_size);
}

static bool root_good(int fd, const struct store_roots *roots, uint64_t number)
{
	uint8_t header[PAGE_HEADER];

	return number == NO_PAGE ||
	       read_page(fd, roots, number, header, sizeof(header));
}

/* One record of the table of tables; what is no table is another's. */
static bool node_good(int fd, const struct store_roots *roots,
		      const struct page *page, unsigned at)
{
	const uint8_t *node = page->b + at;
	uint32_t page_size = roots->page_size;

	if (at < u16_at(page->b + PAGE_UPPER_AT) ||
	    at + NODE_HEADER > page_size)
		return false;
	unsigned flags = u16_at(node + NODE_FLAGS_AT);
	size_t key = u16_at(node + NODE_KEY_AT);
	size_t value = u16_at(node) | (size_t)u16_at(node + 2) << 16;
	if (flags & NODE_BIG)
		value = sizeof(uint64_t);
	if (at + NODE_HEADER + key + value > page_size)
		return false;
	if (!(flags & NODE_TABLE))
		return true;
	return value == TABLE_SIZE &&
	       root_good(fd, roots,
			 u64_at(node + NODE_HEADER + key + TABLE_ROOT_AT));
}

/* Up to STORE_TABLES_MAX names fit one leaf; a branch is another's. */
static bool tables_good(int fd, const struct store_roots *roots)
{
	struct page page;

	if (!read_page(fd, roots, roots->tables, page.b, roots->page_size))
		return false;
	if ((u16_at(page.b + PAGE_FLAGS_AT) & PAGE_KIND) == PAGE_BRANCH)
		return true;
	unsigned end = u16_at(page.b + PAGE_LOWER_AT);
	for (unsigned i = PAGE_HEADER; i < end; i += 2)
		if (!node_good(fd, roots, &page, u16_at(page.b + i)))
			return false;
	return true;
}

enum err store_pages_check(int fd, const struct store_roots *roots)
{
	if (!root_good(fd, roots, roots->free))
		return ERR_UNSAFE;
	if (roots->tables != NO_PAGE && !tables_good(fd, roots))
		return ERR_UNSAFE;
	return OK;
}
