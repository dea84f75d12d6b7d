/* Reads eth_getLogs' replies.  A page's logs are compared as memory: no byte of
 * them may depend on anything but the facts. */
#include "l1/log_page.h"

#include <stdlib.h>

#include "abi/pull.h"
#include "l1/limits.h"

_Static_assert(sizeof(struct page_log) ==
		       sizeof(struct address) + sizeof(uint32_t) +
			       (RECEIPT_TOPICS_MAX + 2) *
				       sizeof(struct hash32) +
			       3 * sizeof(uint64_t) + 2 * sizeof(size_t),
	       "page_log has padding");

#define FIRST_LOGS 64 /* room for, at first */

enum log_field {
	LOG_ADDRESS,
	LOG_TOPICS,
	LOG_DATA,
	LOG_BLOCK,
	LOG_BLOCK_HASH,
	LOG_TX,
	LOG_TX_INDEX,
	LOG_INDEX,
	LOG_REMOVED, /* not printed by every node */
};

static const struct pull_name log_fields[] = {
	[LOG_ADDRESS] = PULL_NAME("address"),
	[LOG_TOPICS] = PULL_NAME("topics"),
	[LOG_DATA] = PULL_NAME("data"),
	[LOG_BLOCK] = PULL_NAME("blockNumber"),
	[LOG_BLOCK_HASH] = PULL_NAME("blockHash"),
	[LOG_TX] = PULL_NAME("transactionHash"),
	[LOG_TX_INDEX] = PULL_NAME("transactionIndex"),
	[LOG_INDEX] = PULL_NAME("logIndex"),
	[LOG_REMOVED] = PULL_NAME("removed"),
};
#define LOG_NEEDED ((UINT32_C(1) << LOG_REMOVED) - 1)

enum reply_field { REPLY_JSONRPC, REPLY_ID, REPLY_RESULT, REPLY_ERROR };

static const struct pull_name reply_fields[] = {
	[REPLY_JSONRPC] = PULL_NAME("jsonrpc"),
	[REPLY_ID] = PULL_NAME("id"),
	[REPLY_RESULT] = PULL_NAME("result"),
	[REPLY_ERROR] = PULL_NAME("error"),
};

enum error_field { ERROR_CODE, ERROR_MESSAGE };

static const struct pull_name error_fields[] = {
	[ERROR_CODE] = PULL_NAME("code"),
	[ERROR_MESSAGE] = PULL_NAME("message"),
};

/* ---- a log --------------------------------------------------------------- */

/* All zero, padding too; NULL after failing. */
static struct page_log *add_log(struct pull *p, struct log_page *page)
{
	if (page->n == L1_PAGE_LOGS_MAX) {
		pull_fail(p, ERR_TOO_LARGE, "fewer logs");
		return NULL;
	}
	if (page->n == page->room) {
		size_t room = page->room ? 2 * page->room : FIRST_LOGS;
		struct page_log *logs =
			realloc(page->logs, room * sizeof(*logs));
		if (!logs)
			abort();
		page->logs = logs;
		page->room = room;
	}
	struct page_log *log = &page->logs[page->n++];
	memset(log, 0, sizeof(*log));
	return log;
}

static void read_topics(struct pull *p, struct page_log *log)
{
	pull_begin_array(p);
	while (pull_next_item(p)) {
		if (log->n_topics == ARRAY_LEN(log->topics)) {
			pull_fail(p, ERR_INVALID, "at most 4 topics");
			return;
		}
		log->topics[log->n_topics++] = pull_hash(p);
	}
}

static void read_field(struct pull *p, enum log_field field,
		       struct page_log *log, struct buf *bytes)
{
	switch (field) {
	case LOG_ADDRESS:
		log->address = pull_address(p);
		return;
	case LOG_TOPICS:
		read_topics(p, log);
		return;
	case LOG_DATA:
		log->data_at = bytes->len;
		log->data_len = pull_bytes(p, bytes, L1_LOG_DATA_MAX);
		return;
	case LOG_BLOCK:
		log->block = pull_quantity(p);
		return;
	case LOG_BLOCK_HASH:
		log->block_hash = pull_hash(p);
		return;
	case LOG_TX:
		log->tx = pull_hash(p);
		return;
	case LOG_TX_INDEX:
		log->tx_index = pull_quantity(p);
		return;
	case LOG_INDEX:
		log->index = pull_quantity(p);
		return;
	case LOG_REMOVED:
		if (pull_bool(p))
			pull_fail(p, ERR_INVALID, "no log that was removed");
		return;
	}
	pull_skip(p);
}

/* What must hold between a log and the one before it. */
static const char *contradiction(const struct page_log *a,
				 const struct page_log *b)
{
	if (a->block != b->block)
		return a->block < b->block ? NULL : "logs in order of blocks";
	if (a->index >= b->index)
		return "logs in order of logIndex, none twice";
	if (!hash_eq(a->block_hash, b->block_hash))
		return "one hash for a block";
	if (a->tx_index > b->tx_index)
		return "logs in order of transactions";
	if ((a->tx_index == b->tx_index) != hash_eq(a->tx, b->tx))
		return "one hash for a transaction";
	return NULL;
}

static void read_log(struct pull *p, struct log_page *page)
{
	uint32_t seen = 0;
	int field;
	struct page_log *log = add_log(p, page);
	pull_begin_object(p);
	while ((field = pull_next_key(p, log_fields, ARRAY_LEN(log_fields),
				      &seen)) != PULL_END)
		read_field(p, (enum log_field)field, log, &page->bytes);
	pull_need(p, log_fields, LOG_NEEDED, seen);
	if (p->err || page->n == 1)
		return;
	const char *expected = contradiction(log - 1, log);
	if (expected)
		pull_fail(p, ERR_INVALID, expected);
}

static void read_logs(struct pull *p, struct log_page *page)
{
	buf_init(&page->bytes, L1_REPLY_MAX / 2);
	pull_begin_array(p);
	while (pull_next_item(p))
		read_log(p, page);
}

/* ---- a response ---------------------------------------------------------- */

/* Lenient in words: gateways write a text where an object should stand. */
static void read_error(struct pull *p, struct page_reply *reply)
{
	uint32_t seen = 0;
	int field;
	reply->says = PAGE_ERROR;
	if (pull_peek(p) == PULL_STRING) {
		pull_text(p, reply->text, sizeof(reply->text));
		return;
	}
	pull_begin_object(p);
	while ((field = pull_next_key(p, error_fields, ARRAY_LEN(error_fields),
				      &seen)) != PULL_END) {
		enum pull_type type = pull_peek(p);
		if (field == ERROR_CODE && type == PULL_NUMBER)
			reply->code = pull_i64(p);
		else if (field == ERROR_MESSAGE && type == PULL_STRING)
			pull_text(p, reply->text, sizeof(reply->text));
		else
			pull_skip(p);
	}
}

static void read_version(struct pull *p)
{
	char version[8];
	pull_text(p, version, sizeof(version));
	if (strcmp(version, "2.0") != 0)
		pull_fail(p, ERR_INVALID, "JSON-RPC 2.0");
}

/* An id that is null counts as none. */
static bool read_id(struct pull *p, uint64_t id)
{
	if (pull_peek(p) == PULL_NULL) {
		pull_null(p);
		return false;
	}
	if (pull_u64(p) != id)
		pull_fail(p, ERR_INVALID, "the id that was asked");
	return true;
}

static void read_response(struct pull *p, uint64_t id, struct page_reply *reply)
{
	static const char wordless[] = "an error without a message";
	uint32_t seen = 0;
	bool has_id = false, has_result = false;
	int field;
	pull_begin_object(p);
	while ((field = pull_next_key(p, reply_fields, ARRAY_LEN(reply_fields),
				      &seen)) != PULL_END) {
		bool null = pull_peek(p) == PULL_NULL;
		if (field == REPLY_JSONRPC) {
			read_version(p);
		} else if (field == REPLY_ID) {
			has_id = read_id(p, id);
		} else if (field == REPLY_RESULT && !null) {
			has_result = true;
			read_logs(p, &reply->page);
		} else if (field == REPLY_ERROR && !null) {
			read_error(p, reply);
		} else {
			pull_skip(p);
		}
	}
	if (reply->says == PAGE_ERROR) {
		log_page_done(&reply->page);
		if (!*reply->text)
			memcpy(reply->text, wordless, sizeof(wordless));
	} else if (!has_result || !has_id) {
		pull_fail(p, ERR_INVALID, "an id with a result or an error");
	}
}

/* Of the response that is next, which is not taken. */
static bool is_of(struct pull at, uint64_t id)
{
	static const struct pull_name name = PULL_NAME("id");
	uint32_t seen = 0;
	int field;
	if (pull_peek(&at) != PULL_OBJECT)
		return false;
	pull_begin_object(&at);
	while ((field = pull_next_key(&at, &name, 1, &seen)) != PULL_END) {
		if (field == 0)
			return pull_peek(&at) == PULL_NUMBER &&
			       pull_u64(&at) == id && !at.err;
		pull_skip(&at);
	}
	return false;
}

static void read_batch(struct pull *p, uint64_t id, struct page_reply *reply)
{
	bool found = false;
	pull_begin_array(p);
	while (pull_next_item(p)) {
		if (!is_of(*p, id)) {
			pull_skip(p);
		} else if (found) {
			pull_fail(p, ERR_INVALID, "one answer to an id");
		} else {
			found = true;
			read_response(p, id, reply);
		}
	}
	if (!found)
		pull_fail(p, ERR_INVALID, "an answer to the id");
}

enum err log_page_read(struct slice body, uint64_t id, struct page_reply *ret,
		       struct err_text *error)
{
	struct page_reply reply = {0};
	struct pull p = pull_of(body, L1_REPLY_DEEP);
	if (body.len > L1_REPLY_MAX)
		pull_fail(&p, ERR_TOO_LARGE, "a shorter reply");
	if (pull_peek(&p) == PULL_ARRAY)
		read_batch(&p, id, &reply);
	else
		read_response(&p, id, &reply);
	pull_end(&p);
	if (p.err) {
		log_page_done(&reply.page);
		pull_error(&p, error);
		return p.err;
	}
	*ret = reply;
	return OK;
}

bool log_page_same(const struct log_page *a, const struct log_page *b)
{
	return a->n == b->n &&
	       slice_eq(buf_slice(&a->bytes), buf_slice(&b->bytes)) &&
	       (!a->n || !memcmp(a->logs, b->logs, a->n * sizeof(*a->logs)));
}

struct slice log_page_data(const struct log_page *p, size_t i)
{
	const struct page_log *log = &p->logs[i];
	return slice_of(log->data_len ? p->bytes.p + log->data_at : NULL,
			log->data_len);
}

void log_page_done(struct log_page *p)
{
	free(p->logs);
	buf_done(&p->bytes);
	*p = (struct log_page){0};
}
