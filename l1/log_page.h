/* One eth_getLogs reply, read straight from its bytes into facts: for history,
 * where a reply has thousands of logs.  Pure. */
#ifndef EGRESS_L1_LOG_PAGE_H
#define EGRESS_L1_LOG_PAGE_H

#include "abi/receipt.h"
#include "l1/quorum.h"

struct page_log { /* without padding: compared as memory */
	struct address address;
	uint32_t n_topics;
	struct hash32 topics[RECEIPT_TOPICS_MAX]; /* zero from n_topics on */
	uint64_t block, tx_index, index;	  /* index: in its block */
	struct hash32 block_hash, tx;
	size_t data_at, data_len; /* in page.bytes */
};

struct log_page { /* owns; zero is empty */
	size_t n, room;
	struct page_log *logs; /* ascending by (block, index), no pair twice */
	struct buf bytes;
};

enum page_says {
	PAGE_LOGS,
	PAGE_ERROR, /* the node's own: code (0: none) and text */
};

/* Alchemy ends 300 bytes with the range that it would serve. */
#define PAGE_TEXT_MAX 512

struct page_reply {
	enum page_says says;
	int64_t code;
	char text[PAGE_TEXT_MAX];
	struct log_page page;
};

/* body: a JSON-RPC response, or a batch of them, of which exactly one must have
 * this id.  A lone response that is an error may come without an id, as from a
 * gateway that did not read the request.
 *
 * Every field of every log is read and checked; fields that are not known are
 * checked to be JSON.  Logs of one block must name one hash, those of one
 * transaction one hash too, and none may be pending (null) or removed.
 * ERR_INVALID: not of that shape.  ERR_TOO_LARGE: over L1_REPLY_MAX,
 * L1_REPLY_DEEP, L1_PAGE_LOGS_MAX or L1_LOG_DATA_MAX. */
MUST_CHECK enum err log_page_read(struct slice body, uint64_t id,
				  struct page_reply *ret,
				  struct err_text *error);
/* The same facts, however they were written. */
bool log_page_same(const struct log_page *a, const struct log_page *b);
struct slice log_page_data(const struct log_page *p, size_t i);
void log_page_done(struct log_page *p);

#endif
