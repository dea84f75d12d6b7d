/* http/client.c and sys/clock.c of a test's own making: transfers that the
 * test answers by hand, and a clock that it moves.  Included by one .c file
 * a program; the linker then passes over the real ones. */
#ifndef EGRESS_TESTS_FAKE_HTTP_H
#define EGRESS_TESTS_FAKE_HTTP_H

#include <stdio.h>
#include <stdlib.h>

#include "abi/buf.h"
#include "http/client.h"
#include "sys/clock.h"

#define FAKE_TRANSFERS 64

struct fake_transfer {
	bool open;
	char url[64];
	struct buf body;
	http_done *done;
	void *ctx;
	uint64_t timeout_ms;
	size_t max_body;
};

static struct fake_transfer fake_transfers[FAKE_TRANSFERS];
static uint64_t fake_now = 1000000;

uint64_t clock_mono_ms(void)
{
	return fake_now;
}

uint64_t clock_unix_ms(void)
{
	return fake_now;
}

struct http_client *http_client_new(void)
{
	return (struct http_client *)fake_transfers;
}

static void fake_close(struct fake_transfer *t)
{
	t->open = false;
	buf_done(&t->body);
}

void http_client_free(struct http_client *c)
{
	(void)c;
	for (size_t i = 0; i < FAKE_TRANSFERS; i++)
		fake_close(&fake_transfers[i]);
}

enum err http_client_start(struct http_client *c, const struct http_request *r,
			   http_done *done, void *ctx)
{
	(void)c;
	for (size_t i = 0; i < FAKE_TRANSFERS; i++) {
		struct fake_transfer *t = &fake_transfers[i];
		if (t->open)
			continue;
		*t = (struct fake_transfer){.open = true,
					    .done = done,
					    .ctx = ctx,
					    .timeout_ms = r->timeout_ms,
					    .max_body = r->max_body};
		(void)snprintf(t->url, sizeof(t->url), "%s", r->url);
		buf_init(&t->body, 1u << 20);
		buf_add_slice(&t->body, r->body);
		return OK;
	}
	return ERR_BUSY;
}

void http_client_cancel(struct http_client *c, void *ctx)
{
	(void)c;
	for (size_t i = 0; i < FAKE_TRANSFERS; i++)
		if (fake_transfers[i].open && fake_transfers[i].ctx == ctx)
			fake_close(&fake_transfers[i]);
}

void http_client_turn(struct http_client *c)
{
	(void)c;
}

void http_client_wait(struct http_client *c, struct pollfd *extra, size_t n,
		      uint64_t timeout_ms)
{
	(void)c;
	(void)extra;
	(void)n;
	fake_now += timeout_ms;
}

/* The open transfer to a URL, or NULL. */
static struct fake_transfer *fake_find(const char *url)
{
	for (size_t i = 0; i < FAKE_TRANSFERS; i++)
		if (fake_transfers[i].open &&
		    !strcmp(fake_transfers[i].url, url))
			return &fake_transfers[i];
	return NULL;
}

/* text NULL: no connection; with a status: broken after it was sent. */
static inline bool fake_reply(const char *url, long status, const char *text)
{
	struct fake_transfer *t = fake_find(url);
	if (!t)
		return false;
	struct fake_transfer copy = *t;
	*t = (struct fake_transfer){0};
	struct http_reply reply = {.err = text ? OK : ERR_IO,
				   .sent = text || status,
				   .status = status,
				   .body = slice_str(text ? text : ""),
				   .elapsed_ms = 20};
	(void)snprintf(reply.text, sizeof(reply.text), "%s",
		       text ? "" : "connection refused");
	copy.done(copy.ctx, &reply);
	fake_close(&copy);
	return true;
}

#endif
