#include "watcher/intake.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "watcher/limits.h"

struct intake {
	pthread_mutex_t mutex;
	int fd;
	size_t first, n;
	struct intake_item items[INTAKE_MAX]; /* a ring */
};

struct intake *intake_new(void)
{
	struct intake *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->fd < 0 || pthread_mutex_init(&q->mutex, NULL)) {
		if (q->fd >= 0)
			close(q->fd);
		free(q);
		return NULL;
	}
	return q;
}

void intake_free(struct intake *q)
{
	if (!q)
		return;
	close(q->fd);
	pthread_mutex_destroy(&q->mutex);
	free(q);
}

bool intake_put(struct intake *q, const struct bundle *bundle,
		const struct http_call *call)
{
	uint64_t one = 1;
	bool room;

	pthread_mutex_lock(&q->mutex);
	room = q->n < INTAKE_MAX;
	if (room) {
		struct intake_item *i =
			&q->items[(q->first + q->n++) % INTAKE_MAX];
		i->bundle = *bundle;
		i->call = http_defer(call);
	}
	pthread_mutex_unlock(&q->mutex);
	/* A counter that is full wakes the worker as well. */
	while (room && write(q->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return room;
}

bool intake_take(struct intake *q, struct intake_item *ret)
{
	bool any;

	pthread_mutex_lock(&q->mutex);
	any = q->n > 0;
	if (any) {
		*ret = q->items[q->first];
		q->first = (q->first + 1) % INTAKE_MAX;
		q->n--;
	}
	pthread_mutex_unlock(&q->mutex);
	return any;
}

int intake_fd(const struct intake *q)
{
	return q->fd;
}

void intake_drained(struct intake *q)
{
	uint64_t count;

	while (read(q->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}
