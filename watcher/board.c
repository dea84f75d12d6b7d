#include "watcher/board.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE_MAX (2u << 20)

struct board {
	pthread_mutex_t mutex;
	struct buf pages[BOARD_PAGES];
	struct pool_rules rules;
	struct address rollup;
	struct board_reason not_ready;
};

struct board *board_new(void)
{
	struct board *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	if (pthread_mutex_init(&b->mutex, NULL)) {
		free(b);
		return NULL;
	}
	for (int i = 0; i < BOARD_PAGES; i++)
		buf_init(&b->pages[i], PAGE_MAX);
	snprintf(b->not_ready.text, sizeof(b->not_ready.text), "starting");
	return b;
}

void board_free(struct board *b)
{
	if (!b)
		return;
	for (int i = 0; i < BOARD_PAGES; i++)
		buf_done(&b->pages[i]);
	pthread_mutex_destroy(&b->mutex);
	free(b);
}

void board_put(struct board *b, enum board_page page, struct slice text)
{
	pthread_mutex_lock(&b->mutex);
	buf_clear(&b->pages[page]);
	buf_add_slice(&b->pages[page], text);
	pthread_mutex_unlock(&b->mutex);
}

void board_set(struct board *b, const struct pool_rules *rules,
	       struct address rollup, const char *not_ready)
{
	pthread_mutex_lock(&b->mutex);
	b->rules = *rules;
	b->rollup = rollup;
	snprintf(b->not_ready.text, sizeof(b->not_ready.text), "%s", not_ready);
	pthread_mutex_unlock(&b->mutex);
}

bool board_get(struct board *b, enum board_page page, struct buf *to)
{
	bool any;

	pthread_mutex_lock(&b->mutex);
	any = b->pages[page].len && !b->pages[page].failed;
	if (any)
		buf_add_slice(to, buf_slice(&b->pages[page]));
	pthread_mutex_unlock(&b->mutex);
	return any;
}

struct pool_rules board_rules(struct board *b)
{
	struct pool_rules rules;

	pthread_mutex_lock(&b->mutex);
	rules = b->rules;
	pthread_mutex_unlock(&b->mutex);
	return rules;
}

struct address board_rollup(struct board *b)
{
	struct address rollup;

	pthread_mutex_lock(&b->mutex);
	rollup = b->rollup;
	pthread_mutex_unlock(&b->mutex);
	return rollup;
}

struct board_reason board_not_ready(struct board *b)
{
	struct board_reason r;

	pthread_mutex_lock(&b->mutex);
	r = b->not_ready;
	pthread_mutex_unlock(&b->mutex);
	return r;
}
