/* How long eth_getLogs takes with http/client and l1/log_page, or with
 * http/client alone: logs_bench read|transfer.  A line "URL TIMES" asks it that
 * often, over one connection; the answer is a line {"ms": [...], "n"}, and for
 * "URL TIMES digest" also "digest", as getlogs_peer.mjs gives it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "abi/hex.h"
#include "abi/json.h"
#include "abi/keccak.h"
#include "http/client.h"
#include "l1/limits.h"
#include "l1/log_page.h"

#define TIMEOUT_MS 20000
#define LINE_ROOM  256
#define TIMES_MAX  1000

struct bench {
	struct http_client *http;
	bool reads; /* otherwise the transfer alone */
	bool done;
	double start, end; /* ms */
	struct page_reply reply;
};

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "logs_bench: %s\n", what);
	exit(1);
}

static void on_reply(void *ctx, const struct http_reply *reply)
{
	struct bench *b = ctx;
	struct err_text error;
	if (reply->err || reply->status != 200)
		die(reply->err ? reply->text : "a status that is not 200");
	if (b->reads && log_page_read(reply->body, 1, &b->reply, &error))
		die(error.text);
	b->end = now_ms();
	b->done = true;
}

/* One request; the facts stay in b->reply. */
static double ask(struct bench *b, const char *url)
{
	static const char body[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getLogs\","
		"\"params\":[{\"fromBlock\":\"0x1406f40\","
		"\"toBlock\":\"0x1407039\"}]}";
	const struct http_request request = {.method = "POST",
					     .url = url,
					     .content_type = "application/json",
					     .body = slice_str(body),
					     .timeout_ms = TIMEOUT_MS,
					     .max_body = L1_REPLY_MAX};
	b->done = false;
	b->start = now_ms();
	if (http_client_start(b->http, &request, on_reply, b))
		die("cannot start a request");
	while (!b->done) {
		http_client_turn(b->http);
		if (!b->done)
			http_client_wait(b->http, NULL, 0, TIMEOUT_MS);
	}
	return b->end - b->start;
}

static void add_facts(struct buf *b, const struct log_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		const struct page_log *log = &page->logs[i];
		buf_add(b, log->address.b, sizeof(log->address.b));
		buf_add_be(b, log->n_topics, 1);
		buf_add_be(b, log->data_len, 4);
		buf_add_be(b, log->block, 8);
		buf_add_be(b, log->tx_index, 8);
		buf_add_be(b, log->index, 8);
		buf_add(b, log->block_hash.b, sizeof(log->block_hash.b));
		buf_add(b, log->tx.b, sizeof(log->tx.b));
		buf_add(b, log->topics, log->n_topics * sizeof(*log->topics));
		buf_add_slice(b, log_page_data(page, i));
	}
}

static struct hash32 digest(const struct log_page *page)
{
	CLEANUP(buf_done) struct buf facts;
	buf_init(&facts, 2 * L1_REPLY_MAX);
	add_facts(&facts, page);
	if (facts.failed)
		die("out of memory");
	return keccak256(facts.p, facts.len);
}

static void serve(struct bench *b, const char *url, unsigned long times,
		  bool facts)
{
	printf("{\"ms\":[");
	for (unsigned long i = 0; i < times; i++) {
		log_page_done(&b->reply.page);
		printf("%s%.4f", i ? "," : "", ask(b, url));
	}
	printf("],\"n\":%zu", b->reply.page.n);
	if (facts)
		printf(",\"digest\":\"%s\"",
		       hash_text(digest(&b->reply.page)).s);
	printf("}\n");
	log_page_done(&b->reply.page);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[LINE_ROOM];
	struct bench b = {.http = http_client_new()};
	if (argc != 2 || !b.http)
		die("logs_bench read|transfer");
	b.reads = !strcmp(argv[1], "read");
	while (fgets(line, sizeof(line), stdin)) {
		char *space = strchr(line, ' ');
		unsigned long times = space ? strtoul(space, NULL, 10) : 0;
		if (!times || times > TIMES_MAX)
			die("a line is URL TIMES [digest]");
		*space = '\0';
		serve(&b, line, times, strstr(space + 1, "digest") != NULL);
	}
	http_client_free(b.http);
	return 0;
}
