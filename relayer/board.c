#include "relayer/board.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "relayer/limits.h"
#include "sys/log.h"

#define STATUS_MAX 16384

struct board {
	pthread_mutex_t lock;
	int fd;
	struct board_facts facts;
	struct buf status;
	struct board_item *queue[INTAKE_QUEUE_MAX];
	size_t first, n;
};

struct board *board_new(void)
{
	struct board *b = calloc(1, sizeof(*b));

	if (!b || pthread_mutex_init(&b->lock, NULL))
		fatal("out of memory", "board");
	b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (b->fd < 0)
		fatal("no eventfd", "board");
	buf_init(&b->status, STATUS_MAX);
	return b;
}

void board_free(struct board *b)
{
	if (!b)
		return;
	while (b->n) {
		board_item_free(b->queue[b->first]);
		b->first = (b->first + 1) % INTAKE_QUEUE_MAX;
		b->n--;
	}
	buf_done(&b->status);
	close(b->fd);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

int board_fd(const struct board *b)
{
	return b->fd;
}

struct board_facts board_facts(struct board *b)
{
	pthread_mutex_lock(&b->lock);
	struct board_facts facts = b->facts;
	pthread_mutex_unlock(&b->lock);
	return facts;
}

void board_status(struct board *b, struct buf *to)
{
	pthread_mutex_lock(&b->lock);
	buf_add_slice(to, buf_slice(&b->status));
	pthread_mutex_unlock(&b->lock);
}

bool board_push(struct board *b, struct board_item *item)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&b->lock);
	bool room = b->n < INTAKE_QUEUE_MAX;
	if (room)
		b->queue[(b->first + b->n++) % INTAKE_QUEUE_MAX] = item;
	pthread_mutex_unlock(&b->lock);
	if (room && write(b->fd, &one, sizeof(one)) < 0)
		log_debug("eventfd is full"); /* then it is readable anyway */
	return room;
}

void board_publish(struct board *b, const struct board_facts *facts,
		   struct slice status)
{
	pthread_mutex_lock(&b->lock);
	b->facts = *facts;
	buf_clear(&b->status);
	buf_add_slice(&b->status, status);
	pthread_mutex_unlock(&b->lock);
}

struct board_item *board_take(struct board *b)
{
	struct board_item *item = NULL;
	uint64_t count;

	if (read(b->fd, &count, sizeof(count)) < 0)
		count = 0; /* nothing was signalled: look all the same */
	pthread_mutex_lock(&b->lock);
	if (b->n) {
		item = b->queue[b->first];
		b->first = (b->first + 1) % INTAKE_QUEUE_MAX;
		b->n--;
	}
	pthread_mutex_unlock(&b->lock);
	return item;
}

void board_item_free(struct board_item *item)
{
	if (!item)
		return;
	buf_done(&item->raw);
	free(item);
}
