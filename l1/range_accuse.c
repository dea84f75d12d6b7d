/* Who lists other logs than a quorum does, or than the block itself holds: what
 * it said, and what stands against it. */
#include "l1/range_impl.h"

static struct lie_words words(const struct buf *text)
{
	return (struct lie_words){.text = buf_slice(text), .cut = text->failed};
}

static void put_log(struct buf *to, const struct page_log *log,
		    struct slice data)
{
	struct json_writer w = json_writer(to);
	json_begin(&w, NULL);
	json_put_quantity(&w, "blockNumber", log->block);
	json_put_hash(&w, "blockHash", log->block_hash);
	json_put_quantity(&w, "logIndex", log->index);
	json_put_quantity(&w, "transactionIndex", log->tx_index);
	json_put_hash(&w, "transactionHash", log->tx);
	json_put_address(&w, "address", log->address);
	json_begin_array(&w, "topics");
	for (size_t i = 0; i < log->n_topics; i++)
		json_put_hash(&w, NULL, log->topics[i]);
	json_end_array(&w);
	json_put_hex(&w, "data", data.p, data.len);
	json_end(&w);
}

/* One log of a list, or that there is none. */
static void put_page_log(struct buf *to, size_t max,
			 const struct log_page *page, size_t i)
{
	buf_init(to, max);
	if (i < page->n)
		put_log(to, &page->logs[i], log_page_data(page, i));
	else
		buf_add_str(to, "null");
}

static size_t find_place(const struct log_page *page,
			 const struct page_log *log)
{
	size_t i = 0;
	while (i < page->n && (page->logs[i].block != log->block ||
			       page->logs[i].index != log->index))
		i++;
	return i;
}

void range_accuse(const struct range *r, size_t part, bool omits, uint64_t now)
{
	const struct log_page *agreed = range_page(r);
	const struct log_page *listed = &r->parts[r->parts[part].like].page;
	struct provider *p = r->parts[part].provider;
	char names[LIE_TEXT_MAX] = "";
	struct buf said, stands;
	size_t other = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->parts[i].state == PART_LISTED &&
		    r->parts[i].like == r->parts[r->agreed].like)
			accuse_name(names, sizeof(names),
				    r->parts[i].provider->settings->name);
	/* the first log that only one of the two has */
	const struct log_page *has = omits ? agreed : listed;
	(void)range_includes(has, omits ? listed : agreed, &other);
	const struct page_log *log = &has->logs[other];
	put_page_log(&said, LIE_SAID_MAX, listed, find_place(listed, log));
	put_page_log(&stands, LIE_STANDS_MAX, agreed, find_place(agreed, log));
	const struct accusation what = {
		.kind = omits ? LIE_OMISSION : LIE_OTHER_ANSWER,
		.number = log->block,
		.hash = omits ? log->block_hash : (struct hash32){{0}},
		.method = "eth_getLogs",
		.against = slice_str(names),
		.asked = {.text = buf_slice(&r->body)},
		.said = words(&said),
		.stands = words(&stands)};
	if (omits)
		provider_doubted(p, now, &what);
	else
		provider_lied(p, now, &what,
			      "its eth_getLogs differs from what a quorum "
			      "answers");
	buf_done(&said);
	buf_done(&stands);
}

void range_refute(struct provider *p, const struct page_log *log, uint64_t now)
{
	struct buf said;

	buf_init(&said, LIE_SAID_MAX);
	put_log(&said, log, (struct slice){0});
	const struct accusation what = {.kind = LIE_OTHER_ANSWER,
					.number = log->block,
					.method = "eth_getLogs",
					.said = words(&said),
					.stands = {.text = slice_str("null")}};
	provider_lied(p, now, &what,
		      "it listed a log that block %llu does not hold",
		      (unsigned long long)log->block);
	buf_done(&said);
}
